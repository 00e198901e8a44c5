package inventory

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func prefixes(t testing.TB, list ...string) []netip.Prefix {
	t.Helper()
	p, err := ParsePrefixes(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func networks(t testing.TB, internal, external string) Networks {
	t.Helper()
	n, err := NewNetworks(prefixes(t, internal), prefixes(t, external))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestInternal(t *testing.T) {
	type answers map[string]bool
	for _, c := range []struct {
		name               string
		internal, external string
		want               answers
	}{
		{"the defaults", "", "", answers{
			"9.255.255.255": false, "10.0.0.0": true, "10.255.255.255": true, "11.0.0.0": false,
			"172.15.255.255": false, "172.16.0.1": true, "172.31.255.255": true, "172.32.0.0": false,
			"192.168.1.1": true, "192.169.0.0": false,
			"100.63.255.255": false, "100.64.0.1": true, "100.127.255.255": true, "100.128.0.0": false,
			"169.254.169.254": true, "127.0.0.1": true, "0.0.0.0": true, "1.0.0.0": false,
			"224.0.0.251": true, "239.255.255.250": true, "240.0.0.1": false,
			"255.255.255.254": false, "255.255.255.255": true,
			"192.0.2.1": false, "198.51.100.1": false, "203.0.113.1": false, "2001:db8::1": false,
			"8.8.8.8": false, "2606:4700::1111": false, "2000::": false,
			"::": true, "::1": true, "::2": false, "fc00::1": true, "fdff::1": true, "fe00::1": false,
			"fe80::1": true, "fe80::1%eth0": true, "fec0:0:0:ffff::1": true, "ff02::fb": true,
			"::ffff:10.0.0.1": true, "::ffff:8.8.8.8": false,
		}},
		{"an external network inside a private one", "", "10.0.5.0/24, 10.0.10.106", answers{
			"10.0.4.255": true, "10.0.5.13": false, "10.0.6.0": true, "10.0.10.105": true, "10.0.10.106": false, "10.0.10.107": true,
		}},
		{"a public network that is ours, but for one address", "203.0.113.0/24,2001:db8::/32", "203.0.113.7", answers{
			"203.0.112.255": false, "203.0.113.6": true, "203.0.113.7": false, "203.0.113.8": true, "2001:db8:1::1": true,
		}},
		{"three deep", "10.1.2.0/24", "10.1.0.0/16", answers{
			"10.0.0.1": true, "10.1.0.1": false, "10.1.2.1": true, "10.1.3.0": false, "10.2.0.0": true,
		}},
		{"a default, overridden at its own length", "", "10.0.0.0/8", answers{"10.1.1.1": false, "192.168.0.1": true}},
		{"everything is ours", "0.0.0.0/0,::/0", "", answers{"8.8.8.8": true, "2606:4700::1111": true}},
		{"nothing is", "", "::ffff:10.0.0.0/104", answers{"10.0.0.1": false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := networks(t, c.internal, c.external)
			got := answers{}
			for a := range c.want {
				got[a] = n.Internal(netip.MustParseAddr(a))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("internal (-want +got):\n%s", diff)
			}
		})
	}
	if networks(t, "0.0.0.0/0,::/0", "").Internal(netip.Addr{}) {
		t.Error("the invalid address is internal")
	}
	if (Networks{}).Internal(netip.MustParseAddr("10.0.0.1")) {
		t.Error("the zero Networks has an internal address")
	}
}

// TestInternalIsLongestPrefix compares the ranges with the definition.
func TestInternalIsLongestPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.Custom(func(t *rapid.T) netip.Addr {
			var b [4]byte // few values, so that prefixes nest and addresses hit
			for i := range b {
				b[i] = rapid.SampledFrom([]byte{0, 1, 10, 128, 255}).Draw(t, "byte")
			}
			return netip.AddrFrom4(b)
		})
		var lists [2][]netip.Prefix
		verdict := map[netip.Prefix]bool{}
		for _, p := range Defaults() {
			verdict[p] = true
		}
		said := map[netip.Prefix]bool{}
		for range rapid.IntRange(0, 12).Draw(t, "count") {
			p := netip.PrefixFrom(address.Draw(t, "network"), rapid.IntRange(0, 32).Draw(t, "bits")).Masked()
			side := rapid.IntRange(0, 1).Draw(t, "side")
			if said[p] {
				continue
			}
			said[p] = true
			lists[side] = append(lists[side], p)
			verdict[p] = side == 0
		}
		n, err := NewNetworks(lists[0], lists[1])
		if err != nil {
			t.Fatal(err)
		}
		a := address.Draw(t, "address")
		want, best := false, -1
		for p, internal := range verdict {
			if p.Contains(a) && p.Bits() > best {
				want, best = internal, p.Bits()
			}
		}
		if got := n.Internal(a); got != want {
			t.Fatalf("%s: internal %v, want %v by a /%d", a, got, want, best)
		}
	})
}

func TestNewNetworksErrors(t *testing.T) {
	for _, c := range []struct {
		name               string
		internal, external []netip.Prefix
		want               string
	}{
		{"both", prefixes(t, "10.1.0.0/16"), prefixes(t, "10.2.0.0/16,10.1.0.0/16"), "network 10.1.0.0/16 is said to be both internal and external"},
		{"both, one of them mapped", prefixes(t, "192.0.2.0/24"), []netip.Prefix{netip.MustParsePrefix("::ffff:192.0.2.0/120")}, "network 192.0.2.0/24 is said to be both internal and external"},
		{"invalid internal", []netip.Prefix{{}}, nil, "internal network: invalid prefix"},
		{"invalid external", nil, []netip.Prefix{{}}, "external network: invalid prefix"},
	} {
		_, err := NewNetworks(c.internal, c.external)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
	}
}

func TestParsePrefixes(t *testing.T) {
	got, err := ParsePrefixes([]string{" 10.0.0.0/8, 192.0.2.7 ,", "2001:db8::/32", "", "::ffff:192.0.2.8", "2001:db8::1"})
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, p := range got {
		text = append(text, p.String())
	}
	want := []string{"10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "192.0.2.8/32", "2001:db8::1/128"}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("prefixes (-want +got):\n%s", diff)
	}
	for in, want := range map[string]string{
		"lab":          `network "lab" is neither an address nor a prefix such as 10.0.0.0/8`,
		"10.0.0.0/8,x": `network "x" is neither an address nor a prefix such as 10.0.0.0/8`,
		"10.1.2.3/8":   `network "10.1.2.3/8" has host bits: write 10.0.0.0/8 or 10.1.2.3`,
		"fe80::1%eth0": `network "fe80::1%eth0" has a zone, which means something on one host only`,
		"10.0.0.0/33":  `network "10.0.0.0/33" is not a prefix such as 10.0.0.0/8: netip.ParsePrefix("10.0.0.0/33"): prefix length out of range`,
	} {
		_, err := ParsePrefixes([]string{in})
		if err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", in, err, want)
		}
	}
}

func BenchmarkInternal(b *testing.B) {
	n := networks(b, "203.0.113.0/24", "10.0.5.0/24")
	r := rand.New(rand.NewPCG(1, 2))
	v4, v6 := make([]netip.Addr, 1024), make([]netip.Addr, 1024)
	for i := range v4 {
		var four [4]byte
		binary.BigEndian.PutUint32(four[:], r.Uint32())
		v4[i] = netip.AddrFrom4(four)
		v6[i] = netip.AddrFrom16([16]byte{0x20, 1, byte(i), 15: byte(i)})
	}
	for name, addrs := range map[string][]netip.Addr{"v4": v4, "v6": v6} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				n.Internal(addrs[i%1024])
			}
		})
	}
}
