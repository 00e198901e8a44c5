package destination

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// The limits of a name by RFC 1035, and of the input that is worth a look.
const (
	maxName  = 253
	maxInput = 4096
)

// lookupNames converts names as a browser does before it looks them up.
// Underscores pass, because real host names have them.
var lookupNames = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// Normalise returns a name in the one form that is compared and shown: lower
// case, international names as punycode, without the final dot, the port and
// empty labels, at most 253 bytes. The result is ASCII and has no control
// character, whatever a log may hold: what cannot stand in a name becomes
// "_". Of a name that is too long the last labels stay, for they say whose it
// is. An address takes its canonical form.
func Normalise(name string) string {
	if plain(name) {
		return name
	}
	if len(name) > maxInput {
		name = name[len(name)-maxInput:]
	}
	name = strings.TrimSpace(name)
	if a, ok := address(name); ok {
		return a.String()
	}
	name = toASCII(trimPort(name))
	name = bound(strings.Map(safe, name))
	if a, ok := address(name); ok {
		return a.String()
	}
	return name
}

// plain reports whether name is in normal form already, as nearly all are.
// A name that ends in a digit may be an address.
func plain(name string) bool {
	if len(name) == 0 || len(name) > maxName {
		return name == ""
	}
	dot := true // a dot may not come next
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			if dot {
				return false
			}
			dot = true
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			dot = false
		default:
			return false
		}
	}
	last := name[len(name)-1]
	return !dot && (last < '0' || last > '9')
}

// address reads an address literal, also in brackets or with a port.
func address(s string) (netip.Addr, bool) {
	if s == "" {
		return netip.Addr{}, false
	}
	// Every address ends in a hexadecimal digit after a separator, or in a
	// bracket; most names are out before the parser sees them.
	if !strings.ContainsAny(s, ":") && (s[len(s)-1] < '0' || s[len(s)-1] > '9') {
		return netip.Addr{}, false
	}
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone(""), true
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		s = strings.TrimSuffix(inner, "]")
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}

// trimPort removes a port.
func trimPort(s string) string {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || i+1 == len(s) || len(s)-i > len(":65535") {
		return s
	}
	for _, c := range s[i+1:] {
		if c < '0' || c > '9' {
			return s
		}
	}
	return s[:i]
}

// toASCII converts an international name. One that breaks the rules is
// encoded all the same, so that it stays apart from others and can be shown.
func toASCII(s string) string {
	if isASCII(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "_")
	if a, err := lookupNames.ToASCII(s); err == nil {
		return a
	}
	if a, err := idna.Punycode.ToASCII(strings.ToLower(s)); err == nil {
		return a
	}
	return s
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// safe maps a character to what may stand in a name.
func safe(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r + 'a' - 'A'
	case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-', r == '.', r == '_':
		return r
	}
	return '_'
}

// bound drops empty labels, and the first labels of a name that is too long.
func bound(name string) string {
	labels := strings.FieldsFunc(name, func(r rune) bool { return r == '.' })
	name = strings.Join(labels, ".")
	for len(name) > maxName {
		_, rest, more := strings.Cut(name, ".")
		if !more {
			return name[:maxName]
		}
		name = rest
	}
	return name
}
