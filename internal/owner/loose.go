package owner

import (
	"encoding/binary"
	"net/netip"

	"github.com/cespare/xxhash/v2"

	"github.com/postern/postern/internal/event"
)

// Loose is what a join could not tie to anything, although an address
// translation may explain it: flows from addresses that no known host held,
// and connects from addresses that no wire saw. The two ends of one connection
// may lie in different joins, so that it takes the loose ends of all of them to
// find it: see [Translate].
type Loose struct {
	Outside []Outside
	Inside  []Inside

	// Strangers counts the flows, of whatever kind, from addresses that no
	// known host held.
	Strangers map[Stranger]int64
}

// An Outside is an outbound TLS flow from an address that no known host held.
// It takes 56 bytes.
type Outside struct {
	Key    event.Key
	Client netip.Addr
	Start  event.Time
	Far    Far
	Port   uint16 // the client's
}

// An Inside is a connect without a flow, from an address that the wire did not
// watch then. It takes 80 bytes.
type Inside struct {
	Key    event.Key
	Host   string
	Client netip.Addr // as the host has it
	Start  event.Time // on the wire's clock, as far as that is known
	Far    Far
	PID    uint32
	Port   uint16 // the client's, 0 when unknown
	Source event.Source

	// Outcome is what the connect was taken for: NoWire, or OutsideHours.
	Outcome Outcome

	// Timed says that the host's clock was compared with the wire's, so that
	// Start needs no further correction.
	Timed bool
}

// A Stranger is an address that no known host held, as one sensor saw it in
// the hour that begins at Hour.
type Stranger struct {
	Client netip.Addr
	Sensor string
	Hour   event.Time
}

// A Far is the hash of a far end: address, port and protocol.
type Far uint64

func farOf(p event.Proto, dst netip.AddrPort) Far {
	a := dst.Addr().As16()
	b := append(a[:], byte(p), 0, 0)
	binary.LittleEndian.PutUint16(b[len(b)-2:], dst.Port())
	return Far(xxhash.Sum64(b))
}

// Add adds the loose ends of m to l.
func (l *Loose) Add(m *Loose) {
	l.Outside = append(l.Outside, m.Outside...)
	l.Inside = append(l.Inside, m.Inside...)
	for s, n := range m.Strangers {
		l.stranger(s, n)
	}
}

// StrangerOf returns the stranger that a flow's session belongs to.
func StrangerOf(s *event.Session) Stranger { return Stranger{s.Client, s.Sensor, hourOf(s.Start)} }

func (l *Loose) stranger(s Stranger, n int64) {
	if l.Strangers == nil {
		l.Strangers = make(map[Stranger]int64)
	}
	l.Strangers[s] += n
}

// outside keeps flow f, whose address no known host held.
func (l *Loose) outside(f *event.Flow, s *event.Session, k Kind) {
	l.stranger(StrangerOf(s), 1)
	if k == FlowTLS {
		l.Outside = append(l.Outside, Outside{
			Key: s.Key, Client: s.Client, Start: s.Start, Far: farOf(s.Proto, s.Dst), Port: f.Src.Port(),
		})
	}
}

// inside keeps connect k, of which the session s was made.
func (l *Loose) inside(k *event.Connect, s *event.Session, as Outcome, timed bool) {
	l.Inside = append(l.Inside, Inside{
		Key: s.Key, Host: k.Host, Client: s.Client, Start: s.Start, Far: farOf(s.Proto, s.Dst),
		PID: s.PID, Port: k.Src.Port(), Source: k.Source, Outcome: as, Timed: timed,
	})
}
