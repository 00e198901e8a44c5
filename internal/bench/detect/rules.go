package main

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"
)

// references are the rules that the product is compared with.
var references = []ranker{
	{"RITA-like sum", byEdge(rita)},
	{"rarity only", byEdge(rarity)},
	{"behaviour only", byEdge(behaviour)},
	{"Fisher, 5 p-values", byEdge(fisher)},
}

// A rule scores one edge.
type rule func(c *commonness, v view) float64

// byEdge returns the ranking of clusters by their best edge under a rule.
func byEdge(r rule) func(context.Context, []edge) ([]cluster, error) {
	return func(_ context.Context, edges []edge) ([]cluster, error) {
		c := newCommonness(edges)
		best := make(map[pair]cluster)
		for i := range edges {
			v := viewOf(&edges[i])
			s := r(c, v)
			k := pair{v.program, v.domain}
			if b, ok := best[k]; !ok || s > b.score || s == b.score && v.host < b.host {
				best[k] = cluster{program: v.program, domain: v.domain, host: v.host, score: s}
			}
		}
		all := make([]cluster, 0, len(best))
		for _, b := range best {
			all = append(all, b)
		}
		slices.SortFunc(all, func(a, b cluster) int {
			return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.program, b.program), cmp.Compare(a.domain, b.domain))
		})
		return all, nil
	}
}

// A pair is a program and a registered domain.
type pair struct{ program, domain string }

// commonness is how common the fleet's programs, domains and pairs are, and
// how its edges are spread.
type commonness struct {
	hosts    float64
	programs map[string]float64 // hosts
	domains  map[string]float64
	pairs    map[pair]float64

	// Of all edges, ascending.
	byProgram, byDomain, byPair, bytes, hours []float64

	last time.Time
}

// hostsBy counts the hosts of the edges by a key.
func hostsBy[K comparable](edges []edge, key func(*edge) K) map[K]float64 {
	type seen struct {
		key  K
		host string
	}
	met, n := make(map[seen]bool), make(map[K]float64)
	for i := range edges {
		if s := (seen{key(&edges[i]), edges[i].Host}); !met[s] {
			met[s] = true
			n[s.key]++
		}
	}
	return n
}

func newCommonness(edges []edge) *commonness {
	c := &commonness{
		programs: hostsBy(edges, func(e *edge) string { return e.Program }),
		domains:  hostsBy(edges, func(e *edge) string { return e.Domain }),
		pairs:    hostsBy(edges, func(e *edge) pair { return pair{e.Program, e.Domain} }),
	}
	hosts := make(map[string]bool)
	for i := range edges {
		v := viewOf(&edges[i])
		hosts[v.host] = true
		c.byProgram = append(c.byProgram, c.programs[v.program])
		c.byDomain = append(c.byDomain, c.domains[v.domain])
		c.byPair = append(c.byPair, c.pairs[pair{v.program, v.domain}])
		c.bytes = append(c.bytes, float64(v.bytes))
		c.hours = append(c.hours, float64(v.hours))
		if t := edges[i].Last.Std(); t.After(c.last) {
			c.last = t
		}
	}
	c.hosts = float64(len(hosts))
	for _, s := range [][]float64{c.byProgram, c.byDomain, c.byPair, c.bytes, c.hours} {
		slices.Sort(s)
	}
	return c
}

// atMost returns the share of sorted numbers that are no more than x.
func atMost(sorted []float64, x float64) float64 {
	i, _ := slices.BinarySearch(sorted, math.Nextafter(x, math.Inf(1)))
	return (float64(i) + 0.5) / (float64(len(sorted)) + 1)
}

// atLeast returns the share of sorted numbers that are no less than x.
func atLeast(sorted []float64, x float64) float64 {
	i, _ := slices.BinarySearch(sorted, x)
	return (float64(len(sorted)-i) + 0.5) / (float64(len(sorted)) + 1)
}

// timingP returns the p-value of the timing test, 1 where there was none.
func (v view) timingP() float64 {
	if !v.tested {
		return 1
	}
	return min(1, max(v.timing, 1e-9))
}

// rita is the weighted sum of RITA: the better of beacon and long connection,
// more for rare and new destinations, less for common ones. It knows no
// process.
func rita(c *commonness, v view) float64 {
	beacon := stepped(0.5-math.Log10(v.timingP())/16, 0.5, 0.7, 0.9, 1)
	long := stepped(v.longest.Hours(), 1, 4, 8, 12)
	s := max(beacon, long)
	switch prevalence := c.domains[v.domain] / c.hosts; {
	case prevalence <= 0.02:
		s += 0.15
	case prevalence >= 0.5:
		s -= 0.15
	}
	if c.last.Sub(v.first.Std()) <= 7*24*time.Hour {
		s += 0.15
	}
	return s + 1e-4*math.Log1p(float64(v.bytes))
}

// stepped maps x to 0.2, 0.4, 0.6 and 0.8 at four thresholds, straight
// between them, and to nothing below the first.
func stepped(x float64, at ...float64) float64 {
	if x <= at[0] {
		return 0
	}
	for i := 1; i < len(at); i++ {
		if x < at[i] {
			return 0.2 * (float64(i) + (x-at[i-1])/(at[i]-at[i-1]))
		}
	}
	return 0.2 * float64(len(at))
}

// rarity looks at nothing but how few hosts there are.
func rarity(c *commonness, v view) float64 {
	s := -math.Log(c.domains[v.domain]/c.hosts) - 1e-3/float64(max(1, v.hours))
	if v.program != "" {
		s -= math.Log(c.programs[v.program]/c.hosts) + math.Log(c.pairs[pair{v.program, v.domain}]/c.programs[v.program])
	}
	return s
}

// behaviour looks at nothing but rhythm, volume and hours.
func behaviour(c *commonness, v view) float64 {
	return -math.Log(v.timingP()) - math.Log(atLeast(c.bytes, float64(v.bytes))) - math.Log(atLeast(c.hours, float64(v.hours)))
}

// fisher adds up the logarithms of five p-values as if they were of one kind.
func fisher(c *commonness, v view) float64 {
	s := -math.Log(v.timingP()) - math.Log(atLeast(c.bytes, float64(v.bytes))) - math.Log(atMost(c.byDomain, c.domains[v.domain]))
	if v.program != "" {
		s -= math.Log(atMost(c.byProgram, c.programs[v.program])) + math.Log(atMost(c.byPair, c.pairs[pair{v.program, v.domain}]))
	}
	return s
}
