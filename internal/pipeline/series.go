package pipeline

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
)

const (
	minute = event.Time(time.Minute / time.Microsecond)
	day    = event.Time(24 * time.Hour / time.Microsecond)

	dayMinutes = 24 * 60
)

// slotWidths are the steps in minutes in which a series counts the starts of
// sessions. Each divides a day.
var slotWidths = [...]int{1, 2, 5, 10, 15, 30, 60}

// Intervals are counted in steps of equal ratio, from a second on.
const (
	binsPerDecade = 20
	intervalBins  = 6 * binsPerDecade // to 11.6 days; the last is open
)

// drawing gathers the series of one finding, whose sessions come in order of
// their starts. What it holds is bounded, but for a few words a host.
type drawing struct {
	days  []dated
	cut   bool
	hours [24]finding.Volume

	width     int // of the slots, in minutes: grows as they become many
	slots     []slot
	last      map[string]event.Time // session of each host
	intervals [intervalBins + 1]int64

	longest, largest samples
}

// dated is the volume of a day, counted from the epoch.
type dated struct {
	day event.Time
	finding.Volume
}

// slot counts the starts in a step of time, by its first minute since the
// epoch.
type slot struct {
	minute event.Time
	count  int64
}

func newDrawing() *drawing {
	return &drawing{
		width: slotWidths[0], last: make(map[string]event.Time),
		longest: samples{keep: finding.SeriesLong}, largest: samples{keep: finding.SeriesLarge},
	}
}

func (d *drawing) add(s *event.Session) {
	d.volume(s)
	d.start(s.Start)
	d.interval(s)
	if s.Duration.Known() && s.Duration > 0 {
		d.longest.add(s, s.Duration)
	}
	if s.UID != "" {
		d.largest.add(s, s.BytesOut)
	}
}

func (d *drawing) volume(s *event.Session) {
	today := floor(s.Start, day) / day
	if n := len(d.days); n == 0 || d.days[n-1].day != today {
		d.days = append(d.days, dated{day: today})
	}
	for d.days[0].day <= today-finding.SeriesDays {
		d.days, d.cut = d.days[1:], true
	}
	hour := (s.Start - today*day) * 24 / day
	for _, v := range []*finding.Volume{&d.days[len(d.days)-1].Volume, &d.hours[hour]} {
		v.Sessions++
		v.BytesOut, v.BytesIn = s.BytesOut.AddTo(v.BytesOut), s.BytesIn.AddTo(v.BytesIn)
		if !s.BytesOut.Known() {
			v.Unknown++
		}
	}
}

// floor returns the last multiple of step that is not after t.
func floor(t, step event.Time) event.Time {
	return t - ((t%step)+step)%step
}

// start counts a start. More slots than a series has are joined at once, so
// that a flood costs no memory.
func (d *drawing) start(t event.Time) {
	m := floor(t/minute, event.Time(d.width))
	if n := len(d.slots); n > 0 && d.slots[n-1].minute == m {
		d.slots[n-1].count++
		return
	}
	d.slots = append(d.slots, slot{m, 1})
	if len(d.slots) > 2*finding.SeriesSlots {
		d.trim()
		for len(d.slots) > finding.SeriesSlots && d.width < slotWidths[len(slotWidths)-1] {
			d.coarsen()
		}
	}
}

// trim drops the slots before the first day.
func (d *drawing) trim() {
	first := d.days[0].day * dayMinutes
	n := 0
	for n < len(d.slots) && d.slots[n].minute < first {
		n++
	}
	d.slots = slices.Delete(d.slots, 0, n)
}

// coarsen takes the next width of slots.
func (d *drawing) coarsen() {
	d.width = slotWidths[slices.Index(slotWidths[:], d.width)+1]
	joined := d.slots[:0]
	for _, s := range d.slots {
		s.minute = floor(s.minute, event.Time(d.width))
		if n := len(joined); n > 0 && joined[n-1].minute == s.minute {
			joined[n-1].count += s.count
		} else {
			joined = append(joined, s)
		}
	}
	d.slots = joined
}

func (d *drawing) interval(s *event.Session) {
	host := s.Whose()
	if last, ok := d.last[host]; ok {
		d.intervals[binOf(s.Start.Sub(last))]++
	}
	d.last[host] = s.Start
}

// binOf returns the bin of an interval: 0 is that of less than a second.
func binOf(d time.Duration) int {
	if d < time.Second {
		return 0
	}
	return min(1+int(binsPerDecade*math.Log10(d.Seconds())), intervalBins)
}

// edgeOf returns where a bin begins, in seconds.
func edgeOf(bin int) float64 {
	if bin == 0 {
		return 0
	}
	return math.Pow(10, float64(bin-1)/binsPerDecade)
}

// series returns what was gathered.
func (d *drawing) series() *finding.Series {
	out := &finding.Series{Cut: d.cut, HoursOfDay: d.hours[:], Slots: []finding.Slot{}, Intervals: []finding.Interval{}}
	if len(d.days) == 0 {
		return out
	}
	first, last := d.days[0].day, d.days[len(d.days)-1].day
	out.From = (first * day).Std()
	out.Days = make([]finding.Volume, last-first+1)
	for _, v := range d.days {
		out.Days[v.day-first] = v.Volume
	}
	d.trim()
	for d.width*finding.SeriesSlots < len(out.Days)*dayMinutes {
		d.coarsen()
	}
	out.SlotMinutes = d.width
	for _, s := range d.slots {
		out.Slots = append(out.Slots, finding.Slot{Minute: int(s.minute - first*dayMinutes), Sessions: s.count})
	}
	for i, n := range d.intervals {
		if n > 0 {
			out.Intervals = append(out.Intervals, finding.Interval{From: edgeOf(i), To: edgeOf(i + 1), Count: n})
		}
	}
	out.Longest, out.Largest = d.longest.list(), d.largest.list()
	return out
}

// samples keeps the sessions with the largest measure; of equals the first.
type samples struct {
	keep int
	all  []measured
}

type measured struct {
	by event.Count
	finding.Sample
}

func (k *samples) add(s *event.Session, by event.Count) {
	if n := len(k.all); n == k.keep && by <= k.all[n-1].by {
		return
	}
	at, _ := slices.BinarySearchFunc(k.all, by, func(m measured, by event.Count) int {
		if m.by >= by {
			return -1
		}
		return 1
	})
	k.all = slices.Insert(k.all, at, measured{by, sample(s)})
	k.all = k.all[:min(len(k.all), k.keep)]
}

func (k *samples) list() []finding.Sample {
	out := []finding.Sample{}
	for _, m := range k.all {
		out = append(out, m.Sample)
	}
	return out
}

func sample(s *event.Session) finding.Sample {
	out := finding.Sample{
		UID: s.UID, Host: s.Whose(), Address: s.Dst.String(), Start: s.Start.Std(),
		BytesOut: known(int64(s.BytesOut), s.BytesOut.Known()), BytesIn: known(int64(s.BytesIn), s.BytesIn.Known()),
	}
	if s.Duration.Known() {
		seconds := float64(s.Duration) / 1e6
		out.Duration = &seconds
	}
	return out
}

// byUse orders programs: those of the most hosts first, then of the most
// sessions.
func byUse(a, b finding.User) int {
	return cmp.Or(cmp.Compare(b.Hosts, a.Hosts), cmp.Compare(b.Sessions, a.Sessions), cmp.Compare(a.Program, b.Program))
}
