// Package baseline says what is normal: how common a program, a destination
// and the pair of them are among the hosts, and what each program's edges
// usually look like.
//
// Every share that is asked for an edge leaves that edge's own host out: no
// edge vouches for itself. One host has one vote, however much it does. Where
// little is known of a program its image counts, then its class, then what is
// shipped with Postern: small numbers are drawn to what is known of more.
package baseline

import (
	"strings"
	"time"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
)

// periodic is the p-value of the timing test below which an edge counts as
// periodic for its program's base rate.
const periodic = 0.01

// An Attribute is what a host has in common with others, as its role. The text
// is of its kind and its value: "role server".
type Attribute string

// A Fleet is what all hosts together look like. It is safe for concurrent use
// once learnt.
type Fleet struct {
	// Hosts is the number of hosts that made any session.
	Hosts int64

	// First and Last bound the sessions' starts, but for a few hosts whose
	// clocks may be anywhere; see [detect.Period].
	First, Last event.Time

	began    map[string]event.Time // each host's first session
	of       func(host string) []Attribute
	groups   map[Attribute]int64 // hosts
	programs map[string]*profile
	images   map[string]*profile // of the images that host others, all they run together
	domains  map[string]int64    // hosts, by any program
	pairs    map[pair]*hostCount
	classes  map[program.Class]*class
	edges    []detect.Edge
	counted  []counted   // where each edge counts
	known    int64       // edges that count for their class
	runs     map[run]int // where the edges of a host's program begin
	shipped  *program.Classes
	bundled  bundled
}

// A pair is a program, or an image, and a registered domain.
type pair struct {
	program string
	image   bool
	domain  string
}

// A hostCount counts hosts, in all and by what they have in common.
type hostCount struct {
	n       int64
	last    string // the host counted last: they come one after the other
	daily   dayLog
	grouped map[Attribute]int64
}

func (c *hostCount) add(host string, attributes []Attribute) {
	if c.n > 0 && c.last == host {
		return
	}
	c.n, c.last = c.n+1, host
	for _, a := range attributes {
		if c.grouped == nil {
			c.grouped = make(map[Attribute]int64)
		}
		c.grouped[a]++
	}
}

// Learn makes the fleet from the measured edges, which must stand in order of
// host and program. The function gives a host's attributes, the most general
// first; it may be nil.
func Learn(edges []detect.Edge, classes *program.Classes, of func(host string) []Attribute) *Fleet {
	if of == nil {
		of = func(string) []Attribute { return nil }
	}
	f := &Fleet{
		began: make(map[string]event.Time), of: of, groups: make(map[Attribute]int64),
		programs: make(map[string]*profile), images: make(map[string]*profile),
		domains: make(map[string]int64), pairs: make(map[pair]*hostCount),
		classes: make(map[program.Class]*class), shipped: classes,
	}
	for i := range edges {
		if image := Image(edges[i].Program); image != edges[i].Program {
			f.images[image] = newProfile(program.App)
		}
	}
	runs(edges, func(e *detect.Edge) string { return e.Host }, f.host)
	f.Hosts = int64(len(f.began))
	period := detect.PeriodOf(edges)
	f.First, f.Last = period.Begin, period.End
	f.settleQuotas()
	f.edges, f.runs, f.counted = edges, make(map[run]int), make([]counted, len(edges))
	for i := range edges {
		f.link(i)
	}
	for _, p := range f.programs {
		p.settle()
	}
	for _, p := range f.images {
		p.settle()
	}
	for _, c := range f.classes {
		c.settle()
	}
	f.settleVolume()
	return f
}

// runs calls do for each run of edges that are alike.
func runs(edges []detect.Edge, alike func(*detect.Edge) string, do func([]detect.Edge)) {
	for from := 0; from < len(edges); {
		to := from + 1
		for to < len(edges) && alike(&edges[to]) == alike(&edges[from]) {
			to++
		}
		do(edges[from:to])
		from = to
	}
}

// host takes in all edges of one host.
func (f *Fleet) host(edges []detect.Edge) {
	name := edges[0].Host
	attributes := f.of(name)
	began := edges[0].First
	domains := make(map[string]bool)
	for i := range edges {
		e := &edges[i]
		began = min(began, e.First)
		if !domains[e.Domain] {
			domains[e.Domain] = true
			f.domains[e.Domain]++
		}
		if e.Program != "" {
			f.edge(e, attributes)
		}
	}
	for _, a := range attributes {
		f.groups[a]++
	}
	f.began[name] = began
}

// edge takes in one edge of a known program.
func (f *Fleet) edge(e *detect.Edge, attributes []Attribute) {
	p := f.programs[e.Program]
	if p == nil {
		p = newProfile(f.classOf(e))
		f.programs[e.Program] = p
	}
	p.meet(e, attributes)
	p.note(e)
	c := f.classes[p.class]
	if c == nil {
		c = new(class)
		f.classes[p.class] = c
	}
	c.quota.more(e.Host)
	if timed(e) {
		c.timed.more(e.Host)
	}
	f.count(pair{e.Program, false, e.Domain}, e.Host, attributes).daily.add(e)
	image := Image(e.Program)
	if i := f.images[image]; i != nil {
		i.class = p.class
		i.meet(e, attributes)
		i.note(e)
		f.count(pair{image, true, e.Domain}, e.Host, attributes)
	}
}

func (f *Fleet) classOf(e *detect.Edge) program.Class {
	if e.Image == "" {
		return f.shipped.Of(Image(e.Program))
	}
	return f.shipped.Of(e.Image)
}

func (f *Fleet) count(k pair, host string, attributes []Attribute) *hostCount {
	c := f.pairs[k]
	if c == nil {
		c = new(hostCount)
		f.pairs[k] = c
	}
	c.add(host, attributes)
	return c
}

// Image returns the image of a program's key: the key without what the image
// hosts.
func Image(key string) string {
	if i := strings.LastIndex(key, " ["); i >= 0 && strings.HasSuffix(key, "]") {
		return key[:i]
	}
	return key
}

// Began returns when the evidence of a host begins, event.Never when there is
// none.
func (f *Fleet) Began(host string) event.Time { return f.began[host] }

// Age returns how long the evidence of a host reaches back from t: what begins
// with it is not new.
func (f *Fleet) Age(host string, t event.Time) time.Duration { return t.Sub(f.began[host]) }

// Span returns how long the evidence reaches from its first session to t.
func (f *Fleet) Span(t event.Time) time.Duration { return t.Sub(f.First) }
