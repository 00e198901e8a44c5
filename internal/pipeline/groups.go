package pipeline

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/postern/postern/internal/store"
)

// A group is hosts and addresses that are joined at once. Hosts that ever used
// the same address stand in one group, so that no join ever needs another's
// events.
type group struct {
	store.Selection
	rows int64
}

// node is a host or an address, as a key of the union-find forest.
type node struct {
	host string
	addr netip.Addr
}

// forest finds the connected parts of the graph of hosts and addresses.
type forest map[node]node

func (f forest) root(n node) node {
	p, ok := f[n]
	if !ok {
		f[n] = n
		return n
	}
	if p == n {
		return n
	}
	r := f.root(p)
	f[n] = r
	return r
}

// join puts a and b into one part, under the lesser root.
func (f forest) join(a, b node) {
	a, b = f.root(a), f.root(b)
	if compareNodes(b, a) < 0 {
		a, b = b, a
	}
	f[b] = a
}

func compareNodes(a, b node) int {
	return cmp.Or(cmp.Compare(a.host, b.host), a.addr.Compare(b.addr))
}

// makeGroups packs the connected parts of hosts and addresses into groups of
// about the given number of rows. A part is never split: one that is larger
// makes a group of its own.
func makeGroups(leases []store.Lease, loads []store.Load, rows int64) []group {
	f := make(forest)
	watched := make(map[netip.Addr]bool)
	for _, l := range loads {
		watched[l.Addr] = true
	}
	for _, l := range leases {
		// An address that no wire saw ties nothing: at home, many hosts have
		// the same one.
		if watched[l.Addr] && !l.Addr.IsLoopback() && !l.Addr.IsUnspecified() {
			f.join(node{host: l.Host}, node{addr: l.Addr})
		}
	}
	parts := make(map[node]*group)
	for _, l := range loads {
		r := f.root(node{l.Host, l.Addr})
		p := parts[r]
		if p == nil {
			p = new(group)
			parts[r] = p
		}
		p.add(l)
	}
	var roots []node
	for r := range parts {
		roots = append(roots, r)
	}
	slices.SortFunc(roots, compareNodes)
	var groups []group
	for _, r := range roots {
		p := parts[r]
		if n := len(groups); n > 0 && groups[n-1].rows+p.rows <= rows {
			groups[n-1].merge(p)
			continue
		}
		groups = append(groups, *p)
	}
	return groups
}

func (g *group) add(l store.Load) {
	g.rows += l.Rows
	if l.Addr.IsValid() {
		g.Clients = append(g.Clients, l.Addr)
	} else {
		g.Hosts = append(g.Hosts, l.Host)
	}
}

func (g *group) merge(o *group) {
	g.rows += o.rows
	g.Hosts = append(g.Hosts, o.Hosts...)
	g.Clients = append(g.Clients, o.Clients...)
}
