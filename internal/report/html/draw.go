package html

import (
	"fmt"
	"math"
	"strings"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/report"
)

// A scale is how many points lie to either side of zero in all scores of a
// table, so that their bars can be compared.
type scale struct{ below, above float64 }

func scaleOf(all []finding.Finding) scale {
	var s scale
	for i := range all {
		var below, above float64
		for _, p := range all[i].Parts {
			below, above = below+math.Max(0, -p.Points), above+math.Max(0, p.Points)
		}
		s.below, s.above = math.Max(s.below, below), math.Max(s.above, above)
	}
	return s
}

// barWidth is the width of a score's bar in its own units.
const barWidth = 300

// x returns where a number of points lies.
func (s scale) x(points float64) float64 {
	width := s.below + s.above
	if width == 0 {
		return 0
	}
	return (points + s.below) / width * barWidth
}

// A scoreBar is a score as its parts: those that raise it to the right of zero,
// the others to the left.
type scoreBar struct {
	Zero  string
	Parts []segment
	Label string
}

type segment struct {
	Question report.Question
	Less     bool // lowers the score
	X, Width string
	Title    string
}

func (s scale) bar(parts []finding.Part) scoreBar {
	out := scoreBar{Zero: number(s.x(0))}
	var below, above float64
	var label []string
	for _, p := range parts {
		from, to := above, above+p.Points
		if p.Points < 0 {
			from, to = below+p.Points, below
			below = from
		} else {
			above = to
		}
		title := signed(p.Points) + " " + strings.ReplaceAll(report.Shorten(p.Name, 40), "_", " ")
		label = append(label, title)
		out.Parts = append(out.Parts, segment{
			report.QuestionOf(p.Name), p.Points < 0, number(s.x(from)), number(math.Max(0, s.x(to)-s.x(from)-1)), title,
		})
	}
	out.Label = strings.Join(label, ", ")
	return out
}

// number writes a coordinate.
func number(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.1f", x), "0"), ".")
}

// Columns are bars side by side over a line, and others below it.
type columns struct {
	Width   int
	Out, In string // paths
	Middle  int    // where the line is
	Height  int
	Label   string
}

// half is how high the greatest column is, to either side.
const half = 48

// drawColumns draws volumes on one scale: what went out above the line, what
// came in below.
func drawColumns(all []finding.Volume, label string) columns {
	const step, gap = 10, 2
	c := columns{Width: max(1, len(all)*step), Middle: half + 2, Height: 2*half + 4, Label: label}
	var greatest int64
	for _, v := range all {
		greatest = max(greatest, v.BytesOut, v.BytesIn)
	}
	var out, in strings.Builder
	for i, v := range all {
		column(&out, i*step+gap/2, c.Middle-1, step-gap, -tall(v.BytesOut, greatest))
		column(&in, i*step+gap/2, c.Middle+1, step-gap, tall(v.BytesIn, greatest))
	}
	c.Out, c.In = out.String(), in.String()
	return c
}

// tall is the height of a column: what is not nothing is to be seen.
func tall(n, greatest int64) int {
	if n <= 0 || greatest <= 0 {
		return 0
	}
	return max(1, int(float64(n)/float64(greatest)*half))
}

func column(b *strings.Builder, x, y, width, height int) {
	if height != 0 {
		fmt.Fprintf(b, "M%d %dh%dv%dh-%dz", x, y, width, height, width)
	}
}

// A raster shows when sessions began: a row a day, across its 24 hours.
type raster struct {
	Width, Height int
	Stroke        int
	Levels        [4]string // paths, from few to many
	Weekends      string
	Hours         string // lines
	Days          []dayLabel
	LabelWidth    int
}

type dayLabel struct {
	Y    int
	Text string
}

func drawRaster(s *finding.Series) raster {
	columns := 24 * 60 / s.SlotMinutes
	tall := 14
	if len(s.Days) > 21 {
		tall = 7
	}
	r := raster{Width: columns, Stroke: tall - 2, Height: tall * len(s.Days), LabelWidth: 66}
	for _, hour := range []int{6, 12, 18} {
		r.Hours += fmt.Sprintf("M%d 0v%d", hour*columns/24, r.Height)
	}
	for i := range s.Days {
		date := s.From.AddDate(0, 0, i)
		weekday := date.Weekday()
		if weekday == 0 || weekday == 6 {
			r.Weekends += fmt.Sprintf("M0 %dh%dv%dh-%dz", i*tall, columns, tall, columns)
		}
		if tall > 10 || weekday == 1 || i == 0 {
			r.Days = append(r.Days, dayLabel{i*tall + tall - 3, date.Format("Mon 02 Jan")})
		}
	}
	var most int64
	for _, slot := range s.Slots {
		most = max(most, slot.Sessions)
	}
	r.slots(s, most, tall)
	return r
}

// slots draws the slots as strokes across the middle of their day's row; those
// that follow each other and are as dark are one stroke.
func (r *raster) slots(s *finding.Series, most int64, tall int) {
	perDay := 24 * 60 / s.SlotMinutes
	least := (4 + s.SlotMinutes - 1) / s.SlotMinutes // four minutes: less is too narrow to see
	var paths [len(r.Levels)]strokes
	for i := 0; i < len(s.Slots); {
		at, dark := s.Slots[i].Minute/s.SlotMinutes, level(s.Slots[i].Sessions, most)
		n := 1
		for i+n < len(s.Slots) && s.Slots[i+n].Minute/s.SlotMinutes == at+n && (at+n)%perDay != 0 && level(s.Slots[i+n].Sessions, most) == dark {
			n++
		}
		paths[dark].add(at%perDay, at/perDay*tall+tall/2, max(n, least))
		i += n
	}
	for i := range paths {
		r.Levels[i] = paths[i].String()
	}
}

// strokes is a path of horizontal strokes. Those of one row follow each other by
// their distance, which takes fewer bytes.
type strokes struct {
	strings.Builder
	x, y int // of the end of the last
}

func (s *strokes) add(x, y, width int) {
	if s.Len() > 0 && y == s.y {
		fmt.Fprintf(s, "m%d 0h%d", x-s.x, width)
	} else {
		fmt.Fprintf(s, "M%d %dh%d", x, y, width)
	}
	s.x, s.y = x+width, y
}

// level is how dark a slot is: by the logarithm, since one session is as much a
// sign of life as a hundred.
func level(n, most int64) int {
	if most <= 1 || n <= 0 {
		return 3
	}
	return min(3, int(4*math.Log(float64(n)+1)/math.Log(float64(most)+1)-0.001))
}

// A histogram shows how often intervals occur, on a scale of equal ratios.
type histogram struct {
	Width, Height int
	Bars          string
	Period        string // where the line is; "" for none
	From, To      float64
}

// drawIntervals draws the intervals around the fitted period; it reports false
// where there are too few to show anything.
func drawIntervals(all []finding.Interval, period *float64) (histogram, bool) {
	var total, most int64
	for _, i := range all {
		total, most = total+i.Count, max(most, i.Count)
	}
	if total < 4 {
		return histogram{}, false
	}
	const high = 70
	from, to := math.Max(1, all[0].From), all[len(all)-1].To
	if period != nil {
		from, to = math.Min(from, *period/2), math.Max(to, *period*2)
	}
	from = math.Max(from/1.26, 0.5)
	to *= 1.26
	h := histogram{Width: 600, Height: high + 2, From: from, To: to}
	at := func(seconds float64) float64 {
		return math.Log(math.Max(seconds, from)/from) / math.Log(to/from) * float64(h.Width)
	}
	var b strings.Builder
	for _, i := range all {
		x, tall := at(i.From), max(1, int(high*float64(i.Count)/float64(most)))
		width := number(math.Max(1, at(i.To)-x-0.5))
		fmt.Fprintf(&b, "M%s %dh%sv-%dh-%sz", number(x), high+1, width, tall, width)
	}
	h.Bars = b.String()
	if period != nil {
		h.Period = number(at(*period))
	}
	return h, true
}
