package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestRenewal: the fit tells the sleep, its jitter and the missed beats.
func TestRenewal(t *testing.T) {
	const n = 400
	for _, c := range []struct {
		b         beacon
		halfWidth float64 // the grid's nearest
	}{
		{beacon{period: 60}, 0.01},
		{beacon{period: 60, missed: 0.3}, 0.01},
		{beacon{period: 300, jitter: 0.3, form: 1}, 0.30},
		{beacon{period: 300, jitter: 0.3, form: 1, missed: 0.1}, 0.30},
		{beacon{period: 300, jitter: 0.3, form: 0, missed: 0.3}, 0.17},
		{beacon{period: 3600, jitter: 0.2, form: 2, missed: 0.2}, 0.08},
	} {
		got := Renewal(Intervals(c.b.draw(rand.New(rand.NewPCG(1, 1)), n)))
		if math.Abs(got.Period/c.b.typical()-1) > 0.05 {
			t.Errorf("%+v: period %.1f, want %.1f", c.b, got.Period, c.b.typical())
		}
		if math.Abs(got.Missed-c.b.missed) > 0.06 {
			t.Errorf("%+v: missed %.3f", c.b, got.Missed)
		}
		if got.HalfWidth != c.halfWidth {
			t.Errorf("%+v: half-width %.2f, want %.2f", c.b, got.HalfWidth, c.halfWidth)
		}
		if got.Ratio < 0.1 {
			t.Errorf("%+v: ratio %.3f", c.b, got.Ratio)
		}
	}
}

// TestRenewalBroad: what has no rhythm is not explained better by one.
func TestRenewalBroad(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for name, draw := range map[string]func() float64{
		"exponential": func() float64 { return 600 * r.ExpFloat64() },
		"log-normal":  func() float64 { return logNormal(r, 600, 1) },
		"bursts":      func() float64 { return logNormal(r, []float64{10, 3000}[r.IntN(2)], 0.9) },
		"Pareto":      func() float64 { return 10 * math.Pow(1-r.Float64(), -1) },
	} {
		d := make([]float64, 500)
		for i := range d {
			d[i] = draw()
		}
		if got := Renewal(d); got.Ratio > 0.05 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRenewalHostile(t *testing.T) {
	if got := Renewal(nil); got != (Fit{}) {
		t.Errorf("of nothing: %+v", got)
	}
	flood := make([]float64, 100_000)
	for i := range flood {
		flood[i] = 60
	}
	if got := Renewal(flood); math.Abs(got.Period-60) > 1 {
		t.Errorf("of a flood: %+v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		got := Renewal(rapid.SliceOfN(rapid.Float64(), 1, 50).Draw(t, "intervals"))
		for _, x := range []float64{got.Ratio, got.Period, got.HalfWidth, got.Missed} {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Fatalf("%+v", got)
			}
		}
		if got.Missed < 0 || got.Missed > 1 || got.Period < 0 {
			t.Fatalf("%+v", got)
		}
	})
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0} {
		if got := Renewal([]float64{x, x, x, x, x, 60, 60}); math.IsNaN(got.Ratio) || math.IsInf(got.Ratio, 0) {
			t.Errorf("of %v: %+v", x, got)
		}
	}
}

// TestRenewalOrder holds the fit to the last bit: findings must not depend on
// the order of the input.
func TestRenewalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SliceOfN(rapid.Float64Range(0, 1e6), 1, 50).Draw(t, "intervals")
		if a, b := Renewal(d), Renewal(rapid.Permutation(d).Draw(t, "permutation")); a != b {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

// TestRenewalScale: a rhythm is one on any time scale above the latencies,
// up to the bins it is counted in.
func TestRenewalScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SliceOfN(rapid.Float64Range(300, 30_000), 6, 50).Draw(t, "intervals")
		factor := math.Exp(fine * float64(rapid.IntRange(1, 150).Draw(t, "bins")))
		for i := range d { // the centres of the bins, lest rounding moves one
			d[i] = math.Exp((math.Floor(math.Log(d[i])/fine) + 0.5) * fine)
		}
		a := Renewal(d)
		for i := range d {
			d[i] *= factor
		}
		b := Renewal(d)
		if math.Abs(a.Ratio-b.Ratio) > 1e-6 || math.Abs(b.Period-a.Period*factor) > 1e-6*b.Period {
			t.Fatalf("%+v and, times %.3f, %+v", a, factor, b)
		}
	})
}

func BenchmarkRenewal(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		r := rand.New(rand.NewPCG(1, 1))
		beats := Intervals(beacon{period: 60, jitter: 0.3, missed: 0.1}.draw(r, n))
		pauses := make([]float64, n)
		for i := range pauses {
			pauses[i] = logNormal(r, 60, 1.5)
		}
		for name, d := range map[string][]float64{"beacon": beats, "pauses": pauses} {
			b.Run(fmt.Sprint(name, " ", n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					Renewal(d)
				}
			})
		}
	}
}
