package pcap

import (
	"bytes"
	"net/netip"
)

// A side is one end of a flow: the index of its address in the key.
type side uint8

// other returns the opposite end.
func (s side) other() side { return 1 - s }

// A key identifies a flow among those of a moment: two ends and the transport.
// It is an array without padding, which maps hash fastest.
type key [37]byte

const (
	endSize = 18 // address and port
	protoAt = 2 * endSize
)

// keyOf returns the key of a packet and its sender. The lower end comes first.
func keyOf(g *datagram, srcPort, dstPort []byte) (k key, from side) {
	at, other := 0, endSize
	if c := bytes.Compare(g.src[:], g.dst[:]); c > 0 || c == 0 && bytes.Compare(srcPort, dstPort) > 0 {
		at, other, from = endSize, 0, 1
	}
	copy(k[at:], g.src[:])
	copy(k[at+16:], srcPort)
	copy(k[other:], g.dst[:])
	copy(k[other+16:], dstPort)
	k[protoAt] = g.proto
	return k, from
}

// port returns the port of an end.
func (k *key) port(s side) uint16 { return be.Uint16(k[int(s)*endSize+16:]) }

// end returns the address and port of an end.
func (k *key) end(s side) netip.AddrPort {
	at := int(s) * endSize
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(k[at:at+16])).Unmap(), k.port(s))
}
