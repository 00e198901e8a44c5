package destination

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed catalogue.txt
var catalogueText string

// A Class is a kind of web service, as findings and rules name it: "tunnel".
type Class string

// A ClassDoc tells people about a class.
type ClassDoc struct {
	Name  Class
	Title string // "Tunnel"
	Doc   string // one sentence: why the class matters in outbound TLS
}

// A Service is a web service that names belong to.
type Service struct {
	Name     string
	Class    Class
	Patterns []string // as catalogue.txt describes them; do not change
	Source   string   // where the patterns come from
}

// A Catalogue finds the web service that a name belongs to. It is immutable
// and safe for concurrent use; the zero value knows none.
type Catalogue struct {
	classes  []ClassDoc
	services []Service
	domains  map[string]domain
}

// A domain holds the services of the patterns over one name, as indexes into
// services plus one.
type domain struct {
	exact int // "=name"
	tree  int // "name": the name and those below it
	below int // "*.name"
}

// Shipped returns the catalogue that comes with Postern.
func Shipped() (*Catalogue, error) { return shipped() }

var shipped = sync.OnceValues(func() (*Catalogue, error) {
	return Load(strings.NewReader(catalogueText))
})

// Lookup returns the service that a name belongs to: that of the pattern with
// the most labels. The name is normalised first (see [Normalise]). An address
// belongs to a service that lists it, and never to a domain.
func (c *Catalogue) Lookup(name string) (Service, bool) {
	name = Normalise(name)
	if i := c.whole(name); i > 0 {
		return c.services[i-1], true
	}
	if _, ok := address(name); ok {
		return Service{}, false
	}
	for {
		_, rest, more := strings.Cut(name, ".")
		if !more {
			return Service{}, false
		}
		name = rest
		if i := c.above(name); i > 0 {
			return c.services[i-1], true
		}
	}
}

// whole returns the service of a name by the patterns over all of its labels.
func (c *Catalogue) whole(name string) int {
	d := c.domains[name]
	if d.exact > 0 {
		return d.exact
	}
	if d.tree > 0 {
		return d.tree
	}
	return c.varied(name).tree
}

// above returns the service of the names below suffix.
func (c *Catalogue) above(suffix string) int {
	d := c.domains[suffix]
	if d.below > 0 {
		return d.below
	}
	if d.tree > 0 {
		return d.tree
	}
	return c.varied(suffix).tree
}

// varied looks name up with a * in place of its second label.
func (c *Catalogue) varied(name string) domain {
	first, rest, _ := strings.Cut(name, ".")
	_, rest, more := strings.Cut(rest, ".")
	if !more {
		return domain{}
	}
	var buffer [maxName + 2]byte // the lookup of a byte slice does not allocate
	key := append(append(append(buffer[:0], first...), ".*."...), rest...)
	return c.domains[string(key)]
}
