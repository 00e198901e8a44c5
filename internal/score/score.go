// Package score adds up how remarkable an edge is. The score is the sum of
// named parts, each with a sentence that an analyst can check.
//
// Parts are logarithms of likelihood ratios, in nats, times a weight: how much
// more often what is looked for would look like this than the edges of the same
// program do, or where little is known of it those of its class. The weights
// were fitted to simulated fleets (see weights.go). Three rules hold for every
// part: they add up; evidence that is missing earns nothing, and is taken for
// the most ordinary there is; and an edge never vouches for itself.
package score

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/program"
)

// A Part is one named contribution to a score.
type Part struct {
	Name   string
	Points float64 // nats, rounded to hundredths, so that a reader can add them up
	Text   string  // one sentence
}

// A Scored edge has its parts, the largest first.
type Scored struct {
	detect.Edge
	Class program.Class
	Parts []Part
	Score float64 // the sum of the parts
}

// A Scorer scores edges against a fleet. It is not safe for concurrent use.
type Scorer struct {
	fleet     *baseline.View
	catalogue *destination.Catalogue
	config    Config
	weights   Weights
	disguises map[disguise]string
}

// A Config holds what may be set about the scoring.
type Config struct {
	// Transfer is the data transfer threshold: bytes out, within Window.
	Transfer int64
	Window   time.Duration

	// Material is the least volume over the whole time that is evidence,
	// when none of it left within the threshold.
	Material int64

	// Weights are those of the parts; nil takes those shipped for a fleet of
	// this size.
	Weights Weights
}

// Defaults returns 1 MB in five minutes, or altogether.
func Defaults() Config { return Config{Transfer: 1e6, Window: 5 * time.Minute, Material: 1e6} }

// A disguise is a program's image and its original name.
type disguise struct{ image, original string }

// New returns a scorer.
func New(fleet *baseline.Fleet, catalogue *destination.Catalogue, c Config) *Scorer {
	if c.Weights == nil {
		c.Weights = Fitted(fleet.Hosts)
	}
	return &Scorer{fleet: fleet.View(), catalogue: catalogue, config: c, weights: c.Weights, disguises: make(map[disguise]string)}
}

// masquerade is program.Masquerade, worked out once for each image: "" when
// the program is no masquerade.
func (s *Scorer) masquerade(image, original string) string {
	k := disguise{image, original}
	why, ok := s.disguises[k]
	if !ok {
		why, _ = program.Masquerade(image, original)
		s.disguises[k] = why
	}
	return why
}

// Score returns the score of an edge without its parts: most edges are never
// shown.
func (s *Scorer) Score(e *detect.Edge) float64 { return s.subject(e).score() }

func (c subject) score() float64 {
	var sum float64
	for _, f := range parts {
		if p, ok := f(c); ok {
			sum += c.weighed(p)
		}
	}
	return round(sum)
}

// Explain returns the edge with its score and the parts that add up to it.
func (s *Scorer) Explain(e *detect.Edge) Scored {
	c := s.subject(e)
	out := Scored{Edge: *e, Class: c.Class}
	for _, f := range parts {
		if p, ok := f(c); ok && c.weighed(p) != 0 {
			out.Parts = append(out.Parts, Part{p.name, c.weighed(p), p.text()})
		}
	}
	slices.SortStableFunc(out.Parts, func(a, b Part) int { return cmp.Compare(b.Points, a.Points) })
	for _, part := range out.Parts {
		out.Score += part.Points
	}
	out.Score = round(out.Score)
	return out
}

func (s *Scorer) subject(e *detect.Edge) subject {
	return subject{Edge: e, Scorer: s, About: s.fleet.About(e)}
}

// weighed returns the points of a part, rounded so that a reader can add them
// up.
func (s *Scorer) weighed(p part) float64 { return round(s.weights.of(p.name) * p.points) }

func round(points float64) float64 { return math.Round(points*100) / 100 }

// A subject is what the parts look at.
type subject struct {
	*detect.Edge
	*Scorer
	baseline.About
}

// known reports whether the program is: what is unknown is never rare.
func (c subject) known() bool { return c.Program != "" }

// A part is a contribution whose sentence is written only if it is shown.
type part struct {
	name   string
	points float64
	text   func() string
}

// says returns the text of a part that is a plain sentence.
func says(format string, args ...any) func() string {
	return func() string { return fmt.Sprintf(format, args...) }
}

// parts are the parts of a score, in no order that matters. Each reports false
// when it has nothing to say.
var parts = []func(subject) (part, bool){
	together, programRarity, programUnknown, programClass, programLocation, programMasquerade,
	destinationRarity, destinationUnnamed, destinationShared, destinationClass, newEdge,
	volume, course, transfer, timing, activity, offHours, port, certificate, rung,
}

func clip(x, lo, hi float64) float64 { return math.Max(lo, math.Min(hi, x)) }

// hosts writes how many of the fleet's hosts do something, as the beginning of
// a sentence. One of one is no rarity, and says so.
func (c subject) hosts(n int64) string {
	switch {
	case c.fleet.Hosts == 1:
		return "the only host has"
	case n == 1:
		return fmt.Sprintf("no other of %d hosts has", c.fleet.Hosts)
	}
	return fmt.Sprintf("%d of %d hosts have", n, c.fleet.Hosts)
}
