package netflow

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/decodetest"
	"github.com/postern/postern/internal/event"
)

// calls returns datagrams of all versions, with flows one after the other.
func calls(n int) [][]byte {
	var all [][]byte
	sequence := [3]uint32{}
	for i := range n {
		at := time.Duration(i) * time.Hour / 4
		pieces := call(at)
		for j := range pieces {
			p := &pieces[j]
			p.bytes += uint32(i)
			if own := netip.AddrPortFrom(client.Addr(), uint16(10_000+i)); p.src == client {
				p.src = own
			} else {
				p.dst = own
			}
		}
		switch i % 3 {
		case 0:
			all = append(all, export5(sequence[0], 0, pieces...))
			sequence[0] += 2
		case 1:
			all = append(all, export9(sequence[1], pieces...))
			sequence[1]++
		default:
			own := netip.AddrPortFrom(client6.Addr(), pieces[0].src.Port())
			pieces[0].src, pieces[0].dst, pieces[1].src, pieces[1].dst = own, server6, server6, own
			all = append(all, exportIPFIX(sequence[2], "ssl", pieces...))
			sequence[2] += 2
		}
	}
	return all
}

// framed returns datagrams behind their lengths in two bytes.
func framed(datagrams ...[]byte) []byte {
	var w writer
	for _, b := range datagrams {
		w.u16(uint16(len(b)))
		w.b = append(w.b, b...)
	}
	return w.b
}

// captured returns a capture of raw IP with the datagrams, and with other
// packets.
func captured(datagrams ...[]byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0)
	b = le.AppendUint32(b, 101)
	packet := func(proto byte, body []byte) {
		var w writer
		w.b = []byte{0x45, 0}
		w.u16(uint16(20 + len(body)))
		w.b = append(w.b, 0, 0, 0, 0, 64, proto, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2)
		w.b = append(w.b, body...)
		b = le.AppendUint32(b, uint32(began/1e6))
		b = le.AppendUint32(b, 0)
		b = le.AppendUint32(b, uint32(len(w.b)))
		b = le.AppendUint32(b, uint32(len(w.b)))
		b = append(b, w.b...)
	}
	udp := func(payload []byte) []byte {
		var w writer
		w.u16(4444)
		w.u16(2055)
		w.u16(uint16(8 + len(payload)))
		w.u16(0)
		return append(w.b, payload...)
	}
	packet(1, []byte{8, 0, 0, 0, 0, 0, 0, 0})
	packet(17, udp([]byte("hello")))
	for _, d := range datagrams {
		packet(17, udp(d))
	}
	return b
}

// csvLog and jsonLog have flows one after the other.
func textLog(n int, record func(port string, bytes string) string) []byte {
	var b strings.Builder
	for i := range n {
		b.WriteString(record(fmt.Sprint(20000+i%40000), fmt.Sprint(100+i)))
	}
	return []byte(b.String())
}

func csvLog(n int) []byte {
	return append([]byte(csvHeader), textLog(n, func(port, bytes string) string {
		return csvLine("10.0.0.5,203.0.113.9,"+port+",443", "20", bytes, "0", "0") + csvLine("203.0.113.9,10.0.0.5,443,"+port, "15", bytes, "0", "0")
	})...)
}

func nfdumpLog(n int) []byte {
	log := textLog(n, func(port, bytes string) string {
		return nfdumpObject("10.0.0.5", "203.0.113.9", port, "443", "20", bytes) + ",\n" + nfdumpObject("203.0.113.9", "10.0.0.5", "443", port, "15", bytes) + ",\n"
	})
	return append(append([]byte("[\n"), bytes.TrimSuffix(log, []byte(",\n"))...), "]\n"...)
}

func goflow2Log(n int) []byte {
	return textLog(n, func(port, bytes string) string {
		return goflow2Object("10.0.0.5", "203.0.113.9", port, "443", "20", bytes) + goflow2Object("203.0.113.9", "10.0.0.5", "443", port, "15", bytes)
	})
}

// samples returns small inputs of each format.
func samples(name string) [][]byte {
	switch name {
	case "netflow-datagrams":
		return [][]byte{framed(calls(40)...)}
	case "netflow-pcap":
		return [][]byte{captured(calls(40)...)}
	case "nfdump-csv":
		return [][]byte{csvLog(30)}
	case "nfdump-json":
		// Each record of another flow, so that each that is lost costs one.
		return [][]byte{append(textLog(20, func(port, bytes string) string {
			return nfdumpObject("10.0.0.5", "203.0.113.9", port, "443", "20", bytes) + ",\n"
		}), nfdumpPair()...)}
	}
	return [][]byte{goflow2Log(20)}
}

func TestConformance(t *testing.T) {
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			asked := *f
			asked.Asked = false // what is found by content is not the question here
			decodetest.Run(t, &asked, samples(f.Name)...)
		})
	}
}

func fuzz(f *testing.F, name string) {
	format, err := decode.ByName(Formats(), name)
	if err != nil {
		f.Fatal(err)
	}
	decodetest.Fuzz(f, format, samples(name)...)
}

func FuzzDatagrams(f *testing.F)  { fuzz(f, "netflow-datagrams") }
func FuzzPcap(f *testing.F)       { fuzz(f, "netflow-pcap") }
func FuzzNfdumpJSON(f *testing.F) { fuzz(f, "nfdump-json") }
func FuzzNfdumpCSV(f *testing.F)  { fuzz(f, "nfdump-csv") }
func FuzzGoflow2(f *testing.F)    { fuzz(f, "goflow2") }

func TestFormatsAreValid(t *testing.T) {
	if err := decode.Validate(Formats()); err != nil {
		t.Error(err)
	}
}

// Each sample is of one format, and a capture of none that is not asked for.
func TestDetect(t *testing.T) {
	for _, f := range Formats() {
		for _, b := range samples(f.Name) {
			head := b[:min(len(b), decode.HeadSize)]
			got, err := decode.Detect(Formats(), head, head)
			switch {
			case f.Asked && got != nil:
				t.Errorf("a sample of %s is taken for %s", f.Name, got.Name)
			case !f.Asked && (err != nil || got.Name != f.Name):
				t.Errorf("a sample of %s is taken for %v: %v", f.Name, got, err)
			}
		}
	}
}

// benchCalls is the number of flows in a benchmark's log, each of two records.
const benchCalls = 20_000

func benchmark(b *testing.B, name string, log []byte) {
	f, err := decode.ByName(Formats(), name)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(log)))
	batch := new(event.Batch)
	for b.Loop() {
		var tally decode.Tally
		d := f.Open(bytes.NewReader(log), &tally)
		for err = nil; err == nil; {
			batch.Reset()
			err = d.Decode(batch)
		}
		if err != io.EOF || tally.Records != 2*benchCalls || tally.SkippedTotal() != 0 {
			b.Fatalf("%v, %+v", err, tally)
		}
	}
	b.ReportMetric(2*benchCalls*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkDatagrams(b *testing.B) {
	benchmark(b, "netflow-datagrams", framed(calls(benchCalls)...))
}
func BenchmarkNfdumpJSON(b *testing.B) { benchmark(b, "nfdump-json", nfdumpLog(benchCalls)) }
func BenchmarkNfdumpCSV(b *testing.B)  { benchmark(b, "nfdump-csv", csvLog(benchCalls)) }
func BenchmarkGoflow2(b *testing.B)    { benchmark(b, "goflow2", goflow2Log(benchCalls)) }
