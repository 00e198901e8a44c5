package detect

import (
	"cmp"
	"slices"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/stats"
)

// Merge returns what several edges of one host and program are together, as
// one that goes to a destination of the given name: contacts that rotate over
// destinations, or bytes that are split among them, show only so. The edges
// must have the same host and program.
//
// The burst is the largest of one edge: those of several may have come at
// different times.
func Merge(edges []*Edge, domain string, c Config) Edge {
	first := slices.MinFunc(edges, func(a, b *Edge) int {
		return cmp.Or(cmp.Compare(a.Rung, b.Rung), cmp.Compare(b.BytesOut, a.BytesOut), cmp.Compare(a.Domain, b.Domain))
	})
	m := *first
	m.Domain = domain
	m.Sessions, m.UnknownBytes, m.BytesOut, m.BytesIn, m.Connected, m.Daily = 0, 0, 0, 0, 0, nil
	m.Starts = nil
	days := make(map[int32]*Day)
	for _, e := range edges {
		m.Sessions += e.Sessions
		m.UnknownBytes += e.UnknownBytes
		m.BytesOut = event.Count(e.BytesOut).AddTo(m.BytesOut)
		m.BytesIn = event.Count(e.BytesIn).AddTo(m.BytesIn)
		m.Connected = min(m.Connected+e.Connected, maxConnected)
		m.Longest = max(m.Longest, e.Longest)
		m.First, m.Last = min(m.First, e.First), max(m.Last, e.Last)
		m.Named = m.Named || e.Named
		m.SelfSigned = m.SelfSigned || e.SelfSigned
		m.OddPort = max(m.OddPort, e.OddPort)
		m.Evidence = min(m.Evidence, e.Evidence)
		if e.Burst.BytesOut > m.Burst.BytesOut {
			m.Burst = e.Burst
		}
		m.Starts = append(m.Starts, e.Starts...)
		for i := range e.Daily {
			addDay(days, &e.Daily[i])
		}
	}
	for _, d := range days {
		m.Daily = append(m.Daily, *d)
	}
	slices.SortFunc(m.Daily, func(a, b Day) int { return cmp.Compare(a.Date, b.Date) })
	slices.Sort(m.Starts)
	m.count(c)
	m.Timing = stats.Regularity(microseconds(m.Starts))
	return m
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

func microseconds(times []event.Time) []int64 {
	out := make([]int64, len(times))
	for i, t := range times {
		out[i] = int64(t)
	}
	return out
}
