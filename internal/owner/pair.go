package owner

import (
	"cmp"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// owners are the endpoint events that name a flow's owner, at most one of each
// source.
type owners struct {
	sysmon, security *event.Connect
}

func (o *owners) slot(s event.Source) **event.Connect {
	if s == event.Security {
		return &o.security
	}
	return &o.sysmon
}

func (o owners) any() bool { return o.sysmon != nil || o.security != nil }

// pair gives each flow the connects that share its tuple and are nearest in
// time: the exact rung. A connect is given to one flow only. One that a host
// accepted names no owner: the process behind it is the far end's.
func (j *join) pair() {
	for n := range j.tuples.n {
		flows, connects := j.tuples.flows.of(n), j.tuples.connects.of(n)
		if len(flows) > 0 {
			j.pairTuple(flows, connects)
			j.repeats(flows, connects)
		}
	}
}

// A candidate is a connect that may be a flow's.
type candidate struct {
	flow, connect int32
	scrap         bool // the flow carried nothing
	apart         time.Duration
}

// compare orders candidates, the better first. A flow that carried nothing
// comes last: it is mostly the scrap of a connection that the sensor had
// counted before, and the connect belongs to that.
func (p candidate) compare(q candidate) int {
	if p.scrap != q.scrap {
		if q.scrap {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(p.apart, q.apart), cmp.Compare(p.flow, q.flow), cmp.Compare(p.connect, q.connect))
}

// pairTuple assigns the nearest pairs first, so that a port that is used again
// falls to the right flow.
func (j *join) pairTuple(flows, connects []int32) {
	all := j.candidates[:0]
	for _, c := range connects {
		if !j.Events.Connects[c].Outbound {
			continue
		}
		at := j.times[c]
		for _, f := range flows[j.firstFrom(flows, at.Add(-j.Config.Window)):] {
			if j.flows[f].Time > at.Add(j.Config.Window) {
				break
			}
			all = append(all, candidate{f, c, empty(&j.flows[f]), at.Sub(j.flows[f].Time).Abs()})
		}
	}
	j.candidates = all
	if len(all) > 1 {
		slices.SortFunc(all, candidate.compare)
	}
	for _, p := range all {
		k := &j.Events.Connects[p.connect]
		slot := j.owners[p.flow].slot(k.Source)
		if j.taken[p.connect] != undecided || *slot != nil || !j.owners[p.flow].admits(k) {
			continue
		}
		*slot = k
		j.taken[p.connect] = Joined
	}
}

// admits reports whether k may be another source's word on the same connect:
// it must come from the same host.
func (o owners) admits(k *event.Connect) bool {
	return (o.sysmon == nil || o.sysmon.Host == k.Host) && (o.security == nil || o.security.Host == k.Host)
}

// firstFrom returns the position of the first of flows, which are in order of
// time, that began at t or later.
func (j *join) firstFrom(flows []int32, t event.Time) int {
	n, _ := slices.BinarySearchFunc(flows, t, func(f int32, t event.Time) int {
		return cmp.Compare(j.flows[f].Time, t)
	})
	return n
}

// maxBack bounds how many flows of one tuple, back from a connect, may be the
// long one that it repeats.
const maxBack = 8

// repeats marks what a source said again of a flow that has its owner: Sysmon
// writes UDP connects per packet, 5156 writes SYN retries.
func (j *join) repeats(flows, connects []int32) {
	for _, c := range connects {
		if j.taken[c] != undecided || !j.Events.Connects[c].Outbound {
			continue
		}
		at := j.times[c]
		last := j.firstFrom(flows, at.Add(j.Config.Window)+1)
		for _, f := range flows[max(0, last-maxBack):last] {
			if j.repeatsFlow(f, c, at) {
				j.taken[c] = Repeated
				break
			}
		}
	}
}

func (j *join) repeatsFlow(flow, connect int32, at event.Time) bool {
	k, o := &j.Events.Connects[connect], j.owners[flow]
	return *o.slot(k.Source) != nil && o.admits(k) && at <= end(&j.flows[flow]).Add(j.Config.Window)
}

// end returns when a flow ended, as far as is known.
func end(f *event.Flow) event.Time {
	if !f.Duration.Known() {
		return f.Time
	}
	return f.Time + event.Time(f.Duration)
}
