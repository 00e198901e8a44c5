package fleet

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
)

// A machine is a host while its days are made.
type machine struct {
	dice
	seed        uint64
	number      int
	name, login string
	role        Role
	addr        netip.Addr
	from, to    event.Time
	alwaysOn    bool
	spans       []span // when it is switched on
	shifts      []span // when somebody works there
	running     map[runKey]*Process
	processes   uint64
	contacts    []Contact
}

// A span is a stretch of time, without its end.
type span struct {
	from, to event.Time
	weekend  bool
}

// holds reports whether t is within s.
func (s span) holds(t event.Time) bool { return s.from <= t && t < s.to }

// firstNames and lastNames are of the people.
var (
	firstNames = []string{"anna", "ben", "carla", "david", "elena", "felix", "greta", "hugo", "ines", "jonas", "karin", "leo", "marta", "nils", "olga", "paul"}
	lastNames  = []string{"abel", "brandt", "castro", "dietz", "eriksen", "fischer", "gallo", "hansen", "ivanov", "jansen", "keller", "lang", "moreau", "novak"}
)

// machine draws host i with the days of whoever works there.
func (f *Fleet) machine(i int) *machine {
	d := newDice(f.Seed, "host", uint64(i))
	m := &machine{
		dice: d, seed: f.Seed, number: i, role: roleOf(d, i), from: f.from, to: f.to,
		addr:    netip.AddrFrom4([4]byte{10, byte(16 + i>>14), byte(i >> 6), byte(2 + i&63)}),
		login:   fmt.Sprintf("%s.%s%d", pick(d, firstNames), pick(d, lastNames), i%100),
		running: make(map[runKey]*Process),
	}
	prefix := map[Role]string{Server: "srv", Controller: "dc", Developer: "dev"}[m.role]
	if prefix == "" {
		prefix = "ws"
	}
	m.name = fmt.Sprintf("%s-%04d.corp.northwind.example", prefix, i+1)
	m.alwaysOn = !m.role.attended() || d.chance(0.3)
	m.work(f.from.Add(time.Duration(f.birth(i)) * day))
	return m
}

// work draws when m is on and attended, from its first day.
func (m *machine) work(first event.Time) {
	arrives := time.Duration(m.between(6.5, 9.5) * float64(time.Hour))
	if m.chance(0.15) {
		arrives += 6 * time.Hour // another continent
	}
	stays := time.Duration(m.between(7, 10) * float64(time.Hour))
	diligence, weekends := m.between(0.8, 0.97), m.between(0, 0.1)
	for t := first; t < m.to; t = t.Add(day) {
		wd := t.Std().Weekday()
		weekend := wd == time.Saturday || wd == time.Sunday
		present := m.chance(diligence)
		if weekend {
			present = m.chance(weekends)
		}
		from := t.Add(arrives + m.within(20*time.Minute, 1) - 20*time.Minute)
		s := span{from, min(m.to, from.Add(m.within(stays, 0.12))), weekend}
		if !present || !m.role.attended() {
			continue
		}
		m.shifts = append(m.shifts, s)
		if !m.alwaysOn {
			m.spans = append(m.spans, span{s.from.Add(-3 * time.Minute), min(m.to, s.to.Add(m.within(8*time.Minute, 1))), weekend})
		}
	}
	if m.alwaysOn {
		m.boots(first)
	}
}

// boots switches an always-on host on, and has it restart in the night to
// every Wednesday.
func (m *machine) boots(first event.Time) {
	for t := first; t < m.to; {
		next := t.Add(day)
		for next < m.to && next.Std().Weekday() != time.Wednesday {
			next = next.Add(day)
		}
		restart := min(m.to, next.Add(2*time.Hour))
		m.spans = append(m.spans, span{t, restart, false})
		t = restart.Add(4 * time.Minute)
	}
}

// sittings returns when somebody is at m: where nobody works, an administrator
// on that share of the days.
func (m *machine) sittings(often float64) []span {
	if m.role.attended() {
		return m.shifts
	}
	var all []span
	for t := m.from.Add(8 * time.Hour); t < m.to; t = t.Add(day) {
		if m.chance(often) {
			all = append(all, span{from: t, to: t.Add(2 * time.Hour)})
		}
	}
	return all
}

// on reports whether m is switched on at t.
func (m *machine) on(t event.Time) bool {
	for _, s := range m.spans {
		if s.holds(t) {
			return true
		}
	}
	return false
}

// A runKey tells long-running processes apart: by when they were started.
type runKey struct {
	*Program
	since event.Time
}

// instance returns the process of p that runs since then.
func (m *machine) instance(p *Program, since event.Time) *Process {
	k := runKey{p, since}
	if m.running[k] == nil {
		m.running[k] = m.start(p, since.Add(time.Duration(5+m.processes%40)*time.Second))
	}
	return m.running[k]
}

// start starts a process.
func (m *machine) start(p *Program, t event.Time) *Process {
	m.processes++
	user := `NORTHWIND\` + m.login
	if !strings.Contains(p.Image, "USER") && (p.Origin == System || p.Origin == Agent || p.Origin == Updater || p.Origin == Backup) {
		user = `NT AUTHORITY\SYSTEM`
	}
	h := hashOf(fmt.Sprint(m.seed, m.name, m.processes))
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], h)
	binary.BigEndian.PutUint64(b[8:], m.processes)
	x := hex.EncodeToString(b[:])
	return &Process{
		Program: p, PID: 4 * uint32(300+h%4200), Start: t,
		GUID:  x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:],
		Image: m.image(p), User: user,
	}
}

// do adds a contact, unless the telemetry is over by then.
func (m *machine) do(c Contact) {
	if c.Start < m.from || c.Start >= m.to {
		return
	}
	c.Up, c.Down = max(c.Up, leastUp), max(c.Down, leastDown)
	m.contacts = append(m.contacts, c)
}

// The bytes of a TLS handshake, each way: no connection has less.
const (
	leastUp   = 700
	leastDown = 350
)

// image returns the path of p on m.
func (m *machine) image(p *Program) string { return strings.ReplaceAll(p.Image, "USER", m.login) }
