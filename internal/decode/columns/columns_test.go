package columns

import (
	"bytes"
	"errors"
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
	"github.com/postern/postern/internal/yamldoc"
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

func proxyMap() Map {
	return Map{
		Name: "acme-proxy", Kind: "csv", Event: "request", TimeLayout: "02.01.2006 15:04:05", Zone: "Europe/Berlin", Durations: "ms",
		Columns: Fields{
			End: "Logged", Duration: "Took", Client: "Client IP", URL: "URL", Method: "Method", User: "User", Status: "Code",
			Action: "Verdict", BytesOut: "Sent", BytesIn: "Received",
		},
		Constants: Fields{Server: "192.0.2.8", ServerPort: "8080"},
	}
}

func flowMap() Map {
	return Map{
		Name: "acme-flow", Kind: "json", Event: "flow", TimeLayout: "epoch",
		Columns: Fields{
			Time: "start", End: "end", Client: "src.ip", ClientPort: "src.port", Server: "dst.ip", ServerPort: "dst.port",
			BytesOut: "out", BytesIn: "in", Session: "id", Sensor: "device",
		},
		Constants: Fields{Protocol: "tcp", Service: "ssl"},
	}
}

func mapped(t testing.TB, m Map) *decode.Format {
	t.Helper()
	if err := Validate([]Map{m}); err != nil {
		t.Fatal(err)
	}
	return Formats([]Map{m})[0]
}

const header = `Client IP,"User",Logged,Took,Method,URL,Code,Verdict,Sent,Received` + "\n"

func TestRequests(t *testing.T) {
	want := func(change func(*event.Request)) event.Request {
		r := event.Request{
			Sensor: "acme-proxy", Time: at - 1500e3, Src: netip.MustParseAddrPort("10.0.0.5:0"), Dst: netip.MustParseAddrPort("192.0.2.8:8080"),
			Method: "CONNECT", Host: "www.example.com", Port: 443, User: `CORP\bob "x", y`, Status: 200,
			Volume: event.Volume{Counted: true, Duration: 1500e3, BytesOut: 2000, BytesIn: 5000},
		}
		if change != nil {
			change(&r)
		}
		return r
	}
	got, tally := decodetest.Decode(t, mapped(t, proxyMap()), header+strings.Join([]string{
		`10.0.0.5,"CORP\bob ""x"", y",23.11.2026 16:39:19,1500,CONNECT,www.Example.com:443,200,ok,2000,5000`,
		strings.TrimSpace(header),
		`10.0.0.5,-,23.11.2026 16:39:19, 1500,get,https://www.example.com/a?b,,Blocked,,-`,
		`10.0.0.5,-,23.11.2026 16:39:19,1500,GET,ftp.example.com,,,1,1`,
	}, "\n"))
	expect(t, "requests", []event.Request{
		want(nil),
		want(func(r *event.Request) {
			r.Method, r.Scheme, r.User, r.Status, r.Volume.BytesOut, r.Volume.BytesIn = "GET", "https", "", 403, event.Unknown, event.Unknown
		}),
		want(func(r *event.Request) {
			r.Method, r.Host, r.Port, r.User, r.Status, r.Volume.BytesOut, r.Volume.BytesIn = "GET", "ftp.example.com", 0, "", 0, 1, 1
		}),
	}, got.Requests)
	if tally.SkippedTotal() > 0 {
		t.Errorf("skipped %v", tally.Positions)
	}
}

func TestFlows(t *testing.T) {
	got, tally := decodetest.Decode(t, mapped(t, flowMap()), `[{"start": 1795448359, "end": 1795448361.5, "src": {"ip": "10.0.0.5", "port": 51000}, "dst": {"ip": "203.0.113.9", "port": "443"}, "out": 2, "in": 1, "id": 7, "device": "fw1"},
 {"start": 1795448359, "src.ip": "10.0.0.5", "src": {"port": 51000}, "dst": {"ip": "203.0.113.9", "port": "443"}, "out": null}]`)
	flow := event.Flow{
		Sensor: "fw1", Time: at, UID: "fw1/7/10.0.0.5:51000", Proto: event.TCP, Service: "ssl", Duration: 2500e3, BytesOut: 2, BytesIn: 1,
		Src: netip.MustParseAddrPort("10.0.0.5:51000"), Dst: netip.MustParseAddrPort("203.0.113.9:443"), PacketsOut: event.Unknown, PacketsIn: event.Unknown,
	}
	bare := flow
	bare.Sensor, bare.UID, bare.Duration, bare.BytesOut, bare.BytesIn = "acme-flow", "", event.Unknown, event.Unknown, event.Unknown
	expect(t, "flows", []event.Flow{flow, bare}, got.Flows)
	if tally.SkippedTotal() > 0 {
		t.Errorf("skipped %v", tally.Positions)
	}
}

// A date of its own goes before the clock.
func TestDate(t *testing.T) {
	m := proxyMap()
	m.Separator, m.TimeLayout, m.Zone, m.Durations = "tab", "2006-01-02 15:04:05", "", ""
	m.Columns = Fields{Date: "day", Time: "clock", Client: "ip", Host: "host", Port: "port", Scheme: "scheme"}
	got, _ := decodetest.Decode(t, mapped(t, m), strings.ReplaceAll("day,clock,ip,host,port,scheme\n2026-11-23,15:39:19,10.0.0.5,www.example.com,8443,https\n", ",", "\t"))
	if len(got.Requests) != 1 || got.Requests[0].Time != at || got.Requests[0].Port != 8443 || got.Requests[0].Scheme != "https" {
		t.Errorf("%+v", got.Requests)
	}
}

func TestRowsThatCannotBeRead(t *testing.T) {
	const good = `10.0.0.5,bob,23.11.2026 16:39:19,1500,CONNECT,www.example.com:443,200,ok,2000,5000`
	for _, tt := range []struct{ row, skipped string }{
		{"", ""},
		{strings.Replace(good, "10.0.0.5", "pc01", 1), "no client's address"},
		{strings.Replace(good, "23.11.2026", "31.11.2026", 1), "no time that can be read"},
		{strings.Replace(good, "23.11.2026 16:39:19", "", 1), "no time that can be read"},
		{strings.Replace(good, "1500", "1,5", 1), "not as many fields as names of columns"},
		{strings.Replace(good, ",5000", "", 1), "not as many fields as names of columns"},
		{strings.Replace(good, "5000", "5k", 1), "a number that is none"},
		{strings.Replace(good, "www.example.com:443", "", 1), "no host that was asked for"},
	} {
		got, tally := decodetest.Decode(t, mapped(t, proxyMap()), header+tt.row)
		if got.Len() > 0 || tt.skipped != "" && tally.Skipped[tt.skipped] != 1 {
			t.Errorf("%q: skipped %v, want %q", tt.row, tally.Skipped, tt.skipped)
		}
	}
	_, tally := decodetest.Decode(t, mapped(t, proxyMap()), good+"\n"+header+good)
	if tally.Events != 1 || tally.Skipped["no line with all names of columns before it"] != 1 {
		t.Errorf("%+v", tally)
	}
}

func TestMatch(t *testing.T) {
	csv, json := mapped(t, proxyMap()), mapped(t, flowMap())
	const object = `{"start":1,"end":2,"src":{"ip":"","port":1},"dst":{"ip":"","port":1},"out":1,"in":1,"id":1,"device":"x"}`
	for head, want := range map[string]string{
		header: "acme-proxy", "\n" + strings.Replace(header, "URL", "URL,More", 1): "acme-proxy",
		strings.Replace(header, "URL", "Url", 1): "", strings.ReplaceAll(header, ",", ";"): "",
		object: "acme-flow", "[" + object: "acme-flow",
		strings.Replace(object, `"in":1,`, "", 1): "", `{"start":1}`: "",
	} {
		got := ""
		for _, f := range []*decode.Format{csv, json} {
			if f.Match([]byte(head)) {
				got += f.Name
			}
		}
		if got != want {
			t.Errorf("%q is %q, want %q", head, got, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, tt := range []struct {
		change func(*Map)
		path   string
		want   string
	}{
		{func(m *Map) { m.Name = "Acme" }, "[0].name", "lower-case"},
		{func(m *Map) { m.Kind = "xml" }, "[0].kind", "csv or json"},
		{func(m *Map) { m.Event = "connect" }, "[0].event", "request or flow"},
		{func(m *Map) { m.Separator = "||" }, "[0].separator", "one character"},
		{func(m *Map) { m.Separator = `"` }, "[0].separator", "one character"},
		{func(m *Map) { m.Kind, m.Separator = "json", ";" }, "[0].separator", "only for csv"},
		{func(m *Map) { m.Zone = "Mars/Olympus" }, "[0].zone", "Mars/Olympus"},
		{func(m *Map) { m.Zone = "Local" }, "[0].zone", "want UTC"},
		{func(m *Map) { m.TimeLayout = "" }, "[0].time_layout", "tells no instant"},
		{func(m *Map) { m.TimeLayout = "YYYY-MM-DD hh:mm:ss" }, "[0].time_layout", "tells no instant"},
		{func(m *Map) { m.TimeLayout = "2006-01-02" }, "[0].time_layout", "tells no instant"},
		{func(m *Map) { m.Durations = "" }, "[0].durations", "want s, ms or us"},
		{func(m *Map) { m.Columns.Duration = "" }, "[0].durations", "only with a column"},
		{func(m *Map) { m.Columns.Protocol = "x" }, "[0].columns.protocol", "a request has no protocol"},
		{func(m *Map) { m.Constants.Service = "x" }, "[0].constants.service", "a request has no service"},
		{func(m *Map) { m.Constants.Client = "10.0.0.1" }, "[0].constants.client", "not the same in every row"},
		{func(m *Map) { m.Constants.Method = "GET" }, "[0].constants.method", "has a column already"},
		{func(m *Map) { m.Constants.Server = "proxy" }, "[0].constants.server", `"proxy" is none`},
		{func(m *Map) { m.Columns.End = "" }, "[0].columns", "time or end"},
		{func(m *Map) { m.Columns.Client = "" }, "[0].columns", "client"},
		{func(m *Map) { m.Columns.URL = "" }, "[0].columns", "url or host"},
		{func(m *Map) { *m = flowMap(); m.Columns.Server = "" }, "[0].columns", "server"},
		{func(m *Map) { *m = flowMap(); m.Columns.ServerPort = "" }, "[0].columns", "server_port"},
		{func(m *Map) { *m = flowMap(); m.Constants.Protocol = "" }, "[0].columns", "protocol"},
		{func(m *Map) { m.Columns.User = strings.Repeat("x", maxText+1) }, "[0].columns.user", "too long"},
	} {
		m := proxyMap()
		tt.change(&m)
		err := Validate([]Map{m})
		var at *yamldoc.PathError
		if !errors.As(err, &at) || !strings.HasPrefix(err.Error(), tt.path+": ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %s: … %s", err, tt.path, tt.want)
		}
	}
	if err := Validate([]Map{proxyMap(), proxyMap()}); err == nil || !strings.Contains(err.Error(), "[1].name: there are two") {
		t.Error(err)
	}
}

// TestFields: the numbers of the fields are their places in Fields.
func TestFields(t *testing.T) {
	f := Fields{Date: "a", Sensor: "b", BytesOut: "c"}
	all := f.all()
	if all[date] != "a" || all[sensor] != "b" || all[bytesOut] != "c" || sensor.key() != "sensor" || bytesOut.key() != "bytes_out" {
		t.Errorf("%v", all)
	}
}

func generated(kind string, lines int) []byte {
	var b bytes.Buffer
	rnd := rand.New(rand.NewPCG(1, 2))
	if kind == "csv" {
		b.WriteString(header)
	}
	for i := range lines {
		now := time.Unix(1795448359+int64(i), 0).UTC()
		if kind == "csv" {
			fmt.Fprintf(&b, "10.0.0.%d,\"Büro, %d\",%s,%d,CONNECT,www%d.example.net:443,200,ok,%d,%d\n", rnd.IntN(256), rnd.IntN(99), now.Format("02.01.2006 15:04:05"), rnd.IntN(1e5), rnd.IntN(1000), rnd.IntN(1e6), rnd.IntN(1e6))
			continue
		}
		fmt.Fprintf(&b, `{"start":%d,"end":%d,"src":{"ip":"10.0.0.%d","port":%d},"dst":{"ip":"203.0.113.9","port":443},"out":%d,"in":%d,"id":%d,"device":"Büro"}`+"\n",
			now.Unix(), now.Unix()+5, rnd.IntN(256), 1024+rnd.IntN(60000), rnd.IntN(1e6), rnd.IntN(1e6), i+1)
	}
	return b.Bytes()
}

func TestConformance(t *testing.T) {
	for _, m := range []Map{proxyMap(), flowMap()} {
		t.Run(m.Name, func(t *testing.T) {
			f := mapped(t, m)
			if err := decode.Validate([]*decode.Format{f}); err != nil {
				t.Error(err)
			}
			decodetest.Run(t, f, generated(m.Kind, 60))
		})
	}
}

func FuzzCSV(f *testing.F) { decodetest.Fuzz(f, mapped(f, proxyMap()), generated("csv", 3)) }

func FuzzJSON(f *testing.F) { decodetest.Fuzz(f, mapped(f, flowMap()), generated("json", 3)) }

func BenchmarkCSV(b *testing.B) {
	decodetest.Bench(b, mapped(b, proxyMap()), generated("csv", 20_000), 20_000)
}

func BenchmarkJSON(b *testing.B) {
	decodetest.Bench(b, mapped(b, flowMap()), generated("json", 20_000), 20_000)
}
