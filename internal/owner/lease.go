package owner

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// leases says which host held an address when, by the source addresses of the
// hosts' outbound connects, on the wire's clock.
type leases struct {
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

// newLeases returns the leases that connects, at those times, show.
func newLeases(connects []event.Connect, times []event.Time) leases {
	m := leases{hosts: make(map[netip.Addr][]string), stays: make(map[string]stays)}
	for i := range connects {
		k := &connects[i]
		if a := k.Src.Addr(); k.Outbound && a.IsValid() && !a.IsLoopback() && !a.IsUnspecified() {
			m.stays[k.Host] = m.stays[k.Host].see(a, times[i])
		}
	}
	for host, s := range m.stays {
		m.stays[host] = s.settle()
		for _, a := range m.stays[host].addrs() {
			m.hosts[a] = append(m.hosts[a], host)
		}
	}
	for _, hosts := range m.hosts {
		slices.Sort(hosts)
	}
	return m
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
	h := holding{why: NoTelemetry}
	best := slack + 1
	for _, host := range m.hosts[a] {
		d, ok := m.stays[host].distance(a, t)
		switch {
		case !ok || d > slack || !may(host):
		case d < best:
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
