package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// epoch is when captures that tests make begin.
var epoch = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

var (
	client = netip.MustParseAddrPort("10.0.0.5:50001")
	server = netip.MustParseAddrPort("203.0.113.9:443")
	proxy  = netip.MustParseAddrPort("10.0.0.80:3128")
)

// A shot is a frame at a time.
type shot struct {
	at     time.Duration // after epoch
	data   []byte
	length int // on the wire, where that is not len(data)
}

func (s shot) wire() int { return max(s.length, len(s.data)) }

// ethernet puts an IP packet into a frame, with tags of those EtherTypes.
func ethernet(ip []byte, tags ...uint16) []byte {
	b := make([]byte, 12)
	for _, tag := range tags {
		b = be.AppendUint16(be.AppendUint16(b, tag), 7)
	}
	kind := uint16(etherIPv4)
	if ip[0]>>4 == 6 {
		kind = etherIPv6
	}
	return append(be.AppendUint16(b, kind), ip...)
}

// ip puts what a transport sends into a packet of the addresses' version.
func ip(src, dst netip.Addr, proto byte, body []byte) []byte {
	if src.Is4() {
		b := []byte{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, proto, 0, 0}
		be.PutUint16(b[2:], uint16(20+len(body)))
		return slices.Concat(b, src.AsSlice(), dst.AsSlice(), body)
	}
	b := []byte{0x60, 0, 0, 0, 0, 0, proto, 64}
	be.PutUint16(b[4:], uint16(len(body)))
	return slices.Concat(b, src.AsSlice(), dst.AsSlice(), body)
}

func tcpSegment(src, dst uint16, seq, ack uint32, flags byte, payload []byte) []byte {
	b := be.AppendUint16(be.AppendUint16(nil, src), dst)
	b = be.AppendUint32(be.AppendUint32(b, seq), ack)
	return append(append(b, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0), payload...)
}

func udpDatagram(src, dst uint16, payload []byte) []byte {
	b := be.AppendUint16(be.AppendUint16(nil, src), dst)
	b = be.AppendUint16(b, uint16(8+len(payload)))
	return append(append(b, 0, 0), payload...)
}

// tcpFrame returns a whole frame of TCP.
func tcpFrame(src, dst netip.AddrPort, seq, ack uint32, flags byte, payload []byte) []byte {
	return ethernet(ip(src.Addr(), dst.Addr(), protoTCP, tcpSegment(src.Port(), dst.Port(), seq, ack, flags, payload)))
}

// udpFrame returns a whole frame of UDP.
func udpFrame(src, dst netip.AddrPort, payload []byte) []byte {
	return ethernet(ip(src.Addr(), dst.Addr(), protoUDP, udpDatagram(src.Port(), dst.Port(), payload)))
}

// A talk makes the frames of a TCP connection.
type talk struct {
	ends  [2]netip.AddrPort // the client is first
	seq   [2]uint32
	now   time.Duration
	step  time.Duration
	mss   int
	shots []shot
}

const (
	fromClient = 0
	fromServer = 1
)

func newTalk(client, server netip.AddrPort, at time.Duration) *talk {
	return &talk{ends: [2]netip.AddrPort{client, server}, seq: [2]uint32{0xfffffff0, 7000}, now: at, step: time.Millisecond, mss: 1400}
}

// send adds a packet, which takes up no sequence numbers but its payload's and
// flags'.
func (k *talk) send(from int, flags byte, payload []byte) *talk {
	ack := k.seq[1-from]
	if flags&flagACK == 0 {
		ack = 0
	}
	frame := tcpFrame(k.ends[from], k.ends[1-from], k.seq[from], ack, flags, payload)
	k.shots = append(k.shots, shot{at: k.now, data: frame})
	k.now += k.step
	k.seq[from] += uint32(len(payload))
	if flags&(flagSYN|flagFIN) != 0 {
		k.seq[from]++
	}
	return k
}

func (k *talk) open() *talk {
	return k.send(fromClient, flagSYN, nil).send(fromServer, flagSYN|flagACK, nil).send(fromClient, flagACK, nil)
}

// say sends bytes in segments.
func (k *talk) say(from int, data []byte) *talk {
	for part := range slices.Chunk(data, k.mss) {
		k.send(from, flagACK|flagPSH, part)
	}
	return k
}

func (k *talk) close() *talk {
	return k.send(fromClient, flagFIN|flagACK, nil).send(fromServer, flagFIN|flagACK, nil).send(fromClient, flagACK, nil)
}

// classicFile writes a capture of libpcap.
func classicFile(link uint32, shots ...shot) []byte {
	return classicAs(binary.LittleEndian, magicMicro, link, shots...)
}

func classicAs(order binary.AppendByteOrder, magic, link uint32, shots ...shot) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(order.AppendUint16(b, 2), 4)
	for _, v := range []uint32{0, 0, 65535, link} {
		b = order.AppendUint32(b, v)
	}
	unit := time.Microsecond
	if magic == magicNano {
		unit = time.Nanosecond
	}
	for _, s := range shots {
		at := epoch.Add(s.at)
		for _, v := range []uint32{uint32(at.Unix()), uint32(at.Nanosecond() / int(unit)), uint32(len(s.data)), uint32(s.wire())} {
			b = order.AppendUint32(b, v)
		}
		b = append(b, s.data...)
	}
	return b
}

// An ngMaker writes a capture of pcapng.
type ngMaker struct {
	order binary.AppendByteOrder
	b     []byte
}

func (m *ngMaker) block(kind uint32, body []byte) *ngMaker {
	body = append(body, make([]byte, (4-len(body)%4)%4)...)
	n := uint32(minBlock + len(body))
	m.b = m.order.AppendUint32(m.order.AppendUint32(m.b, kind), n)
	m.b = m.order.AppendUint32(append(m.b, body...), n)
	return m
}

func (m *ngMaker) section() *ngMaker {
	body := m.order.AppendUint32(nil, sectionOrder)
	body = m.order.AppendUint16(m.order.AppendUint16(body, 1), 0)
	return m.block(blockSection, m.order.AppendUint64(body, ^uint64(0)))
}

// iface describes an interface. A resolution of 0xff is left out.
func (m *ngMaker) iface(link uint16, resolution byte) *ngMaker {
	body := m.order.AppendUint32(m.order.AppendUint16(m.order.AppendUint16(nil, link), 0), 0)
	if resolution != 0xff {
		body = m.order.AppendUint16(m.order.AppendUint16(body, 2), 3) // if_name
		body = append(body, 'e', 't', 'h', 0)
		body = m.order.AppendUint16(m.order.AppendUint16(body, optResolution), 1)
		body = append(body, resolution, 0, 0, 0)
		body = append(body, 0, 0, 0, 0)
	}
	return m.block(blockInterface, body)
}

// packet adds an enhanced packet block.
func (m *ngMaker) packet(iface uint32, ticks uint64, s shot) *ngMaker {
	body := m.order.AppendUint32(nil, iface)
	for _, v := range []uint32{uint32(ticks >> 32), uint32(ticks), uint32(len(s.data)), uint32(s.wire())} {
		body = m.order.AppendUint32(body, v)
	}
	return m.block(blockEnhanced, append(body, s.data...))
}

// ngFile writes a capture of one Ethernet interface.
func ngFile(shots ...shot) []byte {
	m := (&ngMaker{order: binary.LittleEndian}).section().iface(linkEthernet, 0xff)
	for _, s := range shots {
		m.packet(0, uint64(epoch.Add(s.at).UnixMicro()), s)
	}
	return m.b
}

// decodeWith decodes a capture within limits, to the end or to an error.
func decodeWith(t testing.TB, data []byte, l limits) (*event.Batch, *decode.Tally, error) {
	t.Helper()
	tally, b := new(decode.Tally), new(event.Batch)
	var c capture = newClassic(bytes.NewReader(data))
	if matchNG(data) {
		c = newNG(bytes.NewReader(data))
	}
	d := newDecoder(c, tally, l)
	var err error
	for err == nil {
		err = d.Decode(b)
		if d.held > l.streams || len(d.table.flows) > l.flows {
			t.Fatalf("%d bytes and %d flows are held, over %+v", d.held, len(d.table.flows), l)
		}
	}
	if d.held != 0 || len(d.table.flows) != 0 {
		t.Errorf("%d bytes and %d flows are still held at the end", d.held, len(d.table.flows))
	}
	return b, tally, err
}

// decodeShots decodes frames of Ethernet.
func decodeShots(t testing.TB, shots ...shot) (*event.Batch, *decode.Tally) {
	t.Helper()
	b, tally, err := decodeWith(t, classicFile(linkEthernet, shots...), defaultLimits)
	if !errors.Is(err, io.EOF) {
		t.Fatalf("error %v, want io.EOF", err)
	}
	return b, tally
}

// only returns the only element.
func only[T any](t testing.TB, all []T) T {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("%d %T, want 1: %+v", len(all), all, all)
	}
	return all[0]
}
