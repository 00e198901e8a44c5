package score

import (
	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
)

// A prior is what is expected of a class of programs before any data: the
// starting point that small fleets lean on.
type prior struct {
	points float64 // of the class itself
	why    string  // the sentence for it

	// attack is the share of attacks that come by such a program, by how
	// common it is: on no other host, on one or two, up to a hundredth, up to a
	// tenth of all, on more. For classes whose prevalence says nothing it is
	// the same for all.
	attack     [5]float64
	everywhere bool

	rareLink float64 // share of its destinations that no other host has it visit
	periodic float64 // share of its edges that are periodic
}

// priors are set by hand: browsers go anywhere, agents are everywhere and
// regular, interpreters seldom speak TLS themselves.
var priors = map[program.Class]prior{
	program.Browser:       {-1.5, "browsers make most TLS connections of a person's host", always(.10), true, 0.70, 0.05},
	program.Collaboration: {-1.5, "collaboration tools connect all day by design", trusted, false, 0.10, 0.30},
	program.Updater:       {-1.5, "updaters connect regularly by design", trusted, false, 0.05, 0.80},
	program.Security:      {-1.0, "security agents connect regularly by design", trusted, false, 0.05, 0.70},
	program.Sync:          {-0.5, "sync and backup tools send data by design", chosen, false, 0.05, 0.40},
	program.System:        {-0.5, "it is a part of Windows", always(.10), true, 0.05, 0.30},
	program.RMM:           {0.5, "remote management tools give control to whoever is at the far end", chosen, false, 0.10, 0.60},
	program.LOLBin:        {1.0, "it can fetch or run other people's code", always(.28), true, 0.25, 0.03},
	program.App:           {0, "", [5]float64{.27, .06, .03, .02, .02}, false, 0.20, 0.20},
}

// The shares of attacks that come by tools that somebody chose, and by those that
// do their work unasked: fewer. All classes together make one.
var (
	chosen  = [5]float64{.03, .02, .01, .005, .005}
	trusted = [5]float64{.01, .005, .003, .001, .001}
)

func always(p float64) [5]float64 { return [5]float64{p, p, p, p, p} }

// priorOf returns the prior of a class, or that of an ordinary program.
func priorOf(c program.Class) prior {
	if p, ok := priors[c]; ok {
		return p
	}
	return priors[program.App]
}

// serviceClass is what it says about a connection that its destination is a
// web service of that class.
var serviceClass = map[destination.Class]float64{
	"tunnel": 1.0, "file-drop": 1.0, "dynamic-dns": 1.0, "paste": 0.7,
	"chat": 0.5, "ip-echo": 0.5, "rmm": 0.5, "serverless": 0.4,
	"cloud-storage": 0.3, "ai-api": 0.3, "code-host": 0.3, "url-shortener": 0.3,
	"telemetry": -1.0, "update": -1.0, "pki": -1.0, "identity": -0.5, "search": -0.5,
}

const (
	// What is missing is taken for the most ordinary there is, or else an
	// edge would gain by the loss of the evidence that excuses it. These are
	// the least and the most of the tables above; a test holds them to that.
	ordinaryProgram  = -1.5
	ordinaryPeriodic = 0.80
	ordinaryService  = -1.0

	// weakOwner is for an owner known only by what the host does otherwise.
	weakOwner = -0.7
)

// weakRungs are the rungs that count against an edge, and why: the less sure the
// owner is, the more.
var weakRungs = map[event.Rung]struct {
	points float64
	why    string
}{
	event.RungTuple:    {-0.1, "the owner is known as the only process that fits, without the port"},
	event.RungProxy:    {-0.1, "the owner is known as the only process that fits the proxy's log"},
	event.RungLookup:   {-0.5, "the owner is known only by who asked for the name"},
	event.RungInferred: {weakOwner, "the owner is only probable, by the fingerprint and the host's history"},
}
