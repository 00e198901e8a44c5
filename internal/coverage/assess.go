package coverage

import (
	"maps"
	"slices"
	"time"

	"github.com/postern/postern/internal/coverage/sysmon"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
)

// A Requirement is how far back evidence must reach for a question.
type Requirement struct {
	What   string
	Length time.Duration
}

// Document says what the sessions, and the survey, show. The inventory names
// the hosts that there should be.
func (g *Gauge) Document(inventory []string, needs []Requirement) *Document {
	g.around()
	d := &Document{
		Format: Format, First: instant(g.first), Last: instant(g.last),
		Hosts: g.rows(inventory), BlindSpots: g.blindSpots(), Traffic: []Traffic{},
		Sources: g.sources(), Translators: []finding.Translator{}, Inputs: []finding.Input{},
	}
	var total row
	for _, h := range g.hosts {
		total.merge(&h.row)
	}
	d.Total = total.document()
	d.Sites = g.parts(func(h *Host) string { return h.Site }, d.Hosts)
	d.Roles = g.parts(func(h *Host) string { return h.Role }, d.Hosts)
	d.Population = population(d.Hosts)
	for _, kind := range slices.Sorted(maps.Keys(g.kinds)) {
		d.Traffic = append(d.Traffic, g.kinds[kind].document(kind))
	}
	d.Needs = g.needs(needs, d.Sources)
	return d
}

// rows lists the hosts that anything tells of, by name.
func (g *Gauge) rows(inventory []string) []Host {
	names := make(map[string]bool)
	for name := range g.hosts {
		names[name] = true
	}
	for name := range g.Survey.hosts {
		names[name] = true
	}
	for _, name := range inventory {
		names[name] = true
	}
	all := []Host{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		row := g.hosts[name]
		if row == nil {
			row = &hostRow{}
		}
		h := row.document(name, g.Survey.hosts[name])
		h.Site, h.Role, h.Inferred = g.Place(name, row.sensor)
		all = append(all, h)
	}
	return all
}

// parts adds hosts up by what they have in common.
func (g *Gauge) parts(of func(*Host) string, hosts []Host) []Part {
	rows := make(map[string]*row)
	count := make(map[string]int)
	for i := range hosts {
		name := of(&hosts[i])
		if rows[name] == nil {
			rows[name] = new(row)
		}
		count[name]++
		if h := g.hosts[hosts[i].Name]; h != nil {
			rows[name].merge(&h.row)
		}
	}
	all := []Part{}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		all = append(all, Part{name, count[name], rows[name].document()})
	}
	return all
}

func population(hosts []Host) Population {
	p := Population{Unseen: []string{}}
	for i := range hosts {
		switch h := &hosts[i]; {
		case h.OnWire && h.Endpoint != StateNone:
			p.Both++
		case h.OnWire:
			p.WireOnly++
		case h.Endpoint != StateNone:
			p.EndpointOnly++
		default:
			p.Unseen = append(p.Unseen, h.Name)
		}
	}
	return p
}

// restful is how many days without an event, as a long weekend, do not yet
// part what is usable from what is not.
const restful = 3

func (g *Gauge) sources() []Source {
	all := []Source{}
	for _, k := range slices.SortedFunc(maps.Keys(g.Survey.sources), sourceKey.compare) {
		x := g.Survey.sources[k]
		from := x.oldest()
		all = append(all, Source{
			Name: k.name, Kind: k.kind, Events: x.events, First: instant(x.first), Last: instant(x.last),
			Oldest: from.Std().Format(time.DateOnly), Days: x.last.Sub(from).Hours() / 24,
		})
	}
	return all
}

// oldest returns from when on a source reported without a long gap.
func (x *source) oldest() event.Time {
	days := slices.Sorted(maps.Keys(x.days))
	from := days[len(days)-1]
	for _, d := range slices.Backward(days) {
		if from-d > restful+1 {
			break
		}
		from = d
	}
	return max(x.first, event.Time(from)*day)
}

// nearly is how many days may lack of what is needed: a log of two weeks does
// not begin and end at midnight.
const nearly = 0.5

// needs says which sources, and how many hosts' logs, do not reach far enough.
func (g *Gauge) needs(all []Requirement, sources []Source) []Need {
	list := []Need{}
	for _, r := range all {
		n := Need{What: r.What, Days: r.Length.Hours() / 24, Lacking: []string{}}
		for _, s := range sources {
			if s.Days+nearly < n.Days {
				n.Lacking = append(n.Lacking, s.Name+" ("+s.Kind+")")
			}
		}
		for _, t := range g.Survey.hosts {
			if t.reports() && t.lasted().Hours()/24+nearly < n.Days {
				n.Hosts++
			}
		}
		list = append(list, n)
	}
	return list
}

// Seen returns what an audit of a Sysmon configuration counts events by: what
// the wire saw of the hosts with Sysmon. It is nil without any.
func (g *Gauge) Seen() *sysmon.Seen {
	if len(g.seen) == 0 && len(g.Survey.mix.names) == 0 {
		return nil
	}
	s := &sysmon.Seen{Days: g.last.Sub(g.first).Hours() / 24}
	for k, n := range g.seen {
		s.Connects = append(s.Connects, sysmon.SeenConnect{Image: k.image, Port: k.port, UDP: k.udp, Count: n})
	}
	for name, n := range g.Survey.mix.names {
		s.Lookups = append(s.Lookups, sysmon.SeenLookup{Name: name, Count: n})
	}
	return s
}

// Mix returns from what a configuration of Sysmon can be inferred.
func (g *Gauge) Mix() sysmon.Mix {
	m := &g.Survey.mix
	out := sysmon.Mix{
		Hosts: len(m.hosts), Starts: m.starts, Connects: m.connects, Lookups: m.lookups,
		Ports: make(map[uint16]sysmon.Told), Programs: told(m.programs), Domains: told(m.domains),
	}
	for p, n := range g.ports {
		out.Ports[p] = sysmon.Told{Sysmon: m.ports[p], Other: n}
	}
	return out
}

func told(m map[string]*[2]int64) map[string]sysmon.Told {
	out := make(map[string]sysmon.Told, len(m))
	for k, n := range m {
		out[k] = sysmon.Told{Sysmon: n[0], Other: n[1]}
	}
	return out
}
