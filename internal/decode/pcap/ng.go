package pcap

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/bits"
)

// The layout is described in draft-ietf-opsawg-pcapng.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockObsolete  = 2 // packet block
	blockSimple    = 3
	blockEnhanced  = 6

	sectionOrder = 0x1a2b3c4d

	optEnd        = 0
	optResolution = 9
	optOffset     = 14
)

// minBlock is the length of a block without a body: type, length, length.
const minBlock = 12

func matchNG(head []byte) bool {
	_, ok := sectionByteOrder(head)
	return ok && len(head) >= 28
}

// sectionByteOrder returns the byte order that a section header block states.
func sectionByteOrder(b []byte) (binary.ByteOrder, bool) {
	if len(b) < minBlock || binary.LittleEndian.Uint32(b) != blockSection {
		return nil, false
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if order.Uint32(b[8:]) == sectionOrder {
			return order, true
		}
	}
	return nil, false
}

// An iface is an interface that packets were captured on.
type iface struct {
	link   uint32
	units  uint64 // of time per second; 0 when unreadable
	offset int64  // seconds to add
}

// An ng reads a file of pcapng.
type ng struct {
	input
	order  binary.ByteOrder // of the section; nil before the first
	ifaces []iface          // of the section
}

func newNG(r io.Reader) *ng { return &ng{input: newInput(r)} }

// next implements [capture].
func (g *ng) next() (f frame, reason string, err error) {
	for {
		kind, length, err := g.block()
		if err != nil {
			return f, "", err
		}
		switch kind {
		case blockEnhanced, blockSimple, blockObsolete:
			return g.packet(kind, length)
		case blockInterface:
			err = g.iface(length)
		case blockSection:
			g.ifaces = g.ifaces[:0]
			err = g.pass(length)
		default:
			err = g.pass(length)
		}
		if err != nil {
			return f, "", err
		}
	}
}

// block looks at the beginning of the next block.
func (g *ng) block() (kind uint32, length int, err error) {
	head, err := g.peek(minBlock)
	switch {
	case g.order == nil && errors.Is(err, errCut):
		return 0, 0, errNoCapture
	case err != nil:
		return 0, 0, g.outside(err)
	}
	if binary.LittleEndian.Uint32(head) == blockSection {
		order, ok := sectionByteOrder(head)
		switch {
		case ok:
			g.order = order
		case g.order != nil:
			return 0, 0, g.outside(errBroken)
		}
	}
	if g.order == nil {
		return 0, 0, errNoCapture
	}
	kind, n := g.order.Uint32(head), g.order.Uint32(head[4:])
	if n < minBlock || n%4 != 0 || n > math.MaxInt32 {
		return 0, 0, g.outside(errBroken)
	}
	return kind, int(n), nil
}

// outside notes that an error's place is the block that begins here.
func (g *ng) outside(err error) error {
	if err != io.EOF {
		g.begin()
	}
	return err
}

// whole returns a block that fits the buffer, and consumes it. Its length must
// stand at its end too.
func (g *ng) whole(length int) ([]byte, error) {
	b, err := g.within(length)
	if err != nil {
		return nil, err
	}
	if g.order.Uint32(b[length-4:]) != uint32(length) {
		return nil, errBroken
	}
	return b[8 : length-4], g.skip(length)
}

// pass consumes a block of any length.
func (g *ng) pass(length int) error {
	g.start = g.offset
	if err := g.skip(length - 4); err != nil {
		return err
	}
	end, err := g.within(4)
	if err != nil {
		return err
	}
	if g.order.Uint32(end) != uint32(length) {
		return errBroken
	}
	return g.skip(4)
}

// iface reads an interface description block. One that cannot be read keeps
// its number, and its packets are skipped.
func (g *ng) iface(length int) error {
	if length > bufferSize {
		g.ifaces = append(g.ifaces, iface{})
		return g.pass(length)
	}
	g.start = g.offset
	b, err := g.whole(length)
	if err != nil {
		return err
	}
	var i iface
	if len(b) >= 8 {
		i = iface{link: uint32(g.order.Uint16(b)), units: 1e6}
		g.options(b[8:], &i)
	}
	g.ifaces = append(g.ifaces, i)
	return nil
}

func (g *ng) options(b []byte, i *iface) {
	for len(b) >= 4 {
		code, n := g.order.Uint16(b), int(g.order.Uint16(b[2:]))
		b = b[4:]
		if code == optEnd || n > len(b) {
			return
		}
		switch {
		case code == optResolution && n == 1:
			i.units = resolution(b[0])
		case code == optOffset && n == 8:
			i.offset = int64(g.order.Uint64(b))
		}
		b = b[min((n+3)&^3, len(b)):]
	}
}

// resolution returns the units per second that an if_tsresol says: a negative
// power of 10, or of 2 where the highest bit is set. It is 0 where they do not
// fit.
func resolution(r byte) uint64 {
	if r&0x80 != 0 {
		if r &= 0x7f; r > 63 {
			return 0
		}
		return 1 << r
	}
	if r > 19 {
		return 0
	}
	units := uint64(1)
	for range r {
		units *= 10
	}
	return units
}

// maxSeconds bounds times, so that nanoseconds do not overflow. It is in the
// year 2242.
const maxSeconds = 1 << 33

// instant returns a time in nanoseconds since the epoch, or 0 when it cannot
// be told.
func (i *iface) instant(t uint64) int64 {
	if i.units == 0 {
		return 0
	}
	seconds, rest := t/i.units, t%i.units
	if seconds > maxSeconds || i.offset > maxSeconds || i.offset < -maxSeconds {
		return 0
	}
	hi, lo := bits.Mul64(rest, 1e9)
	fraction, _ := bits.Div64(hi, lo, i.units) // rest < units, so it fits
	whole := int64(seconds) + i.offset
	if whole < 0 || whole > maxSeconds {
		return 0
	}
	return whole*1e9 + int64(fraction)
}

// packet reads a packet's block.
func (g *ng) packet(kind uint32, length int) (f frame, reason string, err error) {
	g.begin()
	if length > bufferSize {
		return f, skipTooLong, g.pass(length)
	}
	b, err := g.whole(length)
	if err != nil {
		return f, "", err
	}
	if kind == blockSimple {
		return f, skipNoTime, nil
	}
	if len(b) < 20 {
		return f, skipBlock, nil
	}
	id := g.order.Uint32(b)
	if kind == blockObsolete {
		id = uint32(g.order.Uint16(b))
	}
	if uint64(id) >= uint64(len(g.ifaces)) {
		return f, skipInterface, nil
	}
	i := &g.ifaces[id]
	captured := g.order.Uint32(b[12:])
	if uint64(captured) > uint64(len(b)-20) {
		return f, skipBlock, nil
	}
	f = frame{
		time:   i.instant(uint64(g.order.Uint32(b[4:]))<<32 | uint64(g.order.Uint32(b[8:]))),
		link:   i.link,
		data:   b[20 : 20+captured],
		length: int(g.order.Uint32(b[16:])),
	}
	if f.time <= 0 {
		return f, skipNoTime, nil
	}
	return f, "", nil
}
