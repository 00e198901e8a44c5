package main

import (
	"runtime"
	"sync"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/fleet"
)

// A scene is a fleet as the product measures it, with what is behind each
// edge.
type scene struct {
	config fleet.Config
	truth  *fleet.Truth
	edges  []edge
	labels map[edgeKey]label // of what is not plain: see label
}

// An edgeKey identifies an edge of a fleet.
type edgeKey struct{ host, program, domain string }

// A label is what is behind an edge.
type label struct {
	origin fleet.Origin // of most of its sessions
	deeds  []int        // the attacks that it shows, by number
}

// play makes the fleet up to an instant and measures it.
func play(f *fleet.Fleet, until event.Time) *scene {
	s := &scene{config: f.Config, truth: f.Plan(), labels: make(map[edgeKey]label)}
	parts := make([]*hostScene, f.Hosts)
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				parts[i] = playHost(f, i, until, s.truth)
			}
		})
	}
	for i := range f.Hosts {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, p := range parts {
		s.edges = append(s.edges, p.edges...)
		for k, l := range p.labels {
			s.labels[k] = l
		}
		for _, n := range p.notes {
			s.truth.Deeds[n.deed].Note(n.start, n.bytes)
		}
	}
	return s
}

// A hostScene is one host of a scene.
type hostScene struct {
	edges  []edge
	labels map[edgeKey]label
	notes  []note
}

// A note is a session of a deed.
type note struct {
	deed  int
	start event.Time
	bytes event.Count
}

// A tally counts the sessions of an edge by what made them.
type tally struct {
	all     int
	origins map[fleet.Origin]int
	deeds   map[int]int
}

func playHost(f *fleet.Fleet, i int, until event.Time, plan *fleet.Truth) *hostScene {
	h := f.Host(i)
	sessions := h.Sessions()
	out := &hostScene{labels: make(map[edgeKey]label)}
	tallies := make(map[edgeKey]*tally)
	n := 0
	for ; n < len(sessions) && sessions[n].Start < until; n++ {
		s, c := &sessions[n], &h.Contacts[n]
		cutOff(s, until)
		k := edgeKey{s.Whose(), s.Program, s.Domain}
		t := tallies[k]
		if t == nil {
			t = &tally{origins: make(map[fleet.Origin]int)}
			tallies[k] = t
		}
		t.all++
		t.origins[c.Origin]++
		if c.Origin == fleet.Attack {
			out.notes = append(out.notes, note{c.Deed, s.Start, s.BytesOut})
			if t.deeds == nil {
				t.deeds = make(map[int]int)
			}
			t.deeds[c.Deed]++
		}
	}
	out.edges = measure(sessions[:n])
	for k, t := range tallies {
		out.labels[k] = t.label(k, plan)
	}
	return out
}

// cutOff makes a session what is known of it at an instant: a sensor reports a
// connection that is open then with what it carried so far.
func cutOff(s *event.Session, until event.Time) {
	rest := event.Count(until.Sub(s.Start) / time.Microsecond)
	if !s.Duration.Known() || s.Duration <= rest {
		return
	}
	part := float64(rest) / float64(s.Duration)
	s.Duration, s.Open = rest, true
	for _, n := range []*event.Count{&s.BytesOut, &s.BytesIn} {
		if n.Known() {
			*n = event.Count(float64(*n) * part)
		}
	}
}

// label says what is behind an edge. It shows a deed when the deed's program
// is known to make it, or else when half of it is the deed's: a stray session
// that lost its owner among thousands shows nothing.
func (t *tally) label(k edgeKey, plan *fleet.Truth) label {
	var l label
	most := 0
	for _, o := range fleet.Origins() {
		if n := t.origins[o]; n > most {
			l.origin, most = o, n
		}
	}
	for number := range plan.Deeds {
		if n := t.deeds[number]; n > 0 && (k.program == plan.Deeds[number].Program || 2*n >= t.all) {
			l.deeds = append(l.deeds, number)
		}
	}
	return l
}
