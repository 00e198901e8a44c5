package finding

import (
	"cmp"
	"slices"

	"github.com/postern/postern/internal/detect"
)

// A Cluster is what becomes one finding: the edges of one program to one
// registered domain, over all hosts.
type Cluster struct {
	Program string
	Domain  string
	Best    *detect.Edge // the edge with the highest score, which the finding's parts explain
	Score   float64      // of that edge
}

// Clusters groups edges, whose scores stand beside them, and ranks the groups:
// by score, then by program and domain, so that the order never depends on
// that of the input.
func Clusters(edges []detect.Edge, scores []float64) []Cluster {
	type key struct{ program, domain string }
	groups := make(map[key]Cluster)
	for i := range edges {
		e := &edges[i]
		k := key{e.Program, e.Domain}
		c, ok := groups[k]
		if !ok || scores[i] > c.Score || scores[i] == c.Score && e.Host < c.Best.Host {
			groups[k] = Cluster{e.Program, e.Domain, e, scores[i]}
		}
	}
	all := make([]Cluster, 0, len(groups))
	for _, c := range groups {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Cluster) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Program, b.Program), cmp.Compare(a.Domain, b.Domain))
	})
	return all
}
