package finding

import "github.com/postern/postern/internal/config"

const (
	// settled is how long the evidence must reach for a review of what was
	// there from the beginning: before, everything was.
	settled = 3 * day

	// beginning is how long the beginning is: each host shows its habits in
	// the course of a day.
	beginning = day

	// reviewSize bounds a review. It is done once.
	reviewSize = 20
)

// A Review gathers what was there when the evidence began and is not told:
// whoever was there before anybody looked is new nowhere.
type Review struct {
	evidence   Evidence
	perProgram int
	taken      int
	programs   map[string]int
}

// NewReview returns a review of the evidence, in which a program takes no more
// than its share of the budget.
func NewReview(v Evidence, b config.Budget) *Review {
	return &Review{evidence: v, perProgram: max(1, int(b.PerProgramShare*reviewSize)), programs: make(map[string]int)}
}

// Takes reports whether the review has room for a cluster that was there from
// the beginning. It is asked for them in the order of the ranking.
func (r *Review) Takes(c *Cluster) bool {
	v := &r.evidence
	if r.taken >= reviewSize || v.End.Sub(v.Begin) < settled || c.First().Sub(v.Begin) >= beginning {
		return false
	}
	if c.Program != "" && r.programs[c.Program] >= r.perProgram {
		return false
	}
	r.taken++
	r.programs[c.Program]++
	return true
}
