package pipeline

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/coverage"
	"github.com/postern/postern/internal/coverage/sysmon"
	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/store"
)

// Coverage reads the inputs, joins them, and returns what could not be seen.
// The configuration of Sysmon is audited; nil infers one from the events.
func (h Hunt) Coverage(ctx context.Context, c *sysmon.Config) (*coverage.Document, error) {
	r, err := h.newRun(ctx)
	if err != nil {
		return nil, err
	}
	d, err := r.coverage(ctx, c)
	return d, errors.Join(err, r.store.Close())
}

// Report is [Hunt.Run] and [Hunt.Coverage] of one pass over the inputs: the
// findings, and what could not be seen.
func (h Hunt) Report(ctx context.Context) (*finding.Document, *coverage.Document, error) {
	r, err := h.newRun(ctx)
	if err != nil {
		return nil, nil, err
	}
	doc, c, err := r.report(ctx)
	return doc, c, errors.Join(err, r.store.Close())
}

func (r *run) report(ctx context.Context) (*finding.Document, *coverage.Document, error) {
	r.watch = newWatch(r.Networks)
	inputs, j, err := r.readAndJoin(ctx)
	if err != nil {
		return nil, nil, err
	}
	c, err := r.assess(ctx, inputs, j, nil)
	if err != nil {
		return nil, nil, err
	}
	r.watch = nil // c has what it saw
	doc, err := r.document(ctx, inputs, j)
	return doc, c, err
}

// Audit says what a configuration of Sysmon hides, without any evidence.
func Audit(c *sysmon.Config) (*sysmon.Report, error) {
	classes, err := program.Shipped()
	if err != nil {
		return nil, err
	}
	catalogue, err := destination.Shipped()
	if err != nil {
		return nil, err
	}
	return c.Audit(sysmon.Known{Programs: classes.Known(), Services: catalogue.Services()}, nil), nil
}

// watch collects what a run shows of its sensors, while it is under way.
type watch struct {
	mu      sync.Mutex
	survey  *coverage.Survey
	numbers map[decode.Log]*decode.Numbers // by the names that the events have
}

func newWatch(n inventory.Networks) *watch {
	return &watch{survey: coverage.NewSurvey(n), numbers: make(map[decode.Log]*decode.Numbers)}
}

// read takes in the account of an input. A nil watch does not.
func (w *watch) read(t *decode.Tally) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for l, n := range t.Numbers {
		if w.numbers[l] == nil {
			w.numbers[l] = new(decode.Numbers)
		}
		w.numbers[l].Merge(n)
	}
}

// joined takes in the events of a group. A nil watch does not.
func (w *watch) joined(b *event.Batch) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.survey.Add(b)
}

func (r *run) coverage(ctx context.Context, c *sysmon.Config) (*coverage.Document, error) {
	r.watch = newWatch(r.Networks)
	inputs, j, err := r.readAndJoin(ctx)
	if err != nil {
		return nil, err
	}
	return r.assess(ctx, inputs, j, c)
}

// assess takes in the sessions that the join stored.
func (r *run) assess(ctx context.Context, inputs []finding.Input, j *joined, c *sysmon.Config) (*coverage.Document, error) {
	release()
	r.Progress.Stage("assessing", 0)
	g := coverage.NewGauge(r.evidence(j))
	if err := r.store.Flush(ctx); err != nil {
		return nil, err
	}
	err := r.store.Sessions(ctx, store.SessionFilter{}, func(s *event.Session) error {
		g.Add(s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	d := g.Document(r.declared(), requirements())
	d.Inputs = inputs
	d.Translators = append([]finding.Translator{}, j.translators...)
	known := sysmon.Known{Programs: r.classes.Known(), Services: r.catalogue.Services()}
	if c != nil {
		d.Sysmon = c.Audit(known, g.Seen())
	} else {
		d.Sysmon = sysmon.Infer(g.Mix(), known, g.Seen())
	}
	return d, nil
}

// evidence gives a gauge what the join learnt.
func (r *run) evidence(j *joined) coverage.Evidence {
	w := r.watch
	for _, c := range j.clocks {
		w.survey.Clock(c.Host, c.Source, c.Offset)
	}
	logs := make([]decode.Log, 0, len(w.numbers))
	for l := range w.numbers {
		logs = append(logs, l)
	}
	slices.SortFunc(logs, decode.Log.Compare)
	for _, l := range logs {
		w.survey.Numbers(r.roster.names.Of(l.Host), l.Source, w.numbers[l])
	}
	holders := make(map[netip.Addr]map[string]bool)
	for _, l := range j.leases {
		if holders[l.Addr] == nil {
			holders[l.Addr] = make(map[string]bool)
		}
		holders[l.Addr][l.Host] = true
	}
	gates := make(map[string]bool)
	for _, t := range j.translators {
		gates[t.Address] = true
	}
	return coverage.Evidence{
		Survey: w.survey,
		Leased: func(a netip.Addr) int { return len(holders[a]) },
		Watched: func(host string) bool {
			a := j.Hosts[host]
			return a != nil && a.Flows > 0
		},
		Translates: func(a netip.Addr) bool { return a.IsValid() && gates[a.String()] },
		Place: func(host, sensor string) (site, role string, inferred bool) {
			known, inferred := r.knownRole(host)
			return cmp.Or(r.siteOf(host), r.listensAt(sensor)), string(known), inferred && known != ""
		},
	}
}

// declared returns the hosts that the inventory names.
func (r *run) declared() []string {
	var all []string
	if r.Inventory != nil {
		for i := range r.Inventory.Hosts {
			all = append(all, r.Inventory.Hosts[i].Name)
		}
	}
	return all
}

func requirements() []coverage.Requirement {
	var all []coverage.Requirement
	for _, n := range baseline.Needs() {
		all = append(all, coverage.Requirement(n))
	}
	return all
}
