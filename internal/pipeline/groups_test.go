package pipeline

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/store"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestHostsThatSharedAnAddressStandTogether(t *testing.T) {
	leases := []store.Lease{
		{Host: "a", Addr: addr("10.0.0.1")}, {Host: "a", Addr: addr("10.0.0.2")},
		{Host: "b", Addr: addr("10.0.0.2")}, {Host: "c", Addr: addr("10.0.0.3")},
		{Host: "c", Addr: addr("127.0.0.1")}, {Host: "a", Addr: addr("127.0.0.1")},
		{Host: "c", Addr: addr("192.168.1.2")}, {Host: "a", Addr: addr("192.168.1.2")},
	}
	loads := []store.Load{
		{Host: "a", Rows: 10}, {Host: "b", Rows: 10}, {Host: "c", Rows: 10},
		{Addr: addr("10.0.0.1"), Rows: 10}, {Addr: addr("10.0.0.2"), Rows: 10},
		{Addr: addr("10.0.0.3"), Rows: 10}, {Addr: addr("10.0.0.4"), Rows: 10},
	}
	var got []string
	for _, g := range makeGroups(leases, loads, 1) {
		got = append(got, fmt.Sprint(g.Hosts, g.Clients, g.rows))
	}
	want := []string{
		"[] [10.0.0.4] 10", // no host used it
		"[a b] [10.0.0.1 10.0.0.2] 40",
		"[c] [10.0.0.3] 20", // sharing loopback, or an address without flows, is nothing
	}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
		t.Error(diff)
	}
}

func TestGroupsArePackedToTheirSize(t *testing.T) {
	var loads []store.Load
	for i := range 100 {
		loads = append(loads, store.Load{Host: fmt.Sprint("h", i), Rows: 10})
	}
	groups := makeGroups(nil, loads, 50)
	if len(groups) != 20 {
		t.Errorf("%d groups, want 20", len(groups))
	}
}

func TestGroupsDoNotDependOnOrder(t *testing.T) {
	var leases []store.Lease
	var loads []store.Load
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 50 {
		h := fmt.Sprint("h", i)
		loads = append(loads, store.Load{Host: h, Rows: int64(r.IntN(100))})
		a := addr(fmt.Sprintf("10.0.0.%d", r.IntN(60)))
		leases = append(leases, store.Lease{Host: h, Addr: a})
		loads = append(loads, store.Load{Addr: a, Rows: 1})
	}
	want := fmt.Sprint(makeGroups(leases, loads, 200))
	r.Shuffle(len(leases), func(i, j int) { leases[i], leases[j] = leases[j], leases[i] })
	if got := fmt.Sprint(makeGroups(leases, loads, 200)); got != want {
		t.Error("the order of leases changes the groups")
	}
}
