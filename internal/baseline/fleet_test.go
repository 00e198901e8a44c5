package baseline

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/stats"
	"github.com/postern/postern/internal/store"
)

// aggregates is a store that knows only how common things are.
type aggregates struct {
	store.Store
	programs []store.ProgramStat
	domains  []store.DomainStat
	pairs    []store.PairStat
	err      error
}

func (a aggregates) Programs(context.Context) ([]store.ProgramStat, error) { return a.programs, nil }
func (a aggregates) Domains(context.Context) ([]store.DomainStat, error)   { return a.domains, nil }
func (a aggregates) Pairs(context.Context) ([]store.PairStat, error)       { return a.pairs, a.err }

func learn(t *testing.T, a aggregates, edges ...detect.Edge) *Fleet {
	t.Helper()
	classes, err := program.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Learn(context.Background(), a, edges, classes)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// edge is one of program p that sent the bytes over the hours.
func edge(host string, bytes int64, hours int) detect.Edge {
	return detect.Edge{Host: host, Program: "p", Domain: "d", Sessions: 1, BytesOut: bytes, Hours: hours, First: 1, Last: 1}
}

func TestFailureToReadTheStore(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Learn(context.Background(), aggregates{err: broken}, nil, nil); !errors.Is(err, broken) {
		t.Errorf("error %v, want the store's", err)
	}
}

func TestNothingIsKnown(t *testing.T) {
	f := learn(t, aggregates{})
	p := f.Program("never seen")
	if p.Class != program.App || p.Hosts != 0 {
		t.Errorf("a program never seen is of class %s on %d hosts", p.Class, p.Hosts)
	}
	for name, s := range map[string]Share{
		"links": p.Links(1), "bytes": p.AtLeastBytes(0), "hours": p.AtLeastHours(0), "periodic": p.Periodic(0), "hosts": f.OnHosts(p),
	} {
		if s != (Share{}) {
			t.Errorf("%s: %+v of nothing", name, s)
		}
	}
	if f.OtherHosts("d") != 0 || f.PairHosts("p", "d") != 0 || f.Hosts != 0 {
		t.Error("an empty fleet knows something")
	}
}

func TestFleetIsOfEdges(t *testing.T) {
	a, b, c := edge("a", 0, 1), edge("b", 0, 1), edge("a", 0, 1)
	a.First, a.Last = 50, 60
	b.First, b.Last = 40, 41
	c.First, c.Last = 70, 90
	f := learn(t, aggregates{}, a, b, c)
	if f.Hosts != 2 || f.First != 40 || f.Last != 90 {
		t.Errorf("%d hosts from %d to %d, want 2 from 40 to 90", f.Hosts, f.First, f.Last)
	}
	if got := f.Span(event.Time(40).Add(time.Hour)); got != time.Hour {
		t.Errorf("an hour after the first session is %v into the evidence", got)
	}
}

// TestAnEdgeDoesNotVouchForItself: what is asked about is always left out.
func TestAnEdgeDoesNotVouchForItself(t *testing.T) {
	unknown := edge("d", 0, 1)
	unknown.UnknownBytes = 1
	f := learn(t, aggregates{
		programs: []store.ProgramStat{{Program: "p", Hosts: 4, Domains: 3}},
		domains:  []store.DomainStat{{Domain: "alone", Hosts: 1}, {Domain: "d", Hosts: 4}},
		pairs: []store.PairStat{
			{Edge: store.Edge{Program: "p", Domain: "alone"}, Hosts: 1},
			{Edge: store.Edge{Program: "p", Domain: "two"}, Hosts: 2},
			{Edge: store.Edge{Program: "p", Domain: "d"}, Hosts: 4},
		},
	}, edge("a", 100, 1), edge("b", 100, 5), edge("c", 900, 9), unknown)
	p := f.Program("p")
	for _, c := range []struct {
		name      string
		got, want Share
	}{
		{"hosts", f.OnHosts(p), Share{3, 3}},
		{"links of one host", p.Links(1), Share{0, 6}},
		{"links of up to two", p.Links(2), Share{2, 6}},
		{"links of up to three", p.Links(3), Share{2, 6}},
		{"all links", p.Links(4), Share{6, 6}},
		{"the most bytes; unknown ones are no number", p.AtLeastBytes(900), Share{0, 2}},
		{"more bytes than any", p.AtLeastBytes(901), Share{0, 2}},
		{"as many bytes as another", p.AtLeastBytes(100), Share{2, 2}},
		{"the most hours", p.AtLeastHours(9), Share{0, 3}},
		{"some hours", p.AtLeastHours(5), Share{1, 3}},
		{"an hour", p.AtLeastHours(1), Share{3, 3}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
	if f.OtherHosts("alone") != 0 || f.OtherHosts("d") != 3 {
		t.Errorf("%d and %d other hosts, want 0 and 3", f.OtherHosts("alone"), f.OtherHosts("d"))
	}
	if f.PairHosts("p", "two") != 2 || f.PairHosts("q", "two") != 0 {
		t.Error("the hosts of a pair")
	}
}

// TestPeriodicLeavesOut: an edge is left out of the number of periodic edges
// only if it was counted there.
func TestPeriodicLeavesOut(t *testing.T) {
	timed := func(host string, p, scale float64) detect.Edge {
		e := edge(host, 0, 1)
		e.Timing = stats.Result{P: p, Scale: scale}
		return e
	}
	f := learn(t, aggregates{programs: []store.ProgramStat{{Program: "p", Hosts: 5}}},
		timed("a", 1e-5, 2), timed("b", 1e-4, 30), timed("c", 0.03, 2), timed("d", 0.9, 2), timed("e", 1, 0))
	p := f.Program("p")
	for _, c := range []struct {
		p    float64
		want Share
	}{
		{1e-5, Share{1, 3}}, // one of the two
		{0.03, Share{2, 3}}, // neither of them
	} {
		if got := p.Periodic(c.p); got != c.want {
			t.Errorf("beside an edge with p = %v: %+v, want %+v", c.p, got, c.want)
		}
	}
}

func TestClassIsOfTheImage(t *testing.T) {
	chrome := edge("a", 0, 1)
	chrome.Image = `C:\Program Files\Google\Chrome\Application\chrome.exe`
	nameless := edge("b", 0, 1)
	a := aggregates{programs: []store.ProgramStat{{Program: "p", Hosts: 2}}}
	for _, edges := range [][]detect.Edge{{chrome, nameless}, {nameless, chrome}} {
		if got := learn(t, a, edges...).Program("p").Class; got != program.Browser {
			t.Errorf("class %s, want %s", got, program.Browser)
		}
	}
	if got := learn(t, a, nameless).Program("p").Class; got != program.App {
		t.Errorf("class %s without an image, want %s", got, program.App)
	}
}

func TestShrunk(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		of := rapid.Int64Range(0, 1e6).Draw(r, "of")
		s := Share{rapid.Int64Range(0, of).Draw(r, "count"), of}
		prior, weight := rapid.Float64Range(0.01, 1).Draw(r, "prior"), rapid.Float64Range(1, 100).Draw(r, "weight")
		got := s.Shrunk(prior, weight)
		plain := prior
		if of > 0 {
			plain = float64(s.Count) / float64(of)
		}
		if got < min(prior, plain)-1e-9 || got > max(prior, plain)+1e-9 {
			r.Errorf("%v is not between the share %v and the prior %v", got, plain, prior)
		}
		if got <= 0 {
			r.Errorf("%v: what was never seen is still possible", got)
		}
	})
}
