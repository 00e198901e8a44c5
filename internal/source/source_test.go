package source_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/postern/postern/internal/source"
)

// A member is a file in an archive.
type member struct{ name, content string }

func gz(parts ...string) string {
	var b bytes.Buffer
	for _, p := range parts {
		w := gzip.NewWriter(&b)
		io.WriteString(w, p)
		w.Close()
	}
	return b.String()
}

func zst(parts ...string) string {
	w, _ := zstd.NewWriter(nil)
	var b []byte
	for _, p := range parts {
		b = w.EncodeAll([]byte(p), b)
	}
	return string(b)
}

func tarball(members ...member) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Name: "folder/", Typeflag: tar.TypeDir, Mode: 0o777})
	w.WriteHeader(&tar.Header{Name: "link", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink})
	for _, m := range members {
		w.WriteHeader(&tar.Header{Name: m.name, Size: int64(len(m.content)), Mode: 0o666})
		io.WriteString(w, m.content)
	}
	w.Close()
	return b.String()
}

func zipped(members ...member) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.Create("folder/")
	for _, m := range members {
		f, _ := w.Create(m.name)
		io.WriteString(f, m.content)
	}
	w.Close()
	return b.String()
}

// A got is what a visit was given.
type got struct {
	Name    string
	Content string
}

// read reads all of a unit. The errors are as "name: is", with the sentinel
// that each is.
func read(t *testing.T, u source.Unit, o source.Options) ([]got, []string) {
	t.Helper()
	var all []got
	err := u.Each(t.Context(), o, func(in source.Input, r io.Reader) error {
		b, err := io.ReadAll(r)
		all = append(all, got{in.Name, string(b)})
		return err
	})
	inputs, rest := source.Failures(err)
	if rest != nil {
		t.Errorf("Each stopped: %v", rest)
	}
	var errs []string
	for _, err := range inputs {
		errs = append(errs, err.Input.Name+": "+sentinel(err))
	}
	return all, errs
}

func sentinel(err error) string {
	for _, s := range []error{source.ErrTooBig, source.ErrNested, source.ErrEncrypted, source.ErrUnsupported,
		io.ErrUnexpectedEOF, zip.ErrChecksum, zip.ErrFormat, tar.ErrHeader, os.ErrNotExist, os.ErrPermission} {
		if errors.Is(err, s) {
			return s.Error()
		}
	}
	return err.Error()
}

// write writes a file into a new folder, which becomes the current one.
func write(t *testing.T, name, content string) source.Unit {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return source.Unit{Path: name, Size: int64(len(content))}
}

func TestEach(t *testing.T) {
	long := strings.Repeat("some text ", 100_000)
	two := []member{{"a", "1"}, {"logs/b", long}}
	twoWant := []got{{"f!a", "1"}, {"f!logs/b", long}}
	tests := []struct {
		name    string
		content string
		want    []got
		errs    []string
	}{
		{name: "plain", content: "text", want: []got{{"f", "text"}}},
		{name: "empty", want: []got{{"f", ""}}},
		{name: "gzip", content: gz(long), want: []got{{"f", long}}},
		{name: "gzip of nothing", content: gz(""), want: []got{{"f", ""}}},
		{name: "gzip, several members", content: gz("a", "", "b"), want: []got{{"f", "ab"}}},
		{name: "zstd", content: zst(long), want: []got{{"f", long}}},
		{name: "zstd, several frames", content: zst("a", "b"), want: []got{{"f", "ab"}}},
		{name: "zstd, skippable frame first", content: "\x50\x2a\x4d\x18\x04\x00\x00\x00skip" + zst("a"), want: []got{{"f", "a"}}},
		{name: "zip", content: zipped(two...), want: twoWant},
		{name: "empty zip", content: "PK\x05\x06" + strings.Repeat("\x00", 18)},
		{name: "tar", content: tarball(two...), want: twoWant},
		{name: "tar.gz", content: gz(tarball(two...)), want: twoWant},
		{name: "tar.zst", content: zst(tarball(two...)), want: twoWant},
		{name: "compressed members", content: zipped(member{"a.gz", gz("1")}, member{"b", zst("2")}, member{"c", "3"}), want: []got{{"f!a.gz", "1"}, {"f!b", "2"}, {"f!c", "3"}}},
		{name: "compressed members of tar.gz", content: gz(tarball(member{"a", gz("1")}, member{"b", zst("2")})), want: []got{{"f!a", "1"}, {"f!b", "2"}}},
		{name: "empty member", content: zipped(member{"a", ""}), want: []got{{"f!a", ""}}},
		{name: "odd names", content: zipped(member{`logs\a.evtx`, "1"}, member{"../../etc/passwd", "2"}, member{"/abs", "3"}, member{"x\xff", "4"}, member{`empty\`, ""}),
			want: []got{{"f!logs/a.evtx", "1"}, {"f!../../etc/passwd", "2"}, {"f!/abs", "3"}, {"f!x\ufffd", "4"}}},
		{name: "hidden members", content: tarball(member{"./a", "1"}, member{"__MACOSX/._a", "2"}, member{".git/b", "3"}), want: []got{{"f!./a", "1"}}},
		{name: "old tar", content: oldTar(tarball(two...)), want: twoWant},

		{name: "gzip twice", content: gz(gz("a")), errs: []string{"f: " + source.ErrNested.Error()}},
		{name: "zip in gzip", content: gz(zipped(two...)), errs: []string{"f: " + source.ErrNested.Error()}},
		{name: "archives in archive", content: zipped(member{"a", zipped(two...)}, member{"b", tarball(two...)}, member{"c", gz(tarball(two...))}, member{"d", gz(zst("1"))}, member{"e", "2"}),
			want: []got{{"f!e", "2"}},
			errs: []string{"f!a: " + source.ErrNested.Error(), "f!b: " + source.ErrNested.Error(), "f!c: " + source.ErrNested.Error(), "f!d: " + source.ErrNested.Error()}},
		{name: "unsupported", content: zipped(member{"a.xz", "\xfd7zXZ\x00..."}, member{"b.bz2", "BZh91AY&SY..."}, member{"c", "BZh is text"}),
			want: []got{{"f!c", "BZh is text"}},
			errs: []string{"f!a.xz: " + source.ErrUnsupported.Error(), "f!b.bz2: " + source.ErrUnsupported.Error()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := write(t, "f", tt.content)
			got, errs := read(t, u, source.Options{})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("inputs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.errs, errs); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

// oldTar takes the magic of POSIX out of the headers.
func oldTar(s string) string {
	b := []byte(s)
	for i := 0; i+512 <= len(b); i += 512 {
		h := b[i : i+512]
		if string(h[257:262]) != "ustar" {
			continue
		}
		clear(h[257:265])
		copy(h[148:156], "        ")
		sum := 0
		for _, c := range h {
			sum += int(c)
		}
		copy(h[148:156], fmt.Sprintf("%06o\x00 ", sum))
	}
	return string(b)
}

func TestEachErrorSaysWhere(t *testing.T) {
	tarball := gz(tarball(member{"logs/a", strings.Repeat("x", 1<<20)}))
	u := write(t, "f.tgz", tarball[:len(tarball)/2])
	read := 0
	err := u.Each(t.Context(), source.Options{}, func(_ source.Input, r io.Reader) error {
		n, _ := io.Copy(io.Discard, r) // what the visit drops is reported too
		read = int(n)
		return nil
	})
	want := fmt.Sprintf("f.tgz!logs/a: after %d bytes: ", read)
	if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Count(err.Error(), "after") != 1 {
		t.Errorf("error %v, want %s…", err, want)
	}
	if read == 0 {
		t.Error("nothing was read")
	}
}

// TestEachUnread leaves the inputs unread: damage that is found on the way to
// the next one is reported for the archive.
func TestEachUnread(t *testing.T) {
	long := string(make([]byte, 1<<20))
	whole := gz(tarball(member{"a", long}, member{"b", long}))
	for content, want := range map[string]string{whole: "", whole[:len(whole)*3/4]: "f: unexpected EOF"} {
		u := write(t, "f", content)
		visits := 0
		err := u.Each(t.Context(), source.Options{}, func(source.Input, io.Reader) error {
			visits++
			return nil
		})
		if visits != 2 {
			t.Errorf("%d visits", visits)
		}
		inputs, rest := source.Failures(err)
		if rest != nil || (want == "") != (len(inputs) == 0) {
			t.Fatalf("error %v, want %q", err, want)
		}
		if len(inputs) > 0 && inputs[0].Input.Name+": "+sentinel(inputs[0]) != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestEachManyFailures(t *testing.T) {
	var members []member
	for i := range 1500 {
		members = append(members, member{fmt.Sprint(i), gz(gz(""))})
	}
	_, errs := read(t, write(t, "f", tarball(members...)), source.Options{})
	if len(errs) != 1001 || errs[1000] != "f: f: 500 more inputs cannot be read" {
		t.Errorf("%d errors, the last %q", len(errs), errs[len(errs)-1])
	}
}

func TestEachVisitFails(t *testing.T) {
	stop := errors.New("disk full")
	content := zipped(member{"a", "1"}, member{"b", "2"}, member{"c", "3"})
	tests := []struct {
		name   string
		visit  source.Visit
		visits int
		inputs int
		rest   error
	}{
		{"stops", func(source.Input, io.Reader) error { return stop }, 1, 0, stop},
		{"of its input", func(in source.Input, _ io.Reader) error { return &source.InputError{Input: in, Err: stop} }, 3, 3, nil},
		{"of its input, wrapped", func(in source.Input, _ io.Reader) error {
			return fmt.Errorf("visiting: %w", &source.InputError{Input: in, Err: stop})
		}, 3, 3, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			visits := 0
			err := write(t, "f", content).Each(t.Context(), source.Options{}, func(in source.Input, r io.Reader) error {
				visits++
				return tt.visit(in, r)
			})
			inputs, rest := source.Failures(err)
			if visits != tt.visits || len(inputs) != tt.inputs || !errors.Is(rest, tt.rest) {
				t.Errorf("%d visits, %d failures, stopped by %v", visits, len(inputs), rest)
			}
		})
	}
}

// TestEachReadErrorOnce lets visits treat the reader's error in different
// ways: it is reported once in each.
func TestEachReadErrorOnce(t *testing.T) {
	content := gz(strings.Repeat("x", 1<<20))
	stop := errors.New("disk full")
	for name, then := range map[string]struct {
		visit func(in source.Input, err error) error
		rest  error
	}{
		"drops":   {func(source.Input, error) error { return nil }, nil},
		"returns": {func(_ source.Input, err error) error { return err }, nil},
		"wraps":   {func(_ source.Input, err error) error { return fmt.Errorf("decoding: %w", err) }, nil},
		"reports": {func(in source.Input, err error) error { return &source.InputError{Input: in, Err: err} }, nil},
		"fails":   {func(source.Input, error) error { return stop }, stop},
	} {
		err := write(t, "f", content[:len(content)/2]).Each(t.Context(), source.Options{}, func(in source.Input, r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			if _, again := r.Read(make([]byte, 1)); !errors.Is(again, err) {
				t.Errorf("%s: read again: %v", name, again)
			}
			return then.visit(in, err)
		})
		inputs, rest := source.Failures(err)
		if len(inputs) != 1 || !errors.Is(inputs[0], io.ErrUnexpectedEOF) || !errors.Is(rest, then.rest) {
			t.Errorf("%s: failures %v, stopped by %v", name, inputs, rest)
		}
	}
}

func TestEachMissing(t *testing.T) {
	t.Chdir(t.TempDir())
	err := source.Unit{Path: "gone"}.Each(t.Context(), source.Options{}, func(source.Input, io.Reader) error {
		t.Error("visited")
		return nil
	})
	if inputs, _ := source.Failures(err); len(inputs) != 1 || !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), "gone") != 1 {
		t.Errorf("error %v", err)
	}
}

func TestEachUnreadable(t *testing.T) {
	u := write(t, "f", "1")
	if err := os.Chmod("f", 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open("f"); err == nil {
		f.Close()
		t.Skip("permissions do not bind this user")
	}
	if _, errs := read(t, u, source.Options{}); len(errs) != 1 || errs[0] != "f: "+os.ErrPermission.Error() {
		t.Errorf("errors %q", errs)
	}
}

func TestEachFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, errs := read(t, source.Unit{Path: "."}, source.Options{}); len(errs) != 1 {
		t.Errorf("errors %q, want one", errs)
	}
}

func TestEachStdin(t *testing.T) {
	for content, want := range map[string][]got{
		"text":                           {{"-", "text"}},
		gz("text"):                       {{"-", "text"}},
		gz(tarball(member{"a", "text"})): {{"-!a", "text"}},
	} {
		inputs, errs := read(t, source.Unit{Path: source.Stdin}, source.Options{Stdin: iotest.OneByteReader(strings.NewReader(content))})
		if diff := cmp.Diff(want, inputs); diff != "" || errs != nil {
			t.Errorf("errors %q, inputs (-want +got):\n%s", errs, diff)
		}
	}
	_, errs := read(t, source.Unit{Path: source.Stdin}, source.Options{Stdin: strings.NewReader(zipped(member{"a", "1"}))})
	if diff := cmp.Diff([]string{"-: " + source.ErrUnsupported.Error()}, errs); diff != "" {
		t.Errorf("zip from a pipe (-want +got):\n%s", diff)
	}
}

func TestEachCancelled(t *testing.T) {
	for _, content := range []string{"text", gz("text"), tarball(member{"a", "1"}, member{"b", "2"}), zipped(member{"a", "1"}, member{"b", "2"})} {
		ctx, cancel := context.WithCancel(t.Context())
		visits := 0
		err := write(t, "f", content).Each(ctx, source.Options{}, func(_ source.Input, r io.Reader) error {
			visits++
			cancel()
			_, err := io.Copy(io.Discard, r)
			return err
		})
		inputs, rest := source.Failures(err)
		if visits != 1 || len(inputs) != 0 || !errors.Is(rest, context.Canceled) {
			t.Errorf("%d visits, failures %v, stopped by %v", visits, inputs, rest)
		}
		if err := write(t, "f", content).Each(ctx, source.Options{}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("begun when cancelled: %v", err)
		}
	}
}

func TestEachProgress(t *testing.T) {
	long := strings.Repeat("text", 1<<18)
	for _, content := range []string{"", long, gz(long), tarball(member{"a", long}), zipped(member{"a", long}, member{"b", long})} {
		u := write(t, "f", content)
		var sum int64
		read(t, u, source.Options{Progress: func(n int64) { sum += n }})
		if sum != u.Size {
			t.Errorf("progress of %d bytes, want %d", sum, u.Size)
		}
	}
}

func TestFingerprint(t *testing.T) {
	want := fmt.Sprintf("%x", sha256.Sum256([]byte("text")))
	for _, content := range []string{"text", gz("text"), zipped(member{"a", "text"}), gz(tarball(member{"a", zst("text")}))} {
		for _, hash := range []bool{true, false} {
			err := write(t, "f", content).Each(t.Context(), source.Options{Hash: hash}, func(in source.Input, r io.Reader) error {
				io.ReadFull(r, make([]byte, 2))
				if got := in.Fingerprint(); got != "" {
					t.Errorf("fingerprint %s before the end", got)
				}
				io.Copy(io.Discard, r)
				if got := in.Fingerprint(); hash && got != want || !hash && got != "" {
					t.Errorf("hash %t: fingerprint %q, want %s", hash, got, want)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func TestEachConcurrently(t *testing.T) {
	t.Chdir(t.TempDir())
	content := []string{"text", gz("text"), zst("text"), zipped(member{"a", "text"}), gz(tarball(member{"a", "text"}))}
	for i := range 50 {
		if err := os.WriteFile(fmt.Sprint(i), []byte(content[i%len(content)]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	units, errs := source.Find([]string{"."})
	if len(units) != 50 || errs != nil {
		t.Fatalf("%d units, errors %v", len(units), errs)
	}
	var wg sync.WaitGroup
	var good atomic.Int64
	for _, u := range units {
		wg.Go(func() {
			err := u.Each(t.Context(), source.Options{Hash: true}, func(_ source.Input, r io.Reader) error {
				if b, err := io.ReadAll(r); err == nil && string(b) == "text" {
					good.Add(1)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if good.Load() != 50 {
		t.Errorf("%d of 50 were read", good.Load())
	}
}

// FuzzEach checks that no file, however damaged, makes Each fail badly.
func FuzzEach(f *testing.F) {
	members := []member{{"a", "text"}, {"b.gz", gz("text")}}
	for _, content := range []string{gz("text"), zst("text"), zipped(members...), tarball(members...), gz(tarball(members...))} {
		f.Add([]byte(content))
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(folder, fmt.Sprint(os.Getpid()))
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		err := source.Unit{Path: path}.Each(t.Context(), source.Options{MaxExpanded: 1 << 20, Hash: true}, func(_ source.Input, r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		})
		if _, rest := source.Failures(err); rest != nil {
			t.Fatal(rest)
		}
	})
}
