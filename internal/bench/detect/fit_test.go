package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// drawn returns rows whose labels follow the weights.
func drawn(n int, weights map[string]float64, bias float64) []row {
	d := rand.New(rand.NewPCG(7, 7))
	rows := make([]row, n)
	for i := range rows {
		r := row{deed: -1, weight: 1, parts: make(map[string]float64)}
		z := bias
		for _, name := range []string{"a", "b", "c", "d"} {
			r.parts[name] = d.NormFloat64() * 1.5
			z += weights[name] * r.parts[name]
		}
		if d.Float64() < 1/(1+math.Exp(-z)) {
			r.deed = i
		}
		rows[i] = r
	}
	return rows
}

// TestFitRecoversWeights: what made the labels is found again, and a weight
// that ought to be negative is nothing.
func TestFitRecoversWeights(t *testing.T) {
	want := map[string]float64{"a": 2, "b": 0.7, "c": 0, "d": -1}
	rows := drawn(20_000, want, -1.5)
	m := fit(rows, 1e-3)
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, m.names); diff != "" {
		t.Fatal(diff)
	}
	// Without d the others are a little smaller: its share is noise to them.
	for j, low := range []float64{1.3, 0.4, 0, 0} {
		high := []float64{2.1, 0.8, 0.06, 0}[j]
		if w := m.weights[j]; w < low || w > high {
			t.Errorf("weight of %s: %.3f, want %v to %v", m.names[j], w, low, high)
		}
	}
	if m.bias > -0.8 || m.bias < -1.7 {
		t.Errorf("bias %.3f", m.bias)
	}
	delete(want, "d")
	m = fit(drawn(20_000, want, -1.5), 1e-3)
	for j, w := range []float64{2, 0.7, 0, 0} {
		if math.Abs(m.weights[j]-w) > 0.1 {
			t.Errorf("weight of %s: %.3f, want %v", m.names[j], m.weights[j], w)
		}
	}
	if math.Abs(m.bias+1.5) > 0.1 {
		t.Errorf("bias %.3f, want -1.5", m.bias)
	}
}

func TestFitIsDeterministicAndPenalised(t *testing.T) {
	rows := drawn(500, map[string]float64{"a": 3}, 0)
	a, b := fit(rows, 1), fit(rows, 1)
	if diff := cmp.Diff(a, b, cmp.AllowUnexported(model{})); diff != "" {
		t.Error(diff)
	}
	if strict := fit(rows, 1000); strict.weights[0] > a.weights[0]/2 {
		t.Errorf("a penalty of 1000 leaves %.2f of %.2f", strict.weights[0], a.weights[0])
	}
}

// TestFitSeparable: a part that tells all attacks does not run away.
func TestFitSeparable(t *testing.T) {
	rows := []row{
		{deed: 0, weight: 1, parts: map[string]float64{"a": 1}}, {deed: -1, weight: 1, parts: map[string]float64{"a": 0}},
		{deed: 1, weight: 1, parts: map[string]float64{"a": 2}}, {deed: -1, weight: 1, parts: map[string]float64{}},
	}
	if w := fit(rows, 1).weights[0]; w <= 0 || w > 5 {
		t.Errorf("weight %v", w)
	}
}

func TestRowsAreATable(t *testing.T) {
	var b bytes.Buffer
	err := writeRows(&b, []row{
		{seed: 1, hosts: 20, deed: 2, kind: "rotation", weight: 0.25, score: 3.5, pair: pair{"p", "d.example"}, parts: map[string]float64{"volume": 1.5}},
		{seed: 1, hosts: 20, deed: -1, kind: "app", weight: 1, pair: pair{"q", "e.example"}, parts: map[string]float64{"new": 0.7}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"seed\thosts\tlabel\tkind\tdeed\tweight\tscore\tprogram\tdomain\tnew\tvolume",
		"1\t20\t1\trotation\t2\t0.25\t3.5\tp\td.example\t0\t1.5",
		"1\t20\t0\tapp\t-1\t1\t0\tq\te.example\t0.7\t0", "",
	}, "\n")
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// TestSampleStandsForAll: no deed is dropped, and the weights of what is kept
// add up to what there was, as far as one row may stand for others.
func TestSampleStandsForAll(t *testing.T) {
	var rows []row
	for i := range 5000 {
		rows = append(rows, row{deed: -1, weight: 1, score: float64(i % 97)})
	}
	rows = append(rows, row{deed: 0, weight: 1, score: -100})
	total, deeds := 0.0, 0
	for _, r := range sample(rows) {
		if r.deed >= 0 {
			deeds++
			continue
		}
		total += r.weight
	}
	if deeds != 1 || math.Abs(total-5000) > 50 {
		t.Errorf("%d deeds, and harmless rows that weigh %v", deeds, total)
	}
}
