// Package pcap reads captured packets and makes of them what a network sensor
// would have logged: flows, TLS and QUIC handshakes, certificates, DNS lookups
// and requests to proxies.
package pcap

import (
	"io"

	"github.com/postern/postern/internal/decode"
)

// sensor is what events call the observer; clock is what the tally calls the
// times of packets.
const (
	sensor = "pcap"
	clock  = "packet time (capturing host)"
)

// Formats returns the formats of this package.
func Formats() []*decode.Format {
	return []*decode.Format{
		{
			Name:       "pcap",
			Doc:        "Packet captures, pcap\n\n" + pcapDoc + "\n\n" + packetsDoc,
			Extensions: []string{".pcap", ".cap", ".dmp"},
			Binary:     true,
			Gathers:    true,
			Match:      matchClassic,
			Open: func(r io.Reader, t *decode.Tally) decode.Decoder {
				return newDecoder(newClassic(r), t, defaultLimits)
			},
		},
		{
			Name:       "pcapng",
			Doc:        "Packet captures, pcapng\n\n" + pcapngDoc + "\n\n" + packetsDoc,
			Extensions: []string{".pcapng", ".ntar"},
			Binary:     true,
			Gathers:    true,
			Match:      matchNG,
			Open: func(r io.Reader, t *decode.Tally) decode.Decoder {
				return newDecoder(newNG(r), t, defaultLimits)
			},
		},
	}
}

const pcapDoc = `Reads what libpcap writes: times in micro- or nanoseconds, either byte order.`

const pcapngDoc = `Reads enhanced, simple and obsolete packet blocks of any number of sections and
interfaces, each with its own link type and resolution of time. Simple packet
blocks carry no time and are counted as unreadable; other blocks are passed
over.`

const packetsDoc = `Link types: Ethernet with any VLAN tags, Linux cooked (v1, v2), raw IP, BSD
loopback. IPv4 and IPv6 with extension headers. Fragments are not put together:
those after the first are counted, and so are packets of other protocols.

Flows of TCP and UDP: bytes are payload, each counted once however often it was
sent again, and come from the headers where the capture cut packets short. What
a TCP end acknowledged was sent, seen or not. A flow ends shortly after FIN or
RST, or when it is idle: TCP an hour, an attempt two minutes, UDP one. A flow
whose beginning was not captured has the state OTH.

TLS is known by its content on any port, also behind HTTP CONNECT, SOCKS and
STARTTLS: server name (the outer one of an encrypted hello), ALPN, JA3, JA3S,
JA4, and up to TLS 1.2 the server's certificate. ALPN is the server's choice, or
the client's first offer where that is encrypted. After a HelloRetryRequest the
first hello counts. QUIC (v1, v2, draft 29 and later) gives the same of the
client's hello.

DNS: questions for A, AAAA and HTTPS, and all with an address for an answer; not
multicast DNS, LLMNR and NetBIOS. HTTP: requests to a proxy, which are CONNECT,
an absolute URI, or have a Proxy-Connection header.

Limits: no process. No tunnels (GRE, VXLAN and the like), no DTLS. Checksums are
not checked, because the sending host's own capture has none.

Times: of the packets, on the clock of the capturing host.`
