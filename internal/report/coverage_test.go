package report

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/postern/postern/internal/coverage"
	"github.com/postern/postern/internal/coverage/sysmon"
	"github.com/postern/postern/internal/finding"
)

// Names from the logs, and from a configuration, steer no terminal.
func TestCoverageTextIsInert(t *testing.T) {
	const evil = "ws\x1b[2J\u202e\r\n<script>"
	n := int64(3)
	one := 1.0
	k := coverage.Known{Sessions: 1, BytesOut: &n, Who: coverage.Answer{Sessions: 1, Share: &one}}
	d := &coverage.Document{
		Total: k,
		Sites: []coverage.Part{{Name: evil, Known: k}, {Name: "b"}}, Roles: []coverage.Part{{Name: evil, Known: k}},
		Hosts:      []coverage.Host{{Name: evil, Endpoint: "partial", Known: k, Problems: []coverage.Problem{{Kind: "log-cleared", Text: evil}}}},
		BlindSpots: []coverage.BlindSpot{{Question: "who", Cause: "x", Names: []string{evil}, Fix: "Deploy on " + evil}},
		Sources:    []coverage.Source{{Name: evil}}, Needs: []coverage.Need{{What: "x", Days: 3, Lacking: []string{evil}}},
		Translators: []finding.Translator{{Address: "10.0.0.1", Hosts: []finding.Translated{{Name: evil}}}},
		Inputs:      []finding.Input{{Path: evil, Error: evil, Status: "failed"}},
		Sysmon: &sysmon.Report{
			Schema: evil, Notes: []string{evil}, Missing: []sysmon.Missing{{Event: "DnsQuery", What: "domain", Name: evil, Seen: 3}},
			Services: []sysmon.Service{{Class: "chat", Hidden: []string{"a"}}},
			Changes:  []sysmon.Change{{Event: "DnsQuery", Action: "remove", XML: []string{evil}, Why: evil}},
		},
	}
	var b strings.Builder
	if err := CoverageText(&b, d, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf)) {
			t.Fatalf("%q reaches the terminal:\n%q", r, b.String())
		}
	}
	if got := strings.Count(b.String(), `ws\x1b[2J\u202e\x0d\x0a<script>`); got < 11 {
		t.Errorf("the name is shown %d times:\n%s", got, b.String())
	}
	b.Reset()
	if err := JSON(&b, d); err != nil || strings.Contains(b.String(), "<script>") || !json.Valid([]byte(b.String())) {
		t.Errorf("JSON: %v\n%s", err, b.String())
	}
}

// What is unknown is not shown as nothing.
func TestCoverageShowsTheUnknown(t *testing.T) {
	zero := 0.0
	d := &coverage.Document{
		Total:      coverage.Known{Sessions: 2, NoBytes: 2, HowMuch: coverage.Answer{Share: &zero}},
		BlindSpots: []coverage.BlindSpot{{Question: "how_much", Sessions: 2, NoBytes: 2, Hosts: 1}},
	}
	var b strings.Builder
	if err := CoverageText(&b, d, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"they sent unknown bytes", "who (process)     an unknown share of sessions", "how much (bytes)  0.0 % of sessions", "how much  unknown bytes in 2 sessions on 1 host"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}
