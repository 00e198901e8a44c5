package finding

import (
	"cmp"
	"maps"
	"slices"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
)

const (
	// arrived is how long after the evidence began a program must have come:
	// what comes earlier may only not have run before.
	arrived = 3 * day

	// lately is how long before the end of the evidence a program counts as
	// new at most, lest a store that is kept lists it for ever.
	lately = 30 * day

	// A new program is told when it is on this many hosts, and on this share
	// of them: one on fewer is a finding or nothing.
	spreadHosts = 3
	spreadShare = 0.02

	maxNewDomains = 5
)

// NewPrograms returns the programs that came into the fleet and spread, those
// on the most hosts first. Signed software that everybody gets scores like what
// everybody has; this list is where a deployment shows that nobody ordered.
func NewPrograms(edges []detect.Edge, v Evidence) []NewProgram {
	all := make(map[string]*newcomer)
	for i := range edges {
		e := &edges[i]
		if e.Program == "" {
			continue
		}
		p := all[e.Program]
		if p == nil {
			p = &newcomer{first: e.First, hosts: make(map[string]bool), domains: make(map[string]int64)}
			all[e.Program] = p
		}
		p.add(e)
	}
	out := []NewProgram{}
	for program, p := range all {
		if v.isNew(p.first) && v.isSpread(len(p.hosts)) {
			out = append(out, NewProgram{Program: program, Hosts: len(p.hosts), FirstSeen: p.first.Std(), Domains: p.top()})
		}
	}
	slices.SortFunc(out, func(a, b NewProgram) int {
		return cmp.Or(cmp.Compare(b.Hosts, a.Hosts), cmp.Compare(a.Program, b.Program))
	})
	return out
}

func (v Evidence) isNew(first event.Time) bool {
	return first.Sub(v.Begin) >= arrived && v.End.Sub(first) <= lately
}

func (v Evidence) isSpread(hosts int) bool {
	return hosts >= spreadHosts && float64(hosts) >= spreadShare*float64(v.Hosts)
}

// A newcomer is a program while its edges are gathered.
type newcomer struct {
	first   event.Time
	hosts   map[string]bool
	domains map[string]int64 // sessions
}

func (n *newcomer) add(e *detect.Edge) {
	n.first = min(n.first, e.First)
	n.hosts[e.Host] = true
	n.domains[e.Domain] += e.Sessions
}

func (n *newcomer) top() []string {
	all := slices.SortedFunc(maps.Keys(n.domains), func(a, b string) int {
		return cmp.Or(cmp.Compare(n.domains[b], n.domains[a]), cmp.Compare(a, b))
	})
	return slices.Clone(all[:min(len(all), maxNewDomains)])
}
