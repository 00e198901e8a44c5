package main

import (
	"slices"

	"github.com/postern/postern/internal/simulate/fleet"
)

// A mark is a place on a list of clusters with what is behind it.
type mark struct {
	origin fleet.Origin
	deeds  []int
}

// A list is what a rule gives for a fleet, the most remarkable first.
type list struct {
	marks []mark
	deeds []fleet.Kind // by number; "" for one that left no session
}

// marked puts what is behind them on the clusters. A cluster shows what the
// edge shows from which its score comes: an attack that hides behind a
// harmless edge of the same program and domain is not found.
func (s *scene) marked(clusters []cluster) list {
	l := list{marks: make([]mark, len(clusters))}
	for i, c := range clusters {
		l.marks[i] = s.mark(&c)
	}
	for _, d := range s.truth.Deeds {
		if d.Sessions == 0 {
			d.Kind = ""
		}
		l.deeds = append(l.deeds, d.Kind)
	}
	return l
}

// mark returns what is behind a cluster. One of several domains has the origin of
// most of them, and shows the deeds that at least half of them show.
func (s *scene) mark(c *cluster) mark {
	if len(c.members) == 0 {
		return mark(s.labels[edgeKey{c.host, c.program, c.domain}])
	}
	origins, deeds := make(map[fleet.Origin]int), make(map[int]int)
	for _, domain := range c.members {
		l := s.labels[edgeKey{c.host, c.program, domain}]
		origins[l.origin]++
		for _, d := range l.deeds {
			deeds[d]++
		}
	}
	var m mark
	for _, o := range fleet.Origins() {
		if origins[o] > origins[m.origin] {
			m.origin = o
		}
	}
	for d := range s.truth.Deeds {
		if 2*deeds[d] >= len(c.members) {
			m.deeds = append(m.deeds, d)
		}
	}
	return m
}

// ranks returns the place, from 1 on, at which each deed is first shown, or 0
// for one that no place shows.
func (l *list) ranks() []int {
	ranks := make([]int, len(l.deeds))
	for i, m := range l.marks {
		for _, d := range m.deeds {
			if ranks[d] == 0 {
				ranks[d] = i + 1
			}
		}
	}
	return ranks
}

// precision returns the share of the first k places that show a deed. A list
// that is shorter is not blamed for it.
func (l *list) precision(k int) float64 {
	k = min(k, len(l.marks))
	if k == 0 {
		return 0
	}
	n := 0
	for _, m := range l.marks[:k] {
		if len(m.deeds) > 0 {
			n++
		}
	}
	return float64(n) / float64(k)
}

// fill returns how many of the first k places each origin has that shows no
// deed.
func (l *list) fill(k int) map[fleet.Origin]int {
	n := make(map[fleet.Origin]int)
	for _, m := range l.marks[:min(k, len(l.marks))] {
		if len(m.deeds) == 0 {
			n[m.origin]++
		}
	}
	return n
}

// recall returns the share of deeds with a place among the first k.
func recall(ranks []int, k int) float64 {
	if len(ranks) == 0 {
		return 0
	}
	n := 0
	for _, r := range ranks {
		if r > 0 && r <= k {
			n++
		}
	}
	return float64(n) / float64(len(ranks))
}

// median returns the middle one of the ranks, or 0 when that deed has none.
func median(ranks []int) int {
	if len(ranks) == 0 {
		return 0
	}
	s := slices.Clone(ranks)
	for i, r := range s {
		if r == 0 {
			s[i] = int(^uint(0) >> 1) // behind all others
		}
	}
	slices.Sort(s)
	if m := s[(len(s)-1)/2]; m != int(^uint(0)>>1) {
		return m
	}
	return 0
}
