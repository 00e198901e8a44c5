package owner

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// A Clock is how a host's clock, as one source shows it, stands against the
// wire's. The offset holds the source's own lag too: Sysmon stamps a connect
// one to two seconds after its SYN.
type Clock struct {
	Host   string
	Source event.Source

	// Offset is the host's time minus the wire's: the median over the pairs
	// that agree. Take it off to get the wire's time.
	Offset time.Duration

	// Spread is the scaled median absolute deviation of the agreeing pairs.
	Spread time.Duration

	// Pairs are the connects and flows that share a tuple; Agree those of
	// them within the estimate's window. Pairs 0 means that the offset is
	// not known, and 0 is assumed.
	Pairs, Agree int
}

type clockKey struct {
	host   string
	source event.Source
}

type clocks map[clockKey]Clock

// minAgree is how many pairs must agree before an offset of more than the
// join's window is believed: fewer may be a port used again by chance.
const minAgree = 3

// estimateClocks measures each host's and source's offset on the tuples that
// stand for one flow only, so that a pair is right whatever the clocks say.
func (j *join) estimateClocks() {
	deltas := make(map[clockKey][]int64)
	for n := range j.tuples.n {
		flows, connects := j.tuples.flows.of(n), j.tuples.connects.of(n)
		if len(flows) != 1 {
			continue
		}
		var seen map[clockKey]bool // mostly, there is one connect
		if len(connects) > 1 {
			seen = make(map[clockKey]bool)
		}
		for _, i := range connects {
			k := &j.Events.Connects[i]
			if !k.Outbound {
				continue // the flow may be in another window: see pair
			}
			key := clockKey{k.Host, k.Source}
			if seen[key] {
				continue // only the first by time
			}
			if seen != nil {
				seen[key] = true
			}
			deltas[key] = append(deltas[key], int64(k.Time-j.flows[flows[0]].Time))
		}
	}
	for key, d := range deltas {
		if c, ok := estimate(d, 2*j.Config.Window.Microseconds()); ok {
			c.Host, c.Source = key.host, key.source
			j.clocks[key] = c
		}
	}
}

// estimate finds the interval of that width with the most deltas and returns
// their median: an estimate that wrong pairs, which scatter, do not move.
func estimate(deltas []int64, width int64) (Clock, bool) {
	slices.Sort(deltas)
	lo, hi := densest(deltas, width)
	in := deltas[lo:hi]
	c := Clock{Pairs: len(deltas), Agree: len(in)}
	mid := median(in)
	if len(in) < minAgree && (mid > width/2 || mid < -width/2) {
		return Clock{}, false
	}
	dev := make([]int64, len(in))
	for i, d := range in {
		dev[i] = max(d-mid, mid-d)
	}
	slices.Sort(dev)
	c.Offset = time.Duration(mid) * time.Microsecond
	c.Spread = time.Duration(math.Round(1.4826*float64(median(dev)))) * time.Microsecond
	return c, true
}

// densest returns the bounds of the fullest run of sorted values within width.
// Of equally full runs it takes the one nearest to zero, then the lower.
func densest(v []int64, width int64) (lo, hi int) {
	for i, j := 0, 0; i < len(v); i++ {
		for j < len(v) && v[j]-v[i] <= width {
			j++
		}
		n, best := j-i, hi-lo
		if n > best || n == best && n > 0 && magnitude(v[i]) < magnitude(v[lo]) {
			lo, hi = i, j
		}
	}
	return lo, hi
}

func magnitude(n int64) int64 { return max(n, -n) }

// median returns the lower median of sorted values, or 0 of none.
func median(v []int64) int64 {
	if len(v) == 0 {
		return 0
	}
	return v[(len(v)-1)/2]
}

// correct returns the wire's time of a host's time. A source without an
// estimate borrows the host's other one: they share the host's clock, and
// differ by a lag that is small beside the join's window.
func (c clocks) correct(host string, s event.Source, t event.Time) event.Time {
	k, ok := c[clockKey{host, s}]
	for other := event.Security; !ok && other > event.NoSource; other-- {
		k, ok = c[clockKey{host, other}]
	}
	return t.Add(-k.Offset)
}

// correctTimes notes the time of each connect on the wire's clock.
func (j *join) correctTimes() {
	j.times = make([]event.Time, len(j.Events.Connects))
	for i := range j.times {
		k := &j.Events.Connects[i]
		j.times[i] = j.clocks.correct(k.Host, k.Source, k.Time)
	}
}

func (c clocks) list() []Clock {
	var all []Clock
	for _, k := range c {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b Clock) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Source, b.Source))
	})
	return all
}
