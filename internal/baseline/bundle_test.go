package baseline

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/stats"
)

const chrome = `%programfiles%\google\chrome\application\chrome.exe`

// visits are edges of a host's program to n domains of its own.
func visits(host, key string, n int, change ...func(*detect.Edge)) []detect.Edge {
	var all []detect.Edge
	for i := range n {
		all = append(all, edge(host, key, fmt.Sprintf("%s-%d.example", host, i), change...))
	}
	return all
}

// TestWhatIsBundled holds which destinations count as rare.
func TestWhatIsBundled(t *testing.T) {
	named := func(key, domain string, change ...func(*detect.Edge)) detect.Edge {
		return edge("h", key, domain, append(change, func(e *detect.Edge) { e.Image = `C:\` + key })...)
	}
	young := func(e *detect.Edge) { e.First = from.Add(5 * 24 * time.Hour) }
	unnamed := func(e *detect.Edge) { e.Named = false }
	for _, c := range []struct {
		name  string
		edges []detect.Edge
		want  []string
	}{
		{"three", visits("h", app, 3), []string{"h-0.example", "h-1.example", "h-2.example"}},
		{"two", visits("h", app, 2), nil},
		{"a browser's", visits("h", chrome, 9, func(e *detect.Edge) { e.Image = `C:\Program Files\Google\Chrome\Application\chrome.exe` }), nil},
		{"nobody's", visits("h", "", 9), nil},
		{"of two programs", append(visits("h", app, 2), named(dropped, "x.example"), named(dropped, "y.example")), nil},
		{"without a name", append(visits("h", app, 2), named(app, "192.0.2.1", unnamed)), nil},
		{
			"one that the program goes to elsewhere", append(visits("h", app, 3), named(app, "d.example"), edge(host(1), app, "d.example")),
			[]string{"h-0.example", "h-1.example", "h-2.example"},
		},
		{
			"one that all go to, by another program", append(visits("h", app, 3), named(app, "www.example")),
			[]string{"h-0.example", "h-1.example", "h-2.example"},
		},
		{
			"one that all go to, new on the host", append(visits("h", app, 3), named(app, "www.example", young)),
			[]string{"h-0.example", "h-1.example", "h-2.example", "www.example"},
		},
	} {
		for i := range 10 {
			c.edges = append(c.edges, edge(host(i), svchost, "www.example"))
		}
		c.edges = append(c.edges, edge("h", svchost, "start.example"))
		f := learn(t, c.edges, nil)
		var got []string
		for _, b := range f.Bundle(detect.Defaults(), nil) {
			got = append(got, b.Members...)
			for i, at := range b.Of {
				if e := c.edges[at]; e.Domain != b.Members[i] || e.Host != b.Host || e.Program != b.Program {
					t.Errorf("%s: member %d is %+v", c.name, i, e)
				}
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestWhatIsExpectedIsNotBundled(t *testing.T) {
	f := learn(t, visits("h", app, 3), nil)
	if got := f.Bundle(detect.Defaults(), func(e *detect.Edge) bool { return e.Domain == "h-1.example" }); len(got) != 0 {
		t.Errorf("bundled: %+v", got)
	}
}

// TestBundlesAreComparedWithBundles: where many programs send much to their rare
// destinations together, one that does is nothing special; where nobody has
// such, the edges say what is much.
func TestBundlesAreComparedWithBundles(t *testing.T) {
	share := func(hosts int) float64 {
		var edges []detect.Edge
		for i := range hosts {
			edges = append(edges, visits(host(i), app, 20, func(e *detect.Edge) { e.BytesOut = 1e6 })...)
		}
		for i := range 200 {
			edges = append(edges, edge(host(i), app, "www.example"))
		}
		edges = append(edges, visits("odd", app, 20, func(e *detect.Edge) { e.BytesOut = 1e6 })...)
		f := learn(t, edges, nil)
		bundles := f.Bundle(detect.Defaults(), nil)
		if len(bundles) != hosts+1 {
			t.Fatalf("%d bundles, want %d", len(bundles), hosts+1)
		}
		b := &bundles[hosts].Edge
		if b.Host != "odd" || b.BytesOut != 20e6 {
			t.Fatalf("%+v", b)
		}
		return f.View().About(b).AtLeast(BytesOut, b.BytesOut)
	}
	if alone, among := share(0), share(100); alone > 0.05 || among < 0.5 {
		t.Errorf("%v of bundles are as large where there is no other, %v where there are a hundred", alone, among)
	}
}

// TestARhythmOfAllTogether is explained by the habits of single edges only if it
// is theirs.
func TestARhythmOfAllTogether(t *testing.T) {
	rhythm := func(p float64) func(*detect.Edge) {
		return func(e *detect.Edge) { e.Timing = stats.Result{N: 50, Scale: 2, Period: 60, P: p} }
	}
	share := func(own float64) float64 {
		var edges []detect.Edge
		for i := range 50 {
			edges = append(edges, edge(host(i), app, "www.example", rhythm(1e-6)))
		}
		edges = append(edges, visits("h", app, 3, rhythm(own))...)
		f := learn(t, edges, nil)
		bundles := f.Bundle(detect.Defaults(), nil)
		got, _ := f.View().About(&bundles[0].Edge).Periodic(0.2)
		return got
	}
	if a, b := share(1), share(1e-6); a != 0.2 || b < 0.5 {
		t.Errorf("a rhythm of all together is usual to %v, one of each to %v", a, b)
	}
}

// TestTheLeastCommonCounts: going to a common destination as well hides nothing.
func TestTheLeastCommonCounts(t *testing.T) {
	edges := visits("h", app, 3, func(e *detect.Edge) { e.First = from.Add(5 * 24 * time.Hour) })
	edges = append(edges, edge("h", svchost, "start.example"))
	for i := range 30 {
		edges = append(edges, edge(host(i), svchost, "h-0.example"))
	}
	f := learn(t, edges, nil)
	bundles := f.Bundle(detect.Defaults(), nil)
	if got := f.View().About(&bundles[0].Edge).OtherHosts(); len(bundles) != 1 || len(bundles[0].Of) != 3 || got != 0 {
		t.Errorf("%d other hosts; %+v", got, bundles)
	}
}
