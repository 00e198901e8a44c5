package pcap

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/postern/postern/internal/event"
)

// A session is a recorded TLS session, and what is to be told of it.
type session struct {
	name string
	said []utterance
	want event.Handshake
}

// sessions are of several versions and outcomes. The fingerprints are those of
// Go's client, which the fixtures' tests hold against other tools.
func sessions(t testing.TB) []session {
	cert := serverCertificate(t)
	leaf := cert.Certificate[0]
	sum := sha256.Sum256(leaf)
	now := func() time.Time { return epoch }
	serve := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}, Time: now}
	trust := func(c *tls.Config) *tls.Config {
		c.ServerName, c.InsecureSkipVerify = "C2.Example.", true
		c.NextProtos, c.Time = []string{"h2", "http/1.1"}, now
		return c
	}
	shown := event.Handshake{
		Subject: "CN=c2.example,O=Jörg\\, Söhne", Issuer: "CN=c2.example,O=Jörg\\, Söhne", CertID: hex.EncodeToString(sum[:]),
	}
	tls12, tls13 := shown, event.Handshake{Version: "TLSv13", ALPN: "h2", Established: event.Yes}
	tls12.Version, tls12.ALPN, tls12.Established = "TLSv12", "h2", event.Yes
	refused := shown
	refused.Version, refused.ALPN, refused.Established = "TLSv12", "h2", event.No
	distrusted := event.Handshake{Version: "TLSv13", ALPN: "h2", Established: event.No}

	cache := tls.NewLRUClientSessionCache(4)
	resumable := trust(&tls.Config{MaxVersion: tls.VersionTLS12, ClientSessionCache: cache})
	first := shake(t, resumable, serve)
	resumed := tls12
	resumed.Subject, resumed.Issuer, resumed.CertID = "", "", ""

	distrust := trust(&tls.Config{})
	distrust.InsecureSkipVerify = false
	distrust12 := trust(&tls.Config{MaxVersion: tls.VersionTLS12})
	distrust12.InsecureSkipVerify = false
	all := []session{
		{"TLS 1.3", shake(t, trust(&tls.Config{}), serve), tls13},
		{"TLS 1.2", first, tls12},
		{"TLS 1.2, resumed", shake(t, resumable, serve), resumed},
		{"TLS 1.3, the server asks again", shake(t, trust(&tls.Config{CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP384}}), curves(serve)), tls13},
		{"TLS 1.3, the client does not trust", shake(t, distrust, serve), distrusted},
		{"TLS 1.2, the client does not trust", shake(t, distrust12, serve), refused},
		{"the server refuses", shake(t, trust(&tls.Config{MaxVersion: tls.VersionTLS12}), &tls.Config{Certificates: serve.Certificates, MinVersion: tls.VersionTLS13}),
			event.Handshake{ALPN: "h2", Established: event.No}},
	}
	for i := range all {
		w := &all[i].want
		w.Sensor, w.Proto, w.SNI = sensor, event.TCP, "c2.example"
	}
	return all
}

func curves(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.CurvePreferences = []tls.CurveID{tls.CurveP384}
	return c
}

// ignoreVarying leaves out what the tests do not know beforehand.
var ignoreVarying = cmp.Options{
	cmpopts.IgnoreFields(event.Handshake{}, "Time", "UID", "Src", "Dst", "JA3", "JA3S", "JA4"),
	cmpopts.EquateComparable(client),
}

func TestSessions(t *testing.T) {
	for _, s := range sessions(t) {
		t.Run(s.name, func(t *testing.T) {
			k := newTalk(client, server, 0).open().replay(s.said).close()
			b, tally := decodeShots(t, k.shots...)
			h, f := only(t, b.Handshakes), only(t, b.Flows)
			if diff := cmp.Diff(s.want, h, ignoreVarying); diff != "" {
				t.Errorf("handshake (-want +got):\n%s", diff)
			}
			if h.UID != f.UID || h.Src != client || h.Dst != server || f.Service != "ssl" || f.State != "SF" {
				t.Errorf("handshake %+v, flow %+v", h, f)
			}
			if len(h.JA3) != 32 || len(h.JA4) != 36 || (h.Version != "") != (len(h.JA3S) == 32) {
				t.Errorf("JA3 %q, JA3S %q, JA4 %q", h.JA3, h.JA3S, h.JA4)
			}
			checkCertificate(t, s, b)
			if tally.SkippedTotal() > 0 || tally.Warnings != nil {
				t.Errorf("%+v", tally)
			}
		})
	}
}

func checkCertificate(t *testing.T, s session, b *event.Batch) {
	t.Helper()
	if s.want.CertID == "" {
		if len(b.Certificates) > 0 {
			t.Errorf("certificates %+v", b.Certificates)
		}
		return
	}
	want := event.Certificate{
		Sensor: sensor, ID: s.want.CertID, Subject: s.want.Subject, Issuer: s.want.Issuer,
		NotBefore: event.At(epoch.Add(-time.Hour)), NotAfter: event.At(epoch.Add(time.Hour)),
	}
	if diff := cmp.Diff(want, only(t, b.Certificates), cmpopts.IgnoreFields(event.Certificate{}, "Time")); diff != "" {
		t.Errorf("certificate (-want +got):\n%s", diff)
	}
}

// However a stream is cut into segments and in whatever order these come, the
// handshake is the same; and so it is behind what a client says to a proxy.
func TestSessionsInPieces(t *testing.T) {
	for _, s := range sessions(t) {
		whole, _ := decodeShots(t, newTalk(client, server, 0).open().replay(s.said).close().shots...)
		want := only(t, whole.Handshakes)
		check := func(name string, shots []shot) {
			t.Helper()
			b, _ := decodeShots(t, shots...)
			if diff := cmp.Diff(want, only(t, b.Handshakes), cmpopts.IgnoreFields(event.Handshake{}, "Time", "UID"), ignoreEnds); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", s.name, name, diff)
			}
		}
		for _, mss := range []int{1, 3, 7, 100} {
			k := newTalk(client, server, 0).open()
			k.mss = mss
			check("in small segments", k.replay(s.said).close().shots)
		}
		for round := range 20 {
			k := newTalk(client, server, 0).open()
			k.mss = 200
			k.replay(s.said).close()
			check("out of order", shuffled(k.shots[3:len(k.shots)-3], round, k.shots))
		}
		check("twice", twice(newTalk(client, server, 0).open().replay(s.said).close().shots))
		check("over many records", newTalk(client, server, 0).open().replay(rerecord(s.said, 11)).close().shots)
		for name, preamble := range preambles() {
			check("behind "+name, newTalk(client, proxy, 0).open().replay(preamble).replay(s.said).close().shots)
		}
	}
}

var ignoreEnds = cmp.Options{cmpopts.IgnoreFields(event.Handshake{}, "Src", "Dst"), cmpopts.EquateComparable(client)}

// shuffled swaps neighbours among some of the shots, and gives all.
func shuffled(some []shot, round int, all []shot) []shot {
	rnd := random(round)
	for range len(some) {
		i := rnd.IntN(len(some))
		j := min(len(some)-1, i+rnd.IntN(4))
		some[i], some[j] = some[j], some[i]
	}
	return all
}

func twice(shots []shot) []shot {
	var all []shot
	for _, s := range shots {
		all = append(all, s, s)
	}
	return all
}

// rerecord cuts handshake messages into records of n bytes, up to what is
// encrypted.
func rerecord(said []utterance, n int) []utterance {
	var all []utterance
	var encrypted [2]bool
	for _, u := range said {
		b := u.data
		var out []byte
		for len(b) > 0 && b[0] == recordHandshake && !encrypted[u.from] {
			end := recordHeader + int(be.Uint16(b[3:]))
			for part := range slices.Chunk(b[recordHeader:end], n) {
				out = be.AppendUint16(append(out, b[:3]...), uint16(len(part)))
				out = append(out, part...)
			}
			b = b[end:]
		}
		encrypted[u.from] = encrypted[u.from] || len(b) > 0
		all = append(all, utterance{u.from, append(out, b...)})
	}
	return all
}

// preambles are what goes before TLS in a stream.
func preambles() map[string][]utterance {
	text := func(lines ...string) (all []utterance) {
		for i, l := range lines {
			all = append(all, utterance{i % 2, []byte(l)})
		}
		return all
	}
	return map[string][]utterance{
		"CONNECT": text("CONNECT c2.example:443 HTTP/1.1\r\nHost: c2.example:443\r\n\r\n", "HTTP/1.1 200 Connection established\r\n\r\n"),
		"CONNECT, after a refusal": text("CONNECT c2.example:443 HTTP/1.1\r\n\r\n", "HTTP/1.1 407 Who are you\r\nContent-Length: 3\r\n\r\nno!",
			"CONNECT c2.example:443 HTTP/1.1\r\nProxy-Authorization: Basic Ym9iOnNlY3JldA==\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"),
		"SOCKS 4":  text("\x04\x01\x01\xbb\xcb\x00\x71\x09bob\x00", "\x00\x5a\x00\x00\x00\x00\x00\x00"),
		"SOCKS 4a": text("\x04\x01\x01\xbb\x00\x00\x00\x01bob\x00c2.example\x00", "\x00\x5a\x00\x00\x00\x00\x00\x00"),
		"SOCKS 5": text("\x05\x02\x00\x02", "\x05\x02", "\x01\x03bob\x06secret", "\x01\x00",
			"\x05\x01\x00\x03\x0ac2.example\x01\xbb", "\x05\x00\x00\x01\x0a\x00\x00\x50\x0c\x38"),
		"STARTTLS": text("EHLO a\r\n", "250 STARTTLS\r\n", "STARTTLS\r\n", "220 go\r\n"),
	}
}

// Certificates of any make are told, as crypto/x509 reads those that it takes.
func TestCertificateAsX509(t *testing.T) {
	der := serverCertificate(t).Certificate[0]
	want, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := parseCertificate(der)
	if !ok || distinguishedName(got.Subject) != want.Subject.String() || distinguishedName(got.Issuer) != want.Issuer.String() ||
		!got.Validity.NotBefore.Equal(want.NotBefore) || !got.Validity.NotAfter.Equal(want.NotAfter) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if _, ok := parseCertificate(der[:len(der)-1]); ok {
		t.Error("half a certificate is read")
	}
}

// TLS that began before the capture is known by its records, and only in
// connections whose beginning was not seen.
func TestSessionFromTheMiddle(t *testing.T) {
	record := append([]byte{recordData, 3, 3, 0, 100}, make([]byte, 100)...)
	k := newTalk(client, server, 0).say(fromServer, record).say(fromClient, record)
	b, _ := decodeShots(t, k.shots...)
	if f := only(t, b.Flows); f.Service != "ssl" || f.State != "OTH" || f.Src != client {
		t.Errorf("flow %+v", f)
	}
	b, _ = decodeShots(t, newTalk(client, server, 0).open().say(fromServer, record).say(fromClient, record).shots...)
	if f := only(t, b.Flows); f.Service != "" {
		t.Errorf("flow %+v", f)
	}
	// The hello says who the client is, whatever the ports look like.
	hello := sessions(t)[0].said[0].data
	k = newTalk(server, client, 0).say(fromClient, hello)
	b, _ = decodeShots(t, k.shots...)
	if f, h := only(t, b.Flows), only(t, b.Handshakes); f.Src != server || h.Src != server || h.SNI != "c2.example" || f.History != "D" {
		t.Errorf("flow %+v, handshake %+v", f, h)
	}
}

// What the capture cut off cannot be read, and then nothing is claimed.
func TestSnappedSession(t *testing.T) {
	said := sessions(t)[1].said
	k := newTalk(client, server, 0).open().replay(said).close()
	shots := slices.Clone(k.shots)
	snap := len(k.shots[3].data) // of the ClientHello
	for i := range shots {
		shots[i].length = len(shots[i].data)
		shots[i].data = shots[i].data[:min(len(shots[i].data), snap)]
	}
	whole, _ := decodeShots(t, k.shots...)
	b, tally := decodeShots(t, shots...)
	h, f := only(t, b.Handshakes), only(t, b.Flows)
	if diff := cmp.Diff(whole.Flows[0], f, cmpopts.EquateComparable(client)); diff != "" {
		t.Errorf("flow (-whole +snapped):\n%s", diff)
	}
	if h.SNI != "c2.example" || h.Established != event.Unsaid || h.CertID != "" {
		t.Errorf("handshake %+v", h)
	}
	if len(tally.Warnings) != 1 || !strings.Contains(tally.Warnings[0], "not captured whole") {
		t.Errorf("warnings %q", tally.Warnings)
	}
}

// A session that has not come to its end is told as far as it went.
func TestUnfinishedSession(t *testing.T) {
	for _, s := range sessions(t)[:2] {
		for n := 1; n < len(s.said); n++ {
			k := newTalk(client, server, 0).open().replay(s.said[:n])
			b, _ := decodeShots(t, k.shots...)
			if h := only(t, b.Handshakes); h.Established == event.No || h.SNI != "c2.example" {
				t.Errorf("%s, %d messages: %+v", s.name, n, h)
			}
			b, _ = decodeShots(t, k.close().shots...)
			if h := only(t, b.Handshakes); h.Established == event.Unsaid {
				t.Errorf("%s, ended after %d messages: %+v", s.name, n, h)
			}
		}
	}
}

// Extensions may be malformed; hellos that cannot be read are none.
func TestHellosOfAllKinds(t *testing.T) {
	hello := unhex(t, rfcCrypto)[8:]
	for n := range hello {
		if h, ok := parseClientHello(hello[:n]); ok && n != 43 { // 43 has no extensions
			t.Errorf("a hello of %d bytes is read: %+v", n, h)
		}
	}
	if h, ok := parseClientHello(hello); !ok || string(h.name) != "example.com" || h.version != 0x0304 || len(h.extensions) != 11 {
		t.Errorf("%+v, %v", h, ok)
	}
	for i := range hello {
		for _, x := range []byte{0x01, 0x80, 0xff} {
			damaged := slices.Clone(hello)
			damaged[i] ^= x
			if h, ok := parseClientHello(damaged); ok {
				h.describe(new(event.Handshake), ja4TCP)
			}
			parseServerHello(damaged)
		}
	}
}
