package sysmon

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// A Mix is what the events of the hosts that run Sysmon show of its
// configuration.
type Mix struct {
	Hosts                     int // with any event of Sysmon
	Starts, Connects, Lookups int64

	// How often Sysmon tells of each, and how often another source does on
	// the same hosts.
	Ports    map[uint16]Told // outbound TLS; the other source is the wire
	Programs map[string]Told // the other is Security 5156
	Domains  map[string]Told // lookups; the other is the wire
}

// Told counts what two sources say.
type Told struct{ Sysmon, Other int64 }

// enough is how often another source must tell of something that Sysmon never
// tells of before the configuration is taken to leave it out.
const enough = 20

// maxMissing bounds how much of a kind is told, the most frequent first.
const maxMissing = 20

// Infer says what the configuration seems to leave out, without having it. It
// is a guess: a file says more.
func Infer(m Mix, k Known, seen *Seen) *Report {
	r := &Report{
		Format: Format, Inferred: true, Classes: []Class{}, Places: []Place{}, Ports: []Port{}, Services: []Service{},
		Missing: []Missing{}, Changes: []Change{}, Notes: []string{},
	}
	if m.Hosts == 0 {
		r.Notes = append(r.Notes, "There are no Sysmon events from which a configuration could be inferred.")
		return r
	}
	r.Notes = append(r.Notes, "Inferred from the mix of events: what Sysmon never tells of may also not have happened. --sysmon-config says for sure.")
	w := workshop{config: &Config{}, known: probes(k), seen: seen}
	w.config.sections = m.sections()
	if m.Starts == 0 {
		r.Missing = append(r.Missing, Missing{ProcessCreate, "event", "Sysmon 1", 0})
	}
	if m.Connects == 0 {
		r.Missing = append(r.Missing, Missing{NetworkConnect, "event", "Sysmon 3", 0})
	} else {
		r.Missing = append(r.Missing, missing(NetworkConnect, "port", m.Ports, func(p uint16) string { return strconv.Itoa(int(p)) })...)
		r.Missing = append(r.Missing, missing(NetworkConnect, "program", m.Programs, func(s string) string { return s })...)
	}
	if m.Lookups == 0 {
		r.Missing = append(r.Missing, Missing{DNSQuery, "event", "Sysmon 22", 0})
	} else {
		r.Missing = append(r.Missing, missing(DNSQuery, "domain", m.Domains, func(s string) string { return s })...)
	}
	w.insert()
	for _, ch := range w.changes {
		ch.Action, ch.Line = "add", 0
		r.Changes = append(r.Changes, ch)
	}
	r.Changes = append(r.Changes, m.excluded(r.Missing, seen)...)
	if seen != nil && seen.Days >= 1 {
		r.Days = &seen.Days
	}
	return r
}

// sections are those of a configuration that would give such a mix, but for
// what excludes. Their relation keeps what is added apart from them: where they
// stand in the file is not known.
func (m *Mix) sections() []section {
	var all []section
	all = append(all, section{event: ProcessCreate, include: m.Starts == 0, relation: and})
	connects := section{event: NetworkConnect, include: true, relation: and}
	if m.Connects > 0 {
		for _, p := range ports {
			if told := m.Ports[p]; told.Sysmon > 0 || told.Other < enough {
				connects.rules = append(connects.rules, on("DestinationPort", "is", strconv.Itoa(int(p))))
			}
		}
	}
	all = append(all, connects)
	return append(all, section{event: DNSQuery, include: m.Lookups == 0, relation: and})
}

// missing lists of what Sysmon never tells, the most frequent first.
func missing[K cmp.Ordered](event, what string, told map[K]Told, name func(K) string) []Missing {
	var all []Missing
	for k, t := range told {
		if t.Sysmon == 0 && t.Other >= enough {
			all = append(all, Missing{event, what, name(k), t.Other})
		}
	}
	slices.SortFunc(all, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(b.Seen, a.Seen), cmp.Compare(a.Name, b.Name))
	})
	return all[:min(len(all), maxMissing)]
}

// excluded says which rules to look for.
func (m *Mix) excluded(all []Missing, seen *Seen) []Change {
	var changes []Change
	for _, x := range all {
		if x.What != "domain" && x.What != "program" {
			continue
		}
		ch := Change{
			Event: x.Event, Action: "remove", XML: []string{},
			Why: fmt.Sprintf("Look for the rule that leaves out %s: another source told of it %d times, Sysmon never.", x.Name, x.Seen),
		}
		if seen != nil {
			n := x.Seen
			ch.Events, ch.EventsMost = &n, &n
			if seen.Days >= 1 {
				daily := float64(n) / seen.Days
				ch.PerDay, ch.PerDayAtMost = &daily, &daily
			}
		}
		changes = append(changes, ch)
	}
	return changes
}
