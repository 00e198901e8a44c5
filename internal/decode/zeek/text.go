package zeek

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// unescape undoes the escapes of Zeek's ASCII writer: \x09 for a byte, \\ for
// a backslash. Other backslashes stand for themselves.
func unescape(b []byte) []byte {
	i := bytes.IndexByte(b, '\\')
	if i < 0 {
		return b
	}
	out := append(make([]byte, 0, len(b)), b[:i]...)
	for i < len(b) {
		c, n := escape(b[i:])
		out = append(out, c)
		i += n
	}
	return out
}

// escape returns the byte that b begins with, and how long it is written.
func escape(b []byte) (c byte, n int) {
	switch {
	case b[0] != '\\' || len(b) == 1:
		return b[0], 1
	case b[1] == '\\':
		return '\\', 2
	case b[1] == 'x' && len(b) >= 4:
		hi, ok1 := hex(b[2])
		lo, ok2 := hex(b[3])
		if ok1 && ok2 {
			return hi<<4 | lo, 4
		}
	}
	return b[0], 1
}

func hex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// valid makes a string of b, in valid UTF-8.
func valid(b []byte) string {
	if len(b) == 0 {
		return ""
	}
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

// words keeps one copy of each string that comes again in almost every row,
// such as states, histories and fingerprints.
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
