package decode

import (
	"bytes"
	"io"
)

// windowSize is what a window reads at once, in bytes.
const windowSize = 256 << 10

// maxEmptyReads is how often in a row a reader may deliver nothing.
const maxEmptyReads = 100

// A window is the stretch of a reader that a splitter looks at. It grows to
// the longest piece asked of it, and remembers where it has looked for a
// newline already, so that no reader, however it cuts its bytes, makes the
// search quadratic.
type window struct {
	r        io.Reader
	buf      []byte
	off, end int   // the unread bytes are buf[off:end]
	newline  int   // position of the first newline from where eol looked last, or -1
	searched int   // no newline in the unread bytes before here, apart from that one
	err      error // of r, for good
}

func newWindow(r io.Reader) window { return window{r: r, newline: -1} }

// unread returns what has been read and not been consumed. It is valid until
// the next fill.
func (w *window) unread() []byte { return w.buf[w.off:w.end] }

// skip consumes n unread bytes.
func (w *window) skip(n int) { w.off += n }

// eol returns the index in the unread bytes of the first newline at or after
// from, or -1. From one call to the next it must not go back.
func (w *window) eol(from int) int {
	from += w.off
	if from <= w.newline {
		return w.newline - w.off
	}
	from = max(from, w.searched)
	i := bytes.IndexByte(w.buf[from:w.end], '\n')
	if i < 0 {
		w.newline, w.searched = -1, w.end
		return -1
	}
	w.newline, w.searched = from+i, from+i+1
	return w.newline - w.off
}

// fill reads more behind the unread bytes. It returns false when there is no
// more, and w.err then says why.
func (w *window) fill() bool {
	if w.err != nil {
		return false
	}
	w.room()
	for range maxEmptyReads {
		n, err := w.r.Read(w.buf[w.end:])
		w.end += n
		w.err = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	w.err = io.ErrNoProgress
	return false
}

// room makes space to read into: by moving the unread bytes to the front, or
// by doubling the buffer when they fill it.
func (w *window) room() {
	if w.end < len(w.buf) {
		return
	}
	dst := w.buf
	if w.off == 0 {
		dst = make([]byte, max(windowSize, 2*len(w.buf)))
	}
	copy(dst, w.unread())
	w.buf = dst
	w.newline = max(w.newline-w.off, -1)
	w.searched = max(w.searched-w.off, 0)
	w.end -= w.off
	w.off = 0
}

// line consumes a line of at most limit bytes and returns it without its
// ending. See [Lines.Next] for the errors.
func (w *window) line(limit int) ([]byte, error) {
	for {
		b := w.unread()
		if i := w.eol(0); i >= 0 {
			w.skip(i + 1)
			return within(trimReturn(b[:i]), limit)
		}
		if len(b)-1 > limit { // more than the limit and a \r
			w.skipLine()
			return nil, ErrLong
		}
		if w.fill() {
			continue
		}
		if w.err == io.EOF && len(b) > 0 {
			w.skip(len(b))
			return within(trimReturn(b), limit)
		}
		return nil, w.err
	}
}

// skipLine consumes the rest of a line without keeping it.
func (w *window) skipLine() {
	for {
		if i := w.eol(0); i >= 0 {
			w.skip(i + 1)
			return
		}
		w.skip(len(w.unread()))
		if !w.fill() {
			return
		}
	}
}

// peek returns the n bytes after the first from unread ones, or fewer where
// the reader ends.
func (w *window) peek(from, n int) []byte {
	for len(w.unread()) < from+n && w.fill() {
	}
	b := w.unread()[from:]
	return b[:min(n, len(b))]
}

func trimReturn(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

func within(b []byte, limit int) ([]byte, error) {
	if len(b) > limit {
		return nil, ErrLong
	}
	return b, nil
}
