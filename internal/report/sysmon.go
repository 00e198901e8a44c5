package report

import (
	"fmt"
	"io"
	"math"

	"github.com/postern/postern/internal/coverage/sysmon"
)

// maxChanges bounds the changes that the text lists.
const maxChanges = 25

// SysmonText writes the audit of a configuration for a terminal.
func SysmonText(w io.Writer, r *sysmon.Report, o Options) error {
	p := page{Options: o}
	p.sysmon(r)
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("writing the audit: %w", err)
	}
	return nil
}

func (p *page) sysmon(r *sysmon.Report) {
	p.line("")
	if r.Inferred {
		p.line("%s", p.style("Sysmon's configuration, inferred from the mix of events", bold))
	} else {
		p.line("%s", p.style("Sysmon's configuration, schema "+Terminal(r.Schema), bold))
	}
	for _, n := range r.Notes {
		p.line("  %s", Terminal(n))
	}
	p.sysmonGaps(r)
	for _, m := range r.Missing {
		if m.Seen == 0 {
			p.line("  %s: there is no %s", m.Event, Terminal(m.Name))
		} else {
			p.line("  %s never tells of the %s %s, of which others tell %s times", m.Event, m.What, Terminal(m.Name), grouped(m.Seen))
		}
	}
	p.sysmonChanges(r)
}

func (p *page) sysmonGaps(r *sysmon.Report) {
	if len(r.Places) > 0 {
		rows := [][]string{{"AN UNKNOWN PROGRAM IN", "START LOGGED", "CONNECT TO 443"}}
		for _, x := range r.Places {
			rows = append(rows, []string{x.Folder + " (" + x.What + ")", x.Start, x.Connect})
		}
		p.line("")
		p.grid("  ", rows)
	}
	p.sysmonPorts(r.Ports)
	if len(r.Classes) > 0 {
		rows := [][]string{{"CONNECTS TO 443 OF KNOWN PROGRAMS", "LOGGED", "NOT", "DEPENDS"}}
		for _, c := range r.Classes {
			rows = append(rows, append([]string{c.Class}, cells3(c.Logged)...))
		}
		p.line("")
		p.grid("  ", rows)
	}
	if len(r.Services) > 0 {
		rows := [][]string{{"WEB SERVICES NOT SEEN WHOLE", "LOOKUPS LOGGED", "NOT", "DEPENDS", "CONNECTS LOGGED", "NOT", "DEPENDS"}}
		for _, s := range r.Services {
			rows = append(rows, append(append([]string{hiding(&s)}, cells3(s.Lookups)...), cells3(s.Connect)...))
		}
		p.line("")
		p.grid("  ", rows)
	}
}

// hiding names a class with the first service that is hidden.
func hiding(s *sysmon.Service) string {
	if len(s.Hidden) == 0 {
		return s.Class
	}
	return s.Class + " (such as " + s.Hidden[0] + ")"
}

func cells3(l sysmon.Logged) []string {
	return []string{grouped(int64(l.Yes)), grouped(int64(l.No)), grouped(int64(l.Depends))}
}

// sysmonPorts writes a line for all ports that fare alike.
func (p *page) sysmonPorts(all []sysmon.Port) {
	if len(all) == 0 {
		return
	}
	var order []sysmon.Logged
	names := make(map[sysmon.Logged][]string)
	for _, x := range all {
		if names[x.Logged] == nil {
			order = append(order, x.Logged)
		}
		names[x.Logged] = append(names[x.Logged], fmt.Sprintf("%s %d", x.Transport, x.Port))
	}
	rows := [][]string{{"CONNECTS FROM THESE FOLDERS", "LOGGED", "NOT", "DEPENDS"}}
	for _, l := range order {
		title := "to " + names[l][0]
		if more := len(names[l]) - 1; more > 0 {
			title += fmt.Sprintf(" and %d other ports of TLS", more)
		}
		rows = append(rows, append([]string{title}, cells3(l)...))
	}
	p.line("")
	p.grid("  ", rows)
}

func (p *page) sysmonChanges(r *sysmon.Report) {
	if len(r.Changes) == 0 {
		return
	}
	p.line("")
	p.line("  Changes, one after the other:")
	for i := range r.Changes[:min(len(r.Changes), maxChanges)] {
		c := &r.Changes[i]
		at := ""
		if c.Line > 0 {
			at = fmt.Sprintf(" line %d", c.Line)
		}
		p.line("%3d %s, %s%s: %s", i+1, c.Event, c.Action, at, Terminal(c.Why))
		for _, l := range c.XML {
			p.line("        %s", Terminal(l))
		}
		p.line("      %s", p.style("adds "+added(c), faint))
	}
	p.more(len(r.Changes) - maxChanges)
}

// added writes how many events a change adds.
func added(c *sysmon.Change) string {
	switch {
	case c.Events == nil:
		return "an unknown number of events"
	case c.PerDay == nil:
		return between(float64(*c.Events), float64(*c.EventsMost)) + " events, of the evidence, which is shorter than a day"
	}
	return between(*c.PerDay, *c.PerDayAtMost) + " events a day, by the evidence"
}

func between(least, most float64) string {
	whole := func(x float64) string { return grouped(int64(math.Round(min(x, math.MaxInt64/2)))) }
	switch {
	case whole(least) == whole(most):
		return whole(most)
	case least < 0.5:
		return "up to " + whole(most)
	}
	return whole(least) + " to " + whole(most)
}
