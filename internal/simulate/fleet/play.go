package fleet

import (
	"math"
	"time"

	"github.com/postern/postern/internal/event"
)

// A rhythm is how an implant keeps in touch.
type rhythm struct {
	period time.Duration
	jitter float64 // share
	form   form
	missed float64 // share of the contacts that fail
	tasks  float64 // share of the contacts that bring much back
}

// A form is where the jitter goes.
type form uint8

// The forms that implants are known to have.
const (
	sooner form = iota // between (1-jitter) period and period
	around             // to both sides
	later              // period and up to jitter more
	forms
)

// rhythm draws how an implant of the fleet's world keeps in touch.
func (f *Fleet) rhythm(d dice) rhythm {
	r := rhythm{
		period: time.Duration(d.scale(60, 6*3600) * float64(time.Second)), jitter: d.between(0, 0.5), form: form(d.IntN(int(forms))),
		missed: d.between(0, 0.1), tasks: 0.01,
	}
	if f.Shifted {
		r.jitter, r.missed = d.between(0.25, 0.7), d.between(0, 0.3)
	}
	return r
}

// next returns the time to the next contact.
func (r rhythm) next(d dice) time.Duration {
	p, j := float64(r.period), r.jitter*d.Float64()
	switch r.form {
	case sooner:
		p *= 1 - j
	case later:
		p *= 1 + j
	default:
		p *= 1 + 2*j - r.jitter
	}
	return time.Duration(p)
}

// beacon keeps in touch while the host is on.
func (m *machine) beacon(d *deed) {
	begin := d.begin.Add(time.Duration(m.Float64() * float64(3*time.Hour)))
	for _, s := range m.spans {
		at := max(s.from, begin)
		if at >= s.to {
			continue
		}
		proc := m.start(d.program, at)
		at = at.Add(m.wait(min(d.beacon.period, time.Hour)) + time.Second)
		for ; at < s.to; at = at.Add(d.beacon.next(m.dice)) {
			if m.chance(d.beacon.missed) {
				continue
			}
			up := m.around(d.each, 0.25)
			if m.chance(d.beacon.tasks) {
				up = m.around(150_000, 1.5)
			}
			m.strike(d, at, proc, pick(m.dice, d.to), up, m.around(1500, 0.3), 200*time.Millisecond+m.wait(time.Second))
		}
	}
}

// strike makes one contact of a deed.
func (m *machine) strike(d *deed, at event.Time, proc *Process, to *Destination, up, down float64, lasts time.Duration) {
	m.do(Contact{
		Start: at, Lasts: lasts + time.Duration(up/5e6*float64(time.Second)), Up: int64(up), Down: int64(down),
		Process: proc, To: to, Origin: Attack, Deed: d.number,
	})
}

// after returns when somebody works at m from the deed's begin on, or else
// when m is on.
func (m *machine) after(d *deed) []span {
	later := span{from: d.begin, to: m.to}
	if s := within(m.shifts, later); len(s) > 0 {
		return s
	}
	return within(m.spans, later)
}

// carry takes much away in hours: over each of its destinations a share.
func (m *machine) carry(d *deed) {
	days := m.after(d)
	if len(days) == 0 {
		return
	}
	for i, to := range d.to {
		s := days[0]
		if len(d.to) > 1 {
			s = days[i%min(2, len(days))]
		}
		at := s.from.Add(time.Duration(m.between(0.05, 0.5) * float64(s.to.Sub(s.from))))
		proc := m.start(d.program, at.Add(-time.Minute))
		m.upload(at, proc, to, d.each/float64(len(d.to)), 40/len(d.to)+2, Attack, d.number)
	}
}

// The growth of the boiling frog, by day.
const simmer = 1.2

// trickle takes a little away on each day, over hours.
func (m *machine) trickle(d *deed) {
	for _, s := range m.after(d) {
		total := m.around(d.each, 0.25)
		if d.kind == BoilingFrog {
			total *= math.Pow(simmer, float64(s.from.Sub(d.begin)/day))
		}
		proc := m.start(d.program, s.from)
		const contacts = 30
		for range contacts {
			at := s.from.Add(time.Duration(m.Float64() * float64(min(s.to.Sub(s.from), 20*time.Hour))))
			up := m.around(total/contacts, 0.5)
			m.strike(d, at, proc, d.to[0], up, up*0.05+2000, m.wait(10*time.Second))
		}
	}
}

// hold keeps one connection open for more than a day, and a short one before.
func (m *machine) hold(d *deed) {
	for _, s := range within(m.spans, span{from: d.begin, to: m.to}) {
		lasts := m.within(30*time.Hour, 0.1)
		if s.to.Sub(s.from) < lasts+time.Hour {
			continue
		}
		proc := m.start(d.program, s.from)
		m.strike(d, s.from.Add(time.Minute), proc, d.to[0], 3000, 4000, time.Second)
		m.strike(d, s.from.Add(2*time.Minute), proc, d.to[0], d.each, d.each/2, lasts)
		return
	}
	// There is no longer stretch: what there is.
	for _, s := range within(m.spans, span{from: d.begin.Add(-7 * day), to: m.to}) {
		if s.to.Sub(s.from) > 20*time.Hour {
			m.strike(d, s.from.Add(2*time.Minute), m.start(d.program, s.from), d.to[0], d.each, d.each/2, s.to.Sub(s.from)-5*time.Minute)
			return
		}
	}
}
