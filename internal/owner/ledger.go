package owner

import "github.com/postern/postern/internal/event"

// A Kind is what a flow turned out to be.
type Kind string

// The kinds of flows. Only TLS flows become sessions.
const (
	FlowTLS      Kind = "outbound-tls"
	FlowPlain    Kind = "outbound-not-tls"
	FlowAttempt  Kind = "outbound-attempt" // opened, and nothing was carried
	FlowInternal Kind = "internal"
	FlowInbound  Kind = "inbound"
)

// An Outcome is what became of an endpoint's connect.
type Outcome string

// The outcomes of connects. Each connect has exactly one.
const (
	Joined      Outcome = "joined"         // names a flow's owner
	Repeated    Outcome = "repeated"       // the same source said it before
	SecondWord  Outcome = "second-source"  // another source's word on a connect without flow
	Attempt     Outcome = "attempt"        // permitted, but no flow where the wire was watched
	NoWire      Outcome = "no-wire"        // the wire did not watch this address then
	MissedFlow  Outcome = "missed-by-wire" // established, yet without a flow
	Accepted    Outcome = "accepted"       // inbound: names no owner
	HostOnly    Outcome = "internal"       // to an internal address, without a flow
	outcomeNone Outcome = ""
)

// A Reason says why a flow has no owner.
type Reason string

// The reasons.
const (
	NoTelemetry  Reason = "host without endpoint telemetry"
	SeveralHosts Reason = "address held by several hosts"
	OlderThanLog Reason = "older than the endpoint's log"
	NewerThanLog Reason = "newer than the endpoint's log"
	NoEvent      Reason = "no event in the endpoint's log"
)

// A Ledger accounts for every flow and every connect of a join, each once.
type Ledger struct {
	Flows       int64
	FlowsByRung map[event.Rung]int64
	FlowsByKind map[Kind]int64
	Unowned     map[Reason]int64 // flows below the owned rungs

	Connects  int64
	ByOutcome map[Outcome]int64

	Lookups         int64 // by hosts
	HandshakesAlone int64 // handshakes that stood for a flow never reported
	Contradictory   int64 // flows for which two sources name different programs
}

// Add adds the counts of m to l.
func (l *Ledger) Add(m Ledger) {
	l.Flows += m.Flows
	l.Connects += m.Connects
	l.Lookups += m.Lookups
	l.HandshakesAlone += m.HandshakesAlone
	l.Contradictory += m.Contradictory
	l.FlowsByRung = addAll(l.FlowsByRung, m.FlowsByRung)
	l.FlowsByKind = addAll(l.FlowsByKind, m.FlowsByKind)
	l.Unowned = addAll(l.Unowned, m.Unowned)
	l.ByOutcome = addAll(l.ByOutcome, m.ByOutcome)
}

func addAll[K comparable](dst, src map[K]int64) map[K]int64 {
	if dst == nil {
		dst = make(map[K]int64, len(src))
	}
	for k, n := range src {
		dst[k] += n
	}
	return dst
}

func (l *Ledger) flow(k Kind, r event.Rung, why Reason) {
	l.Flows++
	l.FlowsByKind = count(l.FlowsByKind, k)
	l.FlowsByRung = count(l.FlowsByRung, r)
	if !r.Owned() {
		l.Unowned = count(l.Unowned, why)
	}
}

func (l *Ledger) connect(o Outcome) {
	l.Connects++
	l.ByOutcome = count(l.ByOutcome, o)
}

func count[K comparable](m map[K]int64, k K) map[K]int64 {
	if m == nil {
		m = make(map[K]int64)
	}
	m[k]++
	return m
}
