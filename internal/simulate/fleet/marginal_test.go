package fleet_test

import (
	"testing"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/fleet"
)

// TestMarginalsAreThoseOfAFleet holds what is harmless to what is known of
// real fleets in kind: the bounds are wide.
func TestMarginalsAreThoseOfAFleet(t *testing.T) {
	f := newFleet(t, fleet.Config{Seed: 11, Hosts: 120, Days: 14, Deeds: -1})
	type pair struct{ program, domain string }
	hostsOf := make(map[string]map[string]bool)
	origins := make(map[fleet.Origin]int)
	edges := make(map[pair]map[string]bool)
	var sessions, owned, exact, unknown, weekend, night, browser, fresh int
	for h := range f.Each() {
		for i, s := range h.Sessions() {
			c := &h.Contacts[i]
			sessions++
			origins[c.Origin]++
			if s.Rung.Owned() {
				owned++
			}
			if s.Rung == event.RungExact {
				exact++
			}
			if !s.BytesOut.Known() {
				unknown++
			}
			if s.BytesOut == 0 || s.Start != c.Start || s.Name == "" || s.Domain == "" {
				t.Fatalf("session %+v", s)
			}
			put(hostsOf, c.Process.Key, h.Name)
			p := pair{c.Process.Key, c.To.Domain}
			if edges[p] == nil {
				edges[p] = make(map[string]bool)
			}
			edges[p][h.Name] = true
			if c.Origin == fleet.Browsing || c.Origin == fleet.FreshSite {
				browser++
				at := s.Start.Std()
				if wd := at.Weekday(); wd == time.Saturday || wd == time.Sunday {
					weekend++
				}
				if hour := at.Hour(); hour < 5 {
					night++
				}
				if c.Origin == fleet.FreshSite {
					fresh++
				}
			}
		}
	}
	share := func(n, of int) float64 { return float64(n) / float64(of) }
	within := func(what string, x, low, high float64) {
		t.Helper()
		if x < low || x > high {
			t.Errorf("%s: %.4f, want %v to %v", what, x, low, high)
		}
	}
	within("sessions of a host and day", share(sessions, 120*14), 100, 1500)
	within("owned", share(owned, sessions), 0.95, 0.995)
	within("exact", share(exact, sessions), 0.9, 0.98)
	within("unknown bytes", share(unknown, sessions), 0.005, 0.05)
	within("browsing at weekends", share(weekend, browser), 0.005, 0.1)
	within("browsing at night", share(night, browser), 0, 0.08)
	within("browsing of fresh domains", share(fresh, browser), 0.005, 0.03)
	alone := 0
	for _, h := range hostsOf {
		if len(h) == 1 {
			alone++
		}
	}
	within("programs on one host only", share(alone, len(hostsOf)), 0.05, 0.6)
	rare := 0
	for _, h := range edges {
		if len(h) == 1 {
			rare++
		}
	}
	within("pairs of one host only", share(rare, len(edges)), 0.3, 0.95)
	for _, o := range fleet.Origins() {
		if o != fleet.Attack && o != fleet.Upload && origins[o] == 0 {
			t.Errorf("nothing comes of %s", o)
		}
	}
	if origins[fleet.Attack] != 0 {
		t.Errorf("%d attacks in a fleet without", origins[fleet.Attack])
	}
	t.Log(sessions, len(hostsOf), len(edges), origins)
}

func put(m map[string]map[string]bool, k, v string) {
	if m[k] == nil {
		m[k] = make(map[string]bool)
	}
	m[k][v] = true
}

// TestShiftedWorldIsShifted: more new tools, more LOLBins.
func TestShiftedWorldIsShifted(t *testing.T) {
	count := func(shifted bool) (tools, lolbins int) {
		tools = newFleet(t, fleet.Config{Seed: 9, Hosts: 1000, Deeds: -1, Shifted: shifted}).NewTools()
		for h := range newFleet(t, fleet.Config{Seed: 9, Hosts: 60, Days: 10, Deeds: -1, Shifted: shifted}).Each() {
			for i := range h.Contacts {
				if o := h.Contacts[i].Origin; o == fleet.LOLBin || o == fleet.LOLBinFresh {
					lolbins++
				}
			}
		}
		return tools, lolbins
	}
	tools, lolbins := count(false)
	moreTools, moreLOLBins := count(true)
	if moreTools < 2*tools || moreLOLBins < 2*lolbins {
		t.Errorf("%d new tools and %d contacts of LOLBins, shifted %d and %d", tools, lolbins, moreTools, moreLOLBins)
	}
}

// TestRollOutIsOneDay: it reaches a quarter of the hosts, most within a day of
// work.
func TestRollOutIsOneDay(t *testing.T) {
	f := newFleet(t, fleet.Config{Seed: 1, Hosts: 80, Deeds: -1})
	hosts := 0
	for h := range f.Each() {
		for i := range h.Contacts {
			if h.Contacts[i].Origin == fleet.RollOut {
				hosts++
				break
			}
		}
	}
	if hosts < 15 || hosts > 20 {
		t.Errorf("the roll-out reaches %d of 80 hosts", hosts)
	}
}
