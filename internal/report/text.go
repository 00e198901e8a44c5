package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/score"
)

// Options say how Text lays out its page.
type Options struct {
	Width int  // columns; 0 for no limit
	Color bool // whether w shows ANSI styles
}

// Text writes the ranked table and the summary for a terminal. Nothing from
// the logs is written raw.
func Text(w io.Writer, d *finding.Document, o Options) error {
	p := page{Options: o}
	p.findings(d)
	p.lists(d)
	p.summary(&d.Summary)
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// A page is a text under construction.
type page struct {
	strings.Builder
	Options
}

const (
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	plain = "\x1b[0m"
)

func (p *page) style(s, style string) string {
	if !p.Color {
		return s
	}
	return style + s + plain
}

func (p *page) line(format string, args ...any) {
	s := strings.TrimRight(fmt.Sprintf(format, args...), " ")
	if p.Width > 0 {
		s = ansi.Truncate(s, p.Width, "…")
	}
	p.WriteString(s + "\n")
}

// column is a column of the table: its title and its greatest width.
type column struct {
	title string
	limit int
	right bool
}

var columns = []column{
	{"#", 4, true}, {"SCORE", 6, true}, {"TIER", 13, false}, {"PROGRAM", 30, false}, {"DESTINATION", 42, false},
	{"HOST", 28, false}, {"SENT", 10, true}, {"SESSIONS", 8, true}, {"PERIOD", 9, true}, {"FIRST – LAST (UTC)", 35, false},
}

func (p *page) findings(d *finding.Document) {
	p.line("%s", p.style(d.Analytic+": outbound TLS sessions of uncommon processes, the least expected first", bold))
	p.line("")
	if len(d.Findings) == 0 {
		p.line("Nothing to list.")
		return
	}
	var rows [][]string
	for i := range d.Findings {
		rows = append(rows, cells(&d.Findings[i]))
	}
	width := widths(rows)
	p.line("%s", p.style(layout(titles(), width), bold))
	for i, r := range rows {
		p.line("%s", layout(r, width))
		if u := d.Findings[i].Update; u != nil {
			p.line("%s", p.style("             "+since(u), faint))
		}
		p.line("%s", p.style("             "+Terminal(reasons(&d.Findings[i])), faint))
		if unless := d.Findings[i].Counterfactual; len(unless) > 0 {
			p.line("%s", p.style("             not listed if "+Terminal(strings.Join(unless, ", or ")), faint))
		}
	}
}

func titles() []string {
	var t []string
	for _, c := range columns {
		t = append(t, c.title)
	}
	return t
}

func widths(rows [][]string) []int {
	w := make([]int, len(columns))
	for i, c := range columns {
		w[i] = ansi.StringWidth(c.title)
		for _, r := range rows {
			w[i] = max(w[i], min(c.limit, ansi.StringWidth(r[i])))
		}
	}
	return w
}

func layout(cells []string, width []int) string {
	var out []string
	for i, c := range cells {
		c = ansi.Truncate(c, width[i], "…")
		pad := strings.Repeat(" ", max(0, width[i]-ansi.StringWidth(c)))
		if columns[i].right {
			c = pad + c
		} else {
			c += pad
		}
		out = append(out, c)
	}
	return strings.Join(out, "  ")
}

func cells(f *finding.Finding) []string {
	name := f.Program.Name
	if name == "" {
		name = "(unknown)"
	}
	host := "?"
	if len(f.Hosts) > 0 {
		host = f.Hosts[0]
	}
	if n := len(f.Hosts); n > 1 {
		host += fmt.Sprintf(" +%d", n-1)
	}
	period := ""
	if f.PeriodSeconds != nil {
		period = score.Seconds(*f.PeriodSeconds)
	}
	return []string{
		strconv.Itoa(f.Rank), fmt.Sprintf("%.2f", f.Score), tier(f), Terminal(name), Terminal(destination(f)), Terminal(host),
		sent(f), strconv.FormatInt(f.Sessions, 10), period, span(f.FirstSeen, f.LastSeen),
	}
}

// tier is the tier, with the q-value where there is one.
func tier(f *finding.Finding) string {
	if f.QValue == nil {
		return string(f.Tier)
	}
	return fmt.Sprintf("%s q=%.2g", f.Tier, *f.QValue)
}

// destination is the name, with the port where it is not the usual one, or with
// the domains where there are several.
func destination(f *finding.Finding) string {
	d := f.Destination
	if len(d.Members) > 0 {
		return d.Name + ": " + strings.Join(d.Members, ", ")
	}
	if len(d.Ports) == 1 && d.Ports[0] != 443 {
		return d.Name + ":" + strconv.Itoa(int(d.Ports[0]))
	}
	return d.Name
}

// sent is the outbound volume; a sum that lacks some sessions is a lower bound.
func sent(f *finding.Finding) string {
	switch {
	case f.BytesOut == nil:
		return "unknown"
	case f.SessionsUnknownBytes > 0:
		return "≥ " + score.Bytes(*f.BytesOut)
	}
	return score.Bytes(*f.BytesOut)
}

func span(first, last time.Time) string {
	const minute = "2006-01-02 15:04"
	if first.Format(time.DateOnly) == last.Format(time.DateOnly) {
		return first.Format(minute) + " – " + last.Format("15:04")
	}
	return first.Format(minute) + " – " + last.Format(minute)
}

// reasons is what made the score, the largest parts first.
func reasons(f *finding.Finding) string {
	var s []string
	for _, p := range f.Parts {
		if p.Points >= 0.5 || p.Points <= -1 {
			s = append(s, fmt.Sprintf("%+.1f %s", p.Points, p.Text))
		}
	}
	return strings.Join(s, "; ")
}
