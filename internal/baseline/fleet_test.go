package baseline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/stats"
)

const (
	app     = `%programfiles%\acme\acme.exe`
	dropped = `%public%\x.exe`
	svchost = `%system%\svchost.exe`
)

var from = event.At(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC))

func learn(t testing.TB, edges []detect.Edge, of func(string) []Attribute) *Fleet {
	t.Helper()
	classes, err := program.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(edges, func(a, b detect.Edge) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Program, b.Program), cmp.Compare(a.Domain, b.Domain))
	})
	return Learn(edges, classes, of)
}

// edge is one of a program on a host to a domain, all fortnight long.
func edge(host, key, domain string, change ...func(*detect.Edge)) detect.Edge {
	e := detect.Edge{
		Host: host, Program: key, Domain: domain, Sessions: 1, BytesOut: 1000, Hours: 1,
		First: from, Last: from.Add(14 * 24 * time.Hour), Named: true,
	}
	for _, c := range change {
		c(&e)
	}
	return e
}

func host(i int) string { return fmt.Sprintf("h%03d", i) }

func TestNothingIsKnown(t *testing.T) {
	f := learn(t, nil, nil)
	a := f.View().About(&detect.Edge{Host: "h", Program: app, Domain: "d"})
	if a.Class != program.App || a.Others() != 0 || a.OtherPairs() != 0 || f.OtherHosts("d") != 0 || f.Hosts != 0 {
		t.Error("an empty fleet knows something")
	}
	for name, p := range map[string]float64{
		"links": a.Links(0, 0.2), "hours": a.AtLeast(Hours, 5), "bytes": a.AtLeast(BytesOut, 1e9),
		"cell": a.Cell(0), "young": a.Young(0),
	} {
		if !(p > 0 && p <= 1) {
			t.Errorf("%s: %v of nothing", name, p)
		}
	}
}

// TestOneHostOneVote: however much a host does, it counts once, and not at all
// for itself.
func TestOneHostOneVote(t *testing.T) {
	var edges []detect.Edge
	for i := range 1000 {
		edges = append(edges, edge("h000", app, fmt.Sprintf("d%d.example", i)))
	}
	edges = append(edges, edge(host(1), app, "d1.example"))
	f := learn(t, edges, nil)
	v := f.View()
	for i, want := range map[int]float64{0: 1, 1000: 1} {
		if got := v.About(&edges[i]).Others(); got != want {
			t.Errorf("edge %d: on %v other hosts, want %v", i, got, want)
		}
	}
	if a := v.About(&edges[0]); a.Hosts() != 2 {
		t.Errorf("on %d hosts, want 2", a.Hosts())
	}
}

// TestAHostDoesNotVouchForItself: what a host's own program does elsewhere
// changes nothing about its edges.
func TestAHostDoesNotVouchForItself(t *testing.T) {
	loud := func(e *detect.Edge) {
		e.Hours, e.BytesOut, e.Timing = 200, 5e9, stats.Result{N: 50, Scale: 2, P: 1e-9}
	}
	about := func(own int) About {
		var edges []detect.Edge
		for i := range own {
			edges = append(edges, edge("h000", app, fmt.Sprintf("own%d.example", i), loud))
		}
		for i := range 30 {
			edges = append(edges, edge(host(1+i%5), app, fmt.Sprintf("d%d.example", i), func(e *detect.Edge) {
				e.Timing = stats.Result{N: 50, Scale: 2, P: 0.9}
			}))
		}
		f := learn(t, edges, nil)
		e := edge("h000", app, "own0.example", loud)
		return f.View().About(&e)
	}
	few, many := about(1), about(40)
	for name, of := range map[string]func(About) float64{
		"links":    func(a About) float64 { return a.Links(0, 0.2) },
		"hours":    func(a About) float64 { return a.AtLeast(Hours, 200) },
		"bytes":    func(a About) float64 { return a.AtLeast(BytesOut, 5e9) },
		"periodic": func(a About) float64 { q, _ := a.Periodic(0.2); return q },
	} {
		if x, y := of(few), of(many); math.Abs(x-y) > 1e-9 {
			t.Errorf("%s: %v, and %v when the host does it 40 times", name, x, y)
		}
	}
}

// TestOthersExcuse: what the program does on other hosts is normal.
func TestOthersExcuse(t *testing.T) {
	about := func(hours int) About {
		var edges []detect.Edge
		for i := range 40 {
			edges = append(edges, edge(host(1+i), app, "d.example", func(e *detect.Edge) { e.Hours = hours }))
		}
		f := learn(t, edges, nil)
		e := edge("h000", app, "d.example")
		return f.View().About(&e)
	}
	if quiet, busy := about(1).AtLeast(Hours, 100), about(150).AtLeast(Hours, 100); busy < 2*quiet {
		t.Errorf("a share of %v where the others are busy, %v where they are not", busy, quiet)
	}
}

// TestWhatAnImageHosts: a service of its own is as rare as its hosts are few;
// a host that does not tell which service it is may have the same.
func TestWhatAnImageHosts(t *testing.T) {
	split := svchost + " [svc:wuauserv]"
	edges := []detect.Edge{edge(host(0), svchost+" [svc:rare]", "d.example")}
	for i := range 9 {
		edges = append(edges, edge(host(1+i), split, "d.example"))
	}
	rare := edges[0]
	f := learn(t, slices.Clone(edges), nil)
	if a := f.View().About(&rare); a.Others() != 0 || a.OtherPairs() != 0 {
		t.Errorf("on %v other hosts, %d with the link, want none", a.Others(), a.OtherPairs())
	}
	for i := range 5 {
		edges = append(edges, edge(host(20+i), svchost, "d.example"))
	}
	f = learn(t, slices.Clone(edges), nil)
	if a := f.View().About(&rare); a.Others() != 5 || a.OtherPairs() != 5 {
		t.Errorf("on %v other hosts, %d with the link; want 5, which do not tell the service", a.Others(), a.OtherPairs())
	}
	plain := edge(host(20), svchost, "d.example")
	if a := f.View().About(&plain); a.Others() != 14 {
		t.Errorf("a service that is not told is on %v other hosts, want all 14 of the image", a.Others())
	}
}

func TestImage(t *testing.T) {
	for key, want := range map[string]string{
		svchost: svchost, svchost + " [svc:x]": svchost, `c:\a [b].exe`: `c:\a [b].exe`, "": "", " []": "",
	} {
		if got := Image(key); got != want {
			t.Errorf("Image(%q) = %q, want %q", key, got, want)
		}
	}
}

// TestSeasoning: a program that any user could have put there counts on other
// hosts only after a week; one that an administrator installed at once.
func TestSeasoning(t *testing.T) {
	const day = 24 * time.Hour
	rollout := func(key string, at time.Duration) []detect.Edge {
		var edges []detect.Edge
		for i := range 40 {
			edges = append(edges, edge(host(i), svchost, "www.example"))
			edges = append(edges, edge(host(i), key, "d.example", func(e *detect.Edge) { e.First = from.Add(at) }))
		}
		return edges
	}
	for _, c := range []struct {
		name string
		key  string
		at   time.Duration
		want float64
	}{
		{"dropped everywhere in a day", dropped, 6 * day, 0},
		{"installed everywhere in a day", app, 6 * day, 39},
		{"there from the beginning", dropped, 0, 39},
	} {
		f := learn(t, rollout(c.key, c.at), nil)
		e := edge(host(3), c.key, "d.example", func(e *detect.Edge) { e.First = from.Add(c.at) })
		if got := f.View().About(&e).Others(); got != c.want {
			t.Errorf("%s: on %v other hosts, want %v", c.name, got, c.want)
		}
	}
	edges := append(rollout(dropped, 4*day), edge("late", dropped, "d.example", func(e *detect.Edge) { e.First = from.Add(12 * day) }))
	late := edges[len(edges)-1]
	if got := learn(t, edges, nil).View().About(&late).Others(); got != 40 {
		t.Errorf("after a week it is on %v other hosts, want 40", got)
	}
}

// TestGroups: a program that all servers have is normal on a server, and rare on
// a workstation; a small group is drawn to the fleet.
func TestGroups(t *testing.T) {
	var edges []detect.Edge
	role := func(h string) []Attribute {
		if h < host(20) {
			return []Attribute{"role server"}
		}
		return []Attribute{"role workstation"}
	}
	for i := range 100 {
		edges = append(edges, edge(host(i), svchost, "www.example"))
		if i < 20 || i == 50 {
			edges = append(edges, edge(host(i), app, "d.example"))
		}
	}
	v := learn(t, edges, role).View()
	server, desk := edge(host(3), app, "d.example"), edge(host(50), app, "d.example")
	a, b := v.About(&server).Others(), v.About(&desk).Others()
	if a < 50 || b > 5 {
		t.Errorf("on a server like on %v others, on a workstation like on %v", a, b)
	}
	if like, group := v.About(&server).Like(); group != "role server" || like != (Share{20, 20}) {
		t.Errorf("%+v of %s", like, group)
	}
}

// TestOrderOfHostsMeansNothing: nor do their names.
func TestOrderOfHostsMeansNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(r, "edges")
		edges := make([]detect.Edge, 0, n)
		seen := make(map[string]bool)
		for range n {
			e := edge(host(rapid.IntRange(0, 4).Draw(r, "host")), rapid.SampledFrom([]string{app, dropped, svchost, svchost + " [svc:a]"}).Draw(r, "program"),
				rapid.SampledFrom([]string{"a.example", "b.example"}).Draw(r, "domain"))
			e.Hours = rapid.IntRange(1, 50).Draw(r, "hours")
			if k := e.Host + e.Program + e.Domain; !seen[k] {
				seen[k] = true
				edges = append(edges, e)
			}
		}
		other := slices.Clone(edges)
		for i := range other {
			var h int
			if _, err := fmt.Sscanf(other[i].Host, "h%d", &h); err != nil {
				r.Fatal(err)
			}
			other[i].Host = host(9 - h)
		}
		pick := rapid.IntRange(0, len(edges)-1).Draw(r, "edge")
		e, same := edges[pick], other[pick]
		a, b := learn(t, edges, nil).View().About(&e), learn(t, other, nil).View().About(&same)
		if a.Others() != b.Others() || a.Links(a.OtherPairs(), .2) != b.Links(b.OtherPairs(), .2) || a.AtLeast(Hours, 9) != b.AtLeast(Hours, 9) {
			r.Error("the order of hosts changes what is normal")
		}
	})
}

func TestBins(t *testing.T) {
	last := -1
	for _, v := range []int64{0, 1, 7, 8, 9, 15, 16, 100, 1e6, 1 << 40, math.MaxInt64} {
		b := binOf(v)
		if b < last || b >= len(histogram{}) {
			t.Errorf("%d is in bin %d, after %d", v, b, last)
		}
		last = b
	}
}

// TestCourse: a day that is unlike its edge's own past and its peers is
// unlikely; what is unknown is no evidence.
func TestCourse(t *testing.T) {
	const days = 14
	daily := func(bytes func(day int) int64) func(*detect.Edge) {
		return func(e *detect.Edge) {
			e.BytesOut, e.Sessions = 0, days
			for i := range days {
				b := bytes(i)
				e.BytesOut += b
				e.Daily = append(e.Daily, detect.Day{Date: int32(from/86_400_000_000) + int32(i), Sessions: 1, BytesOut: b})
			}
		}
	}
	var edges []detect.Edge
	for i := range 60 {
		edges = append(edges, edge(host(i), app, "d.example", daily(func(day int) int64 { return 300_000 + int64(1000*((i*7+day*13)%50)) })))
	}
	odd := edge("odd", app, "d.example", daily(func(day int) int64 {
		if day > 11 {
			return 2e9
		}
		return 300_000
	}))
	edges = append(edges, odd)
	v := learn(t, edges, nil).View()
	loud, _ := v.About(&odd).Course()
	plain, ok := v.About(&edges[5]).Course()
	if !ok || loud.P > 0.1*plain.P {
		t.Errorf("p = %v of the odd one, %v of another", loud.P, plain.P)
	}
	odd.BytesOut = 999
	if _, ok := v.About(&odd).Course(); ok {
		t.Error("little is looked at")
	}
}
