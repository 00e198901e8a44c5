package detect

import (
	"slices"

	"github.com/postern/postern/internal/event"
)

// A Period is the time that edges cover.
type Period struct {
	// Begin and End are the starts of the first and the last session; both
	// Never without any. From ten hosts on, those of one in a hundred are
	// left out: a clock that is years off, or a date that somebody made up,
	// must not say what time it is.
	Begin, End event.Time

	Hosts int // with sessions; an address for one without a name
}

// PeriodOf returns the period of the edges.
func PeriodOf(edges []Edge) Period {
	spans := make(map[string][2]event.Time)
	for i := range edges {
		e := &edges[i]
		s, ok := spans[e.Host]
		if !ok {
			s = [2]event.Time{e.First, e.Last}
		}
		spans[e.Host] = [2]event.Time{min(s[0], e.First), max(s[1], e.Last)}
	}
	p := Period{Hosts: len(spans)}
	if p.Hosts == 0 {
		return p
	}
	first, last := make([]event.Time, 0, p.Hosts), make([]event.Time, 0, p.Hosts)
	for _, s := range spans {
		first, last = append(first, s[0]), append(last, s[1])
	}
	slices.Sort(first)
	slices.Sort(last)
	out := 0
	if p.Hosts >= 10 {
		out = (p.Hosts + 99) / 100
	}
	p.Begin, p.End = first[out], max(first[out], last[p.Hosts-1-out])
	return p
}
