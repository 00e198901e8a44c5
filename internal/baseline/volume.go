package baseline

import (
	"math"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/stats"
)

// material is how many bytes an edge must have sent for their course over the
// days to be looked at.
const material = 1_000_000

// A dayLog sums up ln(1 + bytes) of active days.
type dayLog struct{ n, sum, squares float64 }

func (l *dayLog) add(e *detect.Edge) {
	for i := range e.Daily {
		if d := &e.Daily[i]; d.Sessions > d.Unknown {
			x := math.Log1p(float64(d.BytesOut))
			l.n, l.sum, l.squares = l.n+1, l.sum+x, l.squares+x*x
		}
	}
}

// without returns l less what one of its edges added.
func (l dayLog) without(e dayLog) dayLog {
	if l.n < e.n+0.5 {
		return dayLog{}
	}
	return dayLog{l.n - e.n, l.sum - e.sum, l.squares - e.squares}
}

// mean returns the mean, drawn to a prior as if that had been seen weight times.
func (l dayLog) mean(prior, weight float64) float64 {
	switch {
	case math.IsNaN(prior) && l.n == 0:
		return prior
	case math.IsNaN(prior):
		return l.sum / l.n
	}
	return (l.sum + weight*prior) / (l.n + weight)
}

// sd returns the standard deviation, 0 when it is not known.
func (l dayLog) sd() float64 {
	if l.n < 5 {
		return 0
	}
	mean := l.sum / l.n
	return math.Sqrt(math.Max(0, l.squares/l.n-mean*mean))
}

// peers returns what edges like e send on a day, e left out: other hosts' with
// the same program and domain, drawn to the program's, drawn to the class's.
func (f *Fleet) peers(e *detect.Edge) stats.Peers {
	var own dayLog
	own.add(e)
	p := f.programs[e.Program]
	if p == nil {
		return stats.Peers{Mean: math.NaN()}
	}
	class := f.classes[p.class].daily.without(own)
	programs := p.daily.without(own)
	mean := programs.mean(class.mean(math.NaN(), 0), 5)
	if c := f.pairs[pair{e.Program, false, e.Domain}]; c != nil {
		mean = c.daily.without(own).mean(mean, 3)
	}
	sd := class.sd()
	if s := programs.sd(); s > 0 {
		sd = math.Sqrt((programs.n*s*s + 5*sd*sd) / (programs.n + 5))
	}
	return stats.Peers{Mean: mean, SD: sd}
}

// maxDays bounds how many days of an edge are looked at, the last.
const maxDays = 92

// series returns what an edge sent on each day from the first of the evidence to
// the last: NaN on days of which nothing is known.
func (f *Fleet) series(e *detect.Edge) []float64 {
	const day = event.Time(24 * 3600 * 1_000_000)
	first, last := int32(f.First/day), int32(f.Last/day)
	first = max(first, last-maxDays+1)
	daily := make([]float64, max(0, last-first+1))
	for i := range e.Daily {
		d := &e.Daily[i]
		n := int(d.Date - first)
		switch {
		case n < 0 || n >= len(daily):
		case d.Sessions > 0 && d.Unknown == d.Sessions:
			daily[n] = math.NaN()
		default:
			daily[n] = float64(d.BytesOut)
		}
	}
	return daily
}

// course returns the strongest of each channel over an edge's days.
func (f *Fleet) course(e *detect.Edge) stats.Channels {
	return stats.Strongest(stats.Volume(f.series(e), f.peers(e)))
}

// settleVolume learns, for each class, how the volume of its edges that sent
// much runs over the days.
func (f *Fleet) settleVolume() {
	reference := make(map[program.Class][]stats.Channels)
	for i := range f.edges {
		if e := &f.edges[i]; f.counted[i]&inClass != 0 && e.BytesOut >= material {
			class := f.programs[e.Program].class
			reference[class] = append(reference[class], f.course(e))
		}
	}
	for class, channels := range reference {
		f.classes[class].tails = stats.NewTails(channels)
	}
}

// A Course is how unusual an edge's volume is over the days: chances that an
// edge of its class which sent much is as unusual.
type Course struct {
	stats.Channels         // each channel's
	P              float64 // all together
}

// Course returns how unusual the course of an edge's volume is, and false where
// it sent too little for that.
func (a About) Course() (Course, bool) {
	if a.edge.BytesOut < material || a.edge.Program == "" {
		return Course{}, false
	}
	of := a.fleet.course(a.edge)
	c := a.class.tails.P(of)
	if a.bundles != nil {
		c = a.bundles.class.courses(of, c)
	}
	return Course{c, stats.MinP4(c)}, true
}
