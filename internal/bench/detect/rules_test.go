package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/fleet"
)

// threeEdges are of two hosts that share a program and a domain, and of one
// that has another by an unknown program.
func threeEdges() []edge {
	return []edge{
		{Host: "a", Program: "p", Domain: "x", Sessions: 2, Hours: 3, BytesOut: 10},
		{Host: "b", Program: "p", Domain: "x", Sessions: 3, Hours: 9, BytesOut: 900},
		{Host: "b", Program: "", Domain: "x", Sessions: 1},
		{Host: "b", Program: "p", Domain: "y", Sessions: 5, Hours: 1, BytesOut: 4},
	}
}

func TestCommonness(t *testing.T) {
	c := newCommonness(threeEdges())
	if diff := cmp.Diff(map[string]float64{"": 1, "p": 2}, c.programs); diff != "" {
		t.Errorf("programs: %s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"x": 2, "y": 1}, c.domains); diff != "" {
		t.Errorf("domains: %s", diff)
	}
	if got := c.pairs[pair{"p", "x"}]; got != 2 {
		t.Errorf("a pair of %v hosts, want 2", got)
	}
}

// TestRulesLookAtTheirAxis: a regular edge to a rare domain is above an
// irregular one to a common domain under every rule, and each rule ignores
// what is not its own.
func TestRulesLookAtTheirAxis(t *testing.T) {
	c := newCommonness(threeEdges())
	regular := view{host: "b", program: "p", domain: "y", timing: 1e-6, tested: true, hours: 3, bytes: 10}
	plain := regular
	plain.timing, plain.domain = 0.5, "x"
	for name, r := range map[string]rule{"rita": rita, "rarity": rarity, "behaviour": behaviour, "fisher": fisher} {
		if r(c, regular) <= r(c, plain) {
			t.Errorf("%s: %v for the regular, %v for the plain", name, r(c, regular), r(c, plain))
		}
	}
	untested := regular
	untested.tested = false
	if rarity(c, regular) != rarity(c, untested) || behaviour(c, regular) <= behaviour(c, untested) {
		t.Error("rarity looks at the rhythm, or behaviour does not")
	}
	rare := plain
	rare.domain = "y"
	if behaviour(c, rare) != behaviour(c, plain) {
		t.Error("behaviour looks at the domain")
	}
	long := plain
	long.longest = 13 * time.Hour
	if rita(c, long) < rita(c, plain)+0.5 {
		t.Error("rita does not look at long connections")
	}
}

// TestCutOffKnowsNothingOfTheFuture: what a connection carries after the
// instant is not told at it.
func TestCutOffKnowsNothingOfTheFuture(t *testing.T) {
	start := event.At(fleet.Epoch)
	s := event.Session{Start: start, Duration: event.Count(10 * time.Hour / time.Microsecond), BytesOut: 1000, BytesIn: event.Unknown}
	ended := s
	cutOff(&ended, start.Add(11*time.Hour))
	if ended != s {
		t.Errorf("a session that had ended became %+v", ended)
	}
	cutOff(&s, start.Add(4*time.Hour))
	if s.BytesOut != 400 || s.BytesIn != event.Unknown || s.Duration != event.Count(4*time.Hour/time.Microsecond) || !s.Open {
		t.Errorf("%+v", s)
	}
}
