package finding

import (
	"github.com/postern/postern/internal/config"
)

// A Tier says why a finding is told.
type Tier string

// The tiers.
const (
	High   Tier = "high"   // hardly a false alarm among so strong ones
	Budget Tier = "budget" // among the strongest that there is time to read
	Rest   Tier = "rest"   // neither
)

// highQ is the greatest q-value of the tier high. It is told whatever the
// budget. A rule with a greater one drowns people: 0.5 gave 115 findings a day
// where 0.2 gave one in two days.
const highQ = 0.2

// hostShare is the share of the budget that the programs of one host may take
// while others have something to tell: what one host makes up under many names
// must not silence the others.
const hostShare = 0.5

// carried is how many days' budget may be carried over to the next: a list that
// covers weeks is still one that a person reads at once.
const carried = 2

// Allowance returns how many findings the budget allows for the evidence: those
// of its last day, and what was carried over from days before.
func Allowance(b config.Budget, v Evidence) int { return b.PerDay * min(v.Days, 1+carried) }

// Tiers returns the tier of each of the ranked clusters, whose q-values stand
// beside them. The tier high counts against the budget as well.
func Tiers(ranked []Cluster, q []float64, b config.Budget, v Evidence) []Tier {
	n := Allowance(b, v)
	s := spending{
		left:       n,
		perProgram: max(1, int(b.PerProgramShare*float64(n))), perHost: max(1, int(hostShare*float64(n))),
		programs: make(map[string]int), hosts: make(map[string]int),
	}
	tiers := make([]Tier, len(ranked))
	for i := range ranked {
		tiers[i] = Rest
		if q[i] <= highQ {
			tiers[i] = High
			s.spend(&ranked[i])
		}
	}
	for _, fair := range []bool{true, false} {
		for i := range ranked {
			if tiers[i] == Rest && s.allows(&ranked[i], fair) {
				tiers[i] = Budget
				s.spend(&ranked[i])
			}
		}
	}
	return tiers
}

// spending is what was spent of a budget, and on whom.
type spending struct {
	left                int
	perProgram, perHost int
	programs, hosts     map[string]int
}

func (s *spending) spend(c *Cluster) {
	s.left--
	s.programs[c.Program]++
	if len(c.Edges) == 1 {
		s.hosts[c.Best.Host]++
	}
}

// allows reports whether there is budget for a cluster. The unknown program is
// no program: what it stands for has nothing in common. The share of a host
// holds only where it is fair to others: none of them may want the rest.
func (s *spending) allows(c *Cluster, fair bool) bool {
	switch {
	case s.left <= 0, c.Program != "" && s.programs[c.Program] >= s.perProgram:
		return false
	case !fair || len(c.Edges) > 1:
		return true
	}
	return s.hosts[c.Best.Host] < s.perHost
}
