package finding

import (
	"slices"
	"time"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
)

// Evidence is what time and how many hosts the sessions of a run cover.
type Evidence struct {
	// Begin and End are the starts of the first and the last session; both
	// Never without any. From ten hosts on, those of one in a hundred are
	// left out: a clock that is years off, or a date that somebody made up,
	// must not say what time it is.
	Begin, End event.Time

	// Days is how many days of evidence there are, at least 1: as many as
	// have sessions (UTC), but no more than lie between Begin and End.
	Days int

	Hosts int // with sessions; an address for one without a name
}

const day = 24 * time.Hour

// Cover returns what the edges cover.
func Cover(edges []detect.Edge) Evidence {
	dates, spans := make(map[int32]bool), make(map[string][2]event.Time)
	for i := range edges {
		e := &edges[i]
		for _, d := range e.Daily {
			dates[d.Date] = true
		}
		s, ok := spans[e.Host]
		if !ok {
			s = [2]event.Time{e.First, e.Last}
		}
		spans[e.Host] = [2]event.Time{min(s[0], e.First), max(s[1], e.Last)}
	}
	v := Evidence{Days: 1, Hosts: len(spans)}
	if v.Hosts == 0 {
		return v
	}
	first, last := make([]event.Time, 0, v.Hosts), make([]event.Time, 0, v.Hosts)
	for _, s := range spans {
		first, last = append(first, s[0]), append(last, s[1])
	}
	slices.Sort(first)
	slices.Sort(last)
	out := 0
	if v.Hosts >= 10 {
		out = (v.Hosts + 99) / 100
	}
	v.Begin, v.End = first[out], max(first[out], last[v.Hosts-1-out])
	v.Days = max(1, min(len(dates), int(v.End.Sub(v.Begin)/day)+1))
	return v
}
