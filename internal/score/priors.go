package score

import (
	"math"

	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/program"
)

// A prior is what is expected of a class of programs before any data: the
// starting point that small fleets lean on.
type prior struct {
	points float64 // of the class itself
	why    string  // the sentence for it

	hosts    float64 // share of hosts that run such a program and let it use TLS
	rareLink float64 // share of its destinations that no other host has it visit
	periodic float64 // share of its edges that are periodic
}

// priors are set by hand: browsers go anywhere, agents are everywhere and
// regular, interpreters seldom speak TLS themselves.
var priors = map[program.Class]prior{
	program.Browser:       {-1.5, "browsers make most TLS connections of a person's host", 0.9, 0.70, 0.05},
	program.Collaboration: {-1.5, "collaboration tools connect all day by design", 0.7, 0.10, 0.30},
	program.Updater:       {-1.5, "updaters connect regularly by design", 0.7, 0.05, 0.80},
	program.Security:      {-1.0, "security agents connect regularly by design", 0.8, 0.05, 0.70},
	program.Sync:          {-0.5, "sync and backup tools send data by design", 0.4, 0.05, 0.40},
	program.System:        {-0.5, "it is a part of Windows", 0.8, 0.05, 0.30},
	program.RMM:           {0.5, "remote management tools give control to whoever is at the far end", 0.3, 0.10, 0.60},
	program.LOLBin:        {1.0, "it can fetch or run other people's code", 0.1, 0.25, 0.03},
	program.App:           {0, "", 0.05, 0.20, 0.20},
}

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

// volumePrior is the share of edges expected to send n bytes or more: a heavy
// tail over the floor at which bytes begin to matter.
func volumePrior(n int64) float64 {
	return math.Pow(materialBytes/math.Max(materialBytes, float64(n)), 0.75)
}

// hoursPrior is the share of edges expected to be active in h hours or more.
func hoursPrior(h int) float64 { return math.Pow(math.Max(1, float64(h)), -0.6) }

const (
	// What is missing is taken for the most ordinary there is, or else an
	// edge would gain by the loss of the evidence that excuses it. These are
	// the least and the most of the tables above; a test holds them to that.
	ordinaryProgram  = -1.5
	ordinaryPeriodic = 0.80
	ordinaryService  = -1.0

	// weakOwner is for an owner known only by who asked for the name, or by
	// what the host does otherwise.
	weakOwner = -0.7

	// materialBytes is the outbound volume below which volume is no evidence.
	materialBytes = 1_000_000

	// fleetWeight is how many hosts a class's prior stands for.
	fleetWeight = 10

	// edgeWeight is how many edges a class's prior stands for.
	edgeWeight = 20
)
