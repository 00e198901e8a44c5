package simulate_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/winlog"
	"github.com/postern/postern/internal/decode/zeek"
	"github.com/postern/postern/internal/event"
)

// TestDecodersReadTheOffice holds the logs and the decoders against each
// other: nothing may be skipped, and no input may be of two formats.
func TestDecodersReadTheOffice(t *testing.T) {
	formats := append(zeek.Formats(), winlog.Formats()...)
	dir, _ := example(t)
	paths := append(glob(t, dir, "zeek", "*", "*.log.gz"), glob(t, dir, "endpoint", "*.jsonl.gz")...)
	var all event.Batch
	for _, path := range paths {
		var tally decode.Tally
		_, d, err := decode.Open(formats, nil, bytes.NewReader(read(t, path)), &tally)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for err == nil {
			err = d.Decode(&all)
		}
		if !errors.Is(err, io.EOF) {
			t.Fatalf("%s: %v", path, err)
		}
		if tally.SkippedTotal() > 0 || tally.Events == 0 {
			t.Errorf("%s: %d events, skipped %v at %v", path, tally.Events, tally.Skipped, tally.Positions)
		}
	}
	unknown, outbound := 0, 0
	for _, f := range all.Flows {
		if !f.BytesOut.Known() {
			unknown++
		}
	}
	for _, c := range all.Connects {
		if c.Outbound {
			outbound++
		}
	}
	if unknown == 0 || outbound == 0 || len(all.Starts) == 0 || len(all.Stops) == 0 ||
		len(all.Lookups) == 0 || len(all.Handshakes) == 0 || len(all.Certificates) == 0 {
		t.Errorf("%d flows of unknown volume, %d outbound connects, %d starts, %d stops, %d lookups, %d handshakes, %d certificates: want some of each",
			unknown, outbound, len(all.Starts), len(all.Stops), len(all.Lookups), len(all.Handshakes), len(all.Certificates))
	}
}
