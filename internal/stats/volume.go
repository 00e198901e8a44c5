package stats

import (
	"math"
	"slices"
	"time"
)

// Channels are the four ways in which the outbound bytes of an edge on a day
// can be unusual. As [Volume] returns them they are standardised, and higher
// is more; as [Tails] does, they are p-values. NaN is unknown.
type Channels struct {
	Peer   float64 // the day, against the peers
	Lagged float64 // the day, against the edge's own days of one to five weeks before
	Week   float64 // seven days together, against the same
	Drift  float64 // what has added up since the days began to be higher than the same (CUSUM)

	// Total is ln(1 + bytes) of the seven days together, whatever the edge
	// sent before. It is no channel, and [MinP4] leaves it alone: it is there
	// for those to whom little is never much.
	Total float64
}

// Peers are what the edges like this one send on a day when they send: the
// mean and the standard deviation of ln(1 + bytes). Mean is NaN when nothing
// is known of them, and SD when only that is not.
type Peers struct{ Mean, SD float64 }

const (
	lag     = 8  // days: an attack must not teach its own baseline
	history = 35 // days: how far the baseline reaches back
	week    = 7  // days

	// usualSD is the deviation of peers when theirs is unknown, in log bytes,
	// and withinShare the share of the variance that is between the days of
	// one edge rather than between edges.
	usualSD     = 1.42
	withinShare = 0.6
	// peerDays is how many days of its own the peers are worth to an edge.
	peerDays = 5
	// leastSpread and mostSpread bound how steady, and how unsteady, an edge
	// is held to be, in log bytes.
	leastSpread, mostSpread = 0.7, 3

	// most bounds what one day adds to the drift, either way: a heavy day
	// now and then is no drift.
	most = 4
	// slack is what a day may be too high without adding to the drift.
	slack = 0.5
)

// History is how far back [Volume] looks.
const History = history * 24 * time.Hour

// Volume measures the outbound bytes of one edge, one value per day in order,
// and returns the channels of each day. A day without activity is 0; a day of
// which nothing is known is NaN, as is what is negative or infinite.
//
// What is unknown is no evidence: it has no Peer and no Lagged, adds nothing
// to a Week, and leaves the Drift as it was. The baseline is of active days, so
// that an edge that rests on most days is not amazed by every other. A day at
// rest is far below it and ends most drifts; an exfiltration that rests at
// weekends as people do outgrows that.
func Volume(daily []float64, peers Peers) []Channels {
	out := make([]Channels, len(daily))
	drift := 0.0
	for day, bytes := range daily {
		b := baselineOf(daily, day, peers)
		total := math.Log1p(lastWeek(daily, day))
		c := Channels{Peer: math.NaN(), Lagged: math.NaN(), Week: b.week(total), Total: total}
		if known(bytes) {
			x := math.Log1p(bytes)
			c.Peer = (x - peers.Mean) / peers.sd()
			c.Lagged = (x - b.mean) / b.sd
			drift = drifted(drift, c.Lagged)
		}
		c.Drift = drift
		out[day] = c
	}
	return out
}

// Strongest returns the highest value of each channel.
func Strongest(days []Channels) Channels {
	unknown := math.NaN()
	s := Channels{unknown, unknown, unknown, unknown, unknown}
	for i := range days {
		s.Peer = higher(s.Peer, days[i].Peer)
		s.Lagged = higher(s.Lagged, days[i].Lagged)
		s.Week = higher(s.Week, days[i].Week)
		s.Drift = higher(s.Drift, days[i].Drift)
		s.Total = higher(s.Total, days[i].Total)
	}
	return s
}

// higher is the higher of two values that may be unknown.
func higher(a, b float64) float64 {
	if math.IsNaN(a) || b > a {
		return b
	}
	return a
}

// known reports whether a number of bytes is one.
func known(bytes float64) bool { return bytes >= 0 && !math.IsInf(bytes, 1) }

// drifted is one step of the CUSUM (Page 1954) of winsorised deviations.
func drifted(sum, z float64) float64 {
	if math.IsNaN(z) {
		return sum
	}
	return math.Max(0, sum+math.Max(-most, math.Min(z, most))-slack)
}

// lastWeek returns the bytes of the known ones of the seven days up to a day,
// NaN when none is.
func lastWeek(daily []float64, day int) float64 {
	sum, none := 0.0, true
	for _, bytes := range daily[max(0, day-week+1) : day+1] {
		if known(bytes) {
			sum, none = sum+bytes, false
		}
	}
	if none {
		return math.NaN()
	}
	return sum
}

// sd returns the deviation of the peers, in log bytes.
func (p Peers) sd() float64 {
	if p.SD > 0 && !math.IsInf(p.SD, 1) {
		return p.SD
	}
	return usualSD
}

// A baseline is what an edge is expected to send on an active day, in log
// bytes.
type baseline struct{ mean, sd float64 }

// baselineOf shrinks an edge's own lagged median and MAD to its peers. Without
// peers it is of the edge's own days, and NaN when they are few.
func baselineOf(daily []float64, day int, peers Peers) baseline {
	var buffer [history - lag + 1]float64
	own := buffer[:0]
	for _, bytes := range daily[max(0, day-history):max(0, day-lag+1)] {
		if known(bytes) && bytes > 0 {
			own = append(own, math.Log1p(bytes))
		}
	}
	within := peers.sd() * peers.sd() * withinShare
	between := peers.sd() * peers.sd() * (1 - withinShare)
	mean, variance := middle(own, within)
	n := float64(len(own))
	switch {
	case !math.IsNaN(peers.Mean):
		rest := peerDays / (n + peerDays)
		mean = (1-rest)*mean + rest*peers.Mean
		variance = (1-rest)*variance + rest*within + rest*rest*between
	case n < peerDays:
		mean = math.NaN()
	}
	return baseline{mean, math.Max(leastSpread, math.Min(math.Sqrt(variance), mostSpread))}
}

// middle returns the median and the squared scaled MAD of x, which it changes;
// of fewer than three values the given variance.
func middle(x []float64, variance float64) (float64, float64) {
	if len(x) == 0 {
		return 0, variance
	}
	slices.Sort(x)
	median := sortedQuantile(x, 0.5)
	if len(x) < 3 {
		return median, variance
	}
	for i := range x {
		x[i] = math.Abs(x[i] - median)
	}
	slices.Sort(x)
	mad := normalMAD * sortedQuantile(x, 0.5)
	return median, mad * mad
}

// week standardises ln(1 + bytes) of seven days together. Five active days are
// expected, each a little more than the median, as log-normals are.
func (b baseline) week(total float64) float64 {
	const activeDays = 5
	skew := math.Min(b.sd, 1.5)
	expected := math.Log(activeDays) + b.mean + skew*skew/2
	return (total - expected) / math.Sqrt(0.25+0.35*b.sd*b.sd)
}

// Tails are the references of the channels. They must be of the same statistic
// as what they judge: of the last day, or of the strongest of as many days.
type Tails struct{ Peer, Lagged, Week, Drift, Total Tail }

// NewTails returns the tails of the channels of reference edges.
func NewTails(reference []Channels) Tails {
	column := func(of func(*Channels) float64) Tail {
		x := make([]float64, len(reference))
		for i := range reference {
			x[i] = of(&reference[i])
		}
		return NewTail(x)
	}
	return Tails{
		Peer:   column(func(c *Channels) float64 { return c.Peer }),
		Lagged: column(func(c *Channels) float64 { return c.Lagged }),
		Week:   column(func(c *Channels) float64 { return c.Week }),
		Drift:  column(func(c *Channels) float64 { return c.Drift }),
		Total:  column(func(c *Channels) float64 { return c.Total }),
	}
}

// P returns the p-values of the channels; that of what is unknown is 1.
func (t Tails) P(c Channels) Channels {
	return Channels{t.Peer.P(c.Peer), t.Lagged.P(c.Lagged), t.Week.P(c.Week), t.Drift.P(c.Drift), t.Total.P(c.Total)}
}

// MinP4 combines the p-values of the four channels: four times the least,
// which holds however they depend on each other (Bonferroni). An unknown one
// counts as 1.
func MinP4(p Channels) float64 {
	least := 1.0
	for _, x := range [...]float64{p.Peer, p.Lagged, p.Week, p.Drift} {
		if x < least {
			least = x
		}
	}
	return math.Min(1, 4*least)
}
