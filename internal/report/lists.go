package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/score"
)

// maxListed bounds the lines of each list beside the findings.
const maxListed = 10

// lists writes what is said beside the findings.
func (p *page) lists(d *finding.Document) {
	section(p, "Told before, and no stronger since", d.ToldBefore, func(t *finding.ToldBefore) string {
		return fmt.Sprintf("#%d %s, score %.2f (%.2f when told), first told %s",
			t.Rank, pair(t.Program, t.Domain), t.Score, t.ScoreThen, t.FirstTold.Format(time.DateOnly))
	})
	section(p, "Expected, so not told", d.Expected, func(e *finding.Expected) string {
		return fmt.Sprintf("%s, score %.2f: %s (%s, until %s)", pair(e.Program, e.Domain), e.Score, e.Reason, e.Owner, e.Expires)
	})
	section(p, "New programs on several hosts", d.NewPrograms, func(n *finding.NewProgram) string {
		return fmt.Sprintf("%s on %d hosts since %s, to %s",
			n.Program, n.Hosts, n.FirstSeen.Format("2006-01-02 15:04"), strings.Join(n.Domains, ", "))
	})
	section(p, "There from the first day on, and not told: to be looked at once", d.Standing, func(s *finding.Standing) string {
		sent := "unknown"
		if s.BytesOut != nil {
			sent = score.Bytes(*s.BytesOut)
		}
		return fmt.Sprintf("#%d %s, score %.2f, %s on %s, %s sent",
			s.Rank, pair(s.Program, s.Domain), s.Score, sessions(s.Sessions), hosts(s.Hosts), sent)
	})
}

// section writes a list, if there is anything in it.
func section[T any](p *page, title string, list []T, text func(*T) string) {
	if len(list) == 0 {
		return
	}
	p.line("")
	p.line("%s", p.style(title, bold))
	for i := range list[:min(len(list), maxListed)] {
		p.line("  %s", Terminal(text(&list[i])))
	}
	if more := len(list) - maxListed; more > 0 {
		p.line("  and %d more (--json has all)", more)
	}
}

func pair(program, domain string) string {
	if program == "" {
		program = "(unknown)"
	}
	return program + " to " + domain
}

func hosts(n int) string {
	if n == 1 {
		return "1 host"
	}
	return fmt.Sprintf("%d hosts", n)
}

// since says what came after a finding was told.
func since(u *finding.Update) string {
	var grew []string
	for _, g := range u.Grew {
		switch g {
		case finding.GrewScore:
			grew = append(grew, fmt.Sprintf("score %.2f", u.ScoreThen))
		case finding.GrewHosts:
			grew = append(grew, hosts(u.HostsThen))
		case finding.GrewBytes:
			if u.BytesThen != nil {
				grew = append(grew, score.Bytes(*u.BytesThen)+" sent")
			}
		}
	}
	told := "told on " + u.LastTold.Format(time.DateOnly)
	if len(grew) == 0 {
		return told + ", and it goes on"
	}
	return told + " with " + strings.Join(grew, ", ")
}
