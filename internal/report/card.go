package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/report/pivot"
	"github.com/postern/postern/internal/score"
)

// A Question is one of those that the analytic asks of a session.
type Question string

// The questions, and what is none of them: how good the evidence is.
const (
	Who      Question = "process"
	Where    Question = "destination"
	HowMuch  Question = "volume"
	Persists Question = "persistence"
	Evidence Question = "evidence"
)

// QuestionOf returns the question that a part of a score answers.
func QuestionOf(part string) Question {
	switch part {
	case "volume", "transfer":
		return HowMuch
	case "regular_timing", "activity", "off_hours", "new":
		return Persists
	case "odd_port", "self_signed":
		return Where
	}
	kind, _, _ := strings.Cut(part, "_")
	switch kind {
	case "program":
		return Who
	case "destination":
		return Where
	}
	return Evidence
}

// An Instance is a process with all that several sources say of it.
type Instance struct {
	finding.Process
	Spellings []string // of its image beside the first
}

// Instances joins what sources that write an image differently list twice. How
// it all began tells most: the first to start comes first.
func Instances(f *finding.Finding) []Instance {
	var out []Instance
	for i := range f.Processes {
		p := &f.Processes[i]
		at := slices.IndexFunc(out, func(o Instance) bool { return same(&o.Process, p) })
		if at < 0 {
			out = append(out, Instance{Process: *p})
			continue
		}
		o := &out[at]
		o.Sessions += p.Sessions
		o.OtherImage = cmp.Or(o.OtherImage, p.OtherImage)
		if p.Image != o.Image && !slices.Contains(o.Spellings, p.Image) {
			o.Spellings = append(o.Spellings, p.Image)
		}
	}
	slices.SortStableFunc(out, func(a, b Instance) int { return earlier(a.Started, b.Started) })
	return out
}

// earlier orders instants, those that are not known last.
func earlier(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(*b)
}

// same reports whether a and b are one process. Without an identity, a PID
// tells only together with a start.
func same(a, b *finding.Process) bool {
	switch {
	case a.Host != b.Host || a.PID != b.PID:
		return false
	case a.GUID != "" || b.GUID != "":
		return a.GUID == b.GUID
	}
	return a.Started != nil && b.Started != nil && a.Started.Equal(*b.Started)
}

// A Check is a step of judging a finding, in the order of the analytic.
type Check struct {
	Topic    string
	Question string
	Known    string // what the evidence already says
}

// Checklist returns the steps for f.
func Checklist(f *finding.Finding) []Check {
	return []Check{
		{"Lineage", "Did a person or a known tool start this program, and is the program what it says it is?", lineage(f)},
		{"Destination", "Whose is the other end, and what does this host want there?", whither(f)},
		{"Volume", "What was sent, and would its owner have sent it?", "Sent " + sent(f) + " in " + plural(f.Sessions, "session") + "."},
		{"Persistence", "Does it come back after a restart or a logon, and what starts it?", recurs(f)},
		{"Expected", "If there is a business reason, who owns it and until when? Declare it. If there is none, escalate with this card.", ""},
	}
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}

// base is the file name of a Windows path.
func base(path string) string {
	name := path[strings.LastIndexAny(path, `\/`)+1:]
	return cmp.Or(name, path, "(unknown)")
}

// chain is a lineage in one line, the root first.
func chain(p *finding.Process) string {
	var names []string
	for i := len(p.Parents) - 1; i >= 0; i-- {
		names = append(names, base(p.Parents[i].Image))
	}
	return strings.Join(append(names, base(p.Image)), " → ")
}

func lineage(f *finding.Finding) string {
	all := Instances(f)
	if len(all) == 0 {
		return "The process is not known."
	}
	p := &all[0].Process
	text := chain(p)
	if p.User != "" {
		text += ", as " + p.User
	}
	if f.Program.Publisher == "" {
		return text + ". Its file names no publisher."
	}
	return text + ". Its file claims to be by " + f.Program.Publisher + ", which is not verified."
}

func whither(f *finding.Finding) string {
	var s []string
	d := &f.Destination
	switch {
	case len(d.Members) > 0:
		s = append(s, d.Name+": "+strings.Join(d.Members, ", ")+".")
	case d.Service != "":
		s = append(s, d.Name+" belongs to "+d.Service+" ("+d.ServiceClass+").")
	default:
		s = append(s, d.RegisteredDomain+" is not in the catalogue of services.")
	}
	if e := f.Estate; e != nil {
		s = append(s, fmt.Sprintf("First seen in the estate on %s; %s; by %s.", e.FirstSeen.Format(time.DateOnly),
			"hosts here that go there: "+grouped(int64(e.Hosts)), plural(int64(e.ProgramsTotal), "other program")))
	}
	return strings.Join(s, " ")
}

func recurs(f *finding.Finding) string {
	text := fmt.Sprintf("Seen over %s, active in %s on %s.", score.Seconds(f.LastSeen.Sub(f.FirstSeen).Seconds()),
		plural(int64(f.ActiveHours), "hour"), plural(int64(f.ActiveDays), "day"))
	if f.PeriodSeconds != nil {
		text += " It calls every " + score.Seconds(*f.PeriodSeconds) + "."
	}
	if n := len(Instances(f)); n > 1 {
		text += " " + plural(int64(n), "process instance") + " made the sessions."
	}
	return text
}

// A card is a finding in sections that both a terminal and a ticket show. Its
// text is still hostile.
type card struct {
	title    string
	sections []chapter
	queries  []pivot.Query
	checks   []Check
}

type chapter struct {
	title string
	rows  []fact
	art   []string // lines of fixed width
}

// fact is a line of a section: what it is about, which is ours, and a text,
// which may be an attacker's.
type fact struct{ label, text string }

func newCard(f *finding.Finding) *card {
	return &card{
		title: cmp.Or(f.Program.Name, "(unknown program)") + " → " + destination(f),
		sections: []chapter{
			overview(f), whySection(f), whoSection(f), whereSection(f), volumeSection(f), persistenceSection(f), evidenceSection(f),
		},
		queries: pivot.Queries(f), checks: Checklist(f),
	}
}

func (s *chapter) say(label, text string) {
	if text != "" {
		s.rows = append(s.rows, fact{label, text})
	}
}

func overview(f *finding.Finding) chapter {
	s := chapter{}
	s.say("Finding", fmt.Sprintf("%s, rank %d, score %.2f", f.ID, f.Rank, f.Score))
	s.say("Program", strings.TrimSpace(f.Program.Image+" "+bracketed(f.Program.Class)))
	s.say("Hosts", listed(f.Hosts, 10))
	s.say("Sent", fmt.Sprintf("%s in %s", sent(f), plural(f.Sessions, "session")))
	s.say("When (UTC)", span(f.FirstSeen, f.LastSeen))
	return s
}

func bracketed(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

// listed joins the first of values and says how many follow.
func listed(values []string, limit int) string {
	n := min(len(values), limit)
	s := strings.Join(values[:n], ", ")
	if more := len(values) - n; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

func whySection(f *finding.Finding) chapter {
	s := chapter{title: "Why it is listed"}
	for _, p := range f.Parts {
		s.say(fmt.Sprintf("%+.2f", p.Points), p.Text)
	}
	for _, unless := range f.Counterfactual {
		s.say("Not listed if", unless)
	}
	for _, k := range f.Knobs {
		s.say(k.Name, k.Observed+" (set to "+k.Value+")")
	}
	return s
}

func whoSection(f *finding.Finding) chapter {
	s := chapter{title: "Which process"}
	all := Instances(f)
	if len(all) == 0 {
		s.say("Process", "not known")
		return s
	}
	for i, p := range all[:min(len(all), 3)] {
		if i > 0 {
			s.art = append(s.art, "")
		}
		s.art = append(s.art, tree(&p)...)
	}
	if more := len(all) - 3; more > 0 {
		s.say("Other instances", fmt.Sprint(more))
	}
	s.say("Publisher", f.Program.Publisher)
	return s
}

// tree draws a lineage from its root on.
func tree(p *Instance) []string {
	out := []string{p.Host}
	depth := 0
	indent := func() string { return strings.Repeat("  ", depth) }
	node := func(image string, pid uint32, user, command string, started *time.Time) {
		line := indent() + "└ " + cmp.Or(image, "(unknown)")
		if pid != 0 {
			line += fmt.Sprintf(" (%d)", pid)
		}
		if user != "" {
			line += "  " + user
		}
		if started != nil {
			line += "  " + started.UTC().Format("2006-01-02 15:04:05")
		}
		out = append(out, line)
		if command != "" {
			out = append(out, indent()+"    > "+Shorten(command, maxCommand))
		}
		depth++
	}
	for i := len(p.Parents) - 1; i >= 0; i-- {
		a := &p.Parents[i]
		node(a.Image, a.PID, a.User, a.CommandLine, a.Started)
	}
	node(p.Image, p.PID, p.User, p.CommandLine, p.Started)
	for _, extra := range []fact{
		{"runs", p.Hosted}, {"hashes", p.Hashes}, {"also written", strings.Join(p.Spellings, ", ")},
		{"another source names instead", p.OtherImage}, {"sessions", grouped(p.Sessions)},
	} {
		if extra.text != "" {
			out = append(out, indent()+"  "+extra.label+": "+Shorten(extra.text, maxCommand))
		}
	}
	return out
}

// maxCommand is how much of a command line a card shows, in runes. Those that
// are longer are made to hide their end.
const maxCommand = 600

// Shorten cuts s after n runes and says how much follows.
func Shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	count := 0
	for i := range s {
		if count == n {
			return s[:i] + fmt.Sprintf("… (%d more bytes)", len(s)-i)
		}
		count++
	}
	return s
}

func whereSection(f *finding.Finding) chapter {
	s := chapter{title: "Where"}
	d := &f.Destination
	s.say("Name", d.Name+" (known by "+d.NameSource+")")
	s.say("Other names", listed(slices.DeleteFunc(slices.Clone(d.Names), func(n string) bool { return n == d.Name }), 10))
	s.say("Service", strings.TrimSpace(d.Service+" "+bracketed(d.ServiceClass)))
	s.say("Addresses", listed(d.Addresses, 10))
	s.say("Ports", ports(d.Ports))
	s.say("Certificate", listed(f.TLS.Subjects, 3))
	s.say("Issued by", listed(f.TLS.Issuers, 3))
	s.say("JA3", listed(f.TLS.JA3, 5))
	if f.Estate == nil {
		s.say("JA4", listed(f.TLS.JA4, 5))
		return s
	}
	for _, p := range f.Estate.Fingerprints {
		s.say("JA4", p.JA4+", used by "+others(p.Programs, p.ProgramsTotal))
	}
	s.say("First seen here", f.Estate.FirstSeen.UTC().Format("2006-01-02 15:04"))
	s.say("Others that go there", fmt.Sprintf("%s in all; %s", plural(int64(f.Estate.Hosts), "host"), others(f.Estate.Programs, f.Estate.ProgramsTotal)))
	return s
}

func programOf(u finding.User) string {
	if u.Program == "" {
		return "of unknown owners"
	}
	return base(u.Program)
}

// others names programs that do something too.
func others(list []finding.User, total int) string {
	if total == 0 {
		return "no other program"
	}
	var names []string
	for _, u := range list[:min(len(list), 4)] {
		names = append(names, fmt.Sprintf("%s (%s)", programOf(u), plural(int64(u.Hosts), "host")))
	}
	s := strings.Join(names, ", ")
	if more := total - len(names); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

func evidenceSection(f *finding.Finding) chapter {
	s := chapter{title: "How it is known"}
	s.say("Owner by rung", counts(f.Rungs, ", "))
	s.say("TLS by", counts(f.TLS.Evidence, ", "))
	if f.SessionsUnknownBytes > 0 {
		s.say("Unknown size", plural(f.SessionsUnknownBytes, "session"))
	}
	against := make(map[string]int64)
	for i := range f.Processes {
		if other := f.Processes[i].OtherImage; other != "" {
			against[other] += f.Processes[i].Sessions
		}
	}
	for _, other := range slices.Sorted(maps.Keys(against)) {
		s.say("Contradiction", "another source names "+other+" instead")
	}
	return s
}
