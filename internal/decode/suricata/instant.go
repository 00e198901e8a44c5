package suricata

import (
	"time"

	"github.com/postern/postern/internal/event"
)

// secondsLayout is how a time begins. Behind it stand a fraction and the
// offset of the zone.
const secondsLayout = "2006-01-02T15:04:05"

// instant reads "2021-06-06T15:57:37.272281+0200". The offset is needed, with
// or without a colon, or Z. The result is after the epoch.
func instant(b []byte) (event.Time, bool) {
	t, rest, ok := dateTime(b)
	if !ok {
		return event.Never, false
	}
	micros, rest, ok := fraction(rest)
	if !ok {
		return event.Never, false
	}
	offset, ok := zone(rest)
	t += event.Time(micros) - event.Time(offset*1e6)
	return t, ok && t > 0
}

// validity reads a certificate's own time, which has no offset and is UTC.
func validity(b []byte) event.Time {
	t, rest, ok := dateTime(b)
	if !ok || len(rest) > 0 && string(rest) != "Z" || t < 0 {
		return event.Never
	}
	return t
}

// dateTime reads the date and the time of day, as if of UTC.
func dateTime(b []byte) (t event.Time, rest []byte, ok bool) {
	if len(b) < len(secondsLayout) {
		return 0, nil, false
	}
	var n [6]int // year, month, day, hour, minute, second
	at := 0
	for i := range n {
		digits := 2
		if i == 0 {
			digits = 4
		}
		if n[i], ok = decimal(b[at : at+digits]); !ok {
			return 0, nil, false
		}
		at += digits
		if i < 5 && b[at] != secondsLayout[at] {
			return 0, nil, false
		}
		at++
	}
	if n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > 31 || n[3] > 23 || n[4] > 59 || n[5] > 60 {
		return 0, nil, false
	}
	std := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	return event.At(std), b[len(secondsLayout):], true
}

// decimal reads digits, and nothing else.
func decimal(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || '9' < c {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(b) > 0
}

// fraction reads ".272281" as microseconds; what is finer is dropped.
func fraction(b []byte) (micros int64, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b, true
	}
	i, scale := 1, int64(1e6)
	for ; i < len(b) && '0' <= b[i] && b[i] <= '9'; i++ {
		scale /= 10
		micros += int64(b[i]-'0') * scale
	}
	return micros, b[i:], i > 1
}

// zone reads "+0200", "+02:00" or "Z" as seconds east of UTC.
func zone(b []byte) (seconds int, ok bool) {
	if string(b) == "Z" {
		return 0, true
	}
	if len(b) == 6 && b[3] == ':' {
		b = []byte{b[0], b[1], b[2], b[4], b[5]}
	}
	if len(b) != 5 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	hours, ok1 := decimal(b[1:3])
	minutes, ok2 := decimal(b[3:])
	seconds = hours*3600 + minutes*60
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, ok1 && ok2 && hours <= 15 && minutes <= 59
}
