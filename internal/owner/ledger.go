package owner

import (
	"github.com/postern/postern/internal/event"
)

// A Kind is what a flow turned out to be.
type Kind uint8

// The kinds of flows. Only TLS flows become sessions.
const (
	FlowTLS Kind = iota
	FlowPlain
	FlowAttempt // opened, and nothing was carried
	FlowInternal
	FlowInbound
	FlowProxied // to a proxy, and nothing says for what
	FlowTwin    // one that another sensor saw as well, and that counts there
)

var kindNames = [...]string{"outbound-tls", "outbound-not-tls", "outbound-attempt", "internal", "inbound", "to-proxy", "seen-twice"}

// String returns the name of k as the ledger shows it.
func (k Kind) String() string { return kindNames[k] }

// An Outcome is what became of an endpoint's connect.
type Outcome uint8

// The outcomes of connects. Each connect has exactly one.
const (
	undecided    Outcome = iota
	Joined               // names a flow's owner
	Repeated             // the same source said it before
	SecondWord           // another source's word on a connect without flow
	Attempt              // permitted, but no flow where the wire was watched
	NoWire               // the wire did not watch this address then
	MissedFlow           // established, yet without a flow
	Accepted             // inbound: names no owner
	HostOnly             // to an internal address, without a flow
	OutsideHours         // the same, because no sensor captured anything then
	Proxied              // to a proxy, without a flow or a request that says for what
)

var outcomeNames = [...]string{"undecided", "joined", "repeated", "second-source", "attempt", "no-wire", "missed-by-wire", "accepted", "internal", "outside-capture-hours", "to-proxy"}

// String returns the name of o as the ledger shows it.
func (o Outcome) String() string { return outcomeNames[o] }

// A Reason says why a flow has no owner.
type Reason uint8

// The reasons.
const (
	owned Reason = iota
	NoTelemetry
	SeveralHosts
	OlderThanLog
	NewerThanLog
	NoEvent
	ClockUnknown
	BehindNAT
)

var reasonNames = [...]string{
	"owned", "host without endpoint telemetry", "address held by several hosts",
	"older than the endpoint's log", "newer than the endpoint's log", "no event in the endpoint's log",
	"clock of the endpoint unknown", "behind NAT",
}

// String returns r as the ledger shows it.
func (r Reason) String() string { return reasonNames[r] }

// An Account says what became of some flows and connects, each counted once.
type Account struct {
	Flows    int64
	Connects int64

	// Of outbound TLS sessions. Bytes are those known to have left.
	Sessions     int64
	Owned        int64 // with an owner whose program is known
	Unnamed      int64 // with an owner that its sensor could not name
	Handshakes   int64 // whose handshake was seen
	Bytes        int64
	OwnedBytes   int64
	Named        int64 // whose destination has a name
	NamedBytes   int64
	Timed        int64 // whose duration is known
	TimedBytes   int64
	UnknownBytes int64      // sessions
	First, Last  event.Time // starts

	sessions [event.RungNone + 1]int64
	rungs    [event.RungNone + 1]int64
	kinds    [len(kindNames)]int64
	reasons  [len(reasonNames)]int64
	outcomes [len(outcomeNames)]int64
}

// ByRung returns the flows by the rung of their owner.
func (a *Account) ByRung() map[event.Rung]int64 { return counts[event.Rung](a.rungs[:]) }

// SessionsByRung returns the outbound TLS sessions by the rung of their owner.
func (a *Account) SessionsByRung() map[event.Rung]int64 { return counts[event.Rung](a.sessions[:]) }

// ByKind returns the flows by what they are.
func (a *Account) ByKind() map[Kind]int64 { return counts[Kind](a.kinds[:]) }

// Unowned returns the flows below the owned rungs, by reason.
func (a *Account) Unowned() map[Reason]int64 { return counts[Reason](a.reasons[:]) }

// ByOutcome returns the connects by what became of them.
func (a *Account) ByOutcome() map[Outcome]int64 { return counts[Outcome](a.outcomes[:]) }

// counts returns the counts that are not zero.
func counts[K ~uint8](n []int64) map[K]int64 {
	m := make(map[K]int64)
	for k, v := range n {
		if v != 0 {
			m[K(k)] = v
		}
	}
	return m
}

// add adds the counts of b to a.
func (a *Account) add(b *Account) {
	a.Flows += b.Flows
	a.Connects += b.Connects
	a.Sessions += b.Sessions
	a.Owned += b.Owned
	a.Unnamed += b.Unnamed
	a.Handshakes += b.Handshakes
	a.see(b.First)
	a.see(b.Last)
	a.Bytes = event.Count(b.Bytes).AddTo(a.Bytes)
	a.OwnedBytes = event.Count(b.OwnedBytes).AddTo(a.OwnedBytes)
	a.Named += b.Named
	a.NamedBytes = event.Count(b.NamedBytes).AddTo(a.NamedBytes)
	a.Timed += b.Timed
	a.TimedBytes = event.Count(b.TimedBytes).AddTo(a.TimedBytes)
	a.UnknownBytes += b.UnknownBytes
	sum(a.sessions[:], b.sessions[:])
	sum(a.rungs[:], b.rungs[:])
	sum(a.kinds[:], b.kinds[:])
	sum(a.reasons[:], b.reasons[:])
	sum(a.outcomes[:], b.outcomes[:])
}

func sum(to, from []int64) {
	for i, n := range from {
		to[i] += n
	}
}

func (a *Account) flow(k Kind, r event.Rung, why Reason) {
	a.Flows++
	a.kinds[k]++
	a.rungs[r]++
	if !r.Owned() {
		a.reasons[why]++
	}
}

func (a *Account) connect(o Outcome) {
	a.Connects++
	a.outcomes[o]++
}

func (a *Account) session(s *event.Session) {
	a.Sessions++
	a.sessions[s.Rung]++
	a.see(s.Start)
	if s.Evidence == event.TLSHandshake {
		a.Handshakes++
	}
	known := s.Rung.Owned() && s.Program != ""
	switch {
	case known:
		a.Owned++
	case s.Rung.Owned():
		a.Unnamed++
	}
	if !s.BytesOut.Known() {
		a.UnknownBytes++
	}
	a.Bytes = s.BytesOut.AddTo(a.Bytes)
	if known {
		a.OwnedBytes = s.BytesOut.AddTo(a.OwnedBytes)
	}
	if s.NameSource != event.NameAddress {
		a.Named++
		a.NamedBytes = s.BytesOut.AddTo(a.NamedBytes)
	}
	if s.Duration.Known() {
		a.Timed++
		a.TimedBytes = s.BytesOut.AddTo(a.TimedBytes)
	}
}

// see widens the account's time to t.
func (a *Account) see(t event.Time) {
	if t == event.Never {
		return
	}
	if a.First == event.Never || t < a.First {
		a.First = t
	}
	a.Last = max(a.Last, t)
}

// A Ledger accounts for every flow and every connect of a join, each once: in
// all, by host, by sensor, and by hour.
type Ledger struct {
	Account

	// Hosts are by name, or by the client's address where no host is known.
	Hosts map[string]*Account

	// Sensors are those of the wire, and the sources of endpoints.
	Sensors map[string]*Account

	// Hours are by their first instant, on the wire's clock.
	Hours map[event.Time]*Account

	Lookups         int64           // by hosts
	HandshakesAlone int64           // handshakes that stood for a flow never reported
	Requests        int64           // to proxies
	RequestsAlone   int64           // that stood for a flow never reported
	RequestsPlain   int64           // without TLS
	RequestsWithin  int64           // within a connection that the proxy looks into
	Forgotten       int64           // DNS answers that were dropped to bound memory
	IDs             map[string]*IDs // by sensor, or source of endpoints
	Contradictory   int64           // flows for which two sources name different programs
}

// Add adds the counts of m to l.
func (l *Ledger) Add(m *Ledger) {
	l.add(&m.Account)
	l.Lookups += m.Lookups
	l.HandshakesAlone += m.HandshakesAlone
	l.Requests += m.Requests
	l.RequestsAlone += m.RequestsAlone
	l.RequestsPlain += m.RequestsPlain
	l.RequestsWithin += m.RequestsWithin
	l.Forgotten += m.Forgotten
	l.Contradictory += m.Contradictory
	for who, d := range m.IDs {
		l.addIDs(who, d)
	}
	l.Hosts = addAll(l.Hosts, m.Hosts)
	l.Sensors = addAll(l.Sensors, m.Sensors)
	l.Hours = addAll(l.Hours, m.Hours)
}

func (l *Ledger) addIDs(who string, d *IDs) {
	if l.IDs == nil {
		l.IDs = make(map[string]*IDs)
	}
	sum := l.IDs[who]
	if sum == nil {
		sum = &IDs{Agree: make(map[uint16]int64)}
		l.IDs[who] = sum
	}
	sum.Seen += d.Seen
	for seed, n := range d.Agree {
		sum.Agree[seed] += n
	}
}

func addAll[K comparable](to, from map[K]*Account) map[K]*Account {
	for k, a := range from {
		to = with(to, k, func(b *Account) { b.add(a) })
	}
	return to
}

// with does something to the account of k, which it makes if need be.
func with[K comparable](m map[K]*Account, k K, do func(*Account)) map[K]*Account {
	a := m[k]
	if a == nil {
		if m == nil {
			m = make(map[K]*Account)
		}
		a = new(Account)
		m[k] = a
	}
	do(a)
	return m
}

const hour = event.Time(3_600_000_000)

// hourOf returns the first instant of t's hour.
func hourOf(t event.Time) event.Time { return t - t%hour }

// each does something to all accounts that an observation belongs to.
func (l *Ledger) each(host, sensor string, t event.Time, do func(*Account)) {
	do(&l.Account)
	l.Hosts = with(l.Hosts, host, do)
	l.Sensors = with(l.Sensors, sensor, do)
	l.Hours = with(l.Hours, hourOf(t), do)
}

// flow accounts for a flow and, when it is outbound TLS, for its session.
func (l *Ledger) flow(s *event.Session, k Kind, why Reason) {
	l.each(s.Whose(), s.Sensor, s.Start, func(a *Account) {
		a.flow(k, s.Rung, why)
		if k == FlowTLS {
			a.session(s)
		}
	})
}

// connect accounts for a connect, and for its session when it has one of its
// own.
func (l *Ledger) connect(k *event.Connect, t event.Time, o Outcome, s *event.Session) {
	l.each(k.Host, k.Source.String(), t, func(a *Account) {
		a.connect(o)
		if s != nil {
			a.session(s)
		}
	})
}
