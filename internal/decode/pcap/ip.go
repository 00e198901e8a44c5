package pcap

// The protocols within IP, by IANA's numbers.
const (
	protoHop         = 0
	protoTCP         = 6
	protoUDP         = 17
	protoRouting     = 43
	protoFragment    = 44
	protoAuth        = 51
	protoDestination = 60
	protoMobility    = 135
)

// maxExtensions bounds the extension headers of an IPv6 packet.
const maxExtensions = 16

// A datagram is what IP carries.
type datagram struct {
	src, dst [16]byte // IPv4 as IPv4-mapped IPv6
	proto    uint8
	body     []byte // as far as captured
	length   int    // of the body, as it was sent
	first    bool   // it is the first fragment of several
}

// parse reads a frame down to its transport.
func (p *packet) parse(f *frame) fate {
	d, fate := network(f.link, f.data)
	if fate != taken {
		return fate
	}
	if len(d) == 0 {
		return cutHeaders
	}
	// A card that cuts packets up itself leaves the length to it and writes
	// 0: then the frame's own length says it.
	sent := max(f.length-(len(f.data)-len(d)), len(d))
	if sent > maxPacket {
		sent = len(d)
	}
	var g datagram
	switch d[0] >> 4 {
	case 4:
		fate = g.ipv4(d, sent)
	case 6:
		fate = g.ipv6(d, sent)
	default:
		return badHeader
	}
	if fate != taken {
		return fate
	}
	p.time = f.time
	p.proto = g.proto
	p.snapped = len(g.body) < g.length
	switch g.proto {
	case protoTCP:
		return p.tcp(&g)
	case protoUDP:
		return p.udp(&g)
	}
	return notTransport
}

// ipv4 reads a packet of RFC 791.
func (g *datagram) ipv4(d []byte, sent int) fate {
	if len(d) < 20 {
		return cutHeaders
	}
	header, total := int(d[0]&15)*4, int(be.Uint16(d[2:]))
	if total == 0 {
		total = sent
	}
	switch {
	case header < 20 || total < header:
		return badHeader
	case len(d) < header:
		return cutHeaders
	}
	g.src, g.dst = mapped(d[12:16]), mapped(d[16:20])
	g.proto = d[9]
	g.length = total - header
	g.body = d[header:max(header, min(total, len(d)))]
	const more, offset = 0x2000, 0x1fff
	part := be.Uint16(d[6:])
	g.first = part&more != 0
	if part&offset != 0 {
		return fragment
	}
	return taken
}

// mapped returns an IPv4 address as IPv4-mapped IPv6.
func mapped(b []byte) (a [16]byte) {
	a[10], a[11] = 0xff, 0xff
	copy(a[12:], b[:4])
	return a
}

// ipv6 reads a packet of RFC 8200.
func (g *datagram) ipv6(d []byte, sent int) fate {
	const header = 40
	if len(d) < header {
		return cutHeaders
	}
	g.src, g.dst = [16]byte(d[8:24]), [16]byte(d[24:40])
	g.length = int(be.Uint16(d[4:]))
	if g.length == 0 {
		g.length = max(sent-header, 0)
	}
	g.proto = d[6]
	g.body = d[header:min(header+g.length, len(d))]
	return g.extensions()
}

// extensions passes over the extension headers of IPv6.
func (g *datagram) extensions() fate {
	for range maxExtensions {
		n := 0
		switch g.proto {
		case protoHop, protoRouting, protoDestination, protoMobility:
			if len(g.body) >= 2 {
				n = 8 + int(g.body[1])*8
			}
		case protoAuth: // RFC 4302 counts in words of four bytes
			if len(g.body) >= 2 {
				n = 8 + int(g.body[1])*4
			}
		case protoFragment:
			n = 8
			if len(g.body) < n {
				return cutHeaders
			}
			part := be.Uint16(g.body[2:])
			g.first = g.first || part&1 != 0
			if part&^7 != 0 {
				return fragment
			}
		default:
			return taken
		}
		if n == 0 || len(g.body) < n {
			return cutHeaders
		}
		g.proto, g.body, g.length = g.body[0], g.body[n:], g.length-n
	}
	return badHeader
}

// udp reads a datagram of RFC 768.
func (p *packet) udp(g *datagram) fate {
	if len(g.body) < 8 {
		return cutHeaders
	}
	p.endpoints(g)
	said := int(be.Uint16(g.body[4:])) - 8
	p.length = g.length - 8
	if said >= 0 && (g.first || said < p.length) {
		// The first fragment says how long the datagram is as a whole.
		p.length = said
	}
	p.payload = g.body[8:]
	p.payload = p.payload[:min(len(p.payload), p.length)]
	return taken
}

// tcp reads a segment of RFC 9293.
func (p *packet) tcp(g *datagram) fate {
	if len(g.body) < 20 {
		return cutHeaders
	}
	header := int(g.body[12]>>4) * 4
	if header < 20 || header > g.length {
		return badHeader
	}
	p.endpoints(g)
	p.seq, p.ack = be.Uint32(g.body[4:]), be.Uint32(g.body[8:])
	p.flags = g.body[13]
	p.window = be.Uint16(g.body[14:])
	p.length = g.length - header
	p.payload = g.body[min(header, len(g.body)):]
	return taken
}

// endpoints reads the ports, and puts the lower end first in the key, so that
// both directions have the same.
func (p *packet) endpoints(g *datagram) {
	p.key, p.from = keyOf(g, g.body[0:2], g.body[2:4])
}
