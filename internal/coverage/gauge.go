// Package coverage says what of the outbound TLS sessions could be seen, and
// what not: by host, by question, and why, with what would change it.
package coverage

import (
	"net/netip"
	"time"

	"github.com/postern/postern/internal/event"
)

// Evidence is what a gauge must know beside the sessions.
type Evidence struct {
	Survey *Survey

	// Leased returns how many hosts were ever seen with an address.
	Leased func(netip.Addr) int

	// Watched reports whether a network sensor saw anything of a host.
	Watched func(host string) bool

	// Translates reports whether hosts stand behind an address.
	Translates func(netip.Addr) bool

	// Place returns the site and the role of a host that a sensor saw, "" for
	// what is not known, and whether the role is only inferred. The sensor is
	// "" when none saw it.
	Place func(host, sensor string) (site, role string, inferred bool)
}

// A Gauge takes in the sessions of a run, each once and in any order. It is not
// safe for concurrent use.
type Gauge struct {
	Evidence
	spans map[string]time.Duration // of sensors
	hosts map[string]*hostRow
	spots map[spotKey]*group
	kinds map[string]*group // of traffic
	seen  map[seenKey]int64
	ports map[uint16]int64 // of sessions on the wire, of hosts with Sysmon

	first, last event.Time
}

// A hostRow is the sessions of one host, or of an address without one.
type hostRow struct {
	row
	sensor  string // the first, by name, that saw any
	hours   hours  // in which sessions began on the wire
	proxied sum
	direct  sum
}

// A spotKey names a blind spot.
type spotKey struct {
	question int
	cause    cause
}

type seenKey struct {
	image string
	port  uint16
	udp   bool
}

// NewGauge returns a gauge without any sessions.
func NewGauge(e Evidence) *Gauge {
	return &Gauge{
		Evidence: e, spans: make(map[string]time.Duration), hosts: make(map[string]*hostRow),
		spots: make(map[spotKey]*group), kinds: make(map[string]*group),
		seen: make(map[seenKey]int64), ports: make(map[uint16]int64),
	}
}

// Add takes in a session. It does not keep it.
func (g *Gauge) Add(s *event.Session) {
	h := g.host(s.Whose())
	causes := g.causes(s)
	var can [questions]bool
	for q, c := range causes {
		if can[q] = c == answered; !can[q] {
			into(g.spots, spotKey{q, c}).add(s)
		}
	}
	h.add(s, can)
	if s.Sensor != "" {
		h.hours.add(s.Start)
		if h.sensor == "" || s.Sensor < h.sensor {
			h.sensor = s.Sensor
		}
		g.observe(s)
	}
	if s.NameSource == event.NameConnect {
		h.proxied.add(s)
	} else {
		h.direct.add(s)
	}
	for _, k := range traffic(s) {
		into(g.kinds, k).add(s)
	}
	if g.first == event.Never || s.Start < g.first {
		g.first = s.Start
	}
	g.last = max(g.last, s.Start)
}

func into[K comparable](m map[K]*group, k K) *group {
	x := m[k]
	if x == nil {
		x = new(group)
		m[k] = x
	}
	return x
}

func (g *Gauge) host(name string) *hostRow {
	h := g.hosts[name]
	if h == nil {
		h = &hostRow{hours: make(hours)}
		g.hosts[name] = h
	}
	return h
}

// observe counts what the wire saw of the hosts that run Sysmon.
func (g *Gauge) observe(s *event.Session) {
	if s.Host == "" || !g.Survey.mix.hosts[s.Host] {
		return
	}
	g.ports[s.Dst.Port()]++
	k := seenKey{s.Image, s.Dst.Port(), s.Proto == event.UDP}
	if _, ok := g.seen[k]; !ok && len(g.seen) >= maxKeys {
		k.image = ""
	}
	g.seen[k]++
}

// A cause is why a question about a session has no answer.
type cause string

// The causes. Each unanswered question of a session has one.
const (
	answered cause = ""

	// Of who.
	noEndpoint    cause = "no-endpoint-telemetry"
	behindNAT     cause = "behind-nat"
	sharedAddress cause = "address-of-several-hosts"
	outsideLog    cause = "outside-endpoint-log"
	noConnects    cause = "connects-not-logged"
	silence       cause = "endpoint-silent"
	notLogged     cause = "connect-not-logged"
	unnamed       cause = "process-not-named"

	// Of where.
	noSNI       cause = "handshake-without-name"
	noHandshake cause = "no-handshake-seen"
	noLookup    cause = "no-lookup-seen"

	// Of how much and persisted.
	noWire    cause = "no-network-sensor"
	missed    cause = "missed-by-sensor"
	stillOpen cause = "still-open"
	noCount   cause = "not-counted"
	tooShort  cause = "evidence-too-short"
)

// causes returns why each question has no answer.
func (g *Gauge) causes(s *event.Session) [questions]cause {
	return [questions]cause{who: g.whyNobody(s), where: whyNowhere(s), howMuch: g.whyUncounted(s), persisted: g.whyUntimed(s)}
}

func (g *Gauge) whyNobody(s *event.Session) cause {
	switch {
	case s.Rung.Owned() && s.Program != "":
		return answered
	case s.Rung.Owned():
		return unnamed
	case s.Rung == event.RungHost:
		return g.whyUnowned(s)
	case g.Translates(s.Client):
		return behindNAT
	}
	switch g.Leased(s.Client) {
	case 0:
		return noEndpoint
	case 1:
		return outsideLog
	}
	return sharedAddress
}

// whyUnowned is why a known host does not say which process made a session.
func (g *Gauge) whyUnowned(s *event.Session) cause {
	t := g.Survey.hosts[s.Host]
	switch {
	case !t.reports():
		return noEndpoint
	case t.connects() == 0:
		return noConnects
	case !t.has(s.Start):
		return outsideLog
	}
	if _, connect := t.during(s.Start); !connect {
		return silence
	}
	return notLogged
}

// whyNowhere takes a reverse name for no name: it says who runs the far end,
// which is often a CDN, and not what was asked of it.
func whyNowhere(s *event.Session) cause {
	switch {
	case s.NameSource < event.NamePTR:
		return answered
	case s.Sensor == "":
		return noLookup
	case s.Evidence == event.TLSHandshake:
		return noSNI
	}
	return noHandshake
}

func (g *Gauge) whyUncounted(s *event.Session) cause {
	if s.BytesOut.Known() {
		return answered
	}
	return g.whyUnseen(s)
}

// whyUnseen is why no sensor measured a session.
func (g *Gauge) whyUnseen(s *event.Session) cause {
	switch {
	case s.Sensor == "" && g.Watched(s.Whose()):
		return missed
	case s.Sensor == "":
		return noWire
	case s.Open:
		return stillOpen
	}
	return noCount
}

func (g *Gauge) whyUntimed(s *event.Session) cause {
	switch {
	case !s.Duration.Known():
		return g.whyUnseen(s)
	case g.watched(s) < LongEnough:
		return tooShort
	}
	return answered
}

// watched returns how long the sensor that timed a session was there.
func (g *Gauge) watched(s *event.Session) time.Duration {
	if s.Sensor == "" {
		if t := g.Survey.hosts[s.Host]; t != nil {
			return t.lasted()
		}
		return 0
	}
	d, ok := g.spans[s.Sensor]
	if !ok {
		d = g.Survey.span(s.Sensor)
		g.spans[s.Sensor] = d
	}
	return d
}

// lasted returns how long a host reported anything.
func (t *telemetry) lasted() time.Duration {
	var longest time.Duration
	for _, l := range t.logs {
		longest = max(longest, l.last.Sub(l.first))
	}
	return longest
}
