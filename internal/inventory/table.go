package inventory

import (
	"encoding/binary"
	"errors"
	"maps"
	"net/netip"
	"slices"
)

// A table holds prefixes by their length, and whether each is internal. It is
// what [NewNetworks] collects before it cuts the address space into ranges.
type table map[int]map[netip.Prefix]bool

// set says of a canonical prefix whether it is internal.
func (t table) set(p netip.Prefix, internal bool) {
	if t[p.Bits()] == nil {
		t[p.Bits()] = map[netip.Prefix]bool{}
	}
	t[p.Bits()][p] = internal
}

// internal returns what the longest prefix that holds a says.
func (t table) internal(a netip.Addr, lengths []int) bool {
	for _, bits := range lengths {
		p, err := a.Prefix(bits)
		if err != nil { // longer than an IPv4 address
			continue
		}
		if internal, ok := t[bits][p]; ok {
			return internal
		}
	}
	return false
}

// compile cuts the address space at the ends of all prefixes.
func (t table) compile() Networks {
	lengths := slices.Sorted(maps.Keys(t))
	slices.Reverse(lengths)
	var n Networks
	for _, a := range t.cuts() {
		internal := t.internal(a, lengths)
		if !a.Is4() {
			n.v6 = append(n.v6, range6{a, internal})
			continue
		}
		b := a.As4()
		n.v4 = append(n.v4, range4{binary.BigEndian.Uint32(b[:]), internal})
	}
	return n
}

// cuts returns the first address of each prefix and the first one after it,
// sorted.
func (t table) cuts() []netip.Addr {
	var all []netip.Addr
	for _, prefixes := range t {
		for p := range prefixes {
			all = append(all, p.Addr())
			if after := last(p).Next(); after.IsValid() {
				all = append(all, after)
			}
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// last returns the last address of p.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// errPrefix says that a prefix is the zero Prefix or has an impossible length.
var errPrefix = errors.New("invalid prefix")

// canonical returns p without host bits, an IPv4 network mapped into IPv6 as
// the IPv4 network.
func canonical(p netip.Prefix) (netip.Prefix, error) {
	if !p.IsValid() {
		return netip.Prefix{}, errPrefix
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}
