package duckdb

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
)

// TestClustersKeepTheOrderOfEachLocality: rows come out by address, then host, and
// those of one as they went in.
func TestClustersKeepTheOrderOfEachLocality(t *testing.T) {
	row := func(addr, host, name string) event.Lookup {
		l := event.Lookup{Host: host, Name: name}
		if addr != "" {
			l.Client = netip.MustParseAddr(addr)
		}
		return l
	}
	c := cluster[event.Lookup]{near: lookups().near, rows: []event.Lookup{
		row("10.0.0.9", "", "a"), row("", "ws-2", "b"), row("10.0.0.10", "", "c"), row("", "ws-1", "d"),
		row("10.0.0.9", "", "e"), row("", "ws-2", "f"), row("", "ws-1", "g"), row("10.0.0.9", "", "h"),
	}}
	for range 2 { // what is kept from the first time must not show
		var got string
		for _, i := range c.sorted() {
			got += c.rows[i].Name
		}
		if diff := cmp.Diff("dgbfaehc", got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestConnectsStandByTheAddressOfTheirHost: accepted ones too.
func TestConnectsStandByTheAddressOfTheirHost(t *testing.T) {
	here, there := netip.MustParseAddrPort("10.0.0.9:50000"), netip.MustParseAddrPort("192.0.2.1:443")
	opened := event.Connect{Host: "ws-1", Src: here, Dst: there, Outbound: true}
	accepted := event.Connect{Host: "ws-1", Src: there, Dst: here}
	near := connects().near
	if near(&opened) != near(&accepted) {
		t.Errorf("%v and %v", near(&opened), near(&accepted))
	}
}
