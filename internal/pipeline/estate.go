package pipeline

import (
	"context"
	"slices"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/store"
)

// maxUsers bounds how many other programs are named.
const maxUsers = 10

// users counts who does something, by program.
type users map[string]*use

type use struct {
	hosts    map[string]struct{}
	sessions int64
}

func (u users) add(program, host string, sessions int64) {
	of := u[program]
	if of == nil {
		of = &use{hosts: make(map[string]struct{})}
		u[program] = of
	}
	of.hosts[host] = struct{}{}
	of.sessions += sessions
}

// others lists the programs but one, and counts them.
func (u users) others(program string) ([]finding.User, int) {
	out := []finding.User{}
	for p, of := range u {
		if p != program {
			out = append(out, finding.User{Program: p, Hosts: len(of.hosts), Sessions: of.sessions})
		}
	}
	slices.SortFunc(out, byUse)
	return out[:min(len(out), maxUsers)], len(out)
}

// A goal is who goes to the registered domain of a cluster, or to any of several.
type goal struct {
	first event.Time
	hosts map[string]struct{}
	users users
}

func (g *goal) add(e *detect.Edge) {
	if g.first == event.Never || e.First < g.first {
		g.first = e.First
	}
	g.hosts[e.Host] = struct{}{}
	g.users.add(e.Program, e.Host, e.Sessions)
}

// goals gathers who goes where each of the listed clusters goes.
func goals(edges []detect.Edge, listed []place) []*goal {
	all := make([]*goal, len(listed))
	of := make(map[string][]*goal)
	for i := range listed {
		all[i] = &goal{hosts: make(map[string]struct{}), users: make(users)}
		domains := listed[i].Members()
		if len(domains) == 0 {
			domains = []string{listed[i].Domain}
		}
		for _, d := range domains {
			of[d] = append(of[d], all[i])
		}
	}
	for i := range edges {
		for _, g := range of[edges[i].Domain] {
			g.add(&edges[i])
		}
	}
	return all
}

// fingerprints gathers who has the JA4 of the findings.
func (r *run) fingerprints(ctx context.Context, all []finding.Finding) (map[string]users, error) {
	out := make(map[string]users)
	for i := range all {
		for _, ja4 := range all[i].TLS.JA4 {
			out[ja4] = make(users)
		}
	}
	if len(out) == 0 {
		return out, nil
	}
	return out, r.store.Sessions(ctx, store.SessionFilter{}, func(s *event.Session) error {
		if u := out[s.JA4]; u != nil {
			u.add(s.Program, s.Whose(), 1)
		}
		return nil
	})
}

// surround tells of each finding what the rest of the estate has to do with it.
func (r *run) surround(ctx context.Context, all []finding.Finding, listed []place, edges []detect.Edge) error {
	prints, err := r.fingerprints(ctx, all)
	if err != nil {
		return err
	}
	to := goals(edges, listed)
	for i := range all {
		g := to[i]
		e := &finding.Estate{FirstSeen: g.first.Std(), Hosts: len(g.hosts), Fingerprints: []finding.Fingerprint{}}
		e.Programs, e.ProgramsTotal = g.users.others(listed[i].Program)
		for _, ja4 := range all[i].TLS.JA4 {
			f := finding.Fingerprint{JA4: ja4}
			f.Programs, f.ProgramsTotal = prints[ja4].others(listed[i].Program)
			e.Fingerprints = append(e.Fingerprints, f)
		}
		all[i].Estate = e
	}
	return nil
}
