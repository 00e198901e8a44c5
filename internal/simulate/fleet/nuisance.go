package fleet

import (
	"math"
	"time"

	"github.com/postern/postern/internal/event"
)

const (
	rollOutShare  = 0.25   // of the hosts
	toolsEach     = 0.003  // new tools for each host and day
	licenceShare  = 0.002  // licence updaters for each host
	lateShare     = 0.005  // hosts that join late
	uploadsEach   = 0.0025 // bulk uploads for each host and day
	uploadedBytes = 1e9
)

// An arrival is when and how long a program is used.
type arrival struct {
	from event.Time
	keep bool // it stays; else it is used for a day
}

// plan draws what disturbs the fleet and is harmless.
func (f *Fleet) plan(d dice) {
	f.born = make([]int, f.Hosts)
	if f.Hosts >= 10 {
		for _, h := range d.some(max(1, int(lateShare*float64(f.Hosts))), f.Hosts-2) {
			f.born[h+2] = f.Days/2 + d.IntN(max(1, f.Days/2-1))
		}
	}
	f.rollOut(d)
	f.licences(d)
	each := toolsEach
	if f.Shifted {
		each *= 3
	}
	for n := range f.Days {
		for range d.poisson(each * float64(f.Hosts)) {
			f.tool(d, n)
		}
	}
}

// birth returns the day of host i's first session.
func (f *Fleet) birth(i int) int { return f.born[i] }

func (f *Fleet) put(p *Program, a arrival, hosts []int) {
	f.arrives[p] = a
	for _, h := range hosts {
		f.extra[h] = append(f.extra[h], p)
	}
}

// rollOut is one signed program that comes to a quarter of the hosts in a day.
func (f *Fleet) rollOut(d dice) {
	p := f.product(d, RollOut, true)
	p.Image = `C:\Program Files\` + p.Company + `\` + p.Product + `\` + p.Original
	p.links = p.links[:1]
	p.links[0].how, p.links[0].every, p.links[0].jitter, p.links[0].sigma = poll, time.Duration(d.between(0.5, 4)*float64(time.Hour)), 0.1, manners[poll]
	at := f.from.Add(time.Duration(f.Days/2+1)*day + 7*time.Hour)
	f.put(p, arrival{at, true}, d.some(max(1, int(rollOutShare*float64(f.Hosts))), f.Hosts))
}

// licences are niche products that begin to ask for their licences.
func (f *Fleet) licences(d dice) {
	for range max(1, int(math.Round(licenceShare*float64(f.Hosts)))) {
		p := f.product(d, Licence, d.chance(0.7))
		p.links = p.links[:1]
		l := &p.links[0]
		l.how, l.every, l.jitter = poll, time.Duration(d.between(0.5, 4)*float64(time.Hour)), d.between(0.01, 0.2)
		l.up, l.sigma = 1200, manners[poll]
		at := f.from.Add(time.Duration(d.IntN(f.Days-2))*day + 8*time.Hour)
		f.put(p, arrival{at, true}, d.some(1+d.IntN(3), f.Hosts))
	}
}

// tool is a program that somebody fetched on that day.
func (f *Fleet) tool(d dice, n int) {
	p := f.product(d, NewTool, d.chance(0.5))
	hosts := 1
	if d.chance(0.2) {
		hosts = 2
	}
	at := f.from.Add(time.Duration(n)*day + time.Duration(d.between(7, 16)*float64(time.Hour)))
	f.put(p, arrival{at, d.chance(0.5)}, d.some(hosts, f.Hosts))
}

// nuisances plays what comes later to m than its first day.
func (f *Fleet) nuisances(m *machine) {
	f.uploads(m)
	for _, p := range f.extra[m.number] {
		a, late := f.arrives[p]
		if !late {
			continue
		}
		until := m.to
		if !a.keep {
			until = a.from.Add(10 * time.Hour)
		}
		m.during(span{from: a.from, to: until}, func() { m.runs(p) })
	}
}

// during has do played as if m were used within s only.
func (m *machine) during(s span, do func()) {
	spans, shifts := m.spans, m.shifts
	m.spans, m.shifts = within(spans, s), within(shifts, s)
	do()
	m.spans, m.shifts = spans, shifts
}

// within returns what spans have in common with s.
func within(spans []span, s span) []span {
	var all []span
	for _, x := range spans {
		if from, to := max(x.from, s.from), min(x.to, s.to); from < to {
			all = append(all, span{from, to, x.weekend})
		}
	}
	return all
}

// uploadSites take files from anybody with a browser.
var uploadSites = []string{
	"drive.google.com", "www.dropbox.com", "onedrive.live.com", "wetransfer.com", "app.box.com", "extranet.partner-edi.example",
	"northwind.sharepoint.com", "studio.youtube.com",
}

// uploads are the large files that people send off, once.
func (f *Fleet) uploads(m *machine) {
	for _, s := range m.shifts {
		if !m.chance(uploadsEach) {
			continue
		}
		to := newDestination(pick(m.dice, uploadSites))
		if m.chance(0.1) {
			to = m.fresh() // a customer's server
		}
		proc := m.instance(f.browsers[m.IntN(2)], s.from)
		m.upload(s.from.Add(m.within(2*time.Hour, 0.9)), proc, to, m.around(uploadedBytes, 0.8), 5+m.IntN(20), Upload, 0)
	}
}

// upload sends total bytes in that many contacts.
func (m *machine) upload(at event.Time, proc *Process, to *Destination, total float64, contacts int, origin Origin, deed int) {
	for range contacts {
		up := m.around(total/float64(contacts), 0.4)
		m.do(Contact{
			Start: at, Lasts: time.Second + time.Duration(up/5e6*float64(time.Second)), Up: int64(up), Down: int64(up * m.between(0.005, 0.03)),
			Process: proc, To: to, Origin: origin, Deed: deed,
		})
		at = at.Add(m.wait(3*time.Minute) + time.Second)
	}
}
