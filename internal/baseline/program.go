package baseline

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/stats"
)

// A Measure is a quantity of edges whose spread a baseline keeps.
type Measure uint8

// The measures.
const (
	Hours     Measure = iota // active
	OffHours                 // active, outside the time window
	Connected                // seconds, of all sessions together
	BytesOut                 // of edges of which any is known
	Burst                    // bytes, within the transfer window
	measures
)

// values returns what an edge has of each measure, -1 for what is unknown.
func values(e *detect.Edge) [measures]int64 {
	v := [measures]int64{
		Hours: int64(e.Hours), OffHours: int64(e.OffHours), Connected: int64(e.Connected.Seconds()),
		BytesOut: e.BytesOut, Burst: e.Burst.BytesOut,
	}
	if e.UnknownBytes == e.Sessions {
		v[BytesOut], v[Burst] = -1, -1
	}
	return v
}

// A profile is what is known of one program over the fleet.
type profile struct {
	class program.Class
	quota quota // of edges
	timed quota // of those that the timing test could look at
	hosts hostCount
	first event.Time // session

	edges  int64
	spread [measures][]int64 // of the edges, ascending once settled

	daily    dayLog
	tested   int64 // edges that the timing test could look at
	periodic int64 // those of them that are periodic

	linked [ranks]int64 // links (a host and a domain) by how many other hosts have it
}

func newProfile(c program.Class) *profile { return &profile{class: c} }

// meet takes in that a host has the program.
func (p *profile) meet(e *detect.Edge, attributes []Attribute) {
	if p.first == event.Never || e.First < p.first {
		p.first = e.First
	}
	p.hosts.add(e.Host, attributes)
}

// note takes in that there is an edge.
func (p *profile) note(e *detect.Edge) {
	p.quota.more(e.Host)
	if timed(e) {
		p.timed.more(e.Host)
	}
}

// add takes in an edge.
func (p *profile) add(e *detect.Edge, link rank) {
	p.edges++
	p.linked[link]++
	p.daily.add(e)
	for m, v := range values(e) {
		if v >= 0 {
			p.spread[m] = append(p.spread[m], v)
		}
	}
}

// time takes in the timing of an edge.
func (p *profile) time(e *detect.Edge) {
	p.tested++
	if e.Timing.P < periodic {
		p.periodic++
	}
}

func (p *profile) settle() {
	for m := range p.spread {
		slices.Sort(p.spread[m])
	}
}

// atLeast returns how many of sorted values are that high.
func atLeast(sorted []int64, v int64) int64 {
	n, _ := slices.BinarySearchFunc(sorted, v, cmp.Compare[int64])
	return int64(len(sorted) - n)
}

// atLeastBin returns how many of sorted values a histogram has in the bin of a
// value or above.
func atLeastBin(sorted []int64, v int64) int64 {
	bin := binOf(v)
	n, _ := slices.BinarySearchFunc(sorted, bin, func(x int64, bin int) int { return cmp.Compare(binOf(x), bin) })
	return int64(len(sorted) - n)
}

// A rank says how many other hosts have a program go to a domain.
type rank uint8

const (
	none rank = iota
	few       // one or two
	more
	ranks
)

func rankOf(others int64) rank {
	switch {
	case others <= 0:
		return none
	case others <= 2:
		return few
	}
	return more
}

// A bucket says on how many other hosts a program is.
type bucket uint8

const buckets = 5

// bucketOf returns the bucket of a number of other hosts, of a fleet of n.
func bucketOf(others float64, n int64) bucket {
	switch {
	case others < 0.5:
		return 0
	case others < 2.5:
		return 1
	case others <= max(4, 0.01*float64(n)):
		return 2
	case others <= max(5, 0.1*float64(n)):
		return 3
	}
	return 4
}

// A reach says how many other hosts go to a domain, by any program.
type reach uint8

const reaches = 4

func reachOf(others int64) reach {
	switch {
	case others <= 0:
		return 0
	case others < 5:
		return 1
	case others < 50:
		return 2
	}
	return 3
}

// A tally counts the edges of a class, or of one host's program.
type tally struct {
	edges    int64
	cells    [buckets]int64        // by how common their program is
	young    [buckets]int64        // those of them that are new on their host
	linked   [ranks]int64          // by how many other hosts have the link
	reached  [ranks][reaches]int64 // and by how common the domain is
	tested   int64                 // that the timing test could look at
	periodic int64
}

func (t *tally) add(b bucket, k rank, r reach, young bool) {
	t.edges++
	t.cells[b]++
	if young {
		t.young[b]++
	}
	t.linked[k]++
	t.reached[k][r]++
}

// time takes in the timing of an edge.
func (t *tally) time(e *detect.Edge) {
	t.tested++
	if e.Timing.P < periodic {
		t.periodic++
	}
}

// A class is what is known of the edges of one class of programs.
type class struct {
	tally
	quota  quota               // of edges
	timed  quota               // of those that the timing test could look at
	spread [measures]histogram // of the edges, once settled those of a bin or above
	daily  dayLog
	tails  stats.Tails // of the volume of edges that sent much
}

func (c *class) spreadOf(e *detect.Edge) {
	c.daily.add(e)
	for m, v := range values(e) {
		if v >= 0 {
			c.spread[m][binOf(v)]++
		}
	}
}

func (c *class) settle() {
	for m := range c.spread {
		h := &c.spread[m]
		for i := len(h) - 2; i >= 0; i-- {
			h[i] += h[i+1]
		}
	}
}

// atLeast returns how many edges have that much of a measure, to within an
// eighth of a doubling, and of how many it is known.
func (c *class) atLeast(m Measure, v int64) (n, of int64) {
	return c.spread[m][binOf(v)], c.spread[m][0]
}

// binOf returns the bin of a value that is not negative.
func binOf(v int64) int {
	if v < 8 {
		return int(max(0, v))
	}
	octave := bits.Len64(uint64(v)) - 1
	eighth := int(v>>(octave-3)) & 7
	return 8*(octave-2) + eighth
}

// A histogram counts values by the eighth of a doubling: it is for classes,
// where there are too many values to keep.
type histogram [8 * 64]int64
