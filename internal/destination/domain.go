package destination

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Domain returns the registered domain of a name by the public suffix list,
// with the private section of the list: foo.azurewebsites.net and
// foo.github.io are domains of their own, because each belongs to someone
// else. For such a domain shared is true: a provider lets the place below
// that suffix to anybody. The name is normalised first (see [Normalise]). An
// address, a single label, a public suffix and "" are returned themselves.
//
// The list is the one that golang.org/x/net/publicsuffix was built with.
func Domain(name string) (domain string, shared bool) {
	name = Normalise(name)
	if _, ok := address(name); ok || name == "" {
		return name, false
	}
	suffix, icann := publicsuffix.PublicSuffix(name)
	// A suffix that is in neither section is the last label: ".local".
	shared = !icann && strings.Contains(suffix, ".")
	if suffix == name {
		return name, shared
	}
	label := strings.LastIndexByte(name[:len(name)-len(suffix)-1], '.') + 1
	return name[label:], shared
}
