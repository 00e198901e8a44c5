package w3c

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

// at is 2026-11-23 15:39:19 UTC.
const at event.Time = 1795448359000000

// main6 is ProxySG's format main, as SGOS 6 and 7 ship it.
const main6 = `#Software: SGOS 6.7.4.4
#Version: 1.0
#Start-Date: 2026-11-23 15:39:00
#Date: 2026-11-20 10:00:00
#Fields: date time time-taken c-ip cs-username cs-auth-group x-exception-id sc-filter-result cs-categories cs(Referer) sc-status s-action cs-method rs(Content-Type) cs-uri-scheme cs-host cs-uri-port cs-uri-path cs-uri-query cs-uri-extension cs(User-Agent) s-ip sc-bytes cs-bytes x-virus-id
#Remark: 2107265061 "proxy01" "192.0.2.8" "main"
`

func format() *decode.Format { return Formats()[0] }

func proxySG(change func(*event.Request)) event.Request {
	r := event.Request{
		Sensor: "w3c-proxy", Time: at - 61234000, Src: netip.MustParseAddrPort("10.0.0.5:0"), Dst: netip.MustParseAddrPort("192.0.2.8:0"),
		Method: "CONNECT", Host: "www.example.com", Port: 443, User: `CORP\bob`, Status: 200,
		Volume: event.Volume{Counted: true, Duration: 61234000, BytesOut: 2000, BytesIn: 5000},
	}
	if change != nil {
		change(&r)
	}
	return r
}

func TestProxySG(t *testing.T) {
	got, tally := decodetest.Decode(t, format(), main6+strings.Join([]string{
		`2026-11-23 15:39:19 61234 10.0.0.5 CORP\bob - - OBSERVED "Technology/Internet" - 200 TCP_TUNNELED CONNECT - tcp www.Example.com 443 / - - "Mozilla/5.0 (Windows NT 10.0; ""x"")" 192.0.2.8 5000 2000 -`,
		`2026-11-23 15:39:19 0 10.0.0.5 - - policy_denied DENIED "Hacking;Placeholders" - 403 TCP_DENIED CONNECT - tcp evil.example 443 / - - - 192.0.2.8 4000 200 -`,
		`2026-11-23 15:39:19 12 10.0.0.5 CORP\bob - - OBSERVED "none" https://www.example.com/ 200 TCP_NC_MISS POST text/html https www.example.com 443 /a/b ?q=1 - "x" 192.0.2.8 5000 2000 -`,
		`2026-11-23 15:39:19 12 10.0.0.6 - - - OBSERVED "none" - 0 TUNNELED unknown - ssl cdn.example 443 / - - - 192.0.2.8 10 20 -`,
		`2026-11-23 15:39:19 1 10.0.0.5 - - - OBSERVED "none" - 200 TCP_HIT GET text/html http plain.example 8080 / - html "x" 192.0.2.8 - - -`,
		`2026-11-23 15:39:19 1 10.0.0.5 - - - OBSERVED "none" - 200 TCP_HIT GET - ftp files.example 21 / - - - 192.0.2.8 1 1 -`,
	}, "\n"))
	expect(t, "requests", []event.Request{
		proxySG(nil),
		proxySG(func(r *event.Request) {
			r.Time, r.User, r.Host, r.Status, r.Volume = at, "", "evil.example", 403, event.Volume{Counted: true, BytesOut: 200, BytesIn: 4000}
		}),
		proxySG(func(r *event.Request) {
			r.Time, r.Method, r.Scheme, r.Volume.Duration = at-12000, "POST", "https", 12000
		}),
		proxySG(func(r *event.Request) {
			r.Time, r.Src, r.Method, r.Scheme, r.Host, r.User, r.Status = at-12000, netip.MustParseAddrPort("10.0.0.6:0"), "UNKNOWN", "https", "cdn.example", "", 0
			r.Volume = event.Volume{Counted: true, Duration: 12000, BytesOut: 20, BytesIn: 10}
		}),
		proxySG(func(r *event.Request) {
			r.Time, r.Method, r.Scheme, r.Host, r.Port, r.User = at-1000, "GET", "http", "plain.example", 8080, ""
			r.Volume = event.Volume{Counted: true, Duration: 1000, BytesOut: event.Unknown, BytesIn: event.Unknown}
		}),
	}, got.Requests)
	expect(t, "ignored", map[string]int64{"w3c, neither http nor https": 1}, tally.Ignored)
	if tally.SkippedTotal() > 0 {
		t.Errorf("skipped %v", tally.Positions)
	}
}

// Forefront TMG separates by tabs, and names the far end in cs-uri.
func TestTMG(t *testing.T) {
	got, _ := decodetest.Decode(t, format(), strings.ReplaceAll(`#Software: Microsoft Forefront Threat Management Gateway
#Version: 2.0
#Date: 2026-11-23 00:00:00
#Fields: c-ip	cs-username	c-agent	date	time	s-computername	cs-referred	r-host	r-ip	r-port	time-taken	cs-bytes	sc-bytes	cs-protocol	s-operation	cs-uri	sc-status
10.0.0.5	CORP\bob	Mozilla/5.0 (x)	2026-11-23	15:39:19	TMG01	-	www.example.com	203.0.113.9	443	61234	2000	5000	SSL-tunnel	-	www.example.com:443	0
10.0.0.5	anonymous	-	2026-11-23	15:39:19	TMG01	-	-	-	-	5	1	2	http	GET	http://Plain.example/	12202
`, "\n", "\r\n"))
	expect(t, "requests", []event.Request{
		proxySG(func(r *event.Request) { r.Sensor, r.Dst, r.Status = "TMG01", netip.AddrPort{}, 0 }),
		proxySG(func(r *event.Request) {
			r.Sensor, r.Dst, r.Time, r.User, r.Method, r.Scheme, r.Host, r.Port, r.Status = "TMG01", netip.AddrPort{}, at-5000, "anonymous", "GET", "http", "plain.example", 80, 12202
			r.Volume = event.Volume{Counted: true, Duration: 5000, BytesOut: 1, BytesIn: 2}
		}),
	}, got.Requests)
}

const iis = `#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2026-11-23 15:39:19
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs-host sc-status sc-bytes cs-bytes time-taken
2026-11-23 15:39:19 192.0.2.8 GET /a X-ARR-CACHE-HIT=0&X-ARR-LOG-ID=6f1c&SERVER-STATUS=200 8080 - 10.0.0.5 curl/7.1 www.example.com:81 200 5000 2000 1
2026-11-23 15:39:19 192.0.2.8 GET /own - 80 - 10.0.0.5 curl/7.1 intranet.example 200 1 1 1
`

func TestARR(t *testing.T) {
	got, tally := decodetest.Decode(t, format(), iis)
	expect(t, "requests", []event.Request{proxySG(func(r *event.Request) {
		r.Dst = netip.MustParseAddrPort("192.0.2.8:8080")
		r.Time, r.Volume.Duration, r.Method, r.Scheme, r.Port, r.User = at-1000, 1000, "GET", "http", 81, ""
	})}, got.Requests)
	expect(t, "ignored", map[string]int64{"w3c, served by IIS itself": 1}, tally.Ignored)
}

// own makes a log of one line, in which each column can be set.
func own(software string, changes ...string) string {
	fields := []string{"date", "2026-11-23", "time", "15:39:19", "time-taken", "1", "c-ip", "10.0.0.5", "c-port", "51000", "cs-method", "CONNECT", "cs-host", "www.example.com", "cs-uri-port", "443", "cs-bytes", "1", "sc-bytes", "2", "sc-status", "200"}
	var columns, line []string
	for i := 0; i < len(fields); i += 2 {
		name, value := fields[i], fields[i+1]
		for j := 0; j < len(changes); j += 2 {
			if changes[j] == name {
				value = changes[j+1]
			}
		}
		if value != "" {
			columns, line = append(columns, name), append(line, value)
		}
	}
	return software + "#Fields: " + strings.Join(columns, " ") + "\n" + strings.Join(line, " ") + "\n"
}

func TestTimeTaken(t *testing.T) {
	for _, tt := range []struct {
		software, taken string
		want            event.Count
		warns           bool
	}{
		{"", "1500", 1500000, false},
		{"#Software: SGOS 7.3.1.1\n", "1500", 1500000, false},
		{"#Software: Other 1\n", "1500", event.Unknown, true},
		{"#Software: Other 1\n", "1.5", 1500000, false},
		{"#Software: Other 1\n", "0.0012345", 1234, false},
		{"", "-", event.Unknown, false},
	} {
		got, tally := decodetest.Decode(t, format(), own(tt.software, "time-taken", tt.taken))
		if len(got.Requests) != 1 || got.Requests[0].Volume.Duration != tt.want || len(tally.Warnings) > 0 != tt.warns {
			t.Errorf("%s%s: %+v, %v", tt.software, tt.taken, got.Requests, tally.Warnings)
		}
	}
}

func TestLinesThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct{ log, reason string }{
		{own("", "date", "2026-13-23"), "no time that can be read"},
		{own("", "c-ip", "pc01"), "no client's address"},
		{own("", "c-port", "66000"), "no client's address"},
		{own("", "cs-host", "-"), "no host that was asked for"},
		{own("", "cs-bytes", "x"), "a number that is none"},
		{own("", "time-taken", "x.5"), "a number that is none"},
		{own("", "sc-status", "2 0"), "fields do not fit the #Fields line"},
		{own("", "sc-status", `"200`), "a number that is none"},
		{own("", "date", ""), "the #Fields line lacks date and time"},
		{own("", "c-ip", ""), "the #Fields line lacks c-ip"},
		{own("", "cs-method", ""), "the #Fields line lacks cs-method"},
		{own("", "cs-host", ""), "the #Fields line lacks cs-host"},
		{strings.Replace(own(""), "#Fields", "#Felder", 1), "no #Fields line before it"},
	} {
		got, tally := decodetest.Decode(t, format(), tt.log)
		if got.Len() > 0 || tally.Skipped[tt.reason] != 1 {
			t.Errorf("%+v: %v, want %q of\n%s", got.Requests, tally.Skipped, tt.reason, tt.log)
		}
	}
	// What follows another header is read by it.
	got, tally := decodetest.Decode(t, format(), own("", "c-port", "")+own(""))
	if len(got.Requests) != 2 || got.Requests[0].Src.Port() != 0 || got.Requests[1].Src.Port() != 51000 || tally.SkippedTotal() > 0 {
		t.Errorf("%+v, %v", got.Requests, tally.Positions)
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		head string
		want bool
	}{
		{main6, true}, {own(""), true}, {iis, true},
		{strings.ReplaceAll(iis, "ARR", "XXX"), false},
		{"#Software: x\n", false}, {own("", "c-ip", ""), false},
		{"#separator \\x09\n#fields\tdate\ttime\tc-ip\tcs-method\tcs-host\n", false},
		{"#Fields: date time s-ip cs-method cs-uri-stem c-ip sc-status\n", false},
	} {
		if got := format().Match([]byte(tt.head)); got != tt.want {
			t.Errorf("%v for\n%s", got, tt.head)
		}
	}
}

// generated returns a log of ProxySG.
func generated(lines int) []byte {
	b := bytes.NewBufferString(main6)
	rnd := rand.New(rand.NewPCG(1, 2))
	end := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for range lines {
		end = end.Add(time.Duration(rnd.IntN(500)) * time.Millisecond)
		fmt.Fprintf(b, "%s %d 10.0.%d.%d CORP\\user%d - - OBSERVED \"Technology/Internet;Büro\" - 200 TCP_TUNNELED CONNECT - tcp www%d.example.net 443 / - - \"Mozilla/5.0 (Windows NT 10.0; Win64; x64)\" 192.0.2.8 %d %d -\n",
			end.Format("2006-01-02 15:04:05"), rnd.IntN(60000), rnd.IntN(4), rnd.IntN(256), rnd.IntN(100), rnd.IntN(1000), rnd.IntN(1e6), rnd.IntN(1e5))
	}
	return b.Bytes()
}

func TestConformance(t *testing.T) {
	if err := decode.Validate(Formats()); err != nil {
		t.Error(err)
	}
	decodetest.Run(t, format(), generated(60))
}

func FuzzW3C(f *testing.F) {
	decodetest.Fuzz(f, format(), generated(3), []byte(iis), []byte(own("#Software: x\n", "time-taken", "1.5")))
}

func BenchmarkW3C(b *testing.B) { decodetest.Bench(b, format(), generated(50_000), 50_000) }
