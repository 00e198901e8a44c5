package coverage

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/program"
)

// A Survey is what the events show of their sensors. The zero Survey is not
// usable: see [NewSurvey]. It is not safe for concurrent use.
type Survey struct {
	networks inventory.Networks
	hosts    map[string]*telemetry
	sources  map[sourceKey]*source
	mix      mix
}

// NewSurvey returns an empty survey of an estate with those networks.
func NewSurvey(networks inventory.Networks) *Survey {
	return &Survey{
		networks: networks, hosts: make(map[string]*telemetry), sources: make(map[sourceKey]*source),
		mix: newMix(),
	}
}

// A telemetry is what the endpoint of one host reported.
type telemetry struct {
	logs    map[event.Source]*endpointLog
	notices []event.Notice
	noticed map[string]int // by kind
}

// An endpointLog is what one source of a host reported.
type endpointLog struct {
	starts, stops, connects, lookups int64

	first, last event.Time
	begin, end  event.Time    // of the connects
	connected   hours         // on the host's clock, those with an outbound connect
	otherwise   hours         // those with another event
	offset      time.Duration // to be taken off for the wire's clock
	numbers     *decode.Numbers
}

const hour = event.Time(time.Hour / time.Microsecond)

func (s *Survey) host(name string) *telemetry {
	t := s.hosts[name]
	if t == nil {
		t = &telemetry{logs: make(map[event.Source]*endpointLog), noticed: make(map[string]int)}
		s.hosts[name] = t
	}
	return t
}

func (s *Survey) log(host string, src event.Source) *endpointLog {
	t := s.host(host)
	l := t.logs[src]
	if l == nil {
		l = &endpointLog{connected: make(hours), otherwise: make(hours)}
		t.logs[src] = l
	}
	return l
}

// see notes an event of a log.
func (s *Survey) see(host string, src event.Source, t event.Time) *endpointLog {
	l := s.log(host, src)
	if l.first == event.Never || t < l.first {
		l.first = t
	}
	l.last = max(l.last, t)
	s.source(src.String(), "endpoint", t)
	return l
}

// other notes an event that is no outbound connect.
func (s *Survey) other(host string, src event.Source, t event.Time) *endpointLog {
	l := s.see(host, src, t)
	l.otherwise.add(t)
	return l
}

// maxNotices bounds the notices that are kept of a host.
const maxNotices = 50

// Add adds the events of some hosts and addresses, all that there are of them:
// hosts and the addresses that they used come together.
func (s *Survey) Add(b *event.Batch) {
	for i := range b.Starts {
		e := &b.Starts[i]
		s.other(e.Host, e.Source, e.Time).starts++
	}
	for i := range b.Stops {
		e := &b.Stops[i]
		s.other(e.Host, e.Source, e.Time).stops++
	}
	for i := range b.Notices {
		s.notice(&b.Notices[i])
	}
	for i := range b.Connects {
		s.connect(&b.Connects[i])
	}
	for i := range b.Lookups {
		s.lookup(&b.Lookups[i])
	}
	for i := range b.Flows {
		s.source(b.Flows[i].Sensor, "flows", b.Flows[i].Time)
	}
	for i := range b.Handshakes {
		s.source(b.Handshakes[i].Sensor, "handshakes", b.Handshakes[i].Time)
	}
	for i := range b.Requests {
		s.source(b.Requests[i].Sensor, "requests", b.Requests[i].Time)
	}
	s.mix.add(b, s.networks)
}

func (s *Survey) notice(n *event.Notice) {
	t := s.host(n.Host)
	t.noticed[n.Kind]++
	if len(t.notices) < maxNotices {
		t.notices = append(t.notices, *n)
	}
}

func (s *Survey) connect(k *event.Connect) {
	if !k.Outbound {
		s.other(k.Host, k.Source, k.Time)
		return
	}
	l := s.see(k.Host, k.Source, k.Time)
	l.connected.add(k.Time)
	l.connects++
	if l.begin == event.Never || k.Time < l.begin {
		l.begin = k.Time
	}
	l.end = max(l.end, k.Time)
}

func (s *Survey) lookup(l *event.Lookup) {
	if l.Host == "" {
		s.source(l.Sensor, "lookups", l.Time)
		return
	}
	s.other(l.Host, l.Source, l.Time).lookups++
}

// Clock notes by how much the clock of a host's source is off.
func (s *Survey) Clock(host string, src event.Source, offset time.Duration) {
	if t := s.hosts[host]; t != nil && t.logs[src] != nil {
		t.logs[src].offset = offset
	}
}

// Numbers notes which records of a host's log there are.
func (s *Survey) Numbers(host string, src event.Source, n *decode.Numbers) {
	if host == "" {
		return
	}
	l := s.log(host, src)
	if l.numbers == nil {
		l.numbers = new(decode.Numbers)
	}
	l.numbers.Merge(n)
}

// during returns whether any source of a host reported anything in the hour of
// an instant on the wire's clock, and whether an outbound connect.
func (t *telemetry) during(at event.Time) (anything, connect bool) {
	for _, l := range t.logs {
		on := at.Add(l.offset)
		connect = connect || l.connected.has(on)
		anything = anything || l.otherwise.has(on)
	}
	return anything || connect, connect
}

// connects returns the outbound connects of all sources.
func (t *telemetry) connects() (n int64) {
	for _, l := range t.logs {
		n += l.connects
	}
	return n
}

func (t *telemetry) starts() (n int64) {
	for _, l := range t.logs {
		n += l.starts
	}
	return n
}

// reports reports whether there is any event but notices.
func (t *telemetry) reports() bool {
	if t == nil {
		return false
	}
	for _, l := range t.logs {
		if l.first != event.Never {
			return true
		}
	}
	return false
}

func (t *telemetry) sources() []event.Source {
	var all []event.Source
	for s := range t.logs {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// has reports whether any source logged connects around t, on the wire's clock.
func (t *telemetry) has(at event.Time) bool {
	for _, l := range t.logs {
		if on := at.Add(l.offset); l.connects > 0 && l.begin <= on && on <= l.end {
			return true
		}
	}
	return false
}

// A sourceKey names a sensor and what it reports.
type sourceKey struct{ name, kind string }

// A source is when something reported.
type source struct {
	events      int64
	first, last event.Time
	days        map[int64]bool
}

const day = 24 * hour

func (s *Survey) source(name, kind string, t event.Time) {
	k := sourceKey{name, kind}
	x := s.sources[k]
	if x == nil {
		x = &source{days: make(map[int64]bool)}
		s.sources[k] = x
	}
	x.events++
	if x.first == event.Never || t < x.first {
		x.first = t
	}
	x.last = max(x.last, t)
	x.days[int64(t/day)] = true
}

// span returns how long a network sensor, by all that it reports, was there.
func (s *Survey) span(sensor string) time.Duration {
	var first, last event.Time
	for k, x := range s.sources {
		if k.name != sensor || k.kind == "endpoint" || k.kind == "lookups" {
			continue
		}
		if first == event.Never || x.first < first {
			first = x.first
		}
		last = max(last, x.last)
	}
	return last.Sub(first)
}

// A mix is what Sysmon tells of, and what others tell of the same hosts.
type mix struct {
	hosts    map[string]bool
	starts   int64
	connects int64
	lookups  int64

	ports    map[uint16]int64
	programs map[string]*[2]int64 // Sysmon's connects, and Security's
	domains  map[string]*[2]int64 // Sysmon's lookups, and the wire's
	names    map[string]int64     // lookups on the wire
}

// maxKeys bounds how many names of a kind a mix keeps.
const maxKeys = 200_000

func newMix() mix {
	return mix{
		hosts: make(map[string]bool), ports: make(map[uint16]int64),
		programs: make(map[string]*[2]int64), domains: make(map[string]*[2]int64), names: make(map[string]int64),
	}
}

func bump(m map[string]*[2]int64, key string, which int) {
	p := m[key]
	if p == nil {
		if len(m) >= maxKeys {
			return
		}
		p = new([2]int64)
		m[key] = p
	}
	p[which]++
}

// add takes in the events of some hosts and their addresses.
func (m *mix) add(b *event.Batch, networks inventory.Networks) {
	both, addrs := m.sysmon(b)
	for i := range b.Connects {
		k := &b.Connects[i]
		if !k.Outbound || networks.Internal(k.Dst.Addr()) {
			continue
		}
		if k.Source == event.Sysmon {
			m.connects++
			m.ports[k.Dst.Port()]++
		}
		if both[k.Host] == 3 && k.Image != "" && (k.Source == event.Sysmon || k.Source == event.Security) {
			bump(m.programs, program.Template(k.Image), int(k.Source-event.Sysmon))
		}
	}
	for i := range b.Lookups {
		m.lookup(&b.Lookups[i], addrs)
	}
}

// sysmon notes the hosts of Sysmon, and returns of each host which sources it
// has connects of, and the addresses of those with Sysmon.
func (m *mix) sysmon(b *event.Batch) (both map[string]int, addrs map[netip.Addr]bool) {
	both, addrs = make(map[string]int), make(map[netip.Addr]bool)
	for i := range b.Starts {
		if b.Starts[i].Source == event.Sysmon {
			m.starts++
			m.hosts[b.Starts[i].Host] = true
		}
	}
	for i := range b.Lookups {
		if l := &b.Lookups[i]; l.Host != "" && l.Source == event.Sysmon {
			m.lookups++
			m.hosts[l.Host] = true
		}
	}
	for i := range b.Connects {
		switch k := &b.Connects[i]; k.Source {
		case event.Sysmon:
			m.hosts[k.Host] = true
			both[k.Host] |= 1
		case event.Security:
			both[k.Host] |= 2
		}
	}
	for i := range b.Connects {
		if k := &b.Connects[i]; m.hosts[k.Host] && k.Outbound {
			addrs[k.Src.Addr()] = true
		}
	}
	return both, addrs
}

func (m *mix) lookup(l *event.Lookup, addrs map[netip.Addr]bool) {
	which := 1
	switch {
	case l.Host != "" && l.Source == event.Sysmon:
		which = 0
	case l.Host != "" || !addrs[l.Client]:
		return
	default:
		if _, ok := m.names[l.Name]; ok || len(m.names) < maxKeys {
			m.names[l.Name]++
		}
	}
	domain, _ := destination.Domain(l.Name)
	bump(m.domains, domain, which)
}

func (k sourceKey) compare(l sourceKey) int {
	return cmp.Or(cmp.Compare(k.kind, l.kind), cmp.Compare(k.name, l.name))
}
