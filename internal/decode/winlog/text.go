package winlog

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/postern/postern/internal/event"
)

// Bounds on texts, in bytes, and on how many are remembered.
const (
	maxCommand  = 64 << 10
	maxText     = 4 << 10
	maxInterned = 1 << 10 // longer ones hardly repeat
	maxMemory   = 1 << 14 // texts of each kind
)

// texts makes the strings of events: valid, bounded, and one memory for equal
// ones, since a log repeats a few names a million times.
type texts struct {
	plain     memory[string]
	lowered   memory[string]
	guids     memory[string]
	addresses memory[netip.Addr]

	cutCommands, cutTexts bool
}

// A memory remembers what was made of a text, up to a bound.
type memory[T any] map[string]T

func (m *memory[T]) get(b []byte, parse func([]byte) T) T {
	if v, ok := (*m)[string(b)]; ok {
		return v
	}
	v := parse(b)
	if len(b) <= maxInterned {
		m.put(string(b), v)
	}
	return v
}

func (m *memory[T]) put(key string, v T) {
	if *m == nil || len(*m) >= maxMemory {
		*m = make(memory[T])
	}
	(*m)[key] = v
}

// short returns a text of up to 4 KiB; "" for "-", which stands for nothing.
func (t *texts) short(b []byte) string {
	if len(b) > maxText {
		b = cutAt(b, maxText)
		t.cutTexts = true
	}
	return t.plain.get(b, plain)
}

// once returns a text of up to 4 KiB that hardly any other record has, and
// does not remember it.
func (t *texts) once(b []byte) string {
	if len(b) > maxText {
		t.cutTexts = true
	}
	return plain(cutShort(b))
}

// command returns a command line, of up to 64 KiB.
func (t *texts) command(b []byte) string {
	if len(b) > maxCommand {
		b = cutAt(b, maxCommand)
		t.cutCommands = true
	}
	return t.plain.get(b, plain)
}

func plain(b []byte) string {
	if len(b) == 0 || string(b) == "-" {
		return ""
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

// cutAt returns the first n bytes of b, or a few less to keep characters whole.
func cutAt(b []byte, n int) []byte {
	for i := 0; i < utf8.UTFMax && n > 0 && !utf8.RuneStart(b[n]); i++ {
		n--
	}
	return b[:n]
}

// image returns the path of a program, or "" when the sensor did not know it.
// Some exports escape the text twice.
func (t *texts) image(b []byte) string {
	s := t.short(b)
	if s == "<unknown process>" || s == "&lt;unknown process&gt;" {
		return ""
	}
	return s
}

// host returns the name of a host, in lower case.
func (t *texts) host(b []byte) string { return t.lowered.get(cutShort(b), lower) }

// name returns a DNS name, in lower case and without the final dot.
func (t *texts) name(b []byte) string {
	return t.lowered.get(bytes.TrimSuffix(cutShort(b), []byte(".")), lower)
}

func cutShort(b []byte) []byte {
	if len(b) > maxText {
		return cutAt(b, maxText)
	}
	return b
}

func lower(b []byte) string { return strings.ToLower(plain(b)) }

// noGUID is what Sysmon writes for a process that it does not know.
const noGUID = "00000000-0000-0000-0000-000000000000"

// guid returns a GUID in lower case without braces, or "" when there is none.
func (t *texts) guid(b []byte) string { return t.guids.get(cutShort(b), bareGUID) }

func bareGUID(b []byte) string {
	s := strings.TrimSuffix(strings.TrimPrefix(lower(b), "{"), "}")
	if s == noGUID {
		return ""
	}
	return s
}

// account returns DOMAIN\name, or the name when there is no domain.
func (t *texts) account(domain, name []byte) string {
	n := t.short(name)
	d := t.short(domain)
	if n == "" || d == "" {
		return n
	}
	var buf [256]byte
	b := append(buf[:0], d...)
	b = append(b, '\\')
	return t.plain.get(append(b, n...), plain)
}

// address returns an address: an IPv4 one when it is mapped into IPv6, and
// without a zone; invalid when b is none.
func (t *texts) address(b []byte) netip.Addr {
	if len(b) < 2 || len(b) > 64 { // longer than any
		return netip.Addr{}
	}
	return t.addresses.get(b, parseAddress)
}

func parseAddress(b []byte) netip.Addr {
	a, err := netip.ParseAddr(string(bytes.TrimSpace(b)))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// endpoint returns an address with its port, 0 when the port is unknown.
func (t *texts) endpoint(address, port []byte) netip.AddrPort {
	p := number(port)
	if p > 65535 {
		p = 0
	}
	return netip.AddrPortFrom(t.address(address), uint16(p))
}

// number returns a decimal or, after 0x, hexadecimal number, or 0 when b is none.
func number(b []byte) uint32 {
	base := 10
	if len(b) > 2 && b[0] == '0' && (b[1] == 'x' || b[1] == 'X') {
		b, base = b[2:], 16
	}
	if len(b) == 0 || len(b) > 16 {
		return 0
	}
	n, err := strconv.ParseUint(string(b), base, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// proto returns a transport by its name, or by its number in decimal.
func proto(b []byte) event.Proto {
	switch {
	case equalFold(b, "tcp"):
		return event.TCP
	case equalFold(b, "udp"):
		return event.UDP
	}
	if n := number(b); n < 256 {
		return event.Proto(n)
	}
	return 0
}

// cut splits b at the first sep.
func cut(b []byte, sep byte) (before, after []byte) {
	if i := bytes.IndexByte(b, sep); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}
