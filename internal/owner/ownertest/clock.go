package ownertest

import (
	"math"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/postern/postern/internal/event"
)

// A Skew says what a host's clock shows at a true time, less the true time.
type Skew func(host string, s event.Source, t event.Time) time.Duration

// SkewClocks sets the hosts' clocks by skew. Everything that a host reports
// follows its clock.
func SkewClocks(skew Skew) Degrader {
	return each(func(g *Group) {
		e := &g.Events
		for i := range e.Starts {
			s := &e.Starts[i]
			s.Time = s.Time.Add(skew(s.Host, s.Source, s.Time))
		}
		for i := range e.Stops {
			s := &e.Stops[i]
			s.Time = s.Time.Add(skew(s.Host, s.Source, s.Time))
		}
		for i := range e.Lookups {
			if l := &e.Lookups[i]; l.Host != "" {
				l.Time = l.Time.Add(skew(l.Host, l.Source, l.Time))
			}
		}
		g.rewrite(func(k *event.Connect, _ Report) {
			k.Time = k.Time.Add(skew(k.Host, k.Source, k.Time))
		})
	})
}

// Constant sets each clock off by up to limit, ahead or behind: as often by
// seconds as by days.
func Constant(limit time.Duration, seed uint64) Skew {
	return func(host string, _ event.Source, _ event.Time) time.Duration {
		key := xxhash.Sum64String(host)
		d := seconds(math.Exp(share(seed, key) * math.Log(limit.Seconds())))
		if share(seed+1, key) < 0.5 {
			return -d
		}
		return d
	}
}

// Zones sets each clock off by whole hours, from -12 to +12, as an export of
// local times does.
func Zones(seed uint64) Skew {
	return func(host string, _ event.Source, _ event.Time) time.Duration {
		return time.Duration(int(25*share(seed, xxhash.Sum64String(host)))-12) * time.Hour
	}
}

// Drift makes each clock gain or lose up to that much in a day.
func Drift(perDay time.Duration, seed uint64) Skew {
	return func(host string, _ event.Source, t event.Time) time.Duration {
		rate := 2*share(seed, xxhash.Sum64String(host)) - 1
		return time.Duration(rate * float64(perDay) * t.Sub(epoch).Hours() / 24)
	}
}

// Step sets each clock by d at the middle of the capture.
func Step(d, span time.Duration) Skew {
	return func(_ string, _ event.Source, t event.Time) time.Duration {
		if t < epoch.Add(span/2) {
			return 0
		}
		return d
	}
}
