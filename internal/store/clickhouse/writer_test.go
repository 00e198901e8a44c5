package clickhouse

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
	"github.com/postern/postern/internal/store/clickhouse/clickhousetest"
)

// TestBlocks checks that no block touches too many days, and none loses a row.
func TestBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWriter(nil, flows())
		for _, day := range rapid.SliceOfN(rapid.Int64Range(-200, 200), 1, 400).Draw(t, "days") {
			w.rows = append(w.rows, event.Flow{Time: event.Time(day * dayMicros)})
		}
		want := slices.Clone(w.rows)
		var got []event.Flow
		for _, block := range w.blocks() {
			days := make(map[event.Time]bool)
			for _, e := range block {
				days[e.Time/dayMicros] = true
			}
			if len(days) > blockDays || len(block) == 0 {
				t.Fatalf("a block of %d rows touches %d days", len(block), len(days))
			}
			got = append(got, block...)
		}
		byTime := func(a, b event.Flow) int { return int(a.Time/dayMicros - b.Time/dayMicros) }
		slices.SortFunc(want, byTime)
		slices.SortFunc(got, byTime)
		if !slices.Equal(got, want) {
			t.Fatalf("%d rows of %d are left", len(got), len(want))
		}
	})
}

// TestManyDays checks that a flush over many days arrives, and that its edges do.
func TestManyDays(t *testing.T) {
	s, _ := fresh(t, clickhousetest.Start(t), "days", "")
	var b event.Batch
	var sessions []event.Session
	for i := range 120 {
		at := event.Time(i) * 3 * dayMicros
		b.Stops = append(b.Stops, event.ProcessStop{Host: "h", Record: uint64(i + 1), Time: at})
		sessions = append(sessions, event.Session{Host: "h", Program: "p", Key: event.Key(i), Start: at})
	}
	must(t, s.Append(t.Context(), &b))
	must(t, s.PutSessions(t.Context(), sessions))
	must(t, s.Rollup(t.Context()))
	got, err := s.Window(t.Context(), store.Selection{Hosts: []string{"h"}})
	must(t, err)
	if len(got.Stops) != len(b.Stops) {
		t.Errorf("read %d of %d events", len(got.Stops), len(b.Stops))
	}
	programs, err := s.Programs(t.Context())
	must(t, err)
	if len(programs) != 1 || programs[0].Sessions != int64(len(sessions)) {
		t.Errorf("the edges know %v", programs)
	}
}
