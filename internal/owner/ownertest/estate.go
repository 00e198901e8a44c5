// Package ownertest measures the join of internal/owner: it makes estates
// whose owners are known, hides evidence from them, and compares what a join
// finds with what is true.
package ownertest

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// An Estate is some hosts' telemetry with the truth about it.
type Estate struct {
	// Name says what the estate hides.
	Name string

	Groups []Group
}

// A Group is hosts that share addresses, as one join takes them.
type Group struct {
	Hosts []string

	// Events are as store.Window would return them: every kind ordered by
	// time, then key.
	Events event.Batch

	Truth Truth
}

// Truth is what really happened. Degraders hide evidence, never truth: Flows
// tells of flows that no record shows any more.
type Truth struct {
	Flows    map[string]*Flow     // by the flow's UID
	Connects map[event.Key]Report // by the connect's key
	Requests map[string]string    // UIDs of flows, by the UID that a proxy's log gives its request
	Logged   map[event.Key]string // UIDs of flows, by the key of a request whose log gives none
}

// A Flow is the truth about one connection.
type Flow struct {
	UID     string
	Process *Process // nil when a scrap of the sensor's making
	Start   event.Time
	Proto   event.Proto
	Dst     netip.AddrPort
	Name    string // of the far end, "" when it was opened by address

	// TLS says that it was opened to the outside as TLS and carried
	// something, so that a join should make a session of it.
	TLS bool
}

// outward reports whether the flow left the estate.
func (f *Flow) outward() bool { return f != nil && !f.Dst.Addr().IsPrivate() }

// A Process is one instance of a program on a host.
type Process struct {
	Host    string
	PID     uint32
	GUID    string
	Image   string
	Program string // program.Template of the image

	Start, End event.Time
}

// A Report is the truth about one endpoint's connect.
type Report struct {
	// UID is the flow's, or "" of an attempt and of a connection that no
	// wire saw.
	UID string

	// Process opened the connection, or accepted it.
	Process *Process

	// Wire is the time of the connect's packet on the wire's clock.
	Wire event.Time

	// False says that the sensor named another process than that.
	False bool
}

// clone returns a copy of g whose slices and maps may be changed. Processes
// and flows are shared: nothing changes them.
func (g *Group) clone() Group {
	e := &g.Events
	return Group{
		Hosts: slices.Clone(g.Hosts),
		Events: event.Batch{
			Starts: slices.Clone(e.Starts), Stops: slices.Clone(e.Stops),
			Connects: slices.Clone(e.Connects), Lookups: slices.Clone(e.Lookups),
			Flows: slices.Clone(e.Flows), Handshakes: slices.Clone(e.Handshakes),
			Requests: slices.Clone(e.Requests), Leases: slices.Clone(e.Leases),
		},
		Truth: Truth{
			Flows: maps.Clone(g.Truth.Flows), Connects: maps.Clone(g.Truth.Connects),
			Requests: maps.Clone(g.Truth.Requests), Logged: maps.Clone(g.Truth.Logged),
		},
	}
}

// rewrite changes each connect by fn, which may change what its key is made
// of, and keeps the truth with it.
func (g *Group) rewrite(fn func(k *event.Connect, r Report)) {
	truth := make(map[event.Key]Report, len(g.Truth.Connects))
	for i := range g.Events.Connects {
		k := &g.Events.Connects[i]
		r := g.Truth.Connects[k.Key()]
		fn(k, r)
		truth[k.Key()] = r
	}
	g.Truth.Connects = truth
}

// order puts every kind in the order of a store's window.
func (g *Group) order() {
	e := &g.Events
	inOrder(e.Starts, func(s *event.ProcessStart) (event.Time, event.Key) { return s.Time, s.Key() })
	inOrder(e.Stops, func(s *event.ProcessStop) (event.Time, event.Key) { return s.Time, s.Key() })
	inOrder(e.Connects, func(k *event.Connect) (event.Time, event.Key) { return k.Time, k.Key() })
	inOrder(e.Lookups, func(l *event.Lookup) (event.Time, event.Key) { return l.Time, l.Key() })
	inOrder(e.Flows, func(f *event.Flow) (event.Time, event.Key) { return f.Time, f.Key() })
	inOrder(e.Handshakes, func(h *event.Handshake) (event.Time, event.Key) { return h.Time, h.Key() })
	inOrder(e.Leases, func(l *event.Lease) (event.Time, event.Key) { return l.Time, l.Key() })
	inOrder(e.Requests, func(r *event.Request) (event.Time, event.Key) { return r.Time, r.Key() })
}

// inOrder sorts what is large by way of small proxies.
func inOrder[T any](s []T, of func(*T) (event.Time, event.Key)) {
	type place struct {
		time event.Time
		key  event.Key
		at   int
	}
	places := make([]place, len(s))
	for i := range s {
		t, k := of(&s[i])
		places[i] = place{t, k, i}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.key, b.key))
	})
	old := slices.Clone(s)
	for i, p := range places {
		s[i] = old[p.at]
	}
}

// micros converts seconds to a Time's difference.
func micros(seconds float64) event.Time { return event.Time(seconds * 1e6) }

// seconds converts seconds to a duration.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
