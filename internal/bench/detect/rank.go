package main

import (
	"context"
	"time"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/score"
)

// This file is all that knows how the product measures and scores. When that
// changes, nothing else here has to.

// An edge is what the product measures of one host's program and domain.
type edge = detect.Edge

// measure has the product measure one host's sessions.
func measure(sessions []event.Session) []edge { return detect.Measure(sessions, detect.Defaults()) }

// A ranker turns the edges of a fleet into clusters, the most remarkable
// first.
type ranker struct {
	name string
	rank func(ctx context.Context, edges []edge) ([]cluster, error)
}

// A cluster is what would be one finding.
type cluster struct {
	program, domain string
	members         []string // domains of that edge, where it has several
	host            string   // of the edge that the score comes from
	score           float64
	parts           func() []part // what the score is made of; nil when the rule does not say
}

// A part is a named contribution to a score.
type part struct {
	name   string
	points float64
}

// product is the ranking of a hunt, as package pipeline does it.
var product = ranker{"postern", rankProduct}

func rankProduct(ctx context.Context, edges []edge) ([]cluster, error) {
	return rankBy(edges, score.Defaults())
}

// plain is the product's ranking with every part counted once, as a fit of the
// weights needs it.
var plain = ranker{"plain", func(ctx context.Context, edges []edge) ([]cluster, error) {
	c := score.Defaults()
	c.Weights = score.Weights{}
	return rankBy(edges, c)
}}

func rankBy(edges []edge, config score.Config) ([]cluster, error) {
	classes, err := program.Shipped()
	if err != nil {
		return nil, err
	}
	catalogue, err := destination.Shipped()
	if err != nil {
		return nil, err
	}
	f := baseline.Learn(edges, classes, nil)
	s := score.New(f, catalogue, config)
	clusters := finding.Rank(s, edges, f.Bundle(detect.Defaults(), nil))
	out := make([]cluster, len(clusters))
	for i, c := range clusters {
		out[i] = cluster{c.Program, c.Domain, c.Best.Members, c.Best.Host, c.Score, func() []part {
			var parts []part
			for _, p := range s.Explain(c.Best).Parts {
				parts = append(parts, part{p.Name, p.Points})
			}
			return parts
		}}
	}
	return out, nil
}

// A view is what the reference rules look at of an edge.
type view struct {
	host, program, domain string
	bytes                 int64 // out, as far as known
	hours                 int   // active
	timing                float64
	tested                bool // timing is the p-value of a test
	first                 event.Time
	longest               time.Duration
}

func viewOf(e *edge) view {
	return view{
		host: e.Host, program: e.Program, domain: e.Domain, bytes: e.BytesOut, hours: e.Hours,
		timing: e.Timing.P, tested: e.Timing.Scale > 0, first: e.First, longest: e.Longest,
	}
}
