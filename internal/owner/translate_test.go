package owner

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/event"
)

// ends are loose ends under construction. A flow and its connect have the same
// key.
type ends struct {
	Loose
	rand *rand.Rand
	next event.Key
}

func newEnds() *ends { return &ends{rand: rand.New(rand.NewPCG(1, 1))} }

const (
	natA = "192.0.2.1"
	natB = "192.0.2.2"
)

func (e *ends) flow(nat string, s float64, far Far, key event.Key) *Outside {
	e.Outside = append(e.Outside, Outside{Key: key, Client: netip.MustParseAddr(nat), Start: at(s), Far: far, Port: uint16(key)})
	return &e.Outside[len(e.Outside)-1]
}

func (e *ends) connect(host string, s float64, far Far, key event.Key) *Inside {
	e.Inside = append(e.Inside, Inside{
		Key: key, Host: host, Client: netip.MustParseAddr("10.0.0.9"), Start: at(s), Far: far, PID: 7, Port: 50_000 + uint16(key), Source: event.Sysmon,
	})
	return &e.Inside[len(e.Inside)-1]
}

// open opens a connection to the far end through the natA.
func (e *ends) open(nat, host string, s float64, far Far) (*Outside, *Inside) {
	e.next++
	return e.flow(nat, s, far, e.next), e.connect(host, s+1+1.5*e.rand.Float64(), far, e.next)
}

// live opens n connections to as many far ends, at random over an hour.
func (e *ends) live(nat, host string, n int) {
	for range n {
		e.open(nat, host, 3600*e.rand.Float64(), Far(1000+e.next))
	}
}

// joined returns the keys of the flows that have their connect, and fails the
// test where one has another's.
func joined(t *testing.T, tr Translation) []event.Key {
	t.Helper()
	var keys []event.Key
	for _, p := range tr.Pairs {
		if p.Flow != p.Connect {
			t.Errorf("flow %d has the connect %d", p.Flow, p.Connect)
		}
		keys = append(keys, p.Flow)
	}
	slices.Sort(keys)
	return keys
}

func TestWhoStandsBehindAnAddress(t *testing.T) {
	shift := func(e *ends, d time.Duration) {
		for i := range e.Inside {
			e.Inside[i].Start = e.Inside[i].Start.Add(d)
		}
	}
	for _, c := range []struct {
		name string
		make func(e *ends)
		want int // flows joined
	}{
		{"a host", func(e *ends) { e.live(natA, "a", 20) }, 20},
		{"its clock is off by hours", func(e *ends) { e.live(natA, "a", 20); shift(e, 5*time.Hour) }, 20},
		{"its clock is off by a month", func(e *ends) { e.live(natA, "a", 20); shift(e, -700*time.Hour) }, 20},
		{"a clock that is known is not off", func(e *ends) {
			e.live(natA, "a", 20)
			shift(e, 5*time.Hour)
			for i := range e.Inside {
				e.Inside[i].Timed = true
			}
		}, 0},
		{"two hosts", func(e *ends) { e.live(natA, "a", 20); e.live(natA, "b", 20) }, 40},
		{"two addresses", func(e *ends) { e.live(natA, "a", 20); e.live(natB, "b", 20) }, 40},
		{"four pairs are too few", func(e *ends) { e.live(natA, "a", 4) }, 0},
		{"two far ends are too few", func(e *ends) {
			for i := range 20 {
				e.open(natA, "a", 3600*e.rand.Float64(), Far(i%2))
			}
		}, 0},
		{"unless the ports agree", func(e *ends) {
			for i := range 20 {
				f, k := e.open(natA, "a", 3600*e.rand.Float64(), Far(i%2))
				f.Port = k.Port
			}
		}, 20},
		{"a schedule fits at every period", func(e *ends) {
			for i := range 40 {
				e.open(natA, "a", float64(300*(i/3)), Far(i%3))
			}
		}, 0},
		{"most of its connects have no flow", func(e *ends) {
			e.live(natA, "a", 20)
			for i := range 30 {
				e.connect("a", 3600*e.rand.Float64(), Far(5000+i), event.Key(900+i))
			}
		}, 0},
		{"but they were opened while nobody watched", func(e *ends) {
			e.live(natA, "a", 20)
			for i := range 30 {
				e.connect("a", 7200+3600*e.rand.Float64(), Far(5000+i), event.Key(900+i))
			}
		}, 20},
		{"strangers to popular far ends", func(e *ends) {
			for range 300 {
				e.next++
				e.flow(natA, 36_000*e.rand.Float64(), Far(e.rand.IntN(20)), e.next)
				e.next++
				e.connect("a", 36_000*e.rand.Float64(), Far(e.rand.IntN(20)), e.next)
			}
		}, 0},
		{"no endpoint", func(e *ends) { e.live(natA, "a", 20); e.Inside = nil }, 0},
		{"no wire", func(e *ends) { e.live(natA, "a", 20); e.Outside = nil }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEnds()
			c.make(e)
			tr := Translate(&e.Loose)
			if got := len(joined(t, tr)); got != c.want {
				t.Errorf("%d flows have their owner, want %d: %+v", got, c.want, tr.Seats)
			}
		})
	}
}

// TestOnlyWhatIsSureIsPaired adds to 20 connections of a host behind an address,
// with another host there, what may be mistaken.
func TestOnlyWhatIsSureIsPaired(t *testing.T) {
	const far = Far(1)
	for _, c := range []struct {
		name string
		add  func(e *ends) // keys from 100
		want []event.Key
	}{
		{"one flow, one connect", func(e *ends) {
			e.flow(natA, 100, far, 100)
			e.connect("a", 102, far, 100)
		}, []event.Key{100}},
		{"far apart", func(e *ends) {
			e.flow(natA, 100, far, 100)
			e.connect("a", 115, far, 100)
		}, nil},
		{"two flows, one connect", func(e *ends) {
			e.flow(natA, 100, far, 100)
			e.flow(natA, 101, far, 101)
			e.connect("a", 102, far, 100)
		}, nil},
		{"one flow, two connects", func(e *ends) {
			e.flow(natA, 100, far, 100)
			e.connect("a", 102, far, 100)
			e.connect("a", 102.5, far, 101)
		}, nil},
		{"two of each, of one process", func(e *ends) {
			e.flow(natA, 100, far, 100)
			e.flow(natA, 101, far, 101)
			e.connect("a", 101.7, far, 100)
			e.connect("a", 102.7, far, 101)
		}, []event.Key{100, 101}},
		{"two of each, of two processes", func(e *ends) {
			e.flow(natA, 100, far, 100)
			e.flow(natA, 101, far, 101)
			e.connect("a", 101.7, far, 100)
			e.connect("a", 102.7, far, 101).PID = 8
		}, nil},
		{"two of each, of two hosts", func(e *ends) {
			e.flow(natA, 100, far, 100)
			e.flow(natA, 101, far, 101)
			e.connect("a", 101.7, far, 100)
			e.connect("b", 102.7, far, 101)
		}, nil},
		{"the other host's a minute later", func(e *ends) {
			e.flow(natA, 100, far, 100)
			e.flow(natA, 160, far, 101)
			e.connect("a", 101.7, far, 100)
			e.connect("b", 161.7, far, 101)
		}, []event.Key{100, 101}},
		{"another flow in sight", func(e *ends) {
			e.flow(natA, 100, far, 100)
			e.flow(natA, 103, far, 101)
			e.connect("a", 101.7, far, 100)
		}, nil},
		{"a flow of another address", func(e *ends) {
			e.flow(natA, 100, far, 100)
			e.flow(natB, 101, far, 101)
			e.connect("a", 101.7, far, 100)
		}, []event.Key{100}},
		{"another far end", func(e *ends) {
			e.flow(natA, 100, far, 100)
			e.connect("a", 101.7, 2, 100)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEnds()
			e.live(natA, "a", 20)
			e.live(natA, "b", 20)
			c.add(e)
			keys := joined(t, Translate(&e.Loose))
			got := slices.DeleteFunc(keys, func(k event.Key) bool { return k < 100 })
			if diff := gocmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTranslationsThatKeepPorts: the port tells connections apart that nothing
// else does, and those whose port was changed are told by their time.
func TestTranslationsThatKeepPorts(t *testing.T) {
	e := newEnds()
	for i := range 40 {
		f, k := e.open(natA, fmt.Sprint("host", i%2), float64(i/4), 1)
		f.Port = k.Port
	}
	e.open(natA, "host0", 100, 1)
	if got := joined(t, Translate(&e.Loose)); len(got) != 41 {
		t.Errorf("%d of 41 flows have their owner: %v", len(got), got)
	}
}

// TestTheAddressChanges: a host is behind one address at a time.
func TestTheAddressChanges(t *testing.T) {
	e := newEnds()
	e.live(natA, "a", 20)
	for range 20 {
		e.open(natB, "a", 4000+3600*e.rand.Float64(), Far(1000+e.next))
	}
	tr := Translate(&e.Loose)
	if got := joined(t, tr); len(got) != 40 || len(tr.Seats) != 2 {
		t.Errorf("%d of 40 flows have their owner, with %d seats", len(got), len(tr.Seats))
	}
}

func TestSeatsSayHowSureTheyAre(t *testing.T) {
	e := newEnds()
	e.live(natA, "a", 20)
	for i := range e.Inside {
		e.Inside[i].Start = e.Inside[i].Start.Add(time.Hour)
	}
	tr := Translate(&e.Loose)
	if len(tr.Seats) != 1 {
		t.Fatalf("seats are %+v", tr.Seats)
	}
	s := tr.Seats[0]
	off := s.Clocks[len(s.Clocks)-1].Offset - time.Hour
	if s.Host != "a" || s.Outside.String() != natA || s.Inside.String() != "10.0.0.9" || s.Agree != 20 || s.Explained != 1 || s.Ports {
		t.Errorf("seat is %+v", s)
	}
	if off < time.Second || off > 2500*time.Millisecond {
		t.Errorf("beside the hour, the clock is off by %v, want Sysmon's lag", off)
	}
}

func TestTranslateDoesNotDependOnOrder(t *testing.T) {
	e := newEnds()
	for i := range 6 {
		e.live(natA, fmt.Sprint("a", i), 15)
		e.live(natB, fmt.Sprint("b", i), 15)
	}
	for range 200 {
		e.next++
		e.flow(natA, 3600*e.rand.Float64(), Far(e.rand.IntN(20)), e.next)
		e.connect("a1", 3600*e.rand.Float64(), Far(e.rand.IntN(20)), e.next)
	}
	want := Translate(&e.Loose)
	if len(want.Pairs) == 0 {
		t.Fatal("nothing was paired")
	}
	for range 5 {
		e.rand.Shuffle(len(e.Inside), func(i, j int) { e.Inside[i], e.Inside[j] = e.Inside[j], e.Inside[i] })
		e.rand.Shuffle(len(e.Outside), func(i, j int) { e.Outside[i], e.Outside[j] = e.Outside[j], e.Outside[i] })
		got := Translate(&e.Loose)
		if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(Clock{}, sighting{}), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Fatal(diff)
		}
	}
}
