package finding

import (
	"time"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
)

// Evidence is what time and how many hosts the sessions of a run cover.
type Evidence struct {
	// Begin and End are those of a [detect.Period].
	Begin, End event.Time

	// Days is how many days of evidence there are, at least 1: as many as
	// have sessions (UTC), but no more than lie between Begin and End.
	Days int

	Hosts int // with sessions; an address for one without a name
}

const day = 24 * time.Hour

// Cover returns what the edges cover.
func Cover(edges []detect.Edge) Evidence {
	p := detect.PeriodOf(edges)
	v := Evidence{Begin: p.Begin, End: p.End, Days: 1, Hosts: p.Hosts}
	if v.Hosts == 0 {
		return v
	}
	dates := make(map[int32]bool)
	for i := range edges {
		for _, d := range edges[i].Daily {
			dates[d.Date] = true
		}
	}
	v.Days = max(1, min(len(dates), int(v.End.Sub(v.Begin)/day)+1))
	return v
}
