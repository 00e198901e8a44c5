package fleet_test

import (
	"slices"
	"testing"

	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/simulate/fleet"
)

// TestCatalogueIsOfTheClasses: the known products lie where the classes of
// package program expect them.
func TestCatalogueIsOfTheClasses(t *testing.T) {
	classes, err := program.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	want := map[fleet.Origin][]program.Class{
		fleet.Browsing: {program.Browser}, fleet.System: {program.System}, fleet.LOLBin: {program.LOLBin},
		fleet.Collaboration: {program.Collaboration}, fleet.Updater: {program.Updater}, fleet.Agent: {program.Security, program.RMM},
	}
	seen := make(map[string]bool)
	for h := range newFleet(t, fleet.Config{Seed: 1, Hosts: 60, Days: 5, Deeds: -1}).Each() {
		for i := range h.Contacts {
			p := h.Contacts[i].Process
			if w, ok := want[p.Origin]; ok && !seen[p.Key] && !slices.Contains(w, classes.Of(p.Image)) {
				t.Errorf("%s is of class %s, want %v", p.Image, classes.Of(p.Image), w)
			}
			seen[p.Key] = true
		}
	}
}
