package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/score"
)

// maxProblems bounds how many inputs with problems, and how many hosts'
// clocks, the text names; the JSON has all.
const maxProblems = 20

func (p *page) summary(s *finding.Summary) {
	p.line("")
	p.line("%s", p.style("Read", bold))
	p.inputs(s)
	p.line("%s", p.style("Joined", bold))
	p.joined(s)
	p.clocks(s)
	p.notices(s)
	if len(s.Lacking) > 0 {
		p.line("%s", p.style("Not seen", bold))
		for _, l := range s.Lacking {
			p.line("  %s", Terminal(l))
		}
	}
	p.unlisted(s)
}

// unlisted says how many findings there are beyond what is listed, and why.
func (p *page) unlisted(s *finding.Summary) {
	if s.FindingsUnlisted == 0 {
		return
	}
	p.line("")
	if s.Budget == nil {
		p.line("%s more findings are not listed (--top, --min-score).", grouped(int64(s.FindingsUnlisted)))
		return
	}
	p.line("%s more findings are not listed: %s are over the budget of %s (--top 0 lists all).",
		grouped(int64(s.FindingsUnlisted)), grouped(int64(s.FindingsOver)), grouped(int64(*s.Budget)))
}

// inputs sums up the inputs by format and clock, and names those with
// problems.
func (p *page) inputs(s *finding.Summary) {
	type group struct{ format, status, clock string }
	type sums struct{ inputs, records, events, skipped int64 }
	by := make(map[group]sums)
	for _, in := range s.Inputs {
		g := group{cmp.Or(in.Format, "(no format)"), in.Status, in.Clock}
		t := by[g]
		by[g] = sums{t.inputs + 1, t.records + in.Records, t.events + in.Events, t.skipped + in.Skipped}
	}
	keys := slices.SortedFunc(maps.Keys(by), func(a, b group) int {
		return cmp.Or(cmp.Compare(a.format, b.format), cmp.Compare(a.status, b.status), cmp.Compare(a.clock, b.clock))
	})
	for _, g := range keys {
		t := by[g]
		clock := ""
		if g.clock != "" {
			clock = "  clock: " + Terminal(g.clock)
		}
		p.line("  %-18s %-8s %6s inputs %12s records %12s events %8s unreadable%s", Terminal(g.format), g.status,
			grouped(t.inputs), grouped(t.records), grouped(t.events), grouped(t.skipped), clock)
	}
	p.problems(s.Inputs)
}

// A problem is what an input's account says beside its counts.
type problem struct{ path, text string }

// problems lists what the accounts say. What many inputs say alike, but for
// the numbers in it, is said once.
func (p *page) problems(inputs []finding.Input) {
	var order []string
	alike := make(map[string][]problem)
	for _, in := range inputs {
		for _, text := range accounts(&in) {
			k := strings.Map(withoutDigits, text)
			if alike[k] == nil {
				order = append(order, k)
			}
			alike[k] = append(alike[k], problem{in.Path, text})
		}
	}
	for _, k := range order[:min(len(order), maxProblems)] {
		first, n := alike[k][0], len(alike[k])-1
		line := "  ! " + Terminal(first.text)
		if first.path != "" {
			line = fmt.Sprintf("  ! %s: %s", Terminal(first.path), Terminal(first.text))
		}
		if n > 0 {
			line += fmt.Sprintf(" (and %d more inputs alike)", n)
		}
		p.line("%s", line)
	}
	if n := len(order) - maxProblems; n > 0 {
		p.line("  ! and %d more (--json has all)", n)
	}
}

func withoutDigits(r rune) rune {
	if r >= '0' && r <= '9' {
		return -1
	}
	return r
}

// accounts returns what an input's account says beside its counts.
func accounts(in *finding.Input) []string {
	var all []string
	if in.Error != "" && in.Status != "ignored" {
		all = append(all, in.Error)
	}
	if in.Skipped > 0 {
		all = append(all, fmt.Sprintf("%s unreadable: %s%s", grouped(in.Skipped), counts(in.SkipReasons, ", "), first(in.Positions)))
	}
	return append(all, in.Warnings...)
}

func first(positions []finding.Position) string {
	if len(positions) == 0 {
		return ""
	}
	return fmt.Sprintf(" (first: %s)", positions[0].Where)
}

func (p *page) joined(s *finding.Summary) {
	p.line("  %s flows by owner: %s", grouped(s.Flows), counts(s.ByRung, ", "))
	if len(s.UnownedBy) > 0 {
		p.line("  without owner because: %s", counts(s.UnownedBy, ", "))
	}
	p.line("  %s connects of endpoints: %s", grouped(s.Connects), counts(s.ConnectOutcomes, ", "))
	if s.Contradictory > 0 {
		p.line("  %s flows for which two sources name different programs", grouped(s.Contradictory))
	}
	p.line("  %s outbound TLS sessions: %s", grouped(s.Sessions), counts(s.SessionsByRung, ", "))
	if s.Sessions == 0 {
		return
	}
	p.line("  with an owner: %s of outbound TLS sessions, %s", percent(s.OwnedSessions), ownedBytes(&s.Account))
	if s.First != nil && s.Last != nil {
		p.line("  from %s to %s UTC", s.First.Format("2006-01-02 15:04"), s.Last.Format("2006-01-02 15:04"))
	}
}

func (p *page) clocks(s *finding.Summary) {
	var lines []string
	for _, h := range s.Hosts {
		if h.ClockOffset == nil || h.ClockSpread == nil {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %s ± %s (%s, %d pairs)", Terminal(h.Name),
			signed(*h.ClockOffset), seconds(*h.ClockSpread), h.ClockSource, h.ClockPairs))
	}
	if len(lines) == 0 {
		return
	}
	p.line("%s", p.style("Clocks of hosts against the wire", bold))
	for _, l := range lines[:min(len(lines), maxProblems)] {
		p.line("  %s", l)
	}
	if n := len(lines) - maxProblems; n > 0 {
		p.line("  and %d more (--json has all)", n)
	}
}

// maxNotices bounds how many notices of sensors the text has.
const maxNotices = 5

// notices lists what sensors said of themselves: what they saw around then is
// to be taken with care.
func (p *page) notices(s *finding.Summary) {
	if s.NoticesTotal == 0 {
		return
	}
	p.line("%s", p.style("Sensors that were stopped, started or configured anew, and logs that were cleared", bold))
	shown := s.Notices[:min(len(s.Notices), maxNotices)]
	for _, n := range shown {
		p.line("  %s %s %s %s: %s", n.Time.Format("2006-01-02 15:04:05"), Terminal(n.Host), n.Source, n.Kind, Terminal(n.Text))
	}
	if more := s.NoticesTotal - int64(len(shown)); more > 0 {
		p.line("  and %s more (--json has the first 100)", grouped(more))
	}
}

// counts writes a map of counts, the largest first.
func counts(m map[string]int64, sep string) string {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b))
	})
	var s []string
	for _, k := range keys {
		s = append(s, k+" "+grouped(m[k]))
	}
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, sep)
}

// grouped writes n with commas between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// ownedBytes writes the share of bytes with an owner, if any bytes are known.
func ownedBytes(s *finding.Account) string {
	switch {
	case s.OwnedBytes == nil:
		return "what they sent is unknown"
	case s.SessionsNoBytes == 0:
		return fmt.Sprintf("%s of the %s they sent", percent(s.OwnedBytes), score.Bytes(s.BytesOut))
	}
	return fmt.Sprintf("%s of the %s they sent, beside %s of unknown size",
		percent(s.OwnedBytes), score.Bytes(s.BytesOut), sessions(s.SessionsNoBytes))
}

func percent(x *float64) string {
	if x == nil {
		return "an unknown share"
	}
	return fmt.Sprintf("%.1f %%", 100**x)
}

func sessions(n int64) string {
	if n == 1 {
		return "1 session"
	}
	return grouped(n) + " sessions"
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(10 * time.Millisecond).String()
}

func signed(s float64) string {
	if s >= 0 {
		return "+" + seconds(s)
	}
	return seconds(s)
}
