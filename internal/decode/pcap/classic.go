package pcap

import (
	"encoding/binary"
	"errors"
	"io"
)

// The layout is described in draft-ietf-opsawg-pcap.
const (
	classicHeader = 24
	classicRecord = 16

	magicMicro = 0xa1b2c3d4
	magicNano  = 0xa1b23c4d
)

// classicForm returns the byte order of a capture file, and how many
// nanoseconds the fraction of its times counts in.
func classicForm(head []byte) (order binary.ByteOrder, unit int64, ok bool) {
	if len(head) < classicHeader {
		return nil, 0, false
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if order.Uint16(head[4:]) != 2 { // major version
			continue
		}
		switch order.Uint32(head) {
		case magicMicro:
			return order, 1000, true
		case magicNano:
			return order, 1, true
		}
	}
	return nil, 0, false
}

func matchClassic(head []byte) bool {
	_, _, ok := classicForm(head)
	return ok
}

// A classic reads a file of libpcap.
type classic struct {
	input
	little  bool // the byte order; a flag is faster than an interface
	unit    int64
	link    uint32
	started bool
}

func newClassic(r io.Reader) *classic { return &classic{input: newInput(r)} }

// header reads the file header.
func (c *classic) header() error {
	head, err := c.peek(classicHeader)
	if errors.Is(err, errCut) {
		return errNoCapture
	}
	if err != nil {
		return err
	}
	order, unit, ok := classicForm(head)
	if !ok {
		return errNoCapture
	}
	c.little, c.unit = order == binary.LittleEndian, unit
	// The upper bits say whether frames end in a checksum, which does not
	// matter here: lengths come from the IP header.
	c.link = order.Uint32(head[20:]) & 0xffff
	c.started = true
	return c.skip(classicHeader)
}

func (c *classic) uint32(b []byte) uint32 {
	if c.little {
		return binary.LittleEndian.Uint32(b)
	}
	return binary.BigEndian.Uint32(b)
}

// next implements [capture].
func (c *classic) next() (f frame, reason string, err error) {
	if !c.started {
		if err := c.header(); err != nil {
			return f, "", err
		}
	}
	head, err := c.peek(classicRecord)
	if err == io.EOF {
		return f, "", err
	}
	c.begin()
	if err != nil {
		return f, "", err
	}
	n := c.uint32(head[8:])
	if n > maxPacket {
		return f, "", errBroken
	}
	f = frame{
		time:   int64(c.uint32(head))*1e9 + int64(c.uint32(head[4:]))*c.unit,
		link:   c.link,
		length: int(c.uint32(head[12:])),
	}
	record, err := c.within(classicRecord + int(n))
	if err != nil {
		return f, "", err
	}
	f.data = record[classicRecord:]
	// The bytes stay in the buffer until the next peek.
	if err := c.skip(len(record)); err != nil {
		return f, "", err
	}
	if f.time <= 0 {
		return f, skipNoTime, nil
	}
	return f, "", nil
}
