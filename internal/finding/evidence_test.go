package finding

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
)

// dates returns days of an edge.
func dates(from int32, n int) []detect.Day {
	var all []detect.Day
	for i := range n {
		all = append(all, detect.Day{Date: from + int32(i)})
	}
	return all
}

func TestCover(t *testing.T) {
	for _, c := range []struct {
		name  string
		edges []detect.Edge
		want  Evidence
	}{
		{"nothing", nil, Evidence{Days: 1}},
		{"a moment", []detect.Edge{{Host: "a", First: now, Last: now, Daily: dates(9, 1)}}, Evidence{now, now, 1, 1}},
		{"an hour about midnight is one day", []detect.Edge{
			{Host: "a", First: now, Last: now.Add(time.Hour), Daily: dates(9, 2)},
		}, Evidence{now, now.Add(time.Hour), 1, 1}},
		{"two weeks", []detect.Edge{
			{Host: "a", First: old, Last: now, Daily: dates(5, 11)}, {Host: "b", First: old.Add(-4 * day), Last: old, Daily: dates(1, 5)},
		}, Evidence{old.Add(-4 * day), now, 15, 2}},
		{"days without evidence are none", []detect.Edge{
			{Host: "a", First: old, Last: now, Daily: append(dates(5, 1), dates(15, 1)...)},
		}, Evidence{old, now, 2, 1}},
	} {
		if diff := cmp.Diff(c.want, Cover(c.edges)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestAFalseDateIsNotTheTime: one host of ten whose clock is wrong, or lies, does
// not say when the evidence begins or ends.
func TestAFalseDateIsNotTheTime(t *testing.T) {
	var edges []detect.Edge
	for i := range 10 {
		edges = append(edges, detect.Edge{Host: fmt.Sprint("h", i), First: old, Last: now, Daily: dates(5, 11)})
	}
	want := Cover(edges)
	for _, at := range []event.Time{event.At(time.Unix(0, 0)), now.Add(3650 * day)} {
		lies := append([]detect.Edge{{Host: "h3", First: at, Last: at, Daily: dates(9999, 1)}}, edges...)
		if diff := cmp.Diff(want, Cover(lies)); diff != "" {
			t.Errorf("%s: %s", at.Std(), diff)
		}
	}
}

func TestNewPrograms(t *testing.T) {
	v := Evidence{Begin: now.Add(-60 * day), End: now, Days: 60, Hosts: 200}
	var edges []detect.Edge
	put := func(program string, hosts int, first event.Time) {
		for i := range hosts {
			for _, domain := range []string{"rare.example", "often.example"} {
				edges = append(edges, detect.Edge{
					Host: fmt.Sprint("h", i), Program: program, Domain: domain, Sessions: int64(len(domain)),
					First: first.Add(time.Duration(i) * time.Hour), Last: now,
				})
			}
		}
	}
	put("spread", 5, now.Add(-10*day))
	put("wide", 100, now.Add(-29*day))
	put("on too few", 3, now.Add(-10*day))
	put("there for long", 100, now.Add(-31*day))
	put("there from the beginning", 100, v.Begin.Add(arrived-1))
	put("", 100, now.Add(-10*day))
	domains := []string{"often.example", "rare.example"}
	want := []NewProgram{
		{Program: "wide", Hosts: 100, FirstSeen: now.Add(-29 * day).Std(), Domains: domains},
		{Program: "spread", Hosts: 5, FirstSeen: now.Add(-10 * day).Std(), Domains: domains},
	}
	if diff := cmp.Diff(want, NewPrograms(edges, v)); diff != "" {
		t.Error(diff)
	}
}

func TestReview(t *testing.T) {
	v := Evidence{Begin: old, End: now, Days: 10, Hosts: 1}
	taken := func(v Evidence, clusters []Cluster) (n int) {
		r := NewReview(v, ten)
		for i := range clusters {
			if r.Takes(&clusters[i]) {
				n++
			}
		}
		return n
	}
	many := each(50, func(i int) (string, string) { return fmt.Sprint("p", i), "h" })
	if n := taken(v, many); n != reviewSize {
		t.Errorf("%d standing clusters, want %d", n, reviewSize)
	}
	one := each(50, func(int) (string, string) { return "p", "h" })
	if n := taken(v, one); n != 6 {
		t.Errorf("%d of one program, want its share", n)
	}
	if n := taken(Evidence{Begin: now.Add(-settled + 1), End: now}, many); n != 0 {
		t.Errorf("%d of evidence that is too short", n)
	}
	later := cluster("p", "d", 1, "a", "b")
	later.Edges[0].First = old.Add(beginning)
	later.Edges[1].First = old.Add(beginning - 1000)
	if n := taken(v, []Cluster{later}); n != 1 {
		t.Error("a cluster that one host had from the beginning is not standing")
	}
	later.Edges[1].First = old.Add(beginning)
	if n := taken(v, []Cluster{later}); n != 0 {
		t.Error("a cluster that came later is standing")
	}
}
