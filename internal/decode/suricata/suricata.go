// Package suricata reads the EVE log of the Suricata network monitor.
package suricata

import (
	"io"

	"github.com/postern/postern/internal/decode"
)

// clock is what the tally calls the times of EVE.
const clock = "suricata timestamp (sensor)"

// Formats returns the formats of this package.
func Formats() []*decode.Format {
	return []*decode.Format{{
		Name:       "suricata-eve",
		Doc:        doc,
		Extensions: []string{".json", ".log"},
		Match:      match,
		Open:       func(r io.Reader, t *decode.Tally) decode.Decoder { return newDecoder(r, t) },
	}}
}

const doc = `Suricata EVE, JSON

Reads one object a line, as Suricata 3 to 8 writes eve.json. Event types:
  flow   flows of TCP and UDP, with the community_id where it is switched on
  tls    handshakes with server name, version, ALPN, ja3, ja3s and ja4 where
         they are switched on, and the server's certificate (its fingerprint
         is SHA-1)
  quic   handshakes: of the client's hello
  dns    lookups: answers with an address, and answers without one to questions
         for A, AAAA and HTTPS, in the layouts of versions 1 (one event a
         record), 2 and 3, detailed or grouped. Questions tell nothing that
         their answers do not, and are ignored.
  http   requests to a proxy: CONNECT and absolute URIs
  dhcp   leases that a server acknowledged, with the name that the client gave
         in its request (dhcp: extended: yes)
All others are counted and ignored. So is netflow, which has each direction of
a flow on its own: switch flow on instead.

Volumes: Suricata counts whole frames, headers of link, IP and TCP and every
retransmission included. They are taken as they are, so that they are upper
bounds of the payload: an exchange of no payload still has some hundred bytes,
and a download has a few percent of acknowledgements as bytes out. Where the
sensor saw only one side of a TCP connection, the other side's 0 becomes
unknown.

Flows are logged at their end, with app_proto as service in the words of Zeek
("ssl" for tls, "quic,ssl" for quic), and with Zeek's conn_state as far as the
TCP flags tell it.

Limits: no process. The flow_id that joins the events of a flow has 51 bits.

Times: "flow.start" of flows, else "timestamp", with their zone offset; on the
sensor's clock, to the microsecond. One without an offset is unreadable.`
