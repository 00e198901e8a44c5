package owner

import (
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// Adopt returns the session of a flow with the owner that a connect names, of
// which a session was made before the two were known for one connection.
func Adopt(flow, connect *event.Session) event.Session {
	s := *flow
	s.Rung = event.RungTuple
	s.Host, s.Program = connect.Host, connect.Program
	s.PID, s.GUID, s.Image, s.User = connect.PID, connect.GUID, connect.Image, connect.User
	s.OriginalName, s.OtherImage = connect.OriginalName, connect.OtherImage
	if connect.NameSource < s.NameSource {
		s.Name, s.NameSource, s.Domain = connect.Name, connect.NameSource, connect.Domain
	}
	return s
}

// Adopt accounts for the two sessions of a pair, which the ledger has, as the
// one that it returns.
func (l *Ledger) Adopt(flow, connect *event.Session, p Translated) event.Session {
	s := Adopt(flow, connect)
	l.take(flow.Whose(), flow.Sensor, flow.Start, func(a *Account) {
		a.flow(FlowTLS, flow.Rung, NoTelemetry)
		a.session(flow)
	})
	l.flow(&s, FlowTLS, owned)
	if s.OtherImage != "" {
		l.Contradictory++
	}
	source := p.Source.String()
	l.take(connect.Host, source, connect.Start, func(a *Account) {
		a.connect(p.Outcome)
		a.session(connect)
	})
	l.each(connect.Host, source, s.Start, func(a *Account) { a.connect(Joined) })
	return s
}

// Move accounts for a connect's session, which the ledger has, at its time on
// the wire's clock, and returns it so.
func (l *Ledger) Move(connect *event.Session, m Moved) event.Session {
	s := *connect
	s.Start = s.Start.Add(-m.Offset)
	source := m.Source.String()
	l.take(s.Host, source, connect.Start, func(a *Account) {
		a.connect(m.Was)
		a.session(connect)
	})
	l.each(s.Host, source, s.Start, func(a *Account) {
		a.connect(m.Is)
		a.session(&s)
	})
	return s
}

// Behind says of the flows of strangers that they are behind NAT, where their
// address is one that translates.
func (l *Ledger) Behind(strangers map[Stranger]int64, translates func(netip.Addr) bool) {
	for s, n := range strangers {
		if n <= 0 || !translates(s.Client) {
			continue
		}
		l.each(s.Client.String(), s.Sensor, s.Hour, func(a *Account) {
			a.reasons[NoTelemetry] -= n
			a.reasons[BehindNAT] += n
		})
	}
}

// take undoes what do does to the accounts of an observation. It cannot undo
// that it widened their time.
func (l *Ledger) take(host, sensor string, t event.Time, do func(*Account)) {
	var d Account
	do(&d)
	l.each(host, sensor, t, func(a *Account) { a.subtract(&d) })
	if a := l.Hosts[host]; a.Flows+a.Connects == 0 {
		delete(l.Hosts, host)
	}
	if h := hourOf(t); l.Hours[h].Flows+l.Hours[h].Connects == 0 {
		delete(l.Hours, h)
	}
}

// subtract takes the counts of b from a.
func (a *Account) subtract(b *Account) {
	a.Flows -= b.Flows
	a.Connects -= b.Connects
	a.Sessions -= b.Sessions
	a.Owned -= b.Owned
	a.Unnamed -= b.Unnamed
	a.Handshakes -= b.Handshakes
	a.Bytes -= min(a.Bytes, b.Bytes) // a sum that ran over its bound has lost some
	a.OwnedBytes -= min(a.OwnedBytes, b.OwnedBytes)
	a.Named -= b.Named
	a.NamedBytes -= min(a.NamedBytes, b.NamedBytes)
	a.Timed -= b.Timed
	a.TimedBytes -= min(a.TimedBytes, b.TimedBytes)
	a.UnknownBytes -= b.UnknownBytes
	difference(a.sessions[:], b.sessions[:])
	difference(a.rungs[:], b.rungs[:])
	difference(a.kinds[:], b.kinds[:])
	difference(a.reasons[:], b.reasons[:])
	difference(a.outcomes[:], b.outcomes[:])
	if a.Sessions == 0 {
		a.First, a.Last = event.Never, event.Never
	}
}

func difference(from, b []int64) {
	for i, n := range b {
		from[i] -= n
	}
}

// Span gives a host's account the time of its sessions, of which it lost some.
func (l *Ledger) Span(whose string, first, last event.Time) {
	if a := l.Hosts[whose]; a != nil && a.Sessions > 0 {
		a.First, a.Last = first, last
	}
}

// Renew works the time of all sessions out from those of the hosts.
func (l *Ledger) Renew() {
	l.First, l.Last = event.Never, event.Never
	for _, a := range l.Hosts {
		l.see(a.First)
		l.see(a.Last)
	}
}
