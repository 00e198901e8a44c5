// Package cef reads what proxies and firewalls send in the envelopes of SIEMs:
// the Common Event Format and the Log Event Extended Format.
package cef

import (
	"bytes"
	"io"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
)

// Formats returns the formats of this package. No two match one line.
func Formats() []*decode.Format {
	return []*decode.Format{format(commonEvent), format(logEvent)}
}

// An envelope is one of the two formats.
type envelope struct {
	name, title string
	open        func(line []byte) (message, bool)
	pairs       func(m *message, each func(key, value []byte))
	slot        func(key []byte) slot
	plain       func(value []byte) []byte
}

var (
	commonEvent = &envelope{name: "cef", title: "Common Event Format (CEF) of proxies and firewalls", open: openCEF, pairs: spaced, slot: cefSlot, plain: plain}
	logEvent    = &envelope{name: "leef", title: "Log Event Extended Format (LEEF) of proxies and firewalls", open: openLEEF, pairs: delimited, slot: leefSlot, plain: bytes.TrimSpace}
)

func format(e *envelope) *decode.Format {
	return &decode.Format{
		Name:       e.name,
		Doc:        e.title + "\n" + doc,
		Extensions: []string{".log", "." + e.name},
		Match:      e.match,
		Open: func(r io.Reader, t *decode.Tally) decode.Decoder {
			p := &parser{envelope: e, tally: t}
			return gateway.NewDecoder(r, t, e.name+" time of the device", p.line)
		},
	}
}

const doc = `
Reads CEF 0 and 1 (Micro Focus ArcSight CEF, version 25) and LEEF 1.0 and 2.0
(IBM QRadar), one message a line, with or without a header of syslog before it.
Written after these standards and the vendors' published layouts; not yet seen
from a live source.

Gives, of a message with src and
  a URL (request, url), or a method and a host: a request to a proxy;
  src, dst, their ports and byte counts: a flow (of Fortinet, with the session's
  number);
  a URL that a firewall of Fortinet logged of a session, if it is https or to
  port 443: the handshake of the session, with the host as server name.
Counted and ignored: everything else, and the URLs that the firewalls of Palo
Alto Networks and Check Point log, which here lack the session they belong to.

Keys of CEF: src spt dst dpt proto app in out request requestMethod
requestProtocol suser duser dhost outcome act rt start end dvchost
deviceExternalId dvc externalId. Keys of LEEF: src srcPort dst dstPort proto
appproto srcBytes dstBytes url method requestMethod reqmethod usrName hostname
status action devTime devTimeFormat deviceName.

Bytes: LEEF says whose they are. In CEF the standard and the vendors contradict
each other on which way "in" and "out" count. They are read for Zscaler, Fortinet
and Palo Alto Networks, which document out as sent by the client; of others the
bytes stay unknown, with a warning. Zscaler's NSS web feed is read as it ships
(CEF 5.0 and the QRadar LEEF template); the firewall feed has no year and is
ignored.

Times: start, where there is one; else end, rt or devTime, taken for the end. A
time without a zone is taken for UTC, with a warning, and so are names of zones
other than UTC and GMT refused. A time without a year cannot be read. A request
that was blocked without a status counts as 403.`

// maxHeadLines is how many lines match looks at: an input that was cut out of a
// larger one begins in the middle of a line.
const maxHeadLines = 8

func (e *envelope) match(head []byte) bool {
	n := 0
	for line := range bytes.Lines(head) {
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			continue
		}
		if _, ok := e.open(line); ok {
			return true
		}
		if n++; n == maxHeadLines {
			return false
		}
	}
	return false
}
