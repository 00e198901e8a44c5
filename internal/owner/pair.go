package owner

import (
	"cmp"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// A voice is a kind of endpoint event that may name a flow's owner. The order
// is that in which they are believed; choose has the exceptions.
type voice uint8

const (
	counting voice = iota // the event counts the flow's bytes as well
	kernel                // Security 5156
	resolved              // Sysmon 3, and what else looks the process up afterwards
	voices
)

func voiceOf(k *event.Connect) voice {
	switch {
	case k.Volume.Counted:
		return counting
	case k.Source == event.Security:
		return kernel
	}
	return resolved
}

// owners are the endpoint events that name a flow's owner, at most one of each
// voice, all of one host.
type owners struct {
	said [voices]*event.Connect
	rung event.Rung // on which they do
	at   event.Time // of the one given last
}

// first returns the event of the best voice, or nil.
func (o owners) first() *event.Connect {
	for _, k := range o.said {
		if k != nil {
			return k
		}
	}
	return nil
}

// host returns the host of the events.
func (o owners) host() string { return o.first().Host }

func (o owners) any() bool { return o.first() != nil }

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
		k := &j.Events.Connects[c]
		if !k.Outbound {
			continue
		}
		at := j.times[c]
		reach := j.reach(k)
		for _, f := range j.within(flows, at) {
			if at.Sub(j.flows[f].Time).Abs() > reach || j.Apart(k.Host, j.flows[f].Sensor) {
				continue
			}
			all = append(all, candidate{f, c, empty(&j.flows[f]), at.Sub(j.flows[f].Time).Abs()})
		}
	}
	j.candidates = all
	if len(all) > 1 {
		slices.SortFunc(all, candidate.compare)
	}
	for _, p := range all {
		j.give(p.flow, p.connect, event.RungExact)
	}
}

// The reach of a connect whose clock is well known.
const (
	// wellKnown is how many pairs must have shown a clock.
	wellKnown = 20

	// spreads is how many of the clock's spreads a connect may lie from its
	// flow, and leastReach how far it may at least.
	spreads    = 6
	leastReach = 2 * time.Second
)

// reach is how far from a connect its flow may have begun. Where the clock is
// known and steady it is little: within the whole window, a port may be used
// again, and of the two connections the one's flow and the other's connect be
// lost.
func (j *join) reach(k *event.Connect) time.Duration {
	key := clockKey{k.Host, k.Source}
	r, ok := j.reaches[key]
	if !ok {
		r = j.Config.Window
		if c := j.clocks[key]; len(c) == 1 && c[0].Agree >= wellKnown && c[0].Spread <= wanders {
			r = min(r, max(leastReach, spreads*c[0].Spread))
		}
		j.reaches[key] = r
	}
	return r
}

// oneConnect is how far apart two sources may stamp one connect, once their
// clocks are corrected. A port may be used again sooner than the window is
// wide, and the flow be lost.
const oneConnect = 10 * time.Second

// give makes a connect an owner of a flow, unless either is taken.
func (j *join) give(flow, connect int32, r event.Rung) {
	k, o := &j.Events.Connects[connect], &j.owners[flow]
	slot := &o.said[voiceOf(k)]
	if j.taken[connect] != undecided || *slot != nil || !o.admits(k) {
		return
	}
	if o.any() && j.times[connect].Sub(o.at).Abs() > oneConnect {
		return
	}
	*slot, o.rung, o.at = k, r, j.times[connect]
	j.taken[connect] = Joined
}

// maxNear bounds how many flows of one tuple, before and after a connect, may
// be the connect's: a flood of one tuple must not cost the square of its size.
const maxNear = 32

// within returns those of flows, which are in order of time, that began within
// the window around t.
func (j *join) within(flows []int32, t event.Time) []int32 {
	at := j.firstFrom(flows, t)
	from := max(j.firstFrom(flows, t.Add(-j.Config.Window)), at-maxNear)
	to := min(j.firstFrom(flows, t.Add(j.Config.Window)+1), at+maxNear)
	return flows[from:to]
}

// byTime puts flows in order of time.
func (j *join) byTime(flows []int32) []int32 {
	slices.SortFunc(flows, func(a, b int32) int {
		return cmp.Or(cmp.Compare(j.flows[a].Time, j.flows[b].Time), cmp.Compare(a, b))
	})
	return flows
}

// admits reports whether k may be another source's word on the same connect:
// it must come from the same host.
func (o owners) admits(k *event.Connect) bool {
	first := o.first()
	return first == nil || first.Host == k.Host
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
	return o.said[voiceOf(k)] != nil && o.admits(k) && at <= end(&j.flows[flow]).Add(j.Config.Window)
}

// end returns when a flow ended, as far as is known.
func end(f *event.Flow) event.Time {
	if !f.Duration.Known() {
		return f.Time
	}
	return f.Time + event.Time(f.Duration)
}
