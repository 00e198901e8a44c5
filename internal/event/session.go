package event

import "net/netip"

// A Rung is how good the evidence is that names a session's owner, the best
// first.
type Rung uint8

// The rungs of the owner ladder.
const (
	RungNative   Rung = iota // the event itself carries process and bytes
	RungExact                // connect and flow share protocol and 5-tuple, near in time
	RungTuple                // the same without the source port, unique in the window
	RungProxy                // the connect to a proxy and the proxy's request
	RungLookup               // one process of the host asked for the name shortly before
	RungInferred             // probable, by fingerprint and history
	RungEndpoint             // an endpoint's connect without a flow: process known, bytes unknown
	RungHost                 // the host is known, the process is not
	RungNone                 // neither
)

var rungNames = [...]string{"native", "exact", "tuple", "proxy", "lookup", "inferred", "endpoint", "host", "none"}

// String returns the name of r as findings and the ledger show it.
func (r Rung) String() string {
	if int(r) < len(rungNames) {
		return rungNames[r]
	}
	return "rung-" + itoa(uint64(r))
}

// Owned reports whether r names a process.
func (r Rung) Owned() bool { return r < RungHost }

// A TLSEvidence says how a session is known to be TLS, the best first.
type TLSEvidence uint8

// The grounds on which a connection is taken for TLS.
const (
	TLSHandshake TLSEvidence = iota // a sensor saw the handshake
	TLSService                      // a sensor named the protocol
	TLSServer                       // the same address and port shook hands with others
	TLSPort                         // only the port says so
)

var tlsNames = [...]string{"handshake", "service", "server", "port"}

// String returns the name of e as findings show it.
func (e TLSEvidence) String() string {
	if int(e) < len(tlsNames) {
		return tlsNames[e]
	}
	return "tls-" + itoa(uint64(e))
}

// A NameSource says where a destination's name comes from, the best first.
type NameSource uint8

// The sources of a destination's name.
const (
	NameSNI     NameSource = iota // the handshake's server name
	NameConnect                   // the host asked of a proxy
	NameLookup                    // a DNS answer that this host saw
	NamePTR                       // the sensor's reverse lookup
	NameAddress                   // no name: the address itself
)

var nameNames = [...]string{"sni", "connect", "lookup", "ptr", "address"}

// String returns the name of n as findings show it.
func (n NameSource) String() string {
	if int(n) < len(nameNames) {
		return nameNames[n]
	}
	return "name-" + itoa(uint64(n))
}

// A Session is one outbound TLS connection after the join.
type Session struct {
	Key    Key
	Host   string     // "" when unknown
	Client netip.Addr // the originating address; invalid when only a host without addresses reported it
	Sensor string     // "" when no wire saw it

	// The owner. Program is the identity shared over hosts, "" when the
	// owner is unknown; the others are of this process instance.
	Rung    Rung
	Program string
	PID     uint32
	GUID    string
	Image   string
	User    string

	// OriginalName is the file's name by its version resource, "" when no
	// process start said so.
	OriginalName string

	// OtherImage is what another source names as the owner's image, where
	// two contradict each other; "" otherwise.
	OtherImage string

	// The destination.
	Name       string // as a person names it
	NameSource NameSource
	Domain     string // registered domain, else the address
	Dst        netip.AddrPort
	Proto      Proto

	// What left, and for how long.
	Start    Time
	Duration Count // microseconds
	BytesOut Count
	BytesIn  Count
	Open     bool

	// TLS.
	Evidence    TLSEvidence
	SNI         string
	JA3, JA4    string
	Issuer      string
	Subject     string
	Established Tri
	UID         string
}

// Whose returns what stands for the session's host: its name, or else the
// client's address.
func (s *Session) Whose() string {
	if s.Host != "" || !s.Client.IsValid() {
		return s.Host
	}
	return s.Client.String()
}
