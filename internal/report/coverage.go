package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/postern/postern/internal/coverage"
	"github.com/postern/postern/internal/score"
)

// The bounds of what the text lists; the JSON has all.
const (
	maxHosts = 40
	maxSpots = 15
)

// CoverageText writes for a terminal what could not be seen.
func CoverageText(w io.Writer, d *coverage.Document, o Options) error {
	p := page{Options: o}
	p.line("%s", p.style("Coverage: what of the outbound TLS sessions could be seen", bold))
	p.line("")
	p.known(d)
	p.blindSpots(d.BlindSpots)
	p.coveredParts("SITE", d.Sites)
	p.coveredParts("ROLE", d.Roles)
	p.coveredHosts(d)
	p.traffic(d.Traffic)
	p.retention(d)
	if d.Sysmon != nil {
		p.sysmon(d.Sysmon)
	}
	p.problems(d.Inputs)
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("writing the coverage: %w", err)
	}
	return nil
}

func (p *page) known(d *coverage.Document) {
	k := &d.Total
	if k.Sessions == 0 {
		p.line("  there is no outbound TLS session in the evidence")
		return
	}
	if d.First != nil && d.Last != nil {
		p.line("  %s, %s by the wire, from %s to %s UTC", sessions(k.Sessions), grouped(k.OnWire), d.First.Format(minute), d.Last.Format(minute))
	}
	p.line("  they sent %s", AtLeast(k.BytesOut, k.NoBytes))
	for _, q := range []struct {
		name string
		*coverage.Answer
	}{
		{"who (process)", &k.Who},
		{"where (name)", &k.Where},
		{"how much (bytes)", &k.HowMuch},
		{"persisted (time)", &k.Persisted},
		{"all four", &k.All},
	} {
		line := fmt.Sprintf("  %-17s %s of sessions", q.name, cmp.Or(shareOf(q.Share), "an unknown share"))
		if q.Bytes != nil {
			line += fmt.Sprintf(", %s of known bytes", shareOf(q.Bytes))
		}
		p.line("%s", line)
	}
	if k.OnWire == 0 {
		p.line("  no network sensor saw any of them: only the endpoints say what there was")
	}
	n := d.Population
	p.line("  hosts: %d seen by wire and endpoint, %d by the wire only, %d by their endpoint only, %d of the inventory by neither",
		n.Both, n.WireOnly, n.EndpointOnly, len(n.Unseen))
	p.translators(d.Translators)
}

// shareOf writes a share, "" where it is not known.
func shareOf(x *float64) string {
	if x == nil {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100**x)
}

// AtLeast writes bytes beside which some sessions are of unknown size.
func AtLeast(bytes *int64, unknown int64) string {
	switch {
	case bytes == nil:
		return "unknown bytes"
	case unknown > 0:
		return fmt.Sprintf("%s and %s of unknown size", score.Bytes(*bytes), sessions(unknown))
	}
	return score.Bytes(*bytes)
}

var questionTitles = map[string]string{"who": "who", "where": "where", "how_much": "how much", "persisted": "persisted"}

func (p *page) blindSpots(all []coverage.BlindSpot) {
	p.line("")
	p.line("%s", p.style("Blind spots, the most bytes at risk first", bold))
	if len(all) == 0 {
		p.line("  none")
	}
	for i, s := range all[:min(len(all), maxSpots)] {
		p.line("%3d %-9s %s in %s on %s", i+1, questionTitles[s.Question], AtLeast(s.BytesOut, s.NoBytes), sessions(s.Sessions), hosts(s.Hosts))
		p.line("              %s (%s)", s.Text, s.Cause)
		p.line("              %s", p.style("→ "+Terminal(s.Fix), faint))
	}
	p.more(len(all) - maxSpots)
}

// answers are the cells of a row of a table.
func answers(k *coverage.Known) []string {
	cell := func(x *float64) string { return cmp.Or(shareOf(x), "?") }
	bytes := "?"
	if k.BytesOut != nil {
		bytes = score.Bytes(*k.BytesOut)
		if k.NoBytes > 0 {
			bytes = "≥ " + bytes
		}
	}
	return []string{
		grouped(k.Sessions), bytes, cell(k.Who.Share), cell(k.Who.Bytes), cell(k.Where.Share), cell(k.Where.Bytes),
		cell(k.HowMuch.Share), cell(k.Persisted.Share), cell(k.Persisted.Bytes),
	}
}

var answerTitles = []string{"SESSIONS", "SENT", "WHO", "OF BYTES", "WHERE", "OF BYTES", "HOW MUCH", "PERSISTED", "OF BYTES"}

func (p *page) coveredParts(title string, parts []coverage.Part) {
	if len(parts) < 2 && (len(parts) == 0 || parts[0].Name == "") {
		return
	}
	rows := [][]string{append([]string{title, "HOSTS"}, answerTitles...)}
	for i := range parts {
		row := []string{cmp.Or(Terminal(parts[i].Name), "(unknown)"), grouped(int64(parts[i].Hosts))}
		rows = append(rows, append(row, answers(&parts[i].Known)...))
	}
	p.line("")
	p.grid("", rows)
}

func (p *page) coveredHosts(d *coverage.Document) {
	if len(d.Hosts) == 0 {
		return
	}
	rows := [][]string{append([]string{"HOST", "WIRE", "ENDPOINT"}, answerTitles...)}
	shown := LeastKnown(d.Hosts, maxHosts)
	for i := range shown {
		h := &shown[i]
		wire := "no"
		if h.OnWire {
			wire = "yes"
		}
		row := []string{cmp.Or(Terminal(h.Name), "(unknown)"), wire, h.Endpoint}
		rows = append(rows, append(row, answers(&h.Known)...))
	}
	p.line("")
	p.grid("", rows)
	p.more(len(d.Hosts) - maxHosts)
	p.hostProblems(d.Hosts)
}

// LeastKnown returns at most n hosts, those first of which the most sessions are
// not known as a whole: what the bound leaves out is what matters least.
func LeastKnown(all []coverage.Host, n int) []coverage.Host {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b coverage.Host) int {
		return cmp.Compare(b.Sessions-b.All.Sessions, a.Sessions-a.All.Sessions)
	})
	return all[:min(len(all), n)]
}

func (p *page) hostProblems(all []coverage.Host) {
	n := 0
	for i := range all {
		for _, problem := range all[i].Problems {
			if n++; n == 1 {
				p.line("")
				p.line("%s", p.style("Endpoint telemetry that is not whole", bold))
			}
			if n <= maxHosts {
				p.line("  %s: %s", Terminal(all[i].Name), Terminal(problem.Text))
			}
		}
	}
	p.more(n - maxHosts)
}

func (p *page) traffic(all []coverage.Traffic) {
	if len(all) == 0 {
		return
	}
	p.line("")
	p.line("%s", p.style("Traffic that is harder to see, or to control", bold))
	for _, t := range all {
		p.line("  %s, %s, on %s: %s", sessions(t.Sessions), AtLeast(t.BytesOut, t.NoBytes), hosts(t.Hosts), t.Text)
		p.line("    %s", p.style("→ "+t.Fix, faint))
	}
}

func (p *page) retention(d *coverage.Document) {
	if len(d.Sources) == 0 {
		return
	}
	p.line("")
	rows := [][]string{{"SOURCE", "KIND", "EVENTS", "OLDEST USABLE DAY", "DAYS"}}
	for _, s := range d.Sources {
		rows = append(rows, []string{cmp.Or(Terminal(s.Name), "(unnamed)"), s.Kind, grouped(s.Events), s.Oldest, fmt.Sprintf("%.1f", s.Days)})
	}
	p.grid("", rows)
	for _, n := range d.Needs {
		if len(n.Lacking) > 0 || n.Hosts > 0 {
			p.line("  %.0f days are needed so that %s: %d of %d sources, and the logs of %s, do not reach as far",
				n.Days, n.What, len(n.Lacking), len(d.Sources), hosts(n.Hosts))
		}
	}
}
