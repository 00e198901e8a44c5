package html

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/score"
)

const (
	toMinute = "2006-01-02 15:04"
	toSecond = "2006-01-02 15:04:05"
)

func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}

func percent(x *float64) string {
	switch {
	case x == nil:
		return "–"
	case *x > 0.999 && *x < 1: // never round up to everything
		return "> 99.9 %"
	case *x == 1:
		return "100 %"
	}
	return fmt.Sprintf("%.1f %%", 100**x)
}

// sent is an outbound volume; a sum that lacks some sessions is a lower bound.
func sent(f *finding.Finding) string {
	if f.BytesOut != nil && f.SessionsUnknownBytes > 0 {
		return "≥ " + score.Bytes(*f.BytesOut)
	}
	return bytesOf(f.BytesOut)
}

func bytesOf(n *int64) string {
	if n == nil {
		return "unknown"
	}
	return score.Bytes(*n)
}

func span(first, last time.Time) string {
	first, last = first.UTC(), last.UTC()
	if first.Format(time.DateOnly) == last.Format(time.DateOnly) {
		return first.Format(toMinute) + " – " + last.Format("15:04")
	}
	return first.Format(toMinute) + " – " + last.Format(toMinute)
}

// counts writes a map of counts, the largest first.
func counts(m map[string]int64) string {
	var s []string
	for _, k := range slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b))
	}) {
		s = append(s, k+" "+grouped(m[k]))
	}
	return strings.Join(s, ", ")
}

func base(path string) string {
	return cmp.Or(path[strings.LastIndexAny(path, `\/`)+1:], path, "(unknown)")
}

// signed writes points.
func signed(points float64) string {
	return strings.Replace(fmt.Sprintf("%+.2f", points), "-", "−", 1)
}
