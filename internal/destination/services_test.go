package destination_test

import (
	"testing"

	"github.com/postern/postern/internal/destination"
)

func TestExample(t *testing.T) {
	c, err := destination.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Services() {
		for _, pattern := range s.Patterns {
			name := destination.Example(pattern)
			if found, ok := c.Lookup(name); !ok || found.Class != s.Class {
				t.Errorf("%s of %s is of %s", name, s.Name, found.Name)
			}
		}
	}
}
