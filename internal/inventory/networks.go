// Package inventory knows what belongs to the estate: its hosts and what they
// are for, their names and addresses, and which networks are inside.
package inventory

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

// Networks tells internal addresses from external ones. The zero value takes
// every address for external; [NewNetworks] makes a useful one. It is
// immutable and safe for concurrent use.
type Networks struct {
	// The address space, cut where the answer changes: an address belongs to
	// the last range that begins at or before it.
	v4 []range4
	v6 []range6
}

type range4 struct {
	from     uint32
	internal bool
}

type range6 struct {
	from     netip.Addr
	internal bool
}

// Defaults returns the prefixes that are internal unless the user says
// otherwise: what no public network routes to one estate from outside.
// Prefixes for documentation are not among them. Nobody uses them, so that an
// address in one means an example or a mistake, and both should be seen.
func Defaults() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"),         // RFC 1918, private
		netip.MustParsePrefix("172.16.0.0/12"),      // RFC 1918
		netip.MustParsePrefix("192.168.0.0/16"),     // RFC 1918
		netip.MustParsePrefix("100.64.0.0/10"),      // RFC 6598, between a customer and a carrier's NAT; overlay VPNs number their hosts from it
		netip.MustParsePrefix("169.254.0.0/16"),     // RFC 3927, link-local; clouds serve instance metadata from it
		netip.MustParsePrefix("127.0.0.0/8"),        // RFC 1122, loopback
		netip.MustParsePrefix("0.0.0.0/8"),          // RFC 1122, this network: the unspecified address
		netip.MustParsePrefix("224.0.0.0/4"),        // RFC 5771, multicast
		netip.MustParsePrefix("255.255.255.255/32"), // RFC 919, broadcast
		netip.MustParsePrefix("::/128"),             // RFC 4291, unspecified
		netip.MustParsePrefix("::1/128"),            // RFC 4291, loopback
		netip.MustParsePrefix("fc00::/7"),           // RFC 4193, unique local
		netip.MustParsePrefix("fe80::/10"),          // RFC 4291, link-local
		netip.MustParsePrefix("fec0::/10"),          // RFC 3879, site-local: deprecated, but Windows asks fec0:0:0:ffff::1 for names
		netip.MustParsePrefix("ff00::/8"),           // RFC 4291, multicast
	}
}

// NewNetworks returns the networks of an estate. The user's prefixes override
// [Defaults] and each other: the longest that holds an address decides. One
// prefix that is given both as internal and as external is an error.
func NewNetworks(internal, external []netip.Prefix) (Networks, error) {
	t := table{}
	for _, p := range Defaults() {
		t.set(p, true)
	}
	said := table{}
	for _, p := range internal {
		p, err := canonical(p)
		if err != nil {
			return Networks{}, fmt.Errorf("internal network: %w", err)
		}
		said.set(p, true)
		t.set(p, true)
	}
	for _, p := range external {
		p, err := canonical(p)
		if err != nil {
			return Networks{}, fmt.Errorf("external network: %w", err)
		}
		if said[p.Bits()][p] {
			return Networks{}, fmt.Errorf("network %s is said to be both internal and external", p)
		}
		t.set(p, false)
	}
	return t.compile(), nil
}

// Internal reports whether a is inside. An IPv4 address mapped into IPv6
// counts as the IPv4 address, and a zone is ignored. The invalid address is
// not internal: who asks about one must handle the unknown first.
func (n Networks) Internal(a netip.Addr) bool {
	a = a.Unmap()
	if a.Is4() {
		b := a.As4()
		return n.internal4(binary.BigEndian.Uint32(b[:]))
	}
	if !a.IsValid() {
		return false
	}
	return n.internal6(a.WithZone(""))
}

func (n Networks) internal4(a uint32) bool {
	i, found := slices.BinarySearchFunc(n.v4, a, func(r range4, a uint32) int { return cmp.Compare(r.from, a) })
	if !found {
		i--
	}
	return i >= 0 && n.v4[i].internal
}

func (n Networks) internal6(a netip.Addr) bool {
	i, found := slices.BinarySearchFunc(n.v6, a, func(r range6, a netip.Addr) int { return r.from.Compare(a) })
	if !found {
		i--
	}
	return i >= 0 && n.v6[i].internal
}
