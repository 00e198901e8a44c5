// Package owner finds the process that opened each connection: it joins what
// endpoints reported (process, no bytes) with what a wire saw (bytes, no
// process), says on which evidence, and keeps the ledger of what it could not
// join.
//
// The join is pure. It takes all events of some hosts and of the addresses
// they used, and returns sessions and ledger; docs/owner.md has its rules.
package owner

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/process"
)

// A Config holds what may be set about the join.
type Config struct {
	// Window is how far a connect may lie from its flow, after the host's
	// clock offset was taken off.
	Window time.Duration

	// LookupBefore is how long before a flow its process may have asked for
	// the name, for the lookup rung.
	LookupBefore time.Duration

	// LookupAlone is how long before a flow no other process of the host may
	// have asked for the name, for the lookup rung.
	LookupAlone time.Duration

	// LeaseSlack is how far outside its first and last sighting a host is
	// still taken to have held an address.
	LeaseSlack time.Duration

	// Seeds are those with which sensors may make their Community IDs.
	Seeds []uint16
}

// Defaults returns the configuration that docs/owner.md describes.
func Defaults() Config {
	return Config{
		Window:       60 * time.Second,
		LookupBefore: 60 * time.Second,
		LookupAlone:  10 * time.Minute,
		LeaseSlack:   24 * time.Hour,
		Seeds:        []uint16{0, 1},
	}
}

// A Window is what one Join works on. Every kind of event is ordered by time.
type Window struct {
	Events *event.Batch

	// Networks tells internal addresses from the outside.
	Networks inventory.Networks

	// Proxies are explicit proxies, beside those that requests name.
	Proxies []netip.AddrPort

	// Captured reports whether any sensor watched anything at nearly that
	// time. It may be nil: then only this window's own flows tell.
	Captured func(event.Time) bool

	// Apart reports whether a host and a sensor are known to be at different
	// sites. It may be nil.
	Apart func(host, sensor string) bool

	// Elsewhere reports whether two sensors are known to be at different
	// sites, so that they see no flow together. It may be nil.
	Elsewhere func(a, b string) bool

	// TLSServer reports whether that address and port shook hands with
	// anyone. It may be nil.
	TLSServer func(netip.AddrPort) bool

	// Loose says that the result shall have the loose ends, which cost
	// memory.
	Loose bool
}

// A Result is what a Join found.
type Result struct {
	Sessions []event.Session // by start, then key
	Clocks   []Clock         // by host, then source
	Ledger   Ledger
	Loose    Loose // if asked for
}

// Join finds the owners of a window's flows.
func Join(w Window, c Config) Result {
	j := newJoin(w, c)
	j.estimateClocks()
	j.alignProxies()
	j.correctTimes()
	j.leases = newLeases(w.Events.Connects, j.times, w.Events.Leases)
	j.index()
	j.compareIDs()
	j.pair()
	j.pairPortless()
	j.pairProxied()
	j.locate()
	sessions := make([]event.Session, 0, len(j.flows))
	j.cover()
	// Those with an owner first: the others may be inferred from them.
	if len(j.twins) > 0 {
		j.results = make([]result, len(j.flows))
	}
	for _, owned := range []bool{true, false} {
		for i := range j.flows {
			if j.owners[i].any() != owned {
				continue
			}
			if s, ok := j.flow(i); ok {
				sessions = append(sessions, s)
			}
		}
	}
	j.accountTwins()
	sessions = append(sessions, j.unpaired()...)
	for _, n := range j.names {
		j.ledger.Forgotten += int64(n.Dropped())
	}
	for _, n := range j.seen {
		j.ledger.Forgotten += int64(n.Dropped())
	}
	return Result{Sessions: inOrder(sessions), Clocks: j.clocks.list(), Ledger: j.ledger, Loose: j.loose}
}

// inOrder returns sessions by start, then key. They are wide, so what is moved
// while they are sorted is their numbers.
func inOrder(sessions []event.Session) []event.Session {
	type place struct {
		start event.Time
		key   event.Key
		index int
	}
	places := make([]place, len(sessions))
	for i := range sessions {
		places[i] = place{sessions[i].Start, sessions[i].Key, i}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.key, b.key), cmp.Compare(a.index, b.index))
	})
	sorted := make([]event.Session, len(sessions))
	for i, p := range places {
		sorted[i] = sessions[p.index]
	}
	return sorted
}

// join is the state of one Join.
type join struct {
	Window
	Config
	ledger Ledger
	loose  Loose
	clocks clocks
	leases leases

	reaches map[clockKey]time.Duration // of connects

	flows      []event.Flow
	reported   int // of flows: those that stand for one come last
	twins      []twin
	results    []result           // of flows; only where there are twins
	handshakes []*event.Handshake // of flows, the first of each
	requests   []*event.Request   // of flows, what each asks a proxy for, or nil
	proxies    map[netip.AddrPort]bool

	tuples  tuples
	owners  []owners        // of flows
	taken   []Outcome       // of Events.Connects
	seconds map[int32]int32 // of connects without a flow, another source's word on each
	times   []event.Time    // of Events.Connects, on the wire's clock

	procs   map[string]*process.Table             // by host
	names   map[string]*destination.Names         // by host
	seen    map[netip.Addr]*destination.Names     // by client address: answers on the wire
	lookups map[string]map[string][]*event.Lookup // by host and name, by time

	templates map[string]string            // of images
	keys      map[*process.Instance]string // of programs
	history   history                      // of sessions with an owner
	covered   map[string]cover             // by host
	sites     sites
	domains   map[string]string // of names

	candidates []candidate // pairTuple's, to be used again

	wire     spans[netip.Addr] // when the wire saw each client
	endpoint spans[string]     // when each host reported connects, wire clock
}

// A span is the time from the first to the last of some events.
type span struct{ first, last event.Time }

func (s span) has(t event.Time) bool { return s.first <= t && t <= s.last }

// spans are the spans of the events of each key.
type spans[K comparable] map[K]*span

func (m spans[K]) see(k K, t event.Time) {
	if s := m[k]; s != nil {
		s.first, s.last = min(s.first, t), max(s.last, t)
		return
	}
	m[k] = &span{t, t}
}

func (m spans[K]) of(k K) span {
	if s := m[k]; s != nil {
		return *s
	}
	return span{}
}

func newJoin(w Window, c Config) *join {
	j := &join{
		Window: w, Config: c,
		taken:    make([]Outcome, len(w.Events.Connects)),
		procs:    make(map[string]*process.Table),
		names:    make(map[string]*destination.Names),
		seen:     make(map[netip.Addr]*destination.Names),
		lookups:  make(map[string]map[string][]*event.Lookup),
		wire:     make(spans[netip.Addr]),
		endpoint: make(spans[string]),
		clocks:   make(clocks), reaches: make(map[clockKey]time.Duration),
		templates: make(map[string]string), keys: make(map[*process.Instance]string),
		history: make(history),
		domains: make(map[string]string),
	}
	if j.TLSServer == nil {
		j.TLSServer = func(netip.AddrPort) bool { return false }
	}
	if j.Captured == nil {
		j.Captured = func(event.Time) bool { return true }
	}
	if j.Elsewhere == nil {
		j.Elsewhere = func(string, string) bool { return false }
	}
	if j.Apart == nil {
		j.Apart = func(string, string) bool { return false }
	}
	j.indexWire()
	return j
}

// indexWire finds a flow's handshake and request by the sensor's UID, and the
// connects that share its tuple.
func (j *join) indexWire() {
	e := j.Events
	j.indexHandshakes()
	j.indexRequests()
	j.mergeTwins()
	j.owners = make([]owners, len(j.flows))
	for i := range j.flows {
		j.wire.see(j.flows[i].Src.Addr(), j.flows[i].Time)
	}
	j.tuples = newTuples(e.Connects, j.flows)
	for n := range j.tuples.n {
		flows := j.tuples.flows.of(n)
		if len(flows) > 1 && int(flows[len(flows)-1]) >= j.reported {
			j.byTime(flows) // those that stand for a flow came last
		}
	}
}

// stand adds a flow that was never reported, with what is known of its volume.
func (j *join) stand(f event.Flow, h *event.Handshake, v event.Volume) {
	f.Duration, f.BytesOut, f.BytesIn = v.Duration, v.BytesOut, v.BytesIn
	f.PacketsOut, f.PacketsIn = event.Unknown, event.Unknown
	j.flows = append(j.flows, f)
	j.handshakes = append(j.handshakes, h)
}

// indexHandshakes finds the first handshake of each flow. One whose flow was
// never reported stands for it: its bytes are unknown.
func (j *join) indexHandshakes() {
	e := j.Events
	numbers := make(map[string]int32, len(e.Handshakes))
	for i := range e.Handshakes {
		if _, ok := numbers[e.Handshakes[i].UID]; !ok {
			numbers[e.Handshakes[i].UID] = int32(i)
		}
	}
	used := make([]bool, len(e.Handshakes))
	j.flows = slices.Clip(e.Flows) // which is not ours to append to
	j.reported = len(e.Flows)
	j.handshakes = make([]*event.Handshake, len(e.Flows))
	for i := range e.Flows {
		if n, ok := numbers[e.Flows[i].UID]; ok && e.Flows[i].UID != "" {
			j.handshakes[i] = &e.Handshakes[n]
			used[n] = true
		}
	}
	for i := range e.Handshakes {
		h := &e.Handshakes[i]
		if used[i] || h.UID != "" && numbers[h.UID] != int32(i) {
			continue
		}
		j.stand(event.Flow{Sensor: h.Sensor, Time: h.Time, UID: h.UID, Proto: h.Proto, Src: h.Src, Dst: h.Dst}, h, event.Volume{}.Known())
		j.ledger.HandshakesAlone++
	}
}

// index sorts what the hosts said by host, once their clocks are known.
func (j *join) index() {
	e := j.Events
	starts := make(map[string][]event.ProcessStart)
	stops := make(map[string][]event.ProcessStop)
	for _, s := range e.Starts {
		starts[s.Host] = append(starts[s.Host], s)
	}
	for _, s := range e.Stops {
		stops[s.Host] = append(stops[s.Host], s)
	}
	for host, s := range starts {
		j.procs[host] = process.NewTable(s, stops[host])
	}
	for i := range e.Lookups {
		j.indexLookup(e.Lookups[i])
	}
	for i := range e.Connects {
		j.endpoint.see(e.Connects[i].Host, j.times[i])
	}
}

// indexLookup files a lookup, with its time on the wire's clock.
func (j *join) indexLookup(l event.Lookup) {
	if l.Host == "" {
		n := j.seen[l.Client]
		if n == nil {
			n = new(destination.Names)
			j.seen[l.Client] = n
		}
		n.Add(&l)
		return
	}
	l.Time = j.clocks.correct(l.Host, l.Source, l.Time)
	n := j.names[l.Host]
	if n == nil {
		n = new(destination.Names)
		j.names[l.Host] = n
		j.lookups[l.Host] = make(map[string][]*event.Lookup)
	}
	n.Add(&l)
	j.lookups[l.Host][l.Name] = append(j.lookups[l.Host][l.Name], &l)
	j.ledger.Lookups++
}
