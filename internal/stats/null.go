package stats

import "math"

//go:generate go test -run TestNullTable -update

// upper are the upper-tail probabilities of the columns of the null table.
var upper = [...]float64{0.99, 0.90, 0.70, 0.50, 0.30, 0.07, 0.01}

// bounds are the lowest numbers of events of the rows of the null table.
var bounds = [...]int{6, 7, 8, 9, 11, 13, 16, 20, 26, 40, 80, 200, 1000}

// A nullTable is the distribution of the concentration of the intervals in
// series without a rhythm: its quantiles, by scale and number of events.
type nullTable [len(scales)][len(bounds)][len(upper)]float64

// p returns the chance that a series of n events without a rhythm is at least
// as concentrated as x at a scale. It reads the body of the distribution off
// the table and continues beyond the last quantile with an exponential tail.
func (t *nullTable) p(scale, n int, x float64) float64 {
	q := t.quantiles(scale, n)
	last := len(q) - 1
	if x <= q[0] {
		return 1
	}
	if x > q[last] {
		return upper[last] * math.Exp(-(x-q[last])/tail(q))
	}
	i := 1
	for x > q[i] {
		i++
	}
	part := (x - q[i-1]) / (q[i] - q[i-1])
	return upper[i-1] + part*(upper[i]-upper[i-1])
}

// quantiles returns the row for n events at a scale.
func (t *nullTable) quantiles(scale, n int) *[len(upper)]float64 {
	row := 0
	for row+1 < len(bounds) && bounds[row+1] <= n {
		row++
	}
	return &t[scale][row]
}

// tail returns the scale of the exponential tail, in nats: the slowest of the
// fits from the median, the 70 % and the 93 % quantile to the last one. Few
// events have few concentrations, so that neighbouring quantiles may coincide
// and one fit alone would promise more than the simulation showed.
//
// The table is of clean series. A reference of observed ones has polling
// programs in it and must be fitted between 70 % and 93 %, lest they flatten
// the tail and hide every beacon.
func tail(q *[len(upper)]float64) float64 {
	last := len(q) - 1
	slowest := 0.0
	for i := last - 3; i < last; i++ {
		slowest = max(slowest, (q[last]-q[i])/math.Log(upper[i]/upper[last]))
	}
	return slowest
}
