package score

import (
	"fmt"
	"strconv"
	"time"
)

// Bytes writes a number of bytes for people: "1.9 GB", in powers of 1000.
func Bytes(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	x, u := float64(n)/1000, 0
	for ; x >= 999.5 && u < len(units)-1; u++ {
		x /= 1000
	}
	format := "%.1f %cB"
	if x >= 99.5 {
		format = "%.0f %cB"
	}
	return fmt.Sprintf(format, x, units[u])
}

// Seconds writes a period for people: "5.1 s", "12 min", "6.0 h".
func Seconds(s float64) string {
	switch {
	case s < 100:
		return fmt.Sprintf("%.1f s", s)
	case s < 2*time.Hour.Seconds():
		return fmt.Sprintf("%.1f min", s/60)
	}
	return fmt.Sprintf("%.1f h", s/3600)
}

// plural writes a number with its noun.
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
