package decode

import (
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// An Encoding is how a text input was written, as far as Postern tells
// encodings apart. UTF-8 stands for every other encoding too: bytes that are
// no UTF-8 are handed on, and the decoders replace them.
type Encoding uint8

// The encodings.
const (
	UTF8 Encoding = iota
	UTF16LE
	UTF16BE
)

var encodingNames = [...]string{"UTF-8", "UTF-16 little-endian", "UTF-16 big-endian"}

// String returns the name of e.
func (e Encoding) String() string {
	if int(e) < len(encodingNames) {
		return encodingNames[e]
	}
	return "unknown encoding"
}

// byteOrderMark is U+FEFF in UTF-8.
var byteOrderMark = []byte("\xef\xbb\xbf")

// Text returns the encoding of a text that begins with head: by its byte order
// mark, or else by where the NULs are. UTF-16 has one in every ASCII
// character, and of the telemetry that Postern reads, whatever its language,
// more than half is ASCII. UTF-8 text hardly has any.
func Text(head []byte) Encoding {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return UTF16LE
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return UTF16BE
	}
	var low, high int // characters with a NUL behind, or before, another byte
	for i := 0; i+1 < len(head); i += 2 {
		switch a, b := head[i], head[i+1]; {
		case a != 0 && b == 0:
			low++
		case a == 0 && b != 0:
			high++
		}
	}
	switch units := len(head) / 2; {
	case 2*low > units:
		return UTF16LE
	case 2*high > units:
		return UTF16BE
	}
	return UTF8
}

// NewText returns the text of r, which was written in enc, as UTF-8 without
// byte order mark. What is invalid in UTF-16 becomes U+FFFD. An error of r is
// returned after the text before it.
func NewText(r io.Reader, enc Encoding) io.Reader {
	order := unicode.LittleEndian
	switch enc {
	case UTF8:
		return &unmarked{r: r}
	case UTF16BE:
		order = unicode.BigEndian
	}
	return transform.NewReader(r, unicode.UTF16(order, unicode.UseBOM).NewDecoder())
}

// textHead returns the beginning of a text that begins with raw as UTF-8, at
// most HeadSize bytes.
func textHead(raw []byte, enc Encoding) []byte {
	if enc == UTF8 {
		return bytes.TrimPrefix(raw, byteOrderMark)
	}
	raw = raw[:len(raw)&^1] // half a character is not an invalid one
	head := make([]byte, HeadSize)
	n, _ := io.ReadFull(NewText(bytes.NewReader(raw), enc), head)
	return head[:n]
}

// An unmarked reader drops the byte order mark of UTF-8.
type unmarked struct {
	r       io.Reader
	started bool
}

// Read implements [io.Reader].
func (u *unmarked) Read(p []byte) (int, error) {
	if !u.started {
		u.started = true
		head, err := readHead(u.r, len(byteOrderMark))
		u.r = resume(bytes.TrimPrefix(head, byteOrderMark), u.r, err)
	}
	return u.r.Read(p)
}

// readHead reads n bytes of r, or fewer and the error that came then.
func readHead(r io.Reader, n int) ([]byte, error) {
	head := make([]byte, 0, n)
	for empty := 0; len(head) < n; {
		m, err := r.Read(head[len(head):n])
		head = head[:len(head)+m]
		if err != nil {
			return head, err
		}
		if m > 0 {
			empty = 0
		} else if empty++; empty == maxEmptyReads {
			return head, io.ErrNoProgress
		}
	}
	return head, nil
}

// resume returns a reader of head, which has been read of r already, and of
// what follows: the rest of r, or the error that r gave.
func resume(head []byte, r io.Reader, err error) io.Reader {
	if err != nil {
		r = failed{err}
	}
	return io.MultiReader(bytes.NewReader(head), r)
}

// failed is a reader that has come to an error.
type failed struct{ err error }

// Read implements [io.Reader].
func (f failed) Read([]byte) (int, error) { return 0, f.err }
