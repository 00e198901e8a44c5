package suricata

import (
	"io"
	"net/netip"
	"strings"
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

// decodeAll decodes text and checks the account of it: an event of tls may
// give two, and no other may.
func decodeAll(t testing.TB, text string) (*event.Batch, *decode.Tally) {
	t.Helper()
	all, tally := new(event.Batch), new(decode.Tally)
	d := Formats()[0].Open(strings.NewReader(text), tally)
	var err error
	for err == nil {
		err = d.Decode(all)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	told := int64(all.Len()-len(all.Certificates)) + tally.IgnoredTotal() + tally.SkippedTotal()
	if told != tally.Records || tally.Events != int64(all.Len()) {
		t.Errorf("%d records, but %d events, %d ignored, %d skipped", tally.Records, all.Len(), tally.IgnoredTotal(), tally.SkippedTotal())
	}
	return all, tally
}

func expect(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, compare); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// record returns an event of that type between 10.0.0.5:50000 and
// 203.0.113.9:443, seen at 2026-11-23T14:22:37.25 UTC.
func record(kind, rest string) string {
	return `{"timestamp":"2026-11-23T15:22:37.250000+0100","flow_id":1408077520286012,"in_iface":"eth0","event_type":"` + kind +
		`","src_ip":"10.0.0.5","src_port":50000,"dest_ip":"203.0.113.9","dest_port":443,` + rest + "}\n"
}

var (
	seenAt = event.At(time.Date(2026, 11, 23, 14, 22, 37, 250e6, time.UTC))
	client = netip.MustParseAddrPort("10.0.0.5:50000")
	server = netip.MustParseAddrPort("203.0.113.9:443")
)

const uid = "1408077520286012"

const (
	counts  = `"pkts_toserver":12,"pkts_toclient":10,"bytes_toserver":2484,"bytes_toclient":9000`
	started = `"start":"2026-11-23T15:22:30.000001+0100","end":"2026-11-23T15:22:31.500001+0100","age":1,"state":"closed","reason":"timeout"`
	flowRow = `"proto":"TCP","app_proto":"tls","host":"dmz","community_id":"1:x=","flow":{` + counts + "," + started +
		`},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","syn":true,"state":"closed"}`
)

// theFlow returns what flowRow says, but for the changes.
func theFlow(changes ...func(*event.Flow)) event.Flow {
	f := event.Flow{
		Sensor: "dmz", Time: event.At(time.Date(2026, 11, 23, 14, 22, 30, 1000, time.UTC)), UID: uid,
		Proto: event.TCP, Src: client, Dst: server,
		Duration: 1500000, BytesOut: 2484, BytesIn: 9000, PacketsOut: 12, PacketsIn: 10,
		State: "SF", Service: "ssl", CommunityID: "1:x=",
	}
	for _, c := range changes {
		c(&f)
	}
	return f
}

// TestFlow: bytes of frames are handed on as they are, and the tally says so.
func TestFlow(t *testing.T) {
	const unknown = event.Unknown
	state := func(s string) func(*event.Flow) { return func(f *event.Flow) { f.State = s } }
	tests := []struct {
		name     string
		old, new string // of flowRow
		want     func(*event.Flow)
		skipped  string
		unseen   bool
	}{
		{name: "complete"},
		{name: "QUIC", old: `"proto":"TCP","app_proto":"tls"`, new: `"proto":"UDP","app_proto":"quic"`, want: func(f *event.Flow) { f.Proto, f.Service = event.UDP, "quic,ssl" }},
		{name: "not recognised", old: `"tls"`, new: `"failed"`, want: func(f *event.Flow) { f.Service = "" }},
		{name: "upgraded", old: `"app_proto":"tls"`, new: `"app_proto":"tls","app_proto_orig":"http"`, want: func(f *event.Flow) { f.Service = "http,ssl" }},
		{name: "unnamed sensor", old: `"host":"dmz",`, want: func(f *event.Flow) { f.Sensor = "suricata" }},
		{name: "id in a string", old: `"flow_id":1408077520286012`, new: `"flow_id":"1408077520286012"`},
		{name: "no end", old: `"end":"2026-11-23T15:22:31.500001+0100",`, want: func(f *event.Flow) { f.Duration = 1e6 }},
		{name: "end before start", old: `"end":"2026-11-23T15:22:31`, new: `"end":"2026-11-23T15:22:29`, want: func(f *event.Flow) { f.Duration = unknown }},
		{name: "neither end nor age", old: `"end":"2026-11-23T15:22:31.500001+0100","age":1,`, want: func(f *event.Flow) { f.Duration = unknown }},
		{name: "no counts", old: counts + ",", want: func(f *event.Flow) {
			f.BytesOut, f.BytesIn, f.PacketsOut, f.PacketsIn, f.State = unknown, unknown, unknown, unknown, "SF"
		}},
		{name: "attempt without an answer", old: `"pkts_toclient":10,"bytes_toserver":2484,"bytes_toclient":9000,` + started + `},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b"`,
			new:  `"pkts_toclient":0,"bytes_toserver":2484,"bytes_toclient":0,` + started + `},"tcp":{"tcp_flags":"02","tcp_flags_ts":"02","tcp_flags_tc":"00"`,
			want: func(f *event.Flow) { f.BytesIn, f.PacketsIn, f.State = 0, 0, "S0" }},
		{name: "server not seen", old: `"pkts_toclient":10,"bytes_toserver":2484,"bytes_toclient":9000`, new: `"pkts_toclient":0,"bytes_toserver":2484,"bytes_toclient":0`, unseen: true,
			want: func(f *event.Flow) { f.BytesIn, f.PacketsIn = unknown, unknown }},
		{name: "client not seen", old: `"pkts_toserver":12,"pkts_toclient":10,"bytes_toserver":2484`, new: `"pkts_toserver":0,"pkts_toclient":10,"bytes_toserver":0`, unseen: true,
			want: func(f *event.Flow) { f.BytesOut, f.PacketsOut = unknown, unknown }},
		{name: "refused", old: `"tcp_flags_ts":"1b","tcp_flags_tc":"1b"`, new: `"tcp_flags_ts":"02","tcp_flags_tc":"14"`, want: state("REJ")},
		{name: "reset by the client", old: `"tcp_flags_tc":"1b"`, new: `"tcp_flags_tc":"1a"`, want: state("S2")},
		{name: "reset by the server", old: `"tcp_flags_ts":"1b","tcp_flags_tc":"1b"`, new: `"tcp_flags_ts":"1a","tcp_flags_tc":"1e"`, want: state("RSTR")},
		{name: "open", old: `"tcp_flags_ts":"1b","tcp_flags_tc":"1b"`, new: `"tcp_flags_ts":"1a","tcp_flags_tc":"1a"`, want: state("S1")},
		{name: "midstream", old: `"tcp_flags_ts":"1b","tcp_flags_tc":"1b"`, new: `"tcp_flags_ts":"18","tcp_flags_tc":"18"`, want: state("OTH")},
		{name: "no flags", old: `"tcp_flags_ts":"1b",`, want: state("")},
		{name: "mapped address", old: `"src_ip":"10.0.0.5"`, new: `"src_ip":"::ffff:10.0.0.5"`},

		{name: "no zone", old: `30.000001+0100`, new: `30.000001`, skipped: badTime},
		{name: "no start", old: `"start":"2026-11-23T15:22:30.000001+0100",`, skipped: badTime},
		{name: "no address", old: `"src_ip":"10.0.0.5"`, new: `"src_ip":"x"`, skipped: badAddress},
		{name: "no port", old: `":50000,`, new: `":70000,`, skipped: badPort},
		{name: "a fraction", old: `2484`, new: `2484.5`, skipped: badCount},
		{name: "below zero", old: `2484`, new: `-1`, skipped: badCount},
		{name: "too many", old: `2484`, new: `18446744073709551615`, skipped: badCount},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			row := record("flow", flowRow)
			if tt.old != "" {
				changed := strings.Replace(row, tt.old, tt.new, 1)
				if changed == row {
					t.Fatal("no such text")
				}
				row = changed
			}
			got, tally := decodeAll(t, row)
			if tt.skipped != "" {
				expect(t, "skipped", []decode.Position{{Where: "line 1", Reason: tt.skipped}}, tally.Positions)
				return
			}
			if tt.want == nil {
				tt.want = func(*event.Flow) {}
			}
			expect(t, "flows", []event.Flow{theFlow(tt.want)}, got.Flows)
			warnings := []string{"bytes of 1 flows are of whole frames: upper bounds of the payload"}
			if tt.unseen {
				warnings = append(warnings, "one side not seen in 1 flows: its bytes are unknown")
			}
			expect(t, "warnings", warnings, tally.Warnings)
		})
	}
}

func TestIgnored(t *testing.T) {
	for row, want := range map[string]string{
		record("flow", `"proto":"ICMP","icmp_type":8,"flow":{`+started+`}`):                        "suricata flow, neither TCP nor UDP",
		record("alert", `"proto":"TCP"`):                                                           "suricata alert",
		record("netflow", `"proto":"TCP"`):                                                         "suricata netflow",
		record("<b>", `"proto":"TCP"`):                                                             "suricata, other event",
		record("http", `"proto":"TCP","http":{"hostname":"a","url":"/","http_method":"GET"}`):      "suricata http, not proxied",
		record("http", `"proto":"TCP","http":{"url":"rtsp://a/11","http_method":"DESCRIBE"}`):      "suricata http, not proxied",
		record("quic", `"proto":"UDP","quic":{"version":"1"}`):                                     "suricata quic, no client hello",
		record("dns", `"proto":"UDP","dns":{"type":"query","rrname":"a","rrtype":"A"}`):            "suricata dns, question",
		record("dns", `"proto":"UDP","dns":{"type":"answer","rrname":"a","rrtype":"TXT"}`):         "suricata dns, not for an address",
		record("dns", `"proto":"UDP","dns":{"type":"answer","rrname":"","rrtype":"A"}`):            "suricata dns, no question",
		record("dhcp", `"proto":"UDP","dhcp":{"type":"request","dhcp_type":"discover"}`):           "suricata dhcp, no lease",
		record("dhcp", `"proto":"UDP","dhcp":{"dhcp_type":"ack","assigned_ip":"10.0.0.7"}`):        "suricata dhcp, no address or no client",
		record("dhcp", `"dhcp":{"dhcp_type":"ack","hostname":"a","assigned_ip":"0.0.0.0"}`):        "suricata dhcp, no address or no client",
		strings.Replace(record("dns", `"dns":{"type":"answer","rrname":"a"}`), ":443", ":5353", 1): "suricata dns, multicast or NetBIOS",
	} {
		got, tally := decodeAll(t, row)
		expect(t, row, map[string]int64{want: 1}, tally.Ignored)
		expect(t, row, 0, got.Len())
	}
}

func TestTLS(t *testing.T) {
	got, tally := decodeAll(t, record("tls", `"proto":"TCP","tls":{"subject":"CN=www.example.com","issuerdn":"C=BE, CN=Example CA","serial":"17:8E",
"fingerprint":"2D:d1:9f","sni":"WWW.Example.com.","version":"TLS 1.2","notbefore":"2020-03-19T09:44:08","notafter":"2022-03-20T09:44:08",
"client_alpns":["h2","http/1.1"],"ja3":{"hash":"b7","string":"770,51"},"ja3s":{"hash":"ad","string":"770"},"ja4":"t12d"}`)+
		record("tls", `"proto":"TCP","tls":{"sni":"a","version":"UNDETERMINED","server_alpns":["h2"],"client_alpns":["x"],"ja3":{}}`)+
		record("tls", `"proto":"TCP"`))
	expect(t, "handshakes", []event.Handshake{
		{
			Sensor: "suricata", Time: seenAt, UID: uid, Proto: event.TCP, Src: client, Dst: server,
			SNI: "www.example.com", Version: "TLSv12", ALPN: "h2", JA3: "b7", JA3S: "ad", JA4: "t12d",
			Subject: "CN=www.example.com", Issuer: "C=BE, CN=Example CA", CertID: "2dd19f",
		},
		{Sensor: "suricata", Time: seenAt, UID: uid, Proto: event.TCP, Src: client, Dst: server, SNI: "a", ALPN: "h2"},
	}, got.Handshakes)
	expect(t, "certificates", []event.Certificate{{
		Sensor: "suricata", Time: seenAt, ID: "2dd19f", Subject: "CN=www.example.com", Issuer: "C=BE, CN=Example CA",
		NotBefore: event.At(time.Date(2020, 3, 19, 9, 44, 8, 0, time.UTC)), NotAfter: event.At(time.Date(2022, 3, 20, 9, 44, 8, 0, time.UTC)),
	}}, got.Certificates)
	expect(t, "skipped", map[string]int64{"tls without its object": 1}, tally.Skipped)
}

// An event of QUIC may stand in the direction of the server's packet.
func TestQUIC(t *testing.T) {
	turned := strings.NewReplacer("10.0.0.5", "203.0.113.9", "203.0.113.9", "10.0.0.5", `":50000,`, `":443,`, `":443,`, `":50000,`)
	row := record("quic", `"proto":"UDP","quic":{"version":"1","sni":"www.example.com","ja3":{"hash":"b7"},"ja4":"q13d"}`)
	got, _ := decodeAll(t, row+turned.Replace(row))
	want := event.Handshake{
		Sensor: "suricata", Time: seenAt, UID: uid, Proto: event.UDP, Src: client, Dst: server,
		SNI: "www.example.com", Version: "QUICv1", JA3: "b7", JA4: "q13d",
	}
	expect(t, "handshakes", []event.Handshake{want, want}, got.Handshakes)
}

// TestDNS: the same answer in all layouts.
func TestDNS(t *testing.T) {
	toResolver := strings.NewReplacer(`":443,`, `":53,`)
	fromResolver := strings.NewReplacer("10.0.0.5", "203.0.113.9", "203.0.113.9", "10.0.0.5", `":50000,`, `":53,`, `":443,`, `":50000,`)
	a, aaaa := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for name, tt := range map[string]struct {
		turn *strings.Replacer
		dns  string
		want []netip.Addr
	}{
		"version 1": {fromResolver, `"type":"answer","id":2,"rcode":"NOERROR","rrname":"WWW.example.com","rrtype":"A","ttl":91,"rdata":"192.0.2.1"`, []netip.Addr{a}},
		"version 2, detailed": {toResolver, `"version":2,"type":"answer","rrname":"www.example.com","rrtype":"A","rcode":"NOERROR",
"answers":[{"rrname":"www.example.com","rrtype":"CNAME","rdata":"x.example.com"},{"rrname":"x.example.com","rrtype":"A","rdata":"192.0.2.1"}],"grouped":{"A":["192.0.2.1"],"CNAME":["x"]}`, []netip.Addr{a}},
		"version 2, grouped":        {toResolver, `"version":2,"type":"answer","rrname":"www.example.com","rrtype":"ANY","grouped":{"AAAA":["2001:0db8::0001"],"A":["192.0.2.1","x"]}`, []netip.Addr{a, aaaa}},
		"version 3":                 {toResolver, `"version":3,"type":"response","queries":[{"rrname":"www.example.com","rrtype":"AAAA"}],"answers":[{"rrname":"www.example.com","rrtype":"AAAA","rdata":"2001:0db8:0000::0001"}]`, []netip.Addr{aaaa}},
		"version 3, no such domain": {toResolver, `"version":3,"type":"response","rcode":"NXDOMAIN","queries":[{"rrname":"www.example.com","rrtype":"HTTPS"}]`, nil},
	} {
		got, _ := decodeAll(t, tt.turn.Replace(record("dns", `"proto":"UDP","dns":{`+tt.dns+`}`)))
		expect(t, name, []event.Lookup{{
			Sensor: "suricata", Time: seenAt, Client: client.Addr(), Name: "www.example.com", Answers: tt.want,
		}}, got.Lookups)
	}
}

func TestRequests(t *testing.T) {
	for http, want := range map[string]event.Request{
		`"hostname":"www.Example.com","http_port":8443,"url":"www.Example.com:8443","http_method":"CONNECT","status":200`: {Method: "CONNECT", Host: "www.example.com", Port: 8443, Status: 200},
		`"hostname":"www.example.com","http_port":443,"http_method":"CONNECT"`:                                            {Method: "CONNECT", Host: "www.example.com", Port: 443},
		`"hostname":"proxy","url":"http://www.example.com/x","http_method":"GET","status":404`:                            {Method: "GET", Scheme: "http", Host: "www.example.com", Port: 80, Status: 404},
	} {
		got, _ := decodeAll(t, record("http", `"proto":"TCP","http":{`+http+`}`))
		want.Sensor, want.Time, want.UID, want.Src, want.Dst = "suricata", seenAt, uid, client, server
		expect(t, http, []event.Request{want}, got.Requests)
	}
	_, tally := decodeAll(t, record("http", `"http":{"http_method":"CONNECT","url":":443"}`))
	expect(t, "without a host", map[string]int64{noHost: 1}, tally.Skipped)
}

// The name is the client's, of its request.
func TestLeases(t *testing.T) {
	got, tally := decodeAll(t,
		record("dhcp", `"dhcp":{"type":"request","id":7,"client_mac":"00:50:56:AA:bb:cc","dhcp_type":"request","hostname":"PC01","requested_ip":"10.0.0.7"}`)+
			record("dhcp", `"dhcp":{"type":"reply","id":7,"client_mac":"00:50:56:aa:bb:cc","dhcp_type":"ack","assigned_ip":"10.0.0.7","lease_time":3600}`)+
			record("dhcp", `"dhcp":{"type":"reply","id":8,"client_mac":"00:50:56:aa:bb:cc","dhcp_type":"ack","assigned_ip":"0.0.0.0","client_ip":"10.0.0.8"}`)+
			record("dhcp", `"dhcp":{"type":"reply","id":9,"client_mac":"00:50:56:aa:bb:cc","dhcp_type":"ack","assigned_ip":"x"}`))
	expect(t, "leases", []event.Lease{
		{Sensor: "suricata", Time: seenAt, Host: "pc01", Addr: netip.MustParseAddr("10.0.0.7"), MAC: "00:50:56:aa:bb:cc", Duration: 3600e6},
		{Sensor: "suricata", Time: seenAt, Addr: netip.MustParseAddr("10.0.0.8"), MAC: "00:50:56:aa:bb:cc", Duration: event.Unknown},
	}, got.Leases)
	expect(t, "skipped", map[string]int64{badAddress: 1}, tally.Skipped)
}

func TestInstant(t *testing.T) {
	at := func(s string) event.Time {
		std, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return event.At(std)
	}
	for in, want := range map[string]event.Time{
		"2021-06-06T15:57:37.272281+0200":    at("2021-06-06T13:57:37.272281Z"),
		"2021-06-06T15:57:37.272281+02:00":   at("2021-06-06T13:57:37.272281Z"),
		"2021-06-06T15:57:37.272281Z":        at("2021-06-06T15:57:37.272281Z"),
		"2021-06-06T15:57:37-0930":           at("2021-06-07T01:27:37Z"),
		"2021-06-06T15:57:37.123456789+0000": at("2021-06-06T15:57:37.123456Z"),
		"2024-02-29T23:59:60.5Z":             at("2024-03-01T00:00:00.5Z"),
		"2021-06-06T15:57:37.272281":         event.Never,
		"2021-06-06 15:57:37.272281Z":        event.Never,
		"2021-13-06T15:57:37Z":               event.Never,
		"2021-06-06T24:57:37Z":               event.Never,
		"2021-06-06T15:57:37.Z":              event.Never,
		"2021-06-06T15:57:37+2:00":           event.Never,
		"2021-06-06T15:57:37+9900":           event.Never,
		"0001-01-01T00:00:00Z":               event.Never,
		"06/06/2021-15:57:37.272281":         event.Never,
		"2021-06-06T15:57:3":                 event.Never,
		"":                                   event.Never,
	} {
		got, ok := instant([]byte(in))
		if ok != (want != event.Never) || ok && got != want {
			t.Errorf("%q: %v (%v), want %v", in, got.Std(), ok, want.Std())
		}
	}
}
