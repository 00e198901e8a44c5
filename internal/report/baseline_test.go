package report

import (
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/internal/finding"
)

// TestBaselineTextIsSafe: names come from logs, and from whoever asks.
func TestBaselineTextIsSafe(t *testing.T) {
	const evil = "a\x1b[2Jb\nc\u202ed"
	at := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	program := finding.BaselineProgram{
		Program: evil, Class: "app", FirstSeen: at, Groups: []finding.Group{{Attribute: evil}},
		Spreads: []finding.Spread{{Measure: "bytes_out", Unit: "bytes"}},
		Hosted:  []finding.BaselinePart{{Program: evil, FirstSeen: at}, {Program: evil + " [svc:" + evil + "]", FirstSeen: at}},
	}
	for name, b := range map[string]*finding.Baseline{
		"nothing": {Name: evil, Similar: []string{evil}},
		"all": {
			Name: evil, Fleet: finding.BaselineFleet{First: &at, Last: &at},
			Programs: []finding.BaselineProgram{program},
			Hosts:    []finding.BaselineHost{{Host: evil, Attributes: []string{evil}, Programs: []finding.HostProgram{{Program: evil}}}},
			Destinations: []finding.BaselineDestination{{
				Domain: evil, Services: []finding.BaselineService{{Service: evil}}, Programs: []finding.DestinationProgram{{Program: evil}},
			}},
		},
		"several": {Name: evil, Programs: []finding.BaselineProgram{program, program}},
	} {
		var out strings.Builder
		if err := BaselineText(&out, b, Options{}); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\x1b\u202e") || strings.Contains(out.String(), "b\nc") {
			t.Errorf("%s: a name is written raw: %q", name, out.String())
		}
		if !strings.Contains(out.String(), `a\x1b[2Jb\x0ac`) {
			t.Errorf("%s: the name is not there: %q", name, out.String())
		}
	}
}
