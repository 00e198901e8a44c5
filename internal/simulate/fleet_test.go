package simulate_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/winlog"
	"github.com/postern/postern/internal/decode/zeek"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/simulate"
	"github.com/postern/postern/internal/simulate/fleet"
)

var smallFleet = fleet.Config{Seed: 1, Hosts: 10, Days: 5, Deeds: 8}

// decodeAll decodes all that a scenario wrote, and fails for what is skipped.
func decodeAll(t *testing.T, dir string) *event.Batch {
	t.Helper()
	formats := append(zeek.Formats(), winlog.Formats()...)
	all := new(event.Batch)
	for _, path := range append(glob(t, dir, "zeek", "*", "*.log.gz"), glob(t, dir, "endpoint", "*.jsonl.gz")...) {
		var tally decode.Tally
		_, d, err := decode.Open(formats, nil, bytes.NewReader(read(t, path)), &tally)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for err == nil {
			err = d.Decode(all)
		}
		if !errors.Is(err, io.EOF) {
			t.Fatalf("%s: %v", path, err)
		}
		if tally.SkippedTotal() > 0 || tally.Events == 0 {
			t.Errorf("%s: %d events, skipped %v at %v", path, tally.Events, tally.Skipped, tally.Positions)
		}
	}
	return all
}

// TestFleetHidesWhatItsTruthSays reads the logs with the decoders and finds
// each deed by what a good join would use: the tuple of a connect that names
// the program, and the server's name.
func TestFleetHidesWhatItsTruthSays(t *testing.T) {
	dir := t.TempDir()
	truth, err := simulate.Fleet(dir, smallFleet)
	if err != nil {
		t.Fatal(err)
	}
	var written fleet.Truth
	if err := json.Unmarshal(read(t, filepath.Join(dir, "truth.json")), &written); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(truth.Deeds[0].Names, written.Deeds[0].Names); diff != "" || len(written.Deeds) != smallFleet.Deeds {
		t.Errorf("truth.json has %d deeds; %s", len(written.Deeds), diff)
	}
	all := decodeAll(t, dir)
	type ends struct{ src, dst netip.AddrPort }
	owner := make(map[ends]*event.Connect)
	for i := range all.Connects {
		if c := &all.Connects[i]; c.Outbound && c.Image != "" {
			owner[ends{c.Src, c.Dst}] = c
		}
	}
	names := make(map[string]string) // by UID
	for i := range all.Handshakes {
		names[all.Handshakes[i].UID] = all.Handshakes[i].SNI
	}
	for _, d := range truth.Deeds {
		sessions, bytes := 0, int64(0)
		for i := range all.Flows {
			fl := &all.Flows[i]
			c := owner[ends{fl.Src, fl.Dst}]
			if c == nil || program.Template(c.Image) != d.Program || !slices.Contains(d.Hosts, c.Host) || !slices.Contains(d.Names, names[fl.UID]) {
				continue
			}
			sessions++
			bytes = fl.BytesOut.AddTo(bytes)
		}
		// Some connects, and the names of some handshakes, are lost on the way.
		if sessions > d.Sessions || 10*sessions < 9*d.Sessions-10 || d.Sessions == 0 || bytes == 0 || bytes > d.Bytes {
			t.Errorf("%s of %v: %d sessions and %d bytes in the logs, %d and %d in the truth", d.Kind, d.Hosts, sessions, bytes, d.Sessions, d.Bytes)
		}
	}
	checkFleetLogs(t, all)
}

// checkFleetLogs holds the endpoints' events against each other.
func checkFleetLogs(t *testing.T, all *event.Batch) {
	t.Helper()
	hosts := make(map[string]bool)
	started := make(map[string]bool)
	for i := range all.Starts {
		hosts[all.Starts[i].Host] = true
		started[all.Starts[i].GUID] = true
	}
	if len(hosts) != smallFleet.Hosts {
		t.Errorf("%d hosts start processes, want %d: %v", len(hosts), smallFleet.Hosts, slices.Sorted(maps.Keys(hosts)))
	}
	sources, strangers, known := make(map[event.Source]int), 0, 0
	for i := range all.Connects {
		c := &all.Connects[i]
		sources[c.Source]++
		if c.GUID == "" || c.Image == "" {
			continue
		}
		known++
		if !started[c.GUID] {
			strangers++
		}
	}
	if sources[event.Sysmon] == 0 || sources[event.Security] == 0 || len(all.Lookups) == 0 || len(all.Stops) == 0 {
		t.Errorf("connects by source %v, %d lookups, %d stops: want some of each", sources, len(all.Lookups), len(all.Stops))
	}
	if strangers > known/20 {
		t.Errorf("%d of %d connects are of processes that never started", strangers, known)
	}
	first := event.At(fleet.Epoch)
	last := first.Add(time.Duration(smallFleet.Days) * 24 * time.Hour)
	for i := range all.Flows {
		if f := &all.Flows[i]; f.Time < first || f.Time > last {
			t.Fatalf("a flow at %s", f.Time.Std())
		}
	}
}

func TestEqualFleetsGiveEqualBytes(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	c := smallFleet
	c.Hosts, c.Days = 4, 4
	for _, dir := range []string{a, b} {
		if _, err := simulate.Fleet(dir, c); err != nil {
			t.Fatal(err)
		}
	}
	if raw(t, a) != raw(t, b) {
		t.Error("two fleets of one configuration differ")
	}
}

// TestManyHostsShareFiles: each host's events are in one file, and no file is
// lost.
func TestManyHostsShareFiles(t *testing.T) {
	dir := t.TempDir()
	if _, err := simulate.Fleet(dir, fleet.Config{Seed: 1, Hosts: 40, Days: 4, Deeds: -1}); err != nil {
		t.Fatal(err)
	}
	hosts := make(map[string]string)
	for _, path := range glob(t, dir, "endpoint", "*.jsonl.gz") {
		lines(t, path, func(line string) {
			_, rest, _ := strings.Cut(line, `"computer_name":"`)
			name, _, _ := strings.Cut(rest, `"`)
			if hosts[name] != "" && hosts[name] != path {
				t.Fatalf("%s is in %s and %s", name, hosts[name], path)
			}
			hosts[name] = path
		})
	}
	if len(hosts) != 40 {
		t.Errorf("%d hosts", len(hosts))
	}
}

func TestFleetTooLarge(t *testing.T) {
	if _, err := simulate.Fleet(t.TempDir(), fleet.Config{Hosts: 501}); err == nil {
		t.Error("no error")
	}
}
