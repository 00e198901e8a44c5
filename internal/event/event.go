// Package event defines the vocabulary that the rest of Postern speaks: what a
// host or a wire reported, normalised, and what the join makes of it.
//
// The types carry no behaviour of a product and no I/O. Two rules hold for all
// of them. Text is valid UTF-8, because decoders make it so; it is still
// hostile, because it comes from the logs. And what is unknown says so: see
// [Count].
package event

import (
	"math"
	"net/netip"
	"time"
)

// A Time is an instant in microseconds since the Unix epoch, UTC.
//
// It is what the store keeps and what the join compares. Telemetry is never
// more exact than that in a way that a join could use.
type Time int64

// Never is the zero Time: the instant is not known.
const Never Time = 0

// At converts t to a Time.
func At(t time.Time) Time { return Time(t.UnixMicro()) }

// Std converts t to a [time.Time] in UTC.
func (t Time) Std() time.Time { return time.UnixMicro(int64(t)).UTC() }

// Add returns t+d.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Microseconds()) }

// Sub returns the duration t-u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Microsecond }

// A Count is a number of bytes, packets or microseconds that the sensor may
// have been unable to see. Unknown is not zero, and never adds up to a known
// number.
type Count int64

// Unknown is the Count that a sensor could not see.
const Unknown Count = -1

// Known reports whether c was seen.
func (c Count) Known() bool { return c >= 0 }

// AddTo returns total and c together, or total when c is unknown. It stops at
// the largest number, because a hostile log can name any.
func (c Count) AddTo(total int64) int64 {
	switch {
	case !c.Known():
		return total
	case total > math.MaxInt64-int64(c):
		return math.MaxInt64
	}
	return total + int64(c)
}

// Tri is a yes, a no, or neither.
type Tri int8

// The values of a Tri.
const (
	Unsaid Tri = iota
	No
	Yes
)

// A Proto is a transport protocol by its IANA number.
type Proto uint8

// The transports that carry TLS.
const (
	TCP Proto = 6
	UDP Proto = 17
)

// String returns the usual lower-case name, or the number.
func (p Proto) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case 1:
		return "icmp"
	case 58:
		return "icmp6"
	}
	return "proto-" + itoa(uint64(p))
}

// A Source names the kind of sensor that reported an endpoint event. Sources
// on one host differ in clock and in what they see, so the join keeps them
// apart.
type Source uint8

// The endpoint sources.
const (
	NoSource Source = iota
	Sysmon
	Security // the Windows Security log: 4688, 4689, 5156
	Agent    // an endpoint agent of another maker
)

var sourceNames = [...]string{NoSource: "", Sysmon: "sysmon", Security: "security", Agent: "agent"}

// String returns the lower-case name of s.
func (s Source) String() string {
	if int(s) < len(sourceNames) {
		return sourceNames[s]
	}
	return "source-" + itoa(uint64(s))
}

// A ProcessStart is a process creation as a host reported it
// (Sysmon 1, Security 4688).
type ProcessStart struct {
	Host   string // Computer name, lower case
	Time   Time   // on the clock that the input's tally names
	Source Source
	Record uint64 // EventRecordID; 0 when the export dropped it

	PID  uint32 // 0 when unknown
	GUID string // Sysmon's ProcessGuid, lower case without braces; "" when unknown

	ParentPID         uint32
	ParentGUID        string
	ParentImage       string
	ParentCommandLine string

	Image        string // full path as written
	CommandLine  string
	User         string // DOMAIN\name
	OriginalName string // of the version resource
	Product      string
	Company      string
	Hashes       string // as Sysmon writes them: "SHA256=…,IMPHASH=…"
}

// A ProcessStop is a process end (Sysmon 5, Security 4689).
type ProcessStop struct {
	Host   string
	Time   Time
	Source Source
	Record uint64

	PID   uint32
	GUID  string
	Image string
}

// A Connect is a connection that a process opened or accepted, as its host
// reported it (Sysmon 3, Security 5156). It carries no byte count.
type Connect struct {
	Host   string
	Time   Time
	Source Source
	Record uint64

	PID   uint32
	GUID  string
	Image string // "" when the sensor itself did not know ("<unknown process>")
	User  string

	Proto    Proto
	Src, Dst netip.AddrPort // Src is the local end when Outbound
	Outbound bool           // the host opened it
	DstName  string         // reverse name by the sensor: a PTR, often of a CDN

	CommunityID string // as the sensor wrote it; "" when it wrote none

	// Attempt says that the sensor saw the process ask for the connection, not
	// that it was established, as Security 5156 does, which needs no mark.
	Attempt bool

	// Volume is what the endpoint itself counted, as few of them do.
	Volume Volume
}

// A Volume is what a source that is no network sensor counted of a connection:
// an endpoint, or a proxy. The zero Volume says nothing.
type Volume struct {
	Counted  bool  // the source counts; the rest may still be unknown
	Duration Count // microseconds
	BytesOut Count // of the client
	BytesIn  Count
}

// Known returns v, with what was not counted as unknown.
func (v Volume) Known() Volume {
	if v.Counted {
		return v
	}
	return Volume{Duration: Unknown, BytesOut: Unknown, BytesIn: Unknown}
}

// A Lookup is a DNS question with its answers. A host names the process that
// asked (Sysmon 22); a wire names only the client's address (Zeek dns.log).
type Lookup struct {
	Host   string // "" when a wire saw it
	Sensor string // "" when a host reported it
	Time   Time
	Source Source
	Record uint64

	PID   uint32
	GUID  string
	Image string

	Client  netip.Addr // the asking address; invalid when a host reported it
	Name    string     // the question, lower case, without the final dot
	Answers []netip.Addr
}

// A Flow is what a network sensor saw of one connection.
type Flow struct {
	Sensor string
	Time   Time   // of the first packet
	UID    string // the sensor's own identity of the flow; "" when it has none

	Proto    Proto
	Src, Dst netip.AddrPort // Src is the originator

	Duration   Count // microseconds
	BytesOut   Count // payload bytes of the originator
	BytesIn    Count // payload bytes of the responder
	PacketsOut Count
	PacketsIn  Count

	State   string // Zeek conn_state, or ""
	History string // Zeek history, or ""
	Service string // application protocols as the sensor named them: "ssl", "http,ssl"
	Open    bool   // still open when last reported

	CommunityID string // as the sensor wrote it; "" when it wrote none
}

// A Handshake is the TLS or QUIC metadata of a flow.
type Handshake struct {
	Sensor   string
	Time     Time
	UID      string // of the flow
	Proto    Proto
	Src, Dst netip.AddrPort

	SNI         string // server name, lower case
	Version     string
	ALPN        string
	JA3, JA3S   string
	JA4         string
	Subject     string // of the server's certificate
	Issuer      string
	CertID      string // fingerprint or file id of the server's certificate, to find it in [Certificate]
	Established Tri
}

// A Certificate is an X.509 certificate that a sensor saw.
type Certificate struct {
	Sensor    string
	Time      Time
	ID        string // as Handshake.CertID
	Subject   string
	Issuer    string
	NotBefore Time
	NotAfter  Time
}

// A Request is a request to a proxy (HTTP CONNECT, or an absolute URI), as the
// wire or the proxy's own log shows it.
type Request struct {
	Sensor   string
	Time     Time           // of its begin
	UID      string         // of the flow that carried it; "" in a proxy's log
	Src, Dst netip.AddrPort // the client and the proxy; the zero port, or no address, where the log does not say
	Method   string
	Scheme   string // of an absolute URI, lower case; "" for CONNECT
	Host     string // the host asked for, lower case, without port
	Port     uint16 // the port asked for; 0 when unsaid
	User     string
	Status   int

	// Volume is what a proxy counted on the client's side.
	Volume Volume
}

// A Lease is an address that a host was given or had, as DHCP or a list of the
// operator says it.
type Lease struct {
	Sensor   string
	Time     Time   // from when
	Host     string // the host's name as it was said, lower case; often without a domain
	Addr     netip.Addr
	MAC      string // lower case, with colons; "" when unknown
	Duration Count  // microseconds; unknown when unsaid
}

// A Notice is something that a sensor said of itself: it started, stopped, or
// was configured anew (Sysmon 4, 16), or its log was cleared (Security 1102,
// System 104). It tells when the others can be trusted.
type Notice struct {
	Host   string
	Time   Time
	Source Source
	Record uint64
	Kind   string // "service-state", "config-change", "log-cleared"
	Text   string // of a cleared log its name, "" when that is not known
}
