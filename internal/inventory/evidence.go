package inventory

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
)

// Evidence is what telemetry says of one host, counted.
type Evidence struct {
	Days  int // days (UTC) with any record
	Hours int // hours with any record
	Span  int // hours from the first record to the last

	// Programs holds on how many days each program ran, by the template of
	// its image, and Classes the same by its class.
	Programs map[string]int
	Classes  map[program.Class]int

	// People is how many users there were but services and machines, and
	// PeopleDays on how many days.
	People, PeopleDays int

	// Clients holds how many addresses were accepted on each port that tells
	// something of a role.
	Clients map[uint16]int
}

// The ports that tell something of a role.
const (
	portDNS      = 53
	portHTTP     = 80
	portKerberos = 88
	portLDAP     = 389
	portHTTPS    = 443
	portSMB      = 445
	portLDAPS    = 636
	portSQL      = 1433
	portCatalog  = 3268 // the global catalogue of Active Directory
)

var telling = []uint16{portDNS, portHTTP, portKerberos, portLDAP, portHTTPS, portSMB, portLDAPS, portSQL, portCatalog}

// The bounds of a survey. What exceeds them can change no role.
const (
	maxPrograms = 4096
	maxImages   = 4096
	maxPeople   = 256
	maxClients  = 1024
)

// A Survey counts what telemetry says of one host. It takes records in any
// order, and the same record twice for one.
type Survey struct {
	classes *program.Classes

	hours    map[int64]struct{}
	programs map[string]days
	by       map[program.Class]days
	people   map[string]struct{}
	inhabit  days
	clients  map[uint16]map[netip.Addr]struct{}

	templates map[string]string // by image: templates take long to make
}

// days is a set of days since the epoch.
type days map[int64]struct{}

// NewSurvey returns a survey without records.
func NewSurvey(classes *program.Classes) *Survey {
	return &Survey{
		classes: classes, hours: make(map[int64]struct{}), programs: make(map[string]days),
		by: make(map[program.Class]days), people: make(map[string]struct{}), inhabit: make(days),
		clients: make(map[uint16]map[netip.Addr]struct{}), templates: make(map[string]string),
	}
}

// Start counts the start of a process. Its parent ran as well.
func (s *Survey) Start(e *event.ProcessStart) {
	day := s.when(e.Time)
	s.ran(e.Image, day)
	s.ran(e.ParentImage, day)
	s.user(e.User, day)
}

// Connect counts a connection.
func (s *Survey) Connect(e *event.Connect) {
	day := s.when(e.Time)
	s.ran(e.Image, day)
	s.user(e.User, day)
	port, client := e.Dst.Port(), e.Src.Addr()
	if e.Outbound || !slices.Contains(telling, port) || !client.IsValid() || client.IsLoopback() || client == e.Dst.Addr() {
		return
	}
	if s.clients[port] == nil {
		s.clients[port] = make(map[netip.Addr]struct{})
	}
	if len(s.clients[port]) < maxClients {
		s.clients[port][client] = struct{}{}
	}
}

// when notes that something happened, and returns the day.
func (s *Survey) when(t event.Time) int64 {
	hour := int64(t) / time.Hour.Microseconds()
	s.hours[hour] = struct{}{}
	return hour / 24
}

// ran notes that an image ran.
func (s *Survey) ran(image string, day int64) {
	if image == "" {
		return
	}
	template, ok := s.templates[image]
	if !ok {
		template = program.Template(image)
		if len(s.templates) < maxImages {
			s.templates[image] = template
		}
	}
	ran, ok := s.programs[template]
	if !ok {
		if len(s.programs) == maxPrograms {
			return
		}
		ran = make(days)
		s.programs[template] = ran
	}
	if _, ok := ran[day]; ok {
		return
	}
	ran[day] = struct{}{}
	class := s.classes.Of(template)
	if s.by[class] == nil {
		s.by[class] = make(days)
	}
	s.by[class][day] = struct{}{}
}

// user notes a person.
func (s *Survey) user(name string, day int64) {
	if !person(name) {
		return
	}
	s.inhabit[day] = struct{}{}
	if len(s.people) < maxPeople {
		s.people[strings.ToLower(name)] = struct{}{}
	}
}

// serviceDomains are the domains of accounts that are no people, as the
// languages of Windows write them.
var serviceDomains = []string{
	"nt authority", "nt-autorität", "autorite nt", "autoridade nt", "nt instans", "nt-myndighet", "nt-myndighed", "zarządzanie nt",
	"nt service", "nt virtual machine", "iis apppool", "window manager", "font driver host", "builtin",
}

// person reports whether a user, DOMAIN\name, is neither a service nor a
// machine.
func person(user string) bool {
	domain, name, ok := strings.Cut(strings.ToLower(user), `\`)
	return ok && domain != "" && name != "" && name != "-" && !strings.HasSuffix(name, "$") && !slices.Contains(serviceDomains, domain)
}

// Evidence returns the counts.
func (s *Survey) Evidence() Evidence {
	e := Evidence{
		Hours: len(s.hours), Programs: make(map[string]int, len(s.programs)), Classes: make(map[program.Class]int),
		People: len(s.people), PeopleDays: len(s.inhabit), Clients: make(map[uint16]int),
	}
	all := make(days)
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for h := range s.hours {
		all[h/24] = struct{}{}
		first, last = min(first, h), max(last, h)
	}
	e.Days = len(all)
	if e.Hours > 0 {
		e.Span = int(last-first) + 1
	}
	for p, d := range s.programs {
		e.Programs[p] = len(d)
	}
	for c, d := range s.by {
		e.Classes[c] = len(d)
	}
	for p, c := range s.clients {
		e.Clients[p] = len(c)
	}
	return e
}
