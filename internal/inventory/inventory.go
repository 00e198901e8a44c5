package inventory

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern/postern/internal/event"
)

// LeaseSensor is the sensor that leases of an inventory name.
const LeaseSensor = "inventory"

// An Inventory is what is known of the estate beside its telemetry. A nil
// Inventory knows nothing. It is not changed once made, and then safe for
// concurrent use.
type Inventory struct {
	Hosts   []Host // ordered by name, each once
	Sensors []Sensor
	Lists   // what is inside and outside

	// Notes is what a draft has to say of itself, a line each.
	Notes []string
}

// Load reads an inventory. The name, which stands in errors, tells CSV (.csv)
// from YAML (.yaml, .yml). A mistake is an error that names file, line and
// column.
func Load(r io.Reader, name string) (*Inventory, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		return loadCSV(r, name)
	case ".yaml", ".yml":
		return loadYAML(r, name)
	}
	return nil, fmt.Errorf("inventory %s ends neither in .csv nor in .yaml", name)
}

// Host returns the host of that very name, nil when there is none. Which name
// a host goes by is what [Names] knows.
func (inv *Inventory) Host(name string) *Host {
	if inv == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(inv.Hosts, name, func(h Host, name string) int { return cmp.Compare(h.Name, name) })
	if !ok {
		return nil
	}
	return &inv.Hosts[i]
}

// Leases returns the single addresses of all hosts as leases, in the order of
// the hosts. One without a beginning has the time [event.Never], which is
// before all events; one without an end has an unknown duration. Networks are
// no leases: a host that may have any of them has none for sure.
func (inv *Inventory) Leases() []event.Lease {
	if inv == nil {
		return nil
	}
	var all []event.Lease
	for i := range inv.Hosts {
		for _, a := range inv.Hosts[i].Addresses {
			if a.Prefix.IsSingleIP() {
				all = append(all, a.lease(inv.Hosts[i].Name))
			}
		}
	}
	return all
}

// Lists are networks that someone says are inside or outside.
type Lists struct {
	Internal, External []netip.Prefix
}

// Over returns what l says, and of what it does not mention what base says.
func (l Lists) Over(base Lists) Lists {
	said := make(map[netip.Prefix]bool)
	for _, p := range slices.Concat(l.Internal, l.External) {
		said[p] = true
	}
	mentioned := func(p netip.Prefix) bool { return said[p] }
	return Lists{
		Internal: append(slices.Clone(l.Internal), slices.DeleteFunc(slices.Clone(base.Internal), mentioned)...),
		External: append(slices.Clone(l.External), slices.DeleteFunc(slices.Clone(base.External), mentioned)...),
	}
}

// Networks returns the networks that the lists make of [Defaults].
func (l Lists) Networks() (Networks, error) { return NewNetworks(l.Internal, l.External) }

// A register collects hosts and refuses the same machine twice.
type register struct {
	hosts []Host
	taken map[string]string // name or alias: the host that has it
}

// maxHosts bounds an inventory. It is beyond the largest Windows estates.
const maxHosts = 1_000_000

// add adds a host whose fields were checked one by one.
func (g *register) add(h Host) error {
	if g.taken == nil {
		g.taken = make(map[string]string)
	}
	if len(g.hosts) == maxHosts {
		return fmt.Errorf("more than %d hosts", maxHosts)
	}
	if len(h.Aliases) > maxAliases {
		return fmt.Errorf("host %s has more than %d aliases", h.Name, maxAliases)
	}
	if len(h.Addresses) > maxAddresses {
		return fmt.Errorf("host %s has more than %d addresses", h.Name, maxAddresses)
	}
	for _, name := range slices.Concat([]string{h.Name}, h.Aliases) {
		if of, ok := g.taken[name]; ok {
			return fmt.Errorf("the name %s is that of host %s already", name, of)
		}
		g.taken[name] = h.Name
	}
	if h.Value == "" {
		h.Value = Normal
	}
	g.hosts = append(g.hosts, h)
	return nil
}

// sorted returns the hosts by name.
func (g *register) sorted() []Host {
	slices.SortFunc(g.hosts, func(a, b Host) int { return cmp.Compare(a.Name, b.Name) })
	return g.hosts
}
