package simulate_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/simulate"
)

func TestOfficeIsMadeByItsSeed(t *testing.T) {
	dir, _ := example(t)
	again, other := t.TempDir(), t.TempDir()
	for seed, to := range map[uint64]string{exampleSeed: again, exampleSeed + 1: other} {
		if _, err := simulate.Office(to, seed); err != nil {
			t.Fatal(err)
		}
	}
	if raw(t, dir) != raw(t, again) {
		t.Error("equal seeds gave different bytes")
	}
	first := digest(t, dir)
	for name, sum := range digest(t, other) {
		if first[name] == sum {
			t.Errorf("another seed gave the same %s", name)
		}
	}
}

func TestCommittedExampleIsWhatIsMade(t *testing.T) {
	const committed, limit = "../../examples/office", 3_000_000
	want := digest(t, committed)
	delete(want, "README.md")
	dir, _ := example(t)
	if diff := cmp.Diff(want, digest(t, dir)); diff != "" {
		t.Errorf("run make example (-committed +made):\n%s", diff)
	}
	var size int64
	for _, name := range files(t, committed) {
		info, err := os.Stat(filepath.Join(committed, name))
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size >= limit {
		t.Errorf("the example has %d bytes, want fewer than %d", size, limit)
	}
}

func TestOfficeZeekLogsHangTogether(t *testing.T) {
	dir, _ := example(t)
	flows := make(map[string]row)
	older, midnight, blind := 0, 0, 0
	begin := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	for _, path := range glob(t, dir, "zeek", "*", "conn.log.gz") {
		opened := filepath.Base(filepath.Dir(path))
		for _, r := range rows(t, path) {
			if flows[r["uid"]] != nil {
				t.Errorf("uid %s comes twice", r["uid"])
			}
			flows[r["uid"]] = r
			at := r.time(t)
			switch {
			case at.Before(begin):
				older++
			case at.Format(time.DateOnly) != opened:
				midnight++
			}
			if r["conn_state"] == "SHR" && r["orig_bytes"] == "0" {
				blind++
			}
			checkPackets(t, r)
		}
	}
	if older == 0 || midnight == 0 || blind == 0 {
		t.Errorf("%d flows older than the log, %d over midnight, %d blind: want some of each", older, midnight, blind)
	}
	known := certificates(t, dir)
	for _, log := range []string{"ssl", "dns"} {
		for _, path := range glob(t, dir, "zeek", "*", log+".log.gz") {
			for _, r := range rows(t, path) {
				f := flows[r["uid"]]
				if f == nil || f["id.orig_p"] != r["id.orig_p"] || f["id.resp_h"] != r["id.resp_h"] || !strings.Contains(f["service"], log) {
					t.Fatalf("%s row %v belongs to flow %v", log, r, f)
				}
				if fps := r["cert_chain_fps"]; log == "ssl" && fps != "-" && !known[strings.Split(fps, ",")[0]] {
					t.Errorf("no certificate %s", fps)
				}
			}
		}
	}
}

// checkPackets fails for a flow whose counts cannot be true.
func checkPackets(t *testing.T, r row) {
	t.Helper()
	for _, side := range []string{"orig", "resp"} {
		payload, pkts, ip := number(t, r[side+"_bytes"]), number(t, r[side+"_pkts"]), number(t, r[side+"_ip_bytes"])
		header := int64(20)
		if r["proto"] == "udp" {
			header = 28
		}
		if ip < payload+header*pkts || payload > 1500*pkts {
			t.Errorf("%s: %d bytes in %d packets of %d bytes: %v", side, payload, pkts, ip, r)
		}
	}
}

func certificates(t *testing.T, dir string) map[string]bool {
	t.Helper()
	known := make(map[string]bool)
	for _, path := range glob(t, dir, "zeek", "*", "x509.log.gz") {
		for _, r := range rows(t, path) {
			known[r["fingerprint"]] = true
		}
	}
	return known
}

func TestOfficeRecordsAreInOrder(t *testing.T) {
	dir, _ := example(t)
	for _, path := range glob(t, dir, "endpoint", "*.jsonl.gz") {
		var last time.Time
		numbers := make(map[string]int64)
		kinds := make(map[int64]int)
		lines(t, path, func(line string) {
			r := parse(t, line)
			if want := strings.TrimSuffix(filepath.Base(path), ".jsonl.gz"); r.computer != want {
				t.Fatalf("%s: a record of %s", path, r.computer)
			}
			if r.time.Before(last) || r.number <= numbers[r.channel] {
				t.Fatalf("%s: record %d at %v after %d at %v", path, r.number, r.time, numbers[r.channel], last)
			}
			last, numbers[r.channel] = r.time, r.number
			kinds[r.id]++
		})
		if kinds[3]+kinds[5156] == 0 {
			t.Errorf("%s: no connects: %v", path, kinds)
		}
	}
}

// TestOfficeConnectsMatchFlows holds the logs against what the scenario
// promises: three in a hundred records lost, one in a hundred flows.
func TestOfficeConnectsMatchFlows(t *testing.T) {
	dir, _ := example(t)
	flows := make(map[tuple][]time.Time)
	for _, path := range glob(t, dir, "zeek", "*", "conn.log.gz") {
		for _, r := range rows(t, path) {
			if r["service"] != "dns" {
				flows[r.ends(t)] = append(flows[r.ends(t)], r.time(t))
			}
		}
	}
	offsets := map[string]time.Duration{"WS-016.corp.example": -47 * time.Second}
	matched, connects := 0, 0
	owned := make(map[tuple]bool)
	for _, path := range glob(t, dir, "endpoint", "*.jsonl.gz") {
		lines(t, path, func(line string) {
			r := parse(t, line)
			ends, ok := r.connect(t)
			if !ok {
				return
			}
			connects++
			owned[ends] = true
			at := r.time.Add(-offsets[r.computer])
			if slices.ContainsFunc(flows[ends], func(f time.Time) bool { return at.Sub(f).Abs() < 20*time.Second }) {
				matched++
			}
		})
	}
	if share := float64(matched) / float64(connects); share < 0.98 || share > 0.999 {
		t.Errorf("%d of %d connects match a flow: %.3f, want 0.99", matched, connects, share)
	}
	unowned := 0
	for ends := range flows {
		if !owned[ends] {
			unowned++
		}
	}
	if share := float64(unowned) / float64(len(flows)); share < 0.02 || share > 0.06 {
		t.Errorf("%d of %d flows have no connect: %.3f, want a little over 0.03", unowned, len(flows), share)
	}
}

func TestTruthIsInTheLogs(t *testing.T) {
	dir, truth := example(t)
	addrs := map[string]string{"WS-014.corp.example": "10.20.1.14", "WS-012.corp.example": "10.20.1.12"}
	kinds := make(map[string]bool)
	for _, deed := range truth.Hidden {
		kinds[deed.Kind] = true
		got := deed
		got.First, got.Last, got.Sessions, got.Bytes = "", "", 0, 0
		uids := make(map[string]bool)
		for _, path := range glob(t, dir, "zeek", "*", "ssl.log.gz") {
			for _, r := range rows(t, path) {
				if name := r["server_name"]; name == deed.Destination || strings.HasSuffix(name, "."+deed.Destination) {
					uids[r["uid"]] = true
					if r["id.orig_h"] != addrs[deed.Host] {
						t.Errorf("%s is used by %s too", deed.Destination, r["id.orig_h"])
					}
				}
			}
		}
		for _, path := range glob(t, dir, "zeek", "*", "conn.log.gz") {
			for _, r := range rows(t, path) {
				if !uids[r["uid"]] {
					continue
				}
				at := r.time(t).Format("2006-01-02T15:04:05.000000Z")
				if got.First == "" || at < got.First {
					got.First = at
				}
				got.Last = max(got.Last, at)
				got.Sessions++
				got.Bytes += number(t, r["orig_bytes"])
			}
		}
		if diff := cmp.Diff(deed, got); diff != "" {
			t.Errorf("%s (-truth +logs):\n%s", deed.Kind, diff)
		}
		if n := imageRecords(t, dir, deed); n < deed.Sessions*9/10 {
			t.Errorf("%s: %d records name %s, want about %d", deed.Kind, n, deed.Image, deed.Sessions)
		}
	}
	if !kinds["beacon"] || !kinds["exfiltration"] {
		t.Errorf("hidden are only %v", kinds)
	}
}

// imageRecords counts the records of Sysmon connects that name a deed's image.
func imageRecords(t *testing.T, dir string, deed simulate.Deed) int {
	t.Helper()
	n := 0
	lines(t, filepath.Join(dir, "endpoint", deed.Host+".jsonl.gz"), func(line string) {
		if r := parse(t, line); r.id == 3 && r.data["Image"] == deed.Image && r.data["User"] == deed.User {
			n++
		}
	})
	return n
}
