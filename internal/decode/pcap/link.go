package pcap

import "encoding/binary"

var be = binary.BigEndian

// The link types, as tcpdump.org lists them.
const (
	linkNull     = 0
	linkEthernet = 1
	linkRawBSD   = 12 // LINKTYPE_RAW as some systems write it
	linkRawOpen  = 14 // and OpenBSD
	linkRaw      = 101
	linkLoop     = 108
	linkCooked   = 113
	linkIPv4     = 228
	linkIPv6     = 229
	linkCooked2  = 276
)

// The EtherTypes that matter.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100
	etherQinQ = 0x88a8 // IEEE 802.1ad
	etherOld  = 0x9100 // what came before 802.1ad
)

// maxTags bounds how many VLAN tags are passed over.
const maxTags = 8

// network returns the IP packet within a frame.
func network(link uint32, d []byte) ([]byte, fate) {
	switch link {
	case linkEthernet:
		return tagged(d, 12)
	case linkCooked:
		return tagged(d, 14)
	case linkCooked2:
		if len(d) < 20 {
			return nil, cutHeaders
		}
		return untag(be.Uint16(d), d[20:])
	case linkRaw, linkRawBSD, linkRawOpen, linkIPv4, linkIPv6:
		return d, taken
	case linkNull, linkLoop:
		return loopback(d)
	}
	return nil, unknownLink
}

// tagged returns what is behind a header that ends in an EtherType.
func tagged(d []byte, at int) ([]byte, fate) {
	if len(d) < at+2 {
		return nil, cutHeaders
	}
	return untag(be.Uint16(d[at:]), d[at+2:])
}

// untag passes over VLAN tags.
func untag(kind uint16, d []byte) ([]byte, fate) {
	for range maxTags {
		switch kind {
		case etherIPv4, etherIPv6:
			return d, taken
		case etherVLAN, etherQinQ, etherOld:
			if len(d) < 4 {
				return nil, cutHeaders
			}
			kind, d = be.Uint16(d[2:]), d[4:]
		default:
			return nil, notIP
		}
	}
	return nil, notIP
}

// loopback reads a header of four bytes with the address family. Which number
// IPv6 has, and in which byte order it stands, depends on the system that
// captured.
func loopback(d []byte) ([]byte, fate) {
	if len(d) < 4 {
		return nil, cutHeaders
	}
	family := be.Uint32(d)
	if family > 0xffff {
		family = binary.LittleEndian.Uint32(d)
	}
	switch family {
	case 2, 10, 23, 24, 28, 30:
		return d[4:], taken
	}
	return nil, notIP
}
