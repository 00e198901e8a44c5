package fleet

import (
	"time"

	"github.com/postern/postern/internal/event"
)

const (
	developersUse = 4    // how much more often developers and servers use LOLBins
	lolbinFresh   = 0.08 // share of the runs that go to a domain that nobody visited before
	lolbinTasks   = 0.03 // share of the hosts' LOLBins that a schedule runs, for those in use at all
)

// lolbin has somebody on m use a program that runs what others tell it. The
// shares of programs.tsv are of a day.
func (f *Fleet) lolbin(m *machine, p *Program) {
	often := p.share[m.role]
	if m.role == Developer || m.role == Server {
		often *= developersUse
	}
	if f.Shifted {
		often *= 4
	}
	l := &p.links[0]
	for _, s := range m.sittings(0.6) {
		if !m.chance(often) {
			continue
		}
		to, origin := pick(m.dice, l.sites), p.Origin
		if m.chance(lolbinFresh) {
			to, origin = m.fresh(), LOLBinFresh
		}
		m.burst(s.from.Add(time.Duration(m.Float64()*float64(s.to.Sub(s.from)))), p, l, to, origin)
	}
	if m.chance(min(0.2, often*lolbinTasks*10)) {
		f.scheduled(m, p, l)
	}
}

// scheduled is a script that an administrator left to a schedule: an inventory,
// a licence report, a certificate renewal. Most go where others go too.
func (f *Fleet) scheduled(m *machine, p *Program, l *link) {
	to := pick(m.dice, l.sites)
	if m.chance(0.25) {
		to = m.fresh()
	}
	every := time.Duration(m.scale(0.5, 24) * float64(time.Hour))
	begin := m.from.Add(time.Duration(m.Float64() * 0.6 * float64(m.to.Sub(m.from))))
	if m.chance(0.5) {
		begin = m.from
	}
	for at := begin.Add(m.within(every/2, 1)); at < m.to; at = at.Add(m.within(every, 0.01)) {
		if m.on(at) {
			m.burst(at, p, l, to, LOLBinTask)
		}
	}
}

// burst is one run of a program, which makes a few contacts with one site.
func (m *machine) burst(at event.Time, p *Program, l *link, to *Destination, origin Origin) {
	proc := m.start(p, at.Add(-2*time.Second))
	for range min(1+m.trials(0.5), 5) {
		m.do(Contact{
			Start: at, Lasts: 200*time.Millisecond + m.wait(2*time.Second), Process: proc, To: to, Origin: origin,
			Up: int64(m.around(l.up, l.sigma)), Down: int64(m.around(l.down, l.sigma)),
		})
		at = at.Add(time.Second + m.wait(10*time.Second))
	}
}
