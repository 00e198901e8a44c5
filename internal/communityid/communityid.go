// Package communityid computes Community IDs, the names by which sensors of
// different makers know one flow.
//
// The rules are those of version 1 of
// https://github.com/corelight/community-id-spec.
package communityid

import (
	"crypto/sha1" // demanded by the specification; nothing is kept secret by it
	"encoding/base64"
	"encoding/binary"
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// sctp is the transport that has ports, besides those that carry TLS.
const sctp event.Proto = 132

// prefix tells the version of the specification.
const prefix = "1:"

// maxTuple is the length of what is hashed for IPv6: the seed, two addresses,
// the protocol, a byte of padding, two ports.
const maxTuple = 2 + 16 + 16 + 1 + 1 + 2 + 2

// length is that of an ID: the prefix, and 20 bytes in base64.
const length = len(prefix) + 28

// Of returns the Community ID of a flow, such as
// "1:LQU9qZlK+B5F3KDmev6m5PMibrg=". It is the same whichever end is named
// first. An estate chooses the seed, mostly 0, and IDs of different seeds have
// nothing in common.
//
// It returns "" for what has no ports (ICMP, which the specification maps to
// ports of its own, included), and where the ends are not two addresses of one
// family. An IPv4 address that was mapped into IPv6 counts as IPv4.
func Of(seed uint16, proto event.Proto, src, dst netip.AddrPort) string {
	a, b := src.Addr().Unmap(), dst.Addr().Unmap()
	if !hasPorts(proto) || !a.IsValid() || a.BitLen() != b.BitLen() {
		return ""
	}
	p, q := src.Port(), dst.Port()
	// A zone is no part of the address on the wire.
	a, b = a.WithZone(""), b.WithZone("")
	if c := a.Compare(b); c > 0 || c == 0 && p > q {
		a, b, p, q = b, a, q, p
	}
	var buf [maxTuple]byte
	tuple := binary.BigEndian.AppendUint16(buf[:0], seed)
	tuple = appendAddr(appendAddr(tuple, a), b)
	tuple = append(tuple, byte(proto), 0)
	tuple = binary.BigEndian.AppendUint16(tuple, p)
	tuple = binary.BigEndian.AppendUint16(tuple, q)
	sum := sha1.Sum(tuple)

	var id [length]byte
	copy(id[:], prefix)
	base64.StdEncoding.Encode(id[len(prefix):], sum[:])
	return string(id[:])
}

func hasPorts(p event.Proto) bool { return p == event.TCP || p == event.UDP || p == sctp }

func appendAddr(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		v4 := a.As4()
		return append(b, v4[:]...)
	}
	v6 := a.As16()
	return append(b, v6[:]...)
}
