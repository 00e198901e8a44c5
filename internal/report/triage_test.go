package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/internal/finding"
)

// suspect is a finding with a lineage, of which every string is text.
func suspect(text string) *finding.Finding {
	at := time.Date(2026, 11, 6, 9, 12, 0, 0, time.UTC)
	out, seconds := int64(1_900_000_000), 90.0
	f := hostile().Findings[0]
	f.Program = finding.Program{Name: text, Image: text, Publisher: text, Class: text}
	f.Parts = []finding.Part{{Name: "volume", Points: 3.5, Text: text}}
	f.Hosts, f.Counterfactual, f.PeriodSeconds = []string{text}, []string{text}, &seconds
	f.Destination = finding.Destination{Name: text, Names: []string{text, text + "."}, RegisteredDomain: text, Addresses: []string{text}, Ports: []uint16{443}}
	f.TLS = finding.TLS{JA3: []string{text}, Issuers: []string{text}, Subjects: []string{text}, Evidence: map[string]int64{"handshake": 1}}
	f.Processes = []finding.Process{{
		Host: text, PID: 7, Image: text, CommandLine: text, User: text, Hashes: text, Hosted: text, OtherImage: text, Started: &at, Sessions: 2,
		Parents: []finding.Parent{{PID: 6, Image: text, CommandLine: text, User: text, Started: &at}},
	}}
	f.Series = &finding.Series{
		From: at.Truncate(24 * time.Hour), Days: []finding.Volume{{Sessions: 2, BytesOut: out}}, SlotMinutes: 1,
		Slots:     []finding.Slot{{Minute: 552, Sessions: 1}, {Minute: 560, Sessions: 1}},
		Intervals: []finding.Interval{{From: 447, To: 501, Count: 1}},
		Longest:   []finding.Sample{{Start: at, Duration: &seconds}}, Largest: []finding.Sample{{UID: text, BytesOut: &out}},
	}
	f.Estate = &finding.Estate{
		FirstSeen: at, Hosts: 1, Programs: []finding.User{{Program: text, Hosts: 1}}, ProgramsTotal: 1,
		Fingerprints: []finding.Fingerprint{{JA4: text}},
	}
	return &f
}

func TestHostileCardIsInert(t *testing.T) {
	evil := "\x1b[2Jx\r\n# heading\u202e"
	for name, write := range map[string]func(*bytes.Buffer) error{
		"terminal": func(b *bytes.Buffer) error { return Triage(b, suspect(evil), Options{}) },
		"markdown": func(b *bytes.Buffer) error { return Markdown(b, suspect(evil)) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r != '\n' && unsafeRune(r) {
				t.Fatalf("%s: the card holds %U:\n%s", name, r, b.String())
			}
		}
		if strings.Contains(b.String(), "\n# heading") {
			t.Errorf("%s: a name begins a line", name)
		}
	}
}

// TestMarkdownIsEscaped: outside of code no punctuation of the logs is left to
// mean anything.
func TestMarkdownIsEscaped(t *testing.T) {
	for in, want := range map[string]string{
		`a_b*c`:                    `a\_b\*c`,
		`![x](y)`:                  `\!\[x\]\(y\)`,
		`<img src=x>`:              `\<img src\=x\>`,
		`a|b`:                      `a\|b`,
		`C:\x`:                     `C:\\x`,
		"`id`":                     "\\`id\\`",
		"see https://x.example/":   "` see https://x.example/ `",
		"mail @all `now`":          "`` mail @all `now` ``",
		"WWW.x.example ``a``":      "``` WWW.x.example ``a`` ```",
		"line\nbreak":              `line\\x0abreak`,
		"plain words, in a row. 1": "plain words, in a row. 1",
	} {
		if got := Inline(in); got != want {
			t.Errorf("%q is written %s, want %s", in, got, want)
		}
	}
}

// TestFencesHold: no text ends the block of code that it stands in.
func TestFencesHold(t *testing.T) {
	var b bytes.Buffer
	if err := Markdown(&b, suspect("x ```` y")); err != nil {
		t.Fatal(err)
	}
	open := ""
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSuffix(line, "\n")
		mark := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case len(mark) < 3:
		case open == "":
			open = mark
		case line == mark && len(mark) >= len(open):
			open = ""
		}
		if open != "" && strings.HasPrefix(line, "### ") {
			t.Fatalf("a block was not closed before %q", line)
		}
	}
	if open != "" {
		t.Error("the last block is not closed")
	}
}

// TestCardSaysWhatMatters names what an analyst looks for.
func TestCardSaysWhatMatters(t *testing.T) {
	var b bytes.Buffer
	if err := Triage(&b, suspect("agent.exe"), Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"AN1189-", "rank 1, score 3.50", "└ agent.exe (6)", "  └ agent.exe (7)", "+3.50", "Not listed if", "≥ 1.9 GB",
		"every 90.0 s", "2026-11-06", "Longest session", "another source names agent.exe instead", "1. [ ] Lineage", "DeviceNetworkEvents",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the card does not say %q:\n%s", want, b.String())
		}
	}
}

// TestInstancesAreJoined: what two sources write of one process is one.
func TestInstancesAreJoined(t *testing.T) {
	early, late := time.Unix(100, 0), time.Unix(200, 0)
	f := &finding.Finding{Processes: []finding.Process{
		{Host: "h", PID: 1, GUID: "a", Image: `C:\x.exe`, Sessions: 5, Started: &late},
		{Host: "h", PID: 1, GUID: "a", Image: `\device\x.exe`, Sessions: 2, Started: &late, OtherImage: "y"},
		{Host: "h", PID: 1, GUID: "b", Image: `C:\x.exe`, Sessions: 1, Started: &early},
		{Host: "h", PID: 2, Image: `C:\x.exe`, Sessions: 1},
		{Host: "h", PID: 2, Image: `C:\x.exe`, Sessions: 1}, // perhaps another: the PID alone proves nothing
	}}
	got := Instances(f)
	if len(got) != 4 {
		t.Fatalf("%d instances", len(got))
	}
	if got[0].GUID != "b" || got[1].Sessions != 7 || got[1].OtherImage != "y" || len(got[1].Spellings) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestQuestionOf(t *testing.T) {
	for part, want := range map[string]Question{
		"program_rarity": Who, "destination_class": Where, "odd_port": Where, "volume": HowMuch, "transfer": HowMuch,
		"regular_timing": Persists, "new": Persists, "weak_owner": Evidence, "of tomorrow": Evidence,
	} {
		if got := QuestionOf(part); got != want {
			t.Errorf("%s answers %s, want %s", part, got, want)
		}
	}
}
