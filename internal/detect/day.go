package detect

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
)

const (
	hour = event.Time(time.Hour / time.Microsecond)
	day  = 24 * hour

	// maxSpan bounds how long one session may be said to last: a log can name
	// any number.
	maxSpan = 31 * 24 * time.Hour

	// maxConnected bounds what the sessions of an edge may add up to.
	maxConnected = 100 * 365 * 24 * time.Hour
)

// lasted returns how long a session lasted, as far as is known.
func lasted(s *event.Session) time.Duration {
	most := event.Count(maxSpan / time.Microsecond)
	return time.Duration(max(0, min(s.Duration, most))) * time.Microsecond
}

// floor is a/b rounded down, for times before the epoch as well.
func floor(a, b event.Time) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return int64(q)
}

// A calendar has the days of an edge while it is measured.
type calendar struct {
	days map[int32]*Day
	last *Day // the day that was asked for last
}

func (c *calendar) day(date int32) *Day {
	if c.last != nil && c.last.Date == date {
		return c.last
	}
	d := c.days[date]
	if d == nil {
		if c.days == nil {
			c.days = make(map[int32]*Day)
		}
		d = &Day{Date: date}
		c.days[date] = d
	}
	c.last = d
	return d
}

// add takes in a session: its bytes to the day on which it began, and all hours
// that it touches.
func (c *calendar) add(s *event.Session) {
	d := c.day(int32(floor(s.Start, day)))
	d.Sessions++
	if s.BytesOut.Known() {
		d.BytesOut = s.BytesOut.AddTo(d.BytesOut)
	} else {
		d.Unknown++
	}
	d.BytesIn = s.BytesIn.AddTo(d.BytesIn)
	for h, end := floor(s.Start, hour), floor(s.Start.Add(lasted(s)), hour); h <= end; h++ {
		c.day(int32(floor(event.Time(h), 24))).Hours |= 1 << uint(h-24*floor(event.Time(h), 24))
	}
}

// list returns the days by date.
func (c *calendar) list() []Day {
	all := make([]Day, 0, len(c.days))
	for _, d := range c.days {
		all = append(all, *d)
	}
	slices.SortFunc(all, func(a, b Day) int { return cmp.Compare(a.Date, b.Date) })
	return all
}

// count counts the hours and days of the edge.
func (e *Edge) count(c Config) {
	e.Hours, e.OffHours, e.Days = 0, 0, len(e.Daily)
	for i := range e.Daily {
		d := &e.Daily[i]
		e.Hours += bits.OnesCount32(d.Hours)
		if c.Within == nil {
			continue
		}
		for h := range 24 {
			if d.Hours&(1<<h) != 0 && !c.Within((event.Time(d.Date)*day + event.Time(h)*hour).Std()) {
				e.OffHours++
			}
		}
	}
}

// burst returns the most that left within a window, by the starts of the
// sessions, which are in order of time. A session that lasts longer than the
// window counts what it sent in a window's time.
func burst(sessions []event.Session, members []int, window time.Duration) Burst {
	var best Burst
	var sum int64
	from := 0
	for to, i := range members {
		s := &sessions[i]
		sum = event.Count(share(s, window)).AddTo(sum)
		for s.Start.Sub(sessions[members[from]].Start) > window {
			sum -= share(&sessions[members[from]], window)
			from++
		}
		if sum > best.BytesOut {
			best = Burst{sum, sessions[members[from]].Start, sessions[members[to]].Start}
		}
	}
	return best
}

// share returns what a session is known to have sent within a window of its
// time, evenly spread.
func share(s *event.Session, window time.Duration) int64 {
	n := max(0, int64(s.BytesOut))
	if l := lasted(s); l > window {
		n = int64(float64(n) * (float64(window) / float64(l)))
	}
	return min(n, maxShare)
}

// maxShare bounds what one session adds to a burst, so that sums of them do not
// overflow and can be taken back.
const maxShare = 1 << 50
