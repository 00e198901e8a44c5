// Package fleet makes the outbound TLS sessions of a whole Windows fleet over
// weeks, host by host, with attacks hidden in them and the truth about those.
//
// Package simulate plays sensors and writes what they log; this package skips
// them and says what a good join would have made of it, so that thousands of
// hosts over weeks take seconds. It draws each host from the seed and the
// host's number alone: hosts can be made in any order and side by side, and
// one more attack changes nothing of what is harmless.
//
// The software, its popularity (a Zipf law with a long tail), the nuisances
// and the attacks follow what is known of real fleets in kind, not in number:
// the shares are chosen, and what is measured here ranks methods. It is no
// forecast for a real fleet.
package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

// A Config says what fleet to make. Equal configurations make equal fleets.
type Config struct {
	Seed  uint64
	Hosts int
	Days  int // 4 to 35; 0 is 14

	// Shifted makes a world that differs from the usual one where detectors
	// may have leant on it: weaker rhythms, half the attackers in places
	// where installers put programs, three times the new tools and four times
	// the use of LOLBins.
	Shifted bool

	Kinds []Kind // the attacks that may be played; nil is all
	Deeds int    // how many are; 0 depends on the hosts, less than 0 is none
}

const (
	day        = 24 * time.Hour
	leastDays  = 4
	mostDays   = 35
	usualDays  = 14
	mostHosts  = 1 << 16
	deedsEvery = 12 // hosts for each deed, in a fleet that says nothing of deeds
)

// Epoch is the begin of every fleet, a Monday.
var Epoch = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// A Fleet is the plan of a fleet. It is safe for concurrent use.
type Fleet struct {
	Config
	from, to event.Time
	catalogue
	web     *web
	born    []int              // by host: the day of its first session
	extra   map[int][]*Program // by host: what is on a few hosts only
	arrives map[*Program]arrival
	deeds   []*deed
}

// New plans a fleet.
func New(c Config) (*Fleet, error) {
	if c.Days == 0 {
		c.Days = usualDays
	}
	switch {
	case c.Hosts < 1 || c.Hosts > mostHosts:
		return nil, fmt.Errorf("a fleet of %d hosts: from 1 to %d can be made", c.Hosts, mostHosts)
	case c.Days < leastDays || c.Days > mostDays:
		return nil, fmt.Errorf("a fleet over %d days: from %d to %d can be made", c.Days, leastDays, mostDays)
	}
	for _, k := range c.Kinds {
		if !slices.Contains(Kinds(), k) {
			return nil, fmt.Errorf("no attack is of kind %q", k)
		}
	}
	if c.Kinds != nil && len(c.Kinds) == 0 {
		return nil, errors.New("the list of kinds of attacks is empty")
	}
	f := &Fleet{
		Config: c, from: event.At(Epoch),
		extra: make(map[int][]*Program), arrives: make(map[*Program]arrival),
	}
	f.to = f.from.Add(time.Duration(c.Days) * day)
	f.web = theWeb()
	var err error
	if f.catalogue, err = shipped(); err != nil {
		return nil, err
	}
	f.growTail(newDice(c.Seed, "tail", 0))
	f.plan(newDice(c.Seed, "nuisances", 0))
	f.plot()
	return f, nil
}

// Period returns the begin and the end of the fleet's sessions.
func (f *Fleet) Period() (from, to event.Time) { return f.from, f.to }

// Each returns the hosts one after the other. Only the host that was yielded
// is in memory.
func (f *Fleet) Each() iter.Seq[*HostDays] {
	return func(yield func(*HostDays) bool) {
		for i := range f.Hosts {
			if !yield(f.Host(i)) {
				return
			}
		}
	}
}

// HostDays is one host over all days.
type HostDays struct {
	Name  string
	Login string // of whoever works there, or of nobody
	Role  Role
	Addr  netip.Addr

	// Contacts are what its programs do, by time.
	Contacts []Contact

	seed uint64
	days int
	from event.Time
}

// A Contact is one connection as it truly is.
type Contact struct {
	Start    event.Time
	Lasts    time.Duration
	Up, Down int64 // bytes
	Process  *Process
	To       *Destination
	Origin   Origin
	Deed     int // its number in the truth, when the origin is an attack
}

// A Process is an instance of a program on one host.
type Process struct {
	*Program
	PID   uint32
	GUID  string // as Sysmon's, in lower case without braces
	Start event.Time
	Image string // with the user's name in it
	User  string
}

// Host makes host i, from 0 on.
func (f *Fleet) Host(i int) *HostDays {
	m := f.machine(i)
	f.browse(m)
	f.software(m)
	f.nuisances(m)
	for _, d := range f.deeds {
		if slices.Contains(d.hosts, i) {
			m.commit(d)
		}
	}
	slices.SortFunc(m.contacts, func(a, b Contact) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Process.GUID, b.Process.GUID),
			cmp.Compare(a.To.Name, b.To.Name), cmp.Compare(a.Up, b.Up))
	})
	return &HostDays{
		Name: m.name, Login: m.login, Role: m.role, Addr: m.addr, Contacts: m.contacts,
		seed: f.Seed + uint64(i)*0x9e3779b97f4a7c15, days: f.Days, from: f.from,
	}
}
