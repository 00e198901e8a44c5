package stats

import "math"

// A Fit is the narrow renewal process that explains intervals best: one that
// sleeps a period, give or take a share of it, and at times misses a beat.
type Fit struct {
	Ratio     float64 // nats per interval: log-likelihood over that of the best process without a rhythm
	Period    float64 // seconds: the middle of the intervals without a missed beat; 0 when nothing narrow fits
	HalfWidth float64 // relative: the sleeps lie within Period·(1 ± HalfWidth)
	Missed    float64 // share of the beats that were missed
}

// Renewal fits intervals, in seconds and in any order, by a narrow renewal
// process, and says how much better that explains them than any of three
// processes without a rhythm (see [Fit]). The narrow one is a mixture of a
// uniform with soft edges around a free centre, its multiples for one to three
// missed beats, and a little of anything. The centre is free, so that it does
// not matter whether the jitter shortens the sleep (Cobalt Strike), lengthens
// it (Sliver) or does both (Empire).
//
// Intervals under a second count as a second, those over 38 days as 38 days.
// Of more than 20,000 intervals every k-th is looked at. The zero Fit is
// returned when there are none.
func Renewal(d []float64) Fit { return renewal(d, 3) }

// renewal is Renewal for periods, in seconds, of least and more.
func renewal(d []float64, least float64) Fit {
	if len(d) == 0 {
		return Fit{}
	}
	var m mixture
	m.fill(d)
	m.prepare()
	// The cost of the centre, the width, and the weights.
	cost := 3*math.Log(m.total) + m.broad()
	const nothing = -10 // nats: a ratio below all that a fit can have
	best := Fit{Ratio: nothing / m.total}
	most := math.Inf(-1)
	modes, n := m.modes(math.Log(least))
	for _, x := range modes[:n] {
		for _, width := range halfWidths {
			centre := m.refine(math.Exp(x), width)
			if likelihood := m.fit(centre, width); likelihood > most && m.weight[0] > leastRegular {
				most = likelihood
				best = Fit{(likelihood - cost) / m.total, centre, width, m.missed()}
			}
		}
	}
	return best
}

const (
	// beats is one more than the missed beats that the mixture knows.
	beats = 4
	// leastRegular is the least share of intervals without a missed beat in
	// what still is a rhythm.
	leastRegular = 0.15
	// softest is the least softness of an edge, in seconds: the latency of a
	// network blurs every rhythm.
	softest = 0.7
)

// halfWidths are the widths tried, relative to the centre.
var halfWidths = [...]float64{0.01, 0.03, 0.08, 0.17, 0.30, 0.45, 0.60}

// A mixture is a narrow renewal process that is being fitted to a histogram.
// Its components are the interval without a missed beat, those with one to
// three, and, last, the background: a log-normal as wide as the intervals.
type mixture struct {
	logHistogram

	weight     [beats + 1]float64
	density    [beats][fineBins]float64 // of the logarithm; valid from lo to hi of the component
	lo, hi     [beats]int
	from, to   int                   // the bins that any component but the background reaches
	background [fineBins]float64     // its density
	below      [fineBins + 1]float64 // log-likelihood of the background in the bins before
	countBelow [fineBins + 1]float64 // intervals in the bins before
	blur       [fineBins]float64     // seconds: what the bin's own width adds to softness
	share      [fineBins]float64     // intervals per density of the mixture, by bin
}

// prepare computes what does not depend on the centre.
func (m *mixture) prepare() {
	const least = 1.5
	width := math.Max(least, m.sd)
	for i := range m.bins {
		l := logGauss(m.x[i], m.mean, width)
		m.background[i] = math.Exp(l)
		m.below[i+1] = m.below[i] + m.count[i]*l
		m.countBelow[i+1] = m.countBelow[i] + m.count[i]
		m.blur[i] = 0.6 * fine * m.d[i]
	}
}

// refine returns a better centre than the one given: the mean of the intervals
// that a fit around it explains by no or one missed beat.
func (m *mixture) refine(centre, width float64) float64 {
	m.fit(centre, width)
	var sum, n float64
	for k := range 2 {
		for i := m.lo[k]; i < m.hi[k]; i++ {
			r := m.share[i] * m.weight[k] * m.density[k][i]
			sum += r * m.d[i] / float64(k+1)
			n += r
		}
	}
	if n > 1 {
		return sum / n
	}
	return centre
}

// fit fits the weights for a centre, in seconds, and a relative half-width,
// and returns the log-likelihood.
func (m *mixture) fit(centre, width float64) float64 {
	m.place(centre, width)
	m.weight = [...]float64{0.6, 0.12, 0.05, 0.03, 0.2}
	for range 6 {
		m.expect()
		m.maximise()
	}
	return m.expectAndTell()
}

// place computes the densities of the components.
func (m *mixture) place(centre, width float64) {
	m.from, m.to = m.bins, 0
	for k := range beats {
		if k == 0 {
			m.placeRegular(centre, width)
		} else {
			m.placeMissed(k, centre, width)
		}
		if m.lo[k] < m.hi[k] {
			m.from, m.to = min(m.from, m.lo[k]), max(m.to, m.hi[k])
		}
	}
	m.to = max(m.to, m.from)
}

// placeRegular computes the density of intervals without a missed beat: a
// uniform whose edges are soft.
func (m *mixture) placeRegular(centre, width float64) {
	from, to := centre*(1-width), centre*(1+width)
	soft := math.Max(0.12*width*centre, softest)
	reach := 4 * math.Max(soft, 0.6*fine*to*1.1)
	m.lo[0], m.hi[0] = m.within(from-reach, to+reach)
	for i := m.lo[0]; i < m.hi[0]; i++ {
		d := m.d[i]
		scale := 1 / (math.Max(soft, m.blur[i]) * math.Sqrt2)
		m.density[0][i] = d * 0.5 * (math.Erf((d-from)*scale) - math.Erf((d-to)*scale)) / (to - from)
	}
}

// placeMissed computes the density of intervals with k missed beats: the sum
// of k+1 uniforms, for which a normal distribution is near enough.
func (m *mixture) placeMissed(k int, centre, width float64) {
	const sqrt3 = 1.7320508 // a uniform's half-width over its standard deviation
	const reach = 5
	mean := float64(k+1) * centre
	sd := math.Sqrt(float64(k+1)) * width * centre / sqrt3
	wide := reach * (sd + math.Max(softest, 0.6*fine*mean*1.2))
	m.lo[k], m.hi[k] = m.within(mean-wide, mean+wide)
	for i := m.lo[k]; i < m.hi[k]; i++ {
		d := m.d[i]
		m.density[k][i] = d * gauss(d, mean, sd+math.Max(softest, m.blur[i]))
	}
}

// within returns the bins whose centres are between two intervals in seconds.
func (m *mixture) within(from, to float64) (lo, hi int) {
	return m.first(from), m.first(to)
}

// first returns the first bin whose centre is at least d seconds.
func (m *mixture) first(d float64) int {
	low, high := 0, m.bins
	for low < high {
		if mid := (low + high) / 2; m.d[mid] < d {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// expect computes, by bin, the intervals per density of the mixture.
func (m *mixture) expect() {
	m.mix()
	for i := m.from; i < m.to; i++ {
		m.share[i] = m.count[i] / m.share[i]
	}
}

// mix computes the density of the mixture where it is more than background.
func (m *mixture) mix() {
	w := m.weight[beats]
	sum := m.share[m.from:m.to]
	for i, b := range m.background[m.from:m.to] {
		sum[i] = w*b + tiny
	}
	for k := range beats {
		w, lo, hi := m.weight[k], m.lo[k], m.hi[k]
		sum := m.share[lo:hi]
		for i, g := range m.density[k][lo:hi] {
			sum[i] += w * g
		}
	}
}

// maximise sets the weights to the shares that the components explain, with
// a little for each so that none is lost for good.
func (m *mixture) maximise() {
	const little = 0.02
	rest, total := m.total, m.total+little*(beats+1)
	for k := range beats {
		lo, hi := m.lo[k], m.hi[k]
		share, sum := m.share[lo:hi], 0.0
		for i, g := range m.density[k][lo:hi] {
			sum += share[i] * g
		}
		sum *= m.weight[k]
		rest -= sum
		m.weight[k] = (sum + little) / total
	}
	m.weight[beats] = (math.Max(0, rest) + little) / total
}

// expectAndTell is expect, and returns the log-likelihood. Bins that only the
// background reaches are summed up already.
func (m *mixture) expectAndTell() float64 {
	m.mix()
	outside := m.total - (m.countBelow[m.to] - m.countBelow[m.from])
	sum := outside*math.Log(m.weight[beats]) + m.below[m.bins] - (m.below[m.to] - m.below[m.from])
	for i := m.from; i < m.to; i++ {
		sum += m.count[i] * math.Log(m.share[i])
		m.share[i] = m.count[i] / m.share[i]
	}
	return sum
}

// missed returns the share of the beats that were missed.
func (m *mixture) missed() float64 {
	missed, all := 0.0, 0.0
	for k, w := range m.weight[:beats] {
		missed += float64(k) * w
		all += float64(k+1) * w
	}
	return missed / all
}
