// Package report writes a run's document for people and for other programs.
//
// Every string in a document may come from an attacker's hand. Nothing here
// writes one as it is: see [Terminal] and [Cell].
package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Terminal returns s with everything that could steer a terminal or deceive a
// reader's eye written visibly: control characters, escape sequences, line
// breaks, invalid bytes, bidirectional overrides, zero-width characters.
func Terminal(s string) string {
	if !strings.ContainsFunc(s, unsafeRune) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !unsafeRune(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// unsafeRune reports whether r must not reach a terminal: it has no shape of
// its own there. RuneError is checked too, as it may stand for an invalid byte.
func unsafeRune(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) ||
		unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) || r != ' ' && unicode.IsSpace(r)
}

// Cell returns s as the content of a CSV cell that a spreadsheet will show
// and never compute: a leading quote disarms what would start a formula.
func Cell(s string) string {
	s = Terminal(s)
	if s != "" && strings.ContainsRune("=+-@\t\r|%", rune(s[0])) {
		return "'" + s
	}
	return s
}
