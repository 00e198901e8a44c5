package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// freeBytes may come out of compression before its ratio is looked at.
const freeBytes = 64 << 20

// maxEmptyReads is how often in a row a reader may deliver nothing.
const maxEmptyReads = 100

// A meter is the account of one unit: what was read of it, and how much came
// out. Inside a zip archive the same bytes may be read for several members, so
// no more is counted than the unit has.
type meter struct {
	size     int64 // of the unit, -1 when unknown
	in, out  int64
	progress func(n int64)
	maxRatio int64
	maxOut   int64 // of one input
}

func (m *meter) read(n int) {
	more := int64(n)
	if m.size >= 0 {
		more = min(more, m.size-m.in)
	}
	if more <= 0 {
		return
	}
	m.in += more
	if m.progress != nil {
		m.progress(more)
	}
}

// expanded counts n more bytes out of an input that had total before, and
// returns an error when they are too many.
func (m *meter) expanded(n, total int64) error {
	m.out += n
	if total > m.maxOut {
		return fmt.Errorf("%w: over %d bytes", ErrTooBig, m.maxOut)
	}
	if m.bomb() {
		return fmt.Errorf("%w: over %d bytes for each one packed", ErrTooBig, m.maxRatio)
	}
	return nil
}

// bomb reports whether the unit expands too much as a whole.
func (m *meter) bomb() bool { return m.out > freeBytes && m.out/m.maxRatio > m.in }

// A raw reader reads the unit itself.
type raw struct {
	ctx   context.Context
	r     io.Reader
	at    io.ReaderAt // nil when the unit is no regular file
	meter *meter
}

// Read implements [io.Reader].
func (r *raw) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	r.meter.read(n)
	return n, cause(err)
}

// ReadAt implements [io.ReaderAt].
func (r *raw) ReadAt(p []byte, off int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.at.ReadAt(p, off)
	r.meter.read(n)
	return n, cause(err)
}

// An expanding reader bounds what comes out of compression, and says in its
// errors what that is.
type expanding struct {
	r     io.Reader
	what  string
	meter *meter
	below *tracked // when not nil: what it delivers has been counted
	total int64
	err   error
}

// Read implements [io.Reader].
func (e *expanding) Read(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	counted := e.counted()
	n, err := e.r.Read(p)
	e.total += int64(n)
	fresh := max(0, int64(n)-(e.counted()-counted))
	e.err = err
	if err != nil && err != io.EOF {
		e.err = fmt.Errorf("%s: %w", e.what, err)
	}
	if err := e.meter.expanded(fresh, e.total); err != nil {
		e.err = err
	}
	return n, e.err
}

// counted returns how much of what is read of e was counted below it.
func (e *expanding) counted() int64 {
	if e.below == nil {
		return 0
	}
	return e.below.offset
}

// A tracked reader knows how far it got and keeps the error that ended it,
// with the place.
type tracked struct {
	r      io.Reader
	offset int64
	err    error // a *ReadError, io.EOF or nil
	digest *digest
}

// Read implements [io.Reader].
func (t *tracked) Read(p []byte) (int, error) {
	if t.err != nil {
		return 0, t.err
	}
	n, err := t.r.Read(p)
	t.offset += int64(n)
	t.digest.write(p[:n])
	switch {
	case err == io.EOF:
		t.err = io.EOF
		t.digest.end()
	case err != nil:
		// The offset in what lies deeper tells a person nothing.
		if deeper, ok := errors.AsType[*ReadError](err); ok {
			err = deeper.Err
		}
		t.err = &ReadError{Offset: t.offset, Err: err}
	}
	return n, t.err
}

// failed returns the error that ended reading before the end, or nil.
func (t *tracked) failed() error {
	if t.err == io.EOF {
		return nil
	}
	return t.err
}

// A digest makes the fingerprint of what is written to it. A nil digest makes
// none.
type digest struct {
	hash hash.Hash
	sum  []byte // at the end
}

func newDigest(wanted bool) *digest {
	if !wanted {
		return nil
	}
	return &digest{hash: sha256.New()}
}

func (d *digest) write(p []byte) {
	if d != nil {
		d.hash.Write(p)
	}
}

func (d *digest) end() {
	if d != nil {
		d.sum = d.hash.Sum(nil)
	}
}

func (d *digest) hex() string {
	if d == nil {
		return ""
	}
	return hex.EncodeToString(d.sum)
}

// peek returns the first bytes of r, at most headSize, and a reader of all of
// r. An error of r is left to that reader.
func peek(r io.Reader) ([]byte, io.Reader) {
	head := make([]byte, 0, headSize)
	for empty := 0; len(head) < headSize; {
		n, err := r.Read(head[len(head):headSize])
		head = head[:len(head)+n]
		if n > 0 {
			empty = 0
		} else if empty++; err == nil && empty == maxEmptyReads {
			err = io.ErrNoProgress
		}
		if err != nil {
			r = failed{err}
			break
		}
	}
	return head, io.MultiReader(bytes.NewReader(head), r)
}

// failed is a reader that has come to an error, or to the end.
type failed struct{ err error }

// Read implements [io.Reader].
func (f failed) Read([]byte) (int, error) { return 0, f.err }
