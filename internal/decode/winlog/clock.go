package winlog

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/postern/postern/internal/event"
)

// parseTime reads a time as the formats write it: "2019-04-30T20:32:50.902964Z"
// or "2019-04-30 20:32:50.902", with or without a fraction and an offset. A
// time without offset is taken for UTC.
func parseTime(b []byte) (event.Time, bool) {
	const date = len("2006-01-02T15:04:05")
	if len(b) < date || b[4] != '-' || b[7] != '-' || b[13] != ':' || b[16] != ':' || (b[10] != 'T' && b[10] != ' ') {
		return event.Never, false
	}
	ok := true
	num := func(i, n int) int {
		v := 0
		for _, c := range b[i : i+n] {
			ok = ok && '0' <= c && c <= '9'
			v = 10*v + int(c-'0')
		}
		return v
	}
	year, month, day := num(0, 4), num(5, 2), num(8, 2)
	hour, minute, second := num(11, 2), num(14, 2), num(17, 2)
	if !ok || year < 1 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return event.Never, false
	}
	micros, rest := fraction(b[date:])
	offset, ok := zone(rest)
	if !ok {
		return event.Never, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return event.At(t).Add(time.Duration(micros)*time.Microsecond - offset), true
}

// fraction reads the fraction of a second, to the microsecond.
func fraction(b []byte) (micros int, rest []byte) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b
	}
	i := 1
	for unit := 100000; i < len(b) && '0' <= b[i] && b[i] <= '9'; i++ {
		micros += unit * int(b[i]-'0')
		unit /= 10
	}
	return micros, b[i:]
}

// zone reads an offset from UTC: nothing, Z, or ±hh:mm.
func zone(b []byte) (time.Duration, bool) {
	if len(b) == 0 || string(b) == "Z" {
		return 0, true
	}
	t, err := time.Parse("-07:00", string(b))
	if err != nil {
		return 0, false
	}
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second, true
}

// The limits of what counts as one clock: a record is written up to a few
// seconds after the event.
const (
	maxDrift  = 5 * time.Second
	maxSpread = 5 * time.Second
	maxDrifts = 4096
)

// drift compares the times of records with the UtcTime in Sysmon 1, which is
// right, while exports get the record's time wrong in various ways.
type drift struct{ seen []time.Duration }

func (d *drift) add(t event.Time, utc []byte) {
	if len(d.seen) >= maxDrifts {
		return
	}
	if u, ok := parseTime(utc); ok {
		d.seen = append(d.seen, t.Sub(u))
	}
}

// warning returns what to tell of the difference when it is large and the same
// for most records; else "".
func (d *drift) warning() string {
	if len(d.seen) == 0 {
		return ""
	}
	slices.Sort(d.seen)
	n := len(d.seen)
	median := d.seen[n/2]
	if median.Abs() <= maxDrift || d.seen[n-1-n/10]-d.seen[n/10] > maxSpread {
		return ""
	}
	const quarter = 15 * time.Minute // time zones are multiples of it
	cause := "the clock of the export is off"
	if round := median.Round(quarter); round != 0 && (median-round).Abs() <= maxDrift {
		median = round
		cause = "local time marked as UTC"
	}
	return fmt.Sprintf("record times differ from Sysmon 1 UtcTime by %v: %s", median.Round(time.Second), cause)
}

// parseUnix reads seconds since the Unix epoch, with a fraction perhaps, as
// Velociraptor writes times.
func parseUnix(b []byte) event.Time {
	const longest = 40
	if len(b) == 0 || len(b) > longest {
		return event.Never
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || !(f > 0 && f < 1e11) {
		return event.Never
	}
	return event.Time(math.Round(f * 1e6))
}
