package stats

import (
	"math"
	"slices"
)

// The exponential tail is fitted below the 93 % quantile of a reference and
// never above: the few of a reference that do what is looked for are at its
// top, and a tail fitted to them would find nothing any more.
const (
	fitTo = 0.93
	above = 1 - fitTo
)

// fitFrom are the quantiles that the tail is fitted from.
var fitFrom = [...]float64{0.70, 0.50}

// leastP is the least p-value that is told: a chance is never none.
const leastP = 1e-300

// fewest is how many values a reference must have for its tail to be
// extrapolated.
const fewest = 30

// A Tail tells how unusual a high value is against a reference. The zero Tail
// has none, so that nothing is unusual to it.
type Tail struct{ parts []tailPart }

// A tailPart is the reference of one sample.
type tailPart struct {
	weight float64
	sorted []float64
	edge   float64 // where the exponential tail begins; +Inf for none
	fall   float64 // the scale of the tail
}

// NewTail returns the tail of a reference sample in any order, which it does
// not keep. A few per cent of it may be contaminated by the very thing that is
// looked for. NaN are left out.
//
// Up to the 93 % quantile u a chance is the share of the reference that is as
// high, the value itself counted in: (1 + #{r ≥ x})/(n + 1). Beyond, it is
// 0.07·exp(−(x−u)/β) with β = (u − Q70)/ln(0.30/0.07), or that of the median
// where it is slower: a statistic of few values may have one of them at both
// quantiles. A reference of fewer than 30 values, or one that is a single
// value from the median to the 93 % quantile, tells nothing of its tail: there
// the rank holds throughout, and no chance is less than 1/(n + 1).
func NewTail(reference []float64) Tail {
	sorted := make([]float64, 0, len(reference))
	for _, x := range reference {
		if !math.IsNaN(x) {
			sorted = append(sorted, x)
		}
	}
	slices.Sort(sorted)
	p := tailPart{weight: 1, sorted: sorted, edge: math.Inf(1)}
	if len(sorted) >= fewest {
		u := sortedQuantile(sorted, fitTo)
		if fall := slowest(sorted, u); fall > 1e-9*math.Abs(u) && !math.IsInf(fall, 1) {
			p.edge, p.fall = u, fall
		}
	}
	return Tail{[]tailPart{p}}
}

// slowest returns the scale of the slowest tail that is fitted up to u.
func slowest(sorted []float64, u float64) float64 {
	fall := 0.0
	for _, from := range fitFrom {
		fall = max(fall, (u-sortedQuantile(sorted, from))/math.Log((1-from)/above))
	}
	return fall
}

// P returns the chance that the reference is as high as x, within (0, 1]. It
// is 1 for NaN: what is unknown is no evidence.
func (t Tail) P(x float64) float64 {
	if math.IsNaN(x) || len(t.parts) == 0 {
		return 1
	}
	p := 0.0
	for i := range t.parts {
		p += t.parts[i].weight * t.parts[i].p(x)
	}
	return min(p, 1)
}

func (t *tailPart) p(x float64) float64 {
	if x > t.edge {
		return exponential(x, above, t.edge, t.fall)
	}
	lower, _ := slices.BinarySearch(t.sorted, x)
	rank := float64(1+len(t.sorted)-lower) / float64(len(t.sorted)+1)
	if math.IsInf(t.edge, 1) {
		return rank
	}
	return max(rank, above)
}

// exponential is the tail beyond an edge where the chance is p.
func exponential(x, p, edge, fall float64) float64 {
	return max(p*math.Exp(-(x-edge)/fall), leastP)
}

// localWeight is how many local values are worth as much as a shipped
// reference.
const localWeight = 2000

// Blend returns the tail of a shipped reference into which a local one of n
// values grows: local has the weight n/(n + 2000), as if the shipped one were
// 2,000 values of one sample with the local ones.
func Blend(shipped, local Tail, n int) Tail {
	w := float64(max(n, 0)) / float64(max(n, 0)+localWeight)
	switch {
	case len(shipped.parts) == 0:
		return local
	case len(local.parts) == 0 || w == 0:
		return shipped
	}
	parts := make([]tailPart, 0, len(shipped.parts)+len(local.parts))
	for _, p := range shipped.parts {
		p.weight *= 1 - w
		parts = append(parts, p)
	}
	for _, p := range local.parts {
		p.weight *= w
		parts = append(parts, p)
	}
	return Tail{parts}
}
