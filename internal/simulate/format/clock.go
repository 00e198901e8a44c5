package format

import (
	"time"

	"github.com/postern/postern/internal/event"
)

const microsPerDay = int64(24 * time.Hour / time.Microsecond)

// appendStamp appends t as "2006-01-02", sep, "15:04:05." and that many
// digits of the second: much faster than time.AppendFormat, which is most of
// the work of a line otherwise.
func appendStamp(b []byte, t event.Time, sep byte, digits int) []byte {
	y, m, d := t.Std().Date()
	b = appendPadded(b, int64(y), 4)
	b = append(b, '-')
	b = appendPadded(b, int64(m), 2)
	b = append(b, '-')
	b = appendPadded(b, int64(d), 2)
	b = append(b, sep)
	us := int64(t) % microsPerDay
	sec := us / 1e6
	b = appendPadded(b, sec/3600, 2)
	b = append(b, ':')
	b = appendPadded(b, sec/60%60, 2)
	b = append(b, ':')
	b = appendPadded(b, sec%60, 2)
	b = append(b, '.')
	frac := us % 1e6
	for i := digits; i < 6; i++ {
		frac /= 10
	}
	return appendPadded(b, frac, digits)
}

// appendSeconds appends a number of microseconds as Zeek writes times and
// intervals: seconds with six decimals.
func appendSeconds(b []byte, us int64) []byte {
	b = appendPadded(b, us/1e6, 1)
	b = append(b, '.')
	return appendPadded(b, us%1e6, 6)
}
