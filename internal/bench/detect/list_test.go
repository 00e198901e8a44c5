package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/simulate/fleet"
)

// byHand is a list of six places over three deeds, of which the last has no
// place and another no session.
func byHand() list {
	return list{
		marks: []mark{
			{fleet.App, nil},
			{fleet.Attack, []int{1}},
			{fleet.Niche, nil},
			{fleet.Attack, []int{1, 0}},
			{fleet.App, nil},
			{fleet.Attack, []int{0}},
		},
		deeds: []fleet.Kind{fleet.RareBeacon, fleet.Rotation, fleet.WeakBeacon, ""},
	}
}

func TestMetricsByHand(t *testing.T) {
	l := byHand()
	if diff := cmp.Diff([]int{4, 2, 0, 0}, l.ranks()); diff != "" {
		t.Errorf("ranks: %s", diff)
	}
	for k, want := range map[int]float64{1: 0, 2: 0.5, 4: 0.5, 5: 0.4, 6: 0.5, 100: 0.5} {
		if got := l.precision(k); got != want {
			t.Errorf("precision at %d: %v, want %v", k, got, want)
		}
	}
	if diff := cmp.Diff(map[fleet.Origin]int{fleet.App: 2, fleet.Niche: 1}, l.fill(5)); diff != "" {
		t.Errorf("what fills the first 5: %s", diff)
	}
	ranks := []int{4, 2, 0}
	for k, want := range map[int]float64{1: 0, 2: 1.0 / 3, 3: 1.0 / 3, 4: 2.0 / 3, 1000: 2.0 / 3} {
		if got := recall(ranks, k); got != want {
			t.Errorf("recall at %d: %v, want %v", k, got, want)
		}
	}
	for _, c := range []struct {
		ranks []int
		want  int
	}{{nil, 0}, {[]int{7}, 7}, {[]int{4, 2, 0}, 4}, {[]int{0, 0, 3}, 0}, {[]int{9, 1}, 1}} {
		if got := median(c.ranks); got != c.want {
			t.Errorf("median of %v: %d, want %d", c.ranks, got, c.want)
		}
	}
}

func TestJudgeSumsUpLists(t *testing.T) {
	r := judge("a rule", 2, []list{byHand(), {marks: []mark{{fleet.App, nil}}, deeds: []fleet.Kind{fleet.RareBeacon}}})
	want := []kindResult{
		{Kind: fleet.RareBeacon, Deeds: 2}, {Kind: fleet.Rotation, Deeds: 1}, {Kind: fleet.WeakBeacon, Deeds: 1},
	}
	if diff := cmp.Diff(want, r.Kinds, cmpopts.IgnoreFields(kindResult{}, "Recall", "Median")); diff != "" {
		t.Errorf("kinds: %s", diff)
	}
	if r.Deeds != 4 || r.Recall["10"] != 0.5 || r.Recall["5/day"] != 0.5 {
		t.Errorf("%d deeds, recall %v", r.Deeds, r.Recall)
	}
	if got := r.Precision["10"]; got != 0.25 {
		t.Errorf("precision at 10: %v, want the mean of 1/2 and 0", got)
	}
	if r.Fill[fleet.App] != 1.5 {
		t.Errorf("fill: %v", r.Fill)
	}
}

// TestDiaryShowsEachClusterOnce: the budget goes to what is new.
func TestDiaryShowsEachClusterOnce(t *testing.T) {
	d := &diary{shown: make(map[pair]bool), found: make(map[int]int), byOrigin: make(map[fleet.Origin]int), budget: 2}
	clusters := []cluster{{program: "a", domain: "x"}, {program: "b", domain: "x"}, {program: "c", domain: "x"}}
	l := list{marks: []mark{{fleet.App, nil}, {fleet.Attack, []int{3}}, {fleet.Attack, []int{3, 5}}}}
	d.day = 8
	d.write(clusters, l)
	if diff := cmp.Diff(map[int]int{3: 8}, d.found); diff != "" {
		t.Errorf("on the first day: %s", diff)
	}
	d.day = 9
	d.write(clusters, l)
	d.day = 10
	d.write(clusters, l)
	if diff := cmp.Diff(map[int]int{3: 8, 5: 9}, d.found); diff != "" {
		t.Errorf("at the end: %s", diff)
	}
	if d.places != 3 || d.right != 2 || d.byOrigin[fleet.App] != 1 {
		t.Errorf("%d places, %d right, %v", d.places, d.right, d.byOrigin)
	}
}

// TestEdgeShowsADeedOnlyWhenItIsOne: a session that lost its owner does not
// make an attack of all that lost theirs.
func TestEdgeShowsADeedOnlyWhenItIsOne(t *testing.T) {
	plan := &fleet.Truth{Deeds: []fleet.Deed{{Kind: fleet.RareBeacon, Program: "p"}}}
	for _, c := range []struct {
		name    string
		program string
		all, of int
		want    int
	}{
		{"its program", "p", 100, 1, 1},
		{"no owner, mostly its", "", 10, 5, 1},
		{"no owner, mostly others", "", 10, 4, 0},
		{"none", "p", 10, 0, 0},
	} {
		ta := tally{all: c.all, origins: map[fleet.Origin]int{fleet.App: c.all - c.of, fleet.Attack: c.of}, deeds: map[int]int{0: c.of}}
		if got := len(ta.label(edgeKey{program: c.program}, plan).deeds); got != c.want {
			t.Errorf("%s: %d deeds, want %d", c.name, got, c.want)
		}
	}
}

func TestStepped(t *testing.T) {
	for x, want := range map[float64]float64{0: 0, 1: 0, 1.5: 0.25, 2: 0.4 - 0.1, 3: 0.4, 99: 0.4} {
		if got := stepped(x, 1, 3); math.Abs(got-want) > 1e-9 {
			t.Errorf("stepped(%v): %v, want %v", x, got, want)
		}
	}
}

// TestMarkOfSeveralDomains: a cluster of several domains shows what at least half
// of them show.
func TestMarkOfSeveralDomains(t *testing.T) {
	s := &scene{truth: &fleet.Truth{Deeds: make([]fleet.Deed, 2)}, labels: map[edgeKey]label{
		{"h", "p", "a"}: {fleet.Attack, []int{1}}, {"h", "p", "b"}: {fleet.Attack, []int{1, 0}},
		{"h", "p", "c"}: {fleet.App, nil}, {"h", "p", "d"}: {fleet.App, nil}, {"h", "p", "e"}: {fleet.App, nil},
	}}
	for _, c := range []struct {
		members []string
		want    mark
	}{
		{[]string{"a", "b", "c"}, mark{fleet.Attack, []int{1}}},
		{[]string{"a", "b"}, mark{fleet.Attack, []int{0, 1}}},
		{[]string{"a", "b", "c", "d", "e"}, mark{fleet.App, nil}},
		{nil, mark{}},
	} {
		got := s.mark(&cluster{program: "p", host: "h", members: c.members})
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(mark{})); diff != "" {
			t.Errorf("%v: %s", c.members, diff)
		}
	}
}
