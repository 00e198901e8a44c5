package cef

import (
	"bytes"
	"strconv"
)

// A message is an envelope and what is in it. It refers to its line.
type message struct {
	vendor, product []byte
	delimiter       byte // of LEEF
	body            []byte
}

// maxHeader bounds a header of syslog, in bytes.
const maxHeader = 512

// after returns what follows the mark, which begins the line or stands behind
// a header of syslog. A header has none of the signs that would make the line
// one of another format that quotes a message.
func after(line, mark []byte) ([]byte, bool) {
	i := bytes.Index(line[:min(len(line), maxHeader)], mark)
	if i < 0 || bytes.ContainsAny(line[:i], "\"|={}\t,") {
		return nil, false
	}
	if i > 0 && line[i-1] != ' ' && line[i-1] != '>' {
		return nil, false
	}
	return line[i+len(mark):], true
}

// cutField returns what stands before the next "|" that no backslash escapes.
func cutField(b []byte) (field, rest []byte, ok bool) {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '|':
			return b[:i], b[i+1:], true
		}
	}
	return nil, nil, false
}

// openCEF reads "CEF:0|vendor|product|version|id|name|severity|".
func openCEF(line []byte) (m message, ok bool) {
	rest, ok := after(line, []byte("CEF:"))
	if !ok {
		return m, false
	}
	var fields [7][]byte
	for i := range fields {
		if fields[i], rest, ok = cutField(rest); !ok {
			return m, false
		}
	}
	version := bytes.TrimSpace(fields[0])
	m = message{vendor: fields[1], product: fields[2], body: rest}
	return m, (string(version) == "0" || string(version) == "1") && len(m.vendor) > 0
}

// openLEEF reads "LEEF:1.0|vendor|product|version|id|" and, of version 2.0, the
// delimiter behind it.
func openLEEF(line []byte) (m message, ok bool) {
	rest, ok := after(line, []byte("LEEF:"))
	if !ok {
		return m, false
	}
	var fields [5][]byte
	for i := range fields {
		if fields[i], rest, ok = cutField(rest); !ok {
			return m, false
		}
	}
	m = message{vendor: fields[1], product: fields[2], delimiter: '\t', body: rest}
	switch string(fields[0]) {
	case "1.0", "1":
	case "2.0", "2":
		i := bytes.IndexByte(rest, '|')
		if i < 0 || i > len("0x09") {
			break // the delimiter may be left out, and is the tab then
		}
		m.delimiter, m.body = delimiter(rest[:i]), rest[i+1:]
	default:
		return m, false
	}
	return m, len(m.vendor) > 0
}

// delimiter reads "^", "x5e" or "0x5e".
func delimiter(b []byte) byte {
	if len(b) == 1 {
		return b[0]
	}
	_, hex, ok := bytes.Cut(b, []byte("x"))
	n, err := strconv.ParseUint(string(hex), 16, 8)
	if !ok || err != nil {
		return '\t'
	}
	return byte(n)
}

// maxKey bounds a key, in bytes.
const maxKey = 64

// spaced calls each for the pairs "key=value key=value" of CEF. A value may
// have blanks, so it ends where a key begins: a word before a "=" that no
// backslash escapes. A "=" within a word, as in a URL, is part of the value.
func spaced(m *message, each func(key, value []byte)) {
	var key []byte
	b := m.body
	begin := 0 // of the value
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], '=')
		if n < 0 {
			break
		}
		i += n
		start := keyStart(b, begin, i)
		if start < i && (start == 0 || b[start-1] == ' ') {
			if key != nil {
				each(key, b[begin:max(begin, start-1)])
			}
			key, begin = b[start:i], i+1
		}
		i++
	}
	if key != nil {
		each(key, b[begin:])
	}
}

// keyStart returns where the word that ends at b[end] begins, or end.
func keyStart(b []byte, from, end int) int {
	i := end
	for i > from && isKey(b[i-1]) {
		if i--; end-i > maxKey {
			return end
		}
	}
	return i
}

func isKey(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '-'
}

// delimited calls each for the pairs of LEEF.
func delimited(m *message, each func(key, value []byte)) {
	b := m.body
	for len(b) > 0 {
		pair := b
		if i := bytes.IndexByte(b, m.delimiter); i >= 0 {
			pair, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		if key, value, ok := bytes.Cut(pair, []byte("=")); ok {
			each(bytes.TrimSpace(key), value)
		}
	}
}

// plain returns a value of CEF without its escapes.
func plain(b []byte) []byte {
	b = bytes.TrimSpace(b)
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\\' && i+1 < len(b) {
			switch b[i+1] {
			case '\\', '=', '|':
				i++
				c = b[i]
			case 'n', 'r':
				i++
				c = ' '
			}
		}
		out = append(out, c)
	}
	return out
}
