package finding

import (
	"cmp"
	"math"
	"slices"

	"github.com/postern/postern/internal/event"
)

const (
	// fresh is how shortly before the end of the evidence an edge must have
	// begun to be compared with others that are as new.
	fresh = 3 * day

	// fewest is how many clusters a group must have for its tail to be
	// extrapolated. With fewer, no share of false alarms can be told.
	fewest = 1000

	// The tail begins where one cluster in a thousand lies beyond, and falls
	// as it does over the tenth of the clusters before.
	tailFrom, tailFit = 0.999, 0.99
)

// QValues returns a q-value for each cluster: the share of false alarms that is
// to be expected among the clusters that are at least as unusual, after
// Benjamini and Hochberg. It is NaN for a cluster of a group with fewer than
// 1,000, where the scores say too little of chance.
//
// A cluster's p-value is how its score ranks among those of its group, itself
// counted in: the clusters whose best edge is new on its host at the end of the
// evidence, and the others (Mondrian conformal p-values). Nearly all clusters are
// harmless, so that they are the reference of each other; what is not, and is
// among them, hides others like it but makes nothing look stronger.
// A run over a store that is kept scores all that the store holds: the clusters of
// earlier runs are among these, and counting them again would make few look like
// many.
func QValues(clusters []Cluster, end event.Time) []float64 {
	var groups [2][]int
	for i := range clusters {
		g := 0
		if end.Sub(clusters[i].Best.First) < fresh {
			g = 1
		}
		groups[g] = append(groups[g], i)
	}
	p := make([]float64, len(clusters))
	for _, members := range groups {
		chances(clusters, members, p)
	}
	q := falseShares(p)
	for _, members := range groups {
		if len(members) >= fewest {
			continue
		}
		for _, i := range members {
			q[i] = math.NaN()
		}
	}
	return q
}

// chances sets the p-values of the members of a group.
func chances(clusters []Cluster, members []int, p []float64) {
	scores := make([]float64, len(members))
	for i, m := range members {
		scores[i] = clusters[m].Score
	}
	t := newTail(scores)
	for _, m := range members {
		p[m] = t.p(clusters[m].Score)
	}
}

// A tail says how often scores of a group are as high as one.
type tail struct {
	sorted []float64
	from   float64 // where the tail begins; +Inf for none
	fall   float64 // nats, the scale of the tail
	seen   float64 // how many scores the scale is known from
}

// newTail returns the tail of scores, which it puts in order. Beyond the
// quantile u = Q99.9 it is exponential. Its scale is that of the scores from Q99
// to u, where those beyond count as if they were at u: the few at the very top
// are what is looked for, and must not say what is usual.
//
// The scale of a thousand clusters is known from nine. Taken for certain, it
// would give a q-value of 0.2 or less to the highest of a thousand exponential
// scores in 30 of 100 runs, not in 20 (measured; with the logarithm of the two
// quantiles' ratio as the scale). The chance of a next value, given k values
// that it is known from, is (1 + x/(k·scale))^-k: then it is 21.
func newTail(scores []float64) tail {
	slices.Sort(scores)
	t := tail{sorted: scores, from: math.Inf(1)}
	if len(scores) < fewest {
		return t
	}
	u, low := quantile(scores, tailFrom), quantile(scores, tailFit)
	lo, _ := slices.BinarySearch(scores, low)
	hi, _ := slices.BinarySearch(scores, u)
	sum := float64(len(scores)-hi) * (u - low)
	for _, x := range scores[lo:hi] {
		sum += x - low
	}
	if sum <= 0 || math.IsInf(sum, 1) { // one value, or numbers beyond measure
		return t
	}
	t.seen = float64(hi - lo)
	t.from, t.fall = u, sum/t.seen
	return t
}

// p returns the chance of a score of the group, within (0, 1].
func (t *tail) p(x float64) float64 {
	if x > t.from {
		p := (1 - tailFrom) * math.Pow(1+(x-t.from)/(t.fall*t.seen), -t.seen)
		return max(p, math.SmallestNonzeroFloat64)
	}
	lower, _ := slices.BinarySearch(t.sorted, x)
	rank := float64(len(t.sorted)-lower) / float64(len(t.sorted))
	if math.IsInf(t.from, 1) {
		return rank
	}
	return max(rank, 1-tailFrom)
}

// quantile returns a quantile of sorted values, interpolated between two.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-2)
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// falseShares returns the q-values of p-values.
func falseShares(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(p[a], p[b]), cmp.Compare(a, b)) })
	q := make([]float64, len(p))
	least := 1.0
	for rank := len(order); rank > 0; rank-- {
		i := order[rank-1]
		least = min(least, p[i]*float64(len(p))/float64(rank))
		q[i] = least
	}
	return q
}
