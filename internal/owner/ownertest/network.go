package ownertest

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

func withPort(a netip.AddrPort, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr(), port)
}

// Translate moves the wire's sensors outside a translation of addresses, one
// for each group: its flows show one outside address and ports of its own.
// What stays inside is not seen there: internal flows and questions to the
// resolver.
func Translate() Degrader { return translation{}.degrade }

// TranslateKeepingPorts is Translate where nearly all flows keep the port that
// their client chose, as many translations do.
func TranslateKeepingPorts() Degrader { return translation{keepPorts: true}.degrade }

// TranslateTogether is Translate with one outside address for all groups.
func TranslateTogether() Degrader { return translation{together: true}.degrade }

// TranslateSite is Translate at the second of two sites that use the same
// addresses: what the first one's sensor sees stays as it was.
func TranslateSite() Degrader { return translation{sensor: secondSensor}.degrade }

// natBase is the first of the outside addresses of translations.
const natBase = 80_000

// A translation is of the flows that one sensor saw, or all.
type translation struct {
	sensor              string
	keepPorts, together bool
}

func (t translation) degrade(e Estate) Estate {
	group := 0
	return each(func(g *Group) {
		sensors := make(map[string]string)
		for i := range g.Events.Flows {
			sensors[g.Events.Flows[i].UID] = g.Events.Flows[i].Sensor
		}
		g.loseFlows(func(uid string) bool { return t.of(sensors[uid]) && !g.Truth.Flows[uid].outward() })
		g.Events.Lookups = slices.DeleteFunc(g.Events.Lookups, func(l event.Lookup) bool { return l.Host == "" && t.of(l.Sensor) })
		to := natBase
		if !t.together {
			to += group % 40_000
		}
		t.translate(g, publicAddr(to))
		group++
	})(e)
}

// of reports whether the sensor stands outside the translation.
func (t translation) of(sensor string) bool { return t.sensor == "" || t.sensor == sensor }

// translate gives the flows, in order of time, one port after the other, or
// leaves all but one in fifty theirs.
func (t translation) translate(g *Group, to netip.Addr) {
	const first, ports = 1024, 65536 - 1024
	now := make(map[string]netip.AddrPort, len(g.Events.Flows))
	was := make(map[[2]netip.AddrPort]netip.AddrPort)
	next := 0
	for i := range g.Events.Flows {
		f := &g.Events.Flows[i]
		if !t.of(f.Sensor) {
			continue
		}
		ends := between(f)
		src, known := was[ends]
		if !known || !empty(f) { // a scrap keeps the ports of its connection
			src = netip.AddrPortFrom(to, uint16(first+next%ports))
			was[ends] = src
			next++
			if t.keepPorts && next%50 != 0 {
				src = netip.AddrPortFrom(to, f.Src.Port())
			}
		}
		f.Src, now[f.UID] = src, src
	}
	for i := range g.Events.Handshakes {
		if h := &g.Events.Handshakes[i]; t.of(h.Sensor) {
			h.Src = now[h.UID]
		}
	}
}

func between(f *event.Flow) [2]netip.AddrPort { return [2]netip.AddrPort{f.Src, f.Dst} }

func empty(f *event.Flow) bool { return f.BytesIn == 0 && f.BytesOut == 0 }

// proxyAddr is an explicit proxy inside the estate.
func proxyAddr() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 251, 0, 1}), 3128)
}

// ProxyWire sends the TCP connections to the outside through a proxy that the
// wire's sensors stand before: endpoints connect to the proxy, and so do the
// flows, each with its CONNECT. Hosts do not ask for names that the proxy
// resolves. Connections that no wire saw stay as they were.
func ProxyWire() Degrader { return each(func(g *Group) { g.proxy(false) }) }

// ProxyLog is ProxyWire without a sensor before the proxy: in the place of the
// flows stand the requests of the proxy's own log, with the client's address,
// port and time, and UIDs of the log's own.
func ProxyLog() Degrader { return each(func(g *Group) { g.proxy(true) }) }

func (g *Group) proxy(logOnly bool) {
	proxied := make(map[string]bool)
	names := make(map[string]bool)
	for uid, t := range g.Truth.Flows {
		if t.Proto == event.TCP && t.outward() {
			proxied[uid], names[t.Name] = true, true
		}
	}
	g.rewrite(func(k *event.Connect, r Report) {
		if proxied[r.UID] {
			k.Dst = proxyAddr()
		}
	})
	e := &g.Events
	e.Lookups = slices.DeleteFunc(e.Lookups, func(l event.Lookup) bool { return names[l.Name] })
	for i := range e.Flows {
		if f := &e.Flows[i]; proxied[f.UID] {
			g.proxyFlow(f, logOnly)
		}
	}
	for i := range e.Handshakes {
		if h := &e.Handshakes[i]; proxied[h.UID] {
			h.Dst = proxyAddr()
		}
	}
	if logOnly {
		g.hideFlows(func(uid string) bool { return proxied[uid] })
	}
}

// proxyFlow turns a flow to the proxy and adds its request.
func (g *Group) proxyFlow(f *event.Flow, logOnly bool) {
	t := g.Truth.Flows[f.UID]
	f.Dst = proxyAddr()
	if empty(f) {
		return
	}
	r := event.Request{
		Sensor: f.Sensor, Time: f.Time + micros(0.002+0.05*share(0, uint64(f.Key()))), UID: f.UID, Src: f.Src, Dst: f.Dst,
		Method: http.MethodGet, Host: cmp.Or(t.Name, t.Dst.Addr().String()), Port: t.Dst.Port(), Status: http.StatusOK,
	}
	if t.TLS {
		f.Service = "http,ssl"
		r.Method = http.MethodConnect
	}
	if logOnly {
		r.Sensor, r.UID = "squid", "P"+f.UID
		g.Truth.Requests[r.UID] = f.UID
	}
	g.Events.Requests = append(g.Events.Requests, r)
}

// WrongPairs makes the share p of the tuples that endpoints and wire have in
// common pairs of strangers: of two TLS connections of one client and
// protocol, the one's connects and the other's flow are hidden, and the flow
// that is left has the tuple of the connects that are left. They lie minutes
// or more apart, as ports come round. Tuples that come more than once are left
// alone.
func WrongPairs(p float64, seed uint64) Degrader {
	// Of n connections a share q makes qn/2 strangers and leaves (1-q)n pairs.
	q := 2 * p / (1 + p)
	return each(func(g *Group) {
		type client struct {
			addr  netip.Addr
			proto event.Proto
		}
		uses := make(map[[2]netip.AddrPort]int)
		for i := range g.Events.Flows {
			uses[between(&g.Events.Flows[i])]++
		}
		by := make(map[client][]*event.Flow)
		for i := range g.Events.Flows {
			f := &g.Events.Flows[i]
			if g.Truth.Flows[f.UID].TLS && uses[between(f)] == 1 && pickedName(seed, q, f.UID) {
				c := client{f.Src.Addr(), f.Proto}
				by[c] = append(by[c], f)
			}
		}
		muted, lost := make(map[string]bool), make(map[string]bool)
		for _, flows := range by {
			slices.SortFunc(flows, func(a, b *event.Flow) int { // pair them by chance
				return cmp.Compare(share(seed+1, uint64(a.Key())), share(seed+1, uint64(b.Key())))
			})
			half := len(flows) / 2
			for i := range half {
				f, stranger := flows[i], flows[i+half]
				if f.Time.Sub(stranger.Time).Abs() < 3*time.Minute {
					continue // no join could tell
				}
				f.Src, f.Dst = stranger.Src, stranger.Dst
				muted[f.UID], lost[stranger.UID] = true, true
			}
		}
		g.Events.Connects = slices.DeleteFunc(g.Events.Connects, func(k event.Connect) bool {
			return muted[g.Truth.Connects[k.Key()].UID]
		})
		g.loseFlows(func(uid string) bool { return lost[uid] })
	})
}
