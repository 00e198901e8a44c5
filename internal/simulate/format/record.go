// Package format writes telemetry as real products write it: Windows event
// records as Winlogbeat 8 and evtx_dump export them, and Zeek's logs. It knows
// nothing of what the records are about.
package format

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// A GUID is a Sysmon identity, in the order in which its digits are written.
type GUID [16]byte

// ProcessGUID returns the identity that Sysmon gives to a process: the
// machine's number, the start in seconds, and a number unique in that second.
func ProcessGUID(machine uint32, start event.Time, n uint32) GUID {
	g := guidAt(machine, start)
	binary.LittleEndian.PutUint16(g[8:], uint16(n))
	binary.BigEndian.PutUint32(g[12:], 0x0800|n>>16<<16)
	return g
}

// LogonGUID returns the identity that Sysmon gives to a logon session.
func LogonGUID(machine uint32, logon event.Time, id uint64) GUID {
	g := guidAt(machine, logon)
	binary.LittleEndian.PutUint64(g[8:], id)
	return g
}

func guidAt(machine uint32, t event.Time) GUID {
	var g GUID
	sec := uint32(t.Std().Unix())
	binary.BigEndian.PutUint32(g[0:], machine)
	binary.BigEndian.PutUint16(g[4:], uint16(sec))
	binary.BigEndian.PutUint16(g[6:], uint16(sec>>16))
	return g
}

// append appends g with hyphens, in lower-case digits.
func (g GUID) append(b []byte) []byte {
	for i, end := range [...]int{4, 6, 8, 10, 16} {
		start := [...]int{0, 4, 6, 8, 10}[i]
		if start > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, g[start:end])
	}
	return b
}

// A Machine is what the records of one computer have in common.
type Machine struct {
	Name    string // the computer name, fully qualified: "WS-014.corp.example"
	AgentID string // the shipper's identity
	Run     string // of the shipper's run
	Sysmon  uint32 // PID of the Sysmon service
	Thread  uint32 // of the Sysmon service that writes
}

// A Process is one process instance with what Sysmon 1 says of it.
type Process struct {
	PID         uint32
	GUID        GUID
	Image       string
	CommandLine string
	Dir         string
	Domain      string // of the user
	User        string // without the domain
	SID         string
	LogonGUID   GUID
	LogonID     uint64
	Session     uint32
	Integrity   string
	FileVersion string
	Description string
	Product     string
	Company     string
	Original    string
	Hashes      string
	Parent      *Process
}

// A Kind is what an [Event] reports.
type Kind uint8

// The kinds of events: Sysmon 1, 5, 3 and 22; Security 4688, 4689 and 5156.
const (
	Start Kind = iota
	Stop
	Connect
	Lookup
	kinds
)

// An Event is a record of a Windows event log.
type Event struct {
	Kind   Kind
	Source event.Source
	Time   event.Time // of the record: System/TimeCreated
	UTC    event.Time // Sysmon's UtcTime
	Record uint64
	Proc   *Process

	// Of a connect.
	Proto    event.Proto
	Src, Dst netip.AddrPort
	Inbound  bool
	DstName  string
	Unknown  bool // Sysmon could not name the process

	// Of a lookup.
	Query   string
	Results string
}

// A Conn is a row of Zeek's conn.log. A negative number is unset.
type Conn struct {
	Time     event.Time
	UID      string
	Src, Dst netip.AddrPort
	Proto    event.Proto
	Service  string
	Duration int64 // microseconds
	BytesOut int64
	BytesIn  int64
	State    string
	LocalDst bool
	History  string
	PktsOut  int64
	IPOut    int64 // bytes of IP packets
	PktsIn   int64
	IPIn     int64
}

// A Handshake is a row of Zeek's ssl.log with the ja3 and ja4 packages loaded.
type Handshake struct {
	Time        event.Time
	UID         string
	Src, Dst    netip.AddrPort
	Version     string
	Cipher      string
	Curve       string
	SNI         string
	Resumed     bool
	ALPN        string
	Established bool
	History     string
	Chain       []string // fingerprints, the server's own first; nil when encrypted
	SNIMatches  bool
	JA3         string
	JA3S        string
	JA4         string
}

// A Certificate is a row of Zeek's x509.log.
type Certificate struct {
	Time        event.Time
	Fingerprint string
	Serial      string
	Subject     string
	Issuer      string
	NotBefore   event.Time
	NotAfter    event.Time
	Names       []string
	ECDSA       bool
	CA          bool
}

// A Query is a row of Zeek's dns.log.
type Query struct {
	Time     event.Time
	UID      string
	Src, Dst netip.AddrPort
	ID       uint16
	RTT      int64 // microseconds
	Name     string
	V6       bool
	Missing  bool // NXDOMAIN
	Answers  []string
	TTL      int
}
