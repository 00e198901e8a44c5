package html

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/postern/postern/internal/coverage"
	"github.com/postern/postern/internal/report"
)

// Bounds of what the page says of the coverage; its JSON has all.
const (
	maxSpots       = 30
	maxParts       = 50
	maxCovered     = 50 // hosts
	maxLacking     = 50 // hosts
	maxLackingEach = 5
)

// A coverageView is what could not be seen.
type coverageView struct {
	Said        []string
	Answers     []answerView
	Spots       []spotView
	MoreSpots   int
	Tables      []coveredTable
	Lacking     []lackingView
	MoreLacking string
}

// An answerView is the share of sessions, and of their bytes, for which one
// question is answered.
type answerView struct {
	Question        report.Question
	Title, Means    string
	Sessions, Bytes string
	Bar             bar
}

type spotView struct {
	Question                      report.Question
	Title, Risk, Text, Cause, Fix string
}

// A coveredTable says of parts of the estate how much of them is known.
type coveredTable struct {
	Title, Head, Second string
	Questions           []string
	Rows                []coveredRow
	More                string
}

type coveredRow struct {
	Name, Detail, Second string
	Sessions, Sent       string
	Answers              []answerView
}

type lackingView struct {
	Host  string
	Texts []string
}

// covered reads of the document, of which there may be much, what the page
// shows. Only that is cleaned.
func covered(d *coverage.Document) *coverageView {
	if d == nil {
		return nil
	}
	v := &coverageView{Said: said(d), Spots: spots(d.BlindSpots), MoreSpots: max(len(d.BlindSpots)-maxSpots, 0)}
	if d.Total.Sessions > 0 {
		v.Answers = answersOf(&d.Total)
	}
	for _, t := range []*coveredTable{
		partTable("By site", "Site", d.Sites), partTable("By role", "Role", d.Roles), hostTable(d.Hosts),
	} {
		if t != nil {
			v.Tables = append(v.Tables, *t)
		}
	}
	v.lacking(d.Hosts)
	return v
}

// said is what no table holds.
func said(d *coverage.Document) []string {
	k, n := &d.Total, &d.Population
	if k.Sessions == 0 {
		return []string{"There is no outbound TLS session in the evidence."}
	}
	out := []string{
		fmt.Sprintf("%s, %s of them by the wire, sent %s.", plural(k.Sessions, "session"), grouped(k.OnWire), report.AtLeast(k.BytesOut, k.NoBytes)),
		fmt.Sprintf("Hosts: %s seen by wire and endpoint, %s by the wire only, %s by their endpoint only, %s of the inventory by neither.",
			grouped(int64(n.Both)), grouped(int64(n.WireOnly)), grouped(int64(n.EndpointOnly)), grouped(int64(len(n.Unseen)))),
	}
	if k.OnWire == 0 {
		out = append(out, "No network sensor saw any of them: only the endpoints say what there was.")
	}
	return out
}

// answersOf are the four questions, and all of them at once.
func answersOf(k *coverage.Known) []answerView {
	day := fmt.Sprintf("the duration is known, and its sensor was there for %.0f hours or longer", coverage.LongEnough.Hours())
	out := []answerView{
		{Question: report.Who, Title: "Who", Means: "the program is known"},
		{Question: report.Where, Title: "Where", Means: "the destination was named"},
		{Question: report.HowMuch, Title: "How much", Means: "the outbound volume is known"},
		{Question: report.Persists, Title: "Persisted", Means: day},
		{Question: report.Evidence, Title: "All four", Means: "each of these"},
	}
	for i, a := range []*coverage.Answer{&k.Who, &k.Where, &k.HowMuch, &k.Persisted, &k.All} {
		out[i].Sessions, out[i].Bar = percent(a.Share), barOf(a.Share)
		if a.Bytes != nil {
			out[i].Bytes = percent(a.Bytes)
		}
	}
	return out
}

func spots(all []coverage.BlindSpot) []spotView {
	out := make([]spotView, 0, min(len(all), maxSpots))
	for i := range all[:cap(out)] {
		s := &all[i]
		v := spotView{
			Risk: fmt.Sprintf("%s in %s on %s", report.AtLeast(s.BytesOut, s.NoBytes), plural(s.Sessions, "session"), plural(int64(s.Hosts), "host")),
			Text: text(s.Text), Cause: text(s.Cause), Fix: text(s.Fix),
		}
		v.Question, v.Title = questionOf(s.Question)
		out = append(out, v)
	}
	return out
}

// questionOf returns what the page calls a question of the document.
func questionOf(name string) (q report.Question, title string) {
	switch name {
	case "who":
		return report.Who, "Who"
	case "where":
		return report.Where, "Where"
	case "how_much":
		return report.HowMuch, "How much"
	case "persisted":
		return report.Persists, "Persisted"
	}
	return report.Evidence, text(name)
}

// rowOf is a row without its name.
func rowOf(k *coverage.Known) coveredRow {
	r := coveredRow{Sessions: grouped(k.Sessions), Sent: bytesOf(k.BytesOut), Answers: answersOf(k)}
	if k.BytesOut != nil && k.NoBytes > 0 {
		r.Sent = "≥ " + r.Sent
	}
	return r
}

func newTable(title, head, second string) *coveredTable {
	t := &coveredTable{Title: title, Head: head, Second: second}
	for _, a := range answersOf(new(coverage.Known)) {
		t.Questions = append(t.Questions, a.Title)
	}
	return t
}

// partTable returns nil where the parts tell nothing that the whole does not.
func partTable(title, head string, parts []coverage.Part) *coveredTable {
	if len(parts) == 0 || len(parts) == 1 && parts[0].Name == "" {
		return nil
	}
	t := newTable(title, head, "Hosts")
	for i := range parts[:min(len(parts), maxParts)] {
		r := rowOf(&parts[i].Known)
		r.Name, r.Second = short(text(cmp.Or(parts[i].Name, "(unknown)"))), plural(int64(parts[i].Hosts), "host")
		t.Rows = append(t.Rows, r)
	}
	if more := len(parts) - maxParts; more > 0 {
		t.More = fmt.Sprintf("and %s more", grouped(int64(more)))
	}
	return t
}

func hostTable(all []coverage.Host) *coveredTable {
	if len(all) == 0 {
		return nil
	}
	t := newTable("By host, the least known first", "Host", "Endpoint")
	shown := report.LeastKnown(all, maxCovered)
	var left int64
	for i := range all {
		left += all[i].Sessions
	}
	for i := range shown {
		h := &shown[i]
		r := rowOf(&h.Known)
		r.Name, r.Second = short(text(cmp.Or(h.Name, "(unknown)"))), text(h.Endpoint)
		r.Detail = placeOf(h)
		t.Rows = append(t.Rows, r)
		left -= h.Sessions
	}
	if more := len(all) - len(shown); more > 0 {
		t.More = fmt.Sprintf("and %s with %s", plural(int64(more), "more host"), plural(left, "session"))
	}
	return t
}

func placeOf(h *coverage.Host) string {
	var place []string
	for _, part := range []string{h.Role, h.Site} {
		if part != "" {
			place = append(place, short(text(part)))
		}
	}
	if !h.OnWire {
		place = append(place, "not on the wire")
	}
	return strings.Join(place, ", ")
}

// lacking lists the hosts whose endpoint telemetry is not whole, in the order of
// the table, and counts the others.
func (v *coverageView) lacking(all []coverage.Host) {
	hosts, problems := 0, 0
	for _, h := range report.LeastKnown(all, len(all)) {
		if len(h.Problems) == 0 {
			continue
		}
		if len(v.Lacking) >= maxLacking {
			hosts, problems = hosts+1, problems+len(h.Problems)
			continue
		}
		l := lackingView{Host: short(text(cmp.Or(h.Name, "(unknown)")))}
		for _, p := range h.Problems[:min(len(h.Problems), maxLackingEach)] {
			l.Texts = append(l.Texts, text(p.Text))
		}
		if more := len(h.Problems) - maxLackingEach; more > 0 {
			l.Texts = append(l.Texts, fmt.Sprintf("and %d more", more))
		}
		v.Lacking = append(v.Lacking, l)
	}
	if hosts > 0 {
		v.MoreLacking = fmt.Sprintf("and %s on %s", plural(int64(problems), "more gap"), plural(int64(hosts), "more host"))
	}
}
