package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/score"
)

const minute = "2006-01-02 15:04"

// BaselineText writes what is known under a name for a terminal. Where a name
// means several programs or hosts each has a line, and the whole name shows
// the rest.
func BaselineText(w io.Writer, b *finding.Baseline, o Options) error {
	p := page{Options: o}
	p.line("%s", p.style("Baseline: what is known of "+Terminal(b.Name), bold))
	p.line("")
	p.baselineFleet(&b.Fleet)
	if !b.Known() {
		p.unknownName(b)
	}
	if len(b.Programs) == 1 {
		p.baselineProgram(&b.Programs[0], &b.Fleet)
	} else {
		p.baselinePrograms(b.Programs)
	}
	for i := range b.Hosts {
		p.baselineHost(&b.Hosts[i], &b.Fleet)
	}
	for i := range b.Destinations {
		p.baselineDestination(&b.Destinations[i])
	}
	p.line("")
	p.problems(b.Inputs)
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("writing the baseline: %w", err)
	}
	return nil
}

func (p *page) baselineFleet(f *finding.BaselineFleet) {
	if f.First == nil || f.Last == nil {
		p.line("  there is no outbound TLS session in the evidence")
		return
	}
	p.line("  rests on %s over %.1f days, from %s to %s UTC", hosts(int(f.Hosts)), f.Days, f.First.Format(minute), f.Last.Format(minute))
	p.line("  what is shipped weighs %s after that long: as %.1f edges of a class", share(f.ShippedShare), f.ShippedEdges)
	p.line("  a class, or the image of what it hosts, weighs as %.0f edges of a program (%.0f where it is asked whether they are periodic)",
		f.ClassEdges, f.PeriodicEdges)
}

func (p *page) unknownName(b *finding.Baseline) {
	p.line("")
	p.line("Nothing is known of %s: no program, host or destination with outbound TLS sessions has that name.", Terminal(b.Name))
	if len(b.Similar) > 0 {
		p.line("Names like it:")
	}
	for _, name := range b.Similar {
		p.line("  %s", Terminal(name))
	}
}

// share writes a share of one.
func share(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }

// part writes how many of how many, and the share where there is one.
func part(f finding.Fraction) string {
	if f.Of == 0 {
		return "none"
	}
	return fmt.Sprintf("%s of %s (%.1f %%)", grouped(f.Count), grouped(f.Of), 100*float64(f.Count)/float64(f.Of))
}

func ofHosts(f finding.Fraction) string { return grouped(f.Count) + " of " + hosts(int(f.Of)) }

// baselinePrograms writes a line for each of several programs.
func (p *page) baselinePrograms(all []finding.BaselineProgram) {
	if len(all) == 0 {
		return
	}
	rows := [][]string{{"PROGRAM", "CLASS", "HOSTS", "LINKS", "RARE", "FIRST SEEN (UTC)"}}
	for i := range all {
		b := &all[i]
		rows = append(rows, []string{
			Terminal(b.Program), b.Class, grouped(b.Hosts.Count), grouped(b.Links), grouped(b.Rare.Program.Count), b.FirstSeen.Format(minute),
		})
	}
	p.line("")
	p.grid("", rows)
	p.line("")
	p.line("Ask for one by the whole of its key to see what is usual for it.")
}

// grid writes rows with their columns one below the other; the first are the
// titles.
func (p *page) grid(indent string, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], ansi.StringWidth(c))
		}
	}
	for i, row := range rows {
		line := indent + aligned(row, widths)
		if i == 0 {
			line = p.style(line, bold)
		}
		p.line("%s", line)
	}
}

func (p *page) baselineProgram(b *finding.BaselineProgram, f *finding.BaselineFleet) {
	p.line("")
	p.line("%s", p.style("Program "+Terminal(b.Program), bold))
	p.line("  class %s; on %s", b.Class, ofHosts(b.Hosts))
	for _, g := range b.Groups {
		p.line("    on %s with %s", ofHosts(g.Fraction), Terminal(g.Attribute))
	}
	p.line("  first seen %s: %s", b.FirstSeen.Format(minute), standing(b, f))
	p.line("  links (a host and a domain): %s", grouped(b.Links))
	p.estimate("no other host has", b, &b.Rare)
	p.estimate("periodic, of those with enough contacts", b, &b.Periodic)
	p.spreads(b)
	if len(b.Hosted) == 0 {
		return
	}
	p.line("")
	rows := [][]string{{"WHAT IT HOSTS", "HOSTS", "LINKS", "FIRST SEEN (UTC)"}}
	for _, h := range b.Hosted {
		name := strings.TrimPrefix(h.Program, b.Program+" ")
		if h.Program == b.Program {
			name = "(not known)"
		}
		rows = append(rows, []string{Terminal(name), grouped(h.Hosts), grouped(h.Links), h.FirstSeen.Format(minute)})
	}
	p.grid("  ", rows)
}

// standing says whether a program's hosts are an excuse.
func standing(b *finding.BaselineProgram, f *finding.BaselineFleet) string {
	day := ""
	if b.CountsFrom != nil {
		day = b.CountsFrom.Format(minute)
	}
	switch b.Standing {
	case "vouched":
		return "only an administrator can have put it there, so its hosts counted at once"
	case "initial":
		return "with the evidence or soon after, so its hosts count"
	case "seasoned":
		return fmt.Sprintf("its hosts count for what began since %s, %.0f days later", day, f.SeasonDays)
	}
	return fmt.Sprintf("its hosts do not count before %s, %.0f days later", day, f.SeasonDays)
}

// estimate writes a share with what it is drawn to.
func (p *page) estimate(title string, b *finding.BaselineProgram, e *finding.Estimate) {
	seen := part(e.Program)
	switch {
	case e.Image == nil:
	case len(b.Hosted) > 0:
		seen = part(*e.Image) + ", where what it hosts is not known " + part(e.Program)
	default:
		seen += ", of its image " + part(*e.Image)
	}
	p.line("    %s: %s; of class %s %s; shipped %.1f %%", title, seen, b.Class, part(e.Class), 100*e.Shipped)
	p.line("      taken for %.1f %%: %s", 100*e.Value, rests(&e.Weights, b.Class))
}

// rests says what a number rests on.
func rests(w *finding.Weights, class string) string {
	var all []string
	for _, x := range []struct {
		share float64
		what  string
	}{
		{w.Program, "its own edges"}, {w.Image, "its image's"}, {w.Class, "those of class " + class}, {w.Shipped, "what is shipped"},
	} {
		if x.share > 0 {
			all = append(all, share(x.share)+" by "+x.what)
		}
	}
	return strings.Join(all, ", ")
}

var measureTitles = map[string]string{
	"active_hours": "active hours", "off_hours": "hours outside the time window", "connected": "connected",
	"bytes_out": "sent", "transfer": "sent within the transfer window",
}

// spreads writes how much of each measure the edges have, and what a score takes
// for usual.
func (p *page) spreads(b *finding.BaselineProgram) {
	rows := [][]string{{"WHAT ITS LINKS HAVE: AT MOST", "50 %", "90 %", "99 %", "TAKEN FOR 50 %", "90 %", "99 %", "OWN", "CLASS", "SHIPPED"}}
	for i := range b.Spreads {
		s := &b.Spreads[i]
		title, ok := measureTitles[s.Measure]
		if !ok {
			title = s.Measure
		}
		row := append([]string{title}, amounts(s.Program, s.Unit)...)
		row = append(row, amounts(&s.Value, s.Unit)...)
		rows = append(rows, append(row, share(s.Weights.Program+s.Weights.Image), share(s.Weights.Class), share(s.Weights.Shipped)))
	}
	p.line("")
	p.grid("  ", rows)
}

func amounts(q *finding.Quantiles, unit string) []string {
	if q == nil {
		return []string{"?", "?", "?"}
	}
	write := func(n int64) string { return strconv.FormatInt(n, 10) }
	switch unit {
	case "bytes":
		write = score.Bytes
	case "seconds":
		write = func(n int64) string { return score.Seconds(float64(n)) }
	}
	return []string{write(q.P50), write(q.P90), write(q.P99)}
}

// maxHostPrograms bounds how many programs of a host, or of a destination, are
// named.
const maxHostPrograms = 10

func (p *page) baselineHost(h *finding.BaselineHost, f *finding.BaselineFleet) {
	p.line("")
	p.line("%s", p.style("Host "+Terminal(h.Host), bold))
	for _, a := range h.Attributes {
		p.line("  %s", Terminal(a))
	}
	p.line("  evidence since %s, to %s: %s on %s", h.FirstSeen.Format(minute), h.LastSeen.Format(minute), sessions(h.Sessions), days(h.Days))
	p.line("  %s programs make %s links (a program and a domain); %s of them are new: they began %.0f days or more into its evidence",
		grouped(int64(len(h.Programs))), grouped(h.Links), grouped(h.Young), f.NewAfterDays)
	p.line("  domains that it went to by an unknown program: %s", grouped(h.Unowned))
	p.line("  links by the best evidence of their owner: %s", counts(h.Rungs, ", "))
	if len(h.Programs) == 0 {
		return
	}
	p.line("")
	rows := [][]string{{"PROGRAMS THAT THE FEWEST OTHERS HAVE", "OTHER HOSTS", "LINKS", "SESSIONS"}}
	for _, x := range h.Programs[:min(len(h.Programs), maxHostPrograms)] {
		rows = append(rows, []string{Terminal(x.Program), grouped(x.OtherHosts), grouped(x.Links), grouped(x.Sessions)})
	}
	p.grid("  ", rows)
	p.more(len(h.Programs) - maxHostPrograms)
}

func (p *page) more(n int) {
	if n > 0 {
		p.line("  and %d more (--json has all)", n)
	}
}

func days(n int64) string {
	if n == 1 {
		return "1 day"
	}
	return grouped(n) + " days"
}

func (p *page) baselineDestination(d *finding.BaselineDestination) {
	p.line("")
	p.line("%s", p.style("Destination "+Terminal(d.Domain), bold))
	for _, s := range d.Services {
		p.line("  belongs to %s (%s)", Terminal(s.Service), Terminal(s.Class))
	}
	p.line("  %s go there, from %s to %s UTC", ofHosts(d.Hosts), d.First.Format(minute), d.Last.Format(minute))
	sent := "how much they sent is unknown"
	if d.BytesOut != nil {
		sent = score.Bytes(*d.BytesOut) + " sent"
		if d.NoBytes > 0 {
			sent += ", and more in " + sessions(d.NoBytes) + " of unknown size"
		}
	}
	p.line("  %s; %s", sessions(d.Sessions), sent)
	p.line("")
	rows := [][]string{{"BY PROGRAM", "HOSTS", "FIRST SEEN (UTC)"}}
	for _, x := range d.Programs[:min(len(d.Programs), maxHostPrograms)] {
		name := x.Program
		if name == "" {
			name = "(unknown)"
		}
		rows = append(rows, []string{Terminal(name), grouped(x.Hosts), x.FirstSeen.Format(minute)})
	}
	p.grid("  ", rows)
	p.more(len(d.Programs) - maxHostPrograms)
}
