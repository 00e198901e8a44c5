package owner

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// The rules of the proxy rung.
const (
	// early is how long before its request a connection to a proxy may be
	// opened: browsers open some ahead.
	early = 30 * time.Second

	// prompt is how near a request must be to its connect where others could
	// have made it.
	prompt = time.Second

	// aligned is within which two clocks that are compared by requests agree.
	aligned = 2 * time.Second

	// enough bounds how many connects of a host, and requests of a client, the
	// comparison of their clocks looks at.
	enough = 400
)

// logged are the requests of a proxy's log that stand for flows, by client and
// time: numbers of flows. Their log does not say the client's port.
type logged map[netip.Addr][]int32

func (j *join) logged() logged {
	all := make(logged)
	for i := range j.flows {
		if f := &j.flows[i]; j.requests[i] != nil && f.Src.Port() == 0 {
			all[f.Src.Addr()] = append(all[f.Src.Addr()], int32(i))
		}
	}
	for _, flows := range all {
		j.byTime(flows)
	}
	return all
}

// A gate is a host's connects to one address and port, by one source.
type gate struct {
	clockKey
	dst netip.AddrPort
}

// alignProxies compares the times of connects with those of a proxy's log. It
// finds which far end is the proxy, where neither the log nor the configuration
// says so: the one that is connected to whenever there is a request. And it
// finds the clocks of hosts that no wire tells.
func (j *join) alignProxies() {
	requests := j.logged()
	if len(requests) == 0 {
		return
	}
	gates := make(map[gate][]int32)
	for i := range j.Events.Connects {
		k := &j.Events.Connects[i]
		if k.Outbound && k.Proto == event.TCP && len(requests[k.Src.Addr()]) > 0 {
			g := gate{clockKey{k.Host, k.Source}, k.Dst}
			if len(gates[g]) < enough {
				gates[g] = append(gates[g], int32(i))
			}
		}
	}
	j.believe(j.compare(gates, requests))
}

// An alignment is how well a gate's connects fit a log's requests.
type alignment struct {
	gate
	Clock
}

// compare aligns each gate, in an order of its own.
func (j *join) compare(gates map[gate][]int32, requests logged) []alignment {
	var all []alignment
	for g, connects := range gates {
		asked := requests[j.Events.Connects[connects[0]].Src.Addr()]
		asked = asked[:min(len(asked), enough)]
		var pairs []sighting
		for _, c := range connects {
			at := j.Events.Connects[c].Time
			for _, f := range asked {
				pairs = append(pairs, sighting{at, int64(at - j.flows[f].Time)})
			}
		}
		slices.SortFunc(pairs, func(a, b sighting) int {
			return cmp.Or(cmp.Compare(a.delta, b.delta), cmp.Compare(a.at, b.at))
		})
		lo, hi := densest(pairs, aligned.Microseconds())
		c := clockOf(pairs[lo:hi])
		c.Pairs = min(len(connects), len(asked))
		c.Agree = min(c.Agree, c.Pairs)
		if c.Agree >= minAgree && 2*c.Agree >= c.Pairs {
			c.Host, c.Source = g.host, g.source
			all = append(all, alignment{g, c})
		}
	}
	slices.SortFunc(all, func(a, b alignment) int {
		return cmp.Or(cmp.Compare(b.Agree, a.Agree), cmp.Compare(a.host, b.host),
			cmp.Compare(a.source, b.source), a.dst.Compare(b.dst))
	})
	return all
}

// believe takes the far end that fits best for the proxy, if none is known, and
// the clocks that it shows of hosts without one.
func (j *join) believe(all []alignment) {
	if len(j.proxies) == 0 {
		fits := make(map[netip.AddrPort]int)
		var best netip.AddrPort
		for _, a := range all {
			fits[a.dst] += a.Agree
			if fits[a.dst] > fits[best] {
				best = a.dst
			}
		}
		if best.IsValid() {
			j.proxies[best] = true
		}
	}
	for _, a := range all {
		if j.proxies[a.dst] && len(j.clocks[a.clockKey]) == 0 {
			j.clocks[a.clockKey] = []Clock{a.Clock}
		}
	}
}

// pairProxied gives the requests of a proxy's log the connects to the proxy that
// must have carried them: the proxy rung.
func (j *join) pairProxied() {
	requests := j.logged()
	if len(requests) == 0 {
		return
	}
	connects := make(map[netip.Addr][]int32)
	for i := range j.Events.Connects {
		k := &j.Events.Connects[i]
		if k.Outbound && j.taken[i] == undecided && j.proxies[k.Dst] && len(requests[k.Src.Addr()]) > 0 {
			connects[k.Src.Addr()] = append(connects[k.Src.Addr()], int32(i))
		}
	}
	for client, flows := range requests {
		in := connects[client]
		slices.SortFunc(in, func(a, b int32) int { return cmp.Or(cmp.Compare(j.times[a], j.times[b]), cmp.Compare(a, b)) })
		p := proxied{j, flows, in}
		for _, f := range flows {
			p.pair(f)
		}
	}
}

// proxied are a client's requests and connects to proxies, by time.
type proxied struct {
	*join
	flows, connects []int32 // numbers, by time
}

// pair names the owner of a request if there is but one it can be: all connects
// that may have carried it are of one process, and as many as there are
// requests; or one connect is as near as can be, to this request and no other,
// and those of other processes are not.
func (p proxied) pair(f int32) {
	in := p.connectsIn(p.at(f).Add(-early), p.at(f).Add(prompt))
	if len(in) == 0 {
		return
	}
	near := p.nearest(f, in)
	if p.alone(f, near, in) || p.prompt(f, near, in) {
		p.take(f, near, in)
	}
}

func (p proxied) at(f int32) event.Time { return p.join.flows[f].Time }

// apart is how far a connect lies from a request.
func (p proxied) apart(f, c int32) time.Duration { return p.at(f).Sub(p.times[c]).Abs() }

func (p proxied) nearest(f int32, in []int32) int32 {
	return slices.MinFunc(in, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.apart(f, a), p.apart(f, b)), cmp.Compare(a, b))
	})
}

func (p proxied) connectsIn(from, to event.Time) []int32 {
	lo, _ := slices.BinarySearchFunc(p.connects, from, func(c int32, t event.Time) int { return cmp.Compare(p.times[c], t) })
	hi, _ := slices.BinarySearchFunc(p.connects, to+1, func(c int32, t event.Time) int { return cmp.Compare(p.times[c], t) })
	return p.connects[lo:hi]
}

// same reports whether two connects are of one process.
func (p proxied) same(a, b int32) bool {
	x, y := &p.Events.Connects[a], &p.Events.Connects[b]
	if x.Host != y.Host || x.PID != y.PID {
		return false
	}
	return x.PID != 0 || p.template(x.Image) == p.template(y.Image)
}

// alone reports whether all connects are of one process, and at least as many
// as the requests that they may have carried: then none was lost.
func (p proxied) alone(f, near int32, in []int32) bool {
	var said [voices]int
	for _, c := range in {
		if !p.same(near, c) {
			return false
		}
		said[voiceOf(&p.Events.Connects[c])]++
	}
	from := p.firstFrom(p.flows, p.at(f).Add(-early))
	to := p.firstFrom(p.flows, p.at(f).Add(prompt)+1)
	return to-from <= max(said[counting], said[kernel], said[resolved])
}

// prompt reports whether a connect and a request are each other's nearest, and
// the connects of other processes farther by a margin.
func (p proxied) prompt(f, near int32, in []int32) bool {
	d := p.apart(f, near)
	if d > prompt {
		return false
	}
	for _, c := range in {
		if !p.same(near, c) && p.apart(f, c) < d+prompt {
			return false
		}
	}
	from := p.firstFrom(p.flows, p.times[near].Add(-d))
	to := p.firstFrom(p.flows, p.times[near].Add(d)+1)
	return to-from == 1
}

// take makes the nearest connect of each source, of the same process and
// moment, the request's owner.
func (p proxied) take(f, near int32, in []int32) {
	o := &p.owners[f]
	if n := slices.IndexFunc(in, func(c int32) bool { return p.taken[c] == undecided && p.same(near, c) }); n >= 0 {
		free := slices.DeleteFunc(slices.Clone(in), func(c int32) bool { return p.taken[c] != undecided || !p.same(near, c) })
		near = p.nearest(f, free)
	}
	for _, c := range in {
		k := &p.Events.Connects[c]
		slot := &o.said[voiceOf(k)]
		if *slot != nil || !p.same(near, c) || p.times[c].Sub(p.times[near]).Abs() > aligned {
			continue
		}
		*slot = k
		p.taken[c] = Joined
	}
	o.rung, o.at = event.RungProxy, p.times[near]
	if flow := &p.join.flows[f]; flow.Dst.Port() == 0 {
		flow.Dst = p.Events.Connects[near].Dst
	}
}
