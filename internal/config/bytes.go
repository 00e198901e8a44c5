package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Bytes is a size. It is written with a decimal (1MB) or a binary unit (1MiB).
type Bytes int64

var byteUnits = []struct {
	name string
	size int64
}{
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3},
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"B", 1},
}

// UnmarshalText reads a whole number and a unit, in any case. A number without
// a unit is bytes.
func (b *Bytes) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit := strings.TrimSpace(s[len(digits):])
	if unit == "" {
		unit = "B"
	}
	for _, u := range byteUnits {
		if !strings.EqualFold(u.name, unit) {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || n > (1<<62)/u.size {
			break
		}
		*b = Bytes(n * u.size)
		return nil
	}
	return fmt.Errorf("want a size such as 1MB or 512KiB, not %.40q", s)
}

// String returns the size in the largest unit that is exact.
func (b Bytes) String() string {
	best := byteUnits[len(byteUnits)-1]
	for _, u := range byteUnits {
		if b != 0 && int64(b)%u.size == 0 && u.size > best.size {
			best = u
		}
	}
	return strconv.FormatInt(int64(b)/best.size, 10) + best.name
}

// MarshalText writes what UnmarshalText reads.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }
