package simulate_test

import (
	"path/filepath"
	"testing"

	"github.com/postern/postern/internal/simulate"
)

func TestBenchHasItsProportions(t *testing.T) {
	const n = 20_000
	dir, again := t.TempDir(), t.TempDir()
	for _, to := range []string{dir, again} {
		if err := simulate.Bench(to, n, 3); err != nil {
			t.Fatal(err)
		}
	}
	if raw(t, dir) != raw(t, again) {
		t.Error("equal seeds gave different bytes")
	}
	flows := make(map[tuple]bool)
	uids := make(map[string]bool)
	for _, r := range rows(t, filepath.Join(dir, "conn.log")) {
		flows[r.ends(t)] = true
		uids[r["uid"]] = true
	}
	names := make(map[string]int)
	hands := rows(t, filepath.Join(dir, "ssl.log"))
	for _, r := range hands {
		if !uids[r["uid"]] {
			t.Fatalf("the handshake %v has no flow", r)
		}
		names[r["server_name"]]++
	}
	kinds := make(map[int64]int)
	hosts := make(map[string]bool)
	matched, size := 0, 0
	lines(t, filepath.Join(dir, "sysmon.jsonl"), func(line string) {
		r := parse(t, line)
		kinds[r.id]++
		hosts[r.computer] = true
		if ends, ok := r.connect(t); ok {
			size += len(line)
			if flows[ends] {
				matched++
			}
		}
	})
	if len(uids) != n || kinds[3] != n || len(hosts) != 500 {
		t.Errorf("%d flows and %d connects of %d hosts, want %d and %d of 500", len(uids), kinds[3], len(hosts), n, n)
	}
	lookups := len(rows(t, filepath.Join(dir, "dns.log")))
	for _, c := range []struct {
		what     string
		got      int
		low, top float64
	}{
		{"connects with a flow", matched, 0.94, 0.96},
		{"handshakes", len(hands), 0.68, 0.72},
		{"lookups", kinds[22], 0.19, 0.21},
		{"lookups on the wire", lookups, 0.19, 0.21},
		{"process starts", kinds[1], 0.017, 0.023},
		{"names", len(names), 0.05, 0.15},
	} {
		if share := float64(c.got) / n; share < c.low || share > c.top {
			t.Errorf("%s: %.3f for each flow, want %.3f to %.3f", c.what, share, c.low, c.top)
		}
	}
	if mean := size / n; mean < 1000 || mean > 1600 {
		t.Errorf("a connect's line has %d bytes, want 1000 to 1600", mean)
	}
}

func BenchmarkBench(b *testing.B) {
	const flows = 100_000
	for b.Loop() {
		if err := simulate.Bench(b.TempDir(), flows, 1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(3.12*flows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
