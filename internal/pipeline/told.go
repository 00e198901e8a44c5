package pipeline

import (
	"context"
	"time"

	"github.com/postern/postern/internal/config"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/store"
)

// standingTier is the tier under which a store remembers what the review of
// standing clusters listed.
const standingTier = "standing"

// A memory is what a store that is kept knows of what was told. Its clock is
// the end of the evidence: a run over the same evidence is the same telling,
// and tells the same again.
type memory struct {
	told     map[string]*before // by the finding's ID
	reviewed bool               // there was a review of standing clusters
}

// A before is what was told of a finding.
type before struct {
	first event.Time // told
	last  store.Told
}

// memory recalls what was told before the end of the evidence.
func (r *run) memory(ctx context.Context, v finding.Evidence) (*memory, error) {
	m := &memory{told: make(map[string]*before)}
	if r.Store == "" {
		return m, nil
	}
	all, err := r.store.Told(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range all { // the earlier first
		switch b := m.told[t.ID]; {
		case t.Time >= v.End:
		case t.Tier == standingTier:
			m.reviewed = true
		case b == nil:
			m.told[t.ID] = &before{first: t.Time, last: t}
		default:
			b.last = t
		}
	}
	return m, nil
}

func (m *memory) of(p *place) *before { return m.told[p.ID()] }

// A state says what having been told means for a finding.
type state int

const (
	news    state = iota // it is told, for the first time or again
	lately               // it was told, and has not become stronger
	settled              // it was told long ago, and nothing came after that
)

// state returns what having been told means. It is news again when it is
// stronger or on another host, or when it goes on and time has passed.
func (b *before) state(p *place, budget *config.Budget, end event.Time) state {
	switch {
	case b == nil, p.Score-b.last.Score >= budget.RepeatRise, len(p.Edges) > b.last.Hosts:
		return news
	case end.Sub(b.last.Time) < time.Duration(budget.RepeatAfter):
		return lately
	case p.Last() <= b.last.Time:
		return settled
	}
	return news
}

func (b *before) line(p *place) finding.ToldBefore {
	return finding.ToldBefore{
		ID: p.ID(), Rank: p.rank, Program: p.Program, Domain: p.Domain, Score: p.Score, ScoreThen: b.last.Score,
		FirstTold: b.first.Std(), LastTold: b.last.Time.Std(),
	}
}

func (b *before) update(p *place) *finding.Update {
	u := &finding.Update{
		FirstTold: b.first.Std(), LastTold: b.last.Time.Std(),
		ScoreThen: b.last.Score, HostsThen: b.last.Hosts, BytesThen: quantity(b.last.BytesOut), Grew: []string{},
	}
	for _, g := range []struct {
		what string
		grew bool
	}{
		{finding.GrewScore, p.Score > b.last.Score},
		{finding.GrewHosts, len(p.Edges) > b.last.Hosts},
		{finding.GrewBytes, p.BytesOut() > b.last.BytesOut},
	} {
		if g.grew {
			u.Grew = append(u.Grew, g.what)
		}
	}
	return u
}

// keep remembers what was told, if the store is kept and the list is that of
// the budget: a look at more, or at less, tells nobody anything.
func (r *run) keep(ctx context.Context, l *listing) error {
	if r.Store == "" || !r.Budgeted {
		return nil
	}
	var told []store.Told
	for i := range l.told {
		told = append(told, l.told[i].record(l.evidence.End, string(l.told[i].tier)))
	}
	for i := range l.standing {
		told = append(told, l.standing[i].record(l.evidence.End, standingTier))
	}
	return r.store.PutTold(ctx, told)
}

func (p *place) record(at event.Time, tier string) store.Told {
	return store.Told{
		ID: p.ID(), Time: at, Score: p.Score, Hosts: len(p.Edges), BytesOut: p.BytesOut(), Tier: tier,
	}
}
