package ownertest

import (
	"cmp"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/postern/postern/internal/event"
)

// A Degrader returns an estate that shows less than e, or shows it worse. It
// leaves e as it is, and the truth true. What it picks depends on the seed and
// on the records only.
type Degrader func(e Estate) Estate

// Degrade applies the degraders in turn.
func Degrade(e Estate, by ...Degrader) Estate {
	for _, d := range by {
		e = d(e)
	}
	return e
}

// each makes a degrader of what is done to a group.
func each(fn func(g *Group)) Degrader {
	return func(e Estate) Estate {
		d := Estate{Name: e.Name, Groups: make([]Group, len(e.Groups))}
		for i := range e.Groups {
			d.Groups[i] = e.Groups[i].clone()
			fn(&d.Groups[i])
			d.Groups[i].order()
		}
		return d
	}
}

// picked reports whether the share p of all keys holds this one.
func picked(seed uint64, p float64, key uint64) bool { return share(seed, key) < p }

// share returns a number in [0, 1) that depends on seed and key.
func share(seed, key uint64) float64 {
	var b [16]byte
	for i := range 8 {
		b[i], b[8+i] = byte(seed>>(8*i)), byte(key>>(8*i))
	}
	return float64(xxhash.Sum64(b[:])>>11) / (1 << 53)
}

func pickedName(seed uint64, p float64, name string) bool {
	return picked(seed, p, xxhash.Sum64String(name))
}

// LoseConnects hides the share p of the endpoints' connects.
func LoseConnects(p float64, seed uint64) Degrader {
	return LoseConnectsIf(func(k *event.Connect) bool { return picked(seed, p, uint64(k.Key())) })
}

// LoseConnectsIf hides the connects for which drop holds.
func LoseConnectsIf(drop func(k *event.Connect) bool) Degrader {
	return each(func(g *Group) {
		g.Events.Connects = slices.DeleteFunc(g.Events.Connects, func(k event.Connect) bool { return drop(&k) })
	})
}

// LoseFlows hides the share p of the flows, with their handshakes and requests.
func LoseFlows(p float64, seed uint64) Degrader {
	return loseFlowsIf(func(uid string) bool { return pickedName(seed, p, uid) })
}

func loseFlowsIf(drop func(uid string) bool) Degrader {
	return each(func(g *Group) { g.loseFlows(drop) })
}

// loseFlows hides flows, with their handshakes and requests.
func (g *Group) loseFlows(drop func(uid string) bool) {
	g.hideFlows(drop)
	e := &g.Events
	e.Requests = slices.DeleteFunc(e.Requests, func(r event.Request) bool { return drop(cmp.Or(g.Truth.Requests[r.UID], r.UID)) })
}

// hideFlows hides flows and their handshakes, and leaves their requests.
func (g *Group) hideFlows(drop func(uid string) bool) {
	e := &g.Events
	e.Flows = slices.DeleteFunc(e.Flows, func(f event.Flow) bool { return drop(f.UID) })
	e.Handshakes = slices.DeleteFunc(e.Handshakes, func(h event.Handshake) bool { return drop(h.UID) })
}

// LoseLookups hides the share p of the lookups.
func LoseLookups(p float64, seed uint64) Degrader {
	return LoseLookupsIf(func(l *event.Lookup) bool { return picked(seed, p, uint64(l.Key())) })
}

// LoseLookupsIf hides the lookups for which drop holds.
func LoseLookupsIf(drop func(l *event.Lookup) bool) Degrader {
	return each(func(g *Group) {
		g.Events.Lookups = slices.DeleteFunc(g.Events.Lookups, func(l event.Lookup) bool { return drop(&l) })
	})
}

// LoseProcesses hides the share p of the starts and ends of processes.
func LoseProcesses(p float64, seed uint64) Degrader {
	return each(func(g *Group) {
		e := &g.Events
		e.Starts = slices.DeleteFunc(e.Starts, func(s event.ProcessStart) bool { return picked(seed, p, uint64(s.Key())) })
		e.Stops = slices.DeleteFunc(e.Stops, func(s event.ProcessStop) bool { return picked(seed, p, uint64(s.Key())) })
	})
}

// RemoveWire hides all that network sensors saw.
func RemoveWire() Degrader { return RemoveWireOf(1, 0) }

// RemoveWireOf hides all that network sensors saw of the share p of the groups.
func RemoveWireOf(p float64, seed uint64) Degrader {
	return each(func(g *Group) {
		if !pickedName(seed, p, g.Hosts[0]) {
			return
		}
		e := &g.Events
		e.Flows, e.Handshakes, e.Requests = nil, nil, nil
		e.Lookups = slices.DeleteFunc(e.Lookups, func(l event.Lookup) bool { return l.Host == "" })
	})
}

// RemoveEndpoint hides all that hosts reported.
func RemoveEndpoint() Degrader {
	return each(func(g *Group) {
		e := &g.Events
		e.Starts, e.Stops, e.Connects = nil, nil, nil
		e.Lookups = slices.DeleteFunc(e.Lookups, func(l event.Lookup) bool { return l.Host != "" })
	})
}

// DropSourcePorts leaves the source port of the share p of the connects
// unsaid.
func DropSourcePorts(p float64, seed uint64) Degrader {
	return each(func(g *Group) {
		g.rewrite(func(k *event.Connect, _ Report) {
			if picked(seed, p, uint64(k.Key())) {
				k.Src = withPort(k.Src, 0)
			}
		})
	})
}
