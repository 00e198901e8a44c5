package decode

import (
	"errors"
	"io"
)

// DefaultMaxLine is how long a line or a JSON value may be unless said
// otherwise, in bytes.
const DefaultMaxLine = 4 << 20

// ErrLong says that a line or a JSON value is longer than allowed. It has been
// discarded, and reading may go on behind it.
var ErrLong = errors.New("too long")

// Lines splits text into lines that end in \n or \r\n. It holds at most about
// twice the longest allowed line in memory. It is not safe for concurrent use.
type Lines struct {
	w      window
	max    int
	number int64
}

// NewLines returns the lines of r. A line of more than max bytes, its ending
// not counted, is not returned; DefaultMaxLine holds where max is not positive.
func NewLines(r io.Reader, max int) *Lines {
	if max <= 0 {
		max = DefaultMaxLine
	}
	return &Lines{w: newWindow(r), max: max}
}

// Next returns the next line without its ending. The line is valid until the
// next call.
//
// The error is io.EOF at the end; a last line without a newline is returned
// before it. It is ErrLong for a line over the limit, and Next may be called
// on. Any other error is the reader's: all complete lines before it have been
// returned, and it is returned again by every further call.
func (l *Lines) Next() ([]byte, error) {
	line, err := l.w.line(l.max)
	if err == nil || errors.Is(err, ErrLong) {
		l.number++
	}
	return line, err
}

// Number returns the number of the line that Next returned last, or of the one
// that was too long, counted from 1.
func (l *Lines) Number() int64 { return l.number }
