package zeek

import (
	"fmt"
	"net/netip"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// A verdict says what became of a row: an event where it is zero, else why not.
type verdict struct {
	ignored string
	skipped string
}

// The reasons to skip a row.
const (
	badTime    = "unreadable ts"
	badAddress = "unreadable address"
	badPort    = "unreadable port"
	badCount   = "unreadable count"
	noHost     = "proxied request without a host"
)

// A recorder makes events of rows, whatever they were written in.
type recorder struct {
	tally  *decode.Tally
	words  words
	labels labels

	unseenOrig int64 // flows of which Zeek did not see the originator
	unseenResp int64 // or the responder
	answers    []netip.Addr
}

func newRecorder(t *decode.Tally) recorder {
	return recorder{tally: t, words: make(words), labels: make(labels)}
}

// record adds the event of r to b.
func (rc *recorder) record(l log, r *row, b *event.Batch) verdict {
	switch l {
	case connLog, openConnLog:
		return rc.flow(r, l == openConnLog, b)
	case sslLog:
		return rc.handshake(r, b)
	case quicLog:
		return rc.quic(r, b)
	case x509Log:
		return rc.certificate(r, b)
	case dnsLog:
		return rc.lookup(r, b)
	case httpLog:
		return rc.request(r, b)
	case dhcpLog:
		return rc.lease(r, b)
	}
	return verdict{ignored: unnamed}
}

// account counts events that a Decode has made.
func (rc *recorder) account(events int) {
	if events > 0 {
		rc.tally.Events += int64(events)
		rc.tally.Clock(clock, int64(events))
	}
}

// close notes what the input as a whole could not tell.
func (rc *recorder) close() {
	if rc.unseenOrig > 0 {
		rc.tally.Warn(fmt.Sprintf("originator not seen in %d flows: their outbound bytes are unknown", rc.unseenOrig))
	}
	if rc.unseenResp > 0 {
		rc.tally.Warn(fmt.Sprintf("responder not seen in %d flows: their inbound bytes are unknown", rc.unseenResp))
	}
}

// An observation is what most rows begin with.
type observation struct {
	sensor   string
	time     event.Time
	uid      string
	src, dst netip.AddrPort
}

// observe reads the columns that most logs share. It returns the reason where
// it cannot.
func (rc *recorder) observe(r *row) (o observation, reason string) {
	var ok bool
	if o.time, ok = instant(r.col[colTime]); !ok {
		return o, badTime
	}
	if o.src, reason = addrPort(r.col[colOrigHost], r.col[colOrigPort]); reason != "" {
		return o, reason
	}
	if o.dst, reason = addrPort(r.col[colRespHost], r.col[colRespPort]); reason != "" {
		return o, reason
	}
	o.sensor = rc.sensor(r)
	o.uid = valid(r.text(colUID))
	return o, ""
}

func addrPort(host, number []byte) (netip.AddrPort, string) {
	a, ok := address(host)
	if !ok {
		return netip.AddrPort{}, badAddress
	}
	p, ok := port(number)
	if !ok {
		return netip.AddrPort{}, badPort
	}
	return netip.AddrPortFrom(a, p), ""
}

// sensor returns the name of the node that wrote r.
func (rc *recorder) sensor(r *row) string {
	if s := rc.words.of(r.text(colNode)); s != "" {
		return s
	}
	return "zeek"
}

// proto returns the transport of a flow.
func proto(r *row, src netip.Addr) event.Proto {
	switch string(r.col[colProto]) {
	case "tcp":
		return event.TCP
	case "udp":
		return event.UDP
	case "icmp":
		if src.Is6() {
			return 58
		}
		return 1
	}
	if v, n := leadingDigits(r.col[colIPProto]); n == len(r.col[colIPProto]) && v <= 255 {
		return event.Proto(v)
	}
	return 0
}

// made puts a verdict on the account of the row that begins in that line, and
// reports whether it gave an event.
func (rc *recorder) made(v verdict, line int64) bool {
	switch {
	case v.skipped != "":
		rc.tally.SkipLine(line, v.skipped)
	case v.ignored != "":
		rc.tally.Ignore(v.ignored)
	default:
		return true
	}
	return false
}
