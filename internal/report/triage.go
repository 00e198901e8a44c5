package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/postern/postern/internal/finding"
)

// Triage writes the card of a finding for a terminal. Nothing from the logs is
// written raw.
func Triage(w io.Writer, f *finding.Finding, o Options) error {
	p := page{Options: o}
	p.card(newCard(f))
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("writing the card: %w", err)
	}
	return nil
}

func (p *page) card(c *card) {
	p.line("%s", p.style(Terminal(c.title), bold))
	for i := range c.sections {
		p.chapter(&c.sections[i])
	}
	p.line("")
	p.line("%s", p.style("Where to look next", bold))
	for _, q := range c.queries {
		p.query(q.Name, q.Text, q.Note)
	}
	p.line("%s", p.style("To judge it", bold))
	for i, check := range c.checks {
		p.line("  %d. [ ] %s: %s", i+1, check.Topic, check.Question)
		if check.Known != "" {
			p.line("         %s", p.style(Terminal(check.Known), faint))
		}
	}
}

func (p *page) chapter(s *chapter) {
	if len(s.rows)+len(s.art) == 0 {
		return
	}
	p.line("")
	if s.title != "" {
		p.line("%s", p.style(s.title, bold))
	}
	wide := 0
	for _, r := range s.rows {
		wide = max(wide, len(r.label))
	}
	for _, r := range s.rows {
		p.line("  %-*s  %s", wide, r.label, Terminal(r.text))
	}
	for _, a := range s.art {
		p.line("  %s", Terminal(a))
	}
}

// query is never cut to the terminal's width: half a query is none.
func (p *page) query(name, text, note string) {
	p.line("  %s", name)
	for line := range strings.SplitSeq(text, "\n") {
		p.WriteString("    " + Terminal(line) + "\n")
	}
	if note != "" {
		p.line("    %s", p.style(note, faint))
	}
	p.line("")
}

// Markdown writes the card of a finding for a ticket. Text from the logs
// stands in code or is escaped: it can make no link, picture, mention or table.
func Markdown(w io.Writer, f *finding.Finding) error {
	var m markdown
	m.card(newCard(f))
	if _, err := io.WriteString(w, m.String()); err != nil {
		return fmt.Errorf("writing the card: %w", err)
	}
	return nil
}

// A markdown is a ticket's text under construction.
type markdown struct{ strings.Builder }

func (m *markdown) card(c *card) {
	m.WriteString("## " + Inline(c.title) + "\n")
	for i := range c.sections {
		m.chapter(&c.sections[i])
	}
	m.WriteString("\n### Where to look next\n")
	for _, q := range c.queries {
		m.WriteString("\n" + Inline(q.Name) + "\n\n")
		m.fence(q.Lang, strings.Split(q.Text, "\n"))
		if q.Note != "" {
			m.WriteString("\n" + Inline(q.Note) + "\n")
		}
	}
	m.WriteString("\n### To judge it\n\n")
	for _, check := range c.checks {
		m.WriteString("- [ ] **" + Inline(check.Topic) + "** " + Inline(check.Question))
		if check.Known != "" {
			m.WriteString("\n  " + Inline(check.Known))
		}
		m.WriteString("\n")
	}
}

func (m *markdown) chapter(s *chapter) {
	if len(s.rows)+len(s.art) == 0 {
		return
	}
	if s.title != "" {
		m.WriteString("\n### " + Inline(s.title) + "\n")
	}
	m.WriteString("\n")
	for _, r := range s.rows {
		m.WriteString("- **" + Inline(r.label) + "** " + Inline(r.text) + "\n")
	}
	if len(s.art) > 0 {
		m.WriteString("\n")
		m.fence("text", s.art)
	}
}

// fence writes lines between fences that are longer than any run of backticks
// in them.
func (m *markdown) fence(lang string, lines []string) {
	longest := 2
	safe := make([]string, len(lines))
	for i, l := range lines {
		safe[i] = Terminal(l)
		longest = max(longest, run(safe[i]))
	}
	mark := strings.Repeat("`", longest+1)
	m.WriteString(mark + lang + "\n" + strings.Join(safe, "\n") + "\n" + mark + "\n")
}

// run returns the length of the longest run of backticks.
func run(s string) int {
	longest, n := 0, 0
	for _, c := range []byte(s) {
		if c != '`' {
			n = 0
			continue
		}
		n++
		longest = max(longest, n)
	}
	return longest
}

// linked are what trackers of tickets make links or mentions of, even where
// the punctuation is escaped.
var linked = []string{"@", "://", "www.", "mailto:"}

// Inline returns s as text within a line of Markdown, with all punctuation
// escaped; as code where that is not enough.
func Inline(s string) string {
	s = Terminal(s)
	lower := strings.ToLower(s)
	if slices.ContainsFunc(linked, func(l string) bool { return strings.Contains(lower, l) }) {
		mark := strings.Repeat("`", run(s)+1)
		return mark + " " + s + " " + mark
	}
	var b strings.Builder
	for _, c := range s {
		if strings.ContainsRune("\\`*_{}[]()<>#|~&!$^=", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
