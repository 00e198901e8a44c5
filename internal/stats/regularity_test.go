package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// typical returns the median interval of b, which its jitter moves.
func (b beacon) typical() float64 {
	return b.period*(1+b.jitter*[...]float64{-0.5, 0, 0.5}[b.form]) + 0.1
}

func TestRegularityFindsBeacons(t *testing.T) {
	const each = 300
	for _, c := range []struct {
		jitter, missed float64
		n              int
		found, right   float64 // least shares; the median of few jittered intervals is itself off at times
	}{
		{0, 0, 8, 0.99, 0.99},
		{0, 0, 20, 0.99, 0.99},
		{0, 0.3, 50, 0.99, 0.99},
		{0.1, 0, 20, 0.99, 0.99},
		{0.1, 0.3, 50, 0.99, 0.95},
		{0.3, 0, 20, 0.97, 0.90},
		{0.3, 0, 50, 0.99, 0.95},
		{0.3, 0, 200, 0.99, 0.98},
		{0.3, 0.3, 200, 0.95, 0.95}, // missed beats widen the intervals: the entropy alone finds 0.72
		{0.5, 0, 200, 0.95, 0.60},
	} {
		t.Run(fmt.Sprintf("jitter %v missed %v n %d", c.jitter, c.missed, c.n), func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			found, right := 0.0, 0.0
			for i := range each {
				b := beacon{
					period: []float64{30, 60, 300, 3600}[i%4],
					jitter: c.jitter, form: i % 3, missed: c.missed,
					double: 0.25 * float64(i%2),
				}
				got := Regularity(b.draw(r, c.n))
				if got.P < 1e-3 {
					found++
				}
				if math.Abs(got.Period/b.typical()-1) < 0.1 {
					right++
				}
			}
			t.Logf("found %.3f, period right %.3f", found/each, right/each)
			if found/each < c.found || right/each < c.right {
				t.Errorf("found %.3f, want %.2f; period right %.3f, want %.2f", found/each, c.found, right/each, c.right)
			}
		})
	}
}

// TestRegularityFast is about the beacon that the collapse must not eat: two
// processes of a framework call every 5.1 s and leave a dozen connections
// each.
func TestRegularityFast(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		got := Regularity(beacon{period: 5, jitter: 0.02}.draw(r, 13))
		if got.P > 1e-3 || got.N != 13 || math.Abs(got.Period-5.1) > 0.3 {
			t.Fatalf("got %+v, want a period of 5.1 s, p < 1e-3", got)
		}
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func TestRegularityInvariance(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for i := range 200 {
		times := noRhythm(r, i)
		if i%2 == 0 {
			times = beacon{period: 60, jitter: 0.2}.draw(r, 40)
		}
		want := Regularity(times)

		shifted := slices.Clone(times)
		for j := range shifted {
			shifted[j] -= 86_400_000_000
		}
		if diff := cmp.Diff(want, Regularity(shifted)); diff != "" {
			t.Fatalf("a day earlier (-want +got):\n%s", diff)
		}

		shuffled := slices.Clone(times)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		before := slices.Clone(shuffled)
		if diff := cmp.Diff(want, Regularity(shuffled)); diff != "" {
			t.Fatalf("in another order (-want +got):\n%s", diff)
		}
		if !slices.Equal(before, shuffled) {
			t.Fatal("the input was sorted in place")
		}
	}
}

func TestRegularityHostile(t *testing.T) {
	for name, times := range map[string][]int64{
		"none":     nil,
		"one":      {1},
		"equal":    make([]int64, 1000),
		"extremes": {math.MinInt64, -1, 0, 1, math.MaxInt64, math.MaxInt64, 5, 6, 7},
	} {
		got := Regularity(times)
		if !(got.P >= 0 && got.P <= 1) || math.IsNaN(got.Period) || math.IsNaN(got.Spread) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if diff := cmp.Diff(Result{N: 5, P: 1}, Regularity([]int64{1e9, 2e9, 3e9, 4e9, 5e9})); diff != "" {
		t.Errorf("too few events (-want +got):\n%s", diff)
	}
}

func TestCombination(t *testing.T) {
	var none combination
	if none.p() != 1 {
		t.Errorf("nothing combined: %v, want 1", none.p())
	}
	for _, p := range []float64{1e-300, 1e-12, 1e-3, 0.5, 0.9} {
		var one combination
		one.add(p, 0.7)
		if math.Abs(one.p()/p-1) > 1e-9 {
			t.Errorf("one p-value %v combines to %v", p, one.p())
		}
	}
	var both combination
	both.add(1e-6, 0.7)
	both.add(1, 0.3)
	if p := both.p(); p < 1e-6 || p > 2e-6 {
		t.Errorf("1e-6 and 1 combine to %v, want about 1.4e-6", p)
	}
}

func BenchmarkRegularity(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		r := rand.New(rand.NewPCG(1, 1))
		t, pauses := 0.0, []float64{}
		for range n {
			t += logNormal(r, 60, 1.5)
			pauses = append(pauses, t)
		}
		for name, times := range map[string][]int64{
			"beacon": beacon{period: 60, jitter: 0.3, double: 0.2}.draw(r, n),
			"pauses": micros(pauses),
		} {
			b.Run(fmt.Sprint(name, " ", n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					Regularity(times)
				}
			})
		}
	}
}
