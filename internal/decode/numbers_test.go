package decode

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
)

func TestHoles(t *testing.T) {
	tests := []struct {
		name    string
		records []uint64
		want    Holes
	}{
		{"in order", []uint64{5, 6, 7}, Holes{First: 5, Last: 7, Seen: 3}},
		{"no number counts for nothing", []uint64{0, 5, 0, 6}, Holes{First: 5, Last: 6, Seen: 2}},
		{"holes", []uint64{1, 2, 5, 9, 10}, Holes{First: 1, Last: 10, Seen: 5, Holes: 2, Missing: 5, Longest: 3}},
		{"out of order and twice", []uint64{9, 3, 4, 3, 8, 7, 5}, Holes{First: 3, Last: 9, Seen: 6, Holes: 1, Missing: 1, Longest: 1}},
		{"the hole closes", []uint64{1, 3, 2}, Holes{First: 1, Last: 3, Seen: 3}},
		{"the greatest number", []uint64{math.MaxUint64, 1}, Holes{First: 1, Last: math.MaxUint64, Seen: 2, Holes: 1, Missing: math.MaxUint64 - 2, Longest: math.MaxUint64 - 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var n Numbers
			for _, r := range tt.records {
				n.Add(r)
			}
			got, ok := n.Holes()
			if diff := cmp.Diff(tt.want, got); !ok || diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, ok := new(Numbers).Holes(); ok {
		t.Error("no record has holes")
	}
}

// However records come, and in however many inputs, the same lacks.
func TestHolesWhateverTheOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	seen := make(map[uint64]bool)
	var records []uint64
	for range 500 {
		r := 1 + rng.Uint64N(900)
		records, seen[r] = append(records, r), true
	}
	var whole, parts Numbers
	for _, r := range records {
		whole.Add(r)
	}
	var part [3]Numbers
	for _, r := range records {
		part[rng.IntN(3)].Add(r)
	}
	for i := range part {
		parts.Merge(&part[i])
	}
	a, _ := whole.Holes()
	b, _ := parts.Holes()
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("(-one +parts):\n%s", diff)
	}
	if a.Seen != uint64(len(seen)) || a.Seen+a.Missing != a.Last-a.First+1 {
		t.Errorf("%+v of %d records", a, len(seen))
	}
}

func TestScattered(t *testing.T) {
	var tally Tally
	l := Log{"ws1", event.Sysmon}
	for i := range uint64(3 * maxRuns) {
		tally.Number(l, 2*i+1, true)
	}
	n := tally.Numbers[l]
	if _, ok := n.Holes(); ok || !n.Scattered || n.runs != nil || n.Unused != 3*maxRuns {
		t.Errorf("%d runs, scattered %v, %d unused", len(n.runs), n.Scattered, n.Unused)
	}
}
