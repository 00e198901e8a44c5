package squid

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// batchLines bounds what one Decode does.
const batchLines = 4096

// maxLine bounds a line. Squid takes 64 KiB of headers each way, which
// log_mime_hdrs may triple by escapes.
const maxLine = 1 << 20

// detect returns the layout of the first line in head that is of any, or nil.
func detect(head []byte) *layout {
	n := 0
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			continue
		}
		for _, l := range layouts() {
			if _, ok := l.parse(line); ok {
				return l
			}
		}
		if n++; n == maxHeadLines {
			break
		}
	}
	return nil
}

// A decoder decodes lines of one layout.
type decoder struct {
	layout *layout
	lines  *decode.Lines
	tally  *decode.Tally
}

var _ decode.Decoder = (*decoder)(nil)

func newDecoder(l *layout, r io.Reader, t *decode.Tally) *decoder {
	return &decoder{layout: l, lines: decode.NewLines(r, maxLine), tally: t}
}

// Decode implements [decode.Decoder].
func (d *decoder) Decode(b *event.Batch) error {
	before := len(b.Requests)
	defer func() { d.account(len(b.Requests) - before) }()
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
			d.take(line, b)
		}
	}
	return nil
}

// take makes an event of a line, where it gives one.
func (d *decoder) take(line []byte, b *event.Batch) {
	d.tally.Records++
	e, ok := d.layout.parse(line)
	if !ok {
		d.tally.SkipLine(d.lines.Number(), "not a line of the format "+d.layout.name)
		return
	}
	switch request, v := e.request(); {
	case v.skipped != "":
		d.tally.SkipLine(d.lines.Number(), v.skipped)
	case v.ignored != "":
		d.tally.Ignore(v.ignored)
	default:
		b.Requests = append(b.Requests, request)
	}
}

// account counts events that a Decode has made.
func (d *decoder) account(events int) {
	if events == 0 {
		return
	}
	d.tally.Events += int64(events)
	d.tally.Clock(d.layout.clock, int64(events))
	if d.layout.warning != "" {
		d.tally.Warn(d.layout.warning)
	}
}
