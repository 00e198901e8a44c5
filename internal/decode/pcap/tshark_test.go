package pcap

import (
	"bytes"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/postern/postern/internal/event"
)

// tshark returns the fields of a capture's packets that pass a filter, all
// values of each.
func tshark(t *testing.T, data []byte, filter string, fields ...string) [][]string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed: nothing to compare with")
	}
	args := []string{"-r", "-", "-n", "-Y", filter, "-T", "fields", "-E", "separator=/t", "-E", "aggregator=|", "-d", "tcp.port==8080,tls"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	var rows [][]string
	for line := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}

// An arrow is one direction between two ends.
type arrow struct {
	proto    event.Proto
	src, dst string
}

// A traffic is what went along an arrow.
type traffic struct {
	Packets, Bytes int64
}

// seen is what tshark makes of a capture.
type seen struct {
	flows   map[event.Proto]int
	traffic map[arrow]traffic
	lossy   map[arrow]bool // tshark says that packets are missing
}

// tsharkFlows counts streams, packets and payload bytes. Retransmissions are
// not counted as volume. tshark's streams of UDP never end; ours do after a
// minute, so that its streams are cut there.
func tsharkFlows(t *testing.T, data []byte) seen {
	t.Helper()
	s := seen{map[event.Proto]int{}, map[arrow]traffic{}, map[arrow]bool{}}
	last := make(map[string]float64)
	const again = "tcp.analysis.retransmission || tcp.analysis.fast_retransmission || tcp.analysis.spurious_retransmission || tcp.analysis.keep_alive"
	repeated := make(map[string]bool)
	for _, r := range tshark(t, data, again, "frame.number") {
		repeated[r[0]] = true
	}
	missing := make(map[string]bool)
	for _, r := range tshark(t, data, "tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment", "frame.number") {
		missing[r[0]] = true
	}
	for _, r := range tshark(t, data, "(tcp || udp) && !icmp && !icmpv6", "frame.number", "frame.time_epoch", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
		"tcp.stream", "tcp.srcport", "tcp.dstport", "tcp.len", "udp.stream", "udp.srcport", "udp.dstport", "udp.length") {
		src, dst := r[2]+r[4], r[3]+r[5]
		a := arrow{event.TCP, join(src, r[7]), join(dst, r[8])}
		stream, length := "tcp"+r[6], r[9]
		if r[6] == "" {
			a = arrow{event.UDP, join(src, r[11]), join(dst, r[12])}
			stream, length = "udp"+r[10], r[13]
		}
		n := number(t, length)
		if a.proto == event.UDP {
			n -= 8 // the header
		}
		at, err := strconv.ParseFloat(r[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		before, known := last[stream]
		if !known || a.proto == event.UDP && at-before > 60 {
			s.flows[a.proto]++
		}
		last[stream] = at
		v := s.traffic[a]
		v.Packets++
		if !repeated[r[0]] {
			v.Bytes += n
		}
		s.traffic[a] = v
		if missing[r[0]] {
			s.lossy[a], s.lossy[arrow{a.proto, a.dst, a.src}] = true, true
		}
	}
	return s
}

func join(addr, port string) string { return addr + " " + port }

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ourFlows counts the same of events.
func ourFlows(b *event.Batch) seen {
	s := seen{map[event.Proto]int{}, map[arrow]traffic{}, nil}
	for _, f := range b.Flows {
		s.flows[f.Proto]++
		src := join(f.Src.Addr().String(), strconv.Itoa(int(f.Src.Port())))
		dst := join(f.Dst.Addr().String(), strconv.Itoa(int(f.Dst.Port())))
		out, in := s.traffic[arrow{f.Proto, src, dst}], s.traffic[arrow{f.Proto, dst, src}]
		s.traffic[arrow{f.Proto, src, dst}] = traffic{f.PacketsOut.AddTo(out.Packets), f.BytesOut.AddTo(out.Bytes)}
		s.traffic[arrow{f.Proto, dst, src}] = traffic{f.PacketsIn.AddTo(in.Packets), f.BytesIn.AddTo(in.Bytes)}
	}
	return s
}

func TestFlowsAsTshark(t *testing.T) {
	for name, data := range captures(t) {
		t.Run(name, func(t *testing.T) {
			want, b := tsharkFlows(t, data), new(event.Batch)
			b, _ = read(t, data)
			got := ourFlows(b)
			if diff := cmp.Diff(want.flows, got.flows); diff != "" {
				t.Errorf("flows (-tshark +ours):\n%s", diff)
			}
			for a, w := range want.traffic {
				g := got.traffic[a]
				// What the capture lost, and the other end acknowledged, was
				// sent: we count it, and tshark does not.
				more := want.lossy[a] && g.Packets == w.Packets && g.Bytes > w.Bytes
				if g != w && !more {
					t.Errorf("%v: %+v, tshark %+v", a, g, w)
				}
			}
		})
	}
}

// A greeting is what a ClientHello shows.
type greeting struct{ SNI, JA3 string }

// The first hello of a connection counts, not that behind a HelloRetryRequest.
func TestHellosAsTshark(t *testing.T) {
	for name, data := range captures(t) {
		t.Run(name, func(t *testing.T) {
			want, got := make(map[greeting]int), make(map[greeting]int)
			streams := make(map[string]bool)
			for _, r := range tshark(t, data, "tls.handshake.type == 1", "tcp.stream", "udp.stream", "tls.handshake.extensions_server_name", "tls.handshake.ja3") {
				if stream := r[0] + "/" + r[1]; !streams[stream] {
					streams[stream] = true
					want[greeting{strings.ToLower(r[2]), r[3]}]++
				}
			}
			b, _ := read(t, data)
			for _, h := range b.Handshakes {
				got[greeting{h.SNI, h.JA3}]++
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-tshark +ours):\n%s", diff)
			}
		})
	}
}
