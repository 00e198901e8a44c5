package pcap

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os/exec"
	"slices"
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
	fields := []string{
		"frame.number", "frame.time_epoch", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
		"tcp.stream", "tcp.srcport", "tcp.dstport", "tcp.len", "udp.stream", "udp.srcport", "udp.dstport", "udp.length",
		"tcp.analysis.lost_segment", "tcp.analysis.ack_lost_segment",
		"tcp.analysis.retransmission", "tcp.analysis.fast_retransmission", "tcp.analysis.spurious_retransmission", "tcp.analysis.keep_alive",
	}
	for _, r := range tshark(t, data, "(tcp || udp) && !icmp && !icmpv6", fields...) {
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
		if strings.Join(r[16:], "") == "" {
			v.Bytes += n
		}
		s.traffic[a] = v
		if r[14]+r[15] != "" {
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
			want := tsharkFlows(t, data)
			b, _ := read(t, data)
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

// A hello is a frame that tshark finds handshake messages in.
type hello struct {
	stream       string
	messages     []string // types
	sni, ja3     string
	ja3s, random string
	certificates []string
	validity     []string // of the certificates, two for each
}

// tsharkHellos returns the frames with messages of the handshake.
func tsharkHellos(t *testing.T, data []byte) (all []hello) {
	t.Helper()
	fields := []string{
		"tcp.stream", "udp.stream", "tls.handshake.type", "tls.handshake.extensions_server_name", "tls.handshake.ja3",
		"tls.handshake.ja3s", "tls.handshake.random", "tls.handshake.certificate", "x509af.utcTime",
	}
	for _, r := range tshark(t, data, "tls.handshake.type", fields...) {
		all = append(all, hello{
			r[0] + "/" + r[1], strings.Split(r[2], "|"), strings.ToLower(r[3]), r[4], r[5], r[6],
			strings.Split(r[7], "|"), append(strings.Split(r[8], "|"), "", ""),
		})
	}
	return all
}

func (h *hello) has(message string) bool { return slices.Contains(h.messages, message) }

func TestHandshakesAsTshark(t *testing.T) {
	for name, data := range captures(t) {
		t.Run(name, func(t *testing.T) {
			hellos := tsharkHellos(t, data)
			b, _ := read(t, data)
			compareClients(t, hellos, b.Handshakes)
			compareServers(t, hellos, b.Handshakes)
			compareCertificates(t, hellos, b.Certificates)
		})
	}
}

// A greeting is what a ClientHello shows.
type greeting struct{ SNI, JA3 string }

// The first hello of a connection counts, not that behind a HelloRetryRequest.
func compareClients(t *testing.T, hellos []hello, handshakes []event.Handshake) {
	t.Helper()
	want, got := make(map[greeting]int), make(map[greeting]int)
	seen := make(map[string]bool)
	for _, h := range hellos {
		if h.has("1") && !seen[h.stream] {
			seen[h.stream] = true
			want[greeting{h.sni, h.ja3}]++
		}
	}
	for _, h := range handshakes {
		got[greeting{h.SNI, h.JA3}]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("clients (-tshark +ours):\n%s", diff)
	}
}

// A HelloRetryRequest is not the server's answer. tshark does not always read
// the one that comes behind it, nor do we read those of QUIC.
func compareServers(t *testing.T, hellos []hello, handshakes []event.Handshake) {
	t.Helper()
	last := make(map[string]string)
	for _, h := range hellos {
		if !h.has("2") || strings.HasPrefix(h.stream, "/") {
			continue
		}
		if last[h.stream] = h.ja3s; strings.HasPrefix(h.random, "cf21ad74e59a6111be1d8c021e65b891") {
			last[h.stream] = "unread"
		}
	}
	missing := make(map[string]int)
	for _, ja3s := range last {
		missing[ja3s]++
	}
	for _, h := range handshakes {
		switch {
		case h.JA3S == "":
		case missing[h.JA3S] > 0:
			missing[h.JA3S]--
		default:
			missing["unread"]--
		}
	}
	for ja3s, n := range missing {
		if n != 0 {
			t.Errorf("JA3S %s: tshark has %d more", ja3s, n)
		}
	}
}

// The first certificate in a Certificate message is the server's. A client
// sends its own together with a ClientKeyExchange (16).
func compareCertificates(t *testing.T, hellos []hello, certificates []event.Certificate) {
	t.Helper()
	want, got := make(map[string]bool), make(map[string]bool)
	for _, h := range hellos {
		if h.has("11") && !h.has("16") {
			sum := sha256.Sum256(unhex(t, h.certificates[0]))
			want[hex.EncodeToString(sum[:])+" "+h.validity[0]+" "+h.validity[1]] = true
		}
	}
	for _, c := range certificates {
		const form = "2006-01-02 15:04:05 (UTC)"
		got[c.ID+" "+c.NotBefore.Std().Format(form)+" "+c.NotAfter.Std().Format(form)] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("certificates (-tshark +ours):\n%s", diff)
	}
}

// Newer versions of tshark know JA4 too.
func TestJA4AsTshark(t *testing.T) {
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed: nothing to compare with")
	}
	known, err := exec.Command(path, "-G", "fields").Output()
	if err != nil || !bytes.Contains(known, []byte("\ttls.handshake.ja4\t")) {
		t.Skip("this tshark does not know JA4")
	}
	for name, data := range captures(t) {
		want, got := make(map[string]int), make(map[string]int)
		seen := make(map[string]bool)
		for _, r := range tshark(t, data, "tls.handshake.ja4", "tcp.stream", "udp.stream", "tls.handshake.ja4") {
			if stream := r[0] + "/" + r[1]; !seen[stream] {
				seen[stream] = true
				want[r[2]]++
			}
		}
		b, _ := read(t, data)
		for _, h := range b.Handshakes {
			got[h.JA4]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-tshark +ours):\n%s", name, diff)
		}
	}
}
