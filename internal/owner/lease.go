package owner

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// leases says which host held an address when, on the wire's clock. Who says so
// differs in how far it is believed: the connects of the hosts themselves, then
// DHCP, then a list that somebody keeps. The better answers where it can.
type leases [grounds]holders

// A ground is on what a lease rests, the best first.
type ground uint8

const (
	used   ground = iota // a host opened connections with the address
	given                // DHCP gave it to the host
	listed               // an inventory says so
	grounds
)

// Inventory is the sensor of the leases that an inventory lists.
const Inventory = "inventory"

// holders are the hosts that held addresses, on one ground.
type holders struct {
	hosts map[netip.Addr][]string // that were ever seen with the address, by name
	stays map[string]stays
}

// A stay is a time in which a host was seen with one address and no other.
type stay struct {
	addr netip.Addr
	span span
}

// stays are a host's, by time. Those of a host with two addresses at once, as
// with a VPN, take turns.
type stays []stay

// newLeases returns the leases that connects, at those times, and others show.
func newLeases(connects []event.Connect, times []event.Time, said []event.Lease) leases {
	var stayed [grounds]map[string]stays
	for g := range stayed {
		stayed[g] = make(map[string]stays)
	}
	for i := range connects {
		k := &connects[i]
		if a := k.Src.Addr(); k.Outbound && holdable(a) {
			stayed[used][k.Host] = stayed[used][k.Host].see(a, times[i])
		}
	}
	for host, s := range stayed[used] {
		stayed[used][host] = s.settle()
	}
	for _, l := range terms(said) {
		stayed[l.ground][l.host] = append(stayed[l.ground][l.host], l.stay)
	}
	var m leases
	for g := given; g < grounds; g++ {
		for host, s := range stayed[g] {
			stayed[g][host] = s.merge()
		}
	}
	for g := range stayed {
		m[g] = newHolders(stayed[g])
	}
	return m
}

// holdable reports whether an address is one that tells hosts apart.
func holdable(a netip.Addr) bool { return a.IsValid() && !a.IsLoopback() && !a.IsUnspecified() }

func newHolders(stayed map[string]stays) holders {
	m := holders{make(map[netip.Addr][]string), stayed}
	for host, s := range stayed {
		for _, a := range s.addrs() {
			m.hosts[a] = append(m.hosts[a], host)
		}
	}
	for _, hosts := range m.hosts {
		slices.Sort(hosts)
	}
	return m
}

// A term is a stay that a lease speaks of.
type term struct {
	ground
	host string
	stay
}

// forever ends a lease that has no end.
const forever = event.Time(math.MaxInt64)

// terms returns for which time each lease holds: to its end, or until the
// address is given to another host.
func terms(said []event.Lease) []term {
	byAddr := slices.Clone(said)
	slices.SortFunc(byAddr, func(a, b event.Lease) int {
		return cmp.Or(a.Addr.Compare(b.Addr), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Host, b.Host))
	})
	var all []term
	for i := range byAddr {
		l := &byAddr[i]
		if l.Host == "" || !holdable(l.Addr) {
			continue
		}
		t := term{given, l.Host, stay{l.Addr, span{l.Time, forever}}}
		if l.Sensor == Inventory {
			t.ground = listed
		}
		if l.Duration.Known() && event.Time(l.Duration) < forever-max(0, l.Time) {
			t.span.last = l.Time + event.Time(l.Duration)
		}
		for n := i + 1; n < len(byAddr) && byAddr[n].Addr == l.Addr && t.ground == given; n++ {
			if next := &byAddr[n]; next.Host != l.Host && next.Sensor != Inventory {
				t.span.last = min(t.span.last, next.Time-1)
				break
			}
		}
		all = append(all, t)
	}
	return all
}

// see adds a sighting. They come nearly in order of time: settle sees to the
// rest.
func (s stays) see(a netip.Addr, t event.Time) stays {
	if n := len(s); n > 0 && s[n-1].addr == a && t >= s[n-1].span.first {
		s[n-1].span.last = max(s[n-1].span.last, t)
		return s
	}
	return append(s, stay{a, span{t, t}})
}

// settle puts stays in order and joins those that follow each other.
func (s stays) settle() stays {
	slices.SortFunc(s, func(a, b stay) int {
		return cmp.Or(cmp.Compare(a.span.first, b.span.first), a.addr.Compare(b.addr))
	})
	var out stays
	for _, next := range s {
		if n := len(out); n > 0 && out[n-1].addr == next.addr {
			out[n-1].span.last = max(out[n-1].span.last, next.span.last)
			continue
		}
		out = append(out, next)
	}
	return out
}

func (s stays) addrs() []netip.Addr {
	var all []netip.Addr
	for _, stay := range s {
		all = append(all, stay.addr)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// distance returns how far t lies from a time in which the host had the
// address, and false when it had moved on: the stay at t, and the next, have
// other addresses.
func (s stays) distance(a netip.Addr, t event.Time) (time.Duration, bool) {
	n, _ := slices.BinarySearchFunc(s, t+1, func(x stay, t event.Time) int { return cmp.Compare(x.span.first, t) })
	best, found := time.Duration(0), false
	for _, x := range s[max(0, n-1):min(len(s), n+1)] {
		if d := x.span.distance(t); x.addr == a && (!found || d < best) {
			best, found = d, true
		}
	}
	return best, found
}

// merge puts stays that may overlap in order, and makes one of those of an
// address that follow without a gap, as renewals do.
func (s stays) merge() stays {
	slices.SortFunc(s, func(a, b stay) int {
		return cmp.Or(a.addr.Compare(b.addr), cmp.Compare(a.span.first, b.span.first))
	})
	var out stays
	for _, next := range s {
		if n := len(out); n > 0 && out[n-1].addr == next.addr && next.span.first <= out[n-1].span.last {
			out[n-1].span.last = max(out[n-1].span.last, next.span.last)
			continue
		}
		out = append(out, next)
	}
	return out
}

// covers reports whether the host had the address at t, by stays that may
// overlap.
func (s stays) covers(a netip.Addr, t event.Time) bool {
	return slices.ContainsFunc(s, func(x stay) bool { return x.addr == a && x.span.has(t) })
}

// A holding is who held an address, as far as is known.
type holding struct {
	host string
	why  Reason // there is none

	// sure reports that the host was seen with the address at nearly that
	// time: only then may it be said what its processes did.
	sure bool
}

// nearly is how far from a sighting a holding is still sure.
const nearly = 10 * time.Minute

// holder returns the host that held the address at t, of those that may have
// been where the flow was seen. When several did, or none within the slack,
// the reason says which.
func (m leases) holder(a netip.Addr, t event.Time, slack time.Duration, may func(host string) bool) holding {
	h := m[used].holder(a, may, func(s stays) (time.Duration, bool) {
		d, ok := s.distance(a, t)
		return d, ok && d <= slack
	})
	if h.sure {
		return h
	}
	among := may
	if h.why == SeveralHosts {
		among = func(host string) bool { return slices.Contains(m[used].hosts[a], host) && may(host) }
	}
	covers := func(s stays) (time.Duration, bool) { return 0, s.covers(a, t) }
	if g := m[given].holder(a, among, covers); g.host != "" {
		return g // a sighting some hours away says less than what DHCP says of now
	}
	if l := m[listed].holder(a, among, covers); h.host == "" && l.host != "" {
		return l
	}
	return h
}

// holder returns the host whose stays lie nearest, by a distance that is false
// where they are too far.
func (m holders) holder(a netip.Addr, may func(host string) bool, distance func(stays) (time.Duration, bool)) holding {
	h := holding{why: NoTelemetry}
	best := time.Duration(math.MaxInt64)
	for _, host := range m.hosts[a] {
		d, ok := distance(m.stays[host])
		switch {
		case !ok || !may(host):
		case h.why == NoTelemetry || d < best:
			best = d
			h = holding{host, owned, d <= nearly}
		case d == best:
			h = holding{why: SeveralHosts}
		}
	}
	return h
}

// distance returns how far t lies outside s, or 0 inside.
func (s span) distance(t event.Time) time.Duration {
	return max(s.first.Sub(t), t.Sub(s.last), 0)
}
