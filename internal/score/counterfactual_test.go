package score

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern/postern/internal/detect"
)

// TestCounterfactualsAreTrue: what a clause says does take the score below the
// cut, where it can be tried on the evidence itself.
func TestCounterfactualsAreTrue(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		edges := anyEstate(r)
		i := rapid.IntRange(0, len(edges)-1).Draw(r, "edge")
		s := scorer(r, edges...)
		e := edges[i]
		cut := s.Score(&e) - rapid.Float64Range(0, 6).Draw(r, "below")
		for _, text := range s.Counterfactual(&e, cut) {
			if text == "" || strings.Contains(text, "%!") {
				r.Errorf("%q says nothing", text)
			}
			quiet := e
			switch {
			case strings.HasPrefix(text, "its contacts"):
				quiet.Timing.P = 1
			case strings.HasPrefix(text, "it sent less"):
				quiet = *scaled(&e, 0)
			default:
				continue
			}
			if got := s.Score(&quiet); got >= cut {
				r.Errorf("%q, and yet it scores %v, not below %v", text, got, cut)
			}
		}
	})
}

// TestSeenOnMoreHosts: the number of hosts is the least of those tried that
// does, held against a fleet that has them.
func TestSeenOnMoreHosts(t *testing.T) {
	fleet := func(more int) ([]detect.Edge, detect.Edge) {
		odd := edge("h000", unknown, "a.example.net")
		edges := []detect.Edge{odd}
		for i := range 40 {
			edges = append(edges, edge(fmt.Sprintf("h%03d", i), chrome, "www.example.com"))
			if i > 0 && i <= more {
				edges = append(edges, edge(fmt.Sprintf("h%03d", i), unknown, "a.example.net"))
			}
		}
		return edges, odd
	}
	edges, odd := fleet(0)
	s := scorer(t, edges...)
	cut := s.Score(&odd) - 1
	clauses := s.Counterfactual(&odd, cut)
	var n int
	if len(clauses) == 0 {
		t.Fatal("nothing would take it off the list")
	}
	if _, err := fmt.Sscanf(clauses[0], "%d more host", &n); err != nil {
		t.Fatalf("%q: %v", clauses[0], err)
	}
	edges, odd = fleet(n)
	if got := scorer(t, edges...).Score(&odd); got >= cut+0.5 {
		t.Errorf("on %d more hosts it scores %v, and was to be below %v", n, got, cut)
	}
}

func TestNoSingleChange(t *testing.T) {
	e := edge("h0", unknown, "a.example.net")
	if got := scorer(t, e, edge("h1", chrome, "www.example.com")).Counterfactual(&e, math.Inf(-1)); len(got) != 0 {
		t.Errorf("%q", got)
	}
}
