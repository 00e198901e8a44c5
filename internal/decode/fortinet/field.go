package fortinet

import (
	"bytes"

	"github.com/postern/postern/internal/decode/gateway"
)

// A slot is a field that is read.
type slot int

// The slots.
const (
	unused slot = iota
	date
	clock
	eventtime
	tz
	logid
	kind
	subtype
	devid
	devname
	srcip
	srcport
	dstip
	dstport
	proto
	sessionid
	action
	service
	app
	duration
	sentbyte
	rcvdbyte
	sentpkt
	rcvdpkt
	hostname
	url
	sni
	tlsver
	cn
	issuer
	slots // how many
)

// slotOf maps the keys. This is the one place of them.
func slotOf(key []byte) slot { //nolint:cyclop // a table
	switch string(key) {
	case "date":
		return date
	case "time":
		return clock
	case "eventtime":
		return eventtime
	case "tz":
		return tz
	case "logid", "log_id":
		return logid
	case "type":
		return kind
	case "subtype":
		return subtype
	case "devid", "device_id":
		return devid
	case "devname":
		return devname
	case "srcip":
		return srcip
	case "srcport":
		return srcport
	case "dstip":
		return dstip
	case "dstport":
		return dstport
	case "proto":
		return proto
	case "sessionid", "session_id":
		return sessionid
	case "action":
		return action
	case "service":
		return service
	case "app":
		return app
	case "duration":
		return duration
	case "sentbyte":
		return sentbyte
	case "rcvdbyte":
		return rcvdbyte
	case "sentpkt":
		return sentpkt
	case "rcvdpkt":
		return rcvdpkt
	case "hostname":
		return hostname
	case "url":
		return url
	case "sni":
		return sni
	case "tlsver":
		return tlsver
	case "cn":
		return cn
	case "issuer":
		return issuer
	}
	return unused
}

// fields are those of a line, nil where the line has none.
type fields [slots][]byte

// read reads the pairs of a line. It is false when the line is no log of
// FortiOS. The first of two values counts: what a client chooses comes later.
func (f *fields) read(line []byte) bool {
	line = header(line)
	for first := true; len(line) > 0; first = false {
		key, value, rest, ok := pair(line)
		if !ok || first && !begins(key) {
			return false
		}
		if s := slotOf(key); s != unused && f[s] == nil {
			f[s] = value
		}
		line = bytes.TrimLeft(rest, " ")
	}
	_, ok := gateway.Number(f[logid])
	return ok && len(f[kind]) > 0 && len(f[subtype]) > 0 && (f[date] != nil || f[eventtime] != nil)
}

// maxHeader bounds a header of syslog, in bytes.
const maxHeader = 512

// header returns the line behind a header of syslog, which has no "=": the
// first pair begins at the word with the first one.
func header(line []byte) []byte {
	i := bytes.IndexByte(line[:min(len(line), maxHeader)], '=')
	if i < 0 {
		return nil
	}
	return line[bytes.LastIndexAny(line[:i], " >")+1:]
}

// begins reports whether a log begins with that key.
func begins(key []byte) bool {
	switch string(key) {
	case "date", "logver", "timestamp", "itime", "eventtime", "devname", "devid", "device_id", "time", "tz", "id", "idseq", "vd":
		return true
	}
	return false
}

// maxKey bounds a key, in bytes.
const maxKey = 64

// pair returns the first pair. Values with blanks are quoted.
func pair(line []byte) (key, value, rest []byte, ok bool) {
	i := bytes.IndexByte(line[:min(len(line), maxKey+1)], '=')
	if i <= 0 || bytes.IndexByte(line[:i], ' ') >= 0 {
		return nil, nil, nil, false
	}
	key, line = line[:i], line[i+1:]
	if len(line) == 0 || line[0] != '"' {
		value, rest, _ = bytes.Cut(line, []byte(" "))
		return key, value, rest, true
	}
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return key, line[1:i], line[i+1:], true
		}
	}
	return nil, nil, nil, false
}
