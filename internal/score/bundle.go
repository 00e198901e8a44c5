package score

import (
	"fmt"
	"math"
	"strings"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/detect"
)

// second is what it costs to look at several destinations together: they were
// looked at one by one before, and who looks twice sees more by chance. It is
// also by how much a bundle must be more remarkable than each of its members.
const second = -0.5

// together is that cost.
func together(c subject) (part, bool) {
	return part{"together", second, func() string {
		return c.rare() + " are taken together: " + listed(c.Members)
	}}, len(c.Members) > 0
}

// Bundle scores a bundle of edges. What only one of them can say, as the kind of
// service or a disguise, it has first from the member that it says most of:
// common destinations beside a rare one are no excuse for it.
func (s *Scorer) Bundle(b *baseline.Bundle, edges []detect.Edge) float64 {
	best := math.Inf(-1)
	for _, i := range b.Of {
		e := &edges[i]
		if b.OriginalName == "" || s.masquerade(b.Image, b.OriginalName) == "" && s.masquerade(e.Image, e.OriginalName) != "" {
			b.Image, b.OriginalName = e.Image, e.OriginalName
		}
		points := 0.0
		if service, ok := s.catalogue.Lookup(e.Name); ok {
			points = serviceClass[service.Class]
		}
		if points > best {
			best, b.Name = points, e.Name
		}
	}
	return s.Score(&b.Edge)
}

// rare names the destinations of a bundle.
func (c subject) rare() string { return fmt.Sprintf("its %d rare destinations", len(c.Members)) }

// together says of a bundle, after a preposition, that all of it is meant.
func (c subject) together(preposition string) string {
	if len(c.Members) == 0 {
		return ""
	}
	return " " + preposition + " " + c.rare() + " together"
}

// ofRare says of a bundle which one is meant, and nothing of an edge.
func (c subject) ofRare(which string) string {
	if len(c.Members) == 0 {
		return ""
	}
	return which + " of " + c.rare()
}

// oneOf says of a bundle that it sent something to one of it only.
func (c subject) oneOf() string {
	if len(c.Members) == 0 {
		return ""
	}
	return " to one of " + c.rare()
}

// alike says what others like it do.
func (c subject) alike(do string) string {
	if len(c.Members) == 0 {
		return "such programs' edges " + do
	}
	return "such programs " + do + ", to their rare destinations"
}

// others says how many of the program's others.
func (c subject) others(s baseline.Share) string {
	if len(c.Members) == 0 {
		return fmt.Sprintf("%d of %s of the program", s.Count, plural(s.Of, "other edge"))
	}
	return fmt.Sprintf("those of %d of %s with the program", s.Count, plural(s.Of, "other host"))
}

// links says how many hosts have the program go where it goes.
func (c subject) links() string {
	if len(c.Members) > 0 {
		return c.hosts(1) + " it go to any of " + c.rare()
	}
	return fmt.Sprintf("%s it go to %s", c.hosts(c.fleet.PairHosts(c.Program, c.Domain)), c.Domain)
}

// mostNamed bounds how many destinations a sentence names.
const mostNamed = 3

func listed(domains []string) string {
	if n := len(domains) - mostNamed; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(domains[:mostNamed], ", "), n)
	}
	return strings.Join(domains, ", ")
}
