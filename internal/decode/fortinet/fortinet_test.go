package fortinet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/decodetest"
	"github.com/postern/postern/internal/event"
)

var compare = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

func expect(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, compare); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func format() *decode.Format { return Formats()[0] }

// at is 2026-11-23 15:39:19 UTC.
const at event.Time = 1795448359000000

// Logs in the published order of fields, of FortiOS 7.
const (
	traffic = `date=2026-11-23 time=16:39:19 devname="FGT-A" devid="FGT1" eventtime=1795448359367913239 tz="+0100" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=10.0.0.5 srcport=54190 srcintf="port12" srcintfrole="lan" dstip=203.0.113.9 dstport=443 dstintf="port11" dstintfrole="wan" srccountry="Reserved" dstcountry="United States" sessionid=105048 proto=6 action="close" policyid=1 policytype="policy" service="HTTPS" trandisp="snat" transip=198.51.100.1 transport=54190 appid=40568 app="HTTPS.BROWSER" duration=116 sentbyte=1188 rcvdbyte=1224 sentpkt=17 rcvdpkt=16`
	web     = `<189>date=2026-11-23 time=16:39:19 devname="FGT-A" devid="FGT1" eventtime=1795448359367913239 tz="+0100" logid="0317013312" type="utm" subtype="webfilter" eventtype="ftgd_allow" level="notice" vd="root" policyid=1 sessionid=105048 srcip=10.0.0.5 srcport=54190 srcintf="port12" dstip=203.0.113.9 dstport=443 dstintf="port11" proto=6 service="HTTPS" hostname="www.Example.com" profile="default" action="passthrough" reqtype="direct" url="https://www.example.com/\" srcip=6.6.6.6 x=\"" sentbyte=517 rcvdbyte=0 direction="outgoing" msg="URL belongs to an allowed category in policy" method="domain" cat=52`
	ssl     = `date=2026-11-23 time=16:39:19 devname="FGT-A" devid="FGT1" eventtime=1795448359367913239 tz="+0100" logid="1702062103" type="utm" subtype="ssl" eventtype="ssl-negotiation" level="information" vd="root" action="info" policyid=1 sessionid=105048 service="SSL" srcip=10.0.0.5 srcport=54190 dstip=203.0.113.9 dstport=443 proto=6 tlsver="tls1.3" sni="www.example.com" cipher="0x1302" authalgo="ecdsa" hostname="" cn="*.example.com" issuer="Example CA"`
)

const uid = "FGT1/105048/10.0.0.5:54190"

func flow(change func(*event.Flow)) event.Flow {
	f := event.Flow{
		Sensor: "FGT1", Time: at + 367913 - 116e6, UID: uid, Proto: event.TCP,
		Src: netip.MustParseAddrPort("10.0.0.5:54190"), Dst: netip.MustParseAddrPort("203.0.113.9:443"),
		Duration: 116e6, BytesOut: 1188, BytesIn: 1224, PacketsOut: 17, PacketsIn: 16, Service: "ssl",
	}
	if change != nil {
		change(&f)
	}
	return f
}

// with replaces parts of a log, pair by pair, each of which it must have.
func with(log string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(log, pairs[i]) {
			panic(pairs[i])
		}
		log = strings.ReplaceAll(log, pairs[i], pairs[i+1])
	}
	return log
}

func TestTraffic(t *testing.T) {
	for _, tt := range []struct {
		name, log string
		want      func(*event.Flow)
	}{
		{"close", traffic, nil},
		{"behind a header of syslog", "<189>Nov 23 16:39:19 fw " + traffic, nil},
		{"seconds, of FortiOS 6.0", with(traffic, "1795448359367913239", "1795448359"), func(f *event.Flow) { f.Time -= 367913 }},
		{"local time", with(traffic, "eventtime=1795448359367913239 ", ""), func(f *event.Flow) { f.Time -= 367913 }},
		{"west of UTC", with(traffic, "eventtime=1795448359367913239 ", "", "16:39", "06:09", "+0100", "-0930"), func(f *event.Flow) { f.Time -= 367913 }},
		{"start", with(traffic, `"close"`, `"start"`), func(f *event.Flow) {
			f.Open, f.Time, f.Duration, f.BytesOut, f.BytesIn, f.PacketsOut, f.PacketsIn = true, at+367913, -1, -1, -1, -1, -1
		}},
		{"interim", with(traffic, "0000000013", "0000000020"), func(f *event.Flow) { f.Open = true }},
		{"no application", with(traffic, ` app="HTTPS.BROWSER"`, ""), func(f *event.Flow) { f.Service = "" }},
		{"denied", with(traffic, `"close"`, `"deny"`, "sentbyte=1188", "sentbyte=60", "rcvdbyte=1224", "rcvdbyte=0"), func(f *event.Flow) { f.BytesOut, f.BytesIn = 0, 0 }},
		{"bytes unsaid", with(traffic, " sentbyte=1188 rcvdbyte=1224", ""), func(f *event.Flow) { f.BytesOut, f.BytesIn = -1, -1 }},
	} {
		got, tally := decodetest.Decode(t, format(), tt.log)
		expect(t, tt.name, []event.Flow{flow(tt.want)}, got.Flows)
		if len(tally.Warnings) > 0 {
			t.Errorf("%s: %v", tt.name, tally.Warnings)
		}
	}
	_, tally := decodetest.Decode(t, format(), with(traffic, "eventtime=1795448359367913239 tz=\"+0100\" ", ""))
	expect(t, "warnings", []string{"times have no zone and are taken for UTC"}, tally.Warnings)
}

func TestHandshakes(t *testing.T) {
	shake := func(change func(*event.Handshake)) []event.Handshake {
		h := event.Handshake{Sensor: "FGT1", Time: at + 367913, UID: uid, Proto: event.TCP, Src: flow(nil).Src, Dst: flow(nil).Dst, SNI: "www.example.com"}
		if change != nil {
			change(&h)
		}
		return []event.Handshake{h}
	}
	full := func(h *event.Handshake) { h.Version, h.Subject, h.Issuer = "tls1.3", "CN=*.example.com", "Example CA" }
	for _, tt := range []struct {
		name, log, ignored string
		want               []event.Handshake
	}{
		{"web filter", web, "", shake(nil)},
		{"by service", with(web, "https://www.example.com/", "/", "443", "8443"), "", shake(func(h *event.Handshake) { h.Dst = netip.AddrPortFrom(h.Dst.Addr(), 8443) })},
		{"by port", with(web, "https://www.example.com/", "/", `"HTTPS"`, `"tcp/443"`), "", shake(nil)},
		{"application", with(web, "webfilter", "app-ctrl"), "", shake(nil)},
		{"plain", with(web, "https://", "http://"), "FortiOS URL without TLS", nil},
		{"plain by service", with(web, "https://www.example.com/", "/", `"HTTPS"`, `"HTTP"`), "FortiOS URL without TLS", nil},
		{"address", with(web, "www.Example.com", "203.0.113.9"), "FortiOS URL without a name", nil},
		{"negotiation", ssl, "", shake(full)},
		{"host name", with(ssl, `sni="www.example.com" `, "", `hostname=""`, `hostname="www.example.com"`), "", shake(full)},
		{"without SNI", with(ssl, `sni="www.example.com" `, ""), "", shake(func(h *event.Handshake) { full(h); h.SNI = "" })},
		{"transaction", with(traffic, `"forward"`, `"http-transaction"`), "FortiOS http-transaction", nil},
		{"virus", with(web, "webfilter", "virus"), "FortiOS utm, of no use here", nil},
		{"other", with(web, `"utm"`, `"dlp"`), "FortiOS, of no use here", nil},
	} {
		got, tally := decodetest.Decode(t, format(), tt.log)
		expect(t, tt.name, tt.want, got.Handshakes)
		if tt.ignored != "" && tally.Ignored[tt.ignored] != 1 || tally.SkippedTotal() > 0 {
			t.Errorf("%s: ignored %v, skipped %v", tt.name, tally.Ignored, tally.Skipped)
		}
	}
}

func TestLogsThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct{ log, reason string }{
		{with(traffic, `logid="0000000013" `, ""), "no log of FortiOS"},
		{with(traffic, `level="notice"`, `level="notice`), "no log of FortiOS"},
		{with(traffic, `level="notice"`, `a b`), "no log of FortiOS"},
		{`date=2026-11-23`, "no log of FortiOS"},
		{"nothing", "no log of FortiOS"},
		{with(traffic, "srcip=10.0.0.5", "srcip=pc01"), "no client's address"},
		{with(traffic, "dstport=443", "dstport=x"), "no far end's address"},
		{with(traffic, "proto=6", "proto=x"), "no transport protocol"},
		{with(traffic, "sentbyte=1188", "sentbyte=x"), "a number that is none"},
		{with(traffic, "eventtime=1795448359367913239 ", "", "16:39:19", "now"), "no time that can be read"},
		{with(traffic, "duration=116", "duration=9999999999"), "no time that can be read"},
	} {
		got, tally := decodetest.Decode(t, format(), tt.log)
		if got.Len() > 0 || tally.Skipped[tt.reason] != 1 {
			t.Errorf("skipped %v, want %q of\n%s", tally.Skipped, tt.reason, tt.log)
		}
	}
}

func TestMatch(t *testing.T) {
	for head, want := range map[string]bool{
		traffic: true, web: true, "half a line\n" + ssl: true,
		"CEF:0|a|b|c|d|e|f|" + traffic:                false,
		"id=firewall sn=1 time=\"2026-11-23\" src=1":  false,
		`src=1 ` + traffic:                            false,
		"nothing":                                     false,
		strings.Repeat("x\n", maxHeadLines) + traffic: false,
	} {
		if got := format().Match([]byte(head)); got != want {
			t.Errorf("%v for %s", got, head)
		}
	}
}

func generated(lines int) []byte {
	var b bytes.Buffer
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range lines {
		log := traffic
		if i%3 == 0 {
			log = web
		}
		fmt.Fprintln(&b, with(log, "105048", fmt.Sprint(i+1), "1795448359367913239", fmt.Sprint(1795448359367913239+int64(i)*1e9),
			"54190", fmt.Sprint(1024+rnd.IntN(60000)), "port12", "Büro", "sentbyte=", fmt.Sprintf("sentbyte=%d", rnd.IntN(100))))
	}
	return b.Bytes()
}

func TestConformance(t *testing.T) {
	if err := decode.Validate(Formats()); err != nil {
		t.Error(err)
	}
	decodetest.Run(t, format(), generated(50))
}

func FuzzFortinet(f *testing.F) {
	decodetest.Fuzz(f, format(), []byte(traffic), []byte(web), []byte(ssl))
}

func BenchmarkFortinet(b *testing.B) { decodetest.Bench(b, format(), generated(20_000), 20_000) }
