package gateway

import (
	"bytes"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
)

// DateTime reads "2026-11-23" or "2026/11/23", and "15:39:19" with or without a
// fraction, as the clock on a wall in the zone.
func DateTime(date, clock []byte, zone *time.Location) (event.Time, bool) {
	if len(date) != len("2006-01-02") || len(clock) < len("15:04:05") {
		return event.Never, false
	}
	year, ok := digits(date[:4])
	month, ok2 := digits(date[5:7])
	day, ok3 := digits(date[8:])
	ok = ok && ok2 && ok3 && date[4] == date[7] && (date[4] == '-' || date[4] == '/')
	hour, ok2 := digits(clock[:2])
	minute, ok3 := digits(clock[3:5])
	second, ok4 := digits(clock[6:8])
	ok = ok && ok2 && ok3 && ok4 && clock[2] == ':' && clock[5] == ':'
	micros, ok2 := fraction(clock[8:])
	if !ok || !ok2 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 {
		return event.Never, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, zone)
	at := event.At(t) + event.Time(micros)
	return at, t.Day() == day && at > 0
}

// digits reads a few digits.
func digits(b []byte) (int, bool) {
	n := 0
	for _, c := range b {
		if c < '0' || '9' < c {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// fraction reads ".123" as microseconds. Nothing is none.
func fraction(b []byte) (int, bool) {
	if len(b) == 0 {
		return 0, true
	}
	if b[0] != '.' || len(b) < 2 || len(b) > len(".123456789") {
		return 0, false
	}
	n, ok := digits(b[1:min(len(b), 7)])
	if _, rest := digits(b[min(len(b), 7):]); !rest {
		return 0, false
	}
	for i := len(b) - 1; i < 6; i++ {
		n *= 10
	}
	return n, ok
}

// Epoch reads an instant since 1970 in seconds, milli-, micro- or nanoseconds,
// which its number of digits tells apart, or in seconds with a fraction.
func Epoch(b []byte) (event.Time, bool) {
	whole := b
	if i := bytes.IndexByte(b, '.'); i == len("1795448359") {
		whole = b[:i]
	}
	var unit event.Time // microseconds
	switch len(whole) {
	case 10:
		unit = 1e6
	case 13:
		unit = 1e3
	case 16, 19:
		unit = 1
	}
	seconds, ok := digits(whole[:min(len(whole), 16)]) // the rest is finer than a microsecond
	_, ok2 := digits(whole[min(len(whole), 16):])
	part, ok3 := fraction(b[len(whole):])
	return event.Time(seconds)*unit + event.Time(part), ok && ok2 && ok3 && unit > 0 && seconds > 0
}

// maxTime is longer than any instant in text.
const maxTime = 64

// Clock reads an instant in a layout of package time. One without a zone is of
// the clock on a wall in that zone. A zone by an abbreviation other than UTC or
// GMT is refused: EST and the like are of several places.
func Clock(b []byte, layout string, zone *time.Location) (event.Time, bool) {
	if len(b) > maxTime {
		return event.Never, false
	}
	t, err := time.ParseInLocation(layout, string(b), zone)
	if err != nil {
		return event.Never, false
	}
	if strings.Contains(layout, "MST") {
		switch name, _ := t.Zone(); name {
		case "UTC", "GMT", "Z":
		default:
			return event.Never, false
		}
	}
	at := event.At(t)
	return at, at > 0
}
