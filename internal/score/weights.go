package score

import (
	"maps"
	"math"
	"slices"
)

// Weights say how much each part counts, by its name. A part without a weight
// counts once.
type Weights map[string]float64

// of returns the weight of a part.
func (w Weights) of(name string) float64 {
	if x, ok := w[name]; ok {
		return x
	}
	return 1
}

// A fit is the weights that were fitted to fleets of one size.
type fit struct {
	hosts   float64
	weights Weights
}

// Fitted returns the weights for a fleet of that many hosts: between the sizes
// that they were fitted to they are interpolated in the logarithm.
func Fitted(hosts int64) Weights {
	n := math.Log(math.Max(1, float64(hosts)))
	above := slices.IndexFunc(fits, func(f fit) bool { return math.Log(f.hosts) >= n })
	switch above {
	case 0:
		return fits[0].weights
	case -1:
		return fits[len(fits)-1].weights
	}
	a, b := fits[above-1], fits[above]
	t := (n - math.Log(a.hosts)) / (math.Log(b.hosts) - math.Log(a.hosts))
	mixed := maps.Clone(a.weights)
	for name, w := range b.weights {
		mixed[name] = (1-t)*a.weights.of(name) + t*w
	}
	return mixed
}

// fits are the shipped weights, by the number of hosts. They were fitted to
// simulated fleets (make bench-detect ARGS=-fit), and then held back where the
// simulation knows less than the world: what class of program or of service an
// attacker takes is the simulation's own choice, so that these count less than
// the fit would have it, and rarity more.
var fits = []fit{
	{200, Weights{
		"program_rarity": 0.5, "program_class": 1.2, "program_location": 1, "program_masquerade": 1.7,
		"destination_rarity": 0.8, "destination_shared": 0.7, "destination_class": 1.2, "new": 1.3,
		"volume": 0.5, "volume_course": 0.2, "transfer": 0.6,
		"regular_timing": 1.0, "activity": 0.8, "off_hours": 0.3, "weak_owner": 1,
	}},
}
