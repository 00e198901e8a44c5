package winlog

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
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

// median returns the middle of the differences, 0 when there are none.
func (d *drift) median() time.Duration {
	if len(d.seen) == 0 {
		return 0
	}
	slices.Sort(d.seen)
	return d.seen[len(d.seen)/2]
}

// lateness compares, for each host, the UtcTime in Sysmon 3 with the times of
// its records. Sysmon makes it of the time of the machine's start and a counter,
// which part with the clock when that is set: by days on some hosts. It is not
// used, and told, because whoever reads the same logs elsewhere should know.
type lateness struct{ hosts map[string][]time.Duration }

// The bounds of what is kept: of one host, and of hosts.
const (
	maxLate      = 64
	maxLateHosts = 4096
	maxLateNamed = 5
)

func (l *lateness) add(host string, t event.Time, utc []byte) {
	seen, known := l.hosts[host]
	if len(seen) >= maxLate || !known && len(l.hosts) >= maxLateHosts {
		return
	}
	if u, ok := parseTime(utc); ok {
		if l.hosts == nil {
			l.hosts = make(map[string][]time.Duration)
		}
		l.hosts[host] = append(seen, u.Sub(t))
	}
}

// warning names the hosts whose difference is large, the largest first. The
// zone is by how much the records' own times are off.
func (l *lateness) warning(zone time.Duration) string {
	type late struct {
		host string
		by   time.Duration
	}
	var all []late
	for host, seen := range l.hosts {
		slices.Sort(seen)
		if by := seen[len(seen)/2] + zone; by.Abs() > maxDrift {
			all = append(all, late{host, by})
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.SortFunc(all, func(a, b late) int {
		return cmp.Or(cmp.Compare(b.by.Abs(), a.by.Abs()), cmp.Compare(a.host, b.host))
	})
	var b strings.Builder
	b.WriteString("Sysmon 3 UtcTime, which is not used, is off on ")
	for i, one := range all[:min(len(all), maxLateNamed)] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s by %v", one.host, one.by.Round(time.Second))
	}
	if n := len(all) - maxLateNamed; n > 0 {
		fmt.Fprintf(&b, " and on %d more hosts", n)
	}
	return b.String()
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
