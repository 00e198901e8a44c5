package finding

import (
	"cmp"
	"slices"

	"github.com/postern/postern/internal/score"
)

// A Cluster is what becomes one finding: the edges of one program to one
// registered domain, over all hosts.
type Cluster struct {
	Program string
	Domain  string
	Best    score.Scored   // the edge with the highest score, which the finding's parts explain
	Edges   []score.Scored // the best first
}

// Clusters groups scored edges and ranks the groups: by score, then by program
// and domain, so that the order never depends on that of the input.
func Clusters(edges []score.Scored) []Cluster {
	type key struct{ program, domain string }
	groups := make(map[key]*Cluster)
	for _, e := range edges {
		k := key{e.Program, e.Domain}
		c := groups[k]
		if c == nil {
			c = &Cluster{Program: e.Program, Domain: e.Domain}
			groups[k] = c
		}
		c.Edges = append(c.Edges, e)
	}
	all := make([]Cluster, 0, len(groups))
	for _, c := range groups {
		slices.SortFunc(c.Edges, func(a, b score.Scored) int {
			return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Host, b.Host))
		})
		c.Best = c.Edges[0]
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Cluster) int {
		return cmp.Or(cmp.Compare(b.Best.Score, a.Best.Score),
			cmp.Compare(a.Program, b.Program), cmp.Compare(a.Domain, b.Domain))
	})
	return all
}
