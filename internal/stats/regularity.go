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

	// Fit is the renewal process at Scale, the zero Fit where the intervals
	// are too varied to be worth one.
	Fit Fit
}

// Regularity tests whether the instants, in microseconds and in any order,
// keep a rhythm. At each of three burst scales it takes the concentration of
// the intervals (see [IntervalEntropy]) and how much better a narrow renewal
// process explains them than a broad one (see [Renewal]), turns both into
// p-values conditional on the number of events by tables of simulated series
// without a rhythm, and takes their geometric mean; the three are combined
// after Cauchy. A table is of few thousand series a row, and what lies beyond
// them is extrapolated: a P of 1e-9 says "very regular", not one in a billion.
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
	var d []float64
	looks(times, func(l *look) {
		p := l.p(&nullEntropy, &nullRatio)
		all.add(p, scales[l.scale].weight)
		if p < bestP {
			bestP = p
			best = Result{N: l.n, Scale: float64(scales[l.scale].seconds), Period: l.period, Fit: l.fit}
			d = l.d
		}
	})
	if d != nil {
		best.Spread = deviation(d, best.Period) / best.Period
	}
	best.P = all.p()
	return best
}

// A look is a series at one burst scale.
type look struct {
	scale   int       // its index
	n       int       // events that the collapse left
	d       []float64 // seconds: their intervals, sorted
	period  float64   // seconds: the typical interval
	entropy float64   // nats
	least   float64   // seconds: the shortest period that the scale can tell

	fit    Fit
	fitted bool
}

// looks calls f with the sorted times at each scale that can tell: where
// enough events are left and the collapse has not shaped the intervals itself.
func looks(times []int64, f func(*look)) {
	var l look
	for i, s := range scales {
		kept := Collapse(times, s.seconds*1e6)
		if len(kept) < minEvents {
			return // and fewer at the longer scales
		}
		if len(kept) != l.n { // or the series has no bursts of this length
			l = look{n: len(kept), d: Intervals(kept)}
			slices.Sort(l.d)
			l.period = mode(l.d)
			l.entropy = IntervalEntropy(l.d)
		}
		l.scale, l.least = i, 4*float64(s.seconds)
		// The collapse leaves no interval below the scale, so that intervals
		// near the scale look alike even where the series has no rhythm. A
		// series without bursts loses nothing to the collapse and may be
		// faster.
		if burstFree := 10*(len(times)-len(kept)) <= len(times); burstFree {
			l.least = float64(s.seconds)
		}
		if l.fit.Period > 0 && l.fit.Period < l.least {
			l.fitted = false // the fit of a shorter scale, of a period that this one cannot tell
		}
		if l.period > l.least {
			f(&l)
		}
	}
}

// worthFit is the p-value of the concentration above which no renewal process
// is fitted, because the geometric mean could hardly be small: fits take most
// of the time of the test, and most series have no rhythm. TestGate measures
// that nothing is lost by it.
const worthFit = 0.1

// A null is the distribution of a statistic of series without a rhythm.
type null interface {
	// p returns the chance that a series of n events has a statistic of at
	// least x at a scale.
	p(scale, n int, x float64) float64
}

// p returns the chance that a series without a rhythm looks as regular.
func (l *look) p(entropy, ratio null) float64 {
	p := entropy.p(l.scale, l.n, l.entropy)
	if p > worthFit {
		return math.Sqrt(p)
	}
	return math.Sqrt(p * ratio.p(l.scale, l.n, l.renewal().Ratio))
}

// renewal returns the fit, which it makes once.
func (l *look) renewal() Fit {
	if !l.fitted {
		l.fit, l.fitted = renewal(l.d, l.least), true
	}
	return l.fit
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
