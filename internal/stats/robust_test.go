package stats

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestQuantile(t *testing.T) {
	x := []float64{40, 10, 30, 20}
	for _, c := range []struct{ q, want float64 }{{0, 10}, {0.25, 17.5}, {0.5, 25}, {0.9, 37}, {1, 40}} {
		if got := Quantile(x, c.q); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("Quantile(%v) = %v, want %v", c.q, got, c.want)
		}
	}
	if !slices.Equal(x, []float64{40, 10, 30, 20}) {
		t.Error("Quantile sorted its input")
	}
	for _, q := range []float64{-0.1, 1.1, math.NaN()} {
		if got := Quantile(x, q); !math.IsNaN(got) {
			t.Errorf("Quantile(%v) = %v, want NaN", q, got)
		}
	}
}

func TestMedianAndMAD(t *testing.T) {
	for _, c := range []struct {
		x           []float64
		median, mad float64
	}{
		{[]float64{7}, 7, 0},
		{[]float64{1, 1, 2, 2, 4, 6, 9}, 2, 1.4826},
		{[]float64{1, 2, 3, 4, 1e300}, 3, 1.4826},
	} {
		if got := Median(c.x); got != c.median {
			t.Errorf("Median(%v) = %v, want %v", c.x, got, c.median)
		}
		if got := MAD(c.x); math.Abs(got-c.mad) > 1e-12 {
			t.Errorf("MAD(%v) = %v, want %v", c.x, got, c.mad)
		}
	}
	if !math.IsNaN(Median(nil)) || !math.IsNaN(MAD(nil)) {
		t.Error("of nothing: want NaN")
	}
}

func TestCollapse(t *testing.T) {
	for _, c := range []struct {
		name  string
		times []int64
		want  []int64
	}{
		{"nothing", nil, []int64{}},
		{"apart", []int64{0, 11, 22}, []int64{0, 11, 22}},
		{"the gap itself is within the burst", []int64{0, 10, 21}, []int64{0, 21}},
		{"a chain is one burst", []int64{0, 6, 12, 18, 40}, []int64{0, 40}},
		{"negative instants", []int64{-50, -45, 0}, []int64{-50, 0}},
	} {
		if diff := cmp.Diff(c.want, Collapse(c.times, 10)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestIntervalEntropy(t *testing.T) {
	for _, c := range []struct {
		name string
		d    []float64
		want float64
	}{
		{"alike", []float64{60, 60, 60, 60}, 0},
		{"all different", []float64{1, 10, 100, 1000, 10_000}, -(math.Log(5) + 4.0/10)},
		{"half and half", []float64{1, 1, 100, 100}, -(math.Log(2) + 1.0/8)},
		{"zero and infinite intervals", []float64{0, math.Inf(1)}, -(math.Log(2) + 1.0/4)},
	} {
		if got := IntervalEntropy(c.d); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if !math.IsNaN(IntervalEntropy(nil)) {
		t.Error("of nothing: want NaN")
	}
}

// TestIntervalEntropyOrder holds the result to the last bit: findings must not
// depend on the order of the input.
func TestIntervalEntropyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SliceOfN(rapid.Float64Range(0, 1e6), 1, 50).Draw(t, "intervals")
		p := rapid.Permutation(d).Draw(t, "permutation")
		if a, b := IntervalEntropy(d), IntervalEntropy(p); a != b || a > 0 {
			t.Fatalf("%v and %v", a, b)
		}
	})
}

// TestNullMonotone: the more regular a series, the smaller its p-value.
func TestNullMonotone(t *testing.T) {
	for s := range scales {
		for _, n := range bounds {
			last := 1.0
			for x := -5.0; x <= 0; x += 0.01 {
				p := nullEntropy.p(s, n, x)
				if !(p > 0 && p <= last) {
					t.Fatalf("scale %d, n %d: p(%.2f) = %v after %v", s, n, x, p, last)
				}
				last = p
			}
		}
	}
}
