package stats

import (
	"math"
	"slices"
)

// binWidth is the width, in log-seconds, of the bins that IntervalEntropy
// counts in: an interval and one 22 % longer are in different bins.
const binWidth = 0.2

// IntervalEntropy returns how concentrated the intervals are, in nats: minus
// the Shannon entropy of floor(ln d / 0.2), with the correction of Miller and
// Madow, (bins−1)/(2n), for the entropy that n intervals cannot show. It is 0
// when all intervals are alike, and falls as they differ. Intervals are in
// seconds; those under a microsecond count as a microsecond. The result is
// NaN without intervals.
func IntervalEntropy(intervals []float64) float64 {
	bins := make([]int, len(intervals))
	for i, d := range intervals {
		bins[i] = bin(d)
	}
	return concentration(bins)
}

// bin returns the log bin of an interval in seconds.
func bin(d float64) int {
	const shortest = 1e-6
	if !(d > shortest) {
		d = shortest
	}
	return int(math.Floor(math.Min(math.Log(d), math.MaxInt32) / binWidth))
}

// concentration returns minus the corrected entropy of the bins, which it
// sorts. It sums in the order of the bins, so that the last bit of the result
// does not depend on the order of the input.
func concentration(bins []int) float64 {
	if len(bins) == 0 {
		return math.NaN()
	}
	slices.Sort(bins)
	n := float64(len(bins))
	entropy, used := 0.0, 0
	for i := 0; i < len(bins); {
		j := i + 1
		for j < len(bins) && bins[j] == bins[i] {
			j++
		}
		share := float64(j-i) / n
		entropy -= share * math.Log(share)
		used++
		i = j
	}
	return -(entropy + float64(used-1)/(2*n))
}
