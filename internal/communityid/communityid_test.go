package communityid_test

import (
	"net/netip"
	"testing"

	"github.com/postern/postern/internal/communityid"
	"github.com/postern/postern/internal/event"
)

// TestOf has the flows with ports of the specification's baselines, of the
// seeds 0 and 1. The baselines name each flow from both ends.
func TestOf(t *testing.T) {
	for _, tt := range []struct {
		proto        event.Proto
		src, dst     string
		seed0, seed1 string
	}{
		{event.TCP, "128.232.110.120:34855", "66.35.250.204:80", "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
		{event.TCP, "[2001:470:e5bf:dead:4957:2174:e82c:4887]:63943", "[2607:f8b0:400c:c03::1a]:25", "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=", "1:eJYTW6AOzFLlSUoESovMjnu7rMw="},
		{event.UDP, "192.168.1.52:54585", "8.8.8.8:53", "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", "1:Q9We8WO3piVF8yEQBNJF4uiSVrI="},
		{132, "192.168.170.8:7", "192.168.170.56:7", "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=", "1:5w3ZRjeKBzqT3zsaEECDGjUbYeg="},
	} {
		src, dst := netip.MustParseAddrPort(tt.src), netip.MustParseAddrPort(tt.dst)
		for seed, want := range []string{tt.seed0, tt.seed1} {
			if got := communityid.Of(uint16(seed), tt.proto, src, dst); got != want {
				t.Errorf("seed %d, %v %v to %v: %s, want %s", seed, tt.proto, src, dst, got, want)
			}
			if got := communityid.Of(uint16(seed), tt.proto, dst, src); got != want {
				t.Errorf("seed %d, %v %v to %v: %s, want %s", seed, tt.proto, dst, src, got, want)
			}
		}
	}
}

// TestOrder: between two ports of one address, the ports decide which end
// comes first.
func TestOrder(t *testing.T) {
	a, b := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:443")
	if x, y := communityid.Of(0, event.TCP, a, b), communityid.Of(0, event.TCP, b, a); x != y || x == "" {
		t.Errorf("%q one way and %q the other", x, y)
	}
}

func TestForms(t *testing.T) {
	const want = "1:LQU9qZlK+B5F3KDmev6m5PMibrg="
	src, dst := netip.MustParseAddrPort("[::ffff:128.232.110.120]:34855"), netip.MustParseAddrPort("66.35.250.204:80")
	if got := communityid.Of(0, event.TCP, src, dst); got != want {
		t.Errorf("mapped into IPv6: %s, want %s", got, want)
	}
	a, b := netip.MustParseAddrPort("[fe80::1%eth0]:1"), netip.MustParseAddrPort("[fe80::1%eth1]:2")
	bare := netip.AddrPortFrom(a.Addr().WithZone(""), 1)
	for _, other := range []netip.AddrPort{a, bare} {
		if x, y := communityid.Of(0, event.UDP, other, b), communityid.Of(0, event.UDP, b, bare); x != y {
			t.Errorf("zones make a difference: %s and %s", x, y)
		}
	}
}

func TestNone(t *testing.T) {
	v4, v6 := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("[2001:db8::1]:2")
	for _, tt := range []struct {
		name     string
		proto    event.Proto
		src, dst netip.AddrPort
	}{
		{"ICMP", 1, v4, v4},
		{"no protocol", 0, v4, v4},
		{"two families", event.TCP, v4, v6},
		{"no source", event.TCP, netip.AddrPort{}, v4},
		{"no destination", event.TCP, v6, netip.AddrPort{}},
		{"no address", event.TCP, netip.AddrPort{}, netip.AddrPort{}},
	} {
		if got := communityid.Of(0, tt.proto, tt.src, tt.dst); got != "" {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

func TestAllocations(t *testing.T) {
	src, dst := netip.MustParseAddrPort("10.0.0.1:50000"), netip.MustParseAddrPort("203.0.113.9:443")
	if n := testing.AllocsPerRun(100, func() { communityid.Of(0, event.TCP, src, dst) }); n > 1 {
		t.Errorf("%v allocations, want that of the string", n)
	}
}

func BenchmarkOf(b *testing.B) {
	src, dst := netip.MustParseAddrPort("10.0.0.1:50000"), netip.MustParseAddrPort("203.0.113.9:443")
	b.ReportAllocs()
	for b.Loop() {
		communityid.Of(0, event.TCP, src, dst)
	}
}
