// Package gateway holds what the logs of proxies and firewalls have in common:
// lines that are a record each, the values in them, and the events they make.
package gateway

import (
	"errors"
	"fmt"
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// A Verdict says what became of a record. Events were made of it where the
// verdict is zero.
type Verdict struct {
	Ignored string // understood, and of no use here: what it is
	Skipped string // could not be read: why
	Layout  bool   // it is no record, but tells how to read those behind it
}

// Done is the verdict on a record that gave its event.
var Done Verdict

// Ignore is the verdict on a record that is of no use here.
func Ignore(what string) Verdict { return Verdict{Ignored: what} }

// Skip is the verdict on a record that could not be read.
func Skip(why string) Verdict { return Verdict{Skipped: why} }

// The bounds of a Decoder.
const (
	batchLines = 4096    // lines that one Decode reads
	maxLine    = 1 << 20 // bytes; syslog has less, and no log more
)

// A Decoder makes events of lines.
type Decoder struct {
	lines  *decode.Lines
	tally  *decode.Tally
	clock  string
	record func(line []byte, b *event.Batch) Verdict
}

var _ decode.Decoder = (*Decoder)(nil)

// NewDecoder returns a decoder of the lines of r. It calls record for each that
// is not blank, which appends the events of the line to the batch, or none. A
// line is valid until record returns. The clock is what the tally calls that of
// the events.
func NewDecoder(r io.Reader, t *decode.Tally, clock string, record func(line []byte, b *event.Batch) Verdict) *Decoder {
	return &Decoder{lines: decode.NewLines(r, maxLine), tally: t, clock: clock, record: record}
}

// Decode implements [decode.Decoder].
func (d *Decoder) Decode(b *event.Batch) error {
	before := b.Len()
	defer func() {
		if n := int64(b.Len() - before); n > 0 {
			d.tally.Events += n
			d.tally.Clock(d.clock, n)
		}
	}()
	for range batchLines {
		line, err := d.lines.Next()
		switch {
		case errors.Is(err, decode.ErrLong):
			d.tally.Records++
			d.tally.SkipLine(d.lines.Number(), "line too long")
		case err == io.EOF:
			return err
		case err != nil:
			return fmt.Errorf("read on after line %d: %w", d.lines.Number(), err)
		case len(line) > 0:
			d.take(d.record(line, b))
		}
	}
	return nil
}

// take accounts for a record.
func (d *Decoder) take(v Verdict) {
	if v.Layout {
		return
	}
	d.tally.Records++
	switch {
	case v.Skipped != "":
		d.tally.SkipLine(d.lines.Number(), v.Skipped)
	case v.Ignored != "":
		d.tally.Ignore(v.Ignored)
	}
}
