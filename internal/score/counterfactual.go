package score

import (
	"fmt"
	"slices"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/stats"
)

// Counterfactual returns the changes that alone would take an edge's score below
// a cut: what an analyst may look for when it is harmless, and what somebody who
// hides would have to do. None is returned where no single change would.
func (s *Scorer) Counterfactual(e *detect.Edge, cut float64) []string {
	var all []string
	for _, change := range []func(*detect.Edge, float64) (string, bool){
		s.onMoreHosts, s.withLess, s.inTime, s.withoutRhythm, s.fromTheBeginning,
	} {
		if text, ok := change(e, cut); ok {
			all = append(all, text)
		}
	}
	return all
}

// imagined are the numbers of further hosts that are tried.
var imagined = []int64{1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000}

func (s *Scorer) onMoreHosts(e *detect.Edge, cut float64) (string, bool) {
	c := s.subject(e)
	if !c.known() {
		return "", false
	}
	for _, n := range imagined {
		if n > 2*s.fleet.Hosts {
			break
		}
		with := c
		with.About = c.With(n)
		if with.score() < cut {
			return fmt.Sprintf("%s had it go there too", plural(n, "more host")), true
		}
	}
	return "", false
}

// withLess finds how much less it would have to send, to two figures.
func (s *Scorer) withLess(e *detect.Edge, cut float64) (string, bool) {
	if e.BytesOut == 0 || s.Score(scaled(e, 0)) >= cut {
		return "", false
	}
	enough, tooMuch := 0.0, 1.0
	for range 24 {
		middle := (enough + tooMuch) / 2
		if s.Score(scaled(e, middle)) < cut {
			enough = middle
		} else {
			tooMuch = middle
		}
	}
	burst, all := int64(tooMuch*float64(e.Burst.BytesOut)), int64(tooMuch*float64(e.BytesOut))
	if burst > 0 && e.Burst.BytesOut >= s.config.Transfer {
		return fmt.Sprintf("it sent less than %s within %s, and %s in all", Bytes(burst), Seconds(s.config.Window.Seconds()), Bytes(all)), true
	}
	return fmt.Sprintf("it sent less than %s in all", Bytes(all)), true
}

// scaled returns e with a share of its bytes.
func scaled(e *detect.Edge, share float64) *detect.Edge {
	less := *e
	less.BytesOut = int64(share * float64(e.BytesOut))
	less.Burst.BytesOut = int64(share * float64(e.Burst.BytesOut))
	less.Daily = slices.Clone(e.Daily)
	for i := range less.Daily {
		less.Daily[i].BytesOut = int64(share * float64(e.Daily[i].BytesOut))
	}
	return &less
}

func (s *Scorer) inTime(e *detect.Edge, cut float64) (string, bool) {
	in := *e
	in.Hours, in.OffHours = max(1, e.Hours-e.OffHours), 0
	return "it were active inside the time window only", e.OffHours > 0 && s.Score(&in) < cut
}

func (s *Scorer) withoutRhythm(e *detect.Edge, cut float64) (string, bool) {
	without := *e
	without.Timing = stats.Result{N: e.Timing.N, P: 1}
	return "its contacts were irregular", e.Timing.Scale > 0 && s.Score(&without) < cut
}

func (s *Scorer) fromTheBeginning(e *detect.Edge, cut float64) (string, bool) {
	if !s.fleet.Young(e) {
		return "", false
	}
	old := *e
	old.First, old.Newest = s.fleet.Began(e.Host), event.Never
	return "it had been there from the beginning", old.First != event.Never && s.Score(&old) < cut
}
