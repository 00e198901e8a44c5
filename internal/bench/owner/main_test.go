package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/postern/postern/internal/owner/ownertest"
)

func tiny() ownertest.Config {
	c := ownertest.Defaults()
	c.Hosts, c.GroupSize, c.Connections = 16, 2, 50
	return c
}

func TestScenarios(t *testing.T) {
	var text, doc strings.Builder
	if err := scenarios(&text, tiny(), "", false); err != nil {
		t.Fatal(err)
	}
	for _, s := range ownertest.Scenarios() {
		if !strings.Contains(text.String(), " "+s.Name+" ") {
			t.Errorf("no row of %q", s.Name)
		}
	}
	if err := scenarios(&doc, tiny(), "nat", true); err != nil {
		t.Fatal(err)
	}
	var tables []struct{ Hidden string }
	if err := json.Unmarshal([]byte(doc.String()), &tables); err != nil || len(tables) != 1 || tables[0].Hidden != "nat" {
		t.Errorf("%v: %s", err, doc.String())
	}
	if err := scenarios(&doc, tiny(), "absent", false); err == nil {
		t.Error("a scenario that does not exist is no error")
	}
}

func TestSoak(t *testing.T) {
	var doc strings.Builder
	if err := soak(&doc, tiny(), 1600, true); err != nil {
		t.Fatal(err)
	}
	var s struct {
		Events int64
		Plain  struct{ Recall float64 }
		NAT    struct{ Flows int64 }
		Rate   float64 `json:"events_per_second_joining"`
		Peak   int64   `json:"peak_bytes"`
	}
	if err := json.Unmarshal([]byte(doc.String()), &s); err != nil {
		t.Fatal(err)
	}
	if s.Events == 0 || s.Plain.Recall < 0.9 || s.NAT.Flows == 0 || s.Rate <= 0 || s.Peak <= 0 {
		t.Errorf("soak says %+v", s)
	}
}
