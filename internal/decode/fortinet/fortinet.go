// Package fortinet reads the logs of Fortinet's firewalls as FortiOS writes
// them: pairs of a key and a value.
package fortinet

import (
	"bytes"
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
)

// Formats returns the format of this package.
func Formats() []*decode.Format {
	return []*decode.Format{{
		Name:       "fortinet",
		Doc:        doc,
		Extensions: []string{".log"},
		Match:      match,
		Open: func(r io.Reader, t *decode.Tally) decode.Decoder {
			p := &parser{tally: t}
			return gateway.NewDecoder(r, t, "FortiOS eventtime less duration (firewall)", p.line)
		},
	}}
}

const doc = `Fortinet firewall logs (FortiOS key=value)

Reads the default format of FortiOS 6.0 to 7.6, from disk, FortiAnalyzer or
syslog, with or without the header of syslog. Written after the published log
reference; not yet seen from a live source. Logs in CEF are the format cef.

Gives
  traffic, forward, local and sniffer: flows, with the number of the session.
  Those of the action start are open, and so are interim reports (log ID 20).
  utm, webfilter and app-ctrl: the handshake of the session, with the host name
  as server name, where the URL is https, the service SSL or HTTPS, or the port
  443.
  utm, ssl: handshakes, with server name, version and names of the certificate
  where FortiOS logs them.
Counted and ignored: other logs, and http-transaction, which does not say how a
client came to the proxy. The sensor is the serial number (devid), else devname.

Bytes: sentbyte is of the originator; both count whole packets, with headers. A
session of TCP to which nothing came back carried no payload.

Times: eventtime, in seconds or nanoseconds since 1970, or date and time in the
zone tz; without a zone they are taken for UTC, with a warning. A session is
logged at its end, so the duration, in seconds, is taken off.

Limits: no process, no fingerprint. Behind an explicit proxy of FortiOS, the
traffic log shows client and server as if they spoke to each other.`

// maxHeadLines is how many lines match looks at.
const maxHeadLines = 8

func match(head []byte) bool {
	n := 0
	for line := range bytes.Lines(head) {
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			continue
		}
		var f fields
		if f.read(line) {
			return true
		}
		if n++; n == maxHeadLines {
			return false
		}
	}
	return false
}
