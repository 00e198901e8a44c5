package detect

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
)

// to makes a session go to a domain.
func to(domain string, out event.Count) func(*event.Session) {
	return func(s *event.Session) { s.Name, s.Domain, s.BytesOut = "www."+domain, domain, out }
}

// merged measures sessions and merges all edges.
func merged(sessions ...event.Session) (Edge, []Edge) {
	edges := Measure(sessions, Defaults())
	var all []*Edge
	for i := range edges {
		all = append(all, &edges[i])
	}
	return Merge(all, Defaults()), edges
}

// TestMergeIsTheSum: several edges together are what their sessions would be as
// one edge, but for the burst, which is that of one of them.
func TestMergeIsTheSum(t *testing.T) {
	night := noon.Add(15 * time.Hour) // 03:00 of the next day
	m, _ := merged(
		session(noon, to("b.example", 500)), session(noon.Add(time.Minute), to("a.example", event.Unknown)),
		session(noon.Add(time.Hour), to("a.example", 7000)), session(night, to("c.example", 300)),
		session(night.Add(time.Minute), to("b.example", 200), func(s *event.Session) { s.Issuer, s.Subject = "x", "x" }),
	)
	type sums struct {
		Domain                                string
		Members                               []string
		Name                                  string
		Sessions, UnknownBytes, Out, In       int64
		First, Newest, Last                   event.Time
		Hours, OffHours, Days, DailyOut, Most int64
		SelfSigned                            bool
	}
	got := sums{
		m.Domain, m.Members, m.Name, m.Sessions, m.UnknownBytes, m.BytesOut, m.BytesIn, m.First, m.Newest, m.Last,
		int64(m.Hours), int64(m.OffHours), int64(m.Days), m.Daily[1].BytesOut, m.Burst.BytesOut, m.SelfSigned,
	}
	want := sums{
		Several, []string{"a.example", "b.example", "c.example"}, "www.a.example", 5, 1, 8000, 50, noon, night, night.Add(time.Minute),
		3, 1, 2, 500, 7000, true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if m.Began() != night {
		t.Errorf("began %v, want when the newest did", m.Began())
	}
}

// TestRotationHidesARhythm from each edge, and not from all together.
func TestRotationHidesARhythm(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var all []event.Session
	at := noon
	for range 200 {
		all = append(all, session(at, to(fmt.Sprintf("d%d.example", r.IntN(6)), 100)))
		at = at.Add(time.Duration((300 + r.NormFloat64()*20) * float64(time.Second)))
	}
	m, edges := merged(all...)
	if len(edges) != 6 || m.Timing.P > 1e-4 || m.Timing.Period < 280 || m.Timing.Period > 320 {
		t.Errorf("%d edges; together %+v", len(edges), m.Timing)
	}
	for _, e := range edges {
		if e.Timing.P < 10*m.Timing.P {
			t.Errorf("%s shows as much: p = %v, and %v together", e.Domain, e.Timing.P, m.Timing.P)
		}
	}
}

// TestMergeStopsWhereStartsEnd: an edge that keeps only the first of its starts
// does not make the rest of the series look thinner.
func TestMergeStopsWhereStartsEnd(t *testing.T) {
	var all []event.Session
	for i := range 4 * maxStarts {
		domain := "busy.example"
		if i%4 == 0 {
			domain = "rare.example"
		}
		all = append(all, session(noon.Add(time.Duration(i)*time.Minute), to(domain, 1)))
	}
	m, _ := merged(all...)
	if n := m.Timing.N; n < maxStarts || n > maxStarts*4/3+1 {
		t.Errorf("the test looked at %d starts", n)
	}
	if len(m.Starts) > 0 {
		t.Error("the merged edge keeps starts")
	}
}

func TestDomains(t *testing.T) {
	one, two := Edge{Domain: "a"}, Edge{Domain: Several, Members: []string{"a", "b"}}
	if diff := cmp.Diff([][]string{{"a"}, {"a", "b"}}, [][]string{one.Domains(), two.Domains()}); diff != "" {
		t.Error(diff)
	}
}
