package source

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// maxName bounds the label of a member, in bytes.
const maxName = 1024

// tar visits the members of a tar archive. It ends at the first damage, since
// nothing says where the next member begins.
func (r *run) tar(in Input, src io.Reader) error {
	stream := &tracked{r: src}
	tr := tar.NewReader(stream)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			_, err = io.Copy(io.Discard, stream) // the checksum of the compression comes last
			return r.broken(in, err)
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			if stream.failed() == nil {
				err = &ReadError{stream.offset, err}
			}
			return r.broken(in, err)
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse || hiddenMember(h.Name) {
			continue
		}
		before := r.failed()
		// A member may be sparse, so what it expands to is bounded too.
		content := &tracked{r: &expanding{r: tr, what: "tar", meter: r.meter, below: stream}}
		if err := r.input(member(in, h.Name), content, false); err != nil {
			return err
		}
		damage := stream.failed()
		if damage == nil && !errors.Is(content.failed(), ErrTooBig) {
			damage = content.failed()
		}
		switch {
		case damage != nil && r.failed() == before: // the visit did not get there
			return r.broken(in, damage)
		case damage != nil, r.meter.bomb() && r.failed() > before:
			return nil
		}
	}
}

// broken notes what ends an archive early, unless the context did.
func (r *run) broken(in Input, err error) error {
	if done := r.ctx.Err(); done != nil {
		return done
	}
	if err != nil {
		r.fail(in, err)
	}
	return nil
}

// zip visits the members of the unit, a zip archive.
func (r *run) zip(in Input) error {
	if r.raw.at == nil {
		r.fail(in, fmt.Errorf("%w: a zip archive from a pipe; its index is at its end", ErrUnsupported))
		return nil
	}
	zr, err := zip.NewReader(r.raw, r.meter.size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return r.broken(in, err)
	}
	zr.RegisterDecompressor(zip.Deflate, inflate)
	zr.RegisterDecompressor(zstd.ZipMethodWinZip, zstd.ZipDecompressor(zstdOptions()...))
	for _, f := range zr.File {
		if !f.Mode().IsRegular() || strings.HasSuffix(f.Name, `\`) || hiddenMember(f.Name) {
			continue
		}
		before := r.failed()
		if err := r.zipMember(member(in, f.Name), f); err != nil {
			return err
		}
		if r.meter.bomb() && r.failed() > before {
			return nil // as would all others
		}
	}
	return nil
}

// encrypted is the flag of a zip member that needs a password (APPNOTE 4.4.4).
const encrypted = 0x1

func (r *run) zipMember(in Input, f *zip.File) error {
	if f.Flags&encrypted != 0 {
		r.fail(in, ErrEncrypted)
		return nil
	}
	content, err := f.Open()
	if errors.Is(err, zip.ErrAlgorithm) {
		err = fmt.Errorf("%w: zip compression method %d", ErrUnsupported, f.Method)
	}
	if err != nil {
		return r.broken(in, err)
	}
	defer content.Close()
	return r.input(in, &expanding{r: content, what: "zip", meter: r.meter}, false)
}

// member returns the input that is a member of an archive.
func member(archive Input, name string) Input {
	name = strings.ToValidUTF8(slashed(name), "\ufffd")
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "") + "…"
	}
	return Input{Name: archive.Name + "!" + name, Named: archive.Named, Member: true}
}

// slashed returns a name with slashes where Windows wrote backslashes.
func slashed(name string) string { return strings.ReplaceAll(name, `\`, "/") }

// hiddenMember reports whether a member is hidden, or in a hidden folder: such
// as what macOS adds.
func hiddenMember(name string) bool {
	for part := range strings.SplitSeq(slashed(name), "/") {
		if hidden(part) {
			return true
		}
	}
	return false
}
