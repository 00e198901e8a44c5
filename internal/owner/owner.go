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
	"net/http"
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
}

// Defaults returns the configuration that docs/owner.md describes.
func Defaults() Config {
	return Config{
		Window:       60 * time.Second,
		LookupBefore: 60 * time.Second,
		LookupAlone:  10 * time.Minute,
		LeaseSlack:   24 * time.Hour,
	}
}

// A Window is what one Join works on. Every kind of event is ordered by time.
type Window struct {
	Events *event.Batch

	// Networks tells internal addresses from the outside.
	Networks inventory.Networks

	// TLSServer reports whether that address and port shook hands with
	// anyone. It may be nil.
	TLSServer func(netip.AddrPort) bool
}

// A Result is what a Join found.
type Result struct {
	Sessions []event.Session // by start, then key
	Clocks   []Clock         // by host, then source
	Ledger   Ledger
}

// Join finds the owners of a window's flows.
func Join(w Window, c Config) Result {
	j := newJoin(w, c)
	j.estimateClocks()
	j.leases = newLeases(w.Events.Connects, j.clocks)
	j.index()
	j.pair()
	r := Result{Clocks: j.clocks.list()}
	for i := range j.flows {
		if s, ok := j.flow(i); ok {
			r.Sessions = append(r.Sessions, s)
		}
	}
	r.Sessions = append(r.Sessions, j.unpaired()...)
	slices.SortFunc(r.Sessions, func(a, b event.Session) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Key, b.Key))
	})
	r.Ledger = j.ledger
	return r
}

// A tuple is what endpoint and wire can agree on about a connection.
type tuple struct {
	src, dst netip.AddrPort
	proto    event.Proto
}

// join is the state of one Join.
type join struct {
	Window
	Config
	ledger Ledger
	clocks clocks
	leases leases

	flows      []event.Flow
	handshakes map[string]*event.Handshake // by flow UID, the first
	requests   map[string]*event.Request   // CONNECTs by flow UID, the first

	connects map[tuple][]int // indices of Events.Connects, by time
	byTuple  map[tuple][]int // indices of flows, by time
	owners   []owners        // of flows
	taken    []Outcome       // of Events.Connects

	procs   map[string]*process.Table             // by host
	names   map[string]*destination.Names         // by host
	seen    map[netip.Addr]*destination.Names     // by client address: answers on the wire
	lookups map[string]map[string][]*event.Lookup // by host and name, by time

	templates map[string]string // of images

	wire     map[netip.Addr]span // when the wire saw each client
	endpoint map[string]span     // when each host reported connects, wire clock
}

// A span is the time from the first to the last of some events.
type span struct{ first, last event.Time }

func (s span) has(t event.Time) bool { return s.first <= t && t <= s.last }

func widen[K comparable](m map[K]span, k K, t event.Time) {
	s, ok := m[k]
	if !ok {
		s = span{t, t}
	}
	m[k] = span{min(s.first, t), max(s.last, t)}
}

func newJoin(w Window, c Config) *join {
	j := &join{
		Window: w, Config: c,
		handshakes: make(map[string]*event.Handshake, len(w.Events.Handshakes)),
		requests:   make(map[string]*event.Request),
		connects:   make(map[tuple][]int, len(w.Events.Connects)),
		byTuple:    make(map[tuple][]int, len(w.Events.Flows)),
		taken:      make([]Outcome, len(w.Events.Connects)),
		procs:      make(map[string]*process.Table),
		names:      make(map[string]*destination.Names),
		seen:       make(map[netip.Addr]*destination.Names),
		lookups:    make(map[string]map[string][]*event.Lookup),
		wire:       make(map[netip.Addr]span),
		endpoint:   make(map[string]span),
		clocks:     make(clocks),
		templates:  make(map[string]string),
	}
	if j.TLSServer == nil {
		j.TLSServer = func(netip.AddrPort) bool { return false }
	}
	j.indexWire()
	return j
}

// indexWire finds a flow's handshake and request by the sensor's UID. A
// handshake whose flow was never reported stands for it: its bytes are
// unknown.
func (j *join) indexWire() {
	e := j.Events
	known := make(map[string]bool, len(e.Flows))
	for i := range e.Flows {
		known[e.Flows[i].UID] = true
	}
	j.flows = e.Flows
	for i := range e.Handshakes {
		h := &e.Handshakes[i]
		if _, ok := j.handshakes[h.UID]; ok {
			continue
		}
		j.handshakes[h.UID] = h
		if !known[h.UID] {
			j.flows = append(j.flows[:len(j.flows):len(j.flows)], flowOf(h))
			j.ledger.HandshakesAlone++
		}
	}
	for i := range e.Requests {
		r := &e.Requests[i]
		if _, ok := j.requests[r.UID]; !ok && r.Method == http.MethodConnect {
			j.requests[r.UID] = r
		}
	}
	j.owners = make([]owners, len(j.flows))
	for i := range j.flows {
		f := &j.flows[i]
		t := tuple{f.Src, f.Dst, f.Proto}
		j.byTuple[t] = append(j.byTuple[t], i)
		widen(j.wire, f.Src.Addr(), f.Time)
	}
	for i := range e.Connects {
		k := &e.Connects[i]
		t := tuple{k.Src, k.Dst, k.Proto}
		j.connects[t] = append(j.connects[t], i)
	}
}

// flowOf returns what a handshake tells about its flow.
func flowOf(h *event.Handshake) event.Flow {
	return event.Flow{
		Sensor: h.Sensor, Time: h.Time, UID: h.UID, Proto: h.Proto, Src: h.Src, Dst: h.Dst,
		Duration: event.Unknown, BytesOut: event.Unknown, BytesIn: event.Unknown,
		PacketsOut: event.Unknown, PacketsIn: event.Unknown,
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
		k := &e.Connects[i]
		widen(j.endpoint, k.Host, j.clocks.correct(k.Host, k.Source, k.Time))
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
