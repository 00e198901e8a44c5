package owner

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
)

// leases says which hosts used an address, and when, by the source addresses
// of their outbound connects, on the wire's clock.
type leases map[netip.Addr][]lease

type lease struct {
	host string
	span span
}

// newLeases returns the leases that connects, at those times, show.
func newLeases(connects []event.Connect, times []event.Time) leases {
	m := make(leases)
	for i := range connects {
		k := &connects[i]
		if a := k.Src.Addr(); k.Outbound && a.IsValid() && !a.IsLoopback() && !a.IsUnspecified() {
			m.see(a, k.Host, times[i])
		}
	}
	for _, l := range m {
		slices.SortFunc(l, func(a, b lease) int { return strings.Compare(a.host, b.host) })
	}
	return m
}

func (m leases) see(a netip.Addr, host string, t event.Time) {
	l := m[a]
	for i := range l {
		if l[i].host == host {
			l[i].span = span{min(l[i].span.first, t), max(l[i].span.last, t)}
			return
		}
	}
	m[a] = append(l, lease{host, span{t, t}})
}

// holder returns the host that held the address at t. When several did, or
// none within the slack, it is "" and the reason says which.
func (m leases) holder(a netip.Addr, t event.Time, slack time.Duration) (host string, why Reason) {
	why = NoTelemetry
	best := slack + 1
	for _, l := range m[a] {
		d := l.span.distance(t)
		switch {
		case d > slack:
		case d < best:
			host, best, why = l.host, d, owned
		case d == best:
			host, why = "", SeveralHosts
		}
	}
	return host, why
}

// distance returns how far t lies outside s, or 0 inside.
func (s span) distance(t event.Time) time.Duration {
	return max(s.first.Sub(t), t.Sub(s.last), 0)
}
