package coverage

import (
	"iter"
	"maps"
	"slices"

	"github.com/postern/postern/internal/event"
)

// hours is a set of hours, a bit each, by days since the epoch: an estate of
// ten thousand hosts has millions of them in a month.
type hours map[int64]uint32

// hourOf returns the day and the bit of the hour of t.
func hourOf(t event.Time) (date int64, bit uint32) {
	t = max(t, 0) // hostile times reach beyond the epoch
	return int64(t / day), 1 << (t % day / hour)
}

func (h hours) add(t event.Time) {
	date, bit := hourOf(t)
	h[date] |= bit
}

func (h hours) has(t event.Time) bool {
	date, bit := hourOf(t)
	return h[date]&bit != 0
}

// all yields the first instants of the hours in order.
func (h hours) all() iter.Seq[event.Time] {
	return func(yield func(event.Time) bool) {
		for _, date := range slices.Sorted(maps.Keys(h)) {
			for n := range event.Time(24) {
				if h[date]&(1<<n) != 0 && !yield(event.Time(date)*day+n*hour) {
					return
				}
			}
		}
	}
}
