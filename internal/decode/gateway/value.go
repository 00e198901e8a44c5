package gateway

import (
	"bytes"
	"math"
	"net/netip"
	"strings"

	"github.com/postern/postern/internal/event"
)

// Text makes a string of b, in valid UTF-8.
func Text(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

// Said reports whether a field says anything: logs write nothing, "-", "N/A" or
// "None" where they do not know.
func Said(b []byte) bool {
	switch string(b) {
	case "", "-", "N/A", "n/a", "NA", "None", "none", "NULL":
		return false
	}
	return true
}

// Name returns the text of a field, "" where it says nothing.
func Name(b []byte) string {
	if !Said(b) {
		return ""
	}
	return Text(b)
}

// maxDigits keeps a number within an int64, even as microseconds of
// milliseconds.
const maxDigits = 15

// Number reads a whole number without a sign.
func Number(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > maxDigits {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if c < '0' || '9' < c {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// Count reads a number of bytes, packets or units of time. It is unknown where
// the field says nothing, and false for what is no number.
func Count(b []byte) (event.Count, bool) {
	if !Said(b) {
		return event.Unknown, true
	}
	n, ok := Number(b)
	if !ok {
		return event.Unknown, false
	}
	return event.Count(n), true
}

// Times returns n units of so many microseconds each.
func Times(n event.Count, unit int64) event.Count {
	if !n.Known() || int64(n) > math.MaxInt64/unit {
		return event.Unknown
	}
	return n * event.Count(unit)
}

// Port reads a port. One that the field does not name is 0.
func Port(b []byte) (uint16, bool) {
	if !Said(b) {
		return 0, true
	}
	n, ok := Number(b)
	return uint16(n), ok && n <= math.MaxUint16 //nolint:gosec // the bound stands beside it
}

// maxAddress is longer than any address in text.
const maxAddress = 64

// Addr reads an address: of IPv4 where that was mapped into IPv6, and without a
// zone, so that sensors agree.
func Addr(b []byte) (netip.Addr, bool) {
	if len(b) > maxAddress {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(string(b))
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}

// AddrPort reads an address, and a port that may be unsaid.
func AddrPort(addr, port []byte) (netip.AddrPort, bool) {
	a, ok := Addr(addr)
	p, ok2 := Port(port)
	return netip.AddrPortFrom(a, p), ok && ok2
}

// Proto reads a transport by name or number.
func Proto(b []byte) (event.Proto, bool) {
	switch {
	case bytes.EqualFold(b, []byte("tcp")):
		return event.TCP, true
	case bytes.EqualFold(b, []byte("udp")):
		return event.UDP, true
	case bytes.EqualFold(b, []byte("icmp")):
		return 1, true
	}
	n, ok := Number(b)
	return event.Proto(n), ok && n <= math.MaxUint8 //nolint:gosec // the bound stands beside it
}

// SessionUID returns the identity of a session of a firewall. Firewalls number
// sessions and begin again, so the client's port goes with the number.
func SessionUID(sensor string, session []byte, src netip.AddrPort) string {
	if !Said(session) || string(session) == "0" {
		return ""
	}
	uid := make([]byte, 0, 48)
	uid = append(append(uid, sensor...), '/')
	uid = append(append(uid, session...), '/')
	return Text(src.AppendTo(uid))
}
