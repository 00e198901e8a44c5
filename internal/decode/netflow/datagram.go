package netflow

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

var be = binary.BigEndian

// The versions of export datagrams, and the lengths of their headers.
const (
	version5     = 5
	version9     = 9
	versionIPFIX = 10

	header5     = 24
	header9     = 20
	headerIPFIX = 16
	record5     = 48
)

// The reasons to skip a datagram, or a part of it.
const (
	skipVersion   = "datagram of no known version"
	skipCut       = "datagram cut short"
	skipTemplate  = "malformed template"
	skipTemplates = "more templates than are held"
	skipUntold    = "data without their template"
	skipData      = "malformed data set"
)

// exportClock is what the tally calls the times of export datagrams.
const exportClock = "flow times (exporter)"

// A Decoder turns the datagrams of any number of exporters into flows. It is
// what a live collector needs: the formats of this package that read files
// feed it what they find.
//
// Records of a flow are gathered, so flows come some datagrams later: when
// another flow takes their place, when they are silent (Expire), at the end
// (Close), or when too many wait. It is not safe for concurrent use.
type Decoder struct {
	assembler *assembler
	tally     *decode.Tally
	sensors   map[netip.Addr]string
	sources   map[source]*state
	templates int
	datagrams int64 // seen
	records   int64 // seen in the datagram
	lost      int64
	out       *event.Batch // of the call that is under way
}

// A source is one stream of an exporter: templates are its own.
type source struct {
	exporter netip.Addr
	version  uint16
	domain   uint32
}

// A state is what a source has said of what comes after.
type state struct {
	templates map[uint16]*template
	sampling  sampling
	boot      int64 // milliseconds since the epoch; 0 when unsaid
	next      uint32
	known     bool // next is what the sequence number should be
}

// maxSources bounds the streams that state is held of.
const maxSources = 4096

// NewDecoder returns a decoder that writes what it does to t.
func NewDecoder(t *decode.Tally) *Decoder {
	return &Decoder{
		assembler: newAssembler(t, exportClock), tally: t,
		sensors: make(map[netip.Addr]string), sources: make(map[source]*state),
	}
}

// Datagram takes a datagram of an exporter, and adds to out the flows that
// have ended by it. The port of the exporter does not matter; without an
// address its flows are those of the sensor "netflow".
func (d *Decoder) Datagram(exporter netip.AddrPort, b []byte, out *event.Batch) {
	d.datagrams++
	d.records = 0
	d.out = out
	if len(b) < headerIPFIX {
		d.skip(skipCut)
		return
	}
	m := message{from: exporter.Addr().Unmap().WithZone(""), version: be.Uint16(b)}
	m.sensor = d.sensor(m.from)
	switch {
	case m.version == version5 && len(b) >= header5:
		d.version5(&m, b)
	case m.version == version9 && len(b) >= header9:
		d.version9(&m, b)
	case m.version == versionIPFIX:
		d.ipfix(&m, b)
	case m.version == version5 || m.version == version9:
		d.skip(skipCut)
	default:
		d.skip(skipVersion)
	}
}

// Expire adds to out the flows of which nothing was seen since before. How far
// back that should lie is the longest time after which an exporter tells of a
// flow that goes on, and some minutes: half an hour is usual, a minute is good.
func (d *Decoder) Expire(before event.Time, out *event.Batch) { d.assembler.expire(before, out) }

// Close adds to out the flows that are left.
func (d *Decoder) Close(out *event.Batch) {
	for !d.close(maxConversations, out) {
	}
}

// close is Close for at most n flows. It reports whether that was all.
func (d *Decoder) close(n int, out *event.Batch) bool {
	if !d.assembler.close(n, out) {
		return false
	}
	if d.lost > 0 {
		d.tally.Warn(fmt.Sprintf("exporters sent about %d records or datagrams that did not arrive", d.lost))
	}
	return true
}

// A message is the header of a datagram.
type message struct {
	from    netip.Addr
	sensor  string
	version uint16
	time    int64 // of the export, milliseconds since the epoch
	uptime  uint32
	state   *state
}

// where names the record that was read last.
func (d *Decoder) where() string {
	return fmt.Sprintf("record %d of datagram %d", d.records, d.datagrams)
}

// skip counts a part of a datagram that could not be read.
func (d *Decoder) skip(reason string) {
	d.records++
	d.tally.Records++
	d.tally.Skip(d.where(), reason)
}

// maxSensors bounds the names that are held.
const maxSensors = 4096

// sensor returns what flows call an exporter.
func (d *Decoder) sensor(from netip.Addr) string {
	if !from.IsValid() {
		return "netflow"
	}
	s, ok := d.sensors[from]
	if !ok {
		if len(d.sensors) >= maxSensors {
			clear(d.sensors)
		}
		s = strings.ToValidUTF8(from.String(), "\uFFFD")
		d.sensors[from] = s
	}
	return s
}

// source returns what is known of the source of a message.
func (d *Decoder) source(m *message, domain uint32) *state {
	k := source{m.from, m.version, domain}
	s := d.sources[k]
	if s == nil {
		if len(d.sources) >= maxSources {
			clear(d.sources)
			d.templates = 0
		}
		s = &state{templates: make(map[uint16]*template)}
		d.sources[k] = s
	}
	return s
}

// maxGap is the largest gap in sequence numbers that is taken for a loss. A
// larger one is an exporter that began anew.
const maxGap = 1 << 16

// sequence compares a sequence number with what it should be.
func (d *Decoder) sequence(s *state, number uint32) {
	if gap := number - s.next; s.known && gap < maxGap {
		d.lost += int64(gap)
	}
	s.known = true
	s.next = number
}

// version5 reads a datagram of NetFlow v5, by Cisco's description.
func (d *Decoder) version5(m *message, b []byte) {
	count := int(be.Uint16(b[2:]))
	m.uptime = be.Uint32(b[4:])
	m.time = int64(be.Uint32(b[8:]))*1000 + int64(be.Uint32(b[12:]))/1e6
	m.state = d.source(m, uint32(be.Uint16(b[20:])))
	d.sequence(m.state, be.Uint32(b[16:]))
	m.state.next += uint32(count)
	const interval = 0x3fff // above it stands the mode
	rate := max(int64(be.Uint16(b[22:])&interval), 1)
	b = b[header5:]
	for ; count > 0 && len(b) >= record5; count-- {
		d.records++
		d.assembler.take(m.record5(b, rate), d.where, d.out)
		b = b[record5:]
	}
	if count > 0 {
		d.skip(skipCut)
	}
}

func (m *message) record5(b []byte, rate int64) *record {
	return &record{
		sensor: m.sensor,
		start:  m.since(be.Uint32(b[24:])), end: m.since(be.Uint32(b[28:])),
		proto: event.Proto(b[38]),
		src:   netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[0:4])), be.Uint16(b[32:])),
		dst:   netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), be.Uint16(b[34:])),
		forth: volume{event.Count(be.Uint32(b[20:])), event.Count(be.Uint32(b[16:]))}.times(rate),
		back:  unseen, flags: b[37], rate: rate,
	}
}

// since returns the instant at which the exporter had been up for uptime
// milliseconds. That number begins anew every 49.7 days, so the instant within
// half of that around the export is meant.
func (m *message) since(uptime uint32) event.Time {
	return event.Time((m.time - int64(int32(m.uptime-uptime))) * 1000)
}
