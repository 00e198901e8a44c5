package squid

import (
	"bytes"

	"github.com/postern/postern/internal/event"
)

// cut returns what stands before the first blank, which parts fields, and what
// stands behind it. A line has no empty fields, so blanks that follow are
// padding.
func cut(line []byte) (field, rest []byte) {
	i := bytes.IndexByte(line, ' ')
	if i < 0 {
		return line, nil
	}
	field = line[:i]
	for i < len(line) && line[i] == ' ' {
		i++
	}
	return field, line[i:]
}

// maxDigits keeps a number within an int64, even as microseconds of
// milliseconds.
const maxDigits = 15

// number reads a number without a sign.
func number(b []byte) (int64, bool) {
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

// count reads a number of bytes, which an own format may log as "-".
func count(b []byte) (event.Count, bool) {
	if string(b) == "-" {
		return event.Unknown, true
	}
	n, ok := number(b)
	return event.Count(n), ok
}

// status reads an HTTP status. Squid has 000 or 0 where it sent none.
func status(b []byte) (int, bool) {
	n, ok := number(b)
	return int(n), ok && n < 1000
}

// codePair splits "TCP_MISS/200" or "TCP_MISS:HIER_DIRECT" behind a code.
func codePair(b []byte, sep byte) (code, rest []byte, ok bool) {
	i := bytes.IndexByte(b, sep)
	if i < 0 || !isCode(b[:i]) {
		return nil, nil, false
	}
	return b[:i], b[i+1:], true
}

// isCode reports whether b is like one of Squid's codes: TCP_MISS_ABORTED,
// NONE, HIER_DIRECT, CD_SIBLING_HIT.
func isCode(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || 'Z' < c) && (c < '0' || '9' < c) && c != '_' {
			return false
		}
	}
	return len(b) >= 3
}
