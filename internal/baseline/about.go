package baseline

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
)

const (
	// settled is how long there must have been evidence of a host, or of the
	// fleet, before what begins then counts as new.
	settled = 3 * 24 * time.Hour

	// season is how long a program that nobody vouches for must have been in
	// the fleet before the other hosts that have it count: or else whoever
	// installs it everywhere at once makes it common.
	season = 7 * 24 * time.Hour

	// Weights, in edges or hosts, of what a smaller number is drawn to.
	classWeight   = 20 // of an image or a class, for a program
	periodWeight  = 20 // of a class's share of periodic edges
	groupWeight   = 10 // of the fleet, for a group of hosts
	shippedWeight = 50 // of what is shipped, for a class of a fleet just met
	halfLife      = 14 * 24 * time.Hour
)

// A run is where the edges of one host's program stand.
type run struct{ host, program string }

// link takes in an edge once it is known how common all of them are.
func (f *Fleet) link(i int) {
	e := &f.edges[i]
	if e.Program == "" {
		return
	}
	k := run{e.Host, e.Program}
	if _, ok := f.runs[k]; !ok {
		f.runs[k] = i
	}
	p := f.programs[e.Program]
	c := f.classes[p.class]
	link := rankOf(f.otherPairs(e))
	f.counted[i] = p.share(e, link, inProgram, timedInProgram)
	if image := f.images[Image(e.Program)]; image != nil {
		f.counted[i] |= image.share(e, link, inImage, timedInImage)
	}
	if c.quota.counts(e.Host) {
		f.counted[i] |= inClass
		f.known++
		c.add(bucketOf(f.others(e), f.Hosts), link, reachOf(f.OtherHosts(e.Domain)), f.Young(e))
		c.spreadOf(e)
	}
	if timed(e) && c.timed.counts(e.Host) {
		f.counted[i] |= timedInClass
		c.time(e)
	}
}

// share takes in an edge as far as its host's quota goes, and returns as what it
// counts.
func (p *profile) share(e *detect.Edge, link rank, in, time counted) counted {
	var as counted
	if p.quota.counts(e.Host) {
		as |= in
		p.add(e, link)
	}
	if timed(e) && p.timed.counts(e.Host) {
		as |= time
		p.time(e)
	}
	return as
}

// OtherHosts returns how many hosts beside one that does go to the domain, by
// any program.
func (f *Fleet) OtherHosts(domain string) int64 { return max(0, f.domains[domain]-1) }

// Settled reports whether the evidence reaches back far enough for anything to be
// new.
func (f *Fleet) Settled() bool { return f.Span(f.Last) >= settled }

// Young reports whether an edge, or the newest of a bundle, began well after the
// evidence of its host did.
func (f *Fleet) Young(e *detect.Edge) bool { return f.Age(e.Host, e.Began()) >= settled }

// Unseasoned reports whether a program that nobody vouches for came into the
// fleet so shortly before the edge that the other hosts do not count.
func (f *Fleet) Unseasoned(e *detect.Edge) bool {
	p := f.programs[e.Program]
	return p != nil && !vouched(e.Program) && p.first.Sub(f.First) >= settled && e.First.Sub(p.first) < season
}

// vouched reports whether an administrator must have put the program where it
// lies.
func vouched(template string) bool {
	for _, root := range [...]string{`%programfiles%\`, `%system%\`, `%windir%\`} {
		if strings.HasPrefix(template, root) {
			return true
		}
	}
	return false
}

// others returns on how many hosts beside the edge's own its program makes TLS
// connections. Where it is not known what an image hosts elsewhere, it may be
// the same.
func (f *Fleet) others(e *detect.Edge) float64 {
	if f.Unseasoned(e) {
		return 0
	}
	return float64(max(0, f.programHosts(e.Program, all)-1))
}

// all stands for every host.
const all Attribute = ""

// programHosts returns how many hosts with an attribute have a program.
func (f *Fleet) programHosts(key string, a Attribute) int64 {
	image := Image(key)
	switch {
	case f.images[image] == nil:
		return f.programs[key].on(a)
	case image == key: // what it hosts is not known
		return f.images[image].on(a)
	}
	return min(f.images[image].on(a), f.programs[key].on(a)+f.programs[image].on(a))
}

// on returns on how many hosts with an attribute there is the program.
func (p *profile) on(a Attribute) int64 {
	switch {
	case p == nil:
		return 0
	case a == all:
		return p.hosts.n
	}
	return p.hosts.grouped[a]
}

// otherPairs returns how many hosts beside the edge's own have its program go
// to its domain, as far as may be.
func (f *Fleet) otherPairs(e *detect.Edge) int64 {
	if f.Unseasoned(e) {
		return 0
	}
	return max(0, f.PairHosts(e.Program, e.Domain)-1)
}

// PairHosts returns how many hosts have the program go to the domain. Where it
// is not known what an image hosts, it may be the same.
func (f *Fleet) PairHosts(key, domain string) int64 {
	image := Image(key)
	hosts := func(k pair) int64 {
		if c := f.pairs[k]; c != nil {
			return c.n
		}
		return 0
	}
	switch {
	case f.images[image] == nil:
		return hosts(pair{key, false, domain})
	case image == key:
		return hosts(pair{image, true, domain})
	}
	return min(hosts(pair{image, true, domain}), hosts(pair{key, false, domain})+hosts(pair{image, false, domain}))
}

// own is what one host's program adds to what is known of the program, of its
// image and of its class, and is left out where its edges are asked for.
type own struct {
	run
	program, image profile
	class          tally
	spread         [measures][]int64 // in the class
}

func (f *Fleet) own(k run) *own {
	o := &own{run: k}
	from, ok := f.runs[k]
	if !ok {
		return o
	}
	for i := from; i < len(f.edges) && f.edges[i].Host == k.host && f.edges[i].Program == k.program; i++ {
		e := &f.edges[i]
		link := rankOf(f.otherPairs(e))
		as := f.counted[i]
		if as&inProgram != 0 {
			o.program.add(e, link)
		}
		if as&timedInProgram != 0 {
			o.program.time(e)
		}
		if as&inImage != 0 {
			o.image.add(e, link)
		}
		if as&timedInImage != 0 {
			o.image.time(e)
		}
		if as&timedInClass != 0 {
			o.class.time(e)
		}
		if as&inClass != 0 {
			o.class.add(bucketOf(f.others(e), f.Hosts), link, reachOf(f.OtherHosts(e.Domain)), f.Young(e))
			for m, v := range values(e) {
				if v >= 0 {
					o.spread[m] = append(o.spread[m], v)
				}
			}
		}
	}
	o.program.settle()
	o.image.settle()
	for m := range o.spread {
		slices.Sort(o.spread[m])
	}
	return o
}

// A View asks about edges, without what their own host's program adds. It
// remembers the host and program asked for last, and is not safe for
// concurrent use.
type View struct {
	*Fleet
	own *own
}

// View returns a view of the fleet.
func (f *Fleet) View() *View { return &View{Fleet: f, own: &own{}} }

// About returns what is known that concerns an edge.
func (v *View) About(e *detect.Edge) About {
	if k := (run{e.Host, e.Program}); v.own.run != k {
		v.own = v.Fleet.own(k)
	}
	a := About{fleet: v.Fleet, edge: e, own: v.own, profile: v.programs[e.Program], image: v.images[Image(e.Program)]}
	if a.profile == nil {
		a.profile = newProfile(v.shipped.Of(e.Image))
	}
	a.Class = a.profile.class
	if v.Unseasoned(e) {
		// What others do with it is no excuse yet: its class is.
		a.profile, a.image = newProfile(a.Class), nil
	}
	a.class = v.classes[a.Class]
	if a.class == nil {
		a.class = new(class)
	}
	if len(e.Members) > 0 {
		a.bundles = v.bundled.kin(v.Fleet, e, a.Class)
	}
	return a
}

// An About is what is known that concerns one edge.
type About struct {
	Class program.Class

	fleet   *Fleet
	edge    *detect.Edge
	own     *own
	profile *profile
	image   *profile // nil unless the image hosts others
	class   *class
	plus    int64 // hosts that are imagined beside those seen
	bundles *kin  // nil unless the edge is a bundle
}

// With returns what would be known if so many more hosts had the program go to
// the domain.
func (a About) With(hosts int64) About {
	a.plus = hosts
	return a
}

// OtherHosts returns how many other hosts go to the domain, by any program. Of a
// bundle it is the least common domain that counts: whoever goes to a common one
// as well hides nothing by it.
func (a About) OtherHosts() int64 {
	least := int64(math.MaxInt64)
	for _, d := range a.edge.Domains() {
		least = min(least, a.fleet.OtherHosts(d))
	}
	return least + a.plus
}

// A Share is how many of a number of things there are.
type Share struct{ Count, Of int64 }

// drawn returns the share, drawn to a prior as if the prior had been seen
// weight times: small numbers say little.
func (s Share) drawn(prior, weight float64) float64 {
	if s.Of <= 0 {
		return prior
	}
	return (float64(max(0, s.Count)) + weight*prior) / (float64(s.Of) + weight)
}

// shipped is how many edges of a class what is shipped stands for: less the
// longer the fleet was watched.
func (a About) shipped() float64 {
	return shippedWeight * math.Exp2(-float64(a.fleet.Span(a.fleet.Last))/float64(halfLife))
}

// Hosts returns on how many hosts the program is, the edge's own included.
func (a About) Hosts() int64 { return a.fleet.programHosts(a.edge.Program, all) }

// Others returns on how many other hosts the program is. A host that shares
// attributes with others is compared with these: as many as there would be, were
// all hosts like them.
func (a About) Others() float64 {
	others := a.fleet.others(a.edge) + float64(a.plus)
	rest := float64(a.fleet.Hosts - 1 + a.plus)
	if others == 0 || rest <= 0 {
		return others
	}
	share := others / rest
	for _, g := range a.fleet.of(a.edge.Host) {
		like := Share{a.fleet.programHosts(a.edge.Program, g) - 1 + a.plus, a.fleet.groups[g] - 1 + a.plus}
		share = like.drawn(share, groupWeight)
	}
	return share * rest
}

// Like returns how many of the hosts that share the most special attribute with
// the edge's have its program, and what the attribute is; "" when none is known.
func (a About) Like() (Share, Attribute) {
	of := a.fleet.of(a.edge.Host)
	if len(of) == 0 {
		return Share{}, ""
	}
	g := of[len(of)-1]
	return Share{a.fleet.programHosts(a.edge.Program, g), a.fleet.groups[g]}, g
}

// Cell returns the share of the fleet's edges whose program is of the class, and
// as common as that many other hosts make it.
func (a About) Cell(others float64) float64 {
	b := bucketOf(others, a.fleet.Hosts)
	return a.ofAll(a.class.cells[b] - a.own.class.cells[b])
}

// OfClass returns the share of the fleet's edges whose program is of the class.
func (a About) OfClass() float64 { return a.ofAll(a.class.edges - a.own.class.edges) }

func (a About) ofAll(n int64) float64 {
	return (float64(max(0, n)) + 0.5) / (float64(max(0, a.fleet.known-a.own.class.edges)) + 12)
}

// Bucket returns how common that many other hosts make a program: 0 for none,
// 1 for one or two, up to 4.
func (a About) Bucket(others float64) int { return int(bucketOf(others, a.fleet.Hosts)) }

// OtherPairs returns how many other hosts have the program go to the domain.
func (a About) OtherPairs() int64 { return a.fleet.otherPairs(a.edge) + a.plus }

// Links returns the share of the program's links (a host and a domain) that
// at most that many other hosts have as well, where rare is what is shipped of
// the share that none has.
func (a About) Links(others int64, rare float64) float64 {
	k := rankOf(others)
	prior := min(1, rare*float64(k+1))
	if k == more {
		return 1
	}
	upTo := func(n [ranks]int64) int64 { // and the total
		var sum int64
		for i := none; i <= k; i++ {
			sum += n[i]
		}
		return sum
	}
	total := func(n [ranks]int64) int64 { return n[none] + n[few] + n[more] }
	share := Share{upTo(a.class.linked) - upTo(a.own.class.linked), total(a.class.linked) - total(a.own.class.linked)}.drawn(prior, a.shipped())
	if a.image != nil {
		share = Share{upTo(a.image.linked) - upTo(a.own.image.linked), total(a.image.linked) - total(a.own.image.linked)}.drawn(share, classWeight)
	}
	return Share{upTo(a.profile.linked) - upTo(a.own.program.linked), total(a.profile.linked) - total(a.own.program.linked)}.drawn(share, classWeight)
}

// Reach returns the share of the class's links, of those that as many other
// hosts have, whose domain as many other hosts go to.
func (a About) Reach(pairs, hosts int64) float64 {
	k, r := rankOf(pairs), reachOf(hosts)
	var of int64
	for i := range reaches {
		of += a.class.reached[k][i] - a.own.class.reached[k][i]
	}
	n := a.class.reached[k][r] - a.own.class.reached[k][r]
	return (float64(max(0, n)) + 2.5) / (float64(max(0, of)) + 10)
}

// Young returns the share of the edges of programs of the class, as common as
// this, that are new on their hosts.
func (a About) Young(others float64) float64 {
	b := bucketOf(others, a.fleet.Hosts)
	s := Share{a.class.young[b] - a.own.class.young[b], a.class.cells[b] - a.own.class.cells[b]}
	return (float64(max(0, s.Count)) + 2) / (float64(max(0, s.Of)) + 20)
}

// AtLeast returns the share of the program's edges that have that much of a
// measure; for a bundle that of its bundles, drawn to that of its edges.
func (a About) AtLeast(m Measure, v int64) float64 {
	n, of := a.class.atLeast(m, v)
	share := Share{n - atLeastBin(a.own.spread[m], v), of - int64(len(a.own.spread[m]))}.drawn(usual(m, v), a.shipped())
	if a.image != nil {
		share = above(a.image, &a.own.image, m, v).drawn(share, classWeight)
	}
	share = above(a.profile, &a.own.program, m, v).drawn(share, classWeight)
	if a.bundles != nil {
		return a.bundles.atLeast(m, v, share)
	}
	return share
}

// above returns how many of a profile's edges, without one's own, have that much
// of a measure.
func above(p, own *profile, m Measure, v int64) Share {
	return Share{
		atLeast(p.spread[m], v) - atLeast(own.spread[m], v),
		int64(len(p.spread[m])) - int64(len(own.spread[m])),
	}
}

// usual is the share of edges that have that much of a measure, as shipped:
// heavy tails, over what an edge has at least.
func usual(m Measure, v int64) float64 {
	tail := func(from, power float64) float64 { return math.Pow(from/math.Max(from, float64(v)), power) }
	switch m {
	case Hours:
		return tail(1, 0.6)
	case OffHours:
		return 0.5 * tail(1, 0.6)
	case Connected:
		return tail(60, 0.5)
	case BytesOut:
		return tail(1e6, 0.75)
	}
	return tail(2.5e5, 0.75)
}

// Periodic returns the share of the program's edges that are periodic, where
// usual is what is shipped of it, and how many of how many; for a bundle as
// [About.AtLeast] does.
func (a About) Periodic(usual float64) (float64, Share) {
	share := Share{a.class.periodic - a.own.class.periodic, a.class.tested - a.own.class.tested}.drawn(usual, a.shipped())
	if a.image != nil {
		share = Share{a.image.periodic - a.own.image.periodic, a.image.tested - a.own.image.tested}.drawn(share, periodWeight)
	}
	s := Share{a.profile.periodic - a.own.program.periodic, a.profile.tested - a.own.program.tested}
	share = s.drawn(share, periodWeight)
	if k := a.bundles; k != nil {
		if !k.regular {
			share = usual
		}
		return k.rhythmic(share)
	}
	return share, s
}

// Arrived returns when the program's first session in the fleet began.
func (a About) Arrived() event.Time { return a.fleet.programs[a.edge.Program].first }

// Seasoned reports whether the other hosts of the program count; see
// [Fleet.Unseasoned].
func (a About) Seasoned() bool { return !a.fleet.Unseasoned(a.edge) }
