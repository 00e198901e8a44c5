package owner

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/stats"
)

// A Clock is how a host's clock, as one source shows it, stands against the
// wire's, over some time. The offset holds the source's own lag too: Sysmon
// stamps a connect one to two seconds after its SYN.
type Clock struct {
	Host   string
	Source event.Source

	// Offset is the host's time minus the wire's: the median over the pairs
	// that agree. Take it off to get the wire's time.
	Offset time.Duration

	// Spread is the scaled median absolute deviation of the agreeing pairs.
	Spread time.Duration

	// Pairs are the connects and flows that share a tuple; Agree those of
	// them within the estimate's window.
	Pairs, Agree int

	// First and Last are the times, on the host's clock, between which
	// nearly all agreeing pairs lie. A clock that was set has several
	// Clocks, one for each time between.
	First, Last event.Time

	pairs []sighting // that agree, by time
}

type clockKey struct {
	host   string
	source event.Source
}

// clocks are the estimates of each host and source, the one with the most
// agreeing pairs first.
type clocks map[clockKey][]Clock

// The rules by which an offset is believed.
const (
	// minAgree is how many pairs must agree before an offset of more than
	// the join's window is believed: fewer may be a port used again by
	// chance.
	minAgree = 3

	// maxClocks bounds how often a clock may be seen to have been set.
	maxClocks = 8

	// minShare is which share of the pairs must agree on a further offset,
	// and minWithin which share of those in its time.
	minShare, minWithin = 0.02, 0.6
)

// A sighting is a connect and a flow that share a tuple.
type sighting struct {
	at    event.Time // of the connect, on the host's clock
	delta int64      // the host's time minus the wire's, in microseconds
}

// estimateClocks measures each host's and source's offset on the tuples that
// stand for one flow only, so that a pair is right whatever the clocks say.
func (j *join) estimateClocks() {
	pairs := make(map[clockKey][]sighting)
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
			pairs[key] = append(pairs[key], sighting{k.Time, int64(k.Time - j.flows[flows[0]].Time)})
		}
	}
	for key, p := range pairs {
		for _, c := range estimate(p, 2*j.Config.Window.Microseconds()) {
			c.Host, c.Source = key.host, key.source
			j.clocks[key] = append(j.clocks[key], c)
		}
	}
}

// estimate finds the offsets that pairs agree on. The first is the median of
// the interval of that width which holds the most of them: an estimate that
// wrong pairs, which scatter, do not move. A clock that was set shows in
// further such intervals, each with a time of its own in which its pairs
// prevail.
func estimate(pairs []sighting, width int64) []Clock {
	var all []Clock
	rest := slices.Clone(pairs)
	slices.SortFunc(rest, func(a, b sighting) int {
		return cmp.Or(cmp.Compare(a.delta, b.delta), cmp.Compare(a.at, b.at))
	})
	for len(all) < maxClocks && len(rest) > 0 {
		lo, hi := densest(rest, width)
		c := clockOf(rest[lo:hi])
		c.Pairs = len(pairs)
		few := c.Agree < minAgree && (c.Offset.Microseconds() > width/2 || c.Offset.Microseconds() < -width/2)
		if few || len(all) > 0 && !c.prevails(pairs, width) {
			break
		}
		all = append(all, c)
		rest = slices.Delete(rest, lo, hi)
	}
	return all
}

// clockOf returns what pairs that agree say.
func clockOf(in []sighting) Clock {
	deltas, at := make([]float64, len(in)), make([]float64, len(in))
	for i, p := range in {
		deltas[i], at[i] = float64(p.delta), float64(p.at)
	}
	// A wrong pair in fifty may agree by chance at any time.
	stray := float64(len(in)/50) / float64(max(1, len(in)-1))
	near := slices.Clone(in)
	slices.SortFunc(near, func(a, b sighting) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.delta, b.delta)) })
	return Clock{
		pairs:  near,
		Offset: microseconds(stats.Median(deltas)), Spread: microseconds(stats.MAD(deltas)), Agree: len(in),
		First: event.Time(stats.Quantile(at, stray)), Last: event.Time(stats.Quantile(at, 1-stray)),
	}
}

func microseconds(x float64) time.Duration { return time.Duration(math.Round(x)) * time.Microsecond }

// prevails reports whether enough pairs agree with c, in all and in its time.
func (c Clock) prevails(pairs []sighting, width int64) bool {
	if c.Agree < minAgree || float64(c.Agree) < minShare*float64(len(pairs)) {
		return false
	}
	in, agree := 0, 0
	for _, p := range pairs {
		if c.First <= p.at && p.at <= c.Last {
			in++
			if magnitude(p.delta-c.Offset.Microseconds()) <= width/2 {
				agree++
			}
		}
	}
	return float64(agree) >= minWithin*float64(in)
}

// densest returns the bounds of the fullest run of deltas, which are in order,
// within width.
// Of equally full runs it takes the one nearest to zero, then the lower.
func densest(v []sighting, width int64) (lo, hi int) {
	for i, j := 0, 0; i < len(v); i++ {
		for j < len(v) && v[j].delta-v[i].delta <= width {
			j++
		}
		n, best := j-i, hi-lo
		if n > best || n == best && n > 0 && magnitude(v[i].delta) < magnitude(v[lo].delta) {
			lo, hi = i, j
		}
	}
	return lo, hi
}

func magnitude(n int64) int64 { return max(n, -n) }

// correct returns the wire's time of a host's time. A source without an
// estimate borrows the host's other one: they share the host's clock, and
// differ by a lag that is small beside the join's window.
func (c clocks) correct(host string, s event.Source, t event.Time) event.Time {
	k, ok := c[clockKey{host, s}]
	for other := event.Agent; !ok && other > event.NoSource; other-- {
		k, ok = c[clockKey{host, other}]
	}
	return t.Add(-offsetAt(k, t))
}

// known reports whether any clock of a host was compared with the wire's.
func (c clocks) known(host string) bool {
	for s := event.NoSource; s <= event.Agent; s++ {
		if len(c[clockKey{host, s}]) > 0 {
			return true
		}
	}
	return false
}

// offsetAt returns the offset that held at t: that of the clock whose time is
// nearest, or of the shortest around t, which lies within the time of one that
// was set back later.
func offsetAt(all []Clock, t event.Time) time.Duration {
	if len(all) == 0 {
		return 0
	}
	nearest := slices.MinFunc(all, func(a, b Clock) int {
		return cmp.Or(cmp.Compare(a.span().distance(t), b.span().distance(t)), cmp.Compare(a.Last-a.First, b.Last-b.First))
	})
	if nearest.Spread > wanders {
		return nearest.around(t)
	}
	return nearest.Offset
}

const (
	// wanders is the spread from which a clock is taken to drift, so that
	// its offset is that of the pairs around an instant. Sysmon's own lag
	// spreads less.
	wanders = 2 * time.Second

	// around is how many pairs that is, of which one in three may be wrong.
	around = 9
)

// around returns the median offset of the pairs nearest in time to t.
func (c Clock) around(t event.Time) time.Duration {
	n, _ := slices.BinarySearchFunc(c.pairs, t, func(p sighting, t event.Time) int { return cmp.Compare(p.at, t) })
	from := max(0, min(n-around/2, len(c.pairs)-around))
	near := c.pairs[from:min(len(c.pairs), from+around)]
	deltas := make([]float64, len(near))
	for i, p := range near {
		deltas[i] = float64(p.delta)
	}
	return microseconds(stats.Median(deltas))
}

func (c Clock) span() span { return span{c.First, c.Last} }

// correctTimes notes the time of each connect on the wire's clock.
func (j *join) correctTimes() {
	j.times = make([]event.Time, len(j.Events.Connects))
	for i := range j.times {
		k := &j.Events.Connects[i]
		j.times[i] = j.clocks.correct(k.Host, k.Source, k.Time)
	}
}

// list returns all clocks by host and source, the one with the most agreeing
// pairs first.
func (c clocks) list() []Clock {
	var all []Clock
	for _, k := range c {
		for _, one := range k {
			one.pairs = nil // of no use outside, and not small
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b Clock) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Source, b.Source), cmp.Compare(b.Agree, a.Agree), cmp.Compare(a.Offset, b.Offset))
	})
	return all
}
