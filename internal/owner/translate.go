package owner

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// A Translation is what address translations explain of loose ends.
type Translation struct {
	Pairs []Translated // by flow's client, then its start and key
	Seats []Seat       // by address, then host and its own address

	// Moved are the other connects of those seats whose clocks were not known
	// before, by host and key.
	Moved []Moved
}

// Translated is a flow and the connect that opened it, on the two sides of a
// translation: the tuple rung.
type Translated struct {
	Client  netip.Addr // outside
	Flow    event.Key
	Host    string
	Connect event.Key
	Source  event.Source
	Outcome Outcome // what the connect was taken for
}

// Moved is a connect whose time on the wire's clock became known.
type Moved struct {
	Host    string
	Connect event.Key
	Source  event.Source
	Offset  time.Duration // to be taken off its time
	Was, Is Outcome
}

// A Seat is a host, at one of its own addresses, that stands behind another.
type Seat struct {
	Outside netip.Addr
	Host    string
	Inside  netip.Addr

	// Ports says that the translation keeps the client's ports.
	Ports bool

	// Clocks are how the host's clock stands against the wire's, beside what
	// was known before: by source, and NoSource for all sources together.
	Clocks []Clock

	// Agree are the pairs by which the seat was found. Explained is the share
	// of the host's connects there that have a flow of the address, beyond
	// those that have one by chance.
	Agree     int
	Explained float64
}

// Translate finds the hosts that stand behind an address that a wire saw, and
// their connects' flows. It changes the order of loose ends.
func Translate(l *Loose) Translation {
	if len(l.Inside) == 0 || len(l.Outside) == 0 {
		return Translation{}
	}
	seats, outers := seatsOf(l.Inside), outersOf(l.Outside)
	placed := placeAll(seats, outers)
	var t Translation
	for i := range outers {
		places := placed[&outers[i]]
		if len(places) == 0 {
			continue
		}
		for p := range slices.Values(places) {
			t.Seats = append(t.Seats, p.Seat())
		}
		t.Pairs = append(t.Pairs, outers[i].pairs(places)...)
	}
	t.Moved = moved(placed, t.Pairs)
	return t
}

// moved returns the connects of the places that are not paired, and whose
// clocks were not known before.
func moved(placed map[*outer][]*place, pairs []Translated) []Moved {
	type connect struct {
		host string
		key  event.Key
	}
	done := make(map[connect]bool)
	for _, p := range pairs {
		done[connect{p.Host, p.Connect}] = true
	}
	var all []Moved
	for _, places := range placed {
		for _, p := range places {
			for i := range p.seat.connects {
				k := &p.seat.connects[i]
				offset, _ := p.clock(k.Source)
				if at := k.Start.Add(-offset); k.Timed || !p.at.watched.has(at) || done[connect{k.Host, k.Key}] {
					continue
				}
				all = append(all, Moved{k.Host, k.Key, k.Source, offset, k.Outcome, NoWire})
			}
		}
	}
	slices.SortFunc(all, func(a, b Moved) int { return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Connect, b.Connect)) })
	return all
}

// Seat returns the place as others see it.
func (p *place) Seat() Seat {
	s := Seat{Outside: p.at.addr, Host: p.host, Inside: p.client, Ports: p.ports, Agree: p.agree, Explained: p.explained}
	for _, c := range p.clocks {
		s.Clocks = append(s.Clocks, c)
	}
	slices.SortFunc(s.Clocks, func(a, b Clock) int { return cmp.Compare(a.Source, b.Source) })
	return s
}

// seatsOf sorts connects into seats.
func seatsOf(connects []Inside) []*seat {
	slices.SortFunc(connects, func(a, b Inside) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), a.Client.Compare(b.Client),
			cmp.Compare(a.Far, b.Far), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Key, b.Key))
	})
	var seats []*seat
	for from := 0; from < len(connects); {
		first := &connects[from]
		to := from
		for to < len(connects) && connects[to].Host == first.Host && connects[to].Client == first.Client {
			to++
		}
		s := &seat{host: first.Host, client: first.Client, connects: connects[from:to]}
		s.fars = runsOf(to-from, func(i int) Far { return s.connects[i].Far })
		seats = append(seats, s)
		from = to
	}
	return seats
}

// An outer is an address that a wire saw, and its flows.
type outer struct {
	addr    netip.Addr
	flows   []Outside // by far end, then time
	fars    []run
	watched span
	ports   []int32 // flows by far end and port, once asked for
}

// samePort returns the flows to the far end from the port.
func (o *outer) samePort(far Far, port uint16) []int32 {
	if o.ports == nil {
		o.ports = make([]int32, len(o.flows))
		for i := range o.ports {
			o.ports[i] = int32(i)
		}
		slices.SortFunc(o.ports, func(a, b int32) int {
			f, g := &o.flows[a], &o.flows[b]
			return cmp.Or(cmp.Compare(f.Far, g.Far), cmp.Compare(f.Port, g.Port), cmp.Compare(a, b))
		})
	}
	from, _ := slices.BinarySearchFunc(o.ports, far, func(n int32, far Far) int {
		return cmp.Or(cmp.Compare(o.flows[n].Far, far), cmp.Compare(o.flows[n].Port, port))
	})
	to := from
	for to < len(o.ports) && o.flows[o.ports[to]].Far == far && o.flows[o.ports[to]].Port == port {
		to++
	}
	return o.ports[from:to]
}

// outersOf sorts flows by address.
func outersOf(flows []Outside) []outer {
	slices.SortFunc(flows, func(a, b Outside) int {
		return cmp.Or(a.Client.Compare(b.Client),
			cmp.Compare(a.Far, b.Far), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Key, b.Key))
	})
	var outers []outer
	for from := 0; from < len(flows); {
		to := from
		seen := span{flows[from].Start, flows[from].Start}
		for to < len(flows) && flows[to].Client == flows[from].Client {
			seen.first, seen.last = min(seen.first, flows[to].Start), max(seen.last, flows[to].Start)
			to++
		}
		o := outer{addr: flows[from].Client, flows: flows[from:to], watched: seen}
		o.fars = runsOf(to-from, func(i int) Far { return o.flows[i].Far })
		outers = append(outers, o)
		from = to
	}
	return outers
}

// flow reports whether there is a flow of the run within the radius around t.
func (o *outer) flow(r run, t event.Time, radius time.Duration, port uint16, ports bool) bool {
	flows := o.flows[r.from:r.to]
	n, _ := slices.BinarySearchFunc(flows, t.Add(-radius), func(f Outside, t event.Time) int { return cmp.Compare(f.Start, t) })
	for ; n < len(flows) && flows[n].Start <= t.Add(radius); n++ {
		if !ports || flows[n].Port == port {
			return true
		}
	}
	return false
}

// placeAll finds the seats behind each address. Of two addresses that were
// watched at the same time, a seat is behind the one that explains more.
func placeAll(seats []*seat, outers []outer) map[*outer][]*place {
	wanted := make(map[Far][]*outer)
	for _, s := range seats {
		for _, r := range s.fars {
			wanted[r.far] = nil
		}
	}
	for i := range outers {
		for _, r := range outers[i].fars {
			if at, ok := wanted[r.far]; ok {
				wanted[r.far] = append(at, &outers[i])
			}
		}
	}
	placed := make(map[*outer][]*place)
	for _, s := range seats {
		for _, p := range s.places(wanted) {
			placed[p.at] = append(placed[p.at], p)
		}
	}
	return placed
}

// places returns the addresses that the seat is behind.
func (s *seat) places(by map[Far][]*outer) []*place {
	weight := make(map[*outer]float64)
	for _, r := range s.fars {
		for _, o := range by[r.far] {
			n := float64(len(by[r.far]))
			weight[o] += 1 / (n * n)
		}
	}
	var likely []*outer
	for o := range weight {
		likely = append(likely, o)
	}
	slices.SortFunc(likely, func(a, b *outer) int { return cmp.Or(cmp.Compare(weight[b], weight[a]), a.addr.Compare(b.addr)) })
	var fits []*place
	for _, o := range likely[:min(len(likely), maxPlaces)] {
		if slices.ContainsFunc(fits, func(p *place) bool { return p.explained >= plain && p.at.watched.meets(o.watched) }) {
			continue
		}
		if p, ok := s.fit(o); ok {
			fits = append(fits, &p)
		}
	}
	slices.SortStableFunc(fits, func(a, b *place) int { return cmp.Compare(b.explained, a.explained) })
	var kept []*place
	for _, p := range fits {
		if !slices.ContainsFunc(kept, func(k *place) bool { return k.at.watched.meets(p.at.watched) }) {
			kept = append(kept, p)
		}
	}
	return kept
}

// meets reports whether the spans overlap.
func (s span) meets(o span) bool { return s.first <= o.last && o.first <= s.last }
