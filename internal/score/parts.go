package score

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/program"
)

// The least that a rarity earns: what is unknown is taken for that.
const (
	leastProgram = -2
	leastLink    = -2
	leastShared  = -2
	leastNew     = -1
)

// programRarity is how few of the fleet's edges are of programs of the class that
// are as uncommon as this one, against how often attacks come by such. How common
// a browser, an interpreter or a part of Windows is says nothing.
func programRarity(c subject) (part, bool) {
	if !c.known() || c.only() {
		return part{}, false
	}
	others := c.Others()
	prior := priorOf(c.Class)
	attack, share := prior.attack[c.Bucket(others)], c.Cell(others)
	if prior.everywhere {
		share = c.OfClass()
	}
	return part{"program_rarity", clip(math.Log(attack/share), leastProgram, 5), func() string {
		text := c.hosts(c.Hosts()) + " it make TLS connections"
		if like, group := c.Like(); group != "" && like.Of <= 1 {
			text += fmt.Sprintf(" (the only one with %s)", group)
		} else if group != "" && like.Count <= 1 {
			text += fmt.Sprintf(" (nor has any other of the %d with %s)", like.Of, group)
		} else if group != "" {
			text += fmt.Sprintf(" (%d of %d with %s)", like.Count, like.Of, group)
		}
		if !c.Seasoned() {
			text += fmt.Sprintf("; it came only on %s, so the others do not count yet", c.Arrived().Std().Format(time.DateOnly))
		}
		return text
	}}, true
}

// only reports whether there is no other host to compare with.
func (c subject) only() bool { return c.fleet.Hosts <= 1 }

// programUnknown keeps an edge from gaining by the loss of its owner: it is
// taken for the most ordinary kind of program, on the weakest evidence.
func programUnknown(c subject) (part, bool) {
	w := c.weights
	points := w.of("program_class")*ordinaryProgram + w.of("weak_owner")*weakOwner
	if c.fleet.Settled() {
		points += w.of("new") * leastNew
	}
	if !c.only() {
		points += w.of("program_rarity")*leastProgram + w.of("destination_rarity")*leastLink
	}
	return part{"program_unknown", points, says("the program is not known; most such sessions are ordinary")}, !c.known()
}

// programClass is what kind of program it is.
func programClass(c subject) (part, bool) {
	p := priorOf(c.Class)
	return part{"program_class", p.points, func() string {
		return fmt.Sprintf("class %s: %s", c.Class, p.why)
	}}, c.known() && p.why != ""
}

// programLocation is where the program lies. Programs of a class that is known
// by its place are where they belong.
func programLocation(c subject) (part, bool) {
	if c.Class != program.App && c.Class != program.LOLBin {
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

// destinationRarity is how unusual it is for this program that no more other
// hosts than these have it go there. A browser's destinations mostly are rare; a
// system service's hardly ever.
func destinationRarity(c subject) (part, bool) {
	if !c.known() || !c.Named || c.only() {
		return part{}, false
	}
	others := c.OtherPairs()
	attack := 0.80
	switch {
	case others > 2:
		attack = 0.12
	case others > 0:
		attack = 0.88 // or none
	}
	share := c.Links(others, priorOf(c.Class).rareLink)
	return part{"destination_rarity", clip(math.Log(attack/share), leastLink, 5), func() string {
		return fmt.Sprintf("%s; %s of what such programs do is as uncommon", c.links(), percent(share))
	}}, true
}

// percent writes a share.
func percent(share float64) string {
	switch p := 100 * share; {
	case p < 0.1:
		return "less than 0.1 %"
	case p < 10:
		return fmt.Sprintf("%.1f %%", p)
	default:
		return fmt.Sprintf("%.0f %%", p)
	}
}

// destinationUnnamed keeps an edge from gaining by the loss of its
// destination's name. An address alone, with the name missing perhaps for want
// of telemetry, cannot be told from the most common service's: so it is taken
// for one that all hosts use.
func destinationUnnamed(c subject) (part, bool) {
	w := c.weights
	points := w.of("destination_class") * ordinaryService
	if !c.only() {
		points += w.of("destination_shared") * leastShared
		if c.known() {
			points += w.of("destination_rarity") * leastLink
		}
	}
	return part{"destination_unnamed", points, func() string {
		return fmt.Sprintf("the name of %s is not known; it may be a service that all hosts use", c.Domain)
	}}, !c.Named
}

// destinationShared is how many other hosts go there, by any program.
func destinationShared(c subject) (part, bool) {
	if !c.Named || c.only() {
		return part{}, false
	}
	others := c.OtherHosts()
	attack := [...]float64{.6, .1, .1, .2}[reach(others)]
	share := 0.25
	if c.known() {
		share = c.Reach(c.OtherPairs(), others)
	}
	return part{"destination_shared", clip(math.Log(attack/share), leastShared, 3), func() string {
		where := cmp.Or(c.ofRare("the least common"), c.Domain)
		if others == 0 {
			return fmt.Sprintf("no other host goes to %s, by any program", where)
		}
		if others == 1 {
			return fmt.Sprintf("1 other host goes to %s, by any program", where)
		}
		return fmt.Sprintf("%d other hosts go to %s, by any program", others, where)
	}}, true
}

func reach(others int64) int {
	switch {
	case others <= 0:
		return 0
	case others < 5:
		return 1
	case others < 50:
		return 2
	}
	return 3
}

// destinationClass is what kind of web service the destination is.
func destinationClass(c subject) (part, bool) {
	s, ok := c.catalogue.Lookup(c.Name)
	if !ok || !c.Named {
		return part{}, false
	}
	return part{"destination_class", serviceClass[s.Class], says("%s belongs to %s (%s)", c.Name, s.Name, s.Class)}, true
}

// newEdge is that the edge began well after the evidence of its host did, or
// did not, against how often such programs' edges do.
func newEdge(c subject) (part, bool) {
	if !c.known() || !c.fleet.Settled() {
		return part{}, false
	}
	share := c.Young(c.Others())
	if !c.fleet.Young(c.Edge) {
		return part{"new", clip(math.Log(.25/(1-share)), leastNew, 0), says("there from the beginning of the evidence of its host")}, true
	}
	age := c.fleet.Age(c.Host, c.Began())
	return part{"new", clip(math.Log(.75/share), leastNew, 3), func() string {
		began := strings.TrimLeft(c.ofRare("the newest")+" began", " ")
		return fmt.Sprintf("%s on %s, %d days into the evidence of its host",
			began, c.Began().Std().Format(time.DateOnly), int(age.Hours()/24))
	}}, true
}

// volume is how few of the program's edges send as much. It is a likelihood
// ratio with a Beta alternative: too few bytes and unknown bytes are no
// evidence.
func volume(c subject) (part, bool) {
	if c.BytesOut < c.config.Material && c.Burst.BytesOut < c.config.Transfer {
		return part{}, false
	}
	p := c.AtLeast(baseline.BytesOut, c.BytesOut)
	return part{"volume", clip(betaRatio(p, 0.6, 0.15), 0, 7), func() string {
		text := fmt.Sprintf("sent %s%s in %s; %s of %s",
			Bytes(c.BytesOut), c.together("to"), plural(c.Sessions-c.UnknownBytes, "session"), percent(p), c.alike("send as much"))
		if c.UnknownBytes > 0 {
			text += fmt.Sprintf(", and more in %s of unknown size", plural(c.UnknownBytes, "session"))
		}
		if c.BytesIn > 0 && c.BytesOut > c.BytesIn {
			text += fmt.Sprintf("; %d %% of the bytes went out", int(100*float64(c.BytesOut)/(float64(c.BytesOut)+float64(c.BytesIn))))
		}
		return text
	}}, true
}

// course is how unusual the volume is over the days: against what others with
// the same program send, against the edge's own past, over a week, and creeping.
func course(c subject) (part, bool) {
	v, ok := c.Course()
	if !ok || c.BytesOut < c.config.Material {
		return part{}, false
	}
	return part{"volume_course", clip(betaRatio(v.P, 0.6, 0.15), 0, 7), func() string {
		how := []channel{
			{v.Peer, "more on a day than others of its kind send"},
			{v.Lagged, "more on a day than it used to"},
			{v.Week, "more in a week than it used to"},
			{v.Drift, "ever more over the days"},
		}
		best := slices.MinFunc(how, func(a, b channel) int { return cmp.Compare(a.p, b.p) })
		return fmt.Sprintf("sends%s %s (p = %.1g)", c.together("to"), best.text, v.P)
	}}, true
}

// A channel is one way in which a volume is unusual.
type channel struct {
	p    float64
	text string
}

// transfer is that much left within a short time: the data transfer threshold.
func transfer(c subject) (part, bool) {
	if c.Burst.BytesOut < c.config.Transfer {
		return part{}, false
	}
	p := c.AtLeast(baseline.Burst, c.Burst.BytesOut)
	return part{"transfer", clip(betaRatio(p, 0.6, 0.15), 0, 7), func() string {
		return fmt.Sprintf("sent %s%s within %s, on %s; %s of %s", Bytes(c.Burst.BytesOut), c.oneOf(),
			Seconds(c.config.Window.Seconds()), c.Burst.From.Std().Format("2006-01-02 15:04"), percent(p), c.alike("do"))
	}}, true
}

// betaRatio is the log-likelihood ratio of a p-value under a mixture of
// nothing (weight) and a Beta(a, 1) alternative.
func betaRatio(p, weight, a float64) float64 {
	return math.Log(weight + (1-weight)*a*math.Pow(math.Max(p, 1e-12), a-1))
}

// timing is how regular the contacts are, against how often this program's
// contacts are regular anyway.
func timing(c subject) (part, bool) {
	t := c.Timing
	if t.Scale == 0 || t.P >= 0.05 {
		return part{}, false
	}
	q, base := ordinaryPeriodic, baseline.Share{}
	if c.known() {
		q, base = c.Periodic(priorOf(c.Class).periodic)
	}
	f1 := 0.15 * math.Pow(math.Max(t.P, 1e-12), -0.85)
	points := math.Log((0.4 + 0.6*f1) / ((1 - q) + q*f1))
	return part{"regular_timing", clip(points, 0, 5), func() string {
		text := fmt.Sprintf("contacts%s every %s ± %.0f %% (%d of them; chance is that regular with p = %.1g)",
			c.together("with"), Seconds(t.Period), 100*t.Spread, t.N, t.P)
		if base.Count > 0 {
			text += "; so are " + c.others(base)
		}
		return text
	}}, true
}

// persisted is a likelihood ratio for how few of a program's edges persist as
// much.
func persisted(p float64) float64 { return math.Log(0.5 + 0.1*math.Pow(p, -0.8)) }

// activity is over how many hours the edge is active, or for how long it is
// connected, against the program's other edges.
func activity(c subject) (part, bool) {
	p := c.AtLeast(baseline.Hours, int64(c.Hours))
	if c.Connected >= time.Hour {
		p = min(p, c.AtLeast(baseline.Connected, int64(c.Connected.Seconds())))
	}
	return part{"activity", clip(persisted(p), 0, 5), func() string {
		text := fmt.Sprintf("active%s in %s on %s", c.together("towards"), plural(int64(c.Hours), "hour"), plural(int64(c.Days), "day"))
		if c.Longest >= time.Hour {
			text += fmt.Sprintf(", one session for %s", c.Longest.Round(time.Minute))
		}
		return text
	}}, c.Hours > 1
}

// offHours is how much of that lies outside the time window.
func offHours(c subject) (part, bool) {
	p := c.AtLeast(baseline.OffHours, int64(c.OffHours))
	return part{"off_hours", clip(persisted(p), 0, 4), func() string {
		return fmt.Sprintf("%d of its %s lie outside the time window", c.OffHours, plural(int64(c.Hours), "active hour"))
	}}, c.OffHours > 1
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
	w, ok := weakRungs[c.Rung]
	return part{"weak_owner", w.points, says("%s", w.why)}, ok && c.known()
}
