package paloalto

import (
	"bytes"
	"time"

	"github.com/postern/postern/internal/decode/gateway"
	"github.com/postern/postern/internal/event"
)

// The fields, by their place. This is the one place of the layout. PAN-OS adds
// new ones at the end only.
const (
	receiveTime   = 1
	serial        = 2
	logType       = 3
	subtype       = 4
	generatedTime = 6
	srcAddr       = 7
	dstAddr       = 8
	application   = 14
	sessionID     = 22
	srcPort       = 24
	dstPort       = 25
	flags         = 28
	protocol      = 29

	// of TRAFFIC
	bytesSent     = 32
	bytesReceived = 33
	startTime     = 35
	elapsed       = 36
	packetsSent   = 44
	packetsGot    = 45

	// of THREAT
	url = 31

	// of DECRYPTION
	tlsVersion = 39
	subjectCN  = 60
	issuerCN   = 61
	serverName = 63
	failure    = 64

	leastFields = protocol + 2
	firstZone   = 65 // from where High Resolution Timestamp is looked for
	maxFields   = 160
)

// fields are those of a line, without quotes. Those that the line lacks are
// empty. They can be used for one line after another.
type fields struct {
	at [maxFields][]byte
	n  int
}

// split reads the fields of a line.
func (f *fields) split(line []byte) bool {
	before := f.n
	defer func() { clear(f.at[f.n:max(before, f.n)]) }()
	for f.n = 0; f.n < maxFields; f.n++ {
		var more bool
		f.at[f.n], line, more = gateway.Field(line, ',')
		if !more {
			f.n++
			break
		}
	}
	return f.n >= leastFields
}

// ours reports whether the fields are of a log of PAN-OS.
func (f *fields) ours() bool {
	_, ok := wall(f.at[receiveTime])
	_, ok2 := wall(f.at[generatedTime])
	return ok && ok2 && len(f.at[serial]) > 0 && isType(f.at[logType])
}

// isType reports whether b is the type of a log.
func isType(b []byte) bool {
	switch string(b) {
	case "TRAFFIC", "THREAT", "DECRYPTION", "SYSTEM", "CONFIG", "HIPMATCH", "HIP-MATCH", "USERID", "IPTAG", "GLOBALPROTECT",
		"CORRELATION", "TUNNEL", "SCTP", "GTP", "AUTHENTICATION", "AUTH", "AUDIT", "URL", "DATA", "WILDFIRE":
		return true
	}
	return false
}

// wall reads "2026/11/23 15:39:19" as if it were UTC.
func wall(b []byte) (event.Time, bool) {
	if len(b) != len("2006/01/02 15:04:05") || b[4] != '/' || b[10] != ' ' {
		return event.Never, false
	}
	return gateway.DateTime(b[:10], b[11:], time.UTC)
}

// zone returns how far the firewall's clock is ahead of UTC: as its high
// resolution timestamp says, which shows the time of generation again.
func (f *fields) zone() (time.Duration, bool) {
	generated, ok := wall(f.at[generatedTime])
	if !ok {
		return 0, false
	}
	for _, b := range f.at[min(firstZone, f.n):f.n] {
		if len(b) < len("2006-01-02T15:04:05+01:00") || b[4] != '-' || b[10] != 'T' {
			continue
		}
		sign := bytes.LastIndexAny(b, "+-")
		shown, ok := gateway.DateTime(b[:10], b[11:max(sign, 11)], time.UTC)
		offset, ok2 := gateway.Clock(b, time.RFC3339, time.UTC)
		if ok && ok2 && shown.Sub(generated).Abs() <= 2*time.Second {
			return shown.Sub(offset), true
		}
	}
	return 0, false
}
