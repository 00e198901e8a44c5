package pcap

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/postern/postern/internal/decode"
)

// A Datagram is one of UDP in a capture. The payload is valid until the next is
// read.
type Datagram struct {
	Src, Dst netip.AddrPort
	Payload  []byte
}

// Datagrams yields the datagrams of UDP in a capture, pcap or pcapng, for
// formats that other programs send over the network. What it passes over it
// counts in the tally. It is not safe for concurrent use.
type Datagrams struct {
	capture capture
	tally   *decode.Tally
	packet  packet
}

// MatchCapture reports whether head begins a capture.
func MatchCapture(head []byte) bool { return matchClassic(head) || matchNG(head) }

// NewDatagrams returns the datagrams of the capture r.
func NewDatagrams(r io.Reader, t *decode.Tally) *Datagrams {
	b := bufio.NewReaderSize(r, bufferSize)
	head, _ := b.Peek(28) // the capture's own reader meets the error
	d := &Datagrams{tally: t}
	if matchNG(head) {
		d.capture = newNG(b)
	} else {
		d.capture = newClassic(b)
	}
	return d
}

// Next returns the next datagram that was captured whole. The error is io.EOF
// at the end, also where the capture is cut off within a packet, which is
// counted as skipped. After any other the rest cannot be read.
func (d *Datagrams) Next() (Datagram, error) {
	for {
		f, reason, err := d.capture.next()
		switch {
		case err == io.EOF || errors.Is(err, errNoCapture):
			return Datagram{}, err
		case errors.Is(err, errCut):
			d.skip(errCut.Error())
			return Datagram{}, io.EOF
		case errors.Is(err, errBroken):
			d.skip(errBroken.Error())
			return Datagram{}, fmt.Errorf("%s: %w", d.Where(), err)
		case err != nil:
			return Datagram{}, err
		case reason != "":
			d.skip(reason)
		case d.accept(&f):
			return d.datagram(), nil
		}
	}
}

// Where names the packet of the datagram that was read last.
func (d *Datagrams) Where() string { return d.capture.where() }

func (d *Datagrams) skip(reason string) {
	d.tally.Records++
	d.tally.Skip(d.Where(), reason)
}

// accept reports whether a frame is a whole datagram, and counts it where it is
// not.
func (d *Datagrams) accept(f *frame) bool {
	p := &d.packet
	*p = packet{}
	fate := p.parse(f)
	switch {
	case fate == taken && p.proto == protoUDP && p.snapped:
		d.skip("datagram was not captured whole")
	case fate == taken && p.proto == protoUDP:
		return true
	case fate == taken, fate.ignored() != "":
		d.tally.Records++
		d.tally.Ignore("packet that is no whole datagram of UDP")
	default:
		d.skip(fate.skipped())
	}
	return false
}

// datagram returns the packet with its ends in the direction it was sent.
func (d *Datagrams) datagram() Datagram {
	p := &d.packet
	return Datagram{Src: p.key.end(p.from), Dst: p.key.end(p.from.other()), Payload: p.payload}
}
