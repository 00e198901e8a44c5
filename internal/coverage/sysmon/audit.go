package sysmon

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/event"
)

// Audit says what a configuration hides. Seen may be nil: then the number of
// events that a change adds stays unknown.
func (c *Config) Audit(k Known, seen *Seen) *Report {
	r := &Report{
		Format: Format, Schema: c.Schema, Classes: c.classes(k), Places: c.places(), Ports: c.ports(), Services: c.services(k),
		Missing: []Missing{}, Changes: []Change{}, Notes: append([]string{}, c.notes...),
	}
	if v, err := strconv.ParseFloat(c.Schema, 64); err == nil && v < 4.21 {
		r.Notes = append(r.Notes, "DnsQuery needs schema version 4.21 or later.")
	}
	for i := range c.sections {
		if s := &c.sections[i]; s.relation == unsaid && s.mixed() && len(r.Notes) < maxNotes {
			r.Notes = append(r.Notes, fmt.Sprintf(
				"Line %d: rules on different fields outside a RuleGroup. Versions of Sysmon combine them differently, so that the result may depend on it.", s.line))
		}
	}
	w := workshop{config: c.clone(), known: probes(k), seen: seen}
	w.insert()
	w.remove()
	r.Changes = append(r.Changes, w.changes...)
	if seen != nil && seen.Days >= 1 {
		r.Days = &seen.Days
	}
	return r
}

func (c *Config) clone() *Config {
	d := *c
	d.sections = slices.Clone(c.sections)
	return &d
}

// mixed reports whether the section's rules are on several fields.
func (s *section) mixed() bool {
	for i := range s.rules {
		if s.rules[i].field == "" || s.rules[i].field != s.rules[0].field {
			return len(s.rules) > 1
		}
	}
	return false
}

func (l *Logged) add(t event.Tri) {
	switch t {
	case event.Yes:
		l.Yes++
	case event.No:
		l.No++
	default:
		l.Depends++
	}
}

func word(t event.Tri) string {
	switch t {
	case event.Yes:
		return "yes"
	case event.No:
		return "no"
	}
	return "depends"
}

// maxHidden bounds how many of what is hidden are named.
const maxHidden = 5

func name(list []string, s string) []string {
	if len(list) < maxHidden && !slices.Contains(list, s) {
		return append(list, s)
	}
	return list
}

func (c *Config) classes(k Known) []Class {
	all := []Class{}
	for _, p := range k.Programs {
		if n := len(all); n == 0 || all[n-1].Class != string(p.Class) {
			all = append(all, Class{Class: string(p.Class), Hidden: []string{}})
		}
		of := &all[len(all)-1]
		logged := c.logs(connect(p.Path, 443, false))
		of.add(logged)
		if logged == event.No {
			of.Hidden = name(of.Hidden, p.Path)
		}
	}
	return all
}

func (c *Config) places() []Place {
	all := []Place{}
	for _, p := range places {
		all = append(all, Place{p.folder, p.what, word(c.logs(start(p.image()))), word(c.logs(connect(p.image(), 443, false)))})
	}
	return all
}

func (c *Config) ports() []Port {
	all := []Port{}
	add := func(port uint16, udp bool, transport string) {
		at := Port{Port: port, Transport: transport}
		for _, p := range places {
			at.add(c.logs(connect(p.image(), port, udp)))
		}
		all = append(all, at)
	}
	for _, port := range ports {
		add(port, false, "tcp")
	}
	add(443, true, "udp")
	return all
}

func (c *Config) services(k Known) []Service {
	all := []Service{}
	index := make(map[destination.Class]int)
	for _, s := range k.Services {
		i, ok := index[s.Class]
		if !ok {
			i = len(all)
			index[s.Class] = i
			all = append(all, Service{Class: string(s.Class), Hidden: []string{}})
		}
		of := &all[i]
		for _, n := range names(s) {
			asked, made := c.logs(lookup(places[0].image(), n)), c.logs(named(n))
			of.Names++
			of.Lookups.add(asked)
			of.Connect.add(made)
			if asked == event.No || made == event.No {
				of.Hidden = name(of.Hidden, s.Name)
			}
		}
	}
	return slices.DeleteFunc(all, func(s Service) bool { return s.Lookups.Yes == s.Names && s.Connect.Yes == s.Names })
}

// A workshop makes one change after the other.
type workshop struct {
	config  *Config
	known   []probe
	seen    *Seen
	changes []Change
}

// insert adds what includes all that is asked about, where include rules leave
// it out or the event is not mentioned.
func (w *workshop) insert() {
	usual := on("DestinationPort", "is", "443")
	w.include(NetworkConnect, usual, func(o occurrence) bool { return o.fields["destinationport"] == "443" },
		"Connections to port 443 are most of outbound TLS.")
	var others []string
	for _, p := range ports[1:] {
		others = append(others, strconv.Itoa(int(p)))
	}
	w.include(NetworkConnect, on("DestinationPort", "is any", strings.Join(others, ";")),
		func(o occurrence) bool { return o.fields["destinationport"] != "443" }, "The other ports on which TLS is usual.")
	w.include(DNSQuery, on("QueryName", "contains", "."),
		func(occurrence) bool { return true }, "A lookup names the destination, and the process, of sessions that nothing else names.")
	w.include(ProcessCreate, on("Image", "contains", `\`),
		func(occurrence) bool { return true }, "The start of a process says what it is, and whose child.")
}

func on(element, condition, value string) rule {
	return rule{element: element, field: strings.ToLower(element), condition: condition, value: value}
}

// include adds a rule to what an event includes, if some of what is asked about
// is not included.
func (w *workshop) include(of string, add rule, about func(occurrence) bool, why string) {
	if !slices.ContainsFunc(w.known, func(p probe) bool {
		return p.event == of && about(p.occurrence) && w.config.included(p.occurrence) != event.Yes
	}) {
		return
	}
	mentioned := slices.ContainsFunc(w.config.sections, func(s section) bool { return s.event == of })
	ch := Change{Event: of, Why: why}
	at := slices.IndexFunc(w.config.sections, func(s section) bool { return s.event == of && s.include && s.relation == or })
	before, matches := w.config, add.matches
	w.config = before.clone()
	switch {
	case at >= 0:
		s := &w.config.sections[at]
		s.rules = append(slices.Clone(s.rules), add)
		ch.Action, ch.Line, ch.XML = "insert after", s.line, []string{add.xml()}
	case !mentioned && of == DNSQuery:
		w.config.sections = append(w.config.sections, section{event: of, relation: or})
		ch.Action, ch.Line = "insert before", w.config.end
		ch.XML = group(`<DnsQuery onmatch="exclude"/>`)
		matches = func(occurrence) event.Tri { return event.Yes }
	default:
		w.config.sections = append(w.config.sections, section{event: of, include: true, relation: or, rules: []rule{add}})
		ch.Action, ch.Line = "insert before", w.config.end
		ch.XML = group(`<`+of+` onmatch="include">`, "  "+add.xml(), `</`+of+`>`)
	}
	w.price(&ch, before, matches)
	w.changes = append(w.changes, ch)
}

// included is logs without the exclude rules.
func (c *Config) included(o occurrence) event.Tri {
	d := *c
	d.sections = nil
	for i := range c.sections {
		s := c.sections[i]
		if !s.include {
			s.rules = nil // it matches nothing, and is still mentioned
		}
		d.sections = append(d.sections, s)
	}
	return d.logs(o)
}

func group(lines ...string) []string {
	all := []string{`<RuleGroup name="" groupRelation="or">`}
	for _, l := range lines {
		all = append(all, "  "+l)
	}
	return append(all, `</RuleGroup>`)
}

// remove takes the exclude rules away that hide something that is asked about.
func (w *workshop) remove() {
	for at := range w.config.sections {
		s := w.config.sections[at]
		if s.include {
			continue
		}
		if s.relation != or && s.mixed() {
			w.without(at, s.rules)
			continue
		}
		for i := range s.rules {
			w.without(at, s.rules[i:i+1])
		}
	}
}

// without removes rules of a section, if they hide something.
func (w *workshop) without(at int, rules []rule) {
	s := w.config.sections[at]
	part := section{event: s.event, relation: s.relation, rules: rules}
	hidden, example := 0, ""
	for _, p := range w.known {
		if p.event == s.event && part.matches(p.occurrence) == event.Yes && w.config.included(p.occurrence) != event.No {
			if hidden++; example == "" {
				example = p.what
			}
		}
	}
	if hidden == 0 {
		return
	}
	before := w.config
	w.config = before.clone()
	ch := Change{Event: s.event, Action: "remove", Line: rules[0].line}
	for i := range rules {
		ch.XML = append(ch.XML, rules[i].lines("")...)
	}
	left := &w.config.sections[at]
	left.rules = slices.DeleteFunc(slices.Clone(left.rules), func(r rule) bool { return slices.ContainsFunc(rules, r.same) })
	ch.Why = fmt.Sprintf("It hides %s", example)
	if hidden > 1 {
		ch.Why += fmt.Sprintf(" and %d more of what was asked about", hidden-1)
	}
	ch.Why += "."
	w.price(&ch, before, part.matches)
	w.changes = append(w.changes, ch)
}

// same reports whether r and s are the same rule of the file.
func (r rule) same(s rule) bool {
	return r.line == s.line && r.field == s.field && r.condition == s.condition && r.value == s.value && len(r.rules) == len(s.rules)
}
