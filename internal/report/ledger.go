package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
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
	p.line("  %s lookups by hosts; %s flows of which two sources name different programs; %s handshakes and %s of %s proxy requests stand for their flow",
		grouped(l.Lookups), grouped(l.Contradictory), grouped(l.HandshakesAlone), grouped(l.RequestsAlone), grouped(l.Requests))
	p.communityIDs(l.CommunityIDs)
	p.translators(l.Translators)
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

// communityIDs says which sensors' Community IDs match which.
func (p *page) communityIDs(all []finding.CommunityIDs) {
	for _, c := range all {
		if c.Seed == nil {
			p.line("  ! Community IDs of %s are made with none of the seeds tried: they match no others", Terminal(c.Sensor))
			continue
		}
		p.line("  Community IDs of %s are made with seed %d", Terminal(c.Sensor), *c.Seed)
	}
}

// maxBehind bounds how many hosts behind an address are named.
const maxBehind = 5

// translators names the addresses behind which hosts stand.
func (p *page) translators(all []finding.Translator) {
	for _, t := range all {
		var hosts []string
		for _, h := range t.Hosts {
			hosts = append(hosts, Terminal(h.Name))
		}
		hosts = slices.Compact(hosts) // of one host with two addresses
		names := strings.Join(hosts[:min(len(hosts), maxBehind)], ", ")
		if more := len(hosts) - maxBehind; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		p.line("  behind NAT at %s: %s; %s flows joined across it, %s not", Terminal(t.Address), names, grouped(t.FlowsJoined), grouped(t.FlowsBehind))
	}
}

// A cell is a column of a table of accounts.
type cell struct {
	title string
	text  func(*finding.Account) string
}

// accounts writes two tables: flows by the rung of their owner, connects, and
// the outbound TLS sessions with their bytes; and then why the rest did not
// join. Columns that are zero for all are left out.
func (p *page) accounts(title string, entries []entry) {
	if len(entries) == 0 {
		return
	}
	cells := []cell{{"FLOWS", func(a *finding.Account) string { return grouped(a.Flows) }}}
	for r := event.RungNative; r <= event.RungNone; r++ {
		cells = used(cells, entries, strings.ToUpper(r.String()), r.String(), func(a *finding.Account) map[string]int64 { return a.ByRung })
	}
	p.table(title, entries, append(cells,
		cell{"CONNECTS", func(a *finding.Account) string { return grouped(a.Connects) }},
		cell{"JOINED", func(a *finding.Account) string { return grouped(a.ConnectOutcomes["joined"]) }},
		cell{"TLS", func(a *finding.Account) string { return grouped(a.Sessions) }},
		cell{"OWNED", func(a *finding.Account) string { return percentOr(a.OwnedSessions) }},
		cell{"SENT", func(a *finding.Account) string { return score.Bytes(a.BytesOut) }},
		cell{"OWNED", func(a *finding.Account) string { return percentOr(a.OwnedBytes) }},
	))
	p.table(title+": not joined", entries, unjoined(entries))
}

// shorts are titles for reasons and outcomes that are too long for a column.
var shorts = map[string]string{
	"host without endpoint telemetry": "NO TELEMETRY",
	"address held by several hosts":   "SEVERAL HOSTS",
	"older than the endpoint's log":   "BEFORE LOG",
	"newer than the endpoint's log":   "AFTER LOG",
	"no event in the endpoint's log":  "NO EVENT",
	"clock of the endpoint unknown":   "NO CLOCK",
}

// short returns the title of a reason's or an outcome's column.
func short(name string) string {
	if s, ok := shorts[name]; ok {
		return s
	}
	return strings.ToUpper(name)
}

// unjoined returns a column for each reason that any account has: of flows
// without an owner, then of connects without a flow.
func unjoined(entries []entry) []cell {
	flows, connects := make(map[string]bool), make(map[string]bool)
	for _, e := range entries {
		for name := range e.account.UnownedBy {
			flows[name] = true
		}
		for name := range e.account.ConnectOutcomes {
			connects[name] = name != "joined"
		}
	}
	var cells []cell
	for _, name := range slices.Sorted(maps.Keys(flows)) {
		cells = used(cells, entries, short(name), name, func(a *finding.Account) map[string]int64 { return a.UnownedBy })
	}
	for _, name := range slices.Sorted(maps.Keys(connects)) {
		if connects[name] {
			cells = used(cells, entries, short(name), name, func(a *finding.Account) map[string]int64 { return a.ConnectOutcomes })
		}
	}
	return cells
}

// used adds a column of counts, unless they are zero for all.
func used(cells []cell, entries []entry, title, name string, of func(*finding.Account) map[string]int64) []cell {
	if !slices.ContainsFunc(entries, func(e entry) bool { return of(e.account)[name] != 0 }) {
		return cells
	}
	return append(cells, cell{title, func(a *finding.Account) string { return grouped(of(a)[name]) }})
}

// table writes entries below the titles of the cells.
func (p *page) table(title string, entries []entry, cells []cell) {
	if len(cells) == 0 {
		return
	}
	rows := make([][]string, len(entries))
	for i, e := range entries {
		rows[i] = []string{ansi.Truncate(e.name, 40, "…")}
		for _, c := range cells {
			rows[i] = append(rows[i], c.text(e.account))
		}
	}
	heads := []string{title}
	for _, c := range cells {
		heads = append(heads, c.title)
	}
	widths := make([]int, len(heads))
	for _, row := range append(rows, heads) {
		for i, c := range row {
			widths[i] = max(widths[i], ansi.StringWidth(c))
		}
	}
	p.line("")
	p.line("%s", p.style(aligned(heads, widths), bold))
	for _, row := range rows {
		p.line("%s", aligned(row, widths))
	}
}

// aligned puts the first of cells to the left and the others to the right.
func aligned(cells []string, widths []int) string {
	var b strings.Builder
	for i, c := range cells {
		pad := strings.Repeat(" ", widths[i]-ansi.StringWidth(c))
		if i == 0 {
			b.WriteString(c + pad)
			continue
		}
		b.WriteString("  " + pad + c)
	}
	return strings.TrimRight(b.String(), " ")
}

// percentOr is percent for a narrow column.
func percentOr(x *float64) string {
	if x == nil {
		return "?"
	}
	return fmt.Sprintf("%.1f%%", 100**x)
}
