// Package stats holds the pure statistics that the baselines and detectors
// use: robust location and spread, and a test of how regular a series of
// instants is.
package stats

import (
	"math"
	"slices"
)

// normalMAD makes the median absolute deviation of normally distributed data
// estimate their standard deviation: 1/Φ⁻¹(3/4).
const normalMAD = 1.4826

// Median returns the median of x, NaN when x is empty. It leaves x as it is.
func Median(x []float64) float64 { return Quantile(x, 0.5) }

// MAD returns the median absolute deviation of x from its median, times
// 1.4826, so that it can stand where a standard deviation would: half of the
// data may be wild before it is. It is NaN when x is empty, and 0 when more
// than half of x is one value.
func MAD(x []float64) float64 { return deviation(x, Median(x)) }

// deviation returns the scaled median absolute deviation of x from a centre.
func deviation(x []float64, centre float64) float64 {
	d := make([]float64, len(x))
	for i, v := range x {
		d[i] = math.Abs(v - centre)
	}
	slices.Sort(d)
	return normalMAD * sortedQuantile(d, 0.5)
}

// Quantile returns the q-quantile of x by linear interpolation between the
// order statistics (Hyndman and Fan's type 7, the default of R and NumPy). It
// leaves x as it is. It is NaN when x is empty, or when q is not within 0..1.
func Quantile(x []float64, q float64) float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	return sortedQuantile(s, q)
}

// sortedQuantile is Quantile for data that are sorted already.
func sortedQuantile(s []float64, q float64) float64 {
	if len(s) == 0 || !(q >= 0 && q <= 1) {
		return math.NaN()
	}
	at := q * float64(len(s)-1)
	low := int(at)
	if low+1 >= len(s) {
		return s[len(s)-1]
	}
	part := at - float64(low)
	return s[low]*(1-part) + s[low+1]*part
}
