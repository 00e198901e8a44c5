package finding

import (
	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/score"
)

// Rank scores the edges that a fleet learnt and the bundles of them, and returns
// the clusters, ranked as [Clusters] does. A bundle whose score is above that of
// each of its members stands for them; any other is left out. The clusters point
// into edges and bundles.
func Rank(s *score.Scorer, edges []detect.Edge, bundles []baseline.Bundle) []Cluster {
	scores := make([]float64, len(edges))
	for i := range edges {
		scores[i] = s.Score(&edges[i])
	}
	g := make(groups)
	folded := make([]bool, len(edges))
	for i := range bundles {
		b := &bundles[i]
		points := s.Bundle(b, edges)
		if !above(points, b.Of, scores) {
			continue
		}
		g.add(&b.Edge, points)
		for _, m := range b.Of {
			folded[m] = true
		}
	}
	for i := range edges {
		if !folded[i] {
			g.add(&edges[i], scores[i])
		}
	}
	return g.ranked()
}

// above reports whether a score is above those of all members.
func above(points float64, members []int, scores []float64) bool {
	for _, m := range members {
		if points <= scores[m] {
			return false
		}
	}
	return true
}
