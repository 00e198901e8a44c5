// Package zeek reads the logs of the Zeek network monitor, in its own
// tab-separated form and as JSON.
package zeek

import (
	"io"

	"github.com/postern/postern/internal/decode"
)

// clock is what the tally calls the times of Zeek's logs.
const clock = "zeek ts (sensor)"

// batchEvents and batchRows bound what one Decode does.
const (
	batchEvents = 4096
	batchRows   = 4 * batchEvents
)

// Formats returns the formats of this package.
func Formats() []*decode.Format {
	return []*decode.Format{
		{
			Name:       "zeek-tsv",
			Doc:        "Zeek logs, tab-separated\n\n" + tsvDoc + "\n\n" + logsDoc,
			Extensions: []string{".log"},
			Match:      matchTSV,
			Open:       func(r io.Reader, t *decode.Tally) decode.Decoder { return newTSV(r, t) },
		},
		{
			Name:       "zeek-json",
			Doc:        "Zeek logs, JSON\n\n" + jsonDoc + "\n\n" + logsDoc,
			Extensions: []string{".log", ".json", ".ndjson"},
			Match:      matchJSON,
			Open:       func(r io.Reader, t *decode.Tally) decode.Decoder { return newJSON(r, t) },
		},
	}
}

const tsvDoc = `Reads what Zeek's ASCII writer writes. The header names the columns, in any
order, and may come again in the middle of the input, as in logs that were
concatenated. Without a #path, or with one of the site's own making, the log is
known by its columns.`

const jsonDoc = `Reads one object a line, with the names "id.orig_h", "id_orig_h", or "orig_h"
within "id". Streams of several logs name them in _path (Zeek
json-streaming-logs) or @stream (Corelight); without either, each object's log
is known by its names. Times are epoch seconds, epoch milliseconds or ISO 8601.`

const logsDoc = `Logs:
  conn, open_conn, conn_long  flows, with the community_id where Zeek logs it
  ssl, open_ssl, quic         handshakes, with ja3, ja3s and ja4 where their
                              packages are loaded
  x509                        certificates
  dns                         lookups: questions for A, AAAA and HTTPS, and all
                              with an address for an answer; not multicast DNS,
                              LLMNR and NetBIOS
  http, open_http             requests to a proxy: CONNECT, an absolute URI, or
                              a Proxy-Connection header
  dhcp                        leases: which host, by name or MAC, was given an
                              address; not those refused, declined or released
Rows of all other logs are counted and ignored. A Via or X-Forwarded-For header
marks a request that comes from a proxy, not one to it.

Volumes: where Zeek saw nothing of one side of a flow (a sensor that discards
offloaded checksums, an asymmetric route), its count of 0 becomes unknown. Where
it missed some bytes, its count is a lower bound and stands.

Limits: no process. ssl.log has no transport: its rows are taken for TCP, but
for DTLS and where the version names QUIC; the uid joins them to the flow.

Times: "ts", on the sensor's clock, to the microsecond.`
