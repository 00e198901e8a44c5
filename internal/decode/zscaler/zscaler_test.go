package zscaler

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

// at is 2026-11-23 15:39:19 UTC.
const at event.Time = 1795448359000000

// The templates that Zscaler ships, of which "line" makes a log.
const template = "2026-11-23 15:39:19|reason=Allowed|event_id=6748427317914894361|protocol=HTTPS|action=Allowed|transactionsize=7000|responsesize=5000|requestsize=2000|urlcategory=Business|serverip=203.0.113.9|clienttranstime=1500|requestmethod=CONNECT|refererURL=None|useragent=Windows ZTunnel/1.0|product=NSS|location=HQ|ClientIP=10.0.0.5|status=200|user=bob@example.com|url=www.example.com:443|vendor=Zscaler|hostname=www.example.com|clientpublicIP=198.51.100.1|threatcategory=None|threatname=None|filetype=None|appname=x|pagerisk=0"

// line fills the template with changed parts.
func line(pairs ...string) string {
	return strings.ReplaceAll(strings.NewReplacer(pairs...).Replace(template), "|", "\t") + "\n"
}

// object is line in JSON.
func object(pairs ...string) string {
	date, rest, _ := strings.Cut(strings.TrimSpace(line(pairs...)), "\t")
	var fields []string
	for _, pair := range strings.Split("datetime="+date+"\t"+rest, "\t") {
		key, value, _ := strings.Cut(pair, "=")
		fields = append(fields, fmt.Sprintf("%q:%q", key, value))
	}
	return `{ "sourcetype" : "zscalernss-web", "event" : {` + strings.Join(fields, ",") + "}}\n"
}

var writers = map[string]func(...string) string{"zscaler-nss": line, "zscaler-nss-json": object}

func formatOf(t testing.TB, name string) *decode.Format {
	t.Helper()
	f, err := decode.ByName(Formats(), name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func request(change func(*event.Request)) event.Request {
	r := event.Request{
		Sensor: "Zscaler", Time: at - 1500e3, Src: netip.MustParseAddrPort("10.0.0.5:0"), Method: "CONNECT", Host: "www.example.com", Port: 443,
		User: "bob@example.com", Status: 200, Volume: event.Volume{Counted: true, Duration: 1500e3, BytesOut: 2000, BytesIn: 5000},
	}
	if change != nil {
		change(&r)
	}
	return r
}

func TestRequests(t *testing.T) {
	for name, write := range writers {
		for _, tt := range []struct {
			what  string
			pairs []string
			want  func(*event.Request)
		}{
			{"CONNECT", nil, nil},
			{"decrypted", []string{"CONNECT", "post", "url=www.example.com:443", "url=www.Example.com/a=b"}, func(r *event.Request) { r.Method, r.Scheme = "POST", "https" }},
			{"plain", []string{"HTTPS", "HTTP", "CONNECT", "GET", "url=www.example.com:443", "url=www.example.com/"}, func(r *event.Request) { r.Method, r.Scheme, r.Port = "GET", "http", 80 }},
			{"blocked", []string{"=Allowed", "=Blocked", "status=200", "status=NA"}, func(r *event.Request) { r.Status = 403 }},
			{"status with words", []string{"status=200", "status=407 - Proxy Authentication Required"}, func(r *event.Request) { r.Status = 407 }},
			{"nothing counted", []string{"2000", "", "5000", "", "1500", ""}, func(r *event.Request) {
				r.Time, r.Volume = at, event.Volume{Counted: true, Duration: event.Unknown, BytesOut: event.Unknown, BytesIn: event.Unknown}
			}},
			{"forged by the client", []string{"ZTunnel/1.0", "ZTunnel ClientIP=6.6.6.6"}, nil},
			{"host only", []string{"url=www.example.com:443", "url=None", "CONNECT", "GET"}, func(r *event.Request) { r.Method, r.Scheme = "GET", "https" }},
		} {
			got, tally := decodetest.Decode(t, formatOf(t, name), write(tt.pairs...))
			if d := cmp.Diff([]event.Request{request(tt.want)}, got.Requests, compare); d != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, tt.what, d)
			}
			if len(tally.Warnings) != 1 {
				t.Errorf("%s, %s: warnings %v", name, tt.what, tally.Warnings)
			}
		}
	}
	got, _ := decodetest.Decode(t, formatOf(t, "zscaler-nss-json"), object("2026-11-23 15:39:19", "Mon Nov 23 15:39:19 2026"))
	if d := cmp.Diff([]event.Request{request(nil)}, got.Requests, compare); d != "" {
		t.Errorf("%%s{time} (-want +got):\n%s", d)
	}
}

func TestLogsThatGiveNothing(t *testing.T) {
	for name, write := range writers {
		for _, tt := range []struct {
			old, new         string
			skipped, ignored string
		}{
			{"2026-11-23", "2026-13-23", "no time that can be read", ""},
			{"10.0.0.5", "pc01", "no client's address", ""},
			{"=2000", "=2k", "a number that is none", ""},
			{"www.example.com", "", "no host that was asked for", ""},
			{"protocol=HTTPS|action=Allowed|transactionsize=7000|responsesize=5000|requestsize=2000|urlcategory=Business|serverip=203.0.113.9|clienttranstime=1500|requestmethod=CONNECT", "protocol=FTP|requestmethod=RETR", "", "NSS, neither http nor https"},
		} {
			got, tally := decodetest.Decode(t, formatOf(t, name), write(tt.old, tt.new))
			if got.Len() > 0 || tt.skipped != "" && tally.Skipped[tt.skipped] != 1 || tt.ignored != "" && tally.Ignored[tt.ignored] != 1 {
				t.Errorf("%s, %q: %v, skipped %v, ignored %v", name, tt.new, got.Len(), tally.Skipped, tally.Ignored)
			}
		}
	}
	for name, log := range map[string]string{"zscaler-nss": line("vendor=Zscaler", "vendor=x"), "zscaler-nss-json": `{"sourcetype":"zscalernss-fw","event":{}}`} {
		if _, tally := decodetest.Decode(t, formatOf(t, name), log); tally.Skipped["no web log of NSS"] != 1 {
			t.Errorf("%s: %v", name, tally.Skipped)
		}
	}
}

func TestMatch(t *testing.T) {
	for head, want := range map[string]string{
		line(): "zscaler-nss", "<134>Nov 23 15:39:19 nss " + line(): "zscaler-nss", "half\ta line\n" + line(): "zscaler-nss",
		object(): "zscaler-nss-json", "[" + object(): "zscaler-nss-json",
		line("product=NSS", "product=fw"): "", `{"sourcetype":"zscalernss-fw","event":{}}`: "", `{"sourcetype":"zscalernss-web"}`: "",
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

func generated(name string, lines int) []byte {
	var b bytes.Buffer
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range lines {
		at := time.Unix(1795448359+int64(i), 0).UTC().Format(layout)
		b.WriteString(writers[name]("2026-11-23 15:39:19", at, "HQ", "Büro", "10.0.0.5", fmt.Sprintf("10.0.0.%d", rnd.IntN(256)), "=2000", fmt.Sprintf("=%d", rnd.IntN(1e6))))
	}
	return b.Bytes()
}

func TestConformance(t *testing.T) {
	if err := decode.Validate(Formats()); err != nil {
		t.Error(err)
	}
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) { decodetest.Run(t, f, generated(f.Name, 50)) })
	}
}

func FuzzNSS(f *testing.F) { decodetest.Fuzz(f, Formats()[0], generated("zscaler-nss", 2)) }

func FuzzNSSJSON(f *testing.F) { decodetest.Fuzz(f, Formats()[1], generated("zscaler-nss-json", 2)) }

func BenchmarkNSS(b *testing.B) {
	decodetest.Bench(b, Formats()[0], generated("zscaler-nss", 20_000), 20_000)
}

func BenchmarkNSSJSON(b *testing.B) {
	decodetest.Bench(b, Formats()[1], generated("zscaler-nss-json", 20_000), 20_000)
}
