package netflow

import (
	"math"
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// An element is a kind of field that matters here, whatever its number. The
// numbers of NetFlow v9 below 128 and those of IANA's IPFIX registry agree.
type element uint8

const (
	noElement element = iota
	elSrc
	elDst
	elSrcPort
	elDstPort
	elProto
	elFlags
	elBytes
	elPackets
	elPostBytes
	elPostPackets
	elInitiatorBytes
	elInitiatorPackets
	elResponderBytes
	elResponderPackets
	elStartUptime
	elEndUptime
	elStartSeconds
	elEndSeconds
	elStartMillis
	elEndMillis
	elStartNTP
	elEndNTP
	elStartDelta
	elEndDelta
	elMillis
	elMicros
	elBoot
	elInterval
	elSpace
	elSize
	elPopulation
	elSampler
	elNAT
	elFirewall
	elBiflow

	numElements
)

// elements has the elements by their numbers.
var elements = map[uint16]element{
	8: elSrc, 27: elSrc, 12: elDst, 28: elDst,
	7: elSrcPort, 180: elSrcPort, 182: elSrcPort,
	11: elDstPort, 181: elDstPort, 183: elDstPort,
	4: elProto, 6: elFlags,
	1: elBytes, 85: elBytes, 2: elPackets, 86: elPackets,
	23: elPostBytes, 24: elPostPackets,
	231: elInitiatorBytes, 298: elInitiatorPackets,
	232: elResponderBytes, 299: elResponderPackets,
	22: elStartUptime, 21: elEndUptime,
	150: elStartSeconds, 151: elEndSeconds,
	152: elStartMillis, 153: elEndMillis,
	154: elStartNTP, 155: elEndNTP, 156: elStartNTP, 157: elEndNTP,
	158: elStartDelta, 159: elEndDelta,
	161: elMillis, 162: elMicros, 160: elBoot,
	34: elInterval, 50: elInterval, 305: elSize, 306: elSpace, 309: elSize, 310: elPopulation,
	48: elSampler, 302: elSampler,
	230: elNAT, 233: elFirewall, 239: elBiflow,
}

func elementOf(id uint16) element { return elements[id] }

// reverse is the enterprise number of the elements that tell of the other
// direction: RFC 5103.
const reverse = 29305

// enterprise returns the element of an enterprise's own.
func enterprise(number uint32, id uint16) (e element, reversed bool) {
	if number != reverse {
		return noElement, false
	}
	switch e = elements[id]; e {
	case elBytes, elPackets:
		return e, true
	}
	return noElement, false
}

// values are the fields of a record. A number is valid where set has it.
type values struct {
	src, dst netip.Addr
	set      [numElements]bool
	number   [numElements]uint64
	back     volume
	reversed bool
}

// read reads a record, and returns what follows. It is false where the record
// does not fit.
func (v *values) read(t *template, b []byte, ipfix bool) (rest []byte, ok bool) {
	v.back = unseen
	for i := range t.fields {
		f := &t.fields[i]
		n := int(f.length)
		if ipfix && f.length == variable {
			if n, b, ok = variableLength(b); !ok {
				return nil, false
			}
		}
		if n > len(b) {
			return nil, false
		}
		if f.element != noElement {
			v.field(f, b[:n])
		}
		b = b[n:]
	}
	return b, true
}

// variableLength reads the length of a value: one byte, or 255 and two.
func variableLength(b []byte) (n int, rest []byte, ok bool) {
	if len(b) < 1 {
		return 0, nil, false
	}
	if n, b = int(b[0]), b[1:]; n < 255 {
		return n, b, true
	}
	if len(b) < 2 {
		return 0, nil, false
	}
	return int(be.Uint16(b)), b[2:], true
}

// field takes a field's value. Numbers may be shorter than their type.
func (v *values) field(f *field, b []byte) {
	switch f.element {
	case elSrc, elDst:
		v.address(f.element, b)
		return
	}
	if len(b) > 8 || len(b) == 0 {
		return
	}
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	if f.reversed {
		v.reversed = true
		if f.element == elBytes {
			v.back.bytes = counted(n)
		} else {
			v.back.packets = counted(n)
		}
		return
	}
	v.set[f.element], v.number[f.element] = true, n
}

// address takes an address. A template may have those of both versions, of
// which one is zero.
func (v *values) address(e element, b []byte) {
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		return
	}
	to := &v.src
	if e == elDst {
		to = &v.dst
	}
	if !to.IsValid() || to.IsUnspecified() {
		*to = a.Unmap()
	}
}

func counted(n uint64) event.Count {
	return event.Count(min(n, math.MaxInt64))
}

// count returns the first count of those that the record has.
func (v *values) count(elements ...element) event.Count {
	for _, e := range elements {
		if v.set[e] {
			return counted(v.number[e])
		}
	}
	return event.Unknown
}

// The firewallEvent of a flow that was created or denied: it has no volume.
const (
	firewallCreated = 1
	firewallDenied  = 3
)

// The biflowDirection of a record whose source began, and of one whose
// destination did.
const (
	biflowInitiator = 1
	biflowReverse   = 2
)

// face turns a record of both directions so that its source is the originator,
// where the exporter says which end that is.
func (r *record) face(direction uint64) {
	r.oriented = direction == biflowInitiator || direction == biflowReverse
	if direction == biflowReverse {
		r.src, r.dst = r.dst, r.src
		r.forth, r.back = r.back, r.forth
	}
}

// record returns the record that v is.
func (v *values) record(m *message) (record, verdict) {
	fw := v.number[elFirewall]
	r := record{
		sensor: m.sensor, proto: event.Proto(v.number[elProto]), flags: uint8(v.number[elFlags]),
		src: netip.AddrPortFrom(v.src, uint16(v.number[elSrcPort])), dst: netip.AddrPortFrom(v.dst, uint16(v.number[elDstPort])),
		back: unseen,
	}
	r.forth = volume{v.count(elBytes, elPostBytes), v.count(elPackets, elPostPackets)}
	switch {
	case v.set[elFirewall] && (fw == firewallCreated || fw == firewallDenied), v.set[elNAT] && !r.forth.bytes.Known():
		return r, verdict{ignored: ignoreEvent}
	case !v.src.IsValid() || !v.dst.IsValid():
		return r, verdict{ignored: "flow record without addresses"}
	case v.reversed:
		r.back = v.back
		r.face(v.number[elBiflow])
	case v.set[elInitiatorBytes] || v.set[elResponderBytes]:
		r.forth = volume{v.count(elInitiatorBytes), v.count(elInitiatorPackets)}
		r.back = volume{v.count(elResponderBytes), v.count(elResponderPackets)}
		r.oriented = true
	}
	r.rate = m.state.sampling.rate(v)
	r.forth, r.back = r.forth.times(r.rate), r.back.times(r.rate)
	if !v.times(m, &r) {
		return r, verdict{skipped: badTime}
	}
	return r, verdict{}
}
