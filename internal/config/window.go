package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postern/postern/internal/yamldoc"
)

// A TimeWindow is the business hours of an estate.
type TimeWindow struct {
	Days Days  `yaml:"days" doc:"The days on which the hours begin, such as mon-fri,sun."`
	From Clock `yaml:"from" doc:"When they begin,"`
	To   Clock `yaml:"to" doc:"and when they end: 24:00 is midnight, and an end before the begin is on the next day."`
	Zone Zone  `yaml:"zone" doc:"The clock on the wall: UTC, or a name such as Europe/Berlin."`
}

// Contains reports whether t lies in the window. Its first instant does, the
// one at which it ends does not.
func (w TimeWindow) Contains(t time.Time) bool {
	t = t.In(w.Zone.Location())
	now := Clock(t.Hour()*60 + t.Minute())
	today := w.Days.Has(t.Weekday())
	if w.From < w.To {
		return today && w.From <= now && now < w.To
	}
	yesterday := w.Days.Has((t.Weekday() + 6) % 7)
	return today && w.From <= now || yesterday && now < w.To
}

func (w TimeWindow) validate() error {
	switch {
	case w.Days == 0:
		return yamldoc.At(errors.New("want at least one day"), "days")
	case w.From < 0 || w.From >= midnight:
		return yamldoc.At(errors.New("want a time before 24:00"), "from")
	case w.To < 0 || w.To > midnight:
		return yamldoc.At(errors.New("want a time up to 24:00"), "to")
	case w.From == w.To:
		return yamldoc.At(errors.New("the same as from: write 00:00 and 24:00 for whole days"), "to")
	}
	return nil
}

// Days is a set of days of the week: the bit of a day is 1<<[time.Weekday].
type Days uint8

const weekdays Days = 1<<time.Monday | 1<<time.Tuesday | 1<<time.Wednesday | 1<<time.Thursday | 1<<time.Friday

// week is the days in the order in which they are written.
var week = [...]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// bit returns the set of the i-th day of the written week.
func bit(i int) Days { return 1 << ((i + 1) % 7) }

// Has reports whether d has a day.
func (d Days) Has(day time.Weekday) bool { return d&(1<<day) != 0 }

// UnmarshalText reads days and ranges of days with commas between.
func (d *Days) UnmarshalText(text []byte) error {
	var set Days
	for part := range strings.SplitSeq(strings.ToLower(string(text)), ",") {
		first, last, ok := strings.Cut(strings.TrimSpace(part), "-")
		if !ok {
			last = first
		}
		from, to := weekday(first), weekday(last)
		if from < 0 || to < 0 {
			return fmt.Errorf("want days such as mon-fri,sun, not %.40q", text)
		}
		for i := from; ; i = (i + 1) % len(week) {
			set |= bit(i)
			if i == to {
				break
			}
		}
	}
	*d = set
	return nil
}

func weekday(s string) int {
	for i, name := range week {
		if name == strings.TrimSpace(s) {
			return i
		}
	}
	return -1
}

// String returns the days from Monday on, three and more in a row as a range.
func (d Days) String() string {
	var all []string
	for i := 0; i < len(week); i++ {
		if d&bit(i) == 0 {
			continue
		}
		last := i
		for last+1 < len(week) && d&bit(last+1) != 0 {
			last++
		}
		if last-i >= 2 {
			all = append(all, week[i]+"-"+week[last])
			i = last
		} else {
			all = append(all, week[i])
		}
	}
	return strings.Join(all, ",")
}

// MarshalText writes what UnmarshalText reads.
func (d Days) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// A Clock is a time of day in minutes after midnight.
type Clock int

const midnight Clock = 24 * 60

// UnmarshalText reads hours and minutes, up to 24:00.
func (c *Clock) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if s == "24:00" {
		*c = midnight
		return nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		return fmt.Errorf("want a time of day such as 07:30, not %.40q", s)
	}
	*c = Clock(t.Hour()*60 + t.Minute())
	return nil
}

// String returns hours and minutes.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// MarshalText writes what UnmarshalText reads.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// A Zone is a time zone by its IANA name. The zero Zone is UTC.
type Zone struct{ location *time.Location }

// Location returns the zone as package time knows it.
func (z Zone) Location() *time.Location {
	if z.location == nil {
		return time.UTC
	}
	return z.location
}

// Equal reports whether two zones have the same name.
func (z Zone) Equal(other Zone) bool { return z.String() == other.String() }

// String returns the name of the zone.
func (z Zone) String() string { return z.Location().String() }

// UnmarshalText reads a name of the IANA database. The zone of this machine is
// not for writing down: another machine would read another.
func (z *Zone) UnmarshalText(text []byte) error {
	name := strings.TrimSpace(string(text))
	location, err := time.LoadLocation(name)
	if err != nil || strings.EqualFold(name, "local") || name == "" {
		return fmt.Errorf("want UTC or a zone such as Europe/Berlin, not %.40q", name)
	}
	*z = Zone{location}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (z Zone) MarshalText() ([]byte, error) { return []byte(z.String()), nil }
