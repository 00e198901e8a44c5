package clickhouse

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
	"github.com/postern/postern/internal/store/clickhouse/clickhousetest"
)

// benchFlows makes n flows of a thousand clients over an hour.
func benchFlows(n int) *event.Batch {
	b := &event.Batch{}
	for i := range n {
		b.Flows = append(b.Flows, event.Flow{
			Sensor: "zeek", Time: 1_700_000_000_000_000 + event.Time(i)*3_600_000_000/event.Time(n), UID: fmt.Sprintf("C%015x", uint64(i)*0x9e3779b97f4a7c15>>4),
			Proto: event.TCP, Src: netip.AddrPortFrom(client(i%1000), uint16(40_000+i%20_000)), Dst: netip.AddrPortFrom(client(70_000+i%300), 443),
			Duration: event.Count(i % 90_000_000), BytesOut: event.Count(i % 100_003), BytesIn: event.Count(i % 1_000_003),
			PacketsOut: event.Count(i % 71), PacketsIn: event.Count(i % 703), State: "SF", History: "ShADadFf", Service: "ssl",
		})
	}
	return b
}

func client(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// BenchmarkAppend says how fast flows are written, and how large they are on disk.
func BenchmarkAppend(b *testing.B) {
	s := benchStore(b)
	flows := benchFlows(200_000)
	for b.Loop() {
		if err := s.Append(b.Context(), flows); err != nil {
			b.Fatal(err)
		}
		if err := s.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(flows.Flows))/b.Elapsed().Seconds(), "events/s")
	if err := s.main.exec(b.Context(), "OPTIMIZE TABLE flow FINAL"); err != nil {
		b.Fatal(err)
	}
	info, err := s.Info(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, t := range info.Tables {
		if t.Name == "flow" {
			b.ReportMetric(float64(t.Bytes)/float64(t.Rows), "bytes/event")
		}
	}
}

// BenchmarkWindow says how fast a tenth of them is read.
func BenchmarkWindow(b *testing.B) {
	s := benchStore(b)
	if err := s.Append(b.Context(), benchFlows(200_000)); err != nil {
		b.Fatal(err)
	}
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	var sel store.Selection
	for i := range 100 {
		sel.Clients = append(sel.Clients, client(i))
	}
	rows := 0
	for b.Loop() {
		w, err := s.Window(b.Context(), sel)
		if err != nil {
			b.Fatal(err)
		}
		rows += len(w.Flows)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "events/s")
}

func benchStore(b *testing.B) *Store {
	b.Helper()
	at := clickhousetest.Start(b).Address("bench")
	if err := Init(b.Context(), at, Config{}); err != nil {
		b.Fatal(err)
	}
	s, err := Open(b.Context(), at, Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}
