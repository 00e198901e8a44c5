package destination

import "slices"

// Classes returns the classes in the order of the catalogue.
func (c *Catalogue) Classes() []ClassDoc { return slices.Clone(c.classes) }

// Services returns the services in the order of the catalogue.
func (c *Catalogue) Services() []Service { return slices.Clone(c.services) }
