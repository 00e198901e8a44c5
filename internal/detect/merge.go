package detect

import (
	"cmp"
	"math"
	"slices"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/stats"
)

// Several is the domain of edges that were taken together.
const Several = "(several rare destinations)"

// Domains returns the registered domains that the edge goes to.
func (e *Edge) Domains() []string {
	if len(e.Members) > 0 {
		return e.Members
	}
	return []string{e.Domain}
}

// Began returns when the edge began; of several taken together, when the last
// of them did.
func (e *Edge) Began() event.Time { return max(e.First, e.Newest) }

// Merge returns what several edges of one host and program are together, as
// one to [Several]: contacts that rotate over destinations, or bytes that are
// split among them, show only so. There must be at least one edge, and all must
// have the same host and program.
//
// What there is only one of, as the image, is that of the best-known edge, and
// the burst is the largest of one edge: those of several may have come at
// different times. The timing is that of all contacts, for as long as all of
// them are known. The merged edge keeps no starts.
func Merge(edges []*Edge, c Config) Edge {
	m := *slices.MinFunc(edges, func(a, b *Edge) int {
		return cmp.Or(cmp.Compare(a.Rung, b.Rung), cmp.Compare(b.BytesOut, a.BytesOut), cmp.Compare(a.Domain, b.Domain))
	})
	m.Domain, m.Members, m.Newest = Several, nil, event.Never
	m.Sessions, m.UnknownBytes, m.BytesOut, m.BytesIn, m.Connected = 0, 0, 0, 0, 0
	m.Daily, m.Starts = nil, nil
	days := make(map[int32]*Day)
	for _, e := range edges {
		m.take(e)
		for i := range e.Daily {
			addDay(days, &e.Daily[i])
		}
	}
	slices.Sort(m.Members)
	for _, d := range days {
		m.Daily = append(m.Daily, *d)
	}
	slices.SortFunc(m.Daily, func(a, b Day) int { return cmp.Compare(a.Date, b.Date) })
	m.count(c)
	m.Timing = stats.Regularity(starts(edges))
	return m
}

// take adds what another edge is to one that has its own sums.
func (e *Edge) take(o *Edge) {
	e.Members = append(e.Members, o.Domain)
	e.Sessions += o.Sessions
	e.UnknownBytes += o.UnknownBytes
	e.BytesOut = event.Count(o.BytesOut).AddTo(e.BytesOut)
	e.BytesIn = event.Count(o.BytesIn).AddTo(e.BytesIn)
	e.Connected = min(e.Connected+o.Connected, maxConnected)
	e.Longest = max(e.Longest, o.Longest)
	e.First, e.Last, e.Newest = min(e.First, o.First), max(e.Last, o.Last), max(e.Newest, o.First)
	e.Named = e.Named || o.Named
	e.SelfSigned = e.SelfSigned || o.SelfSigned
	e.OddPort = max(e.OddPort, o.OddPort)
	e.Evidence = min(e.Evidence, o.Evidence)
	if o.Burst.BytesOut > e.Burst.BytesOut {
		e.Burst = o.Burst
	}
}

// starts returns when the sessions of all edges began, up to the first instant
// after which an edge does not keep all of its own: or else a series would seem
// to slow down where only memory ends.
func starts(edges []*Edge) []int64 {
	until := event.Time(math.MaxInt64)
	for _, e := range edges {
		if n := len(e.Starts); n > 0 && int64(n) < e.Sessions {
			until = min(until, e.Starts[n-1])
		}
	}
	var all []int64
	for _, e := range edges {
		for _, t := range e.Starts {
			if t <= until {
				all = append(all, int64(t))
			}
		}
	}
	slices.Sort(all)
	return all[:min(len(all), maxTimes)]
}

func addDay(days map[int32]*Day, d *Day) {
	sum := days[d.Date]
	if sum == nil {
		sum = &Day{Date: d.Date}
		days[d.Date] = sum
	}
	sum.Sessions += d.Sessions
	sum.Unknown += d.Unknown
	sum.BytesOut = event.Count(d.BytesOut).AddTo(sum.BytesOut)
	sum.BytesIn = event.Count(d.BytesIn).AddTo(sum.BytesIn)
	sum.Hours |= d.Hours
}
