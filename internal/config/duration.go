package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Duration is a time span. It is written as numbers with units, the greater
// before the lesser: 90s, 5m, 1d12h, 2w.
type Duration time.Duration

const day = 24 * time.Hour

var timeUnits = []struct {
	name string
	span time.Duration
}{{"w", 7 * day}, {"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// maxDuration bounds what is read, lest sums of times overflow.
const maxDuration = 100 * 366 * day

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	rest := strings.TrimSpace(string(text))
	wrong := fmt.Errorf("want a time such as 90s, 5m, 12h or 7d, not %.40q", rest)
	if rest == "" {
		return wrong
	}
	var sum time.Duration
	for _, u := range timeUnits {
		number, after, ok := strings.Cut(rest, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || time.Duration(n) > maxDuration/u.span {
			return wrong
		}
		sum += time.Duration(n) * u.span
		rest = after
	}
	if rest != "" || sum > maxDuration {
		return wrong
	}
	*d = Duration(sum)
	return nil
}

// String returns d in days and below, without units that are nought.
func (d Duration) String() string {
	var b strings.Builder
	rest := time.Duration(d)
	for _, u := range timeUnits[1:] {
		if n := rest / u.span; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10) + u.name)
			rest -= n * u.span
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
