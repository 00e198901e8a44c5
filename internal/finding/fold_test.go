package finding

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/score"
)

// visit is an edge of a host's program to a domain.
func visit(host, key, domain string, bytes int64) detect.Edge {
	first := event.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	return detect.Edge{
		Host: host, Program: key, Image: `C:\Tools\t.exe`, Domain: domain, Name: domain, Named: true,
		Sessions: 1, BytesOut: bytes, First: first, Last: first, Hours: 1, Days: 1,
	}
}

// ranked ranks a fleet of edges with their bundles.
func ranked(t *testing.T, edges []detect.Edge) []Cluster {
	t.Helper()
	classes, err := program.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := destination.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(edges, func(a, b detect.Edge) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Program, b.Program), cmp.Compare(a.Domain, b.Domain))
	})
	f := baseline.Learn(edges, classes, nil)
	return Rank(score.New(f, catalogue, score.Defaults()), edges, f.Bundle(detect.Defaults(), nil))
}

// TestRankFolds: a bundle that says more than its members is told instead of
// them; one that does not is not told.
func TestRankFolds(t *testing.T) {
	fleet := func(each int64) []detect.Edge {
		var edges []detect.Edge
		for h := range 40 {
			edges = append(edges, visit(fmt.Sprintf("h%02d", h), `c:\tools\t.exe`, "www.example", 1000))
		}
		for i := range 100 {
			edges = append(edges, visit("h03", `c:\tools\t.exe`, fmt.Sprintf("%d.example", i), each))
		}
		return edges
	}
	type line struct {
		domain  string
		hosts   []string
		members int
	}
	lines := func(clusters []Cluster) []line {
		var all []line
		for _, c := range clusters[:min(2, len(clusters))] {
			l := line{domain: c.Domain, members: len(c.Best.Members)}
			for _, e := range c.Edges {
				l.hosts = append(l.hosts, e.Host)
			}
			all = append(all, l)
		}
		return all
	}
	got := ranked(t, fleet(900_000))
	if diff := gocmp.Diff([]line{{detect.Several, []string{"h03"}, 100}}, lines(got)[:1], gocmp.AllowUnexported(line{})); diff != "" || len(got) != 2 {
		t.Errorf("%d clusters: %s", len(got), diff)
	}
	got = ranked(t, fleet(1000))
	if diff := gocmp.Diff([]line{{"0.example", []string{"h03"}, 0}, {"1.example", []string{"h03"}, 0}}, lines(got), gocmp.AllowUnexported(line{})); diff != "" || len(got) != 101 {
		t.Errorf("%d clusters: %s", len(got), diff)
	}
}

// TestRankWithoutBundles is that of the clusters.
func TestRankWithoutBundles(t *testing.T) {
	edges := []detect.Edge{visit("a", "p", "x.example", 1), visit("a", "p", "y.example", 1), visit("b", "", "x.example", 1)}
	if got := ranked(t, edges); len(got) != 3 {
		t.Errorf("%d clusters, want 3: %+v", len(got), got)
	}
}
