package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/finding"
)

func TestTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                   "plain",
		"Grüße, 世界":               "Grüße, 世界",
		"\x1b[31mred\x1b[0m":      `\x1b[31mred\x1b[0m`,
		"a\nb\r\tc":               `a\x0ab\x0d\x09c`,
		"evil\u202egpj.exe":       `evil\u202egpj.exe`,
		"zero\u200bwidth":         `zero\u200bwidth`,
		"nul\x00":                 `nul\x00`,
		"bad\xff":                 `bad\xff`,
		"\u009b31m":               `\u009b31m`, // C1 control sequence introducer
		"\u2028line":              `\u2028line`,
		"no\u00a0break":           `no\u00a0break`,
		"\ufffd stands for bytes": `\ufffd stands for bytes`,
	} {
		if got := Terminal(in); got != want {
			t.Errorf("Terminal(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCellDisarmsFormulas(t *testing.T) {
	for _, s := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "%0A", "|calc"} {
		if got := Cell(s); !strings.HasPrefix(got, "'") && !strings.HasPrefix(got, `\x`) {
			t.Errorf("Cell(%q) = %q may be computed", s, got)
		}
	}
	if got := Cell("plain=1"); got != "plain=1" {
		t.Errorf("Cell changes %q", got)
	}
}

// hostile is a document whose strings attack every output.
func hostile() *finding.Document {
	const evil = "=cmd|'/c calc'!A1\x1b]0;owned\x07\n<script>alert(1)</script>\u202e"
	out := int64(1_900_000_000)
	offset := 1.5
	return &finding.Document{
		Format: finding.Format, Analytic: finding.Analytic,
		Findings: []finding.Finding{{
			ID: finding.ID(evil, evil), Rank: 1, Score: 3.5, Tier: finding.High, QValue: &offset,
			Update:   &finding.Update{ScoreThen: 1, HostsThen: 1, BytesThen: &out, Grew: []string{evil, finding.GrewScore, finding.GrewHosts, finding.GrewBytes}},
			Parts:    []finding.Part{{Name: "volume", Points: 3.5, Text: evil}},
			Program:  finding.Program{Name: evil, Image: evil, Identity: evil, Publisher: evil, Class: "app"},
			Hosts:    []string{evil, evil},
			Sessions: 2, BytesOut: &out, SessionsUnknownBytes: 1,
			FirstSeen:   time.Unix(1_700_000_000, 0).UTC(),
			LastSeen:    time.Unix(1_700_100_000, 0).UTC(),
			Destination: finding.Destination{Name: evil, RegisteredDomain: evil, Addresses: []string{evil}, Ports: []uint16{443}},
			Processes:   []finding.Process{{Host: evil, Image: evil, CommandLine: evil, User: evil}},
		}},
		ToldBefore:  []finding.ToldBefore{{ID: evil, Program: evil, Domain: evil}},
		Expected:    []finding.Expected{{ID: evil, Program: evil, Domain: evil, Owner: evil, Reason: evil, Expires: evil}},
		NewPrograms: []finding.NewProgram{{Program: evil, Hosts: 3, Domains: []string{evil, evil}}},
		Standing:    []finding.Standing{{ID: evil, Program: evil, Domain: evil, Hosts: 1, Sessions: 1}},
		Summary: finding.Summary{
			Inputs: []finding.Input{{
				Path: evil, Format: evil, Status: "read", Error: evil, Clock: evil, Skipped: 1,
				SkipReasons: map[string]int64{evil: 1}, Warnings: []string{evil},
				Positions: []finding.Position{{Where: evil, Reason: evil}},
			}},
			Hosts:   []finding.Host{{Name: evil, ClockOffset: &offset, ClockSpread: &offset}},
			Lacking: []string{evil},
			Notices: []finding.Notice{{Host: evil, Time: time.Unix(1_700_000_000, 0).UTC(), Kind: "config-change", Text: evil}},

			NoticesTotal: 1,
		},
	}
}

func TestHostileTextIsInert(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, hostile(), Options{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && unsafeRune(r) {
			t.Fatalf("the text holds %U:\n%s", r, b.String())
		}
	}
	if strings.Contains(b.String(), "\n<script>") {
		t.Error("a name begins a line of its own")
	}
}

func TestHostileCSVIsInert(t *testing.T) {
	var b bytes.Buffer
	if err := CSV(&b, hostile()); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || len(rows[1]) != len(header) {
		t.Fatalf("%d rows", len(rows))
	}
	for i, cell := range rows[1] {
		if cell != "" && strings.ContainsRune("=+-@\t\r|%", rune(cell[0])) {
			t.Errorf("%s is %q", header[i], cell)
		}
	}
}

func TestJSONRoundTrip(t *testing.T) {
	want := hostile()
	var b bytes.Buffer
	if err := JSON(&b, want); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b<") {
		t.Error("the JSON holds raw control characters or markup")
	}
	var got finding.Document
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownVolumeIsNotZero(t *testing.T) {
	n := int64(5000)
	for _, c := range []struct {
		out     *int64
		unknown int64
		want    string
	}{{nil, 3, "unknown"}, {&n, 0, "5.0 kB"}, {&n, 1, "≥ 5.0 kB"}} {
		if got := sent(&finding.Finding{BytesOut: c.out, SessionsUnknownBytes: c.unknown}); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestTextFitsTheTerminal(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, hostile(), Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// TestListsAreShort: what stands beside the findings has a line each, and no more
// lines than a person reads.
func TestListsAreShort(t *testing.T) {
	out, q, budget := int64(5000), 0.03, 10
	at := time.Date(2026, 11, 8, 12, 0, 0, 0, time.UTC)
	d := &finding.Document{
		Findings: []finding.Finding{{
			Rank: 1, Score: 7, Tier: finding.High, QValue: &q,
			Update: &finding.Update{LastTold: at, ScoreThen: 4.5, HostsThen: 2, Grew: []string{finding.GrewScore, finding.GrewHosts}},
		}, {
			Rank: 2, Score: 6, Tier: finding.Budget, Update: &finding.Update{LastTold: at, Grew: []string{}},
		}},
		ToldBefore: []finding.ToldBefore{{Rank: 3, Program: "p.exe", Domain: "d.example", Score: 5, ScoreThen: 4.5, FirstTold: at}},
		Expected:   []finding.Expected{{Program: "q.exe", Domain: "e.example", Score: 9, Owner: "storage team", Reason: "backup", Expires: "2027-06-30"}},
		Standing:   []finding.Standing{{Rank: 40, Domain: "f.example", Score: 1, Hosts: 2, Sessions: 1, BytesOut: &out}},
		Summary:    finding.Summary{FindingsUnlisted: 1200, FindingsOver: 1100, Budget: &budget},
	}
	for range maxListed + 2 {
		d.NewPrograms = append(d.NewPrograms, finding.NewProgram{Program: "n.exe", Hosts: 12, FirstSeen: at, Domains: []string{"g.example", "h.example"}})
	}
	var b bytes.Buffer
	if err := Text(&b, d, Options{}); err != nil {
		t.Fatal(err)
	}
	for line, n := range map[string]int{
		"  high q=0.03  ": 1,
		"told on 2026-11-08 with score 4.50, 2 hosts\n":                                      1,
		"told on 2026-11-08, and it goes on\n":                                               1,
		"  #3 p.exe to d.example, score 5.00 (4.50 when told), first told 2026-11-08\n":      1,
		"  q.exe to e.example, score 9.00: backup (storage team, until 2027-06-30)\n":        1,
		"  n.exe on 12 hosts since 2026-11-08 12:00, to g.example, h.example\n":              maxListed,
		"  and 2 more (--json has all)\n":                                                    1,
		"  #40 (unknown) to f.example, score 1.00, 1 session on 2 hosts, 5.0 kB sent\n":      1,
		"1,200 more findings are not listed: 1,100 are over the budget of 10 (--top 0 lists": 1,
	} {
		if got := strings.Count(b.String(), line); got != n {
			t.Errorf("%q is there %d times, want %d", line, got, n)
		}
	}
	if t.Failed() {
		t.Log(b.String())
	}
}
