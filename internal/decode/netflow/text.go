package netflow

import (
	"bytes"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
)

// The layouts of nfdump's times differ in this byte.
const secondsLayout = "2006-01-02T15:04:05"

// printed reads a time as nfdump prints it: with T or a blank, with or without
// a fraction. It says no zone and is taken for UTC.
func printed(b []byte) (event.Time, bool) {
	var n [6]int
	at := 0
	for i := range n {
		digits := 2
		if i == 0 {
			digits = 4
		}
		if len(b) < at+digits {
			return event.Never, false
		}
		v, ok := decimal(b[at : at+digits])
		if !ok {
			return event.Never, false
		}
		n[i] = int(v)
		at += digits
		if i < 5 && (len(b) <= at || b[at] != secondsLayout[at] && (i != 2 || b[at] != ' ')) {
			return event.Never, false
		}
		at++
	}
	if n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 31 || n[3] > 23 || n[4] > 59 || n[5] > 60 {
		return event.Never, false
	}
	rest := bytes.TrimSuffix(b[len(secondsLayout):], []byte("Z"))
	micros, ok := int64(0), len(rest) == 0
	if !ok && rest[0] == '.' {
		micros, ok = fraction(rest[1:])
	}
	t := event.At(time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)) + event.Time(micros)
	return t, ok && t > 0
}

// fraction reads the digits behind the point of a number of seconds as
// microseconds; what is finer is dropped.
func fraction(b []byte) (micros int64, ok bool) {
	scale := int64(1e6)
	for _, c := range b {
		if c < '0' || '9' < c {
			return 0, false
		}
		scale /= 10
		micros += int64(c-'0') * scale
	}
	return micros, len(b) > 0
}

// decimal reads digits, and nothing else.
func decimal(b []byte) (n uint64, ok bool) {
	if len(b) > 19 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || '9' < c {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, len(b) > 0 && n <= math.MaxInt64
}

// maxAddress is longer than any address in text.
const maxAddress = 64

// endpoint returns the end of a flow, or why it cannot be read.
func endpoint(addr, port []byte) (netip.AddrPort, string) {
	if len(addr) > maxAddress {
		return netip.AddrPort{}, badAddress
	}
	a, err := netip.ParseAddr(string(addr))
	if err != nil {
		return netip.AddrPort{}, badAddress
	}
	n, ok := decimal(port)
	if !ok && len(port) > 0 || n > math.MaxUint16 {
		return netip.AddrPort{}, badPort
	}
	return netip.AddrPortFrom(a.Unmap().WithZone(""), uint16(n)), ""
}

// transport reads a protocol by name or number. It is 0 for all but TCP and
// UDP.
func transport(b []byte) event.Proto {
	switch string(b) {
	case "TCP", "tcp", "6":
		return event.TCP
	case "UDP", "udp", "17":
		return event.UDP
	}
	return 0
}

// flagsOf reads the flags of TCP as letters, "...AP.SF", or as a number.
func flagsOf(b []byte) (flags uint8) {
	if n, err := strconv.ParseUint(string(b), 0, 16); err == nil {
		return uint8(n)
	}
	for _, c := range b {
		switch c {
		case 'F':
			flags |= flagFIN
		case 'S':
			flags |= flagSYN
		case 'R':
			flags |= flagRST
		}
	}
	return flags
}

// names keeps one copy of each sensor's name.
type names map[string]string

// of returns the name of the exporter of that address, or another where the
// collector does not say.
func (n names) of(b []byte, otherwise string) string {
	if s, ok := n[string(b)]; ok {
		return s
	}
	s := otherwise
	if len(b) <= maxAddress {
		if a, err := netip.ParseAddr(string(b)); err == nil && !a.IsUnspecified() {
			s = strings.ToValidUTF8(a.Unmap().WithZone("").String(), "\uFFFD")
		}
	}
	if len(n) < maxSensors && len(b) <= maxAddress {
		n[string(b)] = s
	}
	return s
}
