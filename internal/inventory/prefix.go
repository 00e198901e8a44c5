package inventory

import (
	"fmt"
	"net/netip"
	"strings"
)

// ParsePrefixes reads networks as users write them: "10.0.0.0/8", a single
// address, or several of them with commas between. It skips empty elements.
// A prefix with host bits, as in "10.1.2.3/8", is an error, because either
// the address or the length is not what was meant.
func ParsePrefixes(list []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, element := range list {
		for s := range strings.SplitSeq(element, ",") {
			s = strings.TrimSpace(s)
			if s == "" {
				continue
			}
			p, err := parsePrefix(s)
			if err != nil {
				return nil, err
			}
			all = append(all, p)
		}
	}
	return all, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("network %q is neither an address nor a prefix such as 10.0.0.0/8", s)
		}
		if a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("network %q has a zone, which means something on one host only", s)
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("network %q is not a prefix such as 10.0.0.0/8: %w", s, err)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("network %q has host bits: write %s or %s", s, p.Masked(), p.Addr())
	}
	return canonical(p)
}
