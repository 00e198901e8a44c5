package pipeline

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/owner"
	"github.com/postern/postern/internal/store"
)

// groupRows is about how many events are joined at once. It bounds memory: a
// group's events, sessions and indices are held until it is done.
const groupRows = 100_000

// join finds the owners group by group, stores the sessions and measures their
// edges. The results are put together in the order of the groups, so that the
// number of workers changes nothing.
func (r *run) join(ctx context.Context) (*joined, error) {
	out := new(joined)
	leases, err := r.store.Leases(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := r.store.Loads(ctx)
	if err != nil {
		return nil, err
	}
	r.roster = r.newRoster(leases, stored)
	loads := r.roster.loads(stored)
	out.leases = r.roster.holds(leases)
	for _, l := range loads {
		if !l.Addr.IsValid() {
			out.hosts = append(out.hosts, l.Host)
		}
	}
	around, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.store.ClearSessions(ctx); err != nil {
		return nil, err
	}
	around.loose = hidden(out.leases, loads)
	groups := makeGroups(out.leases, loads, r.rows)
	results := make([]groupResult, len(groups))
	r.Progress.Stage("joining", len(groups))
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(r.Workers)
	for i := range groups {
		g.Go(func() (err error) {
			results[i], err = r.joinGroup(each, groups[i].Selection, around)
			r.Progress.Step()
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	edges, outside, inside := 0, 0, 0
	for i := range results {
		edges += len(results[i].edges)
		outside, inside = outside+len(results[i].loose.Outside), inside+len(results[i].loose.Inside)
	}
	out.edges = make([]detect.Edge, 0, edges)
	out.loose.Outside, out.loose.Inside = make([]owner.Outside, 0, outside), make([]owner.Inside, 0, inside)
	for i := range results {
		out.add(&results[i])
		results[i] = groupResult{} // not held twice
	}
	return out, r.translate(ctx, out)
}

// maxNotices bounds how many notices of sensors a run tells one by one.
const maxNotices = 100

// A groupResult is what is kept of a group's join.
type groupResult struct {
	ledger owner.Ledger
	clocks []owner.Clock
	edges  []detect.Edge
	loose  owner.Loose

	notices []event.Notice // the first
	noticed int64
}

// Surroundings are what the evidence as a whole tells the join of each group.
type surroundings struct {
	servers []netip.AddrPort // that speak TLS, ordered
	hours   []event.Time     // in which sensors captured, ordered
	loose   bool             // loose ends may belong together
}

func (r *run) look(ctx context.Context) (k surroundings, err error) {
	if k.servers, err = r.store.TLSServers(ctx); err != nil {
		return k, err
	}
	k.hours, err = r.store.CaptureHours(ctx)
	return k, err
}

func (k surroundings) tlsServer(a netip.AddrPort) bool {
	_, ok := slices.BinarySearchFunc(k.servers, a, netip.AddrPort.Compare)
	return ok
}

// captured reports whether a sensor saw a flow begin in the hour of t, or within
// one before or after.
func (k surroundings) captured(t event.Time) bool {
	const hour = event.Time(time.Hour / time.Microsecond)
	n, _ := slices.BinarySearch(k.hours, t-2*hour)
	return n < len(k.hours) && k.hours[n] <= t+hour
}

func (r *run) joinGroup(ctx context.Context, sel store.Selection, k surroundings) (groupResult, error) {
	events, err := r.window(ctx, sel)
	if err != nil {
		return groupResult{}, err
	}
	w := owner.Window{
		Events: events, Networks: r.Networks,
		TLSServer: k.tlsServer, Captured: k.captured, Loose: k.loose, Apart: r.apart, Elsewhere: r.elsewhere,
	}
	r.guessRoles(events)
	r.watch.joined(events)
	res := owner.Join(w, r.joining())
	if err := r.store.PutSessions(ctx, res.Sessions); err != nil {
		return groupResult{}, err
	}
	return groupResult{
		ledger: res.Ledger, clocks: res.Clocks, edges: detect.Measure(res.Sessions, r.measuring()), loose: res.Loose,
		notices: slices.Clone(events.Notices[:min(len(events.Notices), maxNotices)]), noticed: int64(len(events.Notices)),
	}, nil
}

func (j *joined) add(r *groupResult) {
	j.Add(&r.ledger)
	j.clocks = append(j.clocks, r.clocks...)
	j.notices = append(j.notices, r.notices[:min(len(r.notices), maxNotices-len(j.notices))]...)
	j.noticed += r.noticed
	j.edges = append(j.edges, r.edges...)
	j.loose.Add(&r.loose)
}
