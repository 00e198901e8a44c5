package decodetest

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// Decode decodes text to the end, and checks that every record is accounted
// for.
func Decode(t *testing.T, f *decode.Format, text string) (*event.Batch, *decode.Tally) {
	t.Helper()
	o := decodeAll(f, strings.NewReader(text))
	o.sane(t, f.Binary)
	if o.err != io.EOF {
		t.Fatalf("decoding: %v", o.err)
	}
	return &o.batch, &o.tally
}

// Bench measures how fast a format reads a log that gives so many events.
func Bench(b *testing.B, f *decode.Format, log []byte, events int64) {
	b.ReportAllocs()
	b.SetBytes(int64(len(log)))
	batch := new(event.Batch)
	for b.Loop() {
		var tally decode.Tally
		d := f.Open(bytes.NewReader(log), &tally)
		var err error
		for err == nil {
			batch.Reset()
			err = d.Decode(batch)
		}
		if err != io.EOF || tally.Events != events {
			b.Fatalf("%v, %+v", err, tally)
		}
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
