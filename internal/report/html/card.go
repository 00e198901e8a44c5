package html

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/report"
	"github.com/postern/postern/internal/report/pivot"
	"github.com/postern/postern/internal/score"
)

// A card is a finding with all that is to be seen of it.
type card struct {
	*finding.Finding
	Open    bool
	Title   string
	Sent    string
	Span    string
	Service string
	Parts   []partView

	Standing string // what its tier says

	Trees     []tree
	Instances []instance // the others
	More      int        // instances beyond those

	Where   []fact
	Prints  []printView
	Others  []finding.User
	Visited string

	Volume      []fact
	Days, Hours *columns
	DayEnds     [2]string
	Peak        string
	Largest     []sampleView

	Persists []fact
	Raster   *raster
	Gaps     *histogram
	GapText  []string
	Longest  []sampleView

	Evidence []fact
	Queries  []pivot.Query
	Checks   []report.Check
}

type partView struct {
	finding.Part
	Question report.Question
	Signed   string
	Bar      scoreBar
}

// Bounds of what a card lists; the document has more.
const (
	maxTrees     = 2
	maxInstances = 6
	maxDepth     = 12
	maxSamples   = 5
	maxValues    = 8
)

// A period is the time of the evidence.
type period struct{ from, to time.Time }

func periodOf(s *finding.Summary) period {
	if s.First == nil || s.Last == nil {
		return period{}
	}
	return period{s.First.UTC(), s.Last.UTC()}
}

func cardView(raw *finding.Finding, frame period, open bool) *card {
	// Of the processes only those shown are cleaned: there may be many.
	some := *raw
	some.Processes = nil
	f := clean(&some)
	c := &card{
		Finding: f, Open: open, Sent: sent(f), Span: span(f.FirstSeen, f.LastSeen),
		Title:   cmp.Or(short(f.Program.Name), "(unknown program)"),
		Service: strings.TrimSpace(f.Destination.Service + " " + bracketed(f.Destination.ServiceClass)),
		Queries: pivot.Queries(raw), // quotes in its own way
	}
	c.parts()
	c.Standing = standing(f)
	c.who(report.Instances(raw))
	c.Checks = report.Checklist(f)
	c.where()
	c.volume(frame)
	c.persists()
	c.evidence()
	return c
}

func bracketed(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

// standing says what the finding's place among others means.
func standing(f *finding.Finding) string {
	var s []string
	switch f.Tier {
	case finding.High:
		s = append(s, "Hardly a false alarm among so strong ones.")
	case finding.Budget:
		s = append(s, "Among the strongest that there is time to read.")
	}
	if q := f.QValue; q != nil {
		s = append(s, fmt.Sprintf("Of all findings at least this strong, about %.2g %% are false alarms.", 100**q))
	}
	if u := f.Update; u != nil {
		s = append(s, "Told before, last on "+u.LastTold.UTC().Format(time.DateOnly)+", with a score of "+fmt.Sprintf("%.2f.", u.ScoreThen))
	}
	return strings.Join(s, " ")
}

func (c *card) parts() {
	var most float64
	for _, p := range c.Finding.Parts {
		most = max(most, p.Points, -p.Points)
	}
	side := scale{0, most}
	if slices.ContainsFunc(c.Finding.Parts, func(p finding.Part) bool { return p.Points < 0 }) {
		side.below = most
	}
	for _, p := range c.Finding.Parts {
		c.Parts = append(c.Parts, partView{p, report.QuestionOf(p.Name), signed(p.Points), side.bar([]finding.Part{p})})
	}
}

// A tree is a process with its ancestors, the root first.
type tree struct {
	Host  string
	Nodes []node
	Cut   int // ancestors left out, next to the root
	Facts []fact
}

type node struct {
	Name, Image, Command, User, Started string
	PID                                 uint32
	Last                                bool
}

type instance struct {
	Host, Name, User, Started, Sessions string
	PID                                 uint32
}

// who shows the process that started first, and one that came about in
// another way.
func (c *card) who(all []report.Instance) {
	c.More = max(0, len(all)-maxTrees-maxInstances)
	for i := range all[:len(all)-c.More] {
		p := clean(&all[i])
		c.Processes = append(c.Processes, p.Process) // for the check list
		if len(c.Trees) < maxTrees && (i == 0 || chainOf(p) != chainOf(&all[0])) {
			c.Trees = append(c.Trees, treeOf(p, c.Program.Publisher))
			continue
		}
		c.Instances = append(c.Instances, instance{p.Host, base(p.Image), p.User, stamp(p.Started), grouped(p.Sessions), p.PID})
	}
}

// chainOf tells lineages apart that are worth showing beside each other.
func chainOf(p *report.Instance) string {
	s := p.CommandLine
	for i := range p.Parents {
		s += "\x00" + p.Parents[i].Image
	}
	return s
}

func stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(toSecond)
}

func treeOf(p *report.Instance, publisher string) tree {
	t := tree{Host: p.Host}
	ancestors := p.Parents
	if len(ancestors) > maxDepth {
		t.Cut = len(ancestors) - maxDepth
		ancestors = ancestors[:maxDepth]
	}
	for i := len(ancestors) - 1; i >= 0; i-- {
		a := &ancestors[i]
		t.Nodes = append(t.Nodes, node{base(a.Image), a.Image, a.CommandLine, a.User, stamp(a.Started), a.PID, false})
	}
	t.Nodes = append(t.Nodes, node{base(p.Image), p.Image, p.CommandLine, p.User, stamp(p.Started), p.PID, true})
	t.Facts = facts(
		fact{"Runs", p.Hosted}, fact{"Claims to be by", publisher}, fact{"Hashes", strings.ReplaceAll(p.Hashes, ",", " ")},
		fact{"Also written", strings.Join(p.Spellings, ", ")}, fact{"Another source names instead", p.OtherImage},
		fact{"Sessions", grouped(p.Sessions)},
	)
	return t
}

// facts drops what has no text.
func facts(all ...fact) []fact {
	return slices.DeleteFunc(all, func(f fact) bool { return f.Text == "" })
}

func listed(values []string) string {
	n := min(len(values), maxValues)
	s := strings.Join(values[:n], ", ")
	if more := len(values) - n; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

type printView struct{ JA4, Others string }

func (c *card) where() {
	d := &c.Destination
	var ports []string
	for _, p := range d.Ports {
		ports = append(ports, fmt.Sprint(p))
	}
	c.Where = facts(
		fact{"Name", d.Name}, fact{"Known by", d.NameSource},
		fact{"Other names", listed(slices.DeleteFunc(slices.Clone(d.Names), func(n string) bool { return n == d.Name }))},
		fact{"Registered domain", d.RegisteredDomain}, fact{"Service", c.Service},
		fact{"Addresses", listed(d.Addresses)}, fact{"Ports", listed(ports)},
		fact{"Certificate", listed(c.TLS.Subjects)}, fact{"Issued by", listed(c.TLS.Issuers)}, fact{"JA3", listed(c.TLS.JA3)},
	)
	e := c.Estate
	if e == nil {
		c.Where = append(c.Where, facts(fact{"JA4", listed(c.TLS.JA4)})...)
		return
	}
	for _, p := range e.Fingerprints[:min(len(e.Fingerprints), maxValues)] {
		c.Prints = append(c.Prints, printView{p.JA4, others(p.Programs, p.ProgramsTotal)})
	}
	c.Visited = "First seen in the estate on " + e.FirstSeen.UTC().Format(toMinute) + "; " + plural(int64(e.Hosts), "host") +
		" in all, and " + others(e.Programs, e.ProgramsTotal) + "."
}

// others names programs that do something too.
func others(list []finding.User, total int) string {
	if total == 0 {
		return "no other program"
	}
	var names []string
	for _, u := range list[:min(len(list), maxSamples)] {
		names = append(names, programOf(u)+" ("+plural(int64(u.Hosts), "host")+")")
	}
	s := plural(int64(total), "other program") + ": " + strings.Join(names, ", ")
	if total > len(names) {
		s += " …"
	}
	return s
}

func programOf(u finding.User) string {
	if u.Program == "" {
		return "of unknown owners"
	}
	return base(u.Program)
}

func (c *card) volume(frame period) {
	c.Volume = facts(fact{"Sent", c.Sent}, fact{"Received", bytesOf(c.BytesIn)}, fact{"Sessions", grouped(c.Sessions)})
	if n := c.SessionsUnknownBytes; n > 0 {
		c.Volume = append(c.Volume, fact{"Of unknown size", plural(n, "session")})
	}
	s := c.Series
	if s == nil || len(s.Days) == 0 {
		return
	}
	from, all := framed(s, frame)
	c.DayEnds = [2]string{from.Format("02 Jan"), from.AddDate(0, 0, len(all)-1).Format("02 Jan 2006")}
	days := drawColumns(all, "bytes sent and received on each day")
	hours := drawColumns(s.HoursOfDay, "bytes sent and received in each hour of the day")
	c.Days, c.Hours = &days, &hours
	most := 0
	for i, v := range s.Days {
		if v.BytesOut > s.Days[most].BytesOut {
			most = i
		}
	}
	c.Peak = "most on " + s.From.UTC().AddDate(0, 0, most).Format("02 Jan") + ": " + score.Bytes(s.Days[most].BytesOut) + " out"
	c.Largest = samples(s.Largest, func(s *finding.Sample) float64 {
		if s.BytesOut == nil {
			return 0
		}
		return float64(*s.BytesOut)
	})
}

// framed returns the days of the evidence, with those of s in their places; those
// of s alone where there are more than a picture holds.
func framed(s *finding.Series, frame period) (time.Time, []finding.Volume) {
	const day = 24 * time.Hour
	from, to := frame.from.Truncate(day), frame.to.Truncate(day)
	before := int(s.From.Sub(from) / day)
	n := int(to.Sub(from)/day) + 1
	if before < 0 || n > finding.SeriesDays || before+len(s.Days) > n {
		return s.From.UTC(), s.Days
	}
	all := make([]finding.Volume, n)
	copy(all[before:], s.Days)
	return from, all
}

// A sampleView is a session with a bar of its measure.
type sampleView struct {
	Start, Host, Address, UID, Out, In, Lasted string
	Width                                      int // of 1000
}

func samples(all []finding.Sample, measure func(*finding.Sample) float64) []sampleView {
	var out []sampleView
	for i := range all[:min(len(all), maxSamples)] {
		s := &all[i]
		v := sampleView{
			Start: s.Start.UTC().Format(toSecond), Host: s.Host, Address: s.Address, UID: s.UID,
			Out: bytesOf(s.BytesOut), In: bytesOf(s.BytesIn), Lasted: "unknown",
		}
		if s.Duration != nil {
			v.Lasted = score.Seconds(*s.Duration)
		}
		if most := measure(&all[0]); most > 0 {
			v.Width = int(1000 * measure(s) / most)
		}
		out = append(out, v)
	}
	return out
}

func (c *card) persists() {
	c.Persists = facts(fact{"Active", "in " + plural(int64(c.ActiveHours), "hour") + " on " + plural(int64(c.ActiveDays), "day")})
	if c.PeriodSeconds != nil {
		c.Persists = append(c.Persists, fact{"Fitted period", score.Seconds(*c.PeriodSeconds)})
	}
	s := c.Series
	if s == nil || len(s.Days) == 0 {
		return
	}
	r := drawRaster(s)
	c.Raster = &r
	if h, ok := drawIntervals(s.Intervals, c.PeriodSeconds); ok {
		c.Gaps = &h
		c.GapText = []string{score.Seconds(h.From), score.Seconds(h.To)}
	}
	c.Longest = samples(s.Longest, func(s *finding.Sample) float64 { return *s.Duration })
}

func (c *card) evidence() {
	c.Evidence = facts(fact{"Owner by rung", counts(c.Rungs)}, fact{"TLS by", counts(c.TLS.Evidence)})
	switch {
	case c.TLS.Established == nil:
	case *c.TLS.Established:
		c.Evidence = append(c.Evidence, fact{"Handshake", "completed"})
	default:
		c.Evidence = append(c.Evidence, fact{"Handshake", "never completed"})
	}
}
