package pipeline

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/postern/postern/internal/config"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/inventory"
)

// A place is a cluster that is not expected, with its place in the ranking.
type place struct {
	finding.Cluster
	rank   int // from 1
	q      float64
	tier   finding.Tier
	before *before // what was told of it; nil for nothing
}

// A listing is what becomes of the ranked clusters.
type listing struct {
	evidence finding.Evidence
	told     []place // those with a finding of their own, by rank
	over     int     // places that the budget leaves out
	unlisted int     // places without any mention: over the budget, and others
	cut      float64 // what a score must not reach to be among them

	before      []finding.ToldBefore
	expected    []finding.Expected
	newPrograms []finding.NewProgram
	standing    []place
	expired     []config.Expectation
	allowance   *int
}

// list says what becomes of the ranked clusters of the edges: which are told,
// and what is said of the others.
func (r *run) list(ctx context.Context, edges []detect.Edge, clusters []finding.Cluster) (*listing, error) {
	l := &listing{evidence: finding.Cover(edges)}
	l.newPrograms = finding.NewPrograms(edges, l.evidence)
	l.expired = r.Config.Expired(l.evidence.End.Std())
	open := r.expect(l, clusters)
	places := r.places(open, l.evidence)
	if r.Only != "" {
		l.only(places, r.Only)
		return l, nil
	}
	if !r.Budgeted {
		for i := range places {
			if places[i].Score >= r.MinScore && (r.Top <= 0 || i < r.Top) {
				l.told = append(l.told, places[i])
			} else {
				l.leave(&places[i])
			}
		}
		l.unlisted = len(places) - len(l.told)
		return l, nil
	}
	n := finding.Allowance(r.Config.Budget, l.evidence)
	l.allowance = &n
	m, err := r.memory(ctx, l.evidence)
	if err != nil {
		return nil, err
	}
	r.choose(l, places, m)
	return l, nil
}

// only tells the place with an ID. What is told of it is told against the list
// that the budget makes.
func (l *listing) only(places []place, id string) {
	for i := range places {
		switch p := &places[i]; {
		case p.ID() == id:
			l.told = append(l.told, *p)
		case p.tier == finding.Rest:
			l.leave(p)
		}
	}
	l.unlisted = len(places) - len(l.told)
}

// places gives the clusters their rank and tier.
func (r *run) places(clusters []finding.Cluster, v finding.Evidence) []place {
	q := finding.QValues(clusters, v.End)
	worth := 0 // the clusters are ranked
	for worth < len(clusters) && clusters[worth].Score >= r.MinScore {
		worth++
	}
	tiers := finding.Tiers(clusters[:worth], q[:worth], r.Config.Budget, v)
	places := make([]place, len(clusters))
	for i := range clusters {
		places[i] = place{Cluster: clusters[i], rank: i + 1, q: q[i], tier: finding.Rest}
		if i < worth {
			places[i].tier = tiers[i]
		}
	}
	return places
}

// choose tells what the budget allows and memory does not hold back.
func (r *run) choose(l *listing, places []place, m *memory) {
	review := finding.NewReview(l.evidence, r.Config.Budget)
	for i := range places {
		p := &places[i]
		p.before = m.of(p)
		state := p.before.state(p, &r.Config.Budget, l.evidence.End)
		switch {
		case state == lately:
			l.before = append(l.before, p.before.line(p))
		case state == settled:
			l.unlisted++
		case p.tier != finding.Rest:
			l.told = append(l.told, *p)
		case !m.reviewed && review.Takes(&p.Cluster):
			l.standing = append(l.standing, *p)
			l.leave(p)
		default:
			l.leave(p)
			l.unlisted++
			if p.Score >= r.MinScore {
				l.over++
			}
		}
	}
}

// leave notes that a place is not told: what scores less would not be either.
func (l *listing) leave(p *place) { l.cut = max(l.cut, p.Score) }

// expect takes out the clusters of which somebody said that they are fine, and
// returns the others.
func (r *run) expect(l *listing, clusters []finding.Cluster) []finding.Cluster {
	if len(r.Config.ProcessName.Expected) == 0 {
		return clusters
	}
	at := l.evidence.End.Std()
	var open []finding.Cluster
	for i := range clusters {
		c := &clusters[i]
		e := r.expected(c, at)
		if e == nil || c.ID() == r.Only {
			open = append(open, *c)
			continue
		}
		l.expected = append(l.expected, finding.Expected{
			ID: c.ID(), Program: c.Program, Domain: c.Domain, Score: c.Score,
			Owner: e.Owner, Reason: e.Reason, Expires: e.Expires.Format(time.DateOnly),
		})
	}
	return open
}

// expected returns the expectation that covers the cluster's best edge, if all
// its edges are covered by one: a host more than was spoken of is news.
func (r *run) expected(c *finding.Cluster, at time.Time) *config.Expectation {
	var best *config.Expectation
	for _, edge := range c.Edges {
		e, ok := r.Config.Expected(edge.Program, edge.Domain, hostName(edge.Host), r.roleOf(edge.Host), at)
		if !ok {
			return nil
		}
		if edge == c.Best {
			best = e
		}
	}
	return best
}

// hostName returns a host's name as people write it in a configuration.
func hostName(host string) string {
	if name, err := inventory.ParseName(host); err == nil {
		return name
	}
	return host
}

// fill puts into the document what is not told as a finding.
func (l *listing) fill(doc *finding.Document) {
	doc.ToldBefore = append([]finding.ToldBefore{}, l.before...)
	doc.Expected = append([]finding.Expected{}, l.expected...)
	doc.NewPrograms = append([]finding.NewProgram{}, l.newPrograms...)
	doc.Standing = []finding.Standing{}
	for i := range l.standing {
		doc.Standing = append(doc.Standing, l.standing[i].standing())
	}
	s := &doc.Summary
	s.FindingsListed, s.FindingsUnlisted = len(l.told), l.unlisted
	s.Budget, s.FindingsOver = l.allowance, l.over
	for _, e := range l.expired {
		s.Lacking = append(s.Lacking, fmt.Sprintf("What %s answers for expired on %s and is told again: %s.",
			e.Owner, e.Expires.Format(time.DateOnly), e.Program))
	}
}

func (p *place) standing() finding.Standing {
	s := finding.Standing{
		ID: p.ID(), Rank: p.rank, Program: p.Program, Domain: p.Domain, Score: p.Score,
		Hosts: len(p.Edges), BytesOut: quantity(p.BytesOut()),
	}
	for _, e := range p.Edges {
		s.Sessions += e.Sessions
	}
	return s
}

// grade says in the finding where it stands and why it is told.
func (p *place) grade(f *finding.Finding) {
	f.Rank, f.Tier = p.rank, p.tier
	if !math.IsNaN(p.q) {
		f.QValue = &p.q
	}
	if p.before != nil {
		f.Update = p.before.update(p)
	}
}

func quantity(n event.Count) *int64 { return known(int64(n), n.Known()) }
