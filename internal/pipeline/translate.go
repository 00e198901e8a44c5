package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/owner"
	"github.com/postern/postern/internal/store"
)

// hidden reports whether any host used an address that no wire saw, or that
// another host used too, perhaps at a site that the wire saw. Only then can a
// translation hide it, and are loose ends worth their memory.
func hidden(leases []store.Lease, loads []store.Load) bool {
	watched := make(map[netip.Addr]bool)
	for _, l := range loads {
		watched[l.Addr] = true
	}
	return slices.ContainsFunc(leases, func(l store.Lease) bool {
		if l.Connects == 0 || l.Addr.IsLoopback() || l.Addr.IsUnspecified() {
			return false
		}
		alone := watched[l.Addr]
		watched[l.Addr] = false // for the next host
		return !alone
	})
}

// translate ties what the joins of the groups left loose: flows that were seen
// outside an address translation get the owners that hosts behind it report.
// Their sessions, edges and accounts are made anew.
func (r *run) translate(ctx context.Context, j *joined) error {
	found := owner.Translate(&j.loose)
	if len(found.Seats) == 0 {
		j.loose = owner.Loose{}
		return nil
	}
	t := newTranslation(r, j, found)
	err := r.store.Flush(ctx)
	if err == nil {
		err = t.hosts(ctx)
	}
	if err == nil {
		err = t.addresses(ctx)
	}
	if err != nil {
		return fmt.Errorf("joining across address translations: %w", err)
	}
	j.Behind(j.loose.Strangers, t.translates)
	j.Renew()
	j.edges = slices.DeleteFunc(j.edges, func(e detect.Edge) bool { return t.measured[e.Host] })
	j.edges = append(j.edges, t.edges...)
	j.translators = t.translators(found)
	t.learnClocks(found)
	j.loose = owner.Loose{}
	return nil
}

// A translation is the work of translate.
type translation struct {
	*run
	*joined
	pairs map[store.SessionKey]owner.Translated // by the connect's session
	flows map[string][]store.SessionKey         // of the pairs, by their host
	moved map[store.SessionKey]owner.Moved
	gates map[netip.Addr]int64 // flows joined of each address that translates

	measured map[string]bool // hosts and addresses whose edges are made anew
	edges    []detect.Edge
}

func newTranslation(r *run, j *joined, found owner.Translation) *translation {
	t := &translation{
		run: r, joined: j,
		pairs: make(map[store.SessionKey]owner.Translated, len(found.Pairs)),
		flows: make(map[string][]store.SessionKey),
		moved: make(map[store.SessionKey]owner.Moved, len(found.Moved)),
		gates: make(map[netip.Addr]int64), measured: make(map[string]bool),
	}
	for _, s := range found.Seats {
		t.gates[s.Outside] = 0
	}
	for _, p := range found.Pairs {
		t.pairs[store.SessionKey{Host: p.Host, Key: p.Connect}] = p
		t.flows[p.Host] = append(t.flows[p.Host], flowKey(p))
		t.gates[p.Client]++
		t.measured[p.Host], t.measured[p.Client.String()] = true, true
	}
	for _, m := range found.Moved {
		t.moved[store.SessionKey{Host: m.Host, Key: m.Connect}] = m
		t.measured[m.Host] = true
	}
	return t
}

func flowKey(p owner.Translated) store.SessionKey {
	return store.SessionKey{Host: p.Client.String(), Key: p.Flow}
}

func (t *translation) translates(a netip.Addr) bool {
	_, ok := t.gates[a]
	return ok
}

// hosts makes the sessions and edges of the hosts anew, about as many at once
// as a group has.
func (t *translation) hosts(ctx context.Context) error {
	var part []string
	rows := int64(0)
	for _, host := range slices.Sorted(maps.Keys(t.measured)) {
		if a := t.Hosts[host]; a != nil && rows > 0 && rows+a.Sessions > t.rows {
			if err := t.adopt(ctx, part); err != nil {
				return err
			}
			part, rows = nil, 0
		}
		if a, err := netip.ParseAddr(host); err == nil && t.translates(a) {
			continue
		}
		part = append(part, host)
		if a := t.Hosts[host]; a != nil {
			rows += a.Sessions + int64(len(t.flows[host]))
		}
	}
	return t.adopt(ctx, part)
}

// adopt gives hosts the flows that are theirs, in place of the connects'
// sessions.
func (t *translation) adopt(ctx context.Context, hosts []string) error {
	flows, err := t.read(ctx, hosts)
	if err != nil || len(hosts) == 0 {
		return err
	}
	var sessions, put []event.Session
	var gone []store.SessionKey
	err = t.store.Sessions(ctx, store.SessionFilter{Hosts: hosts}, func(s *event.Session) error {
		k := store.SessionKey{Host: s.Host, Key: s.Key}
		now := *s
		if p, ok := t.pairs[k]; ok && s.Sensor == "" {
			flow, ok := flows[flowKey(p)]
			if !ok {
				return fmt.Errorf("the session of flow %d is not in the store", p.Flow)
			}
			now = t.Adopt(&flow, s, p)
			t.loose.Strangers[owner.StrangerOf(&flow)]--
			gone = append(gone, flowKey(p))
		} else if m, ok := t.moved[k]; ok && s.Sensor == "" {
			now = t.Move(s, m)
		} else {
			sessions = append(sessions, now)
			return nil
		}
		gone = append(gone, k)
		put = append(put, now)
		sessions = append(sessions, now)
		return nil
	})
	if err != nil {
		return err
	}
	if err := t.store.RemoveSessions(ctx, gone); err != nil {
		return err
	}
	t.measure(sessions)
	return t.store.PutSessions(ctx, put)
}

// read returns the sessions of the flows that are the hosts'.
func (t *translation) read(ctx context.Context, hosts []string) (map[store.SessionKey]event.Session, error) {
	var keys []store.SessionKey
	for _, h := range hosts {
		keys = append(keys, t.flows[h]...)
	}
	flows := make(map[store.SessionKey]event.Session, len(keys))
	if len(keys) == 0 {
		return flows, nil
	}
	return flows, t.store.Sessions(ctx, store.SessionFilter{Keys: keys}, func(s *event.Session) error {
		flows[store.SessionKey{Host: s.Whose(), Key: s.Key}] = *s
		return nil
	})
}

// measure makes the edges of some hosts, of which these are all the sessions.
func (t *translation) measure(sessions []event.Session) {
	times := make(map[string][2]event.Time)
	for i := range sessions {
		s := &sessions[i]
		span, ok := times[s.Whose()]
		if !ok {
			span = [2]event.Time{s.Start, s.Start}
		}
		times[s.Whose()] = [2]event.Time{min(span[0], s.Start), max(span[1], s.Start)}
	}
	for whose, span := range times {
		t.Span(whose, span[0], span[1])
	}
	t.edges = append(t.edges, detect.Measure(sessions)...)
}

// addresses makes the edges anew of the addresses that lost flows to hosts.
func (t *translation) addresses(ctx context.Context) error {
	for _, a := range t.sortedGates() {
		if t.gates[a] == 0 {
			continue
		}
		var sessions []event.Session
		err := t.store.Sessions(ctx, store.SessionFilter{Hosts: []string{a.String()}}, func(s *event.Session) error {
			sessions = append(sessions, *s)
			return nil
		})
		if err != nil {
			return err
		}
		t.measure(sessions)
	}
	return nil
}

func (t *translation) sortedGates() []netip.Addr {
	return slices.SortedFunc(maps.Keys(t.gates), netip.Addr.Compare)
}

// learnClocks keeps the clocks of hosts that the wire only sees from outside.
func (t *translation) learnClocks(found owner.Translation) {
	known := make(map[string]bool)
	for _, c := range t.clocks {
		known[c.Host] = true
	}
	for _, s := range found.Seats {
		for _, c := range s.Clocks {
			if !known[s.Host] && c.Source != event.NoSource {
				t.clocks = append(t.clocks, c)
			}
		}
	}
}

// behindNAT counts the sessions of addresses that translate whose host stays
// unknown.
func (j *joined) behindNAT() (n int64) {
	for _, t := range j.translators {
		if a := j.Hosts[t.Address]; a != nil {
			n += a.SessionsByRung()[event.RungNone]
		}
	}
	return n
}

// translators lists the addresses that translate, with the hosts behind them.
func (t *translation) translators(found owner.Translation) []finding.Translator {
	list := []finding.Translator{}
	index := make(map[netip.Addr]int)
	for _, a := range t.sortedGates() {
		index[a] = len(list)
		gate := finding.Translator{Address: a.String(), Hosts: []finding.Translated{}, FlowsJoined: t.gates[a]}
		if account := t.Hosts[a.String()]; account != nil {
			gate.FlowsBehind = account.Unowned()[owner.BehindNAT]
		}
		list = append(list, gate)
	}
	for _, s := range found.Seats {
		gate := &list[index[s.Outside]]
		gate.KeepsPorts = gate.KeepsPorts || s.Ports
		gate.Hosts = append(gate.Hosts, finding.Translated{
			Name: s.Host, Address: s.Inside.String(), Pairs: s.Agree, Explained: s.Explained,
		})
	}
	for i := range list {
		slices.SortFunc(list[i].Hosts, func(a, b finding.Translated) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Address, b.Address))
		})
	}
	return list
}
