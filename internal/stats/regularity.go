package stats

import (
	"math"
	"slices"
)

// microsecond is a microsecond in seconds.
const microsecond = 1e-6

// minEvents is how many events, after the collapse, the timing test needs:
// with fewer even a perfect rhythm is no evidence.
const minEvents = 6

// A scale is one burst length at which the timing test looks at a series.
// The weights are those of the Cauchy combination.
type scale struct {
	seconds int64
	weight  float64
}

// scales are the burst lengths: connections of one page, a redirect chain or
// a short session, and the work of a person between two pauses. The shortest
// carries most of the weight, because at the others most beacons are too fast
// to be seen.
var scales = [...]scale{{2, 0.7}, {30, 0.15}, {300, 0.15}}

// A Result is what the timing test says of one series.
type Result struct {
	N      int     // events after the collapse at Scale
	Scale  float64 // seconds: the burst scale that shows the rhythm best; 0 when none could be tested
	Period float64 // seconds: the typical interval; 0 when none could be tested
	Spread float64 // relative: the scaled median absolute deviation of the intervals from Period, over Period
	P      float64 // chance that a series without a rhythm, of as many events, looks as regular; 1 when none could be tested
}

// Regularity tests whether the instants, in microseconds and in any order,
// keep a rhythm. It looks at the concentration of the intervals (see
// [IntervalEntropy]) at three burst scales, turns each into a p-value
// conditional on the number of events by a table of simulated series without
// a rhythm, and combines the three.
//
// The test finds renewal processes, as implants that sleep between two
// contacts are: a jitter does not hide them, because no phase is kept. It
// finds benign polling as well; whether a rhythm is remarkable for a program
// is for the baseline to say.
func Regularity(times []int64) Result {
	if !slices.IsSorted(times) {
		times = slices.Clone(times)
		slices.Sort(times)
	}
	best := Result{N: len(times), P: 1}
	bestP := math.Inf(1)
	var all combination
	for i, s := range scales {
		r, ok := regularityAt(times, i)
		if !ok {
			continue
		}
		all.add(r.P, s.weight)
		if r.P < bestP {
			best, bestP = r, r.P
		}
	}
	best.P = all.p()
	return best
}

// regularityAt tests the sorted times at one scale. It reports false where
// the scale cannot tell: too few events are left, or the collapse has shaped
// the intervals itself.
func regularityAt(times []int64, index int) (Result, bool) {
	seconds := scales[index].seconds
	kept := Collapse(times, seconds*1e6)
	if len(kept) < minEvents {
		return Result{}, false
	}
	d := Intervals(kept)
	slices.Sort(d)
	period := mode(d)
	// The collapse leaves no interval below the scale, so that intervals near
	// the scale look alike even where the series has no rhythm. A series
	// without bursts loses nothing to the collapse and may be faster.
	burstFree := 10*(len(times)-len(kept)) <= len(times)
	if period <= 4*float64(seconds) && !burstFree {
		return Result{}, false
	}
	return Result{
		N:      len(kept),
		Scale:  float64(seconds),
		Period: period,
		Spread: deviation(d, period) / period,
		P:      null.p(index, len(kept), IntervalEntropy(d)),
	}, true
}

// Intervals returns the gaps, in seconds, between successive sorted instants
// in microseconds.
func Intervals(times []int64) []float64 {
	if len(times) < 2 {
		return nil
	}
	d := make([]float64, len(times)-1)
	for i := range d {
		d[i] = float64(elapsed(times[i], times[i+1])) * microsecond
	}
	return d
}

// mode returns the median of the fullest window [d, 1.9 d] of the sorted
// intervals; of equally full windows the tightest counts. Intervals doubled
// by a missed beat fall outside, and a jitter of ±30 % fits in.
func mode(d []float64) float64 {
	const width = 1.9
	from, to, low := 0, 0, 0
	for high := range d {
		for d[high] > width*d[low] {
			low++
		}
		fuller := high-low > to-from
		tighter := high-low == to-from && d[high]*d[from] < d[to]*d[low]
		if fuller || tighter {
			from, to = low, high
		}
	}
	return sortedQuantile(d[from:to+1], 0.5)
}

// A combination is Cauchy's combination of p-values (Liu and Xie 2020). It
// holds for tests that depend on each other, as the same test at several
// scales does.
type combination struct{ sum, weight float64 }

// add takes in a p-value. A value near 1 is capped, because the combination
// would otherwise let one scale that says nothing veto the others.
func (c *combination) add(p, weight float64) {
	const most = 0.99
	p = math.Min(p, most)
	c.sum += weight / math.Tan(math.Pi*p)
	c.weight += weight
}

// p returns the combined p-value, 1 when nothing was added.
func (c *combination) p() float64 {
	if c.weight == 0 {
		return 1
	}
	return math.Atan2(1, c.sum/c.weight) / math.Pi
}
