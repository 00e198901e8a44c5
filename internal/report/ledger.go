package report

import (
	"fmt"
	"io"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/score"
)

// LedgerText writes the ledger for a terminal: the headline, then a table by
// host, by sensor and by hour.
func LedgerText(w io.Writer, l *finding.Ledger, o Options) error {
	p := page{Options: o}
	p.line("%s", p.style("Ledger: what of the evidence joined, and why the rest did not", bold))
	p.line("")
	p.line("  with an owner: %s of outbound TLS sessions, %s", percent(l.Total.OwnedSessions), ownedBytes(&l.Total))
	p.line("  %s flows by owner: %s", grouped(l.Total.Flows), counts(l.Total.ByRung, ", "))
	p.line("  without owner because: %s", counts(l.Total.UnownedBy, ", "))
	p.line("  %s connects of endpoints: %s", grouped(l.Total.Connects), counts(l.Total.ConnectOutcomes, ", "))
	p.line("  %s lookups by hosts; %s flows of which two sources name different programs; %s handshakes and %s proxy requests stand for their flow",
		grouped(l.Lookups), grouped(l.Contradictory), grouped(l.HandshakesAlone), grouped(l.RequestsAlone))
	p.accounts("HOST", named(l.Hosts))
	p.accounts("SENSOR", named(l.Sensors))
	p.accounts("HOUR (UTC)", hourly(l.Hours))
	p.problems(l.Inputs)
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("writing the ledger: %w", err)
	}
	return nil
}

// An entry is a line of a table of accounts.
type entry struct {
	name    string
	account *finding.Account
}

func named(list []finding.NamedAccount) []entry {
	var all []entry
	for i := range list {
		all = append(all, entry{Terminal(list[i].Name), &list[i].Account})
	}
	return all
}

func hourly(list []finding.HourlyAccount) []entry {
	var all []entry
	for i := range list {
		all = append(all, entry{list[i].Hour.Format(time.DateOnly + " 15:04"), &list[i].Account})
	}
	return all
}

// accounts writes a table: flows by the rung of their owner, connects by what
// became of them, and the outbound TLS sessions with their bytes.
func (p *page) accounts(title string, entries []entry) {
	if len(entries) == 0 {
		return
	}
	width := ansi.StringWidth(title)
	for _, e := range entries {
		width = max(width, min(40, ansi.StringWidth(e.name)))
	}
	p.line("")
	p.line("%s", p.style(fmt.Sprintf("%-*s  %10s %10s %9s %9s %9s  %10s %10s  %9s %7s %10s %7s", width, title,
		"FLOWS", "EXACT", "LOOKUP", "HOST", "NONE", "CONNECTS", "JOINED", "TLS", "OWNED", "SENT", "OWNED"), bold))
	for _, e := range entries {
		a := e.account
		name := ansi.Truncate(e.name, width, "…")
		for ansi.StringWidth(name) < width {
			name += " "
		}
		p.line("%s  %10s %10s %9s %9s %9s  %10s %10s  %9s %7s %10s %7s", name, grouped(a.Flows),
			rung(a, event.RungExact), rung(a, event.RungLookup), rung(a, event.RungHost), rung(a, event.RungNone),
			grouped(a.Connects), grouped(a.ConnectOutcomes["joined"]),
			grouped(a.Sessions), percentOr(a.OwnedSessions), score.Bytes(a.BytesOut), percentOr(a.OwnedBytes))
	}
}

func rung(a *finding.Account, r event.Rung) string { return grouped(a.ByRung[r.String()]) }

// percentOr is percent for a narrow column.
func percentOr(x *float64) string {
	if x == nil {
		return "?"
	}
	return fmt.Sprintf("%.1f%%", 100**x)
}
