package agent

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"github.com/postern/postern/internal/event"
)

// maxDigits keeps a number within an int64.
const maxDigits = 18

// Number reads a decimal number without a sign.
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

// PID reads a process number, decimal or, after 0x, hexadecimal; 0 for none.
func PID(b []byte) uint32 {
	if hex, ok := bytes.CutPrefix(b, []byte("0x")); ok && len(hex) <= 16 {
		n, err := strconv.ParseUint(string(hex), 16, 32)
		if err != nil {
			return 0
		}
		return uint32(n)
	}
	n, ok := Number(b)
	if !ok || n > math.MaxUint32 {
		return 0
	}
	return uint32(n)
}

// Count reads a number of bytes. What is missing, or no number, is unknown.
func Count(b []byte) event.Count {
	n, ok := Number(b)
	if !ok {
		return event.Unknown
	}
	return event.Count(n)
}

// Serial reads the number that an agent gives a record on its host; 0 for none.
func Serial(b []byte) uint64 {
	n, _ := Number(b)
	return uint64(n)
}

// maxTime is the last instant that others can print, of the year 9999.
const maxTime = event.Time(253402300799 * 1e6)

// Time reads an instant: ISO 8601 with a zone, or a number of seconds since the
// epoch, with or without a fraction, of milliseconds, microseconds or
// nanoseconds, as its size tells. It is [event.Never] for all else, and for
// times without a zone, which could be any.
func Time(b []byte) event.Time {
	if len(b) == 0 || len(b) > 40 {
		return event.Never
	}
	read := epochTime
	if len(b) > 10 && b[4] == '-' {
		read = isoTime
	}
	t := read(b)
	if t <= 0 || t > maxTime {
		return event.Never
	}
	return t
}

// isoTime reads ISO 8601 with a blank or a T, and a zone or UTC as a word.
func isoTime(b []byte) event.Time {
	var buf [48]byte
	text := append(buf[:0], b...)
	if text[10] == ' ' {
		text[10] = 'T'
	}
	if bytes.HasSuffix(text, []byte(" UTC")) {
		text = append(text[:len(text)-len(" UTC")], 'Z')
	}
	if n := len(text); n >= 24 && (text[n-5] == '+' || text[n-5] == '-') { // +0100
		text = append(text[:n-2], ':', text[n-2], text[n-1])
	}
	var t time.Time
	if err := t.UnmarshalText(text); err != nil || t.Year() > 9999 || t.Year() < 1970 {
		return event.Never
	}
	return event.At(t)
}

// epochTime reads a number since the epoch.
func epochTime(b []byte) event.Time {
	whole, fraction, found := bytes.Cut(b, []byte("."))
	n, ok := Number(whole)
	if !ok {
		if len(whole) != 19 { // nanoseconds
			return event.Never
		}
		n, ok = Number(whole[:16])
		return usable(n, ok)
	}
	switch {
	case len(whole) <= 11:
		var micros int64
		if found {
			if micros, ok = fractionMicros(fraction); !ok {
				return event.Never
			}
		}
		return event.Time(n*1e6 + micros)
	case len(whole) <= 14:
		return event.Time(n * 1e3)
	}
	return usable(n, len(whole) <= 17)
}

func usable(n int64, ok bool) event.Time {
	if !ok {
		return event.Never
	}
	return event.Time(n)
}

// fractionMicros reads what stands behind the point of a number of seconds, to
// the microsecond.
func fractionMicros(b []byte) (int64, bool) {
	var micros int64
	scale := int64(1e5)
	for _, c := range b {
		if c < '0' || '9' < c {
			return 0, false
		}
		micros += int64(c-'0') * scale
		scale /= 10
	}
	return micros, true
}

// Between returns the time from one instant to another, unknown where either is
// or where it would run backwards.
func Between(from, to event.Time) event.Count {
	if from == event.Never || to < from {
		return event.Unknown
	}
	return event.Count(to - from)
}
