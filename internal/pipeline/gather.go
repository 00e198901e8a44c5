package pipeline

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/store"
)

// answered returns whether somebody answers for an edge: what it sends is not
// taken together with what nobody expects. It is nil when nothing is expected.
func (r *run) answered(edges []detect.Edge) func(*detect.Edge) bool {
	if len(r.Config.ProcessName.Expected) == 0 {
		return nil
	}
	at := finding.Cover(edges).End.Std()
	return func(e *detect.Edge) bool {
		_, ok := r.Config.Expected(e.Program, e.Domain, hostName(e.Host), r.roleOf(e.Host), at)
		return ok
	}
}

// manyFindings is from how many on it is cheaper to read all sessions once
// than those of each finding.
const manyFindings = 50

// detail gathers what the sessions of each cluster say.
func (r *run) detail(ctx context.Context, listed []place) ([]*details, error) {
	all := make([]*details, len(listed))
	of := make(gathering)
	for i := range listed {
		all[i] = newDetails()
		if r.Series {
			all[i].drawing = newDrawing()
		}
		of.await(&listed[i].Cluster, all[i])
	}
	if len(listed) >= manyFindings {
		return all, r.store.Sessions(ctx, store.SessionFilter{}, func(s *event.Session) error {
			if d := of.details(s); d != nil {
				d.add(s)
			}
			return nil
		})
	}
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(r.Workers)
	for i := range listed {
		g.Go(func() error {
			return r.store.Sessions(each, filterOf(&listed[i].Cluster), func(s *event.Session) error {
				if of.details(s) == all[i] {
					all[i].add(s)
				}
				return nil
			})
		})
	}
	return all, g.Wait()
}

// gathering says whose details a session belongs to. A host's sessions to a
// domain may belong to a cluster of several domains, and those of others to that
// domain to one of their own.
type gathering map[contact]*details

type contact struct{ host, program, domain string }

// await has the sessions of a cluster's edges go to its details.
func (g gathering) await(c *finding.Cluster, d *details) {
	for _, e := range c.Edges {
		for _, domain := range e.Domains() {
			g[contact{e.Host, e.Program, domain}] = d
		}
	}
}

// details returns nil for a session that belongs to no listed cluster.
func (g gathering) details(s *event.Session) *details {
	return g[contact{s.Whose(), s.Program, s.Domain}]
}

// filterOf selects the sessions of a cluster, and perhaps others. Those of several
// domains come in one read, in the order of their starts.
func filterOf(c *finding.Cluster) store.SessionFilter {
	if c.Domain != detect.Several {
		return store.SessionFilter{Edge: &store.Edge{Program: c.Program, Domain: c.Domain}}
	}
	var hosts []string
	for _, e := range c.Edges {
		hosts = append(hosts, e.Host)
	}
	return store.SessionFilter{Hosts: hosts}
}
