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
	if len(j.loose.Inside) > 0 && len(j.loose.Outside) > 0 {
		release()
	}
	found := owner.Translate(&j.loose)
	if len(found.Seats) == 0 {
		j.loose = owner.Loose{}
		return nil
	}
	j.loose.Outside, j.loose.Inside = nil, nil
	t := newTranslation(r, j, found)
	release()
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
	pairs map[string][]owner.Translated // by host
	moved map[string][]owner.Moved      // by host
	gates map[netip.Addr]int64          // flows joined of each address that translates

	measured map[string]bool // hosts and addresses whose edges are made anew
	edges    []detect.Edge
}

func newTranslation(r *run, j *joined, found owner.Translation) *translation {
	t := &translation{
		run: r, joined: j,
		pairs: make(map[string][]owner.Translated), moved: make(map[string][]owner.Moved),
		gates: make(map[netip.Addr]int64), measured: make(map[string]bool),
	}
	for _, s := range found.Seats {
		t.gates[s.Outside] = 0
	}
	for _, p := range found.Pairs {
		t.pairs[p.Host] = append(t.pairs[p.Host], p)
		t.gates[p.Client]++
		t.measured[p.Host], t.measured[p.Client.String()] = true, true
	}
	for _, m := range found.Moved {
		t.moved[m.Host] = append(t.moved[m.Host], m)
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
			rows += a.Sessions
		}
	}
	return t.adopt(ctx, part)
}

// A change is what becomes of some hosts' sessions.
type change struct {
	pairs map[store.SessionKey]owner.Translated // by the connect's session
	moved map[store.SessionKey]owner.Moved
	flows map[store.SessionKey]event.Session // of the pairs

	gone     []store.SessionKey
	sessions []event.Session // all of the hosts' as they are then, the new ones first
	put      int             // how many are new
}

// adopt gives hosts the flows that are theirs, in place of the connects'
// sessions.
func (t *translation) adopt(ctx context.Context, hosts []string) error {
	if len(hosts) == 0 {
		return nil
	}
	defer release()
	c, err := t.changes(ctx, hosts)
	if err != nil {
		return err
	}
	err = t.store.Sessions(ctx, store.SessionFilter{Hosts: hosts}, func(s *event.Session) error { return t.change(c, s) })
	if err != nil {
		return err
	}
	if err := t.store.RemoveSessions(ctx, c.gone); err != nil {
		return err
	}
	t.measure(c.sessions)
	return t.store.PutSessions(ctx, c.sessions[:c.put])
}

// changes returns what is to become of the hosts' sessions, with those of the
// flows that are theirs.
func (t *translation) changes(ctx context.Context, hosts []string) (*change, error) {
	c := &change{
		pairs: make(map[store.SessionKey]owner.Translated), moved: make(map[store.SessionKey]owner.Moved),
		flows: make(map[store.SessionKey]event.Session),
	}
	var keys []store.SessionKey
	rows := int64(0)
	for _, h := range hosts {
		if a := t.Hosts[h]; a != nil {
			rows += a.Sessions
		}
		for _, p := range t.pairs[h] {
			c.pairs[store.SessionKey{Host: h, Key: p.Connect}] = p
			keys = append(keys, flowKey(p))
		}
		for _, m := range t.moved[h] {
			c.moved[store.SessionKey{Host: h, Key: m.Connect}] = m
		}
	}
	c.sessions = make([]event.Session, 0, rows)
	if len(keys) == 0 {
		return c, nil
	}
	return c, t.store.Sessions(ctx, store.SessionFilter{Keys: keys}, func(s *event.Session) error {
		c.flows[store.SessionKey{Host: s.Whose(), Key: s.Key}] = *s
		return nil
	})
}

// change notes what becomes of a host's session.
func (t *translation) change(c *change, s *event.Session) error {
	k := store.SessionKey{Host: s.Host, Key: s.Key}
	if p, ok := c.pairs[k]; ok && s.Sensor == "" {
		flow, ok := c.flows[flowKey(p)]
		if !ok {
			return fmt.Errorf("the session of flow %d is not in the store", p.Flow)
		}
		t.loose.Strangers[owner.StrangerOf(&flow)]--
		c.replace(t.Adopt(&flow, s, p), flowKey(p), k)
		delete(c.flows, flowKey(p))
	} else if m, ok := c.moved[k]; ok && s.Sensor == "" {
		c.replace(t.Move(s, m), k)
	} else {
		c.sessions = append(c.sessions, *s)
	}
	return nil
}

// replace puts a new session in the place of others.
func (c *change) replace(s event.Session, gone ...store.SessionKey) {
	c.gone = append(c.gone, gone...)
	c.sessions = append(c.sessions, s)
	last := len(c.sessions) - 1
	c.sessions[c.put], c.sessions[last] = c.sessions[last], c.sessions[c.put]
	c.put++
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
	t.edges = append(t.edges, detect.Measure(sessions, t.measuring())...)
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
