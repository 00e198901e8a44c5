package program_test

import (
	"strings"
	"testing"

	"github.com/postern/postern/internal/program"
)

// Every program that a class names is of that class where it is said to be.
func TestKnown(t *testing.T) {
	classes, err := program.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	all := classes.Known()
	if len(all) < 300 {
		t.Fatalf("%d programs", len(all))
	}
	for _, k := range all {
		if strings.ContainsAny(k.Path, "%*") {
			t.Errorf("%s is no path", k.Path)
		}
		if got := classes.Of(k.Path); got != k.Class {
			t.Errorf("%s is of class %s, not %s", k.Path, got, k.Class)
		}
	}
}
