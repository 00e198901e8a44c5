package score

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
)

// programRarity is how few other hosts run the program and let it make TLS
// connections.
func programRarity(c subject) (Part, bool) {
	if !c.known() {
		return Part{}, false
	}
	share := c.fleet.OnHosts(c.program).Shrunk(priorOf(c.program.Class).hosts, fleetWeight)
	text := fmt.Sprintf("%s makes TLS connections on %s", c.name(), c.hosts(c.program.Hosts))
	return Part{"program_rarity", clip(-math.Log(share), 0, 4), text}, true
}

// programClass is what kind of program it is.
func programClass(c subject) (Part, bool) {
	if !c.known() {
		return Part{}, false
	}
	p := priorOf(c.program.Class)
	text := fmt.Sprintf("%s is of class %s: %s", c.name(), c.program.Class, p.why)
	return Part{"program_class", p.points, text}, p.why != ""
}

// writable are the beginnings of path templates under which a user may put a
// program without asking anyone.
var writable = []string{`%temp%`, `%user%\downloads`, `%user%\desktop`, `%user%\documents`, `%public%`, `%appdata%`, `%localappdata%`, `%user%`}

// programLocation is where the program lies. Programs of a class that is known
// by its place are where they belong.
func programLocation(c subject) (Part, bool) {
	if c.program.Class != program.App && c.program.Class != program.LOLBin {
		return Part{}, false
	}
	for _, w := range writable {
		if strings.HasPrefix(c.Program, w) {
			return Part{"program_location", 1, fmt.Sprintf("it runs from %s, where any user may put a program", c.Program)}, true
		}
	}
	return Part{}, false
}

// programMasquerade is a well-known name in the wrong place.
func programMasquerade(c subject) (Part, bool) {
	why, ok := program.Masquerade(c.Image, "")
	return Part{"program_masquerade", 2, why}, ok && c.known()
}

// destinationRarity is how unusual it is for this program that no more hosts
// than these have it go there. A browser's destinations mostly are; a system
// service's hardly ever.
func destinationRarity(c subject) (Part, bool) {
	if !c.known() {
		return Part{}, false
	}
	hosts := c.fleet.PairHosts(c.Program, c.Domain)
	prior := math.Min(1, priorOf(c.program.Class).rareLink*float64(hosts))
	points := clip(-math.Log(c.program.Links(hosts).Shrunk(prior, edgeWeight)), 0, 4)
	text := fmt.Sprintf("%s goes to %s on %s; few of its destinations are that uncommon",
		c.name(), c.Domain, c.hosts(hosts))
	if !c.Named {
		// The name is missing, perhaps for want of telemetry: an address
		// alone cannot be told from a common service's.
		points = math.Min(points, 1.5)
		text = fmt.Sprintf("%s goes to the address %s, whose name is not known, on %s", c.name(), c.Domain, c.hosts(hosts))
	}
	return Part{"destination_rarity", points, text}, true
}

// destinationShared counts against an edge that other hosts go there too.
func destinationShared(c subject) (Part, bool) {
	others := c.fleet.OtherHosts(c.Domain)
	text := fmt.Sprintf("%s, too, go to %s", plural(others, "other host"), c.Domain)
	if others == 1 {
		text = fmt.Sprintf("1 other host, too, goes to %s", c.Domain)
	}
	return Part{"destination_shared", clip(-0.5*math.Log1p(float64(others)), -2, 0), text}, others > 0
}

// destinationClass is what kind of web service the destination is.
func destinationClass(c subject) (Part, bool) {
	s, ok := c.catalogue.Lookup(c.Domain)
	if !ok {
		return Part{}, false
	}
	text := fmt.Sprintf("%s belongs to %s (%s)", c.Domain, s.Name, s.Class)
	return Part{"destination_class", serviceClass[s.Class], text}, true
}

// settled is how long there must have been evidence before an edge's first
// session for the edge to count as new.
const settled = 3 * 24 * time.Hour

// newEdge is that the edge began well after the evidence did.
func newEdge(c subject) (Part, bool) {
	age := c.fleet.Span(c.First)
	if age < settled {
		return Part{}, false
	}
	text := fmt.Sprintf("the first session is on %s, %d days into the evidence",
		c.First.Std().Format("2006-01-02"), int(age.Hours()/24))
	return Part{"new", 0.7, text}, true
}

// volume is how few of the program's edges send as much. It is a likelihood
// ratio with a Beta alternative, as METHODS §2 has it; too few bytes and
// unknown bytes are no evidence.
func volume(c subject) (Part, bool) {
	if c.BytesOut < materialBytes {
		return Part{}, false
	}
	p := c.program.AtLeastBytes(c.BytesOut).Shrunk(volumePrior(c.BytesOut), edgeWeight)
	text := fmt.Sprintf("sent %s in %s", Bytes(c.BytesOut), plural(c.Sessions-c.UnknownBytes, "session"))
	if c.UnknownBytes > 0 {
		text = fmt.Sprintf("%s, at least: %s more of unknown size", text, plural(c.UnknownBytes, "session"))
	}
	if out := c.BytesOut + c.BytesIn; c.BytesIn > 0 && c.BytesOut > c.BytesIn {
		text += fmt.Sprintf("; %d %% of the bytes went out", 100*c.BytesOut/out)
	}
	return Part{"volume", clip(betaRatio(p, 0.6, 0.15), 0, 7), text}, true
}

// betaRatio is the log-likelihood ratio of a p-value under a mixture of
// nothing (weight) and a Beta(a, 1) alternative.
func betaRatio(p, weight, a float64) float64 {
	return math.Log(weight + (1-weight)*a*math.Pow(math.Max(p, 1e-12), a-1))
}

// timing is how regular the contacts are, against how often this program's
// contacts are regular (METHODS §3.1.5).
func timing(c subject) (Part, bool) {
	t := c.Timing
	if t.Scale == 0 || t.P >= 0.05 {
		return Part{}, false
	}
	base := c.program.Periodic()
	q := base.Shrunk(priorOf(c.program.Class).periodic, fleetWeight)
	f1 := 0.15 * math.Pow(math.Max(t.P, 1e-12), -0.85)
	points := math.Log((0.4 + 0.6*f1) / ((1 - q) + q*f1))
	text := fmt.Sprintf("contacts every %s ± %.0f %% (%d contacts; a series without a rhythm is that regular with p = %.1g)",
		Seconds(t.Period), 100*t.Spread, t.N, t.P)
	if base.Count > 0 {
		text += fmt.Sprintf("; so are %s of this program", fmt.Sprintf("%d of %s", base.Count, plural(base.Of, "other edge")))
	}
	return Part{"regular_timing", clip(points, 0, 5), text}, true
}

// activity is over how many hours the edge is active, against the program's
// other edges (METHODS §3.4).
func activity(c subject) (Part, bool) {
	p := c.program.AtLeastHours(c.Hours).Shrunk(hoursPrior(c.Hours), edgeWeight)
	text := fmt.Sprintf("active in %s on %s", plural(int64(c.Hours), "hour"), plural(int64(c.Days), "day"))
	if c.Longest >= time.Hour {
		text += fmt.Sprintf(", one session for %s", c.Longest.Round(time.Minute))
	}
	return Part{"activity", clip(math.Log(0.5+0.1*math.Pow(p, -0.8)), 0, 4), text}, c.Hours > 1
}

// port is TLS, seen by a sensor, where web services do not listen.
func port(c subject) (Part, bool) {
	return Part{"odd_port", 0.7, fmt.Sprintf("TLS on port %d", c.OddPort)}, c.OddPort != 0
}

// certificate is one that vouches for itself.
func certificate(c subject) (Part, bool) {
	return Part{"self_signed", 1, "the server's certificate is self-signed"}, c.SelfSigned
}

// rung counts against an owner that is named by weaker evidence.
func rung(c subject) (Part, bool) {
	if c.Rung != event.RungLookup {
		return Part{}, false
	}
	return Part{"weak_owner", -0.7, "the owner is known only by who asked for the name"}, true
}
