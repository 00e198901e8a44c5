package zeek

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"github.com/postern/postern/internal/event"
)

// maxSeconds keeps a number of seconds within an int64 of microseconds, and
// an instant within the years that others can print (9999).
const maxSeconds = 250_000_000_000

// micros reads a decimal number of seconds as microseconds, without going
// through a float: TSV and JSON write the same instant with more or fewer
// digits, and both must come out the same.
func micros(b []byte) (int64, bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	whole, digits := leadingDigits(b)
	if digits == 0 || digits > 12 || whole > maxSeconds {
		return 0, false
	}
	v := whole * 1e6
	b = b[digits:]
	if len(b) > 0 {
		frac, ok := fraction(b)
		if !ok {
			return microsByFloat(neg, whole, b)
		}
		v += frac
	}
	if neg {
		v = -v
	}
	return v, true
}

// leadingDigits returns the number that b begins with, and its length.
func leadingDigits(b []byte) (v int64, n int) {
	for n < len(b) && n < 18 && '0' <= b[n] && b[n] <= '9' {
		v = v*10 + int64(b[n]-'0')
		n++
	}
	return v, n
}

// fraction reads ".5561" as microseconds, rounded to the nearest.
func fraction(b []byte) (int64, bool) {
	if b[0] != '.' || len(b) == 1 {
		return 0, false
	}
	var v int64
	scale := int64(1e6)
	for i, c := range b[1:] {
		if c < '0' || '9' < c {
			return 0, false
		}
		if scale > 1 {
			scale /= 10
			v += int64(c-'0') * scale
		} else if i == 6 && c >= '5' {
			v++
		}
	}
	return v, true
}

// microsByFloat reads the exponents that Zeek's JSON writer uses for
// intervals below a microsecond: "9.5367431640625e-7".
func microsByFloat(neg bool, whole int64, rest []byte) (int64, bool) {
	if !bytes.ContainsAny(rest, "eE") || len(rest) > 40 {
		return 0, false
	}
	f, err := strconv.ParseFloat(strconv.FormatInt(whole, 10)+string(rest), 64)
	if err != nil || f > maxSeconds {
		return 0, false
	}
	v := int64(math.Round(f * 1e6))
	if neg {
		v = -v
	}
	return v, true
}

// instant reads a time: epoch seconds, epoch milliseconds (a whole number of
// twelve digits or more, which as seconds would lie past the year 5000), or
// ISO 8601. The result is after the epoch.
func instant(b []byte) (event.Time, bool) {
	if len(b) > 10 && b[4] == '-' {
		return isoInstant(b)
	}
	if whole, n := leadingDigits(b); n == len(b) && n >= 12 {
		return event.Time(whole * 1e3), n <= 14
	}
	v, ok := micros(b)
	return event.Time(v), ok && v > 0
}

// isoInstant reads ISO 8601. Zeek rounds the fraction without carrying, so it
// can write ".1000000" for a full second.
func isoInstant(b []byte) (event.Time, bool) {
	var carry time.Duration
	if head, ok := bytes.CutSuffix(b, []byte(".1000000Z")); ok {
		carry = time.Second
		b = append(append(make([]byte, 0, 24), head...), 'Z')
	}
	var t time.Time
	if err := t.UnmarshalText(b); err != nil {
		return event.Never, false
	}
	v := event.At(t).Add(carry)
	return v, v > 0
}

// interval reads a duration. One that is below zero, after reordered packets,
// is not known.
func interval(b []byte) (event.Count, bool) {
	if len(b) == 0 {
		return event.Unknown, true
	}
	v, ok := micros(b)
	if v < 0 {
		return event.Unknown, ok
	}
	return event.Count(v), ok
}

// count reads a number of bytes or packets. One that does not fit is one that
// Zeek has taken below zero: it is not known.
func count(b []byte) (event.Count, bool) {
	if len(b) == 0 {
		return event.Unknown, true
	}
	v, n := leadingDigits(b)
	if n == len(b) {
		return event.Count(v), true
	}
	for _, c := range b[n:] {
		if c < '0' || '9' < c {
			return event.Unknown, false
		}
	}
	return event.Unknown, n > 0
}

// port reads a port number.
func port(b []byte) (uint16, bool) {
	v, n := leadingDigits(b)
	return uint16(v), n > 0 && n == len(b) && v <= math.MaxUint16
}
