package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/postern/postern/internal/store"
)

// counts is a store that knows how common everything is among some edges, and
// nothing else: calling any other method of it is a mistake.
type counts struct {
	store.Store
	programs []store.ProgramStat
	domains  []store.DomainStat
	pairs    []store.PairStat
}

// newCounts counts what a store would have counted of the edges' sessions.
func newCounts(edges []edge) *counts {
	type named struct {
		hosts, others map[string]bool // others: domains of a program, programs of a domain
		sessions      int64
	}
	add := func(m map[string]*named, key, host, other string, sessions int64) {
		n := m[key]
		if n == nil {
			n = &named{make(map[string]bool), make(map[string]bool), 0}
			m[key] = n
		}
		n.hosts[host] = true
		if other != "" {
			n.others[other] = true
		}
		n.sessions += sessions
	}
	programs, domains := make(map[string]*named), make(map[string]*named)
	pairs := make(map[store.Edge]*store.PairStat)
	for i := range edges {
		e := &edges[i]
		add(programs, e.Program, e.Host, e.Domain, e.Sessions)
		add(domains, e.Domain, e.Host, e.Program, e.Sessions)
		k := store.Edge{Program: e.Program, Domain: e.Domain}
		p := pairs[k]
		if p == nil {
			p = &store.PairStat{Edge: k}
			pairs[k] = p
		}
		p.Hosts++ // an edge is of one host
		p.Sessions += e.Sessions
	}
	c := &counts{}
	for name, n := range programs {
		c.programs = append(c.programs, store.ProgramStat{Program: name, Hosts: int64(len(n.hosts)), Domains: int64(len(n.others)), Sessions: n.sessions})
	}
	for name, n := range domains {
		c.domains = append(c.domains, store.DomainStat{Domain: name, Hosts: int64(len(n.hosts)), Programs: int64(len(n.others)), Sessions: n.sessions})
	}
	for _, p := range pairs {
		c.pairs = append(c.pairs, *p)
	}
	slices.SortFunc(c.programs, func(a, b store.ProgramStat) int { return cmp.Compare(a.Program, b.Program) })
	slices.SortFunc(c.domains, func(a, b store.DomainStat) int { return cmp.Compare(a.Domain, b.Domain) })
	slices.SortFunc(c.pairs, func(a, b store.PairStat) int {
		return cmp.Or(cmp.Compare(a.Program, b.Program), cmp.Compare(a.Domain, b.Domain))
	})
	return c
}

func (c *counts) Programs(context.Context) ([]store.ProgramStat, error) { return c.programs, nil }
func (c *counts) Domains(context.Context) ([]store.DomainStat, error)   { return c.domains, nil }
func (c *counts) Pairs(context.Context) ([]store.PairStat, error)       { return c.pairs, nil }
