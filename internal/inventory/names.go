package inventory

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// netBIOS is the length that Windows cuts short names to.
const netBIOS = 15

// Names knows which names are of one machine. Sensors disagree on how they
// name a host: Sysmon writes the FQDN, others the short name. The zero Names
// takes each name for a machine of its own. It is immutable and safe for
// concurrent use.
type Names struct {
	declared map[string]string              // name or alias: the host of the inventory
	labels   map[string]map[string]struct{} // short name: the FQDNs that it may stand for
	unclear  []Ambiguity
}

// An Ambiguity is a short name that may be each of several machines. It stays
// a machine of its own.
type Ambiguity struct {
	Short string
	FQDNs []string
}

// NewNames learns names from what is known, as all host names in the events,
// and from an inventory, which may be nil.
//
// What the inventory says wins. Beyond it, a short name and an FQDN are one
// machine when the short name is the first label of that FQDN, as a whole or
// cut to 15 characters as NetBIOS does, and of no other known FQDN.
func NewNames(known []string, inv *Inventory) Names {
	n := Names{declared: make(map[string]string), labels: make(map[string]map[string]struct{})}
	if inv != nil {
		for i := range inv.Hosts {
			h := &inv.Hosts[i]
			for _, name := range append([]string{h.Name}, h.Aliases...) {
				n.declared[name] = h.Name
			}
		}
	}
	for name := range n.declared {
		n.learn(name)
	}
	for _, name := range known {
		n.learn(fold(name))
	}
	for _, name := range known {
		n.doubt(fold(name))
	}
	slices.SortFunc(n.unclear, func(a, b Ambiguity) int { return strings.Compare(a.Short, b.Short) })
	n.unclear = slices.CompactFunc(n.unclear, func(a, b Ambiguity) bool { return a.Short == b.Short })
	return n
}

// learn files an FQDN under its short names. One that the inventory gives to
// a host counts as that host.
func (n Names) learn(name string) {
	label, ok := firstLabel(name)
	if !ok {
		return
	}
	machine := name
	if host, ok := n.declared[name]; ok {
		machine = host
	}
	n.file(label, machine)
	if len(label) > netBIOS {
		n.file(label[:netBIOS], machine)
	}
}

func (n Names) file(short, machine string) {
	if n.labels[short] == nil {
		n.labels[short] = make(map[string]struct{})
	}
	n.labels[short][machine] = struct{}{}
}

// doubt notes a short name that stands for several.
func (n *Names) doubt(name string) {
	if _, ok := n.declared[name]; ok {
		return
	}
	if may := n.labels[name]; len(may) > 1 {
		n.unclear = append(n.unclear, Ambiguity{name, slices.Sorted(maps.Keys(may))})
	}
}

// firstLabel returns the first label of an FQDN, false for what is none: a
// short name, or an address.
func firstLabel(name string) (string, bool) {
	label, _, ok := strings.Cut(name, ".")
	if !ok || label == "" {
		return "", false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return "", false
	}
	return label, true
}

// Of returns the one name, in lower case, of the machine that goes by name:
// that of the inventory, or else the FQDN where it is known.
func (n Names) Of(name string) string {
	name = fold(name)
	if host, ok := n.declared[name]; ok {
		return host
	}
	if label, ok := firstLabel(name); ok {
		return n.ofFQDN(name, label)
	}
	if machine, ok := n.only(name); ok {
		if label, ok := firstLabel(machine); ok && n.declared[machine] == "" {
			return n.ofFQDN(machine, label)
		}
		return machine
	}
	return name
}

// ofFQDN returns the host of the inventory that is known by the short name
// alone, where only this FQDN fits it.
func (n Names) ofFQDN(fqdn, label string) string {
	for _, short := range []string{label, label[:min(len(label), netBIOS)]} {
		host, ok := n.declared[short]
		if machine, one := n.only(short); ok && one && machine == fqdn {
			return host
		}
	}
	return fqdn
}

// only returns the machine that a short name stands for, if it is one.
func (n Names) only(short string) (string, bool) {
	if len(n.labels[short]) != 1 {
		return "", false
	}
	for machine := range n.labels[short] {
		return machine, true
	}
	return "", false
}

// Ambiguous returns the known short names that may be several machines,
// ordered.
func (n Names) Ambiguous() []Ambiguity { return n.unclear }
