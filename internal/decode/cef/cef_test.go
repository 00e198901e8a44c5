package cef

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

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

func formatOf(t testing.TB, name string) *decode.Format {
	t.Helper()
	f, err := decode.ByName(Formats(), name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// at is 2026-11-23 15:39:19 UTC.
const at event.Time = 1795448359000000

// The layouts that Zscaler ships for its web feed, filled.
const (
	zscalerCEF  = `Nov 23 15:39:19 zscaler-nss CEF:0|Zscaler|NSSWeblog|5.0|Allowed|Allowed|3|act=Allowed app=%s cat=Internet Services dhost=www.example.com dst=203.0.113.9 src=10.0.0.5 in=5000 outcome=200 out=2000 request=%s rt=Nov 23 2026 15:39:19 sourceTranslatedAddress=198.51.100.1 requestClientApplication=Mozilla/5.0 src\=6.6.6.6 (x) requestMethod=%s suser=bob@example.com spriv=HQ externalId=6748427317914894361 fileType=None reason=Allowed destinationServiceName=General Browsing cn1=0 cn1Label=riskscore cs1=Default Department cs1Label=dept`
	zscalerLEEF = "Nov 23 15:39:19 zscaler-nss LEEF:1.0|Zscaler|NSS|4.1|Allowed|cat=Allowed\tdevTime=Nov 23 2026 15:39:19 GMT\tdevTimeFormat=MMM dd yyyy HH:mm:ss z\tsrc=10.0.0.5\tdst=203.0.113.9\tsrcPostNAT=198.51.100.1\trealm=HQ\tusrName=bob@example.com\tsrcBytes=2000\tdstBytes=5000\trole=x\tpolicy=Allowed\turl=%[2]s\trecordid=1\tbwthrottle=NO\tuseragent=Mozilla/5.0 src=6.6.6.6\treferer=None\thostname=www.example.com\tappproto=%[1]s\turlcategory=x\treqmethod=%[3]s"
)

func zscaler1(change func(*event.Request)) event.Request {
	r := event.Request{
		Sensor: "Zscaler", Time: at, Src: netip.MustParseAddrPort("10.0.0.5:0"), Method: "CONNECT", Host: "www.example.com", Port: 443,
		User: "bob@example.com", Status: 200, Volume: event.Volume{Counted: true, Duration: event.Unknown, BytesOut: 2000, BytesIn: 5000},
	}
	if change != nil {
		change(&r)
	}
	return r
}

func TestZscaler(t *testing.T) {
	for name, layout := range map[string]string{"cef": zscalerCEF, "leef": zscalerLEEF} {
		for _, tt := range []struct {
			app, url, method string
			want             func(*event.Request)
		}{
			{"HTTPS", "www.example.com:443", "CONNECT", nil},
			{"SSL", "www.Example.com", "Connect", func(r *event.Request) { r.Port = 0 }},
			{"HTTPS", "www.example.com/a?b=c&d=e", "post", func(r *event.Request) { r.Method, r.Scheme = "POST", "https" }},
			{"HTTP_PROXY", "www.example.com/", "GET", func(r *event.Request) { r.Method, r.Scheme, r.Port = "GET", "http", 80 }},
			{"HTTPS", "/a", "GET", func(r *event.Request) { r.Method, r.Scheme = "GET", "https" }},
		} {
			got, tally := decodetest.Decode(t, formatOf(t, name), fmt.Sprintf(layout, tt.app, tt.url, tt.method))
			want := zscaler1(tt.want)
			if name == "leef" {
				want.Status = 0
			}
			expect(t, name+" "+tt.url, []event.Request{want}, got.Requests)
			if zoneless := name == "cef"; zoneless != (len(tally.Warnings) == 1) {
				t.Errorf("%s: warnings %v", name, tally.Warnings)
			}
		}
		_, tally := decodetest.Decode(t, formatOf(t, name), fmt.Sprintf(layout, "FTP", "ftp.example.com/", "RETR"))
		expect(t, "ignored", map[string]int64{name + ", neither http nor https": 1}, tally.Ignored)
	}
}

// The published examples of FortiOS, with other addresses.
const (
	fortiTraffic = `Dec 27 11:07:55 FGT-A-LOG CEF: 0|Fortinet|Fortigate|v6.0.3|00013|traffic:forward close|3|deviceExternalId=FGT1 FTNTFGTlogid=0000000013 cat=traffic:forward FTNTFGTsubtype=forward FTNTFGTlevel=notice FTNTFGTvd=vdom1 FTNTFGTeventtime=1795448359 src=10.0.0.5 spt=54190 deviceInboundInterface=port12 FTNTFGTsrcintfrole=undefined dst=203.0.113.9 dpt=443 deviceOutboundInterface=port11 externalId=402 proto=6 act=close FTNTFGTpolicyid=1 app=HTTPS FTNTFGTdstcountry=United States FTNTFGTapp=HTTPS.BROWSER FTNTFGTduration=2 out=3652 in=146668`
	fortiWeb     = `<189>Dec 27 11:07:54 FGT-A-LOG CEF:0|Fortinet|Fortigate|v6.0.3|13312|utm:webfilter ftgd_allow passthrough|2|deviceExternalId=FGT1 cat=utm:webfilter FTNTFGTeventtime=1795448358 externalId=402 src=10.0.0.5 spt=54190 dst=203.0.113.9 dpt=443 proto=6 app=HTTPS dhost=www.example.com act=passthrough request=https://www.example.com/ out=517 in=0 msg=URL belongs to an allowed category in policy`
)

func TestFortinet(t *testing.T) {
	got, tally := decodetest.Decode(t, formatOf(t, "cef"), fortiTraffic+"\n"+fortiWeb+"\n"+strings.NewReplacer("https", "http", "443", "80").Replace(fortiWeb))
	client, server := netip.MustParseAddrPort("10.0.0.5:54190"), netip.MustParseAddrPort("203.0.113.9:443")
	const uid = "FGT1/402/10.0.0.5:54190"
	expect(t, "flows", []event.Flow{{
		Sensor: "FGT1", Time: at - 2e6, UID: uid, Proto: event.TCP, Src: client, Dst: server, Duration: 2e6,
		BytesOut: 3652, BytesIn: 146668, PacketsOut: event.Unknown, PacketsIn: event.Unknown,
	}}, got.Flows)
	expect(t, "handshakes", []event.Handshake{{
		Sensor: "FGT1", Time: at - 1e6, UID: uid, Proto: event.TCP, Src: client, Dst: server, SNI: "www.example.com",
	}}, got.Handshakes)
	expect(t, "ignored", map[string]int64{"cef, a firewall's URL without TLS": 1}, tally.Ignored)
}

func generic(ext string) string { return "CEF:0|Acme|Gate|1|100|session|3|" + ext }

func TestStandard(t *testing.T) {
	flow := event.Flow{
		Sensor: "gw1", Time: at, Proto: event.TCP, Src: netip.MustParseAddrPort("10.0.0.5:51000"), Dst: netip.MustParseAddrPort("203.0.113.9:443"),
		Duration: 1500000, BytesOut: event.Unknown, BytesIn: event.Unknown, PacketsOut: event.Unknown, PacketsIn: event.Unknown,
	}
	got, tally := decodetest.Decode(t, formatOf(t, "cef"), generic("dvchost=gw1 proto=TCP src=10.0.0.5 spt=51000 dst=203.0.113.9 dpt=443 in=1 out=2 start=1795448359000 end=1795448360500"))
	expect(t, "flows", []event.Flow{flow}, got.Flows)
	expect(t, "warnings", []string{"it is not known which way this vendor counts in and out: bytes are unknown"}, tally.Warnings)

	got, _ = decodetest.Decode(t, formatOf(t, "leef"), "LEEF:2.0|Acme|Gate|1|100|x5E|deviceName=gw1^proto=6^src=10.0.0.5^srcPort=51000^dst=203.0.113.9^dstPort=443^srcBytes=2^dstBytes=1^devTime=2026-11-23T16:39:19+01:00")
	flow.Duration, flow.BytesOut, flow.BytesIn = event.Unknown, 2, 1
	expect(t, "flows", []event.Flow{flow}, got.Flows)

	got, _ = decodetest.Decode(t, formatOf(t, "cef"), generic(`src=10.0.0.5 request=https://www.example.com/a\=b?c=d requestMethod=GET act=Blocked by policy rt=1795448359000 dvc=192.0.2.1`))
	expect(t, "requests", []event.Request{{
		Sensor: "192.0.2.1", Time: at, Src: netip.MustParseAddrPort("10.0.0.5:0"), Method: "GET", Scheme: "https", Host: "www.example.com", Port: 443, Status: 403,
		Volume: event.Volume{Counted: true, Duration: event.Unknown, BytesOut: event.Unknown, BytesIn: event.Unknown},
	}}, got.Requests)
}

func TestMessagesThatGiveNothing(t *testing.T) {
	const flow = "proto=TCP src=10.0.0.5 spt=51000 dst=203.0.113.9 dpt=443 in=1 out=2 rt=1795448359000"
	for _, tt := range []struct{ line, skipped, ignored string }{
		{"CEF:2|a|b|c|d|e|f|" + flow, "no message of cef", ""},
		{"CEF:0||b|c|d|e|f|" + flow, "no message of cef", ""},
		{`CEF:0|a|b|c|d|e\|f|` + flow, "no message of cef", ""},
		{`user="x CEF:0|a|b|c|d|e|f|` + flow, "no message of cef", ""},
		{"xCEF:0|a|b|c|d|e|f|" + flow, "no message of cef", ""},
		{generic(strings.Replace(flow, "src=10.0.0.5", "src=pc01", 1)), "no client's address", ""},
		{generic(strings.Replace(flow, "dst=2", "dst=x2", 1)), "no far end's address", ""},
		{generic(strings.Replace(flow, "proto=TCP", "proto=?", 1)), "no transport protocol", ""},
		{generic(strings.Replace(flow, "in=1", "in=1k", 1)), "a number that is none", ""},
		{generic(strings.Replace(flow, "rt=1795448359000", "rt=Nov 23 15:39:19", 1)), "no time that can be read", ""},
		{generic(strings.Replace(flow, "rt=1795448359000", "rt=Nov 23 2026 15:39:19 PST", 1)), "no time that can be read", ""},
		{generic("src=10.0.0.5 dst=203.0.113.9 dpt=443 rt=1795448359000"), "", "cef, neither a request nor a connection"},
		{generic("msg=login of admin"), "", "cef, neither a request nor a connection"},
		{"CEF:0|Zscaler|NSSFWlog|5.0|Allow|x|3|" + flow, "", "cef, Zscaler, no web log"},
	} {
		got, tally := decodetest.Decode(t, formatOf(t, "cef"), tt.line)
		if got.Len() > 0 || tt.skipped != "" && tally.Skipped[tt.skipped] != 1 || tt.ignored != "" && tally.Ignored[tt.ignored] != 1 {
			t.Errorf("%s\ngives %+v, skipped %v, ignored %v", tt.line, got, tally.Skipped, tally.Ignored)
		}
	}
}

func TestPairs(t *testing.T) {
	for ext, want := range map[string]string{
		"a=1 b=2":                     "a:1;b:2;",
		"a=x y z b=":                  "a:x y z;b:;",
		`a=x\=y b\=c d=e\\ f=g`:       `a:x=y b=c;d:e\;f:g;`,
		"u=http://h/?q=1&r=2 s=3":     "u:http://h/?q=1&r=2;s:3;",
		`m=one\ntwo\r three`:          "m:one two  three;",
		"no pairs":                    "",
		"=x a=1":                      "a:1;",
		"ad.key=1 _x-y=2 é=3":         "ad.key:1;_x-y:2 é=3;",
		strings.Repeat("k", 65) + "=": "",
	} {
		got := ""
		spaced(&message{body: []byte(ext)}, func(k, v []byte) { got += string(k) + ":" + string(plain(v)) + ";" })
		if got != want {
			t.Errorf("%q gives %q, want %q", ext, got, want)
		}
	}
}

func TestGoLayout(t *testing.T) {
	for java, want := range map[string]string{
		"MMM dd yyyy HH:mm:ss z":       "Jan _2 2006 15:04:05 MST",
		"MMM dd yyyy HH:mm:ss.SSS zzz": "Jan _2 2006 15:04:05 MST",
		"yyyy-MM-dd'T'HH:mm:ss.SSSXXX": "2006-01-02T15:04:05Z07:00",
		"yyyy/MM/dd HH:mm:ss Z":        "2006/01/02 15:04:05 -0700",
		"EEE MMM dd HH:mm:ss z yyyy":   "Mon Jan _2 15:04:05 MST 2006",
		"":                             "", "yyyy-DDD": "", "hh:mm a": "", strings.Repeat("d", 65): "",
	} {
		if got := goLayout([]byte(java)); got != want {
			t.Errorf("%q gives %q, want %q", java, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	for head, want := range map[string]string{
		generic("src=1"):                                     "cef",
		"half a line\n" + generic(""):                        "cef",
		"<134>1 2026-11-23T15:39:19Z h - - - " + generic(""): "cef",
		zscalerLEEF:                                       "leef",
		"LEEF:3.0|a|b|c|d|":                               "",
		`GET "CEF:0|a|b|c|d|e|f|"`:                        "",
		`{"message": "CEF:0|a|b|c|d|e|f|"}`:               "",
		strings.Repeat("x\n", maxHeadLines) + generic(""): "",
	} {
		got := ""
		for _, f := range Formats() {
			if f.Match([]byte(head)) {
				got += f.Name
			}
		}
		if got != want {
			t.Errorf("%q is %q, want %q", head, got, want)
		}
	}
}

// generated returns a web log of Zscaler in each envelope.
func generated(lines int) map[string][]byte {
	var c, l bytes.Buffer
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range lines {
		end := time.Unix(1795448359+int64(i), 0).UTC().Format("Jan 02 2006 15:04:05")
		url := fmt.Sprintf("www%d.example.net:443", rnd.IntN(1000))
		for b, layout := range map[*bytes.Buffer]string{&c: zscalerCEF, &l: zscalerLEEF} {
			line := fmt.Sprintf(layout, "HTTPS", url, "CONNECT")
			fmt.Fprintln(b, strings.NewReplacer("Nov 23 2026 15:39:19", end, "10.0.0.5", fmt.Sprintf("10.0.0.%d", rnd.IntN(256)), "HQ", "Büro").Replace(line))
		}
	}
	return map[string][]byte{"cef": c.Bytes(), "leef": l.Bytes()}
}

func TestConformance(t *testing.T) {
	if err := decode.Validate(Formats()); err != nil {
		t.Error(err)
	}
	for name, log := range generated(40) {
		t.Run(name, func(t *testing.T) { decodetest.Run(t, formatOf(t, name), log) })
	}
}

func FuzzCEF(f *testing.F) {
	decodetest.Fuzz(f, formatOf(f, "cef"), generated(2)["cef"], []byte(fortiTraffic), []byte(fortiWeb), []byte(generic(`a\=b=c start=1`)))
}

func FuzzLEEF(f *testing.F) {
	decodetest.Fuzz(f, formatOf(f, "leef"), generated(2)["leef"], []byte("LEEF:2.0|a|b|c|d|^|src=::1^devTimeFormat=yyyy"))
}

func BenchmarkCEF(b *testing.B) {
	decodetest.Bench(b, formatOf(b, "cef"), generated(20_000)["cef"], 20_000)
}

func BenchmarkLEEF(b *testing.B) {
	decodetest.Bench(b, formatOf(b, "leef"), generated(20_000)["leef"], 20_000)
}
