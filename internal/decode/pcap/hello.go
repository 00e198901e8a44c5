package pcap

import (
	"github.com/postern/postern/internal/event"
)

// The TLS extensions that are read, by IANA's numbers.
const (
	extServerName = 0
	extGroups     = 10
	extPoints     = 11
	extSignatures = 13
	extALPN       = 16
	extEarlyData  = 42
	extVersions   = 43
)

// A clientHello is the first message of a TLS client: RFC 8446 section 4.1.2.
// Its slices refer to the message.
type clientHello struct {
	legacy     uint16 // the version that the message begins with
	version    uint16 // the highest that is offered
	ciphers    []uint16
	extensions []uint16
	groups     []uint16
	signatures []uint16
	points     []byte
	early      bool   // data may follow before the server has answered
	named      bool   // there is a server_name extension
	name       []byte // of the server
	alpn       [][]byte
}

// isGREASE reports whether a value is one that clients make up so that servers
// learn to ignore what they do not know: RFC 8701.
func isGREASE(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// A cursor reads a message. Where it is too short, the cursor fails, and then
// gives zeros and nothing.
type cursor struct {
	b      []byte
	failed bool
}

func (c *cursor) take(n int) []byte {
	if n > len(c.b) {
		c.b, c.failed = nil, true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

// number reads a big-endian number of n bytes.
func (c *cursor) number(n int) int {
	v := 0
	for _, x := range c.take(n) {
		v = v<<8 | int(x)
	}
	return v
}

// vector reads a vector whose length is a number of n bytes.
func (c *cursor) vector(n int) cursor {
	b := c.take(c.number(n))
	return cursor{b: b, failed: c.failed}
}

// numbers reads what is left as numbers of two bytes.
func (c *cursor) numbers() []uint16 {
	all := make([]uint16, 0, len(c.b)/2)
	for len(c.b) >= 2 {
		all = append(all, uint16(c.number(2)))
	}
	return all
}

// parseClientHello reads the body of a ClientHello.
func parseClientHello(b []byte) (*clientHello, bool) {
	c := cursor{b: b}
	h := &clientHello{}
	h.legacy = uint16(c.number(2))
	h.version = h.legacy
	c.take(32)
	c.vector(1) // session
	ciphers := c.vector(2)
	c.vector(1) // compression
	if c.failed {
		return nil, false
	}
	h.ciphers = ciphers.numbers()
	if len(c.b) == 0 {
		return h, true // before TLS 1.2 there need be no extensions
	}
	extensions := c.vector(2)
	if c.failed {
		return nil, false
	}
	for len(extensions.b) > 0 {
		kind := uint16(extensions.number(2))
		body := extensions.vector(2)
		if extensions.failed {
			return nil, false
		}
		h.extensions = append(h.extensions, kind)
		h.extension(kind, body)
	}
	return h, true
}

// extension reads one extension. What is malformed within it is left out: the
// message as a whole is read all the same.
func (h *clientHello) extension(kind uint16, c cursor) {
	switch kind {
	case extServerName:
		h.named = true
		h.name = serverName(c.vector(2))
	case extGroups:
		l := c.vector(2)
		h.groups = l.numbers()
	case extPoints:
		h.points = c.vector(1).b
	case extSignatures:
		l := c.vector(2)
		h.signatures = l.numbers()
	case extALPN:
		for l := c.vector(2); len(l.b) > 0; {
			h.alpn = append(h.alpn, l.vector(1).b)
		}
	case extEarlyData:
		h.early = true
	case extVersions:
		l := c.vector(1)
		if v := highest(l.numbers()); v != 0 {
			h.version = v
		}
	}
}

// serverName returns the first host name of a list: RFC 6066 section 3.
func serverName(l cursor) []byte {
	for len(l.b) > 0 {
		kind, name := l.number(1), l.vector(2)
		if kind == 0 {
			return name.b
		}
	}
	return nil
}

// highest returns the highest version that means one, or 0.
func highest(versions []uint16) uint16 {
	best := uint16(0)
	for _, v := range versions {
		if !isGREASE(v) {
			best = max(best, v)
		}
	}
	return best
}

// A serverHello is the answer to a ClientHello: RFC 8446 section 4.1.3.
type serverHello struct {
	legacy     uint16
	version    uint16 // that was chosen
	cipher     uint16
	extensions []uint16
	alpn       []byte
	retry      bool // it is a HelloRetryRequest
}

// retryRandom marks a HelloRetryRequest.
const retryRandom = "\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91" +
	"\xC2\xA2\x11\x16\x7A\xBB\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C"

// parseServerHello reads the body of a ServerHello.
func parseServerHello(b []byte) (*serverHello, bool) {
	c := cursor{b: b}
	h := &serverHello{}
	h.legacy = uint16(c.number(2))
	h.version = h.legacy
	h.retry = string(c.take(32)) == retryRandom
	c.vector(1) // session
	h.cipher = uint16(c.number(2))
	c.number(1) // compression
	if c.failed {
		return nil, false
	}
	if len(c.b) == 0 {
		return h, true
	}
	extensions := c.vector(2)
	for len(extensions.b) > 0 {
		kind := uint16(extensions.number(2))
		body := extensions.vector(2)
		h.extensions = append(h.extensions, kind)
		switch kind {
		case extVersions:
			if v := uint16(body.number(2)); !body.failed {
				h.version = v
			}
		case extALPN:
			l := body.vector(2)
			h.alpn = l.vector(1).b
		}
	}
	return h, !c.failed && !extensions.failed
}

// versionName returns a version as Zeek writes it, or "" for one it has no
// name for.
func versionName(v uint16) string {
	switch v {
	case 0x0304:
		return "TLSv13"
	case 0x0303:
		return "TLSv12"
	case 0x0302:
		return "TLSv11"
	case 0x0301:
		return "TLSv10"
	case 0x0300:
		return "SSLv3"
	}
	return ""
}

// describe writes what a client said into a handshake. The prefix is JA4's
// letter for the transport.
func (h *clientHello) describe(e *event.Handshake, transport byte) {
	e.SNI = hostName(h.name)
	e.JA3, e.JA4 = h.ja3(), h.ja4(transport)
	for _, p := range h.alpn {
		if len(p) != 2 || !isGREASE(be.Uint16(p)) {
			e.ALPN = valid(p)
			return
		}
	}
}
