package netflow

import (
	"encoding/binary"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

var compare = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

func expect(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, compare); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

var (
	client   = netip.MustParseAddrPort("10.0.0.5:50000")
	server   = netip.MustParseAddrPort("203.0.113.9:443")
	client6  = netip.MustParseAddrPort("[2001:db8::5]:50000")
	server6  = netip.MustParseAddrPort("[2001:db8::9]:443")
	exporter = netip.MustParseAddrPort("192.0.2.1:4444")

	// began is when the tests' flows begin.
	began = event.At(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
)

// A piece is a record to be exported: one direction, or both.
type piece struct {
	src, dst       netip.AddrPort
	from, to       time.Duration // after began
	bytes, packets uint32
	flags          uint8
}

func (p piece) reversed(bytes, packets uint32) piece {
	p.src, p.dst, p.bytes, p.packets = p.dst, p.src, bytes, packets
	return p
}

// call is a flow of two directions.
func call(from time.Duration) []piece {
	p := piece{client, server, from, from + 2*time.Second, 2000, 20, 0x1b}
	return []piece{p, p.reversed(9000, 15)}
}

// A writer makes export datagrams.
type writer struct{ b []byte }

func (w *writer) u8(v uint8)   { w.b = append(w.b, v) }
func (w *writer) u16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }
func (w *writer) u32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }
func (w *writer) u64(v uint64) { w.b = binary.BigEndian.AppendUint64(w.b, v) }

// uptime is how long the exporter was up at began, in milliseconds: nearly so
// long that the number begins anew.
const uptime = 1<<32 - 1000

func uptimeAt(d time.Duration) uint32 { return uint32(uptime + d.Milliseconds()) }

// export5 writes a datagram of v5, sent a minute after began.
func export5(sequence uint32, sampling uint16, pieces ...piece) []byte {
	var w writer
	w.u16(5)
	w.u16(uint16(len(pieces)))
	w.u32(uptimeAt(time.Minute))
	w.u32(uint32(began/1e6) + 60)
	w.u32(0)
	w.u32(sequence)
	w.u16(0)
	w.u16(sampling)
	for _, p := range pieces {
		w.b = append(append(w.b, p.src.Addr().AsSlice()...), p.dst.Addr().AsSlice()...)
		w.u64(0)
		w.u32(p.packets)
		w.u32(p.bytes)
		w.u32(uptimeAt(p.from))
		w.u32(uptimeAt(p.to))
		w.u16(p.src.Port())
		w.u16(p.dst.Port())
		w.u8(0)
		w.u8(p.flags)
		w.u8(6)
		w.b = append(w.b, make([]byte, 9)...)
	}
	return w.b
}

// A spec is a field of a template: number, length, enterprise.
type spec struct {
	id, length uint16
	enterprise uint32
}

// set writes a set: its number, its length, and what fill writes.
func (w *writer) set(id uint16, fill func()) {
	at := len(w.b)
	w.u16(id)
	w.u16(0)
	fill()
	binary.BigEndian.PutUint16(w.b[at+2:], uint16(len(w.b)-at))
}

func (w *writer) specs(specs []spec) {
	for _, s := range specs {
		if s.enterprise != 0 {
			w.u16(s.id | 0x8000)
			w.u16(s.length)
			w.u32(s.enterprise)
			continue
		}
		w.u16(s.id)
		w.u16(s.length)
	}
}

// message9 and messageIPFIX write a message whose sets fill writes, sent a
// minute after began.
func message9(sequence uint32, fill func(*writer)) []byte {
	var w writer
	w.u16(9)
	w.u16(1)
	w.u32(uptimeAt(time.Minute))
	w.u32(uint32(began/1e6) + 60)
	w.u32(sequence)
	w.u32(7)
	fill(&w)
	return w.b
}

func messageIPFIX(sequence uint32, fill func(*writer)) []byte {
	var w writer
	w.u16(10)
	w.u16(0)
	w.u32(uint32(began/1e6) + 60)
	w.u32(sequence)
	w.u32(7)
	fill(&w)
	binary.BigEndian.PutUint16(w.b[2:], uint16(len(w.b)))
	return w.b
}

// specs9 is the template of record9; millis is that of recordMillis.
var (
	specs9  = []spec{{8, 4, 0}, {12, 4, 0}, {22, 4, 0}, {21, 4, 0}, {1, 4, 0}, {2, 4, 0}, {7, 2, 0}, {11, 2, 0}, {4, 1, 0}, {6, 1, 0}, {61, 1, 0}}
	millis6 = []spec{{27, 16, 0}, {28, 16, 0}, {152, 8, 0}, {153, 8, 0}, {1, 8, 0}, {2, 4, 0}, {7, 2, 0}, {11, 2, 0}, {4, 1, 0}, {96, variable, 0}}
)

func (w *writer) record9(p piece) {
	w.b = append(append(w.b, p.src.Addr().AsSlice()...), p.dst.Addr().AsSlice()...)
	w.u32(uptimeAt(p.from))
	w.u32(uptimeAt(p.to))
	w.u32(p.bytes)
	w.u32(p.packets)
	w.u16(p.src.Port())
	w.u16(p.dst.Port())
	w.u8(6)
	w.u8(p.flags)
	w.u8(0)
}

func (w *writer) recordMillis6(p piece, name string) {
	w.b = append(append(w.b, p.src.Addr().AsSlice()...), p.dst.Addr().AsSlice()...)
	w.u64(uint64(began/1000) + uint64(p.from.Milliseconds()))
	w.u64(uint64(began/1000) + uint64(p.to.Milliseconds()))
	w.u64(uint64(p.bytes))
	w.u32(p.packets)
	w.u16(p.src.Port())
	w.u16(p.dst.Port())
	w.u8(17)
	if len(name) < 255 {
		w.u8(uint8(len(name)))
	} else {
		w.u8(255)
		w.u16(uint16(len(name)))
	}
	w.b = append(w.b, name...)
}

// export9 writes a datagram of v9 with its template.
func export9(sequence uint32, pieces ...piece) []byte {
	return message9(sequence, func(w *writer) {
		w.set(0, func() { w.u16(300); w.u16(uint16(len(specs9))); w.specs(specs9) })
		w.set(300, func() {
			for _, p := range pieces {
				w.record9(p)
			}
			w.u8(0) // padding
		})
	})
}

// exportIPFIX writes a message of IPFIX with its template.
func exportIPFIX(sequence uint32, name string, pieces ...piece) []byte {
	return messageIPFIX(sequence, func(w *writer) {
		w.set(2, func() { w.u16(301); w.u16(uint16(len(millis6))); w.specs(millis6) })
		w.set(301, func() {
			for _, p := range pieces {
				w.recordMillis6(p, name)
			}
		})
	})
}

// decoded returns what datagrams of an exporter give, and checks the account.
func decoded(t testing.TB, datagrams ...[]byte) ([]event.Flow, *decode.Tally) {
	t.Helper()
	var out event.Batch
	tally := new(decode.Tally)
	d := NewDecoder(tally)
	for _, b := range datagrams {
		d.Datagram(exporter, b, &out)
	}
	d.Close(&out)
	balance(t, &out, tally)
	return out.Flows, tally
}

func balance(t testing.TB, out *event.Batch, tally *decode.Tally) {
	t.Helper()
	if told := tally.Events + tally.IgnoredTotal() + tally.SkippedTotal(); told != tally.Records || tally.Events != int64(out.Len()) {
		t.Errorf("%d records, but %d events (%d returned), ignored %v, skipped %v", tally.Records, tally.Events, out.Len(), tally.Ignored, tally.Positions)
	}
}

// decodeFile decodes a file to the end.
func decodeFile(t testing.TB, name string, r io.Reader) ([]event.Flow, *decode.Tally) {
	t.Helper()
	f, err := decode.ByName(Formats(), name)
	if err != nil {
		t.Fatal(err)
	}
	var out event.Batch
	tally := new(decode.Tally)
	d := f.Open(r, tally)
	for err == nil {
		err = d.Decode(&out)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	balance(t, &out, tally)
	return out.Flows, tally
}

// theFlow returns the flow that a call gives, but for the changes.
func theFlow(changes ...func(*event.Flow)) event.Flow {
	f := event.Flow{
		Sensor: "192.0.2.1", Time: began, Proto: event.TCP, Src: client, Dst: server,
		Duration: 2e6, BytesOut: 2000, PacketsOut: 20, BytesIn: 9000, PacketsIn: 15,
	}
	for _, c := range changes {
		c(&f)
	}
	return f
}
