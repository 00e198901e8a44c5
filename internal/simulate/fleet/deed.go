package fleet

import (
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// A Truth is what a fleet hides, for those who check what was found.
type Truth struct {
	Scenario string `json:"scenario"`
	Seed     uint64 `json:"seed"`
	Hosts    int    `json:"hosts"`
	Days     int    `json:"days"`
	Shifted  bool   `json:"shifted"`
	From     string `json:"from"` // RFC 3339
	To       string `json:"to"`
	Deeds    []Deed `json:"deeds"`
}

// A Deed is one attack. Sessions and bytes are what telemetry has of it: a
// byte count that no sensor saw is not in the sum.
type Deed struct {
	Kind     Kind       `json:"kind"`
	Hosts    []string   `json:"hosts"`
	Program  string     `json:"program"` // as sessions name it
	Image    string     `json:"image"`   // on the first host
	Signed   bool       `json:"signed"`  // which no sensor of ours sees
	Names    []string   `json:"names"`   // of the destinations
	Domains  []string   `json:"domains"` // their registered domains
	First    event.Time `json:"-"`       // start of the first session; Never when there is none
	Last     event.Time `json:"-"`       // and of the last
	Sessions int        `json:"sessions"`
	Bytes    int64      `json:"bytes"` // out
	FirstAt  string     `json:"first"` // RFC 3339; "" when there is no session
	LastAt   string     `json:"last"`
}

// Note adds a session to what telemetry has of the deed.
func (d *Deed) Note(start event.Time, out event.Count) {
	if d.Sessions == 0 || start < d.First {
		d.First, d.FirstAt = start, start.Std().Format(time.RFC3339Nano)
	}
	if d.Sessions == 0 || start > d.Last {
		d.Last, d.LastAt = start, start.Std().Format(time.RFC3339Nano)
	}
	d.Sessions++
	d.Bytes = out.AddTo(d.Bytes)
}

// Plan returns the truth without times, sessions and bytes, which are known
// once the hosts are made.
func (f *Fleet) Plan() *Truth {
	t := &Truth{
		Scenario: "fleet", Seed: f.Seed, Hosts: f.Hosts, Days: f.Days, Shifted: f.Shifted,
		From: f.from.Std().Format(time.RFC3339), To: f.to.Std().Format(time.RFC3339),
	}
	for _, d := range f.deeds {
		out := Deed{Kind: d.kind, Program: d.program.Key, Signed: d.program.Signed}
		for i, h := range d.hosts {
			m := f.machine(h)
			out.Hosts = append(out.Hosts, m.name)
			if i == 0 {
				out.Image = m.image(d.program)
			}
		}
		for _, to := range d.to {
			out.Names = append(out.Names, to.Name)
			if !slices.Contains(out.Domains, to.Domain) {
				out.Domains = append(out.Domains, to.Domain)
			}
		}
		t.Deeds = append(t.Deeds, out)
	}
	return t
}

// Truth returns the whole truth. It makes the hosts that attackers hold; who
// makes the hosts anyway notes the sessions of each deed on the plan instead.
func (f *Fleet) Truth() *Truth {
	t := f.Plan()
	for i := range f.Hosts {
		if !slices.ContainsFunc(f.deeds, func(d *deed) bool { return slices.Contains(d.hosts, i) }) {
			continue
		}
		h := f.Host(i)
		for j, s := range h.Sessions() {
			if c := &h.Contacts[j]; c.Origin == Attack {
				t.Deeds[c.Deed].Note(s.Start, s.BytesOut)
			}
		}
	}
	return t
}

// A deed is an attack that is planned.
type deed struct {
	number  int
	kind    Kind
	hosts   []int
	program *Program
	to      []*Destination
	begin   event.Time
	play    func(m *machine, d *deed)
	beacon  rhythm
	each    float64 // bytes of a contact, or of a day
}

// plot plans the attacks.
func (f *Fleet) plot() {
	kinds := f.Kinds
	if kinds == nil {
		kinds = Kinds()
	}
	n := f.Deeds
	if n == 0 {
		n = min(2*len(Kinds()), max(4, f.Hosts/deedsEvery))
	}
	// One order for all seeds: fleets of successive seeds, which may have few
	// deeds each, together have as many of each kind.
	order := newDice(0, "plot", 0).Perm(len(kinds))
	first := int(f.Seed % uint64(len(kinds)) * uint64(max(0, n)) % uint64(len(kinds)))
	taken := make(map[int]bool)
	for i := range n {
		kind := kinds[order[(first+i)%len(order)]]
		f.deeds = append(f.deeds, f.conceive(newDice(f.Seed, string(kind), uint64(i)), i, kind, taken))
	}
}

// victims draws n hosts that are there from the begin, and free while there
// are free ones.
func (f *Fleet) victims(d dice, n int, taken map[int]bool, fits func(*machine) bool) []int {
	var free, held []int
	for _, h := range d.Perm(f.Hosts) {
		switch {
		case f.born[h] > 0 || !fits(f.machine(h)):
		case taken[h]:
			held = append(held, h)
		default:
			free = append(free, h)
		}
	}
	chosen := slices.Concat(free, held)
	chosen = chosen[:min(n, len(chosen))]
	for _, h := range chosen {
		taken[h] = true
	}
	return slices.Sorted(slices.Values(chosen))
}

// commit plays a deed on m, with dice of its own.
func (m *machine) commit(d *deed) {
	benign := m.dice
	m.dice = newDice(m.seed, "deed", uint64(d.number)<<20|uint64(m.number))
	d.play(m, d)
	m.dice = benign
}
