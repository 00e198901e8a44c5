package stats

import "math"

// broadest is the least width, in log-seconds, of a process without a rhythm:
// the pauses of people and their programs spread over more than a factor of
// two either way.
const broadest = 0.75

// broad returns the log-likelihood of the intervals under the best of three
// renewal processes without a rhythm, less the cost of their parameters
// (BIC): exponential, log-normal, and two log-normals, as of bursts and
// pauses. Densities are of the logarithm.
func (h *logHistogram) broad() float64 {
	exponential, normal := 0.0, 0.0
	width := math.Max(broadest, h.sd)
	for i := range h.bins {
		u := h.d[i] / h.arith
		exponential += h.count[i] * (math.Log(u) - u)
		normal += h.count[i] * logGauss(h.x[i], h.mean, width)
	}
	cost := math.Log(h.total)
	return max(exponential-cost/2, normal-cost, h.broadPair(width)-2.5*cost)
}

// broadPair returns the log-likelihood of two log-normals, fitted in a few
// steps of EM.
func (h *logHistogram) broadPair(width float64) float64 {
	m1, m2, s1, s2, w := h.mean-h.sd, h.mean+h.sd, width, width, 0.5
	for range 11 {
		var n, a1, a2, b1, b2 float64
		for i := range h.bins {
			x := h.x[i]
			p := w * gauss(x, m1, s1)
			r := h.count[i] * p / (p + (1-w)*gauss(x, m2, s2) + tiny)
			q := h.count[i] - r
			n += r
			a1 += r * x
			a2 += r * x * x
			b1 += q * x
			b2 += q * x * x
		}
		rest := h.total - n
		if n < 1 || rest < 1 { // one of them explains everything
			break
		}
		m1, m2, w = a1/n, b1/rest, n/h.total
		s1 = math.Max(broadest, math.Sqrt(math.Max(0, a2/n-m1*m1)))
		s2 = math.Max(broadest, math.Sqrt(math.Max(0, b2/rest-m2*m2)))
	}
	sum := 0.0
	for i := range h.bins {
		sum += h.count[i] * math.Log(w*gauss(h.x[i], m1, s1)+(1-w)*gauss(h.x[i], m2, s2)+tiny)
	}
	return sum
}

// tiny keeps the logarithm of a likelihood finite.
const tiny = 1e-300

// sqrt2Pi is √(2π).
const sqrt2Pi = 2.50662827463100050242

// gauss is the density of the normal distribution.
func gauss(x, mean, sd float64) float64 {
	z := (x - mean) / sd
	return math.Exp(-z*z/2) / (sd * sqrt2Pi)
}

// logGauss is the logarithm of gauss.
func logGauss(x, mean, sd float64) float64 {
	z := (x - mean) / sd
	return -z*z/2 - math.Log(sd*sqrt2Pi)
}
