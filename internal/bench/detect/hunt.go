package main

import (
	"context"
	"fmt"

	"github.com/postern/postern/internal/simulate/fleet"
)

// A cut is a length of a list at which it is judged.
type cut struct {
	name   string
	places int
	perDay bool
}

// cuts are what an analyst may read: of a whole hunt, or on each of its days.
var cuts = []cut{
	{"10", 10, false}, {"20", 20, false}, {"50", 50, false}, {"100", 100, false},
	{"5/day", 5, true}, {"10/day", 10, true}, {"20/day", 20, true},
}

// of returns the length for a hunt over that many days.
func (c cut) of(days int) int {
	if c.perDay {
		return c.places * days
	}
	return c.places
}

// fillAt is the length of list whose harmless places are counted by origin.
const fillAt = 100

// A result is how a rule did over all fleets.
type result struct {
	Rule      string                   `json:"rule"`
	Deeds     int                      `json:"deeds"`
	Recall    map[string]float64       `json:"recall"`    // by cut
	Precision map[string]float64       `json:"precision"` // by cut
	Delay     map[string]float64       `json:"delay_days,omitempty"`
	Kinds     []kindResult             `json:"kinds"`
	Fill      map[fleet.Origin]float64 `json:"fill"` // places of a list that show no attack, by origin
}

// A kindResult is how a rule did on one kind of attack.
type kindResult struct {
	Kind   fleet.Kind         `json:"kind"`
	Deeds  int                `json:"deeds"`
	Recall map[string]float64 `json:"recall"`
	Median int                `json:"median_rank"` // 0: not on the list
}

// judge sums up the lists that a rule gave of fleets over that many days.
func judge(rule string, days int, lists []list) result {
	r := result{Rule: rule, Recall: make(map[string]float64), Precision: make(map[string]float64), Fill: make(map[fleet.Origin]float64)}
	byKind := make(map[fleet.Kind][]int)
	var all []int
	for i := range lists {
		l := &lists[i]
		for d, rank := range l.ranks() {
			if kind := l.deeds[d]; kind != "" {
				byKind[kind] = append(byKind[kind], rank)
				all = append(all, rank)
			}
		}
		for _, c := range cuts {
			r.Precision[c.name] += l.precision(c.of(days)) / float64(len(lists))
		}
		for o, n := range l.fill(fillAt) {
			r.Fill[o] += float64(n) / float64(len(lists))
		}
	}
	r.Deeds, r.Recall = len(all), recalls(all, days)
	for _, kind := range fleet.Kinds() {
		if ranks := byKind[kind]; len(ranks) > 0 {
			r.Kinds = append(r.Kinds, kindResult{kind, len(ranks), recalls(ranks, days), median(ranks)})
		}
	}
	return r
}

// recalls returns the recall at each cut.
func recalls(ranks []int, days int) map[string]float64 {
	m := make(map[string]float64)
	for _, c := range cuts {
		m[c.name] = recall(ranks, c.of(days))
	}
	return m
}

// hunt has the rules list fleets of all seeds, and the clusters of the
// product's lists looked at.
func (o options) hunt(ctx context.Context, rules []ranker, look func(seed uint64, s *scene, clusters []cluster)) ([]result, error) {
	lists := make([][]list, len(rules))
	for _, seed := range o.seedList() {
		f, err := o.fleet(seed)
		if err != nil {
			return nil, err
		}
		_, end := f.Period()
		s := play(f, end)
		for i, rule := range rules {
			clusters, err := rule.rank(ctx, s.edges)
			if err != nil {
				return nil, fmt.Errorf("fleet of seed %d: %s: %w", seed, rule.name, err)
			}
			lists[i] = append(lists[i], s.marked(clusters))
			if i == 0 && look != nil {
				look(seed, s, clusters)
			}
		}
		o.progress("seed %d: %d edges", seed, len(s.edges))
	}
	results := make([]result, len(rules))
	for i, rule := range rules {
		results[i] = judge(rule.name, o.days, lists[i])
	}
	return results, nil
}
