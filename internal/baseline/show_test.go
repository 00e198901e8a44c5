package baseline

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/stats"
)

func priors(program.Class) Priors { return Priors{Rare: 0.2, Periodic: 0.3} }

// TestWeightsAddUp: what is shown of a share is what a score takes of it, and
// its weights say how it came about.
func TestWeightsAddUp(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var edges []detect.Edge
		n := rapid.IntRange(1, 40).Draw(r, "edges")
		keys := []string{app, dropped, svchost, svchost + " [svc:a]", svchost + " [svc:b]"}
		for i := range n {
			edges = append(edges, edge(host(rapid.IntRange(0, 5).Draw(r, "host")), rapid.SampledFrom(keys).Draw(r, "program"),
				fmt.Sprintf("d%d.example", i), func(e *detect.Edge) {
					e.Hours = rapid.IntRange(1, 200).Draw(r, "hours")
					e.Timing = stats.Result{N: 50, Scale: 2, P: rapid.SampledFrom([]float64{1e-6, 0.5}).Draw(r, "p")}
					e.Last = from.Add(time.Duration(rapid.IntRange(1, 40).Draw(r, "days")) * 24 * time.Hour)
				}))
		}
		f := learn(t, edges, nil)
		for _, key := range f.ProgramKeys() {
			s, ok := f.ProgramState(key, priors)
			if !ok {
				r.Fatalf("%s is not known", key)
			}
			for name, e := range map[string]Estimate{"rare": s.Rare, "periodic": s.Periodic} {
				w := e.Weights
				sum := w.Program*ratio(e.Program) + w.Image*ratio(e.Image) + w.Class*ratio(e.Class) + w.Shipped*e.Shipped
				if total := w.Program + w.Image + w.Class + w.Shipped; math.Abs(total-1) > 1e-9 || math.Abs(sum-e.Value) > 1e-9 {
					r.Errorf("%s of %s: weights add up to %v and the share to %v, a score takes %v", name, key, total, sum, e.Value)
				}
			}
		}
	})
}

func ratio(s Share) float64 {
	if s.Of == 0 {
		return 0
	}
	return float64(s.Count) / float64(s.Of)
}

// TestValuesAreThoseOfAScore: a host that does not have the program yet is
// scored by the shown numbers.
func TestValuesAreThoseOfAScore(t *testing.T) {
	var edges []detect.Edge
	for i := range 60 {
		edges = append(edges, edge(host(i%20), app, fmt.Sprintf("d%d.example", i/2), func(e *detect.Edge) {
			e.Hours, e.BytesOut = 1+i, int64(1000*i)
		}))
	}
	f := learn(t, edges, nil)
	s, _ := f.ProgramState(app, priors)
	e := edge("stranger", app, "x.example")
	a := f.View().About(&e)
	if got := a.Links(0, 0.2); got != s.Rare.Value {
		t.Errorf("a share of rare links of %v, and %v is shown", got, s.Rare.Value)
	}
	for _, spread := range s.Spreads {
		for i, q := range Quantiles {
			if v := spread.Value[i]; a.AtLeast(spread.Measure, v+1) > 1-q || v > 0 && a.AtLeast(spread.Measure, v) <= 1-q {
				t.Errorf("%s: %v have %d or more, %v have more, at %v", spread.Measure, a.AtLeast(spread.Measure, v), v, a.AtLeast(spread.Measure, v+1), q)
			}
		}
	}
	hours := s.Spreads[Hours]
	if want := [3]int64{30, 54, 60}; hours.Program != want || hours.Known != 60 {
		t.Errorf("%d edges have hours of %v, want 60 of %v", hours.Known, hours.Program, want)
	}
	for i, v := range hours.Class {
		if v > hours.Program[i] || float64(v) < 0.87*float64(hours.Program[i]) {
			t.Errorf("the class has %v: the only program of it has %v", hours.Class, hours.Program)
		}
	}
}

func TestLeastOfBin(t *testing.T) {
	for _, v := range []int64{0, 1, 7, 8, 9, 100, 12345, 1e9, 1 << 40} {
		least := leastOf(binOf(v))
		if least > v || float64(least) < 0.88*float64(v) || binOf(least) != binOf(v) || least > 0 && binOf(least-1) == binOf(v) {
			t.Errorf("the bin of %d begins at %d", v, least)
		}
	}
}

func TestStandings(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		key  string
		at   time.Duration
		want Standing
	}{
		{app, 10 * day, Vouched}, {dropped, 2 * day, Initial}, {dropped, 5 * day, Seasoned}, {dropped, 10 * day, Unseasoned},
	} {
		f := learn(t, []detect.Edge{
			edge("h0", svchost, "d.example"),
			edge("h1", c.key, "d.example", func(e *detect.Edge) { e.First = from.Add(c.at) }),
		}, nil)
		s, _ := f.ProgramState(c.key, priors)
		if s.Standing != c.want {
			t.Errorf("%s after %v is %v, want %v", c.key, c.at, s.Standing, c.want)
		}
		if c.want != Vouched && c.want != Initial && s.Counts != from.Add(c.at+7*day) {
			t.Errorf("its hosts count from %v, want a week after %v", s.Counts.Std(), c.at)
		}
	}
}

func TestHostState(t *testing.T) {
	of := func(string) []Attribute { return []Attribute{"role server"} }
	late := func(e *detect.Edge) { e.First, e.Last = from.Add(100*time.Hour), from.Add(101*time.Hour) }
	f := learn(t, []detect.Edge{
		edge("h0", app, "a.example"), edge("h0", app, "b.example", late), edge("h0", svchost, "a.example"),
		edge("h0", "", "c.example", func(e *detect.Edge) { e.Rung = event.RungHost }),
		edge("h1", svchost, "a.example"),
	}, of)
	got, ok := f.HostState("h0")
	want := HostState{
		Name: "h0", Attributes: []Attribute{"role server"}, First: from, Last: from.Add(14 * 24 * time.Hour),
		Programs: []HostProgram{{app, 0, 2, 2}, {svchost, 1, 1, 1}},
		Links:    3, Young: 1, Unowned: 1, Sessions: 4,
		Rungs: map[event.Rung]int64{event.RungNative: 3, event.RungHost: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Error(diff)
	}
	if _, ok := f.HostState("h9"); ok {
		t.Error("a host that there is not is known")
	}
}

func TestDomainState(t *testing.T) {
	unknown := func(e *detect.Edge) { e.UnknownBytes, e.BytesOut = 1, 0 }
	f := learn(t, []detect.Edge{
		edge("h0", app, "a.example"), edge("h1", app, "a.example", unknown), edge("h1", svchost, "a.example"), edge("h2", app, "b.example"),
	}, nil)
	got, _ := f.DomainState("a.example")
	want := DomainState{
		Domain: "a.example", Hosts: Share{2, 3}, First: from, Last: from.Add(14 * 24 * time.Hour),
		Sessions: 3, Unknown: 1, BytesOut: 2000, Names: []string{""},
		Programs: []DomainProgram{{app, 2, from}, {svchost, 1, from}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := f.DomainState("c.example"); ok {
		t.Error("a domain that nobody went to is known")
	}
}

// TestWhatAnImageHostsIsShown: an image's hosts are those of all that it hosts.
func TestWhatAnImageHostsIsShown(t *testing.T) {
	f := learn(t, []detect.Edge{
		edge("h0", svchost+" [svc:a]", "a.example"), edge("h1", svchost+" [svc:a]", "a.example"), edge("h2", svchost+" [svc:b]", "b.example"),
	}, nil)
	s, _ := f.ProgramState(svchost, priors)
	want := []Hosted{{svchost + " [svc:a]", 2, 2, from}, {svchost + " [svc:b]", 1, 1, from}}
	if diff := cmp.Diff(want, s.Hosted); diff != "" || s.Hosts != (Share{3, 3}) || s.Links != 3 {
		t.Errorf("on %v hosts, %d links: %s", s.Hosts, s.Links, diff)
	}
	if keys := f.ProgramKeys(); !slices.Equal(keys, []string{svchost, svchost + " [svc:a]", svchost + " [svc:b]"}) {
		t.Errorf("programs %q", keys)
	}
}
