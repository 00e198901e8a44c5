// Package paloalto reads the logs of Palo Alto Networks' firewalls as PAN-OS
// sends them by syslog, in fields with commas between.
package paloalto

import (
	"bytes"
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
)

// Formats returns the format of this package.
func Formats() []*decode.Format {
	return []*decode.Format{{
		Name:       "paloalto",
		Doc:        doc,
		Extensions: []string{".log", ".csv"},
		Match:      match,
		Open: func(r io.Reader, t *decode.Tally) decode.Decoder {
			p := &parser{tally: t}
			return gateway.NewDecoder(r, t, "PAN-OS Start Time, Generated Time (firewall)", p.line)
		},
	}}
}

const doc = `Palo Alto Networks firewall logs (PAN-OS CSV)

Reads the default syslog format of PAN-OS and Panorama, with or without the
header of syslog, and the same fields exported as CSV: TRAFFIC and THREAT of
PAN-OS 8.1 to 11.2, DECRYPTION of 10.0 to 11.2. Written after the published
order of fields; not yet seen from a live source. Logs in CEF and LEEF are the
formats cef and leef; formats of the site's own need a map of columns.

Gives
  TRAFFIC: flows, with the number of the session. Those of subtype start are
  open, and their bytes unknown; drop and deny are what was not let through.
  THREAT, subtype url: the handshake of the session, with the host of the URL as
  server name (PAN-OS takes it of the SNI, else of the certificate), where the
  session is ssl or quic, was decrypted, or goes to port 443 and is not
  web-browsing.
  DECRYPTION: handshakes, with server name, version and the common names of the
  certificate.
Counted and ignored: other logs, and other URLs. The sensor is the serial number.

Bytes: those of whole packets, with headers. A session of TCP to which nothing
came back, and one that PAN-OS calls incomplete, carried no payload. What the
application was is used where it names a protocol; names of services, such as
ms-office365, say nothing for or against TLS.

Times: flows begin at Start Time, to the second. PAN-OS writes its local time; the
zone is that of High Resolution Timestamp (10.0 and later). Before that times are
taken for UTC, with a warning: let the firewall log in UTC.

Limits: no process, no fingerprint.`

// maxHeadLines is how many lines match looks at.
const maxHeadLines = 8

func match(head []byte) bool {
	n := 0
	for line := range bytes.Lines(head) {
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			continue
		}
		var f fields
		if f.split(line) && f.ours() {
			return true
		}
		if n++; n == maxHeadLines {
			return false
		}
	}
	return false
}
