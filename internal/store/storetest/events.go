package storetest

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// testRoundTrip checks that every field of every kind comes back, after the
// store was closed and opened again.
func testRoundTrip(t *testing.T, open Opener) {
	path := place(t)
	b := &event.Batch{
		Starts: []event.ProcessStart{{
			Host: "h", Time: 1, Source: event.Sysmon, Record: 1<<64 - 1, PID: 1<<32 - 1, GUID: "g", ParentPID: 2, ParentGUID: "pg",
			ParentImage: "pi", ParentCommandLine: "pc", Image: "i", CommandLine: "c", User: "u", OriginalName: "o", Product: "p",
			Company: "co", Hashes: "ha",
		}, {Host: "h", Time: -5}},
		Stops: []event.ProcessStop{{Host: "h", Time: 3, Source: event.Security, Record: 4, PID: 5, GUID: "g", Image: "i"}},
		Connects: []event.Connect{{
			Host: "h", Time: 1<<62 + 1, Source: event.Sysmon, Record: 6, PID: 7, GUID: "g", Image: "i", User: "u", Proto: 255,
			Src: addrPort("10.0.0.1:65535"), Dst: addrPort("[2001:db8::1]:443"), Outbound: true, DstName: "d",
			CommunityID: "1:c", Volume: event.Volume{Counted: true, Duration: 1, BytesOut: event.Unknown, BytesIn: 3},
		}, {Host: "h", Record: 8}},
		Lookups: []event.Lookup{
			{Host: "h", Time: 8, Source: event.Sysmon, Record: 9, PID: 1, GUID: "g", Image: "i", Name: "n", Answers: []netip.Addr{addr("1.2.3.4"), addr("::ffff:1.2.3.4"), addr("2001:db8::2")}},
			{Sensor: "z", Time: 9, Client: addr("10.0.0.1"), Name: "n"},
		},
		Flows: []event.Flow{{
			Sensor: "z", Time: 10, UID: "C1", Proto: event.TCP, Src: addrPort("10.0.0.1:1"), Dst: addrPort("1.2.3.4:443"),
			Duration: 1, BytesOut: 2, BytesIn: 3, PacketsOut: 4, PacketsIn: 5, State: "SF", History: "ShA", Service: "ssl", Open: true,
			CommunityID: "1:f",
		}, {
			UID: "C2", Src: addrPort("10.0.0.1:2"), Duration: event.Unknown, BytesOut: event.Unknown, BytesIn: event.Unknown,
			PacketsOut: event.Unknown, PacketsIn: event.Unknown,
		}, {UID: "C3", BytesOut: 0, BytesIn: event.Unknown}},
		Handshakes: []event.Handshake{{
			Sensor: "z", Time: 11, UID: "C1", Proto: event.UDP, Src: addrPort("10.0.0.1:1"), Dst: addrPort("1.2.3.4:443"), SNI: "s",
			Version: "v", ALPN: "a", JA3: "3", JA3S: "3s", JA4: "4", Subject: "su", Issuer: "is", CertID: "ci", Established: event.Yes,
		}, {UID: "C2", Established: event.No}, {UID: "C3", Established: event.Unsaid}},
		Requests: []event.Request{{
			Sensor: "z", Time: 12, UID: "C1", Src: addrPort("10.0.0.1:1"), Dst: addrPort("10.0.0.9:3128"), Method: "CONNECT",
			Scheme: "https", Host: "x.example", Port: 443, User: "u", Status: 200,
			Volume: event.Volume{Counted: true, Duration: event.Unknown, BytesOut: 2, BytesIn: 3},
		}},
		Leases: []event.Lease{
			{Sensor: "z", Time: 13, Host: "h", Addr: addr("10.0.0.1"), MAC: "00:11:22:33:44:55", Duration: 5},
			{Host: "h", Addr: addr("10.0.0.1"), Duration: event.Unknown},
		},
		Notices: []event.Notice{{Host: "h", Time: 13, Source: event.Sysmon, Record: 14, Kind: "k", Text: "t"}},
	}
	s := open(t, path)
	appendFlush(t, s, b)
	same(t, "the window", window(t, s, everything(b)), sorted(b))
	closeStore(t, s)

	s = open(t, path)
	defer closeStore(t, s)
	same(t, "the window of the store opened again", window(t, s, everything(b)), sorted(b))
}

// testRandomBatches does the same with many events of odd values, appended in
// pieces and flushed now and then. Close flushes the rest.
func testRandomBatches(t *testing.T, open Opener) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r, all := newRandom(seed), &event.Batch{}
			path := place(t)
			s := open(t, path)
			for range 8 {
				b := r.batch(r.IntN(900))
				must(t, s.Append(t.Context(), b))
				join(all, b)
				b.Reset() // the store must not keep it
				if r.IntN(3) == 0 {
					must(t, s.Flush(t.Context()))
				}
			}
			closeStore(t, s)
			s = open(t, path)
			defer closeStore(t, s)
			same(t, "the window", window(t, s, everything(all)), sorted(all))
		})
	}
}

func join(to, from *event.Batch) {
	to.Starts = append(to.Starts, from.Starts...)
	to.Stops = append(to.Stops, from.Stops...)
	to.Connects = append(to.Connects, from.Connects...)
	to.Lookups = append(to.Lookups, from.Lookups...)
	to.Flows = append(to.Flows, from.Flows...)
	to.Handshakes = append(to.Handshakes, from.Handshakes...)
	to.Requests = append(to.Requests, from.Requests...)
	to.Leases = append(to.Leases, from.Leases...)
	to.Notices = append(to.Notices, from.Notices...)
}

// testHostileText checks text that breaks stores: in events, in the selection,
// and in sessions with their filters.
func testHostileText(t *testing.T, open Opener) {
	s := with(t, open)
	texts := []string{
		"nul\x00inside", "\x00", "''\"\"`;--", "\\", "\u202egnp.exe", "日本語", "\r\n\t\v", "$1 ? :a @b", "%00", "\ufeff", "\U0010ffff",
		strings.Repeat("x", 1<<20), strings.Repeat("é", 1<<19), strings.Repeat("y", 64<<10),
	}
	b, sessions := &event.Batch{}, []event.Session{}
	for i, text := range texts {
		b.Starts = append(b.Starts, event.ProcessStart{Host: text, Time: event.Time(i + 1), Record: 1, CommandLine: text, Image: text, GUID: text})
		sessions = append(sessions, event.Session{
			Key: event.Key(i), Start: event.Time(i + 1), Host: text, Program: text, Domain: text, UID: text,
			Duration: event.Unknown, BytesOut: event.Unknown, BytesIn: event.Unknown,
		})
	}
	appendFlush(t, s, b)
	must(t, s.PutSessions(t.Context(), sessions))
	must(t, s.Rollup(t.Context()))
	same(t, "the window", window(t, s, everything(b)), sorted(b))
	for i, text := range texts {
		got := window(t, s, store.Selection{Hosts: []string{text}})
		same(t, fmt.Sprintf("the window of host %.20q", text), got.Starts, b.Starts[i:i+1])
		same(t, fmt.Sprintf("the sessions of %.20q", text),
			readSessions(t, s, store.SessionFilter{Host: text, Edge: &store.Edge{Program: text, Domain: text}}), sessions[i:i+1])
	}
	stats, err := s.Programs(t.Context())
	must(t, err)
	if len(stats) != len(texts) {
		t.Errorf("%d programs, want %d", len(stats), len(texts))
	}

	// Decoders hand over UTF-8 only; if one fails to, the event is not lost.
	appendFlush(t, s, &event.Batch{Starts: []event.ProcessStart{{Host: "bad", Time: 1, Image: "a\xffb", CommandLine: strings.Repeat("\xff", 100)}}})
	got := window(t, s, store.Selection{Hosts: []string{"bad"}}).Starts
	if len(got) != 1 || got[0].Image != "a\uFFFDb" || got[0].CommandLine == "" {
		t.Errorf("text that is not UTF-8 came back as %+v", got)
	}
}

// testOrder checks that a window is ordered by time and then key, whatever the
// order of appending.
func testOrder(t *testing.T, open Opener) {
	s := with(t, open)
	r := newRandom(7)
	all := &event.Batch{}
	for range 5000 {
		f := r.flow()
		f.Src, f.Time = addrPort("10.0.0.1:1"), event.Time(1000+r.IntN(700)) // many at one time
		all.Flows = append(all.Flows, f)
	}
	appendFlush(t, s, all)
	same(t, "the order", window(t, s, everything(all)), sorted(all))
}

func testEmpty(t *testing.T, open Opener) {
	s := with(t, open)
	appendFlush(t, s, &event.Batch{})
	must(t, s.ClearSessions(t.Context()))
	must(t, s.PutSessions(t.Context(), nil))
	must(t, s.Rollup(t.Context()))
	same(t, "the window of nothing", window(t, s, store.Selection{}), &event.Batch{})
	same(t, "the window of strangers", window(t, s, store.Selection{Hosts: []string{"x"}, Clients: []netip.Addr{addr("10.0.0.1")}}), &event.Batch{})
	same(t, "the sessions", readSessions(t, s, store.SessionFilter{}), []event.Session(nil))
	for name, read := range map[string]func() (int, error){
		"leases":      func() (int, error) { l, err := s.Leases(t.Context()); return len(l), err },
		"loads":       func() (int, error) { l, err := s.Loads(t.Context()); return len(l), err },
		"TLS servers": func() (int, error) { l, err := s.TLSServers(t.Context()); return len(l), err },
		"programs":    func() (int, error) { l, err := s.Programs(t.Context()); return len(l), err },
		"domains":     func() (int, error) { l, err := s.Domains(t.Context()); return len(l), err },
		"pairs":       func() (int, error) { l, err := s.Pairs(t.Context()); return len(l), err },
	} {
		if n, err := read(); n != 0 || err != nil {
			t.Errorf("%s of an empty store: %d, %v", name, n, err)
		}
	}
}
