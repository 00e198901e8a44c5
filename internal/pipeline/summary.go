package pipeline

import (
	"fmt"
	"time"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/owner"
)

// summarise says what was read, joined and left out.
func summarise(inputs []finding.Input, j *joined, fleet *baseline.Fleet) finding.Summary {
	s := finding.Summary{
		Inputs:  inputs,
		Account: account(&j.Account), Lookups: j.Lookups,
		Contradictory: j.Contradictory, HandshakesAlone: j.HandshakesAlone, RequestsAlone: j.RequestsAlone,
		Edges: int64(len(j.edges)),
		Hosts: hosts(j), Notices: notices(j.notices), NoticesTotal: j.noticed,
	}
	for _, in := range inputs {
		s.Records += in.Records
	}
	s.Lacking = lacking(&s, j, fleet)
	return s
}

// account puts an account into the document's words.
func account(a *owner.Account) finding.Account {
	return finding.Account{
		Flows: a.Flows, ByRung: named(a.ByRung()), FlowsByKind: named(a.ByKind()), UnownedBy: named(a.Unowned()),
		Connects: a.Connects, ConnectOutcomes: named(a.ByOutcome()),
		Sessions: a.Sessions, SessionsByRung: named(a.SessionsByRung()), SessionsNoBytes: a.UnknownBytes,
		OwnedSessions: share(a.Owned, a.Sessions), OwnedBytes: share(a.OwnedBytes, a.Bytes), BytesOut: a.Bytes,
		NamedSessions: share(a.Named, a.Sessions), NamedBytes: share(a.NamedBytes, a.Bytes),
		TimedSessions: share(a.Timed, a.Sessions), TimedBytes: share(a.TimedBytes, a.Bytes),
		First: instant(a.First), Last: instant(a.Last),
	}
}

// named returns counts by the names of what they count.
func named[K interface {
	comparable
	fmt.Stringer
}](m map[K]int64) map[string]int64 {
	out := make(map[string]int64, len(m))
	for k, n := range m {
		out[k.String()] = n
	}
	return out
}

func share(part, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	x := float64(part) / float64(whole)
	return &x
}

// hosts lists the hosts with their addresses and clocks.
func hosts(j *joined) []finding.Host {
	index := make(map[string]int)
	list := make([]finding.Host, 0, len(j.hosts))
	for _, name := range j.hosts {
		index[name] = len(list)
		list = append(list, finding.Host{Name: name, Addresses: []string{}, Clocks: []finding.Clock{}})
	}
	for _, l := range j.leases {
		if i, ok := index[l.Host]; ok && !l.Addr.IsLoopback() {
			list[i].Addresses = append(list[i].Addresses, l.Addr.String())
		}
	}
	for _, c := range j.clocks {
		if i, ok := index[c.Host]; ok {
			list[i].Clocks = append(list[i].Clocks, finding.Clock{
				Source: c.Source.String(), Offset: c.Offset.Seconds(), Spread: c.Spread.Seconds(),
				Pairs: c.Pairs, Agree: c.Agree, First: c.First.Std(), Last: c.Last.Std(),
			})
		}
	}
	for host, c := range mainClocks(j.clocks) {
		if i, ok := index[host]; ok {
			setClock(&list[i], c)
		}
	}
	return list
}

// notices puts what sensors said of themselves into the document's words.
func notices(list []event.Notice) []finding.Notice {
	out := []finding.Notice{}
	for _, n := range list {
		out = append(out, finding.Notice{Host: n.Host, Time: n.Time.Std(), Source: n.Source.String(), Kind: n.Kind, Text: n.Text})
	}
	return out
}

// mainClocks returns the clock that stands for each host: of the most exact
// source the one with the most agreeing pairs. Security stamps a connect at
// once, Sysmon a second or two later.
func mainClocks(clocks []owner.Clock) map[string]owner.Clock {
	m := make(map[string]owner.Clock)
	for _, c := range clocks {
		if old, ok := m[c.Host]; !ok || c.Source > old.Source || c.Source == old.Source && c.Agree > old.Agree {
			m[c.Host] = c
		}
	}
	return m
}

func setClock(h *finding.Host, c owner.Clock) {
	offset, spread := c.Offset.Seconds(), c.Spread.Seconds()
	h.ClockOffset, h.ClockSpread = &offset, &spread
	h.ClockSource, h.ClockPairs = c.Source.String(), c.Agree
}

// lacking says in sentences what the evidence as a whole cannot show.
func lacking(s *finding.Summary, j *joined, fleet *baseline.Fleet) []string {
	all := []string{}
	say := func(when bool, format string, args ...any) {
		if when {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	sessions := s.Sessions
	say(s.Flows == 0, "No network log was read: how much left, for how long, and the TLS metadata are unknown.")
	say(len(s.Hosts) == 0, "No endpoint telemetry was read: no session has an owner.")
	say(s.Connects == 0 && len(s.Hosts) > 0, "The endpoint telemetry has no connects (Sysmon 3, Security 5156).")
	if sessions == 0 {
		say(true, "There is no outbound TLS session: check --internal and --external.")
		return all
	}
	say(s.SessionsNoBytes > 0, "Outbound bytes are unknown for %d of %d outbound TLS sessions.", s.SessionsNoBytes, sessions)
	none := s.SessionsByRung[event.RungNone.String()]
	behind := j.behindNAT()
	say(none > behind && len(s.Hosts) > 0, "%d outbound TLS sessions come from addresses without endpoint telemetry.", none-behind)
	say(behind > 0, "%d outbound TLS sessions come from hosts behind NAT that could not be told apart.", behind)
	host := s.SessionsByRung[event.RungHost.String()]
	say(host > 0, "%d outbound TLS sessions of known hosts have no event that names their process.", host)
	say(j.Unnamed > 0, "%d outbound TLS sessions have a process that its sensor could not name.", j.Unnamed)
	blind := s.SessionsByRung[event.RungEndpoint.String()]
	say(blind > 0 && s.Flows > 0, "%d outbound TLS sessions were seen by endpoints only.", blind)
	say(j.Handshakes < sessions && s.Flows > 0,
		"%d of %d outbound TLS sessions are taken for TLS without a handshake seen.", sessions-j.Handshakes, sessions)
	say(j.Forgotten > 0, "%d DNS answers were too many to keep: destinations they name may be shown by their address.", j.Forgotten)
	say(fleet.Hosts < 10, "With %d hosts or addresses, how rare a program is rests mostly on what is usual for its kind.", fleet.Hosts)
	span := fleet.Span(fleet.Last)
	say(span < 3*24*time.Hour, "The evidence spans %s: habits of days cannot be told from what is new.", span.Round(time.Second))
	return all
}
