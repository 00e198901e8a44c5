package pcap

import (
	"encoding/hex"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/postern/postern/internal/event"
)

// An end is what one side of a flow has done.
type end struct {
	volume
	packets int64
	again   int64 // segments that brought nothing new
	stalled int64 // segments that told of a full window
	isn     uint32
	syn     bool // isn is known
	phase   phase
	answers bool // it acknowledged: the other end has spoken before
}

// A service is an application protocol, as a bit.
type service uint8

const (
	serviceHTTP service = 1 << iota
	serviceSOCKS
	serviceQUIC
	serviceTLS
	serviceDNS
)

// serviceNames are Zeek's, in the order of the bits.
var serviceNames = [...]string{"http", "socks", "quic", "ssl", "dns"}

// name returns the services as Zeek writes them: "http,ssl".
func (s service) name() string {
	text := ""
	for i, n := range serviceNames {
		if s&(1<<i) != 0 {
			if text != "" {
				text += ","
			}
			text += n
		}
	}
	return text
}

// A flow is a connection in the making.
type flow struct {
	key        key
	first      int64 // time of the first packet in the order of the capture, in nanoseconds
	start      int64 // the earliest time of a packet
	last       int64 // the latest
	touched    int64 // the table's clock at the last packet
	ends       [2]end
	originator side
	turned     bool // the originator did not send the first packet
	midstream  bool // its beginning was not seen
	service    service
	state      state
	history    history
	uid        string
	looked     bool    // its content was, or is being, looked into
	content    content // nil before, and when nothing more is to be learnt

	prev, next *flow // in the list of its state
}

// A content is what is being learnt from a flow's payload.
type content interface {
	// packet takes the payload of the flow's next packet. It reports whether
	// more is to be learnt from the flow.
	packet(d *decoder, f *flow, p *packet) bool

	// finish tells what is still to be told: the flow has ended, or nothing
	// more is to be learnt.
	finish(d *decoder, f *flow)
}

// begin makes f the flow that p begins.
func (f *flow) begin(p *packet) {
	*f = flow{key: p.key, first: p.time, start: p.time, last: p.time, originator: p.from}
	switch {
	case p.proto == protoUDP:
		f.turned = likelyServer(p)
	case p.flags&(flagSYN|flagACK) == flagSYN:
	case p.flags&flagSYN != 0:
		f.turned = true // an answer to a SYN that was not seen
	default:
		f.midstream = true
		f.turned = likelyServer(p)
	}
	if f.turned {
		f.originator = p.from.other()
	}
}

// client says that the content names that side as the client, which settles
// what was only likely.
func (f *flow) client(s side) {
	if f.midstream && f.originator != s {
		f.originator = s
		f.turned = !f.turned
	}
}

// likelyServer reports whether the ports say that p was sent by a server.
func likelyServer(p *packet) bool {
	return serves(p.key.port(p.from)) && !serves(p.key.port(p.from.other()))
}

// serves reports whether a port is one that servers, and few clients, have.
func serves(port uint16) bool {
	switch port {
	case 1080, 1433, 3128, 3268, 3269, 3389, 5222, 5353, 5355, 5985, 5986, 8000, 8080, 8443, 8888:
		return true
	}
	return port < 1024
}

// take counts a packet.
func (f *flow) take(p *packet) {
	f.start, f.last = min(f.start, p.time), max(f.last, p.time)
	e := &f.ends[p.from]
	e.packets++
	if p.proto == protoTCP {
		f.segment(p)
		return
	}
	if p.length > 0 {
		e.bytes += int64(p.length)
		f.history.once(p.from, onceD, 'd')
	}
}

// id returns what joins the events of a flow. It is made of the packets alone,
// so that reading them again, or another capture of the same packets with the
// same times, gives the same; and it does not depend on who the originator is.
func (f *flow) id() string {
	if f.uid == "" {
		var b [len(key{}) + 8]byte
		copy(b[:], f.key[:])
		be.PutUint64(b[len(f.key):], uint64(f.first/1000))
		var sum [8]byte
		be.PutUint64(sum[:], xxhash.Sum64(b[:]))
		f.uid = "P" + hex.EncodeToString(sum[:])
	}
	return f.uid
}

// event returns the flow as it stands at that time of the capture.
func (f *flow) event(now int64) event.Flow {
	orig, resp := &f.ends[f.originator], &f.ends[f.originator.other()]
	e := event.Flow{
		Sensor: sensor, Time: instant(f.start), UID: f.id(),
		Proto:    event.Proto(f.key[protoAt]),
		Src:      f.key.end(f.originator),
		Dst:      f.key.end(f.originator.other()),
		Duration: event.Count(time.Duration(f.last - f.start).Microseconds()),
		History:  f.history.text(f.originator, f.turned),
		Service:  f.service.name(),
		Open:     !f.over() && now-f.touched <= timeouts[f.state],
	}
	e.BytesOut, e.PacketsOut = orig.counts(true)
	e.BytesIn, e.PacketsIn = resp.counts(orig.answers)
	if e.Proto == event.UDP {
		e.State = udpState(orig.packets > 0, resp.packets > 0)
	} else {
		e.State = tcpState(orig.phase, resp.phase, f.midstream, orig.bytes+resp.bytes > 0)
	}
	return e
}

// counts returns what an end sent. It is unknown where the end has spoken, as
// the other end's packets or its own role say, and the capture saw nothing of
// it: on an asymmetric route, for one.
func (e *end) counts(spoken bool) (bytes, packets event.Count) {
	switch {
	case e.packets > 0 || !spoken:
		return event.Count(e.bytes), event.Count(e.packets)
	case e.bytes > 0: // the other end acknowledged them
		return event.Count(e.bytes), event.Unknown
	}
	return event.Unknown, event.Unknown
}

// instant returns nanoseconds since the epoch as an event's time.
func instant(ns int64) event.Time { return event.Time(ns / 1000) }
