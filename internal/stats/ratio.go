package stats

import "math"

// BetaRatio returns the log-likelihood ratio of a p-value, in nats: of a
// mixture of nothing, with a weight, and a Beta(a, 1) alternative, against
// nothing. It is ln(weight + (1−weight)·a·p^(a−1)), so that an ordinary p costs
// at most ln(weight), and a small one adds 1−a nats for each that it shrinks.
// The weight is within (0, 1] and a within (0, 1). NaN is no evidence and 0,
// and p is held within 1e-300..1.
func BetaRatio(p, weight, a float64) float64 {
	if math.IsNaN(p) {
		return 0
	}
	p = math.Max(leastP, math.Min(p, 1))
	return math.Log(weight + (1-weight)*a*math.Pow(p, a-1))
}
