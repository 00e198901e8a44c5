package destination

import (
	"slices"
	"strings"
)

// Classes returns the classes in the order of the catalogue.
func (c *Catalogue) Classes() []ClassDoc { return slices.Clone(c.classes) }

// Services returns the services in the order of the catalogue. Their patterns
// must not be changed.
func (c *Catalogue) Services() []Service { return slices.Clone(c.services) }

// Example returns a name that a pattern of a service holds.
func Example(pattern string) string {
	name := strings.TrimPrefix(pattern, "=")
	if rest, ok := strings.CutPrefix(name, "*."); ok {
		name = "x." + rest
	}
	return strings.ReplaceAll(name, "*", "x")
}
