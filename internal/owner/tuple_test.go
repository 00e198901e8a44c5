package owner

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestRunsHoldTheIndicesOfEachNumber(t *testing.T) {
	r := newRuns([]int32{2, 0, -1, 2, 1, 0, 2, -1}, 4)
	var got [][]int32
	for n := range 4 {
		got = append(got, append([]int32{}, r.of(n)...))
	}
	want := [][]int32{{1, 5}, {4}, {0, 3, 6}, {}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRunsOfNothing(t *testing.T) {
	if r := newRuns(nil, 0); len(r.indices) != 0 {
		t.Errorf("%v", r)
	}
}
