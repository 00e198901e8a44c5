package sysmon

import (
	"encoding/xml"
	"math"
	"strings"

	"github.com/postern/postern/internal/event"
)

// price counts, of what the evidence shows, the events that a change adds to
// what was logged before it. Only what the changed rules may match can be one.
func (w *workshop) price(ch *Change, before *Config, matches func(occurrence) event.Tri) {
	if w.seen == nil {
		return
	}
	var least, most int64
	known := false
	count := func(o occurrence, n int64) {
		if o.event != ch.Event {
			return
		}
		known = true
		was, is := before.logs(o), w.config.logs(o)
		if was == event.No && is == event.Yes {
			least = plus(least, n)
		}
		if was != event.Yes && is != event.No && matches(o) != event.No {
			most = plus(most, n)
		}
	}
	for _, k := range w.seen.Connects {
		count(connect(k.Image, k.Port, k.UDP), k.Count)
	}
	for _, l := range w.seen.Lookups {
		count(lookup("", l.Name), l.Count)
	}
	if !known {
		return
	}
	most = max(least, most)
	ch.Events, ch.EventsMost = &least, &most
	if w.seen.Days >= 1 {
		daily, dailyMost := float64(least)/w.seen.Days, float64(most)/w.seen.Days
		ch.PerDay, ch.PerDayAtMost = &daily, &dailyMost
	}
}

func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// xml writes a rule on a field as a line of a configuration.
func (r *rule) xml() string {
	var value strings.Builder
	_ = xml.EscapeText(&value, []byte(r.value)) // a Builder does not fail
	condition := r.condition
	if condition == "" {
		condition = "is"
	}
	var attribute strings.Builder
	_ = xml.EscapeText(&attribute, []byte(condition))
	return "<" + r.element + ` condition="` + attribute.String() + `">` + value.String() + "</" + r.element + ">"
}

// lines writes a rule, also one of several.
func (r *rule) lines(indent string) []string {
	if r.field != "" {
		return []string{indent + r.xml()}
	}
	relation := "and"
	if r.relation == or {
		relation = "or"
	}
	all := []string{indent + `<Rule groupRelation="` + relation + `">`}
	for i := range r.rules {
		all = append(all, r.rules[i].lines(indent+"  ")...)
	}
	return append(all, indent+"</Rule>")
}
