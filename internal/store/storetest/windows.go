package storetest

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

func clients(addrs ...string) []netip.Addr {
	var as []netip.Addr
	for _, a := range addrs {
		as = append(as, addr(a))
	}
	return as
}

// testSelection checks windows against a plain filter of what was appended.
func testSelection(t *testing.T, open Opener) {
	s := with(t, open)
	all := newRandom(4).batch(1500)
	appendFlush(t, s, all)
	for _, c := range []struct {
		name string
		sel  store.Selection
	}{
		{"one host", store.Selection{Hosts: []string{"host-1"}}},
		{"two hosts, one named twice", store.Selection{Hosts: []string{"host-1", "host-3", "host-1"}}},
		{"one client", store.Selection{Clients: clients("10.0.0.1")}},
		{"clients of both families", store.Selection{Clients: clients("10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", "fe80::1%eth0")}},
		{"no address", store.Selection{Clients: []netip.Addr{{}}}},
		{"no host", store.Selection{Hosts: []string{""}}},
		{"both", store.Selection{Hosts: []string{"host-0"}, Clients: clients("10.0.0.2", "10.0.0.3")}},
		{"flows only", store.Selection{Hosts: []string{"host-0"}, Clients: clients("10.0.0.2"), Only: store.Flows}},
		{"starts and lookups", store.Selection{Hosts: []string{"host-0"}, Clients: clients("10.0.0.2"), Only: store.Starts | store.Lookups}},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, "the window", window(t, s, c.sel), sorted(filter(all, c.sel)))
		})
	}
}

// filter is a plain Window.
func filter(b *event.Batch, sel store.Selection) *event.Batch {
	host := func(k store.Kinds, h string) bool { return sel.Has(k) && slices.Contains(sel.Hosts, h) }
	client := func(k store.Kinds, a netip.Addr) bool { return sel.Has(k) && slices.Contains(sel.Clients, a) }
	return &event.Batch{
		Starts:   those(b.Starts, func(e event.ProcessStart) bool { return host(store.Starts, e.Host) }),
		Stops:    those(b.Stops, func(e event.ProcessStop) bool { return host(store.Stops, e.Host) }),
		Connects: those(b.Connects, func(e event.Connect) bool { return host(store.Connects, e.Host) }),
		Lookups: those(b.Lookups, func(e event.Lookup) bool {
			return e.Host != "" && host(store.Lookups, e.Host) || e.Host == "" && client(store.Lookups, e.Client)
		}),
		Flows:      those(b.Flows, func(e event.Flow) bool { return client(store.Flows, e.Src.Addr()) }),
		Handshakes: those(b.Handshakes, func(e event.Handshake) bool { return client(store.Handshakes, e.Src.Addr()) }),
		Requests:   those(b.Requests, func(e event.Request) bool { return client(store.Requests, e.Src.Addr()) }),
		Leases:     those(b.Leases, func(e event.Lease) bool { return client(store.Leases, e.Addr) }),
		Notices:    those(b.Notices, func(e event.Notice) bool { return host(store.Notices, e.Host) }),
	}
}

func those[E any](es []E, ok func(E) bool) []E {
	return slices.DeleteFunc(slices.Clone(es), func(e E) bool { return !ok(e) })
}

func testLeases(t *testing.T, open Opener) {
	s := with(t, open)
	connect := func(record uint64, host string, time event.Time, src string, outbound bool) event.Connect {
		c := event.Connect{Host: host, Record: record, Time: time, Dst: addrPort("1.1.1.1:443"), Outbound: outbound}
		if src != "" {
			c.Src = netip.AddrPortFrom(addr(src), 50000)
		}
		return c
	}
	b := &event.Batch{Connects: []event.Connect{
		connect(1, "b", 50, "10.0.0.10", true),
		connect(2, "b", 20, "10.0.0.9", true),
		connect(3, "b", 10, "10.0.0.10", true),
		connect(4, "b", 99, "10.0.0.10", false), // accepted: the far end's address
		connect(5, "b", 70, "", true),
		connect(6, "a", 30, "10.0.0.9", true), // the address moved
		connect(7, "a", 30, "2001:db8::1", true),
	}, Leases: []event.Lease{
		{Host: "b", Addr: addr("10.0.0.10"), Time: 40, Duration: 30},
		{Host: "c", Addr: addr("10.0.0.11"), Time: 40, Duration: event.Unknown},
		{Host: "c", Addr: addr("10.0.0.11"), Time: 41, Duration: 1<<63 - 1}, // endless
		{Host: "", Addr: addr("10.0.0.11"), Time: 42},
	}}
	cut := connect(1, "b", 49, "10.0.0.10", true)                         // by another export, which rounds
	appendFlush(t, s, b, b, &event.Batch{Connects: []event.Connect{cut}}) // duplicates count once
	got, err := s.Leases(t.Context())
	must(t, err)
	same(t, "leases", got, []store.Lease{
		{Host: "a", Addr: addr("10.0.0.9"), First: 30, Last: 30, Connects: 1},
		{Host: "a", Addr: addr("2001:db8::1"), First: 30, Last: 30, Connects: 1},
		{Host: "b", Addr: addr("10.0.0.9"), First: 20, Last: 20, Connects: 1},
		{Host: "b", Addr: addr("10.0.0.10"), First: 10, Last: 70, Connects: 2},
		{Host: "c", Addr: addr("10.0.0.11"), First: 40, Last: 41},
	})
}

// testLoads checks that loads are in order and are what windows read.
func testLoads(t *testing.T, open Opener) {
	s := with(t, open)
	appendFlush(t, s, newRandom(5).batch(400))
	loads, err := s.Loads(t.Context())
	must(t, err)
	if !slices.IsSortedFunc(loads, func(a, b store.Load) int {
		switch {
		case a.Host != "" && b.Host == "":
			return -1
		case a.Host == "" && b.Host != "":
			return 1
		case a.Host != "":
			return compareText(a.Host, b.Host)
		}
		return a.Addr.Compare(b.Addr)
	}) {
		t.Errorf("not in order: %v", loads)
	}
	for _, l := range loads {
		sel := store.Selection{Clients: []netip.Addr{l.Addr}}
		if l.Host != "" {
			sel = store.Selection{Hosts: []string{l.Host}}
		}
		if n := window(t, s, sel).Len(); int64(n) != l.Rows {
			t.Errorf("load of %q %v is %d, its window has %d events", l.Host, l.Addr, l.Rows, n)
		}
	}
	if len(loads) < 10 {
		t.Errorf("only %d loads", len(loads))
	}
}

func testTLSServers(t *testing.T, open Opener) {
	s := with(t, open)
	handshake := func(uid, dst string, established event.Tri, version string) event.Handshake {
		h := event.Handshake{UID: uid, Src: addrPort("10.0.0.1:1"), Established: established, Version: version}
		if dst != "" {
			h.Dst = addrPort(dst)
		}
		return h
	}
	appendFlush(t, s, &event.Batch{Handshakes: []event.Handshake{
		handshake("1", "10.0.0.20:443", event.Yes, ""),
		handshake("2", "10.0.0.3:443", event.Unsaid, ""),
		handshake("3", "10.0.0.3:8443", event.Yes, ""),
		handshake("4", "10.0.0.3:443", event.No, ""),
		handshake("5", "10.0.0.4:443", event.No, ""),        // nobody answered
		handshake("6", "10.0.0.5:443", event.No, "TLSv1.2"), // answered, but failed
		handshake("7", "[2001:db8::1]:443", event.Yes, ""),
		handshake("8", "", event.Yes, ""),
	}})
	got, err := s.TLSServers(t.Context())
	must(t, err)
	same(t, "TLS servers", got, []netip.AddrPort{
		addrPort("10.0.0.3:443"), addrPort("10.0.0.3:8443"), addrPort("10.0.0.5:443"), addrPort("10.0.0.20:443"), addrPort("[2001:db8::1]:443"),
	})
}

func testInputs(t *testing.T, open Opener) {
	path := place(t)
	in := store.Input{
		Fingerprint: "f1", Path: "/a 'b'", Format: "zeek", Records: 1 << 40, Events: 2, Skipped: 3, Clock: "utc", ReadAt: 1_700_000_000_000_000,
	}
	s := open(t, path)
	if _, ok, err := s.Input(t.Context(), "f1"); ok || err != nil {
		t.Errorf("unknown input: %v, %v", ok, err)
	}
	must(t, s.PutInput(t.Context(), store.Input{Fingerprint: "f1", Records: 1}))
	must(t, s.PutInput(t.Context(), store.Input{Fingerprint: "f2", Path: "other"}))
	must(t, s.Flush(t.Context()))
	must(t, s.PutInput(t.Context(), in)) // once more: the later counts
	check := func() {
		t.Helper()
		got, ok, err := s.Input(t.Context(), "f1")
		must(t, err)
		if !ok {
			t.Error("the input is not known")
		}
		same(t, "the input", got, in)
	}
	check()
	closeStore(t, s)
	s = open(t, path)
	defer closeStore(t, s)
	check()
	if _, ok, err := s.Input(t.Context(), "f3"); ok || err != nil {
		t.Errorf("unknown input: %v, %v", ok, err)
	}
}

func testCaptureHours(t *testing.T, open Opener) {
	s := with(t, open)
	const hour = 3_600_000_000
	var b event.Batch
	for i, at := range []event.Time{5*hour + 1, 5 * hour, 6*hour - 1, 9*hour + 7} {
		b.Flows = append(b.Flows, event.Flow{UID: string(rune('a' + i)), Time: at, Src: addrPort("10.0.0.1:1")})
	}
	appendFlush(t, s, &b, &b)
	got, err := s.CaptureHours(t.Context())
	must(t, err)
	same(t, "hours", got, []event.Time{5 * hour, 9 * hour})
}
