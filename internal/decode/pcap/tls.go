package pcap

import "github.com/postern/postern/internal/event"

// The types of TLS records and of the messages in them: RFC 8446 appendix B.
const (
	recordCipher    = 20 // change_cipher_spec
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
	recordHeartbeat = 24

	messageClientHello = 1
	messageServerHello = 2
	messageCertificate = 11

	alertFatal = 2
)

const (
	recordHeader = 5
	maxRecord    = 1<<14 + 2048 // with what encryption may add
	tls13        = 0x0304
)

// minFinished is shorter than the encrypted Finished of TLS 1.3, which is a
// hash, and longer than an encrypted alert, which is two bytes.
const minFinished = 40

// A recordEnd is how far the records of one end have been read.
type recordEnd struct {
	header   [recordHeader]byte
	have     int  // bytes of header
	kind     byte // of the record
	left     int  // bytes of the record
	ciphered bool // a change_cipher_spec was seen
	finished bool // and behind it an encrypted handshake message
	secret   int  // length of the first record of application data, 0 before it
}

// A handshake is the TLS handshake of a connection.
type handshake struct {
	event  event.Handshake
	ends   [2]recordEnd
	client side
	hello  bool // the ClientHello was read
	server bool // the ServerHello was read
	modern bool // it is TLS 1.3
	early  bool // the client may send data before the server has answered

	done   bool // both ends have finished
	failed bool // one has sent an alert instead
	lost   bool // a part was not captured or could not be read
}

// records reads records. It is false where there are none.
func (c *conversation) records(d *decoder, f *flow, from side, now int64, data []byte) bool {
	r := &c.tls.ends[from]
	for len(data) > 0 {
		if r.left == 0 {
			n := copy(r.header[r.have:], data)
			r.have += n
			data = data[n:]
			if r.have == recordHeader && !c.tls.record(from) {
				return false
			}
			continue
		}
		n := min(r.left, len(data))
		if !c.body(d, f, from, now, data[:n]) {
			return false
		}
		r.left -= n
		data = data[n:]
	}
	return true
}

// record begins a record. It is false where the header is none.
func (h *handshake) record(from side) bool {
	r := &h.ends[from]
	r.have = 0
	r.kind, r.left = r.header[0], int(be.Uint16(r.header[3:]))
	if r.kind < recordCipher || r.kind > recordHeartbeat || r.header[1] != 3 || r.left > maxRecord {
		return false
	}
	switch {
	case r.kind == recordCipher:
		r.ciphered = true
	case r.kind == recordHandshake && r.encrypted(h):
		r.finished = true
	case r.kind == recordData && r.secret == 0 && (h.server || !h.early):
		r.secret = r.left
	}
	h.settle()
	return true
}

// settle decides on the outcome, as far as it can be seen. Up to TLS 1.2 both
// ends finish in records of their own type. The rest of the handshake of
// TLS 1.3 looks like application data: there the client's first record tells,
// which is either its Finished or an alert. The other end's may come first,
// because captures are not always in order.
func (h *handshake) settle() {
	switch {
	case h.ends[0].finished && h.ends[1].finished:
		h.done = true
	case h.modern && h.server && h.ends[h.client].secret > 0:
		h.done = h.ends[h.client].secret >= minFinished
		h.failed = !h.done
	}
}

// encrypted reports whether handshake messages and alerts of this end are.
// TLS 1.3 sends change_cipher_spec only to look like its predecessors.
func (r *recordEnd) encrypted(h *handshake) bool { return r.ciphered && !h.modern }

// body takes bytes of the record that is being read.
func (c *conversation) body(d *decoder, f *flow, from side, now int64, b []byte) bool {
	h := &c.tls
	r := &h.ends[from]
	switch {
	case r.encrypted(h):
	case r.kind == recordAlert:
		if r.left == 2 && b[0] == alertFatal {
			h.failed = true
		}
	case r.kind == recordHandshake:
		return c.handshakeBytes(d, f, from, now, b)
	}
	return true
}

// handshakeBytes takes bytes of handshake messages, which may lie over many
// records, and these over many segments.
func (c *conversation) handshakeBytes(d *decoder, f *flow, from side, now int64, b []byte) bool {
	if b = c.gather(d, from, b); b == nil {
		return false
	}
	for len(b) >= 4 {
		n := int(be.Uint32(b) & 0xffffff)
		if n > d.limits.stream {
			return false
		}
		if len(b) < 4+n {
			break
		}
		c.tls.message(d, f, from, now, b[0], b[4:4+n])
		b = b[4+n:]
	}
	if len(b) == 0 {
		d.keepNone(&c.streams[from])
	} else {
		c.keep(d, from, b)
	}
	return c.streams[from].reading == readingTLS
}

// message takes a handshake message. Of several ClientHellos, as behind a
// HelloRetryRequest, the first counts.
func (h *handshake) message(d *decoder, f *flow, from side, now int64, kind byte, b []byte) {
	switch {
	case kind == messageClientHello && !h.hello:
		if hello, ok := parseClientHello(b); ok {
			h.begin(f, from, now)
			h.hello, h.early = true, hello.early
			hello.describe(&h.event, ja4TCP)
		}
	case kind == messageServerHello && !h.server:
		if hello, ok := parseServerHello(b); ok {
			h.begin(f, from.other(), now)
			h.answer(hello)
		}
	case kind == messageCertificate && h.server && from != h.client && h.event.CertID == "":
		h.certificate(d, now, b)
	}
	h.settle()
}

// begin notes when the handshake began, and who is the client.
func (h *handshake) begin(f *flow, client side, now int64) {
	if h.event.Time == event.Never {
		h.event.Time = instant(now)
		h.client = client
		f.client(client)
	}
}

func (h *handshake) answer(s *serverHello) {
	h.modern = s.version >= tls13
	if s.retry {
		return
	}
	h.server = true
	h.event.Version = versionName(s.version)
	h.event.JA3S = s.ja3s()
	if len(s.alpn) > 0 {
		h.event.ALPN = valid(s.alpn)
	}
}

// certificate takes the first certificate of a chain, which is the server's.
func (h *handshake) certificate(d *decoder, now int64, b []byte) {
	c := cursor{b: b}
	chain := c.vector(3)
	der := chain.vector(3).b
	if len(der) == 0 {
		return
	}
	x := d.certificate(der, now)
	h.event.CertID, h.event.Subject, h.event.Issuer = x.id, x.subject, x.issuer
}

// tell gives the handshake, if there was one.
func (h *handshake) tell(d *decoder, f *flow) {
	if h.event.Time == event.Never {
		return
	}
	h.event.Established = h.outcome(f)
	d.handshake(f, &h.event)
}

// outcome says whether the handshake was completed. It is unsaid where the
// capture does not show it.
func (h *handshake) outcome(f *flow) event.Tri {
	switch {
	case h.done:
		return event.Yes
	case h.failed:
		return event.No
	case h.lost || !f.over() || f.ends[0].packets == 0 || f.ends[1].packets == 0:
		return event.Unsaid
	}
	return event.No
}

// handshake gives a handshake of f.
func (d *decoder) handshake(f *flow, e *event.Handshake) {
	e.Sensor, e.UID, e.Proto = sensor, f.id(), event.Proto(f.key[protoAt])
	e.Src, e.Dst = f.key.end(f.originator), f.key.end(f.originator.other())
	d.out.Handshakes = append(d.out.Handshakes, *e)
}
