package zeek

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// maxRecord bounds a line or an object. Zeek's longest, of http.log, stay
// well below.
const maxRecord = 1 << 20

// maxStray is how many lines may stand above the header: an input that was
// cut out of a larger one begins in the middle of a line.
const maxStray = 1

// matchTSV accepts a header that names columns, and either names the log or
// declares columns that tell it.
func matchTSV(head []byte) bool {
	h := newHeader()
	stray := 0
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case len(line) == 0:
		case line[0] == '#':
			h.line(line)
		case h.bad == "":
			return h.isZeek()
		default:
			if stray++; stray > maxStray {
				return false
			}
		}
	}
	return h.isZeek()
}

// isZeek reports whether h is the header of a Zeek log.
func (h *header) isZeek() bool {
	return h.bad == "" && (isLogName(h.path) || infer(h.has()) != otherLog)
}

// A tsv decodes tab-separated logs.
type tsv struct {
	recorder
	lines  *decode.Lines
	header header
	row    row
}

var _ decode.Decoder = (*tsv)(nil)

func newTSV(r io.Reader, t *decode.Tally) *tsv {
	return &tsv{recorder: newRecorder(t), lines: decode.NewLines(r, maxRecord), header: newHeader()}
}

// Decode implements [decode.Decoder].
func (d *tsv) Decode(b *event.Batch) error {
	events := 0
	defer func() { d.account(events) }()
	for n := 0; n < batchRows && events < batchEvents; n++ {
		line, err := d.lines.Next()
		switch {
		case errors.Is(err, decode.ErrLong):
			d.tally.Records++
			d.tally.SkipLine(d.lines.Number(), "line too long")
		case err != nil:
			d.close()
			return readError(err, d.lines.Number())
		case len(line) == 0:
		case line[0] == '#':
			d.header.line(line)
		case d.take(line, b):
			events++
		}
	}
	return nil
}

// readError says how far the input could be read.
func readError(err error, lines int64) error {
	if err == io.EOF {
		return err
	}
	return fmt.Errorf("read on after line %d: %w", lines, err)
}

// take makes an event of a row, and reports whether it has.
func (d *tsv) take(line []byte, b *event.Batch) bool {
	d.tally.Records++
	if d.header.bad != "" {
		d.tally.SkipLine(d.lines.Number(), d.header.bad)
		return false
	}
	if !d.header.ready {
		d.header.resolve()
		d.row = row{set: d.header.set}
	}
	if d.header.log == otherLog {
		d.tally.Ignore(d.labels.of(d.header.path))
		return false
	}
	if reason := d.header.split(line, &d.row); reason != "" {
		d.tally.SkipLine(d.lines.Number(), reason)
		return false
	}
	return d.made(d.record(d.header.log, &d.row, b), d.lines.Number())
}
