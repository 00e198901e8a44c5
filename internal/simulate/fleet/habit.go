package fleet

import (
	"math"
	"time"

	"github.com/postern/postern/internal/event"
)

// software has m's programs use the network.
func (f *Fleet) software(m *machine) {
	for _, p := range f.programs {
		// What a host has is drawn apart from what it does with it.
		d := newDice(f.Seed, p.Key, uint64(m.number))
		if p.Origin == LOLBin {
			f.lolbin(m, p)
			continue
		}
		if d.chance(p.share[m.role]) {
			m.runs(p)
		}
	}
	for _, p := range f.extra[m.number] {
		if _, late := f.arrives[p]; !late {
			m.runs(p)
		}
	}
}

// runs has p do on m all that it does.
func (m *machine) runs(p *Program) {
	for i := range p.links {
		h := habit{machine: m, program: p, link: &p.links[i], level: m.around(1, 0.4), steps: m.to, grown: 1}
		if m.chance(levelShifts) {
			h.steps, h.grown = m.from.Add(time.Duration(m.Float64()*float64(m.to.Sub(m.from)))), m.between(2, 6)
		}
		h.live()
	}
}

// levelShifts is the share of the links that one day begin to move more, for
// good and in good faith.
const levelShifts = 0.05

// A habit is a link on one host.
type habit struct {
	*machine
	*link
	program *Program
	level   float64    // of the bytes, against the link's
	steps   event.Time // when the level changes
	grown   float64    // by how much
}

// live plays the habit over all days.
func (h *habit) live() {
	switch h.how {
	case poll, task:
		for _, to := range h.sites {
			for _, s := range h.spans {
				h.repeat(to, s)
			}
		}
	case watch:
		for _, to := range h.sites {
			for _, s := range h.sittings(0.15) {
				h.repeat(to, s)
			}
		}
	case night:
		h.nights()
	case runs:
		for _, s := range h.sittings(0.15) {
			h.byHand(s)
		}
	case use, push, stay:
		for _, s := range h.sittings(0.15) {
			h.work(s)
		}
	}
}

// repeat contacts a site again and again.
func (h *habit) repeat(to *Destination, s span) {
	if h.every <= 0 {
		return
	}
	// Long periods keep their phase over night; short ones begin with the host.
	at := s.from.Add(time.Duration(float64(min(h.every, 40*time.Minute)) * h.Float64()))
	if h.every > 3*time.Hour {
		at = s.from.Add(time.Duration(float64(h.every) * h.Float64()))
	}
	for at < s.to {
		h.contact(at, to, s)
		at = at.Add(h.within(h.every, h.jitter))
	}
}

// nights sends once a night, at an hour of the host's own.
func (h *habit) nights() {
	hour := time.Duration(h.between(0, 4) * float64(time.Hour))
	for t := h.from.Add(hour); t < h.to; t = t.Add(day) {
		if at := t.Add(h.within(5*time.Minute, 1)); h.on(at) && h.chance(h.jitter) {
			h.contact(at, pick(h.dice, h.sites), span{from: t})
		}
	}
}

// byHand starts the program a few times in a day, each time for a burst.
func (h *habit) byHand(s span) {
	if !h.chance(h.jitter) {
		return
	}
	for range min(1+h.trials(0.4), 6) {
		at := s.from.Add(time.Duration(h.Float64() * float64(s.to.Sub(s.from))))
		h.burst(at, h.program, h.link, pick(h.dice, h.sites), h.program.Origin)
	}
}

// work is a program that somebody drives, on a day on which it is used.
func (h *habit) work(s span) {
	used := h.jitter
	if s.weekend {
		used *= 0.5
	}
	if !h.chance(used) {
		return
	}
	for at := s.from.Add(h.wait(min(h.every, time.Hour))); at < s.to; at = at.Add(2*time.Second + h.wait(h.every)) {
		if at.Std().Hour() == 12 && h.chance(0.7) { // lunch
			continue
		}
		for _, to := range h.targets() {
			h.contact(at, to, s)
		}
	}
}

// targets returns where one contact goes: a stay keeps all its sites.
func (h *habit) targets() []*Destination {
	if h.how == stay {
		return h.sites
	}
	return []*Destination{pick(h.dice, h.sites)}
}

// contact makes one contact.
func (h *habit) contact(at event.Time, to *Destination, s span) {
	factor := h.level
	if at >= h.steps {
		factor *= h.grown
	}
	up := h.around(h.up*factor, h.sigma)
	c := Contact{
		Start: at, Up: int64(up), Down: int64(h.around(h.down*math.Sqrt(factor), h.sigma)), To: to, Origin: h.program.Origin,
		Lasts: 100*time.Millisecond + h.wait(1500*time.Millisecond) + time.Duration(up/8e6*float64(time.Second)),
	}
	switch h.how {
	case stay:
		c.Lasts = min(h.wait(h.every)+time.Minute, max(time.Minute, s.to.Sub(at)))
	case use:
		c.Lasts += h.wait(20 * time.Second)
	}
	if h.how == task || h.how == night {
		c.Process = h.start(h.program, at.Add(-time.Second))
	} else {
		c.Process = h.instance(h.program, s.from)
	}
	h.do(c)
}
