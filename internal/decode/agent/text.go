package agent

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// Bounds on texts, in bytes, and on how many are remembered.
const (
	maxCommand  = 64 << 10
	maxText     = 4 << 10
	maxInterned = 1 << 10 // longer ones hardly repeat
	maxMemory   = 1 << 14 // texts of each kind
	maxAddress  = 64      // longer than any in text
)

// Values makes the texts and addresses of events: valid, bounded, and one
// memory for equal ones, since a log repeats a few names a million times.
type Values struct {
	plain, lowered memory[string]
	addresses      memory[netip.Addr]
	cut            bool
}

// A memory remembers what was made of a text, up to a bound.
type memory[T any] map[string]T

func (m *memory[T]) get(b []byte, parse func([]byte) T) T {
	if v, ok := (*m)[string(b)]; ok {
		return v
	}
	v := parse(b)
	if len(b) > maxInterned {
		return v
	}
	if *m == nil || len(*m) >= maxMemory {
		*m = make(memory[T])
	}
	(*m)[string(b)] = v
	return v
}

// Text returns a text of up to 4 KiB.
func (v *Values) Text(b []byte) string { return v.plain.get(v.within(b, maxText), plain) }

// Command returns a command line, of up to 64 KiB.
func (v *Values) Command(b []byte) string { return v.plain.get(v.within(b, maxCommand), plain) }

// ID returns a stable identity of a process, in lower case and without braces.
// There are too many of them to be remembered.
func (v *Values) ID(b []byte) string {
	b = bytes.TrimSuffix(bytes.TrimPrefix(b, []byte("{")), []byte("}"))
	return lower(v.within(b, maxText))
}

// Host returns a host's name, in lower case.
func (v *Values) Host(b []byte) string { return v.lowered.get(v.within(b, maxText), lower) }

// Name returns a DNS name, in lower case and without the final dot.
func (v *Values) Name(b []byte) string {
	return v.lowered.get(bytes.TrimSuffix(v.within(b, maxText), []byte(".")), lower)
}

// Image returns the path of a program, or "" where the agent did not know it.
func (v *Values) Image(b []byte) string {
	if s := v.Text(b); !strings.HasPrefix(s, "<") && s != "-" {
		return s
	}
	return ""
}

// Account returns DOMAIN\name, or the name where there is no domain.
func (v *Values) Account(domain, name []byte) string {
	if len(domain) == 0 || len(name) == 0 {
		return v.Text(name)
	}
	var buf [256]byte
	return v.Text(append(append(append(buf[:0], domain...), '\\'), name...))
}

// Addr returns an address: an IPv4 one where it is mapped into IPv6, and
// without a zone; invalid where b is none.
func (v *Values) Addr(b []byte) netip.Addr {
	if len(b) < 2 || len(b) > maxAddress {
		return netip.Addr{}
	}
	return v.addresses.get(b, parseAddr)
}

// End returns an address with its port, 0 where the port is unknown.
func (v *Values) End(addr, port []byte) netip.AddrPort {
	n, ok := Number(port)
	if !ok || n > 65535 {
		n = 0
	}
	return netip.AddrPortFrom(v.Addr(addr), uint16(n))
}

// Close notes what was cut.
func (v *Values) Close(t *decode.Tally) {
	if v.cut {
		t.Warn("a text was cut: command lines to 64 KiB, others to 4 KiB")
	}
}

// within returns the first n bytes of b, or a few less to keep characters
// whole.
func (v *Values) within(b []byte, n int) []byte {
	if len(b) <= n {
		return b
	}
	v.cut = true
	for i := 0; i < utf8.UTFMax && n > 0 && !utf8.RuneStart(b[n]); i++ {
		n--
	}
	return b[:n]
}

func plain(b []byte) string { return strings.ToValidUTF8(string(b), "\ufffd") }

func lower(b []byte) string { return strings.ToLower(plain(b)) }

func parseAddr(b []byte) netip.Addr {
	a, err := netip.ParseAddr(string(bytes.TrimSpace(b)))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// Hashes writes hashes as Sysmon does, "SHA256=…,MD5=…". Of each pair the first
// is the name.
func (v *Values) Hashes(pairs ...[]byte) string {
	var list []byte
	for i := 0; i+1 < len(pairs); i += 2 {
		if len(pairs[i+1]) == 0 {
			continue
		}
		if len(list) > 0 {
			list = append(list, ',')
		}
		list = append(append(append(list, pairs[i]...), '='), bytes.ToUpper(v.within(pairs[i+1], 128))...)
	}
	return v.Text(list)
}

// Proto returns a transport by its name or its number; 0 for none.
func Proto(b []byte) event.Proto {
	switch {
	case len(b) >= 3 && strings.EqualFold(string(b[:3]), "tcp"): // Tcp, TcpV4, tcp6
		return event.TCP
	case len(b) >= 3 && strings.EqualFold(string(b[:3]), "udp"):
		return event.UDP
	}
	if n, ok := Number(b); ok && n < 256 {
		return event.Proto(n)
	}
	return 0
}
