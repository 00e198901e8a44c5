// Package storetest says, as tests, what every store must do.
package storetest

import (
	"cmp"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// An Opener opens the store at path, a file in a folder of the test's that is
// there, and makes it if there is none. The suite closes what it opens, and does
// not open a store that is open.
type Opener func(t *testing.T, path string) store.Store

// Run runs the suite.
func Run(t *testing.T, open Opener) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Opener)
	}{
		{"RoundTrip", testRoundTrip},
		{"RandomBatches", testRandomBatches},
		{"HostileText", testHostileText},
		{"Order", testOrder},
		{"SameBatchTwice", testSameBatchTwice},
		{"OverlapAcrossRuns", testOverlapAcrossRuns},
		{"DuplicatesAnyOrder", testDuplicatesAnyOrder},
		{"OpenFlow", testOpenFlow},
		{"SameUID", testSameUID},
		{"Certificates", testCertificates},
		{"Selection", testSelection},
		{"Leases", testLeases},
		{"Loads", testLoads},
		{"TLSServers", testTLSServers},
		{"CaptureHours", testCaptureHours},
		{"Inputs", testInputs},
		{"Sessions", testSessions},
		{"ManySessions", testManySessions},
		{"SessionFilters", testSessionFilters},
		{"RemoveSessions", testRemoveSessions},
		{"ClearSessions", testClearSessions},
		{"Prevalence", testPrevalence},
		{"HugeCounts", testHugeCounts},
		{"Told", testTold},
		{"Info", testInfo},
		{"Check", testCheck},
		{"Prune", testPrune},
		{"ConcurrentAppend", testConcurrentAppend},
		{"ReadWhileWriting", testReadWhileWriting},
		{"NestedReads", testNestedReads},
		{"Cancel", testCancel},
		{"Empty", testEmpty},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open) })
	}
}

// place returns where a fresh store may be.
func place(t *testing.T) string { return filepath.Join(t.TempDir(), "store") }

// with opens a fresh store and closes it when the test ends.
func with(t *testing.T, open Opener) store.Store {
	t.Helper()
	s := open(t, place(t))
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t *testing.T, s store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func appendFlush(t *testing.T, s store.Store, batches ...*event.Batch) {
	t.Helper()
	for _, b := range batches {
		must(t, s.Append(t.Context(), b))
	}
	must(t, s.Flush(t.Context()))
}

func window(t *testing.T, s store.Store, sel store.Selection) *event.Batch {
	t.Helper()
	b, err := s.Window(t.Context(), sel)
	must(t, err)
	return b
}

// everything selects all that b holds.
func everything(b *event.Batch) store.Selection {
	var sel store.Selection
	host := func(h string) { sel.Hosts = append(sel.Hosts, h) }
	client := func(a netip.Addr) { sel.Clients = append(sel.Clients, a) }
	each(b.Starts, func(e event.ProcessStart) { host(e.Host) })
	each(b.Stops, func(e event.ProcessStop) { host(e.Host) })
	each(b.Connects, func(e event.Connect) { host(e.Host) })
	each(b.Notices, func(e event.Notice) { host(e.Host) })
	each(b.Lookups, func(e event.Lookup) {
		if e.Host != "" {
			host(e.Host)
		} else {
			client(e.Client)
		}
	})
	each(b.Flows, func(e event.Flow) { client(e.Src.Addr()) })
	each(b.Handshakes, func(e event.Handshake) { client(e.Src.Addr()) })
	each(b.Requests, func(e event.Request) { client(e.Src.Addr()) })
	each(b.Leases, func(e event.Lease) { client(e.Addr) })
	slices.Sort(sel.Hosts)
	slices.SortFunc(sel.Clients, netip.Addr.Compare)
	sel.Hosts, sel.Clients = slices.Compact(sel.Hosts), slices.Compact(sel.Clients)
	return sel
}

func each[E any](es []E, fn func(E)) {
	for _, e := range es {
		fn(e)
	}
}

// sorted returns what a Window of all of b must be, if b has no duplicates.
func sorted(b *event.Batch) *event.Batch {
	return &event.Batch{
		Starts:     inOrder(b.Starts, func(e *event.ProcessStart) (event.Time, event.Key) { return e.Time, e.Key() }),
		Stops:      inOrder(b.Stops, func(e *event.ProcessStop) (event.Time, event.Key) { return e.Time, e.Key() }),
		Connects:   inOrder(b.Connects, func(e *event.Connect) (event.Time, event.Key) { return e.Time, e.Key() }),
		Lookups:    inOrder(b.Lookups, func(e *event.Lookup) (event.Time, event.Key) { return e.Time, e.Key() }),
		Flows:      inOrder(b.Flows, func(e *event.Flow) (event.Time, event.Key) { return e.Time, e.Key() }),
		Handshakes: inOrder(b.Handshakes, func(e *event.Handshake) (event.Time, event.Key) { return e.Time, e.Key() }),
		Requests:   inOrder(b.Requests, func(e *event.Request) (event.Time, event.Key) { return e.Time, e.Key() }),
		Leases:     inOrder(b.Leases, func(e *event.Lease) (event.Time, event.Key) { return e.Time, e.Key() }),
		Notices:    inOrder(b.Notices, func(e *event.Notice) (event.Time, event.Key) { return e.Time, e.Key() }),
	}
}

func inOrder[E any](es []E, by func(*E) (event.Time, event.Key)) []E {
	es = slices.Clone(es)
	slices.SortFunc(es, func(a, b E) int {
		ta, ka := by(&a)
		tb, kb := by(&b)
		return cmp.Or(cmp.Compare(ta, tb), cmp.Compare(ka, kb))
	})
	return es
}

var compare = gocmp.Options{
	cmpopts.EquateEmpty(),
	gocmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	gocmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := gocmp.Diff(want, got, compare); d != "" {
		if len(d) > 4000 {
			d = d[:4000] + "…"
		}
		t.Errorf("%s differs (-want +got):\n%s", what, d)
	}
}

func addr(s string) netip.Addr         { return netip.MustParseAddr(s) }
func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
