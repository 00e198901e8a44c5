package pipeline

import (
	"context"
	"net/netip"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/owner"
	"github.com/postern/postern/internal/store"
)

// groupRows is about how many events are joined at once. It bounds memory: a
// group's events, sessions and indices are held until it is done.
const groupRows = 100_000

// sessionCounts counts outbound TLS sessions.
type sessionCounts struct {
	n, unknownBytes int64
	bytesOut        int64 // known
	ownedBytes      int64 // known, of sessions with an owner
	owned           int64 // with an owner whose program is known
	unnamed         int64 // with an owner that its sensor could not name
	byRung          map[event.Rung]int64
	first, last     event.Time
	handshakes      int64 // sessions whose handshake was seen
}

// join finds the owners group by group, stores the sessions and measures their
// edges. The results are put together in the order of the groups, so that the
// number of workers changes nothing.
func (r *run) join(ctx context.Context) (*joined, error) {
	out := new(joined)
	var err error
	if out.leases, err = r.store.Leases(ctx); err != nil {
		return nil, err
	}
	loads, err := r.store.Loads(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range loads {
		if l.Addr.IsValid() {
			out.clients++
		} else {
			out.hosts = append(out.hosts, l.Host)
		}
	}
	servers, err := r.store.TLSServers(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.store.ClearSessions(ctx); err != nil {
		return nil, err
	}
	groups := makeGroups(out.leases, loads, groupRows)
	results := make([]groupResult, len(groups))
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(r.Workers)
	for i := range groups {
		g.Go(func() (err error) {
			results[i], err = r.joinGroup(each, groups[i].Selection, servers)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i := range results {
		out.add(&results[i])
	}
	return out, nil
}

// A groupResult is what is kept of a group's join.
type groupResult struct {
	ledger   owner.Ledger
	clocks   []owner.Clock
	edges    []detect.Edge
	sessions sessionCounts
}

func (r *run) joinGroup(ctx context.Context, sel store.Selection, servers []netip.AddrPort) (groupResult, error) {
	events, err := r.store.Window(ctx, sel)
	if err != nil {
		return groupResult{}, err
	}
	w := owner.Window{
		Events: events, Networks: r.Networks,
		TLSServer: func(a netip.AddrPort) bool {
			_, ok := slices.BinarySearchFunc(servers, a, netip.AddrPort.Compare)
			return ok
		},
	}
	res := owner.Join(w, owner.Defaults())
	if err := r.store.PutSessions(ctx, res.Sessions); err != nil {
		return groupResult{}, err
	}
	return groupResult{
		ledger: res.Ledger, clocks: res.Clocks,
		edges: detect.Measure(res.Sessions), sessions: countSessions(res.Sessions),
	}, nil
}

func (j *joined) add(r *groupResult) {
	j.Add(r.ledger)
	j.clocks = append(j.clocks, r.clocks...)
	j.edges = append(j.edges, r.edges...)
	j.sessions.add(&r.sessions)
}

func countSessions(sessions []event.Session) sessionCounts {
	c := sessionCounts{byRung: make(map[event.Rung]int64)}
	for i := range sessions {
		s := &sessions[i]
		c.n++
		c.byRung[s.Rung]++
		c.see(s.Start)
		if s.Evidence == event.TLSHandshake {
			c.handshakes++
		}
		switch {
		case s.Rung.Owned() && s.Program != "":
			c.owned++
			c.ownedBytes = s.BytesOut.AddTo(c.ownedBytes)
		case s.Rung.Owned():
			c.unnamed++
		}
		if !s.BytesOut.Known() {
			c.unknownBytes++
		}
		c.bytesOut = s.BytesOut.AddTo(c.bytesOut)
	}
	return c
}

func (c *sessionCounts) see(t event.Time) {
	if t == event.Never {
		return
	}
	if c.first == event.Never || t < c.first {
		c.first = t
	}
	c.last = max(c.last, t)
}

func (c *sessionCounts) add(o *sessionCounts) {
	c.n += o.n
	c.unknownBytes += o.unknownBytes
	c.bytesOut = event.Count(o.bytesOut).AddTo(c.bytesOut)
	c.ownedBytes = event.Count(o.ownedBytes).AddTo(c.ownedBytes)
	c.owned += o.owned
	c.unnamed += o.unnamed
	c.handshakes += o.handshakes
	c.see(o.first)
	c.see(o.last)
	if c.byRung == nil {
		c.byRung = make(map[event.Rung]int64)
	}
	for rung, n := range o.byRung {
		c.byRung[rung] += n
	}
}
