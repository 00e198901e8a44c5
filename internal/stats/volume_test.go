package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// An edge's days in the tests: a month of history and two weeks that are
// looked at.
const (
	quietDays  = 30
	lookedDays = 14
	allDays    = quietDays + lookedDays
)

// ordinary draws the daily bytes of a benign edge around a median: rest days,
// heavy days now and then, and, of one in twenty, a change of habits.
func ordinary(r *rand.Rand, median float64) []float64 {
	daily := make([]float64, allDays)
	mean := math.Log(median) + 0.9*r.NormFloat64()
	spread := logNormal(r, 0.9, 0.3)
	shift, from := 0.0, r.IntN(allDays)
	if r.Float64() < 0.05 {
		shift = math.Log(2 + 4*r.Float64())
	}
	for day := range daily {
		used := 0.75
		if day%7 >= 5 {
			used *= 0.25
		}
		x := mean + spread*r.NormFloat64()
		if r.Float64() < 0.015 {
			x += math.Abs(2.2 + r.NormFloat64())
		}
		if day >= from {
			x += shift
		}
		if r.Float64() < used {
			daily[day] = math.Exp(x)
		}
	}
	return daily
}

// exfiltrations add to the days of an edge what an attacker takes.
var exfiltrations = []struct {
	name string
	add  func(r *rand.Rand, daily []float64)
}{
	{"burst 5 GB", func(r *rand.Rand, daily []float64) { daily[quietDays+r.IntN(lookedDays)] += 5e9 }},
	{"slow 50 MB", func(r *rand.Rand, daily []float64) { slow(r, daily, 50e6) }},
	{"slow 200 MB", func(r *rand.Rand, daily []float64) { slow(r, daily, 200e6) }},
	{"office 50 MB", func(r *rand.Rand, daily []float64) {
		before := slices.Clone(daily)
		slow(r, daily, 50e6)
		for day := range daily {
			if day%7 >= 5 {
				daily[day] = before[day]
			}
		}
	}},
	{"boiling frog", func(r *rand.Rand, daily []float64) { boil(r, daily, quietDays) }},
	{"frog 20 days on", func(r *rand.Rand, daily []float64) { boil(r, daily, 10) }},
}

// slow adds about as much on each day.
func slow(r *rand.Rand, daily []float64, bytes float64) {
	for day := quietDays + r.IntN(5); day < len(daily); day++ {
		daily[day] += logNormal(r, bytes, 0.3)
	}
}

// boil adds half a megabyte on a day, and a fifth more on each after.
func boil(r *rand.Rand, daily []float64, from int) {
	for day := from; day < len(daily); day++ {
		daily[day] += logNormal(r, 0.5e6*math.Pow(1.2, float64(day-from)), 0.2)
	}
}

// ewma is the usual detector, for comparison: the highest deviation from the
// moving mean of the edge's own history.
func ewma(daily []float64, peers Peers) float64 {
	mean, variance, high := peers.Mean, peers.SD*peers.SD, math.Inf(-1)
	for day, bytes := range daily {
		if bytes == 0 {
			continue
		}
		d := math.Log(bytes) - mean
		if day >= quietDays {
			high = math.Max(high, d/math.Sqrt(variance+0.05))
		}
		mean += 0.1 * d
		variance = 0.9*variance + 0.1*d*d
	}
	return high
}

// A volumeBench measures edges of one size by all detectors.
type volumeBench struct {
	peers Peers
	tails Tails
	limit map[string]float64 // by detector: what one in a thousand benign edges exceeds
}

var volumeDetectors = []string{"ewma", "peer", "lagged", "week", "drift", "min-p of 4"}

func (b *volumeBench) measure(daily []float64) map[string]float64 {
	s := Strongest(Volume(daily, b.peers)[quietDays:])
	return map[string]float64{
		"ewma": ewma(daily, b.peers), "peer": s.Peer, "lagged": s.Lagged, "week": s.Week, "drift": s.Drift,
		"min-p of 4": -math.Log(MinP4(b.tails.P(s))),
	}
}

func newVolumeBench(r *rand.Rand, median float64, edges int) *volumeBench {
	b := &volumeBench{peers: Peers{math.Log(median), 1.35}, limit: map[string]float64{}}
	var reference []Channels
	for range edges {
		reference = append(reference, Strongest(Volume(ordinary(r, median), b.peers)[quietDays:]))
	}
	b.tails = NewTails(reference)
	values := map[string][]float64{}
	for range edges {
		for name, v := range b.measure(ordinary(r, median)) {
			values[name] = append(values[name], v)
		}
	}
	for name, v := range values {
		b.limit[name] = Quantile(v, 0.999)
	}
	return b
}

// TestVolumeDetects measures what each channel finds of each exfiltration at a
// false positive in a thousand edges over two weeks.
func TestVolumeDetects(t *testing.T) {
	const edges, attacks = 6000, 300
	found := map[string]float64{}
	for _, size := range []struct {
		name   string
		median float64
	}{{"50 kB", 50e3}, {"5 MB", 5e6}} {
		r := rand.New(rand.NewPCG(31, 1))
		b := newVolumeBench(r, size.median, edges)
		var table strings.Builder
		for _, x := range exfiltrations {
			fmt.Fprintf(&table, "\n%-16s", x.name)
			hits := map[string]float64{}
			for range attacks {
				daily := ordinary(r, size.median)
				x.add(r, daily)
				for name, v := range b.measure(daily) {
					hits[name] += float64(count(v > b.limit[name])) / attacks
				}
			}
			for _, name := range volumeDetectors {
				fmt.Fprintf(&table, "  %s %.2f", name, hits[name])
				found[size.name+", "+x.name+", "+name] = hits[name]
			}
		}
		t.Logf("an edge of %s a day:%s", size.name, table.String())
	}
	for what, least := range map[string]float64{
		"50 kB, boiling frog, drift":         0.95, // within two weeks of its first day
		"50 kB, boiling frog, min-p of 4":    0.95,
		"50 kB, frog 20 days on, min-p of 4": 0.95,
		"50 kB, burst 5 GB, min-p of 4":      0.95,
		"50 kB, slow 50 MB, min-p of 4":      0.95,
		"50 kB, slow 200 MB, min-p of 4":     0.95,
		"50 kB, office 50 MB, min-p of 4":    0.95,
		"5 MB, burst 5 GB, min-p of 4":       0.45,
		"5 MB, slow 50 MB, min-p of 4":       0.67,
		"5 MB, slow 200 MB, min-p of 4":      0.95,
		"5 MB, frog 20 days on, min-p of 4":  0.79,
	} {
		if found[what] < least {
			t.Errorf("%s: %.2f, want %.2f", what, found[what], least)
		}
	}
	for _, what := range []string{"50 kB, boiling frog, ewma", "50 kB, frog 20 days on, ewma"} {
		if found[what] > 0.05 {
			t.Errorf("%s: %.2f: the comparison is not what it was", what, found[what])
		}
	}
}

// TestVolumeHeavyDay: one day of a thousand times the usual bytes is seen by
// the channels of the day, and is no drift.
func TestVolumeHeavyDay(t *testing.T) {
	peers := Peers{math.Log(50e3), 1.35}
	daily := make([]float64, allDays)
	for day := range daily {
		daily[day] = 50e3
	}
	daily[35] = 50e6
	days := Volume(daily, peers)
	if c := days[35]; c.Lagged < 5 || c.Peer < 5 || c.Week < 4 || c.Drift > most-slack {
		t.Errorf("on the day: %+v", c)
	}
	if c := days[allDays-1]; c.Drift != 0 || c.Lagged > 0.1 {
		t.Errorf("nine days later: %+v", c)
	}
	reference := make([]Channels, 0, 2000)
	r := rand.New(rand.NewPCG(32, 1))
	for range cap(reference) {
		reference = append(reference, Strongest(Volume(ordinary(r, 50e3), peers)[quietDays:]))
	}
	p := NewTails(reference).P(Strongest(days[quietDays:]))
	if p.Drift < 0.05 || p.Lagged > 1e-2 {
		t.Errorf("p-values %+v", p)
	}
}

// TestVolumeUnknown: what is not known is no evidence.
func TestVolumeUnknown(t *testing.T) {
	unknown := math.NaN()
	peers := Peers{math.Log(50e3), 1.35}
	for _, c := range Volume([]float64{unknown, unknown, -1, math.Inf(1), unknown}, peers) {
		if !math.IsNaN(c.Peer) || !math.IsNaN(c.Lagged) || !math.IsNaN(c.Week) || !math.IsNaN(c.Total) || c.Drift != 0 {
			t.Errorf("nothing known: %+v", c)
		}
	}
	for _, c := range Volume([]float64{1e9, 1e9, 0}, Peers{Mean: unknown}) {
		if !math.IsNaN(c.Peer) || !math.IsNaN(c.Lagged) || !math.IsNaN(c.Week) || c.Drift != 0 {
			t.Errorf("nothing to compare with: %+v", c)
		}
	}
	if p := MinP4(NewTails(nil).P(Channels{Peer: 9, Lagged: 9, Week: 9, Drift: 99})); p != 1 {
		t.Errorf("no reference: %v", p)
	}
	if p := MinP4(Channels{unknown, unknown, 1e-4, unknown, unknown}); p != 4e-4 {
		t.Errorf("one channel known: %v", p)
	}
	if got := Volume(nil, peers); len(got) != 0 {
		t.Errorf("no days: %v", got)
	}
}

// bytesADay draws the bytes of a day: rest, unknown, or anything up to a
// terabyte.
var bytesADay = rapid.OneOf(rapid.Just(0.0), rapid.Just(math.NaN()), rapid.Float64Range(0, 1e12))

// TestVolumeProperties: hiding a day raises nothing while it is evidence, and
// more bytes lower nothing while they are not history.
func TestVolumeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		daily := rapid.SliceOfN(bytesADay, 1, 60).Draw(t, "daily")
		peers := Peers{rapid.Float64Range(0, 25).Draw(t, "mean"), rapid.Float64Range(0, 3).Draw(t, "sd")}
		day := rapid.IntRange(0, len(daily)-1).Draw(t, "day")
		before := Volume(daily, peers)
		evidence := before[day:min(len(daily), day+lag)]

		hidden := slices.Clone(daily)
		hidden[day] = math.NaN()
		after := Volume(hidden, peers)[day:]
		if day > 0 && after[0].Drift > before[day-1].Drift || day == 0 && after[0].Drift != 0 {
			t.Fatalf("an unknown day drifts: %+v", after[0])
		}
		for i, c := range evidence {
			if after[i].Peer > c.Peer || after[i].Lagged > c.Lagged || after[i].Week > c.Week || after[i].Total > c.Total {
				t.Fatalf("day %d hidden: day %d was %+v, is %+v", day, day+i, c, after[i])
			}
		}

		if !known(daily[day]) {
			return
		}
		raised := slices.Clone(daily)
		raised[day] += rapid.Float64Range(0, 1e12).Draw(t, "more")
		for i, c := range Volume(raised, peers)[day:min(len(daily), day+lag)] {
			b := evidence[i]
			if c.Peer < b.Peer || c.Lagged < b.Lagged || c.Week < b.Week || c.Drift < b.Drift || c.Total < b.Total {
				t.Fatalf("more on day %d: day %d was %+v, is %+v", day, day+i, b, c)
			}
		}
	})
}

func TestBetaRatio(t *testing.T) {
	for _, c := range []struct{ p, weight, a, want float64 }{
		{1, 0.6, 0.15, math.Log(0.66)},
		{1e-4, 0.6, 0.15, math.Log(0.6 + 0.06*math.Pow(1e-4, -0.85))},
		{1, 1, 0.5, 0},
		{2, 0.6, 0.15, math.Log(0.66)},
		{math.NaN(), 0.6, 0.15, 0},
	} {
		if got := BetaRatio(c.p, c.weight, c.a); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("BetaRatio(%v, %v, %v) = %v, want %v", c.p, c.weight, c.a, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p, q := rapid.Float64Range(0, 1).Draw(t, "p"), rapid.Float64Range(0, 1).Draw(t, "q")
		weight, a := rapid.Float64Range(0.01, 1).Draw(t, "weight"), rapid.Float64Range(0.01, 0.99).Draw(t, "a")
		high, low := BetaRatio(min(p, q), weight, a), BetaRatio(max(p, q), weight, a)
		if high < low || low < math.Log(weight) || math.IsInf(high, 0) {
			t.Fatalf("%v at %v, %v at %v", high, min(p, q), low, max(p, q))
		}
	})
}

func BenchmarkVolume(b *testing.B) {
	daily := ordinary(rand.New(rand.NewPCG(1, 1)), 50e3)
	b.ReportAllocs()
	for b.Loop() {
		Volume(daily, Peers{math.Log(50e3), 1.35})
	}
}
