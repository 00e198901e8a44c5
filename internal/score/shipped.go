package score

import (
	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/program"
)

// Shipped returns what is expected of a class of programs before any data.
func Shipped(c program.Class) baseline.Priors {
	p := priorOf(c)
	return baseline.Priors{Rare: p.rareLink, Periodic: p.periodic}
}
