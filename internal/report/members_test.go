package report

import (
	"bytes"
	"strings"
	"testing"
)

// TestSeveralDestinations: text and CSV name the domains, and nothing of them is
// raw.
func TestSeveralDestinations(t *testing.T) {
	d := hostile()
	dest := &d.Findings[0].Destination
	dest.Name, dest.RegisteredDomain = "3 rare destinations", "3 rare destinations"
	dest.Members = []string{"a.example", "b.example\x1b[2J", "=c.example"}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"text": func(b *bytes.Buffer) error { return Text(b, d, Options{}) },
		"CSV":  func(b *bytes.Buffer) error { return CSV(b, d) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "3 rare destinations") || !strings.Contains(b.String(), "a.example") || strings.Contains(b.String(), "\x1b[2J") {
			t.Errorf("%s: %s", name, b.String())
		}
	}
}
