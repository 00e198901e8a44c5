package pcap

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// benchFlows is how many connections a generated capture has.
const benchFlows = 2000

// benchCapture is of connections that shake hands and then move data, many at
// once: the packets of 50 connections take turns.
func benchCapture(b *testing.B, data int) []shot {
	said := sessions(b)[0].said
	talks := make([]*talk, benchFlows)
	for i := range talks {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), uint16(20000+i))
		talks[i] = newTalk(from, server, time.Duration(i/50)*time.Second).open().replay(said)
		for range data {
			talks[i].say(fromClient, make([]byte, 1400)).send(fromServer, flagACK, nil)
		}
		talks[i].close()
	}
	var shots []shot
	for first := 0; first < len(talks); first += 50 {
		for n := range talks[first].shots {
			for _, k := range talks[first : first+50] {
				shots = append(shots, k.shots[n])
			}
		}
	}
	return shots
}

func BenchmarkSessions(b *testing.B) { benchmark(b, benchCapture(b, 0)) }

func BenchmarkTransfers(b *testing.B) { benchmark(b, benchCapture(b, 50)) }

// BenchmarkFlood is of attempts that never come to anything.
func BenchmarkFlood(b *testing.B) {
	var shots []shot
	for i := range uint32(100_000) {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)}), 1234)
		shots = append(shots, shot{at: time.Duration(i) * time.Microsecond, data: tcpFrame(from, server, i, 0, flagSYN, nil)})
	}
	benchmark(b, shots)
}

func benchmark(b *testing.B, shots []shot) {
	for name, data := range map[string][]byte{
		"pcap":   classicAs(binary.LittleEndian, magicMicro, linkEthernet, shots...),
		"pcapng": ngFile(shots...),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			f, err := decode.ByName(Formats(), name)
			if err != nil {
				b.Fatal(err)
			}
			batch := new(event.Batch)
			for b.Loop() {
				var tally decode.Tally
				d := f.Open(bytes.NewReader(data), &tally)
				for err = nil; err == nil; {
					batch.Reset()
					err = d.Decode(batch)
				}
				if err != io.EOF || tally.Records != int64(len(shots)) || tally.SkippedTotal() != 0 {
					b.Fatalf("%v, %+v", err, tally)
				}
			}
			b.ReportMetric(float64(len(shots))*float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}
