package finding

import (
	"cmp"
	"slices"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
)

// A Cluster is what becomes one finding: the edges of one program to one
// registered domain, or to its rare destinations together, over all hosts.
type Cluster struct {
	Program string
	Domain  string         // or detect.Several
	Best    *detect.Edge   // the edge with the highest score, which the finding's parts explain
	Score   float64        // of that edge
	Edges   []*detect.Edge // one for each host, by its name
}

// Clusters groups edges, whose scores stand beside them, and ranks the groups:
// by score, then by program and domain, so that the order never depends on
// that of the input. The clusters point into edges.
func Clusters(edges []detect.Edge, scores []float64) []Cluster {
	g := make(groups)
	for i := range edges {
		g.add(&edges[i], scores[i])
	}
	return g.ranked()
}

// groups are the clusters while they grow.
type groups map[group]*Cluster

type group struct{ program, domain string }

func (g groups) add(e *detect.Edge, score float64) {
	k := group{e.Program, e.Domain}
	c := g[k]
	if c == nil {
		c = &Cluster{Program: e.Program, Domain: e.Domain}
		g[k] = c
	}
	if c.Best == nil || score > c.Score || score == c.Score && e.Host < c.Best.Host {
		c.Best, c.Score = e, score
	}
	c.Edges = append(c.Edges, e)
}

func (g groups) ranked() []Cluster {
	all := make([]Cluster, 0, len(g))
	for _, c := range g {
		slices.SortFunc(c.Edges, func(a, b *detect.Edge) int { return cmp.Compare(a.Host, b.Host) })
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Cluster) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Program, b.Program), cmp.Compare(a.Domain, b.Domain))
	})
	return all
}

// ID returns the identity of the cluster's finding.
func (c *Cluster) ID() string { return ID(c.Program, c.Domain) }

// Members returns the registered domains that edges taken together go to, ordered;
// nil for a cluster of one.
func (c *Cluster) Members() []string {
	var all []string
	for _, e := range c.Edges {
		all = append(all, e.Members...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// First returns when the first session of any host began.
func (c *Cluster) First() event.Time {
	first := c.Best.First
	for _, e := range c.Edges {
		first = min(first, e.First)
	}
	return first
}

// Last returns when the last session of any host began.
func (c *Cluster) Last() event.Time {
	last := c.Best.Last
	for _, e := range c.Edges {
		last = max(last, e.Last)
	}
	return last
}

// BytesOut returns what is known to have left, unknown when of no session.
func (c *Cluster) BytesOut() event.Count {
	var sum int64
	known := false
	for _, e := range c.Edges {
		sum = event.Count(e.BytesOut).AddTo(sum)
		known = known || e.Sessions > e.UnknownBytes
	}
	if !known {
		return event.Unknown
	}
	return event.Count(sum)
}
