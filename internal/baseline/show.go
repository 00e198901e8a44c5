package baseline

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
)

// What is shown here is what a score would take for an edge of a host that has
// nothing of it yet: nobody's own edges are left out, as those of the edge's host
// are when it is scored.

// Quantiles are the quantiles that a [Spread] has.
var Quantiles = [...]float64{0.5, 0.9, 0.99}

// A Standing says why a program's other hosts count as an excuse, or do not.
type Standing uint8

// The standings of a program.
const (
	Unseasoned Standing = iota // came lately, and nobody vouches for it
	Seasoned                   // came a week ago or more
	Initial                    // was there when the evidence began, or soon after
	Vouched                    // lies where only an administrator puts programs
)

var standings = [...]string{Unseasoned: "unseasoned", Seasoned: "seasoned", Initial: "initial", Vouched: "vouched"}

func (s Standing) String() string {
	if int(s) < len(standings) {
		return standings[s]
	}
	return "invalid"
}

var measured = [measures]struct{ name, unit string }{
	Hours: {"active_hours", "hours"}, OffHours: {"off_hours", "hours"}, Connected: {"connected", "seconds"},
	BytesOut: {"bytes_out", "bytes"}, Burst: {"transfer", "bytes"},
}

func (m Measure) String() string {
	if m < measures {
		return measured[m].name
	}
	return "invalid"
}

// Unit returns what the values of a measure count.
func (m Measure) Unit() string {
	if m < measures {
		return measured[m].unit
	}
	return ""
}

// A ProgramState is what is known of one program over the fleet. Of an image
// that hosts others it is what all these together do.
type ProgramState struct {
	Key    string
	Class  program.Class
	Hosts  Share // of the fleet's hosts, those that have it
	Groups []Group

	First    event.Time // session
	Standing Standing
	Counts   event.Time // when its hosts begin, or began, to count for edges that are new

	Links    int64 // pairs of a host and a domain
	Rare     Estimate
	Periodic Estimate
	Spreads  []Spread // by measure
	Hosted   []Hosted // what the image hosts, on most hosts first
}

// A Group is the share of the hosts with an attribute that have a program.
type Group struct {
	Attribute Attribute
	Share     Share
}

// A Hosted is one of the programs that an image hosts.
type Hosted struct {
	Key   string
	Hosts int64
	Links int64
	First event.Time
}

// Weights say what a number about a program rests on, as shares that add up to
// one: on what was seen of the program itself, of its image where that hosts
// others, of its class, and on what is shipped.
type Weights struct{ Program, Image, Class, Shipped float64 }

// An Estimate is a share of a program's edges, and what it is drawn to.
type Estimate struct {
	Program, Image, Class Share // as seen
	Shipped               float64
	Weights               Weights
	Value                 float64 // what a score takes
}

// A Spread is how much of a measure the edges of a program have: values at
// [Quantiles], in the measure's unit.
type Spread struct {
	Measure Measure
	Known   int64 // edges
	Program [len(Quantiles)]int64
	Class   [len(Quantiles)]int64 // to within an eighth of a doubling
	Shipped [len(Quantiles)]int64
	Value   [len(Quantiles)]int64 // what a score takes
	Weights Weights
}

// Priors are what is shipped of a class: the share of its links that no other
// host has, and of its edges that are periodic.
type Priors struct{ Rare, Periodic float64 }

// Rules are the numbers by which little evidence is drawn to more.
type Rules struct {
	ShippedEdges  float64       // of a class, that what is shipped stands for
	ShippedShare  float64       // of what it stood for on the first day
	ClassEdges    float64       // of a program, that its image or class stands for
	PeriodicEdges float64       // the same, for the share of periodic edges
	New           time.Duration // of a host's evidence: what begins earlier is not new
	Season        time.Duration // that a program nobody vouches for must be there before its hosts count
}

// Rules returns the numbers that hold for the fleet now.
func (f *Fleet) Rules() Rules {
	edges := f.outsider("").shipped()
	return Rules{
		ShippedEdges: edges, ShippedShare: edges / shippedWeight, ClassEdges: classWeight, PeriodicEdges: periodWeight,
		New: settled, Season: season,
	}
}

// ProgramKeys returns the keys of all known programs, and of the images that
// host others, in order.
func (f *Fleet) ProgramKeys() []string {
	keys := maps.Clone(f.images)
	maps.Copy(keys, f.programs)
	return slices.Sorted(maps.Keys(keys))
}

// HostNames returns the names of all hosts, in order.
func (f *Fleet) HostNames() []string { return slices.Sorted(maps.Keys(f.began)) }

// DomainNames returns all registered domains that any host went to, in order.
func (f *Fleet) DomainNames() []string { return slices.Sorted(maps.Keys(f.domains)) }

// ProgramState returns what is known of a program, and false when it is not
// known.
func (f *Fleet) ProgramState(key string, shipped func(program.Class) Priors) (ProgramState, bool) {
	seen := cmp.Or(f.images[key], f.programs[key])
	if seen == nil {
		return ProgramState{}, false
	}
	a := f.outsider(key)
	priors := shipped(seen.class)
	s := ProgramState{
		Key: key, Class: seen.class, Hosts: Share{f.programHosts(key, all), f.Hosts},
		First: seen.first, Links: seen.edges,
		Rare: a.estimate(a.Links(0, priors.Rare), priors.Rare, classWeight, func(p *profile, t *tally) Share {
			if p != nil {
				return rareOf(p.linked)
			}
			return rareOf(t.linked)
		}),
		Hosted: f.hosted(key),
	}
	value, _ := a.Periodic(priors.Periodic)
	s.Periodic = a.estimate(value, priors.Periodic, periodWeight, func(p *profile, t *tally) Share {
		if p != nil {
			return Share{p.periodic, p.tested}
		}
		return Share{t.periodic, t.tested}
	})
	s.Standing, s.Counts = f.standing(key, seen)
	for _, g := range slices.Sorted(maps.Keys(f.groups)) {
		s.Groups = append(s.Groups, Group{g, Share{f.programHosts(key, g), f.groups[g]}})
	}
	for m := range measures {
		s.Spreads = append(s.Spreads, a.spread(m, seen))
	}
	return s, true
}

// outsider returns what is known that concerns an edge of a program on a host
// that has none.
func (f *Fleet) outsider(key string) About {
	a := About{
		fleet: f, edge: &detect.Edge{Program: key}, own: &own{},
		profile: f.programs[key], image: f.images[Image(key)], Class: program.App,
	}
	if seen := cmp.Or(a.profile, a.image); seen != nil {
		a.Class = seen.class
	}
	if a.profile == nil {
		a.profile = newProfile(a.Class)
	}
	if a.class = f.classes[a.Class]; a.class == nil {
		a.class = new(class)
	}
	return a
}

func (f *Fleet) standing(key string, p *profile) (Standing, event.Time) {
	switch {
	case vouched(key):
		return Vouched, p.first
	case p.first.Sub(f.First) < settled:
		return Initial, p.first
	case f.Last.Sub(p.first) < season:
		return Unseasoned, p.first.Add(season)
	}
	return Seasoned, p.first.Add(season)
}

// hosted returns the programs that an image hosts.
func (f *Fleet) hosted(image string) []Hosted {
	if f.images[image] == nil {
		return nil
	}
	var all []Hosted
	for key, p := range f.programs {
		if Image(key) == image {
			all = append(all, Hosted{Key: key, Hosts: p.hosts.n, Links: p.edges, First: p.first})
		}
	}
	slices.SortFunc(all, func(a, b Hosted) int { return cmp.Or(cmp.Compare(b.Hosts, a.Hosts), cmp.Compare(a.Key, b.Key)) })
	return all
}

func rareOf(linked [ranks]int64) Share {
	return Share{linked[none], linked[none] + linked[few] + linked[more]}
}

// estimate returns a share with what it is drawn to. The function returns it of
// a profile, or else of a class.
func (a About) estimate(value, shipped, weight float64, of func(*profile, *tally) Share) Estimate {
	e := Estimate{Program: of(a.profile, nil), Class: of(nil, &a.class.tally), Shipped: shipped, Value: value}
	if a.image != nil {
		e.Image = of(a.image, nil)
	}
	e.Weights = a.weights(e.Program.Of, e.Image.Of, e.Class.Of, weight)
	return e
}

// weights returns what a number rests on, when that many edges of the program,
// of its image and of its class tell it.
func (a About) weights(own, image, class int64, weight float64) Weights {
	rest := 1.0
	take := func(n int64, weight float64) float64 {
		if n <= 0 {
			return 0
		}
		part := rest * float64(n) / (float64(n) + weight)
		rest -= part
		return part
	}
	var w Weights
	w.Program, w.Image, w.Class = take(own, weight), take(image, weight), take(class, a.shipped())
	w.Shipped = rest
	return w
}

// spread returns how much of a measure the edges have: those that were seen, and
// what a score makes of them.
func (a About) spread(m Measure, seen *profile) Spread {
	s := Spread{Measure: m, Known: int64(len(seen.spread[m]))}
	image := 0
	if a.image != nil {
		image = len(a.image.spread[m])
	}
	s.Weights = a.weights(int64(len(a.profile.spread[m])), int64(image), a.class.spread[m][0], classWeight)
	for i, q := range Quantiles {
		s.Program[i] = quantile(seen.spread[m], q)
		s.Class[i] = a.class.quantile(m, q)
		s.Shipped[i] = exceeded(1-q, func(v int64) float64 { return usual(m, v) })
		s.Value[i] = exceeded(1-q, func(v int64) float64 { return a.AtLeast(m, v) })
	}
	return s
}

// quantile returns the least of sorted values that the share q of them do not
// exceed, 0 of none.
func quantile(sorted []int64, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// quantile returns about the least value that the share q of the class's edges
// do not exceed: the lowest of its bin.
func (c *class) quantile(m Measure, q float64) int64 {
	h := &c.spread[m]
	above := h[0] - int64(math.Ceil(q*float64(h[0]))) // edges that may exceed it
	for bin := len(h) - 1; bin > 0; bin-- {
		if h[bin] > above {
			return leastOf(bin)
		}
	}
	return 0
}

// leastOf returns the lowest value of a bin; see binOf.
func leastOf(bin int) int64 {
	if bin < 8 {
		return int64(bin)
	}
	return int64(8+bin%8) << (bin/8 - 1)
}

// exceeded returns the highest value that more than a share of edges have at
// least, by a function that never grows.
func exceeded(share float64, atLeast func(v int64) float64) int64 {
	const most = 1 << 62
	return int64(max(0, sort.Search(most, func(v int) bool { return atLeast(int64(v)) <= share })-1))
}

// A HostState is what is known of one host.
type HostState struct {
	Name        string
	Attributes  []Attribute
	First, Last event.Time
	Days        int64 // on which it began sessions

	Programs []HostProgram // that it has, those that the fewest other hosts have first
	Links    int64         // of known programs
	Young    int64         // those of them that began well after the host's evidence did
	Unowned  int64         // edges of which the program is not known
	Sessions int64
	Rungs    map[event.Rung]int64 // edges by the best evidence of their owner
}

// A HostProgram is a program on a host.
type HostProgram struct {
	Key      string
	Others   int64 // hosts that have it
	Links    int64
	Sessions int64
}

// HostState returns what is known of a host, and false when it is not known.
func (f *Fleet) HostState(name string) (HostState, bool) {
	began, ok := f.began[name]
	if !ok {
		return HostState{}, false
	}
	s := HostState{Name: name, Attributes: f.of(name), First: began, Last: began, Rungs: make(map[event.Rung]int64)}
	days := make(map[int32]bool)
	for i := range f.edges {
		if e := &f.edges[i]; e.Host == name {
			f.addHost(&s, e)
			for j := range e.Daily {
				if e.Daily[j].Sessions > 0 {
					days[e.Daily[j].Date] = true
				}
			}
		}
	}
	s.Days = int64(len(days))
	slices.SortFunc(s.Programs, func(a, b HostProgram) int {
		return cmp.Or(cmp.Compare(a.Others, b.Others), cmp.Compare(a.Key, b.Key))
	})
	return s, true
}

// addHost takes in an edge of the host; those of one program come together.
func (f *Fleet) addHost(s *HostState, e *detect.Edge) {
	s.Last = max(s.Last, e.Last)
	s.Sessions += e.Sessions
	s.Rungs[e.Rung]++
	if e.Program == "" {
		s.Unowned++
		return
	}
	s.Links++
	if f.Young(e) {
		s.Young++
	}
	n := len(s.Programs) - 1
	if n < 0 || s.Programs[n].Key != e.Program {
		s.Programs = append(s.Programs, HostProgram{Key: e.Program, Others: max(0, f.programHosts(e.Program, all)-1)})
		n++
	}
	s.Programs[n].Links++
	s.Programs[n].Sessions += e.Sessions
}

// A DomainState is what is known of one registered domain.
type DomainState struct {
	Domain      string
	Hosts       Share // of the fleet's hosts, those that go there
	First, Last event.Time
	Sessions    int64
	Unknown     int64 // those of them whose outbound bytes are unknown
	BytesOut    int64 // of the others
	Names       []string
	Programs    []DomainProgram // on most hosts first; the unknown one is ""
}

// A DomainProgram is a program that goes to a domain.
type DomainProgram struct {
	Key   string
	Hosts int64 // that have it go there
	First event.Time
}

// DomainState returns what is known of a registered domain, and false when it
// is not known.
func (f *Fleet) DomainState(domain string) (DomainState, bool) {
	hosts, ok := f.domains[domain]
	if !ok {
		return DomainState{}, false
	}
	s := DomainState{Domain: domain, Hosts: Share{hosts, f.Hosts}}
	names, programs := make(map[string]bool), make(map[string]*DomainProgram)
	for i := range f.edges {
		e := &f.edges[i]
		if e.Domain != domain {
			continue
		}
		if s.First == event.Never || e.First < s.First {
			s.First = e.First
		}
		s.Last = max(s.Last, e.Last)
		s.Sessions, s.Unknown = s.Sessions+e.Sessions, s.Unknown+e.UnknownBytes
		s.BytesOut = event.Count(e.BytesOut).AddTo(s.BytesOut)
		names[e.Name] = true
		p := programs[e.Program]
		if p == nil {
			p = &DomainProgram{Key: e.Program, First: e.First}
			programs[e.Program] = p
		}
		p.Hosts, p.First = p.Hosts+1, min(p.First, e.First)
	}
	s.Names = slices.Sorted(maps.Keys(names))
	for _, p := range programs {
		s.Programs = append(s.Programs, *p)
	}
	slices.SortFunc(s.Programs, func(a, b DomainProgram) int {
		return cmp.Or(cmp.Compare(b.Hosts, a.Hosts), cmp.Compare(a.Key, b.Key))
	})
	return s, true
}

// Lasted returns how long the evidence reaches from its first session to its
// last.
func (f *Fleet) Lasted() time.Duration { return f.Span(f.Last) }
