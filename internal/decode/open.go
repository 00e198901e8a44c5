package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrEmpty says that the input holds nothing, or only white space.
var ErrEmpty = errors.New("empty input")

// Open finds the format of r by its content, or takes force when that is not
// nil, and opens the format's decoder. Formats of text are handed UTF-8
// whatever r was written in; t then says what that was.
//
// The error is ErrEmpty, ErrUnknown or ErrAmbiguous, or that of r when it can
// not be read far enough to tell. Open reads up to HeadSize bytes ahead and
// does not close r.
func Open(formats []*Format, force *Format, r io.Reader, t *Tally) (*Format, Decoder, error) {
	raw, readErr := readHead(r, HeadSize)
	enc := Text(raw)
	text := textHead(raw, enc)
	if readErr != nil && len(bytes.TrimSpace(text)) == 0 {
		if readErr == io.EOF {
			return nil, nil, ErrEmpty
		}
		return nil, nil, fmt.Errorf("reading the beginning: %w", readErr)
	}
	f := force
	if f == nil {
		var err error
		if f, err = Detect(formats, raw, text); err != nil {
			return nil, nil, undetected(err, len(raw), readErr)
		}
	}
	r = resume(raw, r, readErr)
	if f.Binary {
		return f, f.Open(r, t), nil
	}
	if enc != UTF8 {
		t.Warn("the text is " + enc.String() + ", not UTF-8")
	}
	return f, f.Open(NewText(r, enc), t), nil
}

// undetected adds to err that the beginning of the input, n bytes, was all
// there was to go by.
func undetected(err error, n int, readErr error) error {
	if readErr == nil || readErr == io.EOF {
		return err
	}
	return fmt.Errorf("%w in the first %d bytes: %w", err, n, readErr)
}
