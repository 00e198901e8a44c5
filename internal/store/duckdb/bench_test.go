package duckdb

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// fleet makes events of a fleet of hosts, in the order of time: number i of
// each kind always is the same.
type fleet struct{ hosts int }

func (f fleet) host(i int) (string, netip.Addr) {
	h := (i * 7919) % f.hosts
	return fmt.Sprintf("ws-%05d.corp.example", h), netip.AddrFrom4([4]byte{10, 1, byte(h >> 8), byte(h)})
}

func (f fleet) at(i int) event.Time { return event.Time(1_700_000_000_000_000 + int64(i)*86_400) }

func (f fleet) server(i int) netip.AddrPort {
	s := (i * 31) % 5000
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(s >> 8), byte(s)}), 443)
}

func (f fleet) uid(i int) string { return fmt.Sprintf("C%016x", uint64(i+1)*0x9e3779b97f4a7c15) }

func (f fleet) connect(i int) event.Connect {
	host, addr := f.host(i)
	return event.Connect{
		Host: host, Time: f.at(i), Source: event.Sysmon, Record: uint64(i + 1),
		PID: uint32(1000 + i%5000), GUID: fmt.Sprintf("5aa8b1e2-%04x-6543-0f0f-000000%06x", i%65536, i%4000),
		Image:    fmt.Sprintf(`C:\Program Files\Vendor%d\Product\program%d.exe`, i%40, i%300),
		User:     fmt.Sprintf(`CORP\user%04d`, i%f.hosts),
		Proto:    event.TCP,
		Src:      netip.AddrPortFrom(addr, uint16(49152+i%16000)),
		Dst:      f.server(i),
		Outbound: true,
		DstName:  fmt.Sprintf("server-%d.r.cdn.example.net", i%2000),
	}
}

func (f fleet) flow(i int) event.Flow {
	_, addr := f.host(i)
	return event.Flow{
		Sensor: "zeek-1", Time: f.at(i), UID: f.uid(i), Proto: event.TCP,
		Src: netip.AddrPortFrom(addr, uint16(49152+i%16000)), Dst: f.server(i),
		Duration: event.Count(i % 9_000_000), BytesOut: event.Count(i % 70_000), BytesIn: event.Count(i % 900_000),
		PacketsOut: event.Count(i % 100), PacketsIn: event.Unknown,
		State: "SF", History: "ShADadFf", Service: "ssl",
	}
}

func (f fleet) handshake(i int) event.Handshake {
	_, addr := f.host(i)
	return event.Handshake{
		Sensor: "zeek-1", Time: f.at(i), UID: f.uid(i), Proto: event.TCP,
		Src: netip.AddrPortFrom(addr, uint16(49152+i%16000)), Dst: f.server(i),
		SNI: fmt.Sprintf("api%d.service%d.example.com", i%7, i%3000), Version: "TLSv13", ALPN: "h2",
		JA3: fmt.Sprintf("%032x", i%50), JA3S: fmt.Sprintf("%032x", i%90), JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1",
		CertID: fmt.Sprintf("%064x", i%3000), Established: event.Yes,
	}
}

func (f fleet) session(i int) event.Session {
	host, addr := f.host(i)
	return event.Session{
		Key: event.Key(i), Host: host, Client: addr, Sensor: "zeek-1", Rung: event.RungExact,
		Program: fmt.Sprintf("vendor%d/program%d", i%40, i%300), PID: uint32(i % 5000), Image: `C:\Windows\x.exe`,
		Name: fmt.Sprintf("api%d.service%d.example.com", i%7, i%3000), Domain: fmt.Sprintf("service%d.example.com", i%3000),
		Dst: f.server(i), Proto: event.TCP, Start: f.at(i), Duration: 5, BytesOut: 100, BytesIn: event.Unknown,
		JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1", UID: f.uid(i), Established: event.Yes,
	}
}

// take makes n elements from number from on.
func take[E any](from, n int, of func(int) E) []E {
	all := make([]E, n)
	for i := range all {
		all[i] = of(from + i)
	}
	return all
}

const benchBatch = 10_000

func benchmarkAppend[E any](b *testing.B, of func(int) E, batch func([]E) *event.Batch) {
	s := openBench(b)
	rows := batch(take(0, benchBatch, of))
	b.ResetTimer()
	for done := 0; done < b.N; done += benchBatch {
		if err := s.Append(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkAppendFlows(b *testing.B) {
	benchmarkAppend(b, fleet{1000}.flow, func(e []event.Flow) *event.Batch { return &event.Batch{Flows: e} })
}

func BenchmarkAppendConnects(b *testing.B) {
	benchmarkAppend(b, fleet{1000}.connect, func(e []event.Connect) *event.Batch { return &event.Batch{Connects: e} })
}

func openBench(b testing.TB) *Store {
	s, err := Open(b.Context(), "", Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// group returns the selection of hosts i to j, with their addresses.
func (f fleet) group(i, j int) store.Selection {
	var sel store.Selection
	for h := i; h < j; h++ {
		sel.Hosts = append(sel.Hosts, fmt.Sprintf("ws-%05d.corp.example", h))
		sel.Clients = append(sel.Clients, netip.AddrFrom4([4]byte{10, 1, byte(h >> 8), byte(h)}))
	}
	return sel
}

// BenchmarkWindow reads a tenth of a fleet from 500,000 events of three kinds.
func BenchmarkWindow(b *testing.B) {
	s, f, n := openBench(b), fleet{1000}, 500_000
	fillBench(b, s, f, n)
	b.ResetTimer()
	rows := 0
	for i := range b.N {
		batch, err := s.Window(b.Context(), f.group(100*(i%10), 100*(i%10)+100))
		if err != nil {
			b.Fatal(err)
		}
		rows += batch.Len()
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func fillBench(b testing.TB, s *Store, f fleet, n int) {
	for i := 0; i < n; i += benchBatch {
		m := min(benchBatch, n-i)
		batch := &event.Batch{Connects: take(i, m, f.connect), Flows: take(i, m, f.flow), Handshakes: take(i, m, f.handshake)}
		if err := s.Append(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// TestMillion goes the whole way with a million events of each kind and says how
// long each step took and how much memory the process held at most. It runs when
// POSTERN_MILLION is set.
func TestMillion(t *testing.T) {
	if os.Getenv("POSTERN_MILLION") == "" {
		t.Skip("set POSTERN_MILLION to measure")
	}
	s, f, n := openBench(t), fleet{1000}, 1_000_000
	step := func(name string, fn func()) {
		start := time.Now()
		fn()
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Skip("no /proc")
		}
		_, peak, _ := strings.Cut(string(status), "VmHWM:")
		peak, _, _ = strings.Cut(peak, "\n")
		t.Logf("%-10s %8s  peak %s", name, time.Since(start).Round(time.Millisecond), strings.TrimSpace(peak))
	}
	fail := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	step("append", func() { fillBench(t, s, f, n) })
	step("leases", func() { _, err := s.Leases(ctx); fail(err) })
	step("loads", func() { _, err := s.Loads(ctx); fail(err) })
	step("servers", func() { _, err := s.TLSServers(ctx); fail(err) })
	step("windows", func() {
		for i := 0; i < f.hosts; i += 70 {
			b, err := s.Window(ctx, f.group(i, min(i+70, f.hosts)))
			fail(err)
			if i == 0 {
				t.Logf("a window has %d rows", b.Len())
			}
		}
	})
	step("put", func() {
		for i := 0; i < n; i += benchBatch {
			fail(s.PutSessions(ctx, take(i, benchBatch, f.session)))
		}
	})
	step("rollup", func() { fail(s.Rollup(ctx)) })
	step("stats", func() {
		_, err := s.Programs(ctx)
		fail(err)
		_, err = s.Domains(ctx)
		fail(err)
		_, err = s.Pairs(ctx)
		fail(err)
	})
	step("sessions", func() {
		fail(s.Sessions(ctx, store.SessionFilter{}, func(*event.Session) error { return nil }))
	})
	step("one edge", func() {
		e := f.session(0)
		fail(s.Sessions(ctx, store.SessionFilter{Edge: &store.Edge{Program: e.Program, Domain: e.Domain}}, func(*event.Session) error { return nil }))
	})
	step("close", func() { fail(s.Close()) })
}
