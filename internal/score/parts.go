package score

import (
	"fmt"
	"math"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
)

// programRarity is how few other hosts run the program and let it make TLS
// connections.
func programRarity(c subject) (part, bool) {
	if !c.known() {
		return part{}, false
	}
	share := c.fleet.OnHosts(c.program).Shrunk(priorOf(c.program.Class).hosts, fleetWeight)
	return part{"program_rarity", clip(-math.Log(share), 0, 4), func() string {
		return c.hosts(c.program.Hosts) + " it make TLS connections"
	}}, true
}

// programUnknown keeps an edge from gaining by the loss of its owner: it is
// taken for the most ordinary kind of program, on the weakest evidence.
func programUnknown(c subject) (part, bool) {
	return part{"program_unknown", ordinaryProgram + weakOwner,
		says("the program is not known; most such sessions are ordinary")}, !c.known()
}

// programClass is what kind of program it is.
func programClass(c subject) (part, bool) {
	p := priorOf(c.program.Class)
	return part{"program_class", p.points, func() string {
		return fmt.Sprintf("class %s: %s", c.program.Class, p.why)
	}}, c.known() && p.why != ""
}

// programLocation is where the program lies. Programs of a class that is known
// by its place are where they belong.
func programLocation(c subject) (part, bool) {
	if c.program.Class != program.App && c.program.Class != program.LOLBin {
		return part{}, false
	}
	return part{"program_location", 1, says("runs from %s, where any user may put a program", c.Program)}, program.Writable(c.Program)
}

// programMasquerade is a well-known name in the wrong place, or a file under
// another name than its version resource has.
func programMasquerade(c subject) (part, bool) {
	if !c.known() {
		return part{}, false
	}
	why := c.masquerade(c.Image, c.OriginalName)
	return part{"program_masquerade", 2, func() string { return why }}, why != ""
}

// destinationRarity is how unusual it is for this program that no more hosts
// than these have it go there. A browser's destinations mostly are; a system
// service's hardly ever.
func destinationRarity(c subject) (part, bool) {
	if !c.known() || !c.Named {
		return part{}, false
	}
	hosts := c.fleet.PairHosts(c.Program, c.Domain)
	prior := math.Min(1, priorOf(c.program.Class).rareLink*float64(hosts))
	points := clip(-math.Log(c.program.Links(hosts).Shrunk(prior, edgeWeight)), 0, 4)
	return part{"destination_rarity", points, func() string {
		return fmt.Sprintf("%s it go to %s", c.hosts(hosts), c.Domain)
	}}, true
}

// destinationUnnamed keeps an edge from gaining by the loss of its
// destination's name. An address alone, with the name missing perhaps for want
// of telemetry, cannot be told from the most common service's: so it is taken
// for one that all hosts use.
func destinationUnnamed(c subject) (part, bool) {
	return part{"destination_unnamed", sharedBy(c.fleet.Hosts-1) + ordinaryService, func() string {
		return fmt.Sprintf("the name of %s is not known; it may be a service that all hosts use", c.Domain)
	}}, !c.Named
}

// sharedBy is what it takes off a score that so many other hosts go there too.
func sharedBy(others int64) float64 {
	return clip(-0.5*math.Log1p(math.Max(0, float64(others))), -2, 0)
}

// destinationShared counts against an edge that other hosts go there too.
func destinationShared(c subject) (part, bool) {
	others := c.fleet.OtherHosts(c.Domain)
	return part{"destination_shared", sharedBy(others), func() string {
		if others == 1 {
			return fmt.Sprintf("1 other host goes to %s, by any program", c.Domain)
		}
		return fmt.Sprintf("%d other hosts go to %s, by any program", others, c.Domain)
	}}, others > 0 && c.Named
}

// destinationClass is what kind of web service the destination is.
func destinationClass(c subject) (part, bool) {
	s, ok := c.catalogue.Lookup(c.Name)
	if !ok || !c.Named {
		return part{}, false
	}
	return part{"destination_class", serviceClass[s.Class], says("%s belongs to %s (%s)", c.Name, s.Name, s.Class)}, true
}

// settled is how long there must have been evidence of a host before an edge's
// first session for the edge to count as new.
const settled = 3 * 24 * time.Hour

// newEdge is that the edge began well after the evidence of its host did.
func newEdge(c subject) (part, bool) {
	age := c.fleet.Age(c.Host, c.First)
	return part{"new", 0.7, func() string {
		return fmt.Sprintf("began on %s, %d days into the evidence of its host",
			c.First.Std().Format(time.DateOnly), int(age.Hours()/24))
	}}, age >= settled
}

// volume is how few of the program's edges send as much. It is a likelihood
// ratio with a Beta alternative: too few bytes and unknown
// bytes are no evidence.
func volume(c subject) (part, bool) {
	if c.BytesOut < materialBytes {
		return part{}, false
	}
	p := c.program.AtLeastBytes(c.BytesOut).Shrunk(volumePrior(c.BytesOut), edgeWeight)
	return part{"volume", clip(betaRatio(p, 0.6, 0.15), 0, 7), func() string {
		text := fmt.Sprintf("sent %s in %s", Bytes(c.BytesOut), plural(c.Sessions-c.UnknownBytes, "session"))
		if c.UnknownBytes > 0 {
			text += fmt.Sprintf(", and more in %s of unknown size", plural(c.UnknownBytes, "session"))
		}
		if c.BytesIn > 0 && c.BytesOut > c.BytesIn {
			text += fmt.Sprintf("; %d %% of the bytes went out", int(100*float64(c.BytesOut)/(float64(c.BytesOut)+float64(c.BytesIn))))
		}
		return text
	}}, true
}

// betaRatio is the log-likelihood ratio of a p-value under a mixture of
// nothing (weight) and a Beta(a, 1) alternative.
func betaRatio(p, weight, a float64) float64 {
	return math.Log(weight + (1-weight)*a*math.Pow(math.Max(p, 1e-12), a-1))
}

// rhythm weighs the timing part: persistence is half of what the analytic looks
// for, and a likelihood ratio alone saturates early.
const rhythm = 1.5

// timing is how regular the contacts are, against how often this program's
// contacts are regular anyway.
func timing(c subject) (part, bool) {
	t := c.Timing
	if t.Scale == 0 || t.P >= 0.05 {
		return part{}, false
	}
	base := c.program.Periodic(t.P)
	prior := priorOf(c.program.Class).periodic
	if !c.known() {
		prior = ordinaryPeriodic
	}
	q := base.Shrunk(prior, fleetWeight)
	f1 := 0.15 * math.Pow(math.Max(t.P, 1e-12), -0.85)
	points := rhythm * math.Log((0.4+0.6*f1)/((1-q)+q*f1))
	return part{"regular_timing", clip(points, 0, 7), func() string {
		text := fmt.Sprintf("contacts every %s ± %.0f %% (%d of them; chance is that regular with p = %.1g)",
			Seconds(t.Period), 100*t.Spread, t.N, t.P)
		if base.Count > 0 {
			text += fmt.Sprintf("; so are %d of %s of the program", base.Count, plural(base.Of, "other edge"))
		}
		return text
	}}, true
}

// activity is over how many hours the edge is active, against the program's
// other edges.
func activity(c subject) (part, bool) {
	p := c.program.AtLeastHours(c.Hours).Shrunk(hoursPrior(c.Hours), edgeWeight)
	return part{"activity", clip(math.Log(0.5+0.1*math.Pow(p, -0.8)), 0, 4), func() string {
		text := fmt.Sprintf("active in %s on %s", plural(int64(c.Hours), "hour"), plural(int64(c.Days), "day"))
		if c.Longest >= time.Hour {
			text += fmt.Sprintf(", one session for %s", c.Longest.Round(time.Minute))
		}
		return text
	}}, c.Hours > 1
}

// port is TLS, seen by a sensor, where web services do not listen.
func port(c subject) (part, bool) {
	return part{"odd_port", 0.7, says("TLS on port %d", c.OddPort)}, c.OddPort != 0
}

// certificate is one that vouches for itself.
func certificate(c subject) (part, bool) {
	return part{"self_signed", 1, says("the server's certificate is self-signed")}, c.SelfSigned
}

// rung counts against an owner that is named by weaker evidence.
func rung(c subject) (part, bool) {
	why := "the owner is known only by who asked for the name"
	if c.Rung == event.RungInferred {
		why = "the owner is only probable, by the fingerprint and the host's history"
	}
	return part{"weak_owner", weakOwner, says("%s", why)}, c.known() && (c.Rung == event.RungLookup || c.Rung == event.RungInferred)
}
