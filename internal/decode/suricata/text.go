package suricata

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// valid makes a string of b, in valid UTF-8.
func valid(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// name makes a host name of b: lower case, without the final dot.
func name(b []byte) string {
	return strings.ToLower(valid(bytes.TrimSuffix(b, []byte("."))))
}

// maxWords and maxWord bound the strings that words keeps, and their length.
const (
	maxWords = 4096
	maxWord  = 64
)

// words keeps one copy of each string that comes again in almost every event,
// such as protocols and fingerprints.
type words map[string]string

// of returns b as a string in valid UTF-8.
func (w words) of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := w[string(b)]; ok {
		return s
	}
	s := valid(b)
	if len(w) < maxWords && len(b) <= maxWord {
		w[string(b)] = s
	}
	return s
}

// maxLabels bounds how many event types a tally may show: they come from the
// input.
const maxLabels = 100

// labels names the event types that are ignored.
type labels map[string]string

// of returns what the tally calls events of that type.
func (l labels) of(kind []byte) string {
	if s, ok := l[string(kind)]; ok {
		return s
	}
	if len(l) >= maxLabels || !isType(kind) {
		return "suricata, other event"
	}
	s := "suricata " + string(kind)
	l[string(kind)] = s
	return s
}

// isType reports whether kind looks like what Suricata names an event type.
func isType(kind []byte) bool {
	for _, c := range kind {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return len(kind) <= 48
}
