package baseline

import (
	"slices"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/stats"
)

// fewestBundled is how many rare destinations a program must have on a host for
// them to be taken together.
const fewestBundled = 3

// A Bundle is what one host's program does towards its rare destinations, taken
// together as one edge.
type Bundle struct {
	detect.Edge
	Of []int // where its members stand among the edges that the fleet learnt
}

// bundled is what the bundles look like. They are compared with each other,
// because several destinations together always get more than one. Where there are
// few bundles the single edges count: volumes, hours and the like have such heavy
// tails that a sum mostly is hardly more than the largest of what it adds up. A
// bundle in which it is much more is what is looked for.
type bundled struct {
	learnt   map[run]*learnt
	programs map[string]*profile
	images   map[string]*profile
	classes  map[program.Class]*bundledClass
}

// A learnt bundle is one of those that bundles are compared with.
type learnt struct {
	*Bundle
	inClass bool // its host's quota of the class has room for it
}

// A bundledClass is what is known of the bundles of one class of programs.
type bundledClass struct {
	class
	references float64 // of the tails
}

// Bundle returns the bundles of the fleet, by host and program, and learns what
// is usual of them: until then nothing is. Edges of which the function, which
// may be nil, reports true are in none.
//
// A destination is rare for a program when no other host has it go there, and
// hardly any other goes there by any program, or it is new on the host. One
// without a name may be a service that all hosts use, and is never rare. Browsers
// have no bundles: nearly all of their destinations are rare.
func (f *Fleet) Bundle(c detect.Config, except func(*detect.Edge) bool) []Bundle {
	var all []Bundle
	for from := 0; from < len(f.edges); {
		first, to := &f.edges[from], from+1
		for to < len(f.edges) && f.edges[to].Host == first.Host && f.edges[to].Program == first.Program {
			to++
		}
		if b, ok := f.bundle(from, to, c, except); ok {
			all = append(all, b)
		}
		from = to
	}
	f.learnBundles(all)
	return all
}

// bundle makes the bundle of edges that are of one host and program.
func (f *Fleet) bundle(from, to int, c detect.Config, except func(*detect.Edge) bool) (Bundle, bool) {
	p := f.programs[f.edges[from].Program]
	if p == nil || p.class == program.Browser {
		return Bundle{}, false
	}
	var b Bundle
	var members []*detect.Edge
	for i := from; i < to; i++ {
		if e := &f.edges[i]; f.rare(e) && (except == nil || !except(e)) {
			b.Of, members = append(b.Of, i), append(members, e)
		}
	}
	if len(members) < fewestBundled {
		return Bundle{}, false
	}
	b.Edge = detect.Merge(members, c)
	return b, true
}

// rare reports whether the edge's destination is rare for its program.
func (f *Fleet) rare(e *detect.Edge) bool {
	if !e.Named || f.PairHosts(e.Program, e.Domain) > 1 {
		return false
	}
	return bucketOf(float64(f.domains[e.Domain]), f.Hosts) <= 2 || f.Young(e)
}

func (f *Fleet) learnBundles(all []Bundle) {
	f.bundled = bundled{
		learnt: make(map[run]*learnt), programs: make(map[string]*profile),
		images: make(map[string]*profile), classes: make(map[program.Class]*bundledClass),
	}
	reference := make(map[program.Class][]stats.Channels)
	for i := range all {
		e := &all[i].Edge
		kind := f.programs[e.Program].class
		f.bundled.class(kind).quota.more(e.Host)
		if e.BytesOut >= material {
			reference[kind] = append(reference[kind], f.course(e))
		}
	}
	for _, c := range f.bundled.classes {
		c.quota.settle(leastOfClass)
	}
	for i := range all {
		f.bundled.learn(f, &all[i])
	}
	for _, profiles := range []map[string]*profile{f.bundled.programs, f.bundled.images} {
		for _, p := range profiles {
			p.settle()
		}
	}
	for kind, c := range f.bundled.classes {
		c.settle()
		c.tails, c.references = stats.NewTails(reference[kind]), float64(len(reference[kind]))
	}
}

// class returns what is known of a class, perhaps nothing yet.
func (b *bundled) class(kind program.Class) *bundledClass {
	c := b.classes[kind]
	if c == nil {
		c = new(bundledClass)
		b.classes[kind] = c
	}
	return c
}

// learn takes in a bundle. A host has one of each program.
func (b *bundled) learn(f *Fleet, bundle *Bundle) {
	e := &bundle.Edge
	take(b.programs, e.Program, e)
	if image := Image(e.Program); f.images[image] != nil {
		take(b.images, image, e)
	}
	c := b.class(f.programs[e.Program].class)
	l := &learnt{bundle, c.quota.counts(e.Host)}
	b.learnt[run{e.Host, e.Program}] = l
	if l.inClass {
		c.spreadOf(e)
		if timed(e) {
			c.time(e)
		}
	}
}

// take has a profile take in a bundle.
func take(all map[string]*profile, key string, e *detect.Edge) {
	p := all[key]
	if p == nil {
		p = new(profile)
		all[key] = p
	}
	p.add(e, none)
	if timed(e) {
		p.time(e)
	}
}

// kin are the other bundles that one is compared with.
type kin struct {
	mine     *learnt    // nil when it was not learnt
	profiles []*profile // of its image, if that hosts others, and of its program
	class    *bundledClass

	// regular says that one of the bundle's own edges is periodic: a rhythm
	// of all together is then explained as far as such edges are usual. One
	// that shows only in all together is not.
	regular bool
}

// kin returns the other bundles that one of a class is compared with.
func (b *bundled) kin(f *Fleet, e *detect.Edge, c program.Class) *kin {
	k := &kin{mine: b.learnt[run{e.Host, e.Program}], class: b.classes[c]}
	if k.mine != nil {
		k.regular = slices.ContainsFunc(k.mine.Of, func(i int) bool { return isPeriodic(&f.edges[i]) })
	}
	for _, p := range []*profile{b.images[Image(e.Program)], b.programs[e.Program]} {
		if p != nil && !f.Unseasoned(e) { // see [View.About]
			k.profiles = append(k.profiles, p)
		}
	}
	if k.class == nil {
		k.class = new(bundledClass)
	}
	return k
}

// isPeriodic reports whether an edge has a rhythm.
func isPeriodic(e *detect.Edge) bool { return timed(e) && e.Timing.P < periodic }

// atLeast returns the share of bundles that have that much of a measure, drawn to
// that of the edges.
func (k *kin) atLeast(m Measure, v int64, edges float64) float64 {
	mine := int64(-1)
	if k.mine != nil {
		mine = values(&k.mine.Edge)[m]
	}
	n, of := k.class.atLeast(m, v)
	s := Share{n, of}
	if mine >= 0 && k.mine.inClass {
		s = s.without(binOf(mine) >= binOf(v))
	}
	share := s.drawn(edges, classWeight)
	for _, p := range k.profiles {
		s = Share{atLeast(p.spread[m], v), int64(len(p.spread[m]))}
		if mine >= 0 {
			s = s.without(mine >= v)
		}
		share = s.drawn(share, classWeight)
	}
	return share
}

// rhythmic returns the share of bundles that are periodic, drawn to that of the
// edges, and how many of how many of the program's are.
func (k *kin) rhythmic(edges float64) (float64, Share) {
	mine := k.mine != nil && timed(&k.mine.Edge)
	s := Share{k.class.periodic, k.class.tested}
	if mine && k.mine.inClass {
		s = s.without(isPeriodic(&k.mine.Edge))
	}
	share := s.drawn(edges, periodWeight)
	s = Share{}
	for _, p := range k.profiles {
		s = Share{p.periodic, p.tested}
		if mine {
			s = s.without(isPeriodic(&k.mine.Edge))
		}
		share = s.drawn(share, periodWeight)
	}
	return share, s
}

// without returns the share without one thing that is, or is not, of the kind.
func (s Share) without(is bool) Share {
	if is {
		s.Count--
	}
	s.Of--
	return s
}

// courses returns how unusual the course of a volume is among bundles, drawn to
// how unusual it is among edges.
func (c *bundledClass) courses(of, edges stats.Channels) stats.Channels {
	p := c.tails.P(of)
	draw := func(p, edges float64) float64 {
		return (c.references*p + classWeight*edges) / (c.references + classWeight)
	}
	return stats.Channels{
		Peer: draw(p.Peer, edges.Peer), Lagged: draw(p.Lagged, edges.Lagged), Week: draw(p.Week, edges.Week),
		Drift: draw(p.Drift, edges.Drift), Total: draw(p.Total, edges.Total),
	}
}
