package pcap

import (
	"net/netip"
	"slices"

	"github.com/postern/postern/internal/event"
	"golang.org/x/net/dns/dnsmessage"
)

const (
	portDNS = 53

	maxQuestions = 16  // that wait for their answer in one flow
	maxAnswers   = 256 // addresses of one answer

	typeHTTPS dnsmessage.Type = 65
)

// neighbourly reports whether a flow of UDP goes to the neighbours on the
// link, and not to a resolver: NetBIOS, multicast DNS, LLMNR.
func (f *flow) neighbourly() bool {
	dst := f.key.end(f.originator.other())
	switch dst.Port() {
	case 137, 5353, 5355:
		return true
	}
	return dst.Addr().IsMulticast()
}

// isQuery reports whether b is a question of DNS and nothing else: resolvers
// may listen on any port. It is strict, for b may be anything.
func isQuery(b []byte) bool {
	const header, recursion, checking = 12, 0x01, 0x30
	if len(b) < header+6 || b[2]&^recursion != 0 || b[3]&^checking != 0 ||
		string(b[4:10]) != "\x00\x01\x00\x00\x00\x00" || b[10] != 0 || b[11] > 1 {
		return false
	}
	more := b[11] == 1
	b = b[header:]
	for b[0] != 0 {
		n := int(b[0]) + 1
		if n > 64 || n >= len(b) {
			return false
		}
		b = b[n:]
	}
	if len(b) < 5 || b[3] != 0 || b[4] != 1 { // class IN
		return false
	}
	// Behind the question there may be only options: RFC 6891.
	b = b[5:]
	return !more && len(b) == 0 || more && len(b) >= 11 && string(b[:3]) == "\x00\x00\x29"
}

// A question waits for its answer.
type question struct {
	id   uint16
	kind dnsmessage.Type
	time int64
	name string
}

// A dnsContent is what a flow asks of a resolver.
type dnsContent struct {
	client side
	asked  []question
}

// packet implements [content].
func (c *dnsContent) packet(d *decoder, f *flow, p *packet) bool {
	if c.message(d, f, p.from, p.time, p.payload) {
		f.service |= serviceDNS
	}
	return true
}

// messages reads DNS over TCP, where a length goes before each message:
// RFC 7766 section 8.
func (c *conversation) messages(d *decoder, f *flow, from side, now int64, data []byte) {
	if data = c.gather(d, from, data); data == nil {
		return
	}
	for len(data) >= 2 {
		n := int(be.Uint16(data))
		if len(data) < 2+n {
			break
		}
		if !c.dns.message(d, f, from, now, data[2:2+n]) {
			c.stop(d, from)
			return
		}
		f.service |= serviceDNS
		data = data[2+n:]
	}
	if len(data) == 0 {
		d.keepNone(&c.streams[from])
	} else {
		c.keep(d, from, data)
	}
}

// message takes a message. It is false for what is none.
func (c *dnsContent) message(d *decoder, f *flow, from side, now int64, b []byte) bool {
	var p dnsmessage.Parser
	header, err := p.Start(b)
	if err != nil {
		return false
	}
	asked, err := p.Question()
	if err != nil || header.OpCode != 0 {
		return err == nil
	}
	q := question{header.ID, asked.Type, now, hostName(asked.Name.Data[:asked.Name.Length])}
	if !header.Response {
		c.client = from
		c.ask(d, f, q)
		return true
	}
	c.client = from.other()
	if i := slices.IndexFunc(c.asked, q.same); i >= 0 {
		q.time = c.asked[i].time
		c.asked = slices.Delete(c.asked, i, i+1)
	}
	c.tell(d, f, q, answers(&p))
	return true
}

// same reports whether two questions are one, and its answer's.
func (q question) same(o question) bool {
	return q.id == o.id && q.kind == o.kind && q.name == o.name
}

// ask remembers a question until it is answered.
func (c *dnsContent) ask(d *decoder, f *flow, q question) {
	if slices.ContainsFunc(c.asked, q.same) {
		return // sent again
	}
	if len(c.asked) >= maxQuestions {
		c.tell(d, f, c.asked[0], nil)
		c.asked = slices.Delete(c.asked, 0, 1)
	}
	c.asked = append(c.asked, q)
}

// answers returns the addresses of a response, as far as it can be read.
func answers(p *dnsmessage.Parser) []netip.Addr {
	if p.SkipAllQuestions() != nil {
		return nil
	}
	var all []netip.Addr
	for len(all) < maxAnswers {
		h, err := p.AnswerHeader()
		if err != nil {
			return all
		}
		switch h.Type {
		case dnsmessage.TypeA:
			var r dnsmessage.AResource
			if r, err = p.AResource(); err == nil {
				all = append(all, netip.AddrFrom4(r.A))
			}
		case dnsmessage.TypeAAAA:
			var r dnsmessage.AAAAResource
			if r, err = p.AAAAResource(); err == nil {
				all = append(all, netip.AddrFrom16(r.AAAA).Unmap())
			}
		default:
			err = p.SkipAnswer()
		}
		if err != nil {
			return all
		}
	}
	return all
}

// tell gives a question with its answers, where an address was asked for or
// answered.
func (c *dnsContent) tell(d *decoder, f *flow, q question, addresses []netip.Addr) {
	asks := q.kind == dnsmessage.TypeA || q.kind == dnsmessage.TypeAAAA || q.kind == typeHTTPS
	if q.name == "" || len(addresses) == 0 && !asks {
		return
	}
	d.out.Lookups = append(d.out.Lookups, event.Lookup{
		Sensor: sensor, Time: instant(q.time),
		Client: f.key.end(c.client).Addr(), Name: q.name, Answers: addresses,
	})
}

// finish implements [content]. It gives the questions that were not answered.
func (c *dnsContent) finish(d *decoder, f *flow) {
	for _, q := range c.asked {
		c.tell(d, f, q, nil)
	}
	c.asked = nil
}
