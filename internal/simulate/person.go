package simulate

import (
	"math/rand/v2"
	"time"
)

// A person is whoever works at a host, with habits.
type person struct {
	browser string        // short name of a program
	arrives time.Duration // after midnight, in UTC
	leaves  time.Duration
	pages   time.Duration // mean time between visits of a web site
	keepsOn bool          // never switches the computer off
	away    map[int]bool  // days of absence, counted from the scenario's start
	late    map[int]time.Duration
	heavy   float64 // how much of the person's work goes to the cloud
	does    []string
	sites   []*destination // by how much the person likes them
	zipf    *rand.Zipf
}

// site picks a web site to visit.
func (p *person) site() *destination { return p.sites[p.zipf.Uint64()] }

// favour orders sites by a person's taste: well-known ones first, on the
// whole, and shuffled for the rest.
func (p *person) favour(rng *rand.Rand, sites []*destination) {
	p.sites = append([]*destination(nil), sites...)
	for i := range p.sites {
		j := min(len(sites)-1, i+rng.IntN(40))
		p.sites[i], p.sites[j] = p.sites[j], p.sites[i]
	}
	p.zipf = rand.NewZipf(rng, 1.15, 6, uint64(len(sites)-1))
}
