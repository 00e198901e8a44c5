package pcap

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/zeek"
	"github.com/postern/postern/internal/event"
)

// What FoxIO publishes of these captures: how often each fingerprint comes.
func TestJA4AsPublished(t *testing.T) {
	const chrome, chrome1 = "t13d1516h2_8daaf6152771_e5627efa2ab1", "t13d1516h1_8daaf6152771_e5627efa2ab1"
	const quic = "q13d0310h3_55b375c5d22e_cd85d2d88918"
	browsing := map[string]int{
		chrome: 54, chrome1: 3, quic: 20, "t13d151400_8daaf6152771_de4a06bb82e3": 1, "t13d1517h1_8daaf6152771_6cdcb247c39b": 1,
	}
	all := captures(t)
	for name, want := range map[string]map[string]int{
		"browsers-x509.pcapng":                       {chrome: 3},
		"chrome-cloudflare-quic-with-secrets.pcapng": {chrome: 1, quic: 1},
		"socks-https-example.pcap":                   {"t10d230100_6a57a6f57151_000000000000": 3},
		"tls-handshake.pcapng":                       browsing,
		"tls-sni.pcapng":                             browsing, // the same hellos
	} {
		b, _ := read(t, all[name])
		got := make(map[string]int)
		for _, h := range b.Handshakes {
			got[h.JA4]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-published +ours):\n%s", name, diff)
		}
	}
}

// The Merlin C2 speaks HTTP/3 to a bare address: no server name, but a
// fingerprint.
func TestMerlin(t *testing.T) {
	b, _ := read(t, captures(t)["merlinc2_Zeek_example.pcapng"])
	f, h := only(t, b.Flows), only(t, b.Handshakes)
	if f.Src.Addr().String() != "10.0.0.4" || f.Dst.String() != "24.199.110.233:443" || f.Proto != event.UDP || f.Service != "quic,ssl" {
		t.Errorf("flow %+v", f)
	}
	if h.UID != f.UID || h.SNI != "" || !strings.HasPrefix(h.JA4, "q13i") || h.ALPN != "h3" || h.Established != event.Yes {
		t.Errorf("handshake %+v", h)
	}
}

// zeekLogs decodes the logs of the Zeek that watched the same run.
func zeekLogs(t *testing.T) *event.Batch {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixtures(t), "otrf_pair_lsass01", "metasploit_logonpasswords_lsass_memory_dump_zeek_logs.zip"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	b := new(event.Batch)
	for _, f := range z.File {
		if filepath.Ext(f.Name) != ".log" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		_, d, err := decode.Open(zeek.Formats(), nil, r, new(decode.Tally))
		for err == nil {
			err = d.Decode(b)
		}
		if err != io.EOF {
			t.Fatal(err)
		}
		r.Close()
	}
	return b
}

// Zeek saw only what the servers sent in this run, and of that we see the
// same: versions, certificates with their names, and bytes.
func TestAsZeek(t *testing.T) {
	want := zeekLogs(t)
	got, _ := read(t, captures(t)["metasploit_logonpasswords_lsass_memory_dump.pcapng"])
	handshakes := make(map[string]event.Handshake)
	for _, h := range got.Handshakes {
		handshakes[h.Src.String()+h.Dst.String()] = h
	}
	for _, w := range want.Handshakes {
		g := handshakes[w.Src.String()+w.Dst.String()]
		if g.Version != w.Version || g.CertID != w.CertID {
			t.Errorf("handshake %+v, Zeek %+v", g, w)
		}
	}
	if len(want.Handshakes) == 0 || len(want.Certificates) == 0 {
		t.Fatal("Zeek saw nothing")
	}
	for _, w := range want.Certificates {
		for _, g := range got.Certificates {
			if g.ID == w.ID && (g.Subject != w.Subject || g.Issuer != w.Issuer) {
				t.Errorf("certificate %+v, Zeek %+v", g, w)
			}
		}
	}
	flows, compared := make(map[string]event.Flow), 0
	for _, f := range got.Flows {
		flows[f.Proto.String()+f.Src.String()+f.Dst.String()] = f
	}
	for _, w := range want.Flows {
		g := flows[w.Proto.String()+w.Src.String()+w.Dst.String()]
		// Without bytes, it is a RST that came late, for which Zeek begins
		// another flow.
		if w.Proto != event.TCP || w.BytesIn <= 0 {
			continue
		}
		if compared++; g.BytesIn != w.BytesIn {
			t.Errorf("flow %+v, Zeek %+v", g, w)
		}
	}
	if compared < 30 {
		t.Errorf("only %d flows are compared", compared)
	}
}
