package stats

import "math"

//go:generate go test -run TestNullTable -update -timeout 30m

// upper are the upper-tail probabilities of the columns of a null table.
var upper = [...]float64{0.99, 0.90, 0.70, 0.50, 0.30, 0.15, 0.07, 0.01}

// bounds are the lowest numbers of events of the rows of a null table.
var bounds = [...]int{6, 7, 8, 9, 11, 13, 16, 20, 26, 40, 60, 80, 130, 200, 350, 600, 1000, 3000}

// A nullTable is the distribution of a statistic of series without a rhythm:
// its quantiles, by scale and number of events.
//
// The shipped tables are of 200,000 simulated series of a fixed seed (go
// generate makes them anew, to the byte). A sixth each are page views in
// sittings, bursts between silences, a server's many users, Pareto pauses, mail
// and builds, most of them following office hours, seen through windows of two
// hours to a week: see series_test.go. No network was measured for them.
type nullTable [len(scales)][len(bounds)]nullRow

type nullRow struct {
	events    float64 // the mean of the logarithm of their number
	quantiles [len(upper)]float64
}

// p returns the chance that a series of n events without a rhythm has a
// statistic of at least x at a scale. Between two rows it is interpolated, on
// the logarithm of the number and that of the chance.
func (t *nullTable) p(scale, n int, x float64) float64 {
	rows, events := &t[scale], math.Log(float64(n))
	i := 0
	for i+1 < len(rows) && rows[i+1].events <= events {
		i++
	}
	p := rows[i].p(x)
	if i+1 == len(rows) || events <= rows[i].events {
		return p
	}
	part := (events - rows[i].events) / (rows[i+1].events - rows[i].events)
	return math.Exp((1-part)*math.Log(p) + part*math.Log(rows[i+1].p(x)))
}

// p reads the body of the distribution off the row and continues beyond its
// last quantile with an exponential tail.
func (r *nullRow) p(x float64) float64 {
	q := &r.quantiles
	last := len(q) - 1
	if !(x > q[0]) {
		return 1
	}
	if x > q[last] {
		return exponential(x, upper[last], q[last], r.fall())
	}
	i := 1
	for x > q[i] {
		i++
	}
	part := (x - q[i-1]) / (q[i] - q[i-1])
	return upper[i-1] + part*(upper[i]-upper[i-1])
}

// fall returns the scale of the exponential tail, in nats: the slowest of the
// fits from the median and each later quantile to the last one. Few events
// have few concentrations, so that neighbouring quantiles may coincide and one
// fit alone would promise more than the simulation showed.
//
// The tables are of clean series, so that their last per cent can be trusted.
// A [Tail] is of observed ones and must not look there.
func (r *nullRow) fall() float64 {
	const median = 3 // its column
	last := len(upper) - 1
	slowest := 0.0
	for i := median; i < last; i++ {
		slowest = max(slowest, (r.quantiles[last]-r.quantiles[i])/math.Log(upper[i]/upper[last]))
	}
	return slowest
}
