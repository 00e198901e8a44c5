package score

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
)

// bundled learns the edges, and returns them in order, their bundles and who
// scores both.
func bundled(t fataler, edges []detect.Edge) (*Scorer, []detect.Edge, []baseline.Bundle) {
	classes, err := program.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := destination.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	edges = slices.Clone(edges)
	slices.SortFunc(edges, func(a, b detect.Edge) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Program, b.Program), cmp.Compare(a.Domain, b.Domain))
	})
	fleet := baseline.Learn(edges, classes, nil)
	return New(fleet, catalogue, Defaults()), edges, fleet.Bundle(detect.Defaults(), nil)
}

// most returns the highest score of a host's program, by one edge or a bundle.
// The course of a volume is left out: it is held against all of its class, and so
// against the other edges of the same program.
func most(t fataler, edges []detect.Edge, host, program string) float64 {
	s, edges, bundles := bundled(t, edges)
	s.weights = maps.Clone(s.weights)
	s.weights["volume_course"] = 0
	best := math.Inf(-1)
	for i := range edges {
		if edges[i].Host == host && edges[i].Program == program {
			best = max(best, s.Score(&edges[i]))
		}
	}
	for i := range bundles {
		if bundles[i].Host == host && bundles[i].Program == program {
			best = max(best, s.Bundle(&bundles[i], edges))
		}
	}
	return best
}

// anySpread draws a few hosts whose programs have destinations of their own. No
// two hosts share one: what a loss on one does to how common another's are is no
// matter of bundles.
func anySpread(r *rapid.T) []detect.Edge {
	var edges []detect.Edge
	for h, service := range []string{"v10.events.data.microsoft.com", "api.telegram.org", "x.ngrok.io"} {
		image := rapid.SampledFrom([]string{onedrive, svchost, rundll, unknown, appdata, rclone, displaced}).Draw(r, "image")
		names := []string{service}
		for i := range rapid.IntRange(2, 6).Draw(r, "own") {
			names = append(names, fmt.Sprintf("www.own%d-%d.example", h, i))
		}
		for _, name := range names {
			if e := anyEdge(r); rapid.Bool().Draw(r, "there") {
				drawn := edge(fmt.Sprint("h", h), image, name)
				e.Host, e.Program, e.Image, e.Name, e.Domain, e.Named = drawn.Host, drawn.Program, drawn.Image, name, drawn.Domain, true
				e.Rung = event.RungExact
				edges = append(edges, e)
			}
		}
	}
	return append(edges, edge("h9", chrome, "www.google.com"))
}

// TestMissingEvidenceNeverRaisesWhatIsTold: the highest score that a host's
// program is told with is not raised by what one of its edges loses, with
// bundles either. The edges here have no starts: how regular the rest of a
// series is, without an edge that was lost to it, is the one thing in which a
// bundle may gain, as noise among its contacts may.
func TestMissingEvidenceNeverRaisesWhatIsTold(t *testing.T) {
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				edges := anySpread(r)
				i := rapid.IntRange(0, len(edges)-1).Draw(r, "edge")
				host, program := edges[i].Host, edges[i].Program
				before := most(r, edges, host, program)
				edges[i] = taken(edges[i], l)
				if after := most(r, edges, host, program); after > before+1e-9 {
					r.Errorf("%v, and %v without %s of %+v", before, after, l.name, edges[i])
				}
			})
		})
	}
}

// TestMissingOwnerOfAMember: nor does a bundle gain by the owner of one of it.
func TestMissingOwnerOfAMember(t *testing.T) {
	for _, n := range []int{3, 4, 20} {
		edges := split(n, 30e6)
		last := len(edges) - 1
		before := most(t, edges, "odd", edges[last].Program)
		program := edges[last].Program
		edges[last].Program, edges[last].Image, edges[last].Rung = "", "", event.RungHost
		if after := most(t, edges, "odd", program); after > before {
			t.Errorf("of %d: %v, and %v without the owner of one", n, before, after)
		}
	}
}

// split has a program send a volume to each of some destinations of its own,
// among hosts whose programs send little.
func split(n int, each int64) []detect.Edge {
	var edges []detect.Edge
	for h := range 60 {
		edges = append(edges, edge(fmt.Sprint("h", h), unknown, "www.example.com"), edge(fmt.Sprint("h", h), svchost, "www.example.org"))
	}
	for i := range n {
		edges = append(edges, edge("odd", unknown, fmt.Sprintf("www.own%d.example", i), func(e *detect.Edge) {
			e.BytesOut = each
			e.Daily = []detect.Day{{Date: int32(from / event.Time(24*time.Hour/time.Microsecond)), Sessions: 1, BytesOut: each}}
		}))
	}
	return edges
}

// TestSplittingIsSeenTogether: what is too little to be evidence at each
// destination is much in all, and what one destination got is no more by being
// taken together with others that got nothing.
func TestSplittingIsSeenTogether(t *testing.T) {
	s, edges, bundles := bundled(t, split(200, 900_000))
	if len(bundles) != 1 {
		t.Fatalf("%d bundles", len(bundles))
	}
	together, alone := s.Bundle(&bundles[0], edges), s.Score(&edges[bundles[0].Of[0]])
	if together <= alone {
		t.Errorf("together %v, each %v", together, alone)
	}
	scored := s.Explain(&bundles[0].Edge)
	var sum float64
	for _, p := range scored.Parts {
		sum += p.Points
		if p.Name == "volume" && !strings.Contains(p.Text, "sent 180 MB to its 200 rare destinations together in 200 sessions") {
			t.Errorf("volume: %s", p.Text)
		}
	}
	if scored.Score != together || math.Abs(sum-together) > 1e-9 || points(scored, "together") != second || points(scored, "volume") <= 0 {
		t.Errorf("%v, explained as %+v", together, scored)
	}

	lopsided := split(5, 1000)
	lopsided[len(lopsided)-1].BytesOut = 50e6
	s, edges, bundles = bundled(t, lopsided)
	best := math.Inf(-1)
	for _, i := range bundles[0].Of {
		best = max(best, s.Score(&edges[i]))
	}
	if together := s.Bundle(&bundles[0], edges); together > best {
		t.Errorf("together %v, the one that got it all %v", together, best)
	}
}

// TestTheWorstMemberSpeaks for the kind of service.
func TestTheWorstMemberSpeaks(t *testing.T) {
	edges := split(3, 1000)
	edges = append(edges, edge("odd", unknown, "api.telegram.org"), edge("odd", unknown, "v10.events.data.microsoft.com"))
	s, edges, bundles := bundled(t, edges)
	s.Bundle(&bundles[0], edges)
	if got := bundles[0].Name; got != "api.telegram.org" {
		t.Errorf("%s speaks for %v", got, bundles[0].Members)
	}
}
