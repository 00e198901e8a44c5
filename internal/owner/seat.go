package owner

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// The rules by which a host is taken to stand behind an address. Popular far
// ends make strangers agree by chance, and what is scheduled makes them agree
// at the same times, so that it takes all of them.
const (
	// agreeWidth is how far apart the time differences of pairs may lie that
	// agree: sources differ by their lags.
	agreeWidth = 4 * time.Second

	// minPairs is how many pairs must agree, and minFars to how many far ends.
	minPairs, minFars = 5, 3

	// maxRival is which part of the agreeing pairs may agree on any other
	// time difference.
	maxRival = 0.5

	// minExplained is which share of a seat's connects must have a flow of
	// the address, beyond those that have one by chance.
	minExplained = 0.5

	// timedWithin is how far a clock may still be off that was compared with
	// the wire's: elsewhere, and at another time.
	timedWithin = time.Minute

	// plain is the share from which no other address is compared with.
	plain = 0.9

	// maxGlimpses bounds the pairs that one seat and one address are compared
	// by. The far ends with the fewest come first.
	maxGlimpses = 1 << 14

	// maxPlaces bounds the addresses that a seat is compared with: those that
	// share the rarest far ends.
	maxPlaces = 8
)

// A seat is a host at one of its own addresses, which no wire saw.
type seat struct {
	host     string
	client   netip.Addr
	connects []Inside // by far end, then time
	fars     []run
}

// A run is where the items of one far end lie.
type run struct {
	far      Far
	from, to int
}

func runsOf(n int, far func(i int) Far) []run {
	var all []run
	for i := range n {
		f := far(i)
		if k := len(all); k > 0 && all[k-1].far == f {
			all[k-1].to = i + 1
			continue
		}
		all = append(all, run{f, i, i + 1})
	}
	return all
}

// A place is a seat behind an address.
type place struct {
	*seat
	at *outer

	clocks map[event.Source]Clock
	agree  int
	ports  bool // the pairs agree on the client's port too

	// Of the seat's connects while the address was watched, those that have
	// a flow of it at their time, less those that would by chance.
	connects  int
	explained float64
}

// A glimpse is a connect and a flow that share a far end.
type glimpse struct {
	sighting
	key    uint64 // of what they share
	source event.Source
}

// shared calls fn for each far end that both have.
func (s *seat) shared(t *outer, fn func(connects []Inside, flows []Outside)) {
	for i, k := 0, 0; i < len(s.fars) && k < len(t.fars); {
		a, b := s.fars[i], t.fars[k]
		switch {
		case a.far < b.far:
			i++
		case a.far > b.far:
			k++
		default:
			fn(s.connects[a.from:a.to], t.flows[b.from:b.to])
			i, k = i+1, k+1
		}
	}
}

// glimpses returns the pairs of seat and address, those to rare far ends
// first.
func (s *seat) glimpses(t *outer) []glimpse {
	type meeting struct {
		connects []Inside
		flows    []Outside
	}
	var meetings []meeting
	s.shared(t, func(connects []Inside, flows []Outside) { meetings = append(meetings, meeting{connects, flows}) })
	slices.SortStableFunc(meetings, func(a, b meeting) int {
		return cmp.Compare(len(a.connects)*len(a.flows), len(b.connects)*len(b.flows))
	})
	var all []glimpse
	for _, m := range meetings {
		if len(all)+len(m.connects)*len(m.flows) > maxGlimpses {
			break
		}
		for i := range m.connects {
			for n := range m.flows {
				all = see(all, &m.connects[i], &m.flows[n], uint64(m.connects[i].Far))
			}
		}
	}
	return all
}

// portGlimpses returns the pairs that share the client's port as well.
func (s *seat) portGlimpses(t *outer) []glimpse {
	var all []glimpse
	for i := range s.connects {
		k := &s.connects[i]
		if k.Port == 0 {
			continue
		}
		for _, n := range t.samePort(k.Far, k.Port) {
			if len(all) < maxGlimpses {
				all = see(all, k, &t.flows[n], uint64(k.Far)+uint64(k.Port))
			}
		}
	}
	return all
}

func see(to []glimpse, k *Inside, f *Outside, key uint64) []glimpse {
	d := k.Start.Sub(f.Start)
	if k.Timed && d.Abs() > timedWithin {
		return to
	}
	return append(to, glimpse{sighting{k.Start, d.Microseconds()}, key, k.Source})
}

// fit reports whether the seat is behind the address.
func (s *seat) fit(t *outer) (place, bool) {
	for _, try := range []struct {
		glimpses func(*outer) []glimpse
		keys     int
		ports    bool
	}{{s.portGlimpses, minPairs, true}, {s.glimpses, minFars, false}} {
		in := agreeing(try.glimpses(t), try.keys)
		if in == nil {
			continue
		}
		p := place{seat: s, at: t, clocks: sourceClocks(s.host, in), agree: len(in), ports: try.ports}
		p.explain()
		if p.explained >= minExplained {
			return p, true
		}
	}
	return place{}, false
}

// agreeing returns the pairs that agree on a time difference, or nil when too
// few do or another difference rivals theirs.
func agreeing(v []glimpse, minKeys int) []glimpse {
	if len(v) < minPairs {
		return nil
	}
	slices.SortFunc(v, func(a, b glimpse) int {
		if a.delta != b.delta {
			return cmp.Compare(a.delta, b.delta)
		}
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key))
	})
	sightings := make([]sighting, len(v))
	for i := range v {
		sightings[i] = v[i].sighting
	}
	width := agreeWidth.Microseconds()
	lo, hi := densest(sightings, width)
	if hi-lo < minPairs {
		return nil
	}
	keys := make(map[uint64]bool)
	for _, g := range v[lo:hi] {
		keys[g.key] = true
	}
	if len(keys) < minKeys {
		return nil
	}
	from, _ := slices.BinarySearchFunc(sightings, sightings[lo].delta-width, func(s sighting, d int64) int { return cmp.Compare(s.delta, d) })
	to, _ := slices.BinarySearchFunc(sightings, sightings[hi-1].delta+width+1, func(s sighting, d int64) int { return cmp.Compare(s.delta, d) })
	for _, rest := range [][]sighting{sightings[:from], sightings[to:]} {
		a, b := densest(rest, width)
		if float64(b-a) > maxRival*float64(hi-lo) {
			return nil
		}
	}
	return v[lo:hi]
}

// sourceClocks returns what agreeing pairs say of each source's clock. A source
// with too few pairs shares what all say.
func sourceClocks(host string, in []glimpse) map[event.Source]Clock {
	by := make(map[event.Source][]sighting)
	for _, g := range in {
		by[event.NoSource] = append(by[event.NoSource], g.sighting)
		by[g.source] = append(by[g.source], g.sighting)
	}
	clocks := make(map[event.Source]Clock)
	for s, v := range by {
		if len(v) >= minAgree {
			c := clockOf(v)
			c.Host, c.Source, c.Pairs, c.pairs = host, s, len(v), nil
			clocks[s] = c
		}
	}
	return clocks
}

// The bounds of how far a connect may lie from its flow.
const (
	minRadius = time.Second
	maxRadius = 4 * time.Second
)

// clock returns the seat's clock as the source shows it.
func (p *place) clock(s event.Source) (offset, radius time.Duration) {
	c, ok := p.clocks[s]
	if !ok {
		return p.clocks[event.NoSource].Offset, maxRadius
	}
	return c.Offset, min(max(4*c.Spread, minRadius), maxRadius)
}

// chances are the time shifts by which it is measured how many connects have a
// flow by chance. No schedule has them for a period.
func chances() []time.Duration {
	return []time.Duration{-389 * time.Second, -197 * time.Second, -83 * time.Second, 79 * time.Second, 191 * time.Second, 383 * time.Second}
}

// explain measures how many of the seat's connects have a flow.
func (p *place) explain() {
	hits := p.hits(0)
	var chance float64
	for _, shift := range chances() {
		chance += float64(p.hits(shift)) / float64(len(chances()))
	}
	if n := float64(p.connects); n > chance {
		p.explained = max(0, (float64(hits)-chance)/(n-chance))
	}
}

// hits counts the connects that have a flow at their time and a shift.
func (p *place) hits(shift time.Duration) int {
	p.connects = 0
	n, k := 0, 0
	for i := range p.seat.connects {
		c := &p.seat.connects[i]
		offset, radius := p.clock(c.Source)
		at := c.Start.Add(-offset)
		if !p.at.watched.has(at) {
			continue
		}
		p.connects++
		for k < len(p.at.fars) && p.at.fars[k].far < c.Far {
			k++
		}
		if k < len(p.at.fars) && p.at.fars[k].far == c.Far && p.at.flow(p.at.fars[k], at.Add(shift), radius, c.Port, p.ports) {
			n++
		}
	}
	return n
}
