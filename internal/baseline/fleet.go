// Package baseline says what is normal: how common a program, a destination
// and the pair of them are among the hosts, and what each program's edges
// usually look like.
package baseline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/store"
)

// periodic is the p-value of the timing test below which an edge counts as
// periodic for its program's base rate.
const periodic = 0.01

// A Fleet is what all hosts together look like. It is safe for concurrent use
// once learnt.
type Fleet struct {
	// Hosts is the number of hosts that made any session.
	Hosts int64

	// First and Last bound the sessions' starts.
	First, Last event.Time

	began    map[string]event.Time // each host's first session
	programs map[string]*Program
	domains  map[string]store.DomainStat
	pairs    map[store.Edge]int64 // hosts
	classes  *program.Classes
}

// A Program is what is known of one program over the fleet.
type Program struct {
	Hosts   int64
	Domains int64
	Class   program.Class

	classed  bool
	links    int64 // host and domain, each pair once
	byHosts  []int64
	bytes    []int64 // known outbound bytes of its edges, ascending
	hours    []int   // active hours of its edges, ascending
	tested   int64   // edges that the timing test could look at
	periodic int64   // those of them that are periodic
}

// Learn makes the fleet from the store's aggregates and the measured edges.
func Learn(ctx context.Context, st store.Store, edges []detect.Edge, classes *program.Classes) (*Fleet, error) {
	f := &Fleet{
		began:    make(map[string]event.Time),
		programs: make(map[string]*Program),
		domains:  make(map[string]store.DomainStat),
		pairs:    make(map[store.Edge]int64),
		classes:  classes,
	}
	if err := f.aggregates(ctx, st); err != nil {
		return nil, fmt.Errorf("learning the baseline: %w", err)
	}
	for i := range edges {
		f.edge(&edges[i])
	}
	f.Hosts = int64(len(f.began))
	for _, p := range f.programs {
		slices.Sort(p.bytes)
		slices.Sort(p.hours)
		slices.Sort(p.byHosts)
	}
	return f, nil
}

func (f *Fleet) aggregates(ctx context.Context, st store.Store) error {
	programs, err := st.Programs(ctx)
	if err != nil {
		return err
	}
	for _, s := range programs {
		f.programs[s.Program] = &Program{Hosts: s.Hosts, Domains: s.Domains, Class: program.App}
	}
	domains, err := st.Domains(ctx)
	if err != nil {
		return err
	}
	for _, s := range domains {
		f.domains[s.Domain] = s
	}
	pairs, err := st.Pairs(ctx)
	if err != nil {
		return err
	}
	for _, s := range pairs {
		f.pairs[s.Edge] = s.Hosts
		if p := f.programs[s.Program]; p != nil {
			p.links += s.Hosts
			for range s.Hosts {
				p.byHosts = append(p.byHosts, s.Hosts)
			}
		}
	}
	return nil
}

func (f *Fleet) edge(e *detect.Edge) {
	if f.First == event.Never || e.First < f.First {
		f.First = e.First
	}
	f.Last = max(f.Last, e.Last)
	if t, ok := f.began[e.Host]; !ok || e.First < t {
		f.began[e.Host] = e.First
	}
	p := f.programs[e.Program]
	if p == nil {
		return
	}
	if e.Image != "" && !p.classed {
		p.Class, p.classed = f.classes.Of(e.Image), true
	}
	if e.UnknownBytes < e.Sessions {
		p.bytes = append(p.bytes, e.BytesOut)
	}
	p.hours = append(p.hours, e.Hours)
	if e.Timing.Scale > 0 {
		p.tested++
		if e.Timing.P < periodic {
			p.periodic++
		}
	}
}

// Program returns what is known of a program, or an empty Program. The caller
// must not change it.
func (f *Fleet) Program(name string) *Program {
	if p := f.programs[name]; p != nil {
		return p
	}
	return &Program{Class: program.App}
}

// OtherHosts returns how many hosts beside one that does go to the domain, by
// any program.
func (f *Fleet) OtherHosts(domain string) int64 { return max(0, f.domains[domain].Hosts-1) }

// PairHosts returns how many hosts have the program go to the domain.
func (f *Fleet) PairHosts(program, domain string) int64 {
	return f.pairs[store.Edge{Program: program, Domain: domain}]
}

// Age returns how long the evidence of a host reaches back from t: what begins
// with it is not new.
func (f *Fleet) Age(host string, t event.Time) time.Duration {
	return t.Sub(f.began[host])
}

// Span returns how long the evidence reaches from its first session to t.
func (f *Fleet) Span(t event.Time) time.Duration { return t.Sub(f.First) }

// A Share is how many of a number of things there are, without the one asked
// about: an edge does not vouch for itself.
type Share struct{ Count, Of int64 }

// Shrunk returns the share, drawn to a prior as if the prior had been seen
// weight times: small numbers say little.
func (s Share) Shrunk(prior, weight float64) float64 {
	return (float64(s.Count) + weight*prior) / (float64(s.Of) + weight)
}

// Links returns how many of the program's links (a host and a domain) are to
// domains to which at most that many hosts have it go, without the one asked
// about.
func (p *Program) Links(hosts int64) Share {
	n, _ := slices.BinarySearch(p.byHosts, hosts+1)
	return without(int64(n), p.links)
}

// AtLeastBytes returns how many of the program's edges sent that much or more,
// without the one asked about.
func (p *Program) AtLeastBytes(n int64) Share {
	i, _ := slices.BinarySearch(p.bytes, n)
	return without(int64(len(p.bytes)-i), int64(len(p.bytes)))
}

// AtLeastHours returns how many of the program's edges were active in that
// many hours or more, without the one asked about.
func (p *Program) AtLeastHours(n int) Share {
	i, _ := slices.BinarySearch(p.hours, n)
	return without(int64(len(p.hours)-i), int64(len(p.hours)))
}

// Periodic returns how many of the program's edges are periodic, without the
// one asked about, whose timing test gave the p-value.
func (p *Program) Periodic(asked float64) Share {
	s := without(p.periodic, p.tested)
	if asked >= periodic {
		s.Count = min(p.periodic, s.Of) // it is not among them
	}
	return s
}

// OnHosts returns on how many of the fleet's hosts the program makes TLS
// connections, without the one asked about.
func (f *Fleet) OnHosts(p *Program) Share { return without(p.Hosts, f.Hosts) }

func without(count, of int64) Share { return Share{max(0, count-1), max(0, of-1)} }
