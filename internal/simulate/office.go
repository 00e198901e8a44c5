package simulate

import (
	"net/netip"
	"path/filepath"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// An office is a small company: six people's workstations, a file server and
// a domain controller.
type office struct {
	*estate
	*web
	software software
	people   map[*host]*person
	pages    []*destination // what people visit
	extras   []*destination // what pages bring along
	dc, fs   *host
	dcEnd    *destination
	fsEnd    *destination
	truth    *Truth
}

const (
	officeDays   = 14
	officeDomain = "corp.example"
	day          = 24 * time.Hour
)

// Office writes two weeks of a small office to dir: endpoint/HOST.jsonl.gz,
// zeek/DAY/LOG.log.gz and truth.json, which it returns. Equal seeds give equal
// bytes.
func Office(dir string, seed uint64) (*Truth, error) {
	from := event.At(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC))
	to := from.Add(officeDays * day)
	e := newEstate(filepath.Join(dir, "zeek"), from, to, true)
	e.lostEvents, e.lostFlows, e.unnamed = 0.03, 0.01, 0.003
	o := &office{
		estate: e, web: newWeb(from), software: commonSoftware(),
		people: make(map[*host]*person), truth: newTruth("office", seed, from, to),
	}
	o.pages, o.extras = o.sites(), o.thirdParties()
	o.settle(seed)
	if err := o.openLogs(dir); err != nil {
		return nil, err
	}
	o.plan()
	if err := e.play(); err != nil {
		return nil, err
	}
	return o.truth, o.truth.write(dir)
}

// settle makes the hosts and their people.
func (o *office) settle(seed uint64) {
	at := func(h time.Duration, m time.Duration) time.Duration { return h*time.Hour + m*time.Minute }
	rows := []struct {
		hostOptions
		person *person
	}{
		{hostOptions{name: "WS-011", addr: "10.20.1.11", login: "a.novak", sysmon: true, offset: 1800 * time.Millisecond, blind: 0.04},
			&person{browser: "edge", arrives: at(6, 40), leaves: at(15, 30), pages: 22 * time.Minute, heavy: 1, does: []string{"admin"}}},
		{hostOptions{name: "WS-012", addr: "10.20.1.12", login: "t.fischer", sysmon: true, security: true, offset: -900 * time.Millisecond, drift: 7 * time.Second},
			&person{browser: "chrome", arrives: at(7, 50), leaves: at(16, 40), pages: 24 * time.Minute, heavy: 0.8, late: map[int]time.Duration{8: at(20, 45), 3: at(18, 50)}}},
		{hostOptions{name: "WS-013", addr: "10.20.1.13", addr6: "fd20:20:1::13", login: "l.moreau", sysmon: true, offset: 3200 * time.Millisecond, drift: -83 * time.Second},
			&person{browser: "firefox", arrives: at(8, 20), leaves: at(17, 30), pages: 20 * time.Minute, heavy: 1, does: []string{"develop"}}},
		{hostOptions{name: "WS-014", addr: "10.20.1.14", login: "m.keller", sysmon: true, offset: 400 * time.Millisecond},
			&person{browser: "edge", arrives: at(7, 5), leaves: at(15, 50), pages: 27 * time.Minute, heavy: 0.6, keepsOn: true}},
		{hostOptions{name: "WS-015", addr: "10.20.1.15", login: "j.brandt", security: true, offset: -2600 * time.Millisecond},
			&person{browser: "chrome", arrives: at(6, 55), leaves: at(15, 10), pages: 22 * time.Minute, heavy: 0.5, does: []string{"file"}, away: map[int]bool{11: true}}},
		{hostOptions{name: "WS-016", addr: "10.20.1.16", addr6: "fd20:20:1::16", login: "s.ito", sysmon: true, offset: -47 * time.Second, drift: 3*time.Hour + 11*time.Second},
			&person{browser: "chrome", arrives: at(8, 40), leaves: at(17, 20), pages: 22 * time.Minute, heavy: 4, late: map[int]time.Duration{9: at(21, 10)}}},
		{hostOptions{name: "FS-01", addr: "10.20.0.20", login: "Administrator", sysmon: true, offset: 200 * time.Millisecond}, nil},
		{hostOptions{name: "DC-01", addr: "10.20.0.10", login: "Administrator", security: true}, nil},
	}
	for _, r := range rows {
		r.domain, r.netbios = officeDomain, "CORP"
		h := o.newHost(seed, r.hostOptions)
		if r.person != nil {
			r.person.favour(h.rng, o.pages)
			o.people[h] = r.person
		}
	}
	o.fs, o.dc = o.hosts[6], o.hosts[7]
	o.resolver = o.dc
	o.fsEnd, o.dcEnd = internal(o.fs), internal(o.dc)
}

// internal returns h as a destination of others.
func internal(h *host) *destination {
	return &destination{name: h.Name, addrs: []netip.Addr{h.addr}, rtt: 600 * time.Microsecond, ptr: h.Name, inside: true}
}

// openLogs opens one file for the events of each host. Some hosts' logs were
// shipped by an agent, others saved and converted.
func (o *office) openLogs(dir string) error {
	for _, h := range o.hosts {
		out, err := createFile(filepath.Join(dir, "endpoint", h.Name+".jsonl.gz"))
		if err != nil {
			return err
		}
		var x export = format.NewWinlogbeat(h.Machine)
		switch h.short {
		case "WS-011", "WS-013", "WS-015", "DC-01":
			x = format.NewEvtxDump()
		}
		h.log = &eventLog{machine: h.Machine, export: x, out: out}
		h.log.records = [2]uint64{h.rng.Uint64N(90_000), h.rng.Uint64N(4_000_000)}
		o.logs = append(o.logs, h.log)
	}
	return nil
}

// plan puts the people's days and the servers' work on the clock.
func (o *office) plan() {
	for _, h := range o.hosts {
		if o.people[h] == nil || o.people[h].keepsOn {
			o.switchOn(h, o.from, o.to, false)
		}
	}
	for d := range officeDays {
		o.at(o.from.Add(time.Duration(d)*day), func(now event.Time) {
			for _, h := range o.hosts {
				o.planDay(h, d, now)
			}
		})
	}
	o.before()
	o.serve()
	o.intrude()
	o.exfiltrate()
}

// planDay decides when h's person works on day d, which begins at now.
func (o *office) planDay(h *host, d int, now event.Time) {
	p := o.people[h]
	weekday := now.Std().Weekday()
	if p == nil || weekday == time.Saturday || weekday == time.Sunday || p.away[d] {
		return
	}
	arrives := now.Add(p.arrives + h.wait(12*time.Minute))
	leaves := now.Add(p.leaves + h.within(25*time.Minute, 1))
	if late, ok := p.late[d]; ok {
		leaves = now.Add(late + h.within(10*time.Minute, 0.5))
	}
	o.at(arrives, func(t event.Time) {
		if !p.keepsOn {
			o.switchOn(h, t, leaves.Add(4*time.Minute), true)
		}
		o.at(t.Add(h.within(70*time.Second, 0.3)), func(t event.Time) { o.work(h, t, leaves) })
	})
}

// before makes connections that are older than the logs: the wire's sensor
// knows them whole, the hosts' logs do not have their beginning.
func (o *office) before() {
	ws := o.hosts[3] // the one that is never switched off
	for _, old := range []struct {
		host     *host
		prog, to string
	}{
		{ws, "outlook", "outlook.office365.com"},
		{ws, "update", "wns.windows.com"},
		{o.fs, "backup", "ingest-eu2.backvault.example"},
		{o.dc, "update", "wns.windows.com"},
	} {
		h, to := old.host, o.named(old.to)
		age := h.within(3*time.Hour, 0.6)
		ends := tuple{event.TCP, netip.AddrPortFrom(h.addr, h.nextPort()), netip.AddrPortFrom(to.addrs[0], 443)}
		o.wire(o.from.Add(-age), h, ends, contact{
			prog: o.software[old.prog], to: to, service: "ssl",
			up: h.around(40_000, 1), down: h.around(90_000, 1), lasts: age + h.within(5*time.Hour, 0.8),
		})
	}
}
