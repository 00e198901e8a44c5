package ownertest

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"github.com/postern/postern/internal/event"
)

// Squid sends the TCP connections to the outside through a proxy, as ProxyLog
// does, whose log says what Squid's says by default: the client's address
// without its port, when a request began and for how long it lasted, and what
// the client was sent. A share of the connections is opened ahead, as browsers
// do, mostly by some seconds.
func Squid(ahead float64) Degrader {
	return each(func(g *Group) {
		flows := g.byUID()
		g.proxy(true)
		g.logRequests(flows, ahead, netip.AddrPort{})
	})
}

// SquidWire is Squid with a sensor before the proxy that does not tell what the
// flows ask for, and a log that has the proxy's own address.
func SquidWire() Degrader {
	return each(func(g *Group) {
		flows := g.byUID()
		g.proxy(false)
		for i := range g.Events.Flows {
			if f := &g.Events.Flows[i]; f.Dst == proxyAddr() {
				f.Service = ""
			}
		}
		g.Events.Handshakes = slices.DeleteFunc(g.Events.Handshakes, func(h event.Handshake) bool { return h.Dst == proxyAddr() })
		g.logRequests(flows, 0, proxyAddr())
	})
}

func (g *Group) byUID() map[string]event.Flow {
	flows := make(map[string]event.Flow, len(g.Events.Flows))
	for _, f := range g.Events.Flows {
		flows[f.UID] = f
	}
	return flows
}

// logRequests makes the requests of the group those of Squid's log.
func (g *Group) logRequests(flows map[string]event.Flow, ahead float64, own netip.AddrPort) {
	g.Truth.Logged = make(map[event.Key]string)
	for i := range g.Events.Requests {
		r := &g.Events.Requests[i]
		f, n := flows[cmp.Or(g.Truth.Requests[r.UID], r.UID)], uint64(r.Key())
		r.Time = f.Time + micros(0.003+0.05*share(1, n))
		if picked(2, ahead, n) {
			r.Time += micros(math.Exp(4 * share(3, n)))
		}
		lasts := max(0, f.Time+event.Time(max(0, f.Duration))-r.Time)
		r.Sensor, r.UID, r.Dst, r.Src = "squid", "", own, netip.AddrPortFrom(r.Src.Addr(), 0)
		r.Volume = event.Volume{Counted: true, Duration: event.Count(lasts), BytesOut: event.Unknown, BytesIn: f.BytesIn}
		g.Truth.Logged[r.Key()] = f.UID
	}
}

// Count makes the Sysmon connects of each host those of an agent that counts
// the bytes of its connections, as the wire would, had it seen them.
func Count() Degrader {
	return each(func(g *Group) {
		flows := g.byUID()
		for key, r := range g.Truth.Connects {
			r.False = r.False && flows[r.UID].UID == ""
			g.Truth.Connects[key] = r
		}
		g.rewrite(func(k *event.Connect, r Report) {
			f, ok := flows[r.UID]
			if k.Source != event.Sysmon || !k.Outbound || !ok {
				return
			}
			k.Source = event.Agent
			k.PID, k.GUID, k.Image = r.Process.PID, r.Process.GUID, r.Process.Image // who carries it knows it
			k.Volume = event.Volume{Counted: true, Duration: f.Duration, BytesOut: f.BytesOut, BytesIn: f.BytesIn}
		})
	})
}
