package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/score"
)

// Bounds of what text draws.
const (
	maxDrawnDays = 31
	barWidth     = 30
)

// steps are the signs for a share of the greatest value.
var steps = []rune("▁▂▃▄▅▆▇█")

// step returns the sign for n of greatest; a blank only for nothing.
func step(n, greatest int64) rune {
	switch {
	case n <= 0 || greatest <= 0:
		return ' '
	case n >= greatest:
		return steps[len(steps)-1]
	}
	return steps[int(float64(n)/float64(greatest)*float64(len(steps)))]
}

func volumeSection(f *finding.Finding) chapter {
	s := chapter{title: "How much"}
	s.say("Sent", sent(f))
	if f.BytesIn != nil {
		s.say("Received", score.Bytes(*f.BytesIn))
	}
	if f.Series == nil {
		return s
	}
	days := f.Series.Days
	from := max(0, len(days)-maxDrawnDays)
	var greatest int64
	for _, v := range days[from:] {
		greatest = max(greatest, v.BytesOut)
	}
	for i, v := range days[from:] {
		if v.Sessions == 0 {
			continue
		}
		out := score.Bytes(v.BytesOut)
		if v.Unknown > 0 {
			out = "≥ " + out
		}
		s.art = append(s.art, fmt.Sprintf("%s  %-*s %10s out %10s in %8s", f.Series.From.AddDate(0, 0, from+i).Format(time.DateOnly),
			barWidth, bar(v.BytesOut, greatest), out, score.Bytes(v.BytesIn), grouped(v.Sessions)))
	}
	return s
}

func bar(n, greatest int64) string {
	if n <= 0 || greatest <= 0 {
		return ""
	}
	return strings.Repeat("█", max(1, int(float64(n)/float64(greatest)*barWidth)))
}

func persistenceSection(f *finding.Finding) chapter {
	s := chapter{title: "Does it persist"}
	s.say("Active", fmt.Sprintf("in %s on %s (UTC)", plural(int64(f.ActiveHours), "hour"), plural(int64(f.ActiveDays), "day")))
	if f.PeriodSeconds != nil {
		s.say("Rhythm", "every "+score.Seconds(*f.PeriodSeconds))
	}
	if f.Series == nil {
		return s
	}
	if usual := usual(f.Series.Intervals); usual != "" {
		s.say("Usual intervals", usual)
	}
	for _, l := range f.Series.Longest[:min(len(f.Series.Longest), 1)] {
		s.say("Longest session", score.Seconds(*l.Duration)+", from "+l.Start.UTC().Format("2006-01-02 15:04"))
	}
	s.art = raster(f.Series)
	return s
}

// usual is the range that holds the middle half of the intervals.
func usual(all []finding.Interval) string {
	var total int64
	for _, i := range all {
		total += i.Count
	}
	if total < 4 {
		return ""
	}
	var seen int64
	var low, high float64
	for _, i := range all {
		if seen <= total/4 {
			low = i.From
		}
		seen += i.Count
		if high = i.To; seen >= total*3/4 {
			break
		}
	}
	return fmt.Sprintf("%s to %s (the middle half of %s)", score.Seconds(low), score.Seconds(high), grouped(total))
}

// raster draws when sessions began: a line a day, a sign each half hour.
func raster(s *finding.Series) []string {
	const columns = 48
	counts := make([][columns]int64, len(s.Days))
	var greatest int64
	for _, slot := range s.Slots {
		day, minute := slot.Minute/(24*60), slot.Minute%(24*60)
		if day < 0 || day >= len(counts) || minute < 0 {
			continue
		}
		n := &counts[day][minute*columns/(24*60)]
		*n += slot.Sessions
		greatest = max(greatest, *n)
	}
	out := []string{"UTC         00          06          12          18          "}
	for i := max(0, len(counts)-maxDrawnDays); i < len(counts); i++ {
		var line strings.Builder
		for _, n := range counts[i] {
			line.WriteRune(step(n, greatest))
		}
		out = append(out, fmt.Sprintf("%s  %s  %s", s.From.AddDate(0, 0, i).Format(time.DateOnly), line.String(), s.From.AddDate(0, 0, i).Format("Mon")))
	}
	return out
}
