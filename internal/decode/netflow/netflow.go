// Package netflow reads what routers and probes export of flows: NetFlow v5 and
// v9 and IPFIX as datagrams, and as the collectors nfdump and goflow2 write it.
package netflow

import (
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/pcap"
	"github.com/postern/postern/internal/event"
)

// Formats returns the formats of this package.
func Formats() []*decode.Format {
	return []*decode.Format{
		{
			Name: "netflow-datagrams", Doc: datagramsDoc + exportDoc + flowsDoc,
			Extensions: []string{".netflow", ".ipfix"},
			Binary:     true, Gathers: true,
			Match: func(head []byte) bool { return framingOf(head) != nil },
			Open:  func(r io.Reader, t *decode.Tally) decode.Decoder { return newDatagramFile(r, t) },
		},
		{
			Name: "netflow-pcap", Doc: pcapDoc + exportDoc + flowsDoc,
			Extensions: []string{".pcap", ".pcapng"},
			Binary:     true, Gathers: true, Asked: true,
			Match: pcap.MatchCapture,
			Open:  func(r io.Reader, t *decode.Tally) decode.Decoder { return newCaptureFile(r, t) },
		},
		{
			Name: "nfdump-json", Doc: nfdumpJSONDoc + nfdumpDoc + flowsDoc,
			Extensions: []string{".json"},
			Gathers:    true,
			Match:      nfdumpJSON.match,
			Open:       nfdumpJSON.open,
		},
		{
			Name: "nfdump-csv", Doc: nfdumpCSVDoc + nfdumpDoc + flowsDoc,
			Extensions: []string{".csv"},
			Gathers:    true,
			Match:      matchCSV,
			Open:       func(r io.Reader, t *decode.Tally) decode.Decoder { return newCSV(r, t) },
		},
		{
			Name: "goflow2", Doc: goflow2Doc + flowsDoc,
			Extensions: []string{".json", ".log"},
			Gathers:    true,
			Match:      goflow2JSON.match,
			Open:       goflow2JSON.open,
		},
	}
}

const datagramsDoc = `NetFlow v5, v9 and IPFIX, export datagrams in a file

Reads datagrams one after the other, each behind its length in two or in four
bytes, the high one first; and files of IPFIX messages as they are (RFC 5655).
They do not say who sent them: all flows are of the sensor "netflow".
`

const pcapDoc = `NetFlow v5, v9 and IPFIX, export datagrams in a packet capture (only with --format)

Reads the UDP datagrams of a pcap or pcapng that are NetFlow or IPFIX, on any
port, and ignores all else. A capture is read so only where that is asked for:
otherwise it gives the flows of its own packets. The sensor of a flow is the
address of its exporter. Fragments are not put together.
`

const exportDoc = `
Templates are those of each exporter and observation domain. Data that come
before their template are counted as unreadable. Records of both directions
(RFC 5103, or initiator and responder) may say who began. NAT and firewall events
without volume are ignored, and so is all but TCP and UDP.

Sampling: the rate comes from the header (v5), the record, or the options of its
sampler or its domain. Counts are multiplied by it, and the summary says
"estimates: sampled 1:N". Sequence numbers tell how much was lost on the way.

Times: the flow's own, on the exporter's clock. NetFlow v9 has its header's
time in whole seconds, so that all of it is early by up to one.
`

const nfdumpJSONDoc = `nfdump, JSON

Reads what nfdump 1.6 and 1.7 print with -o json: flows and not statistics.
`

const nfdumpCSVDoc = `nfdump, CSV

Reads what nfdump 1.6 and 1.7 print with -o csv: flows and not statistics. The
columns are known by the header.
`

const nfdumpDoc = `
The sensor is the exporter's address where nfdump has it. Of records of both
directions (nfdump -B) those of the second are out_bytes and out_packets. Where
the exporter sampled, nfdump has multiplied the counts already, and JSON says
so. NSEL and NEL events are ignored, and so is all but TCP and UDP.

Times: the flow's own, on the exporter's clock. nfdump prints them in the zone
of the machine where it runs, without saying which: they are taken for UTC, so
run it with TZ=UTC.
`

const goflow2Doc = `goflow2, JSON

Reads the JSON that goflow2 1 and 2 write of NetFlow v5, v9 and IPFIX, with
their fields of the default mapping, by the published list of them. Samples of sFlow are packets and no flows,
and are ignored. Counts are multiplied by sampling_rate, and the summary says
"estimates: sampled 1:N". The sensor is sampler_address.

Times: the flow's own, on the exporter's clock.
`

const flowsDoc = `
Flows: exporters tell of each direction on its own, and of a long flow in pieces.
Records between the same ends are put together unless TCP was silent for five
minutes, UDP for one, or TCP began anew. A record that says again what another
of its exporter said counts once. The originator is the end without a
service's port (below 1024), else the one whose first packet was earlier, else
the one with a client's port. A direction that was not exported has unknown
bytes.

Volumes: bytes are of IP packets, headers and retransmissions included. They are
taken as they are, so that they are upper bounds of the payload: an exchange of
no payload still has some hundred bytes, and a download has a few percent of
acknowledgements as bytes out.

Limits: no process, no names, no TLS metadata.`

// batchEvents and batchSteps bound what one Decode does.
const (
	batchEvents = 4096
	batchSteps  = 4 * batchEvents
)

// A file decodes what gathers flows.
type file struct {
	step  func(out *event.Batch) error       // reads a record or a datagram
	close func(n int, out *event.Batch) bool // tells of n flows that are left
	err   error                              // that ended the input
}

var _ decode.Decoder = (*file)(nil)

// Decode implements [decode.Decoder].
func (f *file) Decode(b *event.Batch) error {
	before := len(b.Flows)
	for n := 0; n < batchSteps && f.err == nil && len(b.Flows)-before < batchEvents; n++ {
		f.err = f.step(b)
	}
	if f.err == nil || !f.close(batchEvents, b) {
		return nil
	}
	return f.err
}
