package pcap

import "slices"

// lookFirst is within how many packets of a UDP flow its content must show.
const lookFirst = 4

// look learns from a packet's payload.
func (d *decoder) look(f *flow, p *packet) {
	if !f.looked {
		f.content, f.looked = d.open(f, p)
	}
	if f.content == nil || f.content.packet(d, f, p) {
		return
	}
	f.content.finish(d, f)
	f.content = nil
}

// open returns what a flow's first payload is to be learnt from. It is false
// when a later packet may tell.
func (d *decoder) open(f *flow, p *packet) (content, bool) {
	if p.proto == protoTCP {
		return newConversation(f), true
	}
	switch {
	case f.neighbourly():
		return nil, true
	case isInitial(p.payload):
		f.service |= serviceQUIC
		return new(quicContent), true
	case f.key.port(0) == portDNS || f.key.port(1) == portDNS || isQuery(p.payload):
		return new(dnsContent), true
	}
	return nil, f.ends[0].packets+f.ends[1].packets >= lookFirst
}

// The bounds of looking into a TCP stream.
const (
	maxPending = 64 // segments that wait for others before them
	maxTries   = 32 // pieces of a stream that are none of what is looked for
)

// A reading says what a stream is being read as.
type reading uint8

const (
	readingAnything reading = iota // a piece of the stream may begin something
	readingTLS
	readingRequest
	readingDNS
	readingNothing
)

// A segment waits for those before it.
type segment struct {
	seq  uint32
	data []byte
	lost int // bytes behind data that were not captured
}

// A stream is one direction of a TCP connection, put in order.
//
// It is looked at in pieces, which are what one segment brings. Protocols that
// take turns begin their messages where a piece begins, so that TLS is found
// behind any preamble: a CONNECT, a SOCKS negotiation, a STARTTLS.
type stream struct {
	next    uint32
	known   bool
	pending []segment // in order
	held    int       // bytes in pending and buf
	refused bool      // for want of memory

	reading reading
	tries   int
	buf     []byte // of a message that is not complete
}

// A conversation is the content of a TCP connection.
type conversation struct {
	streams [2]stream
	tls     handshake
	http    requests
	dns     dnsContent
	socks   [2]bool  // a side speaks SOCKS
	secret  [2]uint8 // pieces that begin with a record of a TLS session met in the middle
}

func newConversation(f *flow) *conversation {
	c := new(conversation)
	if f.key.port(0) == portDNS || f.key.port(1) == portDNS {
		c.streams[0].reading, c.streams[1].reading = readingDNS, readingDNS
	}
	return c
}

// packet implements [content].
func (c *conversation) packet(d *decoder, f *flow, p *packet) bool {
	s := &c.streams[p.from]
	if s.reading == readingNothing {
		return c.open()
	}
	seq := p.seq
	if p.flags&flagSYN != 0 {
		seq++
	}
	if !s.known {
		s.known, s.next = true, seq
		if e := &f.ends[p.from]; e.syn {
			s.next = e.isn + 1
		}
	}
	c.arrive(d, f, p, segment{seq, p.payload, p.length - len(p.payload)})
	return c.open()
}

// arrive takes a segment, and those that waited for it.
func (c *conversation) arrive(d *decoder, f *flow, p *packet, g segment) {
	s := &c.streams[p.from]
	if int32(g.seq-s.next) > 0 && !c.wait(d, p.from, g) {
		c.lose(d, p.from)
		if s.next = g.seq; len(s.pending) > 0 {
			s.next = s.pending[0].seq
			c.drain(d, f, p)
		}
	}
	if int32(g.seq-s.next) <= 0 {
		c.advance(d, f, p, g)
		c.drain(d, f, p)
	}
}

// drain takes the waiting segments that are next.
func (c *conversation) drain(d *decoder, f *flow, p *packet) {
	s := &c.streams[p.from]
	for len(s.pending) > 0 && int32(s.pending[0].seq-s.next) <= 0 {
		g := s.pending[0]
		s.pending = slices.Delete(s.pending, 0, 1)
		d.hold(s, -len(g.data))
		c.advance(d, f, p, g)
	}
}

// advance takes the segment that comes next.
func (c *conversation) advance(d *decoder, f *flow, p *packet, g segment) {
	s := &c.streams[p.from]
	behind := int(s.next - g.seq)
	whole := len(g.data) + g.lost
	if behind >= whole {
		return
	}
	s.next = g.seq + uint32(whole)
	if behind < len(g.data) {
		c.piece(d, f, p.from, p.time, g.data[behind:])
	}
	if g.lost > 0 {
		c.lose(d, p.from)
	}
}

// wait keeps a segment until those before it have come. It is false where
// that takes too long: then they were lost.
func (c *conversation) wait(d *decoder, from side, g segment) bool {
	s := &c.streams[from]
	i, found := slices.BinarySearchFunc(s.pending, g, func(a, b segment) int { return int(int32(a.seq - b.seq)) })
	if found && len(s.pending[i].data) >= len(g.data) || s.reading == readingNothing {
		return true
	}
	if len(s.pending) >= maxPending || !d.room(s, len(g.data)) {
		return false
	}
	g.data = slices.Clone(g.data)
	d.hold(s, len(g.data))
	s.pending = slices.Insert(s.pending, i, g)
	return true
}

// lose says that a part of a stream was not captured. What is read across the
// hole cannot be; what is only looked for may come behind it.
func (c *conversation) lose(d *decoder, from side) {
	s := &c.streams[from]
	c.tls.lost = true
	if s.reading != readingAnything {
		c.stop(d, from)
		return
	}
	d.keepNone(s)
}

// stop gives up a stream.
func (c *conversation) stop(d *decoder, from side) {
	s := &c.streams[from]
	c.tls.lost = true
	d.release(s)
	s.reading = readingNothing
}

// piece takes bytes that follow the ones before.
func (c *conversation) piece(d *decoder, f *flow, from side, now int64, data []byte) {
	s := &c.streams[from]
	for len(data) > 0 {
		switch s.reading {
		case readingTLS:
			if !c.records(d, f, from, now, data) {
				c.stop(d, from)
			}
			return
		case readingRequest:
			data = c.request(d, f, from, data)
		case readingDNS:
			c.messages(d, f, from, now, data)
			return
		case readingAnything:
			data = c.find(d, f, from, now, data)
		default:
			return
		}
	}
}

// gather puts a piece behind what the stream has kept. It returns nil, and
// gives the stream up, where that is too much.
func (c *conversation) gather(d *decoder, from side, data []byte) []byte {
	s := &c.streams[from]
	if len(s.buf) == 0 {
		return data
	}
	if !d.room(s, len(data)) {
		c.stop(d, from)
		return nil
	}
	d.hold(s, len(data))
	s.buf = append(s.buf, data...)
	return s.buf
}

// keep makes data what the stream has kept: it is the end of what gather
// returned.
func (c *conversation) keep(d *decoder, from side, data []byte) {
	s := &c.streams[from]
	if len(data) == len(s.buf) {
		return // it is what is kept: not to copy it keeps small pieces cheap
	}
	if !d.room(s, len(data)-len(s.buf)) {
		c.stop(d, from)
		return
	}
	d.hold(s, len(data)-len(s.buf))
	s.buf = append(make([]byte, 0, len(data)), data...)
}

// open reports whether more is to be learnt from a conversation. A handshake
// that failed may still tell: what came before the failure may come late.
func (c *conversation) open() bool {
	return !c.tls.done && !c.http.direct &&
		(c.streams[0].reading != readingNothing || c.streams[1].reading != readingNothing)
}

// finish implements [content].
func (c *conversation) finish(d *decoder, f *flow) {
	for i := range c.streams {
		d.release(&c.streams[i])
	}
	c.tls.tell(d, f)
	c.http.tell(d)
	c.dns.finish(d, f)
}

// room reports whether a stream may hold n bytes more.
func (d *decoder) room(s *stream, n int) bool {
	if s.held+n > d.limits.stream {
		return false
	}
	if d.held+n <= d.limits.streams {
		return true
	}
	if !s.refused {
		s.refused = true
		d.unread++
	}
	return false
}

// hold accounts for n bytes more, or less, of a stream.
func (d *decoder) hold(s *stream, n int) {
	s.held += n
	d.held += n
}

// keepNone forgets what a stream has kept of an incomplete message.
func (d *decoder) keepNone(s *stream) {
	d.hold(s, -len(s.buf))
	s.buf = nil
}

// release forgets all that a stream holds.
func (d *decoder) release(s *stream) {
	d.hold(s, -s.held)
	s.buf, s.pending = nil, nil
}
