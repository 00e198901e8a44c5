package ownertest

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/owner"
	"github.com/postern/postern/internal/program"
)

// Evaluate joins each group of e, ties what is loose over all of them, and
// compares the result with the truth.
func Evaluate(e Estate, join func(owner.Window) owner.Result) Table {
	t := Table{Scenario: e.Name}
	results := make([]owner.Result, len(e.Groups))
	for i := range e.Groups {
		results[i] = join(e.Groups[i].Window())
	}
	Translated(results)
	for i := range e.Groups {
		t.Judge(&e.Groups[i], &results[i])
	}
	return t
}

// Translated gives the flows that were seen outside a translation their owners,
// as a run does once all groups are joined.
func Translated(results []owner.Result) owner.Translation {
	var loose owner.Loose
	for i := range results {
		loose.Add(&results[i].Loose)
	}
	found := owner.Translate(&loose)
	type connect struct {
		host string
		key  event.Key
	}
	type flow struct {
		client netip.Addr
		key    event.Key
	}
	sessions := make(map[connect]event.Session)
	owners := make(map[flow]connect)
	for _, p := range found.Pairs {
		k := connect{p.Host, p.Connect}
		sessions[k] = event.Session{}
		owners[flow{p.Client, p.Flow}] = k
	}
	for i := range results {
		results[i].Sessions = slices.DeleteFunc(results[i].Sessions, func(s event.Session) bool {
			k := connect{s.Host, s.Key}
			_, ok := sessions[k]
			if ok = ok && s.Sensor == ""; ok {
				sessions[k] = s
			}
			return ok
		})
	}
	for i := range results {
		for n := range results[i].Sessions {
			s := &results[i].Sessions[n]
			if k, ok := owners[flow{s.Client, s.Key}]; ok && s.Rung == event.RungNone {
				k := sessions[k]
				*s = owner.Adopt(s, &k)
			}
		}
	}
	return found
}

// Window returns what a join of the group takes.
func (g *Group) Window() owner.Window {
	networks, _ := inventory.NewNetworks(nil, nil) // only the user's prefixes can be wrong
	return owner.Window{Events: &g.Events, Networks: networks, Loose: true}
}

// A judge compares one group's result with its truth.
type judge struct {
	*Table
	group *Group

	// seen are the TLS connections that the wire or a proxy shows, and told
	// those of them that have a session.
	seen, told map[string]bool

	// honest are those for which a connect names the right process, and
	// misled those for which one names another.
	honest, misled map[string]bool
}

// Judge adds the result of a join of g to the table.
func (t *Table) Judge(g *Group, r *owner.Result) {
	j := judge{
		Table: t, group: g, seen: make(map[string]bool), told: make(map[string]bool),
		honest: make(map[string]bool), misled: make(map[string]bool),
	}
	j.look()
	for i := range r.Sessions {
		j.session(&r.Sessions[i])
	}
	t.Unseen += int64(len(j.seen) - len(j.told))
	j.clocks(r.Clocks)
}

// look finds what the group's events show.
func (j *judge) look() {
	e, truth := &j.group.Events, &j.group.Truth
	see := func(uid string) {
		if f := truth.Flows[uid]; f != nil && f.TLS {
			j.seen[uid] = true
		}
	}
	for i := range e.Flows {
		see(e.Flows[i].UID)
	}
	for i := range e.Handshakes {
		see(e.Handshakes[i].UID)
	}
	for i := range e.Requests {
		see(truth.Requests[e.Requests[i].UID])
		see(truth.Logged[e.Requests[i].Key()])
	}
	for i := range e.Connects {
		k := &e.Connects[i]
		if !k.Outbound || k.Image == "" {
			continue
		}
		if r := truth.Connects[k.Key()]; r.False {
			j.misled[r.UID] = true
		} else {
			j.honest[r.UID] = true
		}
	}
	j.Flows += int64(len(j.seen))
	for uid := range j.seen {
		if j.honest[uid] {
			j.Joinable++
		}
	}
}

// uid returns the connection that a session is about, or "" when it is of a
// connect only.
func (j *judge) uid(s *event.Session) string {
	return cmp.Or(j.group.Truth.Requests[s.UID], j.group.Truth.Logged[s.Key], s.UID)
}

func (j *judge) session(s *event.Session) {
	uid := j.uid(s)
	if uid == "" {
		j.endpoint(s)
		return
	}
	f := j.group.Truth.Flows[uid]
	if f == nil || !j.seen[uid] || j.told[uid] {
		j.Invented++ // not TLS, or told twice
		return
	}
	j.told[uid] = true
	row := j.row(s.Rung)
	row.Flows++
	if !named(s) {
		return
	}
	row.Named++
	switch {
	case names(s, f.Process):
		row.Right++
		if j.honest[uid] {
			j.Joined++
		}
	case j.misled[uid] && !j.honest[uid]:
		row.Misled++
	default:
		row.wrong(s, f.Process)
		j.example(row, s, f)
	}
}

// endpoint judges a session of a connect without a flow.
func (j *judge) endpoint(s *event.Session) {
	r, ok := j.group.Truth.Connects[s.Key]
	if !ok {
		j.Invented++
		return
	}
	row := j.row(s.Rung)
	row.Flows++
	if j.seen[r.UID] {
		j.Split++
	}
	if !named(s) {
		return
	}
	row.Named++
	switch {
	case names(s, r.Process):
		row.Right++
	case r.False:
		row.Misled++
	default:
		row.wrong(s, r.Process)
		j.example(row, s, &Flow{Process: r.Process, Start: r.Wire})
	}
}

// named reports whether a session has an owner with a name.
func named(s *event.Session) bool { return s.Rung.Owned() && (s.Image != "" || s.Program != "") }

// wrong counts a session that names another process than p.
func (r *Row) wrong(s *event.Session, p *Process) {
	r.Wrong++
	if s.Host == p.Host && programOf(s) == p.Program {
		r.Siblings++
	}
}

// programOf returns the template of a session's program.
func programOf(s *event.Session) string {
	if s.Image != "" {
		return program.Template(s.Image)
	}
	return s.Program
}

// names reports whether s names p: its host and its program, and of the
// instance nothing that is not so.
func names(s *event.Session, p *Process) bool {
	return s.Host == p.Host && programOf(s) == p.Program &&
		(s.PID == 0 || s.PID == p.PID) && (s.GUID == "" || p.GUID == "" || s.GUID == p.GUID)
}

// clocks compares each estimate with the median of what the clock was off in
// the estimate's time.
func (j *judge) clocks(found []owner.Clock) {
	type clock struct {
		host   string
		source event.Source
	}
	connects := make(map[clock][]*event.Connect)
	for i := range j.group.Events.Connects {
		if k := &j.group.Events.Connects[i]; k.Outbound {
			c := clock{k.Host, k.Source}
			connects[c] = append(connects[c], k)
		}
	}
	known := make(map[clock]bool)
	for _, c := range found {
		var off []time.Duration
		for _, k := range connects[clock{c.Host, c.Source}] {
			if c.First <= k.Time && k.Time <= c.Last {
				off = append(off, k.Time.Sub(j.group.Truth.Connects[k.Key()].Wire))
			}
		}
		if c.Pairs == 0 || len(off) == 0 {
			continue
		}
		known[clock{c.Host, c.Source}] = true
		slices.Sort(off)
		j.ClockErrors = append(j.ClockErrors, (c.Offset - off[(len(off)-1)/2]).Abs())
	}
	j.ClocksUnknown += int64(len(connects) - len(known))
}
