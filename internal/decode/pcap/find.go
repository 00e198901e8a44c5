package pcap

import (
	"bytes"
	"slices"
)

// A piece says what the bytes of a stream begin.
type piece uint8

const (
	pieceOther    piece = iota
	pieceShort          // too short to tell
	pieceHello          // TLS: a ClientHello or ServerHello
	pieceAlert          // TLS: an alert that is not encrypted
	pieceSecret         // TLS: application data
	pieceRequest        // HTTP
	pieceResponse       // HTTP
)

// methods are the beginnings of HTTP requests.
var methods = [...]string{"GET ", "POST ", "CONNECT ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "PATCH "}

// classify says what b, which is not empty, begins.
func classify(b []byte) piece {
	switch b[0] {
	case recordHandshake, recordAlert, recordData:
		return classifyRecord(b)
	case 'G', 'P', 'C', 'H', 'D', 'O':
	default:
		return pieceOther
	}
	for _, m := range methods {
		if begins(b, m) {
			return whole(b, m, pieceRequest)
		}
	}
	if response := "HTTP/1."; begins(b, response) {
		return whole(b, response, pieceResponse)
	}
	return pieceOther
}

// begins reports whether b begins with a word, as far as b goes.
func begins(b []byte, word string) bool {
	n := min(len(b), len(word))
	return string(b[:n]) == word[:n]
}

// whole returns p where b has the whole word.
func whole(b []byte, word string, p piece) piece {
	if len(b) < len(word) {
		return pieceShort
	}
	return p
}

// classifyRecord looks at what may be a record of TLS: type, version, length,
// and the type of the message within.
func classifyRecord(b []byte) piece {
	switch {
	case len(b) > 1 && b[1] != 3, len(b) > 2 && b[2] > 4:
		return pieceOther
	case len(b) < 6:
		return pieceShort
	}
	n := int(be.Uint16(b[3:]))
	switch {
	case n == 0 || n > maxRecord:
	case b[0] == recordHandshake && (b[5] == messageClientHello || b[5] == messageServerHello):
		return pieceHello
	case b[0] == recordAlert && n == 2 && (b[5] == 1 || b[5] == alertFatal):
		return pieceAlert
	case b[0] == recordData:
		return pieceSecret
	}
	return pieceOther
}

// find looks for what a piece begins, and returns what is left to be read.
func (c *conversation) find(d *decoder, f *flow, from side, now int64, data []byte) []byte {
	s := &c.streams[from]
	if data = c.gather(d, from, data); data == nil {
		return nil
	}
	kind := classify(data)
	switch {
	case kind == pieceShort:
		c.keep(d, from, data)
		return nil
	case kind == pieceHello, kind == pieceAlert && c.tls.hello:
		s.reading = readingTLS
		f.service |= serviceTLS
	case kind == pieceRequest:
		s.reading = readingRequest
		c.http.began = now
	default:
		c.other(d, f, from, kind, data)
		data = nil
		if s.tries++; s.tries > maxTries && !c.http.proxied {
			c.stop(d, from)
		}
	}
	d.keepNone(s)
	return data
}

// other takes a piece that begins nothing that is read on.
func (c *conversation) other(d *decoder, f *flow, from side, kind piece, data []byte) {
	switch {
	case kind == pieceResponse:
		c.http.response(d, data)
	case kind == pieceSecret && f.midstream:
		// One such piece may be chance. Two are a session.
		if c.secret[from]++; int(c.secret[0])+int(c.secret[1]) >= 2 {
			f.service |= serviceTLS
			c.stop(d, 0)
			c.stop(d, 1)
		}
	case isSOCKS(data, c.socks[from.other()]):
		if c.socks[from] = true; c.socks[from.other()] {
			f.service |= serviceSOCKS
		}
	}
}

// isSOCKS reports whether b is the first message of a SOCKS client, or where
// that was seen, of a server: RFC 1928, and SOCKS 4 before it.
func isSOCKS(b []byte, asked bool) bool {
	n := len(b)
	switch {
	case asked:
		return n == 2 && b[0] == 5 && slices.Contains([]byte{0, 1, 2}, b[1]) || n == 8 && b[0] == 0 && b[1] == 90
	case n < 3:
		return false
	}
	return b[0] == 5 && n == 2+int(b[1]) || b[0] == 4 && b[1] == 1 && n >= 9 && bytes.HasSuffix(b, []byte{0})
}
