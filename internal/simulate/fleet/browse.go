package fleet

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/postern/postern/internal/event"
)

const (
	favourites  = 60     // sites of a person
	favoured    = 0.45   // share of the visits that go to them
	freshSites  = 0.015  // share of the visits to a domain that nobody visited before
	pollingTabs = 0.012  // share of the visits that leave a tab open which asks again and again
	bulkSends   = 0.0018 // share of the visits that send much more than usual
	mostLoads   = 8      // contacts of a visit: more of them would tell nothing more
	mostAsks    = 90     // contacts of a polling tab in a day
)

// A surfer is a person with a browser.
type surfer struct {
	*machine
	fleet     *Fleet
	zipf      *rand.Zipf
	favourite [favourites]*Destination
}

// browse has m's browsers visit the web.
func (f *Fleet) browse(m *machine) {
	s := surfer{machine: m, fleet: f, zipf: rand.NewZipf(m.Rand, 1.05, 1, webSites-1)}
	for i := range s.favourite {
		s.favourite[i] = f.web.sites[s.zipf.Uint64()]
	}
	for _, b := range f.browsers {
		if !m.chance(b.share[m.role]) {
			continue
		}
		for _, shift := range s.sittings(0.05) {
			if m.chance(0.8) {
				s.surf(b, shift)
			}
		}
	}
}

// surf is a day with a browser.
func (s *surfer) surf(b *Program, shift span) {
	proc := s.instance(b, shift.from)
	fresh := freshSites
	if s.fleet.Shifted {
		fresh *= 2
	}
	for range s.poisson(math.Exp(3.2 + 0.6*s.NormFloat64())) {
		at := shift.from.Add(time.Duration(s.Float64() * float64(shift.to.Sub(shift.from))))
		to, origin := s.fleet.web.sites[s.zipf.Uint64()], Browsing
		switch x := s.Float64(); {
		case x < favoured:
			to = s.favourite[s.IntN(favourites)]
		case x > 1-fresh:
			to, origin = s.fresh(), FreshSite
		}
		if s.chance(pollingTabs) {
			s.poll(proc, to, at, shift.to)
			continue
		}
		s.visit(proc, to, at, origin)
	}
}

// visit loads a page and looks round.
func (s *surfer) visit(proc *Process, to *Destination, at event.Time, origin Origin) {
	total, down := s.around(30_000, 1.5), math.Exp(2+s.NormFloat64())
	if s.chance(bulkSends) {
		total *= min(2e4, 1+20*math.Pow(1-s.Float64(), -1/0.9))
		down = math.Exp(-2 + 0.5*s.NormFloat64())
	}
	n := min(1+s.trials(0.35), mostLoads)
	for range n {
		up := total / float64(n)
		s.do(Contact{
			Start: at, Lasts: time.Second + s.wait(25*time.Second) + time.Duration(up/4e6*float64(time.Second)),
			Up: int64(up), Down: int64(up * down), Process: proc, To: to, Origin: origin,
		})
		at = at.Add(s.wait(4*time.Minute) + 200*time.Millisecond)
	}
}

// poll is a tab that was left open.
func (s *surfer) poll(proc *Process, to *Destination, at, until event.Time) {
	every, jitter := time.Duration(s.scale(30, 600))*time.Second, s.between(0.005, 0.1)
	until = min(until, at.Add(time.Duration(s.scale(0.3, 6)*float64(time.Hour))))
	for range mostAsks {
		if at >= until {
			return
		}
		s.do(Contact{Start: at, Lasts: s.wait(time.Second), Up: int64(s.around(2000, 0.3)), Down: int64(s.around(2500, 0.6)), Process: proc, To: to, Origin: PollingTab})
		at = at.Add(s.within(every, jitter))
	}
}
