package html

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/report"
	"github.com/postern/postern/internal/score"
)

// A pageView is what the page but its cards shows.
type pageView struct {
	Style  template.CSS
	Script template.JS
	Policy string

	Analytic string
	Period   string // "" without sessions
	Facts    []string
	Tiles    []tile
	Rows     []rowView
	Unlisted int // findings beyond those in the table
	Read     []readView
	Problems []problem
	More     int // problems
	Summary  *finding.Summary
	Joined   []fact

	Hosts     []hostView
	MoreHosts int

	Coverage *coverageView // nil when nothing is known of it
}

// A fact is a label and a text.
type fact struct{ Label, Text string }

// A tile answers one of the four questions for all sessions.
type tile struct {
	Question report.Question
	Title    string
	Sessions string // that share
	Bytes    string
	Of       string // what is known in that share of sessions
	Bars     []bar
}

// A bar is a share, in thousandths of its picture's width.
type bar struct{ Width int }

func barOf(x *float64) bar {
	if x == nil {
		return bar{}
	}
	return bar{int(1000 * *x)}
}

func view(d *finding.Document) *pageView {
	s := clean(&d.Summary)
	v := &pageView{Analytic: text(d.Analytic), Summary: s, Tiles: tiles(&s.Account)}
	if s.First != nil && s.Last != nil {
		v.Period = span(*s.First, *s.Last) + " UTC"
	}
	v.Facts = []string{
		plural(int64(len(s.Hosts)), "host") + " with endpoint telemetry", grouped(s.Flows) + " flows",
		grouped(s.Sessions) + " outbound TLS sessions",
	}
	v.Rows = rows(d.Findings[:min(len(d.Findings), maxRows)])
	v.Unlisted = s.FindingsUnlisted + len(d.Findings) - len(v.Rows)
	v.Read = read(s.Inputs)
	v.Problems, v.More = problems(s.Inputs)
	v.Joined = joined(s)
	v.Hosts = hosts(s.Hosts[:min(len(s.Hosts), maxHosts)])
	v.MoreHosts = len(s.Hosts) - len(v.Hosts)
	return v
}

func tiles(a *finding.Account) []tile {
	known := func(part *float64) string {
		if part == nil {
			return "no bytes are known"
		}
		return percent(part) + " of the known bytes"
	}
	var sized *float64
	if a.Sessions > 0 {
		x := float64(a.Sessions-a.SessionsNoBytes) / float64(a.Sessions)
		sized = &x
	}
	return []tile{
		{report.Who, "Which process?", percent(a.OwnedSessions), known(a.OwnedBytes), "program known", []bar{barOf(a.OwnedSessions), barOf(a.OwnedBytes)}},
		{report.Where, "Where to?", percent(a.NamedSessions), known(a.NamedBytes), "destination named", []bar{barOf(a.NamedSessions), barOf(a.NamedBytes)}},
		{report.HowMuch, "How much?", percent(sized), score.Bytes(a.BytesOut) + " known to have left", "volume known", []bar{barOf(sized)}},
		{report.Persists, "Did it persist?", percent(a.TimedSessions), known(a.TimedBytes), "duration known", []bar{barOf(a.TimedSessions), barOf(a.TimedBytes)}},
	}
}

// A rowView is a finding in the table.
type rowView struct {
	ID, Program, Image, Class string
	Rank                      int
	Score, Tier               string
	Bar                       scoreBar
	Destination, Service      string
	Host                      string
	Hosts                     int // beside the first
	Sent, Sessions, Unit      string
	Period, First             string
	Last                      string
	Sort                      sortKeys
}

// sortKeys are what the script sorts rows by.
type sortKeys struct {
	Sent, Sessions int64
	Period         float64
	First          int64
}

func rows(all []finding.Finding) []rowView {
	scale := scaleOf(all)
	out := make([]rowView, 0, len(all))
	for i := range all {
		out = append(out, row(&all[i], scale))
	}
	return out
}

// short keeps a table's cell readable, and a table of hostile names bearable.
func short(s string) string { return report.Shorten(s, 80) }

// row reads little of what may be much, and cleans that.
func row(raw *finding.Finding, scale scale) rowView {
	f := clean(&finding.Finding{
		ID: raw.ID, Rank: raw.Rank, Score: raw.Score, Tier: raw.Tier, Parts: raw.Parts, Program: raw.Program,
		Destination: finding.Destination{
			Name: raw.Destination.Name, Ports: raw.Destination.Ports,
			Service: raw.Destination.Service, ServiceClass: raw.Destination.ServiceClass,
		},
		Hosts: raw.Hosts[:min(len(raw.Hosts), 1)], Sessions: raw.Sessions, BytesOut: raw.BytesOut,
		SessionsUnknownBytes: raw.SessionsUnknownBytes, FirstSeen: raw.FirstSeen, LastSeen: raw.LastSeen, PeriodSeconds: raw.PeriodSeconds,
	})
	v := rowView{
		ID: f.ID, Rank: f.Rank, Score: fmt.Sprintf("%.2f", f.Score), Tier: string(f.Tier), Bar: scale.bar(f.Parts),
		Program: short(cmp.Or(f.Program.Name, "(unknown program)")), Image: short(f.Program.Image), Class: short(f.Program.Class),
		Destination: short(f.Destination.Name), Service: short(strings.TrimSpace(f.Destination.Service + " " + f.Destination.ServiceClass)),
		Sent: sent(f), Sessions: grouped(f.Sessions), Unit: strings.TrimLeft(plural(f.Sessions, "session"), "0123456789, "),
		First: f.FirstSeen.UTC().Format(toMinute), Last: f.LastSeen.UTC().Format(toMinute),
		Sort: sortKeys{Sessions: f.Sessions, First: f.FirstSeen.Unix(), Sent: -1},
	}
	if len(f.Destination.Ports) == 1 && f.Destination.Ports[0] != 443 {
		v.Destination += fmt.Sprintf(":%d", f.Destination.Ports[0])
	}
	if len(f.Hosts) > 0 {
		v.Host, v.Hosts = short(f.Hosts[0]), len(raw.Hosts)-1
	}
	if f.BytesOut != nil {
		v.Sort.Sent = *f.BytesOut
	}
	if f.PeriodSeconds != nil {
		v.Period, v.Sort.Period = score.Seconds(*f.PeriodSeconds), *f.PeriodSeconds
	}
	return v
}

// A readView sums up inputs that are alike.
type readView struct {
	Format, Status, Clock               string
	Inputs, Records, Events, Unreadable string
}

func read(inputs []finding.Input) []readView {
	type group struct{ format, status, clock string }
	type sums struct{ inputs, records, events, skipped int64 }
	by := make(map[group]sums)
	for i := range inputs {
		in := &inputs[i]
		g := group{cmp.Or(in.Format, "(no format)"), in.Status, in.Clock}
		t := by[g]
		by[g] = sums{t.inputs + 1, t.records + in.Records, t.events + in.Events, t.skipped + in.Skipped}
	}
	var out []readView
	for _, g := range slices.SortedFunc(maps.Keys(by), func(a, b group) int {
		return cmp.Or(cmp.Compare(a.format, b.format), cmp.Compare(a.status, b.status), cmp.Compare(a.clock, b.clock))
	}) {
		t := by[g]
		out = append(out, readView{g.format, g.status, g.clock, grouped(t.inputs), grouped(t.records), grouped(t.events), grouped(t.skipped)})
	}
	return out
}

// maxProblems bounds how many inputs with problems the page names.
const maxProblems = 50

type problem struct{ Path, Text string }

func problems(inputs []finding.Input) (out []problem, more int) {
	for i := range inputs {
		in := &inputs[i]
		var texts []string
		if in.Error != "" && in.Status != "ignored" {
			texts = append(texts, in.Error)
		}
		if in.Skipped > 0 {
			texts = append(texts, grouped(in.Skipped)+" unreadable: "+counts(in.SkipReasons))
		}
		for _, t := range append(texts, in.Warnings...) {
			if len(out) < maxProblems {
				out = append(out, problem{in.Path, t})
			} else {
				more++
			}
		}
	}
	return out, more
}

// maxHosts bounds how many hosts the page lists.
const maxHosts = 500

type hostView struct{ Name, Addresses, Clock string }

func hosts(all []finding.Host) []hostView {
	var out []hostView
	for i := range all {
		h := hostView{short(all[i].Name), listed(all[i].Addresses), "unknown"}
		if o := all[i].ClockOffset; o != nil {
			h.Clock = fmt.Sprintf("%+.2f s", *o)
		}
		out = append(out, h)
	}
	return out
}

func joined(s *finding.Summary) []fact {
	all := []fact{
		{"Flows by owner", counts(s.ByRung)},
		{"Without owner because", counts(s.UnownedBy)},
		{"Connects of endpoints", counts(s.ConnectOutcomes)},
		{"Outbound TLS sessions by owner", counts(s.SessionsByRung)},
	}
	if s.Contradictory > 0 {
		all = append(all, fact{"Two sources name different programs", plural(s.Contradictory, "flow")})
	}
	return slices.DeleteFunc(all, func(f fact) bool { return f.Text == "" })
}
