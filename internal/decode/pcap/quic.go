package pcap

import (
	"slices"

	"github.com/postern/postern/internal/event"
)

// The bounds of looking into a QUIC connection.
const (
	maxDatagrams = 64 // until the ClientHello is complete
	maxKeys      = 8  // connection IDs that keys are derived of
)

// A cryptoPart is a stretch of the stream that carries the TLS handshake.
type cryptoPart struct {
	at   int
	data []byte
}

// A quicContent is the beginning of a QUIC connection, which anyone who sees
// it can read: RFC 9001 section 5.2.
type quicContent struct {
	store stream // accounts for the memory of parts
	keys  *initialKeys
	tries int // derivations of keys
	seen  int // datagrams
	parts []cryptoPart

	event    event.Handshake
	client   side
	hello    bool
	answered bool // the server has sent long headers
	done     bool // the client has sent data in the keys of the handshake
}

// packet implements [content].
func (q *quicContent) packet(d *decoder, f *flow, p *packet) bool {
	q.seen++
	long := len(p.payload) > 0 && p.payload[0]&0x80 != 0
	switch {
	case !q.hello && long:
		q.initials(d, f, p)
	case q.hello && long && p.from != q.client:
		q.answered = true
	case q.hello && !long && p.from == q.client && q.answered:
		q.done = true
	}
	return !q.done && q.seen < maxDatagrams
}

// initials reads the Initial packets in a datagram.
func (q *quicContent) initials(d *decoder, f *flow, p *packet) {
	for b := p.payload; len(b) > 0 && !q.hello; {
		h, ok := parseLong(b)
		if !ok {
			return
		}
		b = b[h.end:]
		if !h.initial {
			continue
		}
		if plain, ok := q.open(&h); ok {
			q.frames(d, plain)
			q.read(f, p, h.version)
		}
	}
}

// open decrypts a client's Initial packet. Keys come of the connection ID in
// the client's first one, or in the first behind a Retry.
func (q *quicContent) open(h *longHeader) ([]byte, bool) {
	if q.keys != nil {
		if plain, ok := q.keys.open(h); ok {
			return plain, true
		}
	}
	if q.tries++; q.tries > maxKeys {
		return nil, false
	}
	k, ok := deriveKeys(h.version, h.destination)
	if !ok {
		return nil, false
	}
	plain, ok := k.open(h)
	if ok {
		q.keys = k
	}
	return plain, ok
}

// The frames that an Initial packet may have: RFC 9000 section 12.4.
const (
	framePadding = 0
	framePing    = 1
	frameACK     = 2
	frameACKECN  = 3
	frameCrypto  = 6
)

// frames keeps what is in CRYPTO frames.
func (q *quicContent) frames(d *decoder, b []byte) {
	c := varints{b: b}
	for len(c.b) > 0 && !c.failed {
		switch kind := c.next(); kind {
		case framePadding, framePing:
		case frameACK, frameACKECN:
			c.skipACK(kind)
		case frameCrypto:
			at, n := c.next(), c.next()
			if c.failed || n > uint64(len(c.b)) || at > uint64(d.limits.stream) {
				return
			}
			q.keep(d, int(at), c.b[:n])
			c.b = c.b[n:]
		default:
			return
		}
	}
}

// keep keeps a part in its place.
func (q *quicContent) keep(d *decoder, at int, data []byte) {
	if !d.room(&q.store, len(data)) || len(data) == 0 {
		return
	}
	d.hold(&q.store, len(data))
	i, _ := slices.BinarySearchFunc(q.parts, at, func(p cryptoPart, at int) int { return p.at - at })
	q.parts = slices.Insert(q.parts, i, cryptoPart{at, slices.Clone(data)})
}

// read reads the ClientHello when it is complete.
func (q *quicContent) read(f *flow, p *packet, version uint32) {
	var all []byte
	for _, part := range q.parts {
		if part.at > len(all) {
			break
		}
		if known := len(all) - part.at; known < len(part.data) {
			all = append(all, part.data[known:]...)
		}
	}
	if len(all) < 4 || all[0] != messageClientHello {
		return
	}
	n := int(be.Uint32(all) & 0xffffff)
	if len(all) < 4+n {
		return
	}
	hello, ok := parseClientHello(all[4 : 4+n])
	if !ok {
		return
	}
	q.hello, q.client = true, p.from
	q.event.Time = instant(p.time)
	q.event.Version = quicName(version)
	hello.describe(&q.event, ja4QUIC)
	f.service |= serviceTLS
}

// finish implements [content].
func (q *quicContent) finish(d *decoder, f *flow) {
	d.release(&q.store)
	if !q.hello {
		return
	}
	if q.done {
		q.event.Established = event.Yes
	}
	d.handshake(f, &q.event)
}
