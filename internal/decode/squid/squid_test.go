package squid

import (
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

var compare = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

func formatOf(t testing.TB, name string) *decode.Format {
	t.Helper()
	f, err := decode.ByName(Formats(), name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// decodeAll decodes text, and checks that each record is accounted for.
func decodeAll(t *testing.T, format, text string) ([]event.Request, *decode.Tally) {
	t.Helper()
	var all event.Batch
	tally := new(decode.Tally)
	d := formatOf(t, format).Open(strings.NewReader(text), tally)
	var err error
	for err == nil {
		err = d.Decode(&all)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	if got := tally.Events + tally.IgnoredTotal() + tally.SkippedTotal(); got != tally.Records || tally.Events != int64(all.Len()) {
		t.Errorf("%d records, but %d events (%d returned), %d ignored, %d skipped",
			tally.Records, tally.Events, all.Len(), tally.IgnoredTotal(), tally.SkippedTotal())
	}
	return all.Requests, tally
}

func expect(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, compare); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// A change makes one request of another.
type change func(*event.Request)

// request returns what most lines here say, at 1795448359.000 seconds, but for
// the changes.
func request(changes ...change) event.Request {
	r := event.Request{
		Sensor: "squid", Time: 1795448359000000, Src: netip.MustParseAddrPort("10.0.0.5:0"),
		Method: "GET", Scheme: "http", Host: "www.example.com", Port: 80, Status: 200,
		Volume: event.Volume{Counted: true, Duration: 0, BytesOut: event.Unknown, BytesIn: 720},
	}
	for _, c := range changes {
		c(&r)
	}
	return r
}

func connect(host string, port uint16) change {
	return func(r *event.Request) { r.Method, r.Scheme, r.Host, r.Port = "CONNECT", "", host, port }
}

func to(scheme, host string, port uint16) change {
	return func(r *event.Request) { r.Scheme, r.Host, r.Port = scheme, host, port }
}

func ended(status int, bytes event.Count) change {
	return func(r *event.Request) { r.Status, r.Volume.BytesIn = status, bytes }
}

func lasting(d event.Count) change {
	return func(r *event.Request) {
		r.Volume.Duration = d
		r.Time -= event.Time(max(d, 0))
	}
}

func from(addr string) change {
	return func(r *event.Request) { r.Src = netip.AddrPortFrom(netip.MustParseAddr(addr), 0) }
}

func by(user string) change { return func(r *event.Request) { r.User = user } }

// targets are requests as both layouts have them: what was asked, what it
// gives, or why it gives none.
var targets = []struct {
	method, url string
	code        string
	want        []change
	ignored     string
	skipped     string
}{
	{"GET", "http://www.example.com/", "TCP_MISS", nil, "", ""},
	{"GET", "http://WWW.Example.com./a?b=http://x/", "TCP_MEM_HIT", nil, "", ""},
	{"GET", "http://u@www.example.com:8080/", "TCP_MISS", []change{to("http", "www.example.com", 8080)}, "", ""},
	{"GET", "https://www.example.com/bumped", "TCP_MISS", []change{to("https", "www.example.com", 443)}, "", ""},
	{"GET", `http://www.example.com/a"b%20c%22[x]é)\y`, "TCP_MISS", nil, "", ""},
	{"GET", "http://[2001:db8::1]:81/", "TCP_MISS", []change{to("http", "2001:db8::1", 81)}, "", ""},
	{"GET", "http://<script>\xff/", "TCP_MISS", []change{to("http", "<script>\uFFFD", 80)}, "", ""},
	{"CONNECT", "www.Example.com:443", "TCP_TUNNEL", []change{connect("www.example.com", 443)}, "", ""},
	{"CONNECT", "[::1]:8443", "NONE_NONE", []change{connect("::1", 8443)}, "", ""},
	{"CONNECT", "www.example.com:99999", "NONE_NONE", []change{connect("www.example.com", 0)}, "", ""},
	{"CONNECT", "203.0.113.9:443", "TAG_NONE", []change{connect("203.0.113.9", 443)}, "", ""},
	{"CONNECT", strings.Repeat("a", maxHost) + ":1", "TCP_TUNNEL", []change{connect(strings.Repeat("a", maxHost), 1)}, "", ""},

	{"-", "error:transaction-end-before-headers", "NONE_NONE", nil, "squid, no request", ""},
	{"nonsense", "error:invalid-request", "NONE_NONE", nil, "squid, no request", ""},
	{"GET", "/relative", "NONE_NONE", nil, "squid, to the proxy itself", ""},
	{"OPTIONS", "http://*", "NONE_NONE", nil, "squid, to the proxy itself", ""},
	{"GET", "ftp://www.example.com/", "TCP_MISS", nil, "squid, neither http nor https", ""},
	{"GET", "cache_object://127.0.0.1/info", "TCP_MISS", nil, "squid, neither http nor https", ""},
	{"GET", "urn:x:y", "NONE_NONE", nil, "squid, neither http nor https", ""},
	{"-", "-", "NONE_NONE", nil, "squid, neither http nor https", ""},
	{"ICP_QUERY", "http://www.example.com/", "UDP_MISS", nil, "squid, of another cache", ""},

	{"GET", "http:///nohost", "NONE_NONE", nil, "", noHost},
	{"CONNECT", ":443", "NONE_NONE", nil, "", noHost},
	{"CONNECT", strings.Repeat("a", maxHost+1) + ":1", "TCP_TUNNEL", nil, "", longHost},
}

func TestTargets(t *testing.T) {
	for name, write := range map[string]func(code, method, url string) string{
		"squid": func(code, method, url string) string {
			return "1795448359.000      0 10.0.0.5 " + code + "/200 720 " + method + " " + url + " - HIER_NONE/- text/html"
		},
		"squid-combined": func(code, method, url string) string {
			return `10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "` + method + " " + url + ` HTTP/1.1" 200 720 ` + code + ":HIER_NONE"
		},
	} {
		for _, tt := range targets {
			got, tally := decodeAll(t, name, write(tt.code, tt.method, tt.url))
			switch {
			case tt.ignored != "":
				expect(t, name+": "+tt.url, map[string]int64{tt.ignored: 1}, tally.Ignored)
			case tt.skipped != "":
				expect(t, name+": "+tt.url, []decode.Position{{Where: "line 1", Reason: tt.skipped}}, tally.Positions)
			default:
				want := request(tt.want...)
				if name == "squid-combined" {
					want.Volume.Duration = event.Unknown
				}
				expect(t, name+": "+tt.url, []event.Request{want}, got)
			}
		}
	}
}

// A file with lines of both layouts, which no Squid writes, is of one format
// all the same.
func TestDetect(t *testing.T) {
	const (
		nativeLine   = "1795448359.000      0 10.0.0.5 TCP_MISS/200 720 GET http://www.example.com/ - HIER_NONE/- text/html\n"
		combinedLine = `10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "GET http://www.example.com/ HTTP/1.1" 200 720 "-" "x" TCP_MISS:HIER_DIRECT` + "\n"
	)
	for _, tt := range []struct {
		name, head, want string
	}{
		{"native", nativeLine, "squid"},
		{"combined", combinedLine, "squid-combined"},
		{"native, then combined", nativeLine + combinedLine, "squid"},
		{"combined, then native", combinedLine + nativeLine, "squid-combined"},
		{"behind half a line", "ttp://x/ - HIER_DIRECT/192.0.2.1 text/html\n\n" + nativeLine, "squid"},
		{"behind many", strings.Repeat("x\n", maxHeadLines) + nativeLine, ""},
		{"Apache common", `10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "GET / HTTP/1.1" 200 720` + "\n", ""},
		{"Apache combined", `10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "GET / HTTP/1.1" 200 720 "-" "curl/7.88.1"` + "\n", ""},
		{"Apache, forged", `10.0.0.5 - - [23/Nov/2026:15:39:19 +0000] "GET / HTTP/1.1" 200 720 "-" "x TCP_MISS:HIER_DIRECT"` + "\n", ""},
		{"useragent.log", `10.0.0.5 [23/Nov/2026:15:39:19 +0000] "curl/7.88.1"` + "\n", ""},
		{"cache.log", "2026/11/23 15:41:54| Squid Cache (Version 5.7): Exiting normally.\n", ""},
		{"store.log", "1795448359.000 RELEASE -1 FFFFFFFF 1234 200 1795448359 -1 -1 text/html 3/3 GET http://x/\n", ""},
		{"Zeek", "#separator \\x09\n#path\tconn\n", ""},
		{"nothing", "", ""},
	} {
		got := ""
		for _, f := range Formats() {
			if f.Match([]byte(tt.head)) {
				got += f.Name
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestUser(t *testing.T) {
	for in, want := range map[string]string{
		"-":                         "",
		"":                          "",
		"--":                        "--",
		"bob":                       "bob",
		`corp\\bob`:                 `corp\bob`,
		`CORP%5Cbob`:                `CORP\bob`,
		"bob@CORP.EXAMPLE":          "bob@CORP.EXAMPLE",
		`%c3%a9x%5b1%5d%25`:         "éx[1]%",
		"100%":                      "100%",
		"%4":                        "%4",
		"%zz":                       "%zz",
		`a\b\`:                      `a\b\`,
		"%ff":                       "\uFFFD",
		"\xff":                      "\uFFFD",
		`corp\\b%c3%b6b with blank`: `corp\böb with blank`,
	} {
		if got := user([]byte(in)); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

func TestFormatsAreValid(t *testing.T) {
	if err := decode.Validate(Formats()); err != nil {
		t.Error(err)
	}
}
