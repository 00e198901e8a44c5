package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern/postern/internal/simulate/fleet"
)

func usual() options {
	return options{hosts: 12, days: 8, seeds: 1, seed: 3, mode: modeHunt, l2: 1, deeds: 6, quiet: true}
}

// TestEachModeRuns runs what the command does on a small fleet.
func TestEachModeRuns(t *testing.T) {
	daily := usual()
	daily.mode = modeDaily
	fitted := usual()
	fitted.fit, fitted.without = true, string(fleet.RareBeacon)
	fitted.features = filepath.Join(t.TempDir(), "features.tsv")
	for name, o := range map[string]options{"hunt": usual(), "daily": daily, "fit": fitted} {
		var b bytes.Buffer
		if err := o.run(t.Context(), &b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, want := range []string{"postern", "Fisher", "recall by kind", "all"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, b.String())
			}
		}
	}
	table, err := os.ReadFile(fitted.features)
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(table, []byte("\n")); lines < 300 || !bytes.Contains(table, []byte("\t1\t")) {
		t.Errorf("%d rows of features", lines)
	}
}

// TestEqualRunsGiveEqualReports: and the product is better than nothing.
func TestEqualRunsGiveEqualReports(t *testing.T) {
	o := usual()
	o.asJSON = true
	var a, b bytes.Buffer
	if err := o.run(t.Context(), &a); err != nil {
		t.Fatal(err)
	}
	if err := o.run(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if a.String() != b.String() {
		t.Error("two runs differ")
	}
	var r report
	if err := json.Unmarshal(a.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 1+len(references) || r.Results[0].Deeds != 6 || r.Results[0].Recall["20/day"] == 0 {
		t.Errorf("%+v", r)
	}
}

// TestSceneAgreesWithTheTruth: labels point at the deeds that the truth has.
func TestSceneAgreesWithTheTruth(t *testing.T) {
	o := usual()
	f, err := o.fleet(o.seed)
	if err != nil {
		t.Fatal(err)
	}
	_, end := f.Period()
	s := play(f, end)
	shown := make(map[int]bool)
	for i := range s.edges {
		v := viewOf(&s.edges[i])
		l, ok := s.labels[edgeKey{v.host, v.program, v.domain}]
		if !ok {
			t.Fatalf("no label for %+v", v)
		}
		for _, d := range l.deeds {
			shown[d] = true
		}
	}
	for i, d := range s.truth.Deeds {
		if d.Sessions > 0 && !shown[i] {
			t.Errorf("no edge shows %s of %v", d.Kind, d.Hosts)
		}
	}
	if len(s.labels) != len(s.edges) {
		t.Errorf("%d labels for %d edges", len(s.labels), len(s.edges))
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*options){
		"mode":     func(o *options) { o.mode = "weekly" },
		"without":  func(o *options) { o.without = "none-such" },
		"features": func(o *options) { o.mode, o.features = modeDaily, "x" },
		"seeds":    func(o *options) { o.seeds = 0 },
		"days":     func(o *options) { o.days = 99 },
	} {
		o := usual()
		change(&o)
		if err := o.run(t.Context(), &bytes.Buffer{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
