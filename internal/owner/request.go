package owner

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// tunnels reports whether a request asks a proxy for a TLS connection: by
// CONNECT, or for a resource that the proxy fetches by HTTPS.
func tunnels(r *event.Request) bool { return r.Method == http.MethodConnect || r.Scheme == "https" }

// refused reports whether the proxy refused a request: it asks for credentials,
// or its rules forbid the far end.
func refused(r *event.Request) bool { return r.Status >= http.StatusBadRequest }

// indexRequests finds what each flow asks a proxy for, by the sensor's UID. A
// request whose flow was never reported stands for it, as all those of a
// proxy's own log do for which no flow can be told.
func (j *join) indexRequests() {
	e := j.Events
	j.ledger.Requests = int64(len(e.Requests))
	j.proxies = make(map[netip.AddrPort]bool)
	for _, p := range j.Proxies {
		j.proxies[p] = true
	}
	best := make(map[string]*event.Request)
	var logged []*event.Request
	for i := range e.Requests {
		r := &e.Requests[i]
		if r.Dst.IsValid() && r.Dst.Port() != 0 {
			j.proxies[r.Dst] = true
		}
		switch {
		case !tunnels(r):
			j.ledger.RequestsPlain++
		case r.UID == "":
			logged = append(logged, r)
		case best[r.UID] == nil || refused(best[r.UID]) && !refused(r):
			best[r.UID] = r
		}
	}
	j.requests = make([]*event.Request, len(j.flows), len(j.flows)+len(logged))
	if len(best)+len(logged) == 0 {
		return
	}
	known := make(map[string]bool, len(best))
	for i := range j.flows {
		if uid := j.flows[i].UID; best[uid] != nil {
			j.requests[i] = best[uid]
			known[uid] = true
		}
	}
	for i := range e.Requests {
		if r := &e.Requests[i]; best[r.UID] == r && !known[r.UID] {
			j.standRequest(r)
		}
	}
	for _, r := range j.carried(j.outer(logged)) {
		j.standRequest(r)
	}
}

func (j *join) standRequest(r *event.Request) {
	f := event.Flow{Sensor: r.Sensor, Time: r.Time, UID: r.UID, Proto: event.TCP, Src: r.Src, Dst: r.Dst}
	j.stand(f, nil, r.Volume.Known())
	j.requests = append(j.requests, r)
	j.ledger.RequestsAlone++
}

// A wish is what a client asks a proxy for.
type wish struct {
	client netip.Addr
	host   string
	port   uint16
}

// outer returns the requests that are connections of their own, which are those
// of a log in order of time. A proxy that looks into TLS logs the CONNECT, and
// then each request within it: these are counted, and what they moved goes to
// the connection.
func (j *join) outer(logged []*event.Request) []*event.Request {
	open := make(map[wish]*event.Request)
	var out []*event.Request
	for _, r := range logged {
		w := wish{r.Src.Addr(), r.Host, r.Port}
		if r.Method == http.MethodConnect {
			connect := *r // the log's own stays as it is
			open[w] = &connect
			out = append(out, &connect)
			continue
		}
		if c := open[w]; c != nil && !refused(c) && within(c, r) {
			c.Volume = c.Volume.Known()
			c.Volume.Counted = true
			c.Volume.BytesOut = more(c.Volume.BytesOut, r.Volume.Known().BytesOut)
			c.Volume.BytesIn = more(c.Volume.BytesIn, r.Volume.Known().BytesIn)
			j.ledger.RequestsWithin++
			continue
		}
		out = append(out, r)
	}
	return out
}

// more returns the sum of two counts, of those that are known.
func more(a, b event.Count) event.Count {
	if !a.Known() {
		return b
	}
	return event.Count(b.AddTo(int64(a)))
}

// longTunnel is how long a CONNECT of unknown duration may last.
const longTunnel = 10 * time.Minute

// within reports whether r came through the connection that c asked for.
func within(c, r *event.Request) bool {
	lasted := longTunnel
	if d := c.Volume.Known().Duration; d.Known() {
		lasted = time.Duration(d)*time.Microsecond + time.Second
	}
	return r.Time.Sub(c.Time) <= lasted
}

// carried gives the requests of a proxy's log to the flows that carried them,
// where a sensor stood before the proxy, and returns the others. A request and a
// flow belong together when each is the other's nearest by a margin.
func (j *join) carried(logged []*event.Request) []*event.Request {
	clients := make(map[netip.Addr][]int32) // flows to proxies, by time
	asked := make(map[netip.Addr]bool)
	for _, r := range logged {
		asked[r.Src.Addr()] = true
	}
	for i := range j.flows {
		f := &j.flows[i]
		if asked[f.Src.Addr()] && j.requests[i] == nil && j.proxies[f.Dst] {
			clients[f.Src.Addr()] = append(clients[f.Src.Addr()], int32(i))
		}
	}
	if len(clients) == 0 {
		return logged
	}
	of := make([]rivals, len(logged))
	by := make(map[int32]*rivals) // of flows, numbers of requests
	for n, r := range logged {
		for _, i := range j.carriers(r, clients[r.Src.Addr()]) {
			d := j.misfit(r, i)
			of[n].add(i, d)
			if by[i] == nil {
				by[i] = new(rivals)
			}
			by[i].add(int32(n), d)
		}
	}
	var rest []*event.Request
	for n, r := range logged {
		if i, ok := of[n].winner(); ok {
			if m, ok := by[i].winner(); ok && m == int32(n) {
				j.requests[i] = r
				continue
			}
		}
		rest = append(rest, r)
	}
	return rest
}

// rivals are those that may belong to something, of which the two nearest count.
type rivals struct {
	n          int
	best       int32
	near, next time.Duration
}

func (r *rivals) add(i int32, d time.Duration) {
	switch r.n++; {
	case r.n == 1 || d < r.near:
		r.best, r.near, r.next = i, d, r.near
	case r.n == 2 || d < r.next:
		r.next = d
	}
}

// margin is by how much the second must be farther than the first.
const margin = 50 * time.Millisecond

// winner returns the nearest, if it is that by a margin.
func (r *rivals) winner() (int32, bool) {
	return r.best, r.n == 1 || r.n > 1 && r.next-r.near >= margin
}

// apace is how far a proxy's log and a sensor may stamp one moment apart.
const apace = time.Second

// misfit is how far the begin and the end of a request lie from those of a flow.
func (j *join) misfit(r *event.Request, i int32) time.Duration {
	f := &j.flows[i]
	d := r.Time.Sub(f.Time).Abs()
	if lasted := r.Volume.Known().Duration; lasted.Known() && f.Duration.Known() {
		d += (r.Time + event.Time(lasted)).Sub(end(f)).Abs()
	}
	return d
}

// maxCarriers bounds how many flows of a client are looked at for one request.
const maxCarriers = 256

// carriers returns those of a client's flows to proxies that may have carried r:
// they were open when it began, and ended with it.
func (j *join) carriers(r *event.Request, flows []int32) []int32 {
	before, _ := slices.BinarySearchFunc(flows, r.Time.Add(apace)+1, func(f int32, t event.Time) int {
		return cmp.Compare(j.flows[f].Time, t)
	})
	lasted := r.Volume.Known().Duration
	var fit []int32
	for _, i := range flows[max(0, before-maxCarriers):before] {
		f := &j.flows[i]
		switch {
		case r.Src.Port() != 0 && r.Src.Port() != f.Src.Port(), r.Dst.Port() != 0 && r.Dst != f.Dst:
		case f.Duration.Known() && end(f).Add(apace) < r.Time:
		case f.Duration.Known() && lasted.Known() && (r.Time+event.Time(lasted)).Sub(end(f)).Abs() > apace:
		default:
			fit = append(fit, i)
		}
	}
	return fit
}
