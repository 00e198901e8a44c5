package fleet

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"
)

// A dice is a source of chance that its name and number decide, so that what
// is thrown for one purpose moves nothing else.
type dice struct{ *rand.Rand }

func newDice(seed uint64, name string, number uint64) dice {
	return dice{rand.New(rand.NewPCG(seed, hashOf(name)+number*0x9e3779b97f4a7c15))}
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	x := h.Sum64()
	x ^= x >> 31
	x *= 0x9e3779b97f4a7c15
	return x ^ x>>29
}

// chance reports true with probability p.
func (d dice) chance(p float64) bool { return d.Float64() < p }

// between returns a number between a and b.
func (d dice) between(a, b float64) float64 { return a + (b-a)*d.Float64() }

// scale returns a number between a and b, as likely near the one as near the
// other by ratio.
func (d dice) scale(a, b float64) float64 { return math.Exp(d.between(math.Log(a), math.Log(b))) }

// around returns a number with that median, of a log-normal law.
func (d dice) around(median, sigma float64) float64 { return median * math.Exp(sigma*d.NormFloat64()) }

// wait returns the time to the next event of a process without memory.
func (d dice) wait(mean time.Duration) time.Duration {
	return time.Duration(float64(mean) * min(d.ExpFloat64(), 8))
}

// within returns t with that share of jitter to both sides.
func (d dice) within(t time.Duration, jitter float64) time.Duration {
	return time.Duration(float64(t) * (1 + jitter*(2*d.Float64()-1)))
}

// trials returns how many throws with probability p fail before one succeeds.
func (d dice) trials(p float64) int {
	return int(math.Log(1-d.Float64()) / math.Log(1-p))
}

// poisson returns a number of independent events.
func (d dice) poisson(mean float64) int {
	n, limit, x := 0, math.Exp(-mean), d.Float64()
	if mean > 30 { // where exp would lose precision, the normal law is near
		return max(0, int(math.Round(mean+math.Sqrt(mean)*d.NormFloat64())))
	}
	for x > limit {
		n++
		x *= d.Float64()
	}
	return n
}

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }

// some returns n different numbers below limit, or as many as there are.
func (d dice) some(n, limit int) []int { return d.Perm(limit)[:min(n, limit)] }
