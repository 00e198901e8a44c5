package stats

import "math"

const (
	// fine is the width, in log-seconds, of the bins that the renewal fit
	// works on: 2 %, which is finer than the sharpest rhythm it tells.
	fine = 0.02
	// fineBins reach from a second to 38 days, e^15 s.
	fineBins = 750
	// maxIntervals bounds how many intervals a fit looks at.
	maxIntervals = 20_000
	// kernelReach is three times the kernel's width of 0.12, in bins.
	kernelReach = 18
)

// A logHistogram counts intervals in bins of their logarithm. Only bins that
// are not empty are kept, in order, so that the work depends on how much the
// intervals differ rather than on how many there are.
type logHistogram struct {
	bins  int               // that are not empty
	total float64           // intervals
	at    [fineBins]int32   // which bin
	x     [fineBins]float64 // its centre, in log-seconds
	d     [fineBins]float64 // its centre, in seconds
	count [fineBins]float64 // intervals in it

	mean, sd float64 // of x
	arith    float64 // seconds: the mean of d
}

// fill counts the intervals, in seconds: every one of them, or every k-th
// where there are more than maxIntervals. Those outside the bins count in
// the first and the last.
func (h *logHistogram) fill(d []float64) {
	stride := 1 + (len(d)-1)/maxIntervals
	var all [fineBins]int32
	for i := 0; i < len(d); i += stride {
		all[fineBin(d[i])]++
	}
	for b, n := range all {
		if n == 0 {
			continue
		}
		i := h.bins
		h.at[i] = int32(b)
		h.x[i] = (float64(b) + 0.5) * fine
		h.d[i] = math.Exp(h.x[i])
		h.count[i] = float64(n)
		h.bins++
	}
	h.moments()
}

// fineBin returns the bin of an interval in seconds; what is no number counts
// as the shortest.
func fineBin(d float64) int {
	if !(d > 1) {
		return 0
	}
	return min(int(math.Min(math.Log(d)/fine, fineBins)), fineBins-1)
}

func (h *logHistogram) moments() {
	for i := range h.bins {
		h.total += h.count[i]
		h.mean += h.count[i] * h.x[i]
		h.arith += h.count[i] * h.d[i]
	}
	h.mean /= h.total
	h.arith /= h.total
	for i := range h.bins {
		h.sd += h.count[i] * (h.x[i] - h.mean) * (h.x[i] - h.mean)
	}
	h.sd = math.Sqrt(h.sd / h.total)
}

// modes returns where, in log-seconds, the smoothed histogram has its highest
// local maxima above a bound: three at most, the highest first.
func (h *logHistogram) modes(least float64) (at [3]float64, n int) {
	var smooth [fineBins + 2*kernelReach]float64
	for i := range h.bins {
		c, around := h.count[i], smooth[h.at[i]:]
		for j, k := range kernel {
			around[j] += c * k
		}
	}
	var height [3]float64
	for b := 1; b+1 < len(smooth); b++ {
		v := smooth[b]
		x := (float64(b-kernelReach) + 0.5) * fine
		if !(v > smooth[b-1] && v >= smooth[b+1]) || x < least {
			continue
		}
		for i := range height {
			if v > height[i] {
				copy(height[i+1:], height[i:])
				copy(at[i+1:], at[i:])
				height[i], at[i] = v, x
				n = min(n+1, len(at))
				break
			}
		}
	}
	return at, n
}

// kernel is a Gaussian of width 0.12 in log-seconds, by bins.
var kernel = func() (k [2*kernelReach + 1]float64) {
	for i := range k {
		z := float64(i-kernelReach) * fine / 0.12
		k[i] = math.Exp(-z * z / 2)
	}
	return k
}()
