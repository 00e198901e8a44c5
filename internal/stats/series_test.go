package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// The generators draw series of instants, in seconds. Those of aperiodic are
// without a rhythm and stand for what people and their programs do.

const day = 86400.0

// activity is the share of a person's full activity at an instant.
func activity(t float64) float64 {
	hour := math.Mod(t, day) / 3600
	share := 0.01
	switch {
	case hour >= 8 && hour < 12, hour >= 13 && hour < 18:
		share = 1
	case hour >= 12 && hour < 13:
		share = 0.4
	case hour >= 18 && hour < 23:
		share = 0.15
	}
	if int(t/day)%7 >= 5 {
		share *= 0.1
	}
	return share
}

func logNormal(r *rand.Rand, median, sigma float64) float64 {
	return median * math.Exp(sigma*r.NormFloat64())
}

// thinned is a Poisson process of a rate per second at full activity.
func thinned(r *rand.Rand, from, span, rate float64) []float64 {
	var out []float64
	for t := r.ExpFloat64() / rate; t < span; t += r.ExpFloat64() / rate {
		if r.Float64() < activity(from+t) {
			out = append(out, t)
		}
	}
	return out
}

// browsing is sittings of page views, each a fan of connections.
func browsing(r *rand.Rand, from, span float64) []float64 {
	var out []float64
	views, think := logNormal(r, 6, 0.7), logNormal(r, 20, 0.4)
	spread := 0.9 + 0.7*r.Float64()
	for _, t := range thinned(r, from, span, logNormal(r, 4, 1)*2.6/day) {
		for range 1 + int(r.ExpFloat64()*views) {
			out = append(out, t)
			for fan := 1; fan < 6 && r.Float64() < 0.4; fan++ {
				out = append(out, t+r.Float64()*float64(fan))
			}
			t += math.Min(1800, logNormal(r, think, spread))
		}
	}
	return out
}

// onOff is bursts of traffic between silences (a two-state Poisson process).
func onOff(r *rand.Rand, _, span float64) []float64 {
	var out []float64
	on, off, gap := logNormal(r, 400, 0.8), logNormal(r, 2500, 0.8), logNormal(r, 8, 0.8)
	for t := r.Float64() * off; t < span; t += r.ExpFloat64() * off {
		for end := t + r.ExpFloat64()*on; t < end; t += r.ExpFloat64() * gap {
			out = append(out, t)
		}
	}
	return out
}

// served is a Poisson process with a daily wave: many users behind one host.
func served(r *rand.Rand, _, span float64) []float64 {
	var out []float64
	rate := 17 * math.Exp(r.Float64()*math.Log(200)) / span
	phase, wave := r.Float64()*day, 0.9*r.Float64()
	for t := r.ExpFloat64() / rate; t < span; t += r.ExpFloat64() / rate {
		if r.Float64() < (1+wave*math.Sin(2*math.Pi*(t+phase)/day))/(1+wave) {
			out = append(out, t)
		}
	}
	return out
}

// heavy has Pareto intervals, as human pauses often have.
func heavy(r *rand.Rand, _, span float64) []float64 {
	var out []float64
	shape, least := 0.6+0.8*r.Float64(), 1+29*r.Float64()
	for t := least * r.Float64() * 20; t < span; t += least * math.Pow(1-r.Float64(), -1/shape) {
		out = append(out, t)
	}
	return out
}

// mail is one thinned process: things that arrive when people work.
func mail(r *rand.Rand, from, span float64) []float64 {
	return thinned(r, from, span, 1/(120+480*r.Float64()))
}

// building is runs of downloads as build tools and package managers make.
func building(r *rand.Rand, from, span float64) []float64 {
	var out []float64
	for _, t := range thinned(r, from, span, 3.0/36000*(0.5+3*r.Float64())) {
		for range 5 + r.IntN(45) {
			out = append(out, t)
			t += 1.5 * r.ExpFloat64()
		}
	}
	return out
}

// A generator draws the instants of a series that begins at an instant of
// the week and lasts a span.
type generator struct {
	name string
	draw func(r *rand.Rand, from, span float64) []float64
}

var aperiodic = []generator{
	{"browsing", browsing}, {"on-off", onOff}, {"served", served},
	{"heavy", heavy}, {"mail", mail}, {"building", building},
}

// spans are the windows that series are looked at in.
var spans = []float64{2 * 3600, 8 * 3600, day, 7 * day}

// noRhythm draws the i-th series without a rhythm.
func noRhythm(r *rand.Rand, i int) []int64 {
	span := spans[i/len(aperiodic)%len(spans)]
	from := r.Float64() * 7 * day
	if span < day { // people work in short windows, or nothing happens
		from = float64(r.IntN(5))*day + 9*3600
	}
	return micros(aperiodic[i%len(aperiodic)].draw(r, from, span))
}

// A beacon sleeps a period between contacts.
type beacon struct {
	period float64 // seconds
	jitter float64 // share of the period
	form   int     // 0 U(P(1-j), P), 1 U(P(1±j)), 2 U(P, P(1+j))
	missed float64 // share of contacts that fail
	double float64 // share of contacts made twice
}

// draw returns the instants of n contacts that succeed.
func (b beacon) draw(r *rand.Rand, n int) []int64 {
	var out []float64
	t := 0.0
	for n > 0 {
		j := r.Float64() // form 0
		switch b.form {
		case 0:
			j = -j
		case 1:
			j = 2*j - 1
		}
		t += b.period*(1+b.jitter*j) + logNormal(r, 0.1, 0.7)
		if r.Float64() < b.missed {
			continue
		}
		n--
		out = append(out, t)
		if r.Float64() < b.double {
			out = append(out, t+0.2+r.Float64())
		}
	}
	return micros(out)
}

// micros returns the instants in microseconds, sorted.
func micros(seconds []float64) []int64 {
	const epoch = 1_700_000_000_000_000
	out := make([]int64, len(seconds))
	for i, s := range seconds {
		out[i] = epoch + int64(s*1e6)
	}
	slices.Sort(out)
	return out
}
