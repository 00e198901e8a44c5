package ocsf

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/decodetest"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/owner"
)

var format = Formats()[0]

func decodeText(t testing.TB, text string) (*event.Batch, *decode.Tally) {
	t.Helper()
	var b event.Batch
	var tally decode.Tally
	d := format.Open(strings.NewReader(text), &tally)
	var err error
	for err == nil {
		err = d.Decode(&b)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	if !format.Match([]byte(text)) {
		t.Errorf("%s does not match", text)
	}
	return &b, &tally
}

// activity returns an event of a class, an hour after 08:00.
func activity(class, id, rest string) string {
	return `{"metadata":{"version":"1.3.0","uid":"e-` + class + id + `","product":{"name":"Agent X","vendor_name":"X"}},"time":1795424400000,"class_uid":` + class +
		`,"activity_id":` + id + `,"category_uid":4,"severity_id":1,` + rest + "}\n"
}

const (
	device   = `"device":{"hostname":"WS-1.corp.example","type_id":2,"ip":"10.0.0.5"},`
	actor    = `"actor":{"process":{"pid":4711,"uid":"{AB-CD}","name":"app.exe","file":{"path":"C:\\App\\app.exe","name":"app.exe"},"cmd_line":"app /x","user":{"name":"ann","domain":"CORP"}}},`
	ends     = `"src_endpoint":{"ip":"10.0.0.5","port":50000},"dst_endpoint":{"ip":"203.0.113.9","port":443,"hostname":"Www.Example.NET"},"connection_info":{"protocol_num":6,"direction_id":2}`
	volume   = `,"start_time":1795420800000,"end_time":1795420830000,"traffic":{"bytes":5421,"bytes_out":498,"bytes_in":4923,"packets_out":5,"packets_in":7}`
	security = `,"tls":{"version":"1.2","sni":"Www.Example.NET","cipher":"X","ja3_hash":{"algorithm_id":1,"value":"abc"},"ja3s_hash":{"value":"def"},"certificate":{"subject":"CN=www","issuer":"CN=ca"}},` +
		`"ja4_fingerprint_list":[{"type_id":2,"value":"server"},{"type_id":1,"value":"t13d"}]`
	child = `"process":{"pid":9,"uid":"P9","file":{"path":"C:\\c.exe","hashes":[{"algorithm_id":3,"value":"ab"},{"algorithm_id":6,"value":"x"}]},"cmd_line":"c /y",` +
		`"created_time":1795420800000,"user":{"name":"bob","domain":"CORP"}}`
)

var (
	began = event.Time(1795420800e6)
	src   = netip.MustParseAddrPort("10.0.0.5:50000")
	dst   = netip.MustParseAddrPort("203.0.113.9:443")
)

func TestEvents(t *testing.T) {
	open := event.Connect{
		Host: "ws-1.corp.example", Time: began + 3600e6, Source: event.Agent, PID: 4711, GUID: "ab-cd", Image: `C:\App\app.exe`,
		User: `CORP\ann`, Proto: event.TCP, Src: src, Dst: dst, Outbound: true, DstName: "www.example.net",
	}
	counted, lasting, inbound := open, open, open
	counted.Time = began
	counted.Volume = event.Volume{Counted: true, Duration: 30e6, BytesOut: 498, BytesIn: 4923}
	lasting.Time, lasting.Volume = began, event.Volume{Counted: true, Duration: 3600e6, BytesOut: 1, BytesIn: event.Unknown}
	inbound.Outbound = false
	flow := event.Flow{
		Sensor: "Agent X", Time: began, UID: "e-40016", Proto: event.TCP, Src: src, Dst: dst, Duration: 30e6,
		BytesOut: 498, BytesIn: 4923, PacketsOut: 5, PacketsIn: 7,
	}
	handshake := event.Handshake{
		Sensor: "Agent X", Time: began, UID: "e-40016", Proto: event.TCP, Src: src, Dst: dst,
		SNI: "www.example.net", Version: "1.2", JA3: "abc", JA3S: "def", JA4: "t13d", Subject: "CN=www", Issuer: "CN=ca",
	}
	start := event.ProcessStart{
		Host: "ws-1.corp.example", Time: began, Source: event.Agent, PID: 9, GUID: "p9", ParentPID: 4711, ParentGUID: "ab-cd",
		ParentImage: `C:\App\app.exe`, ParentCommandLine: "app /x", Image: `C:\c.exe`, CommandLine: "c /y", User: `CORP\bob`, Hashes: "SHA256=AB",
	}
	asked := event.Lookup{
		Host: "ws-1.corp.example", Time: began + 3600e6, Source: event.Agent, PID: 4711, GUID: "ab-cd", Image: `C:\App\app.exe`,
		Name: "www.example.net", Answers: []netip.Addr{dst.Addr()},
	}
	byWire := event.Lookup{Sensor: "Agent X", Time: asked.Time, Client: src.Addr(), Name: asked.Name, Answers: asked.Answers}
	const query = `"query":{"hostname":"Www.Example.NET","type":"A"},"answers":[{"type":"CNAME","rdata":"a.example"},{"type":"A","rdata":"203.0.113.9"}],`
	for _, tt := range []struct {
		name, text string
		want       event.Batch
	}{
		{"launch", activity("1007", "1", device+actor+child), event.Batch{Starts: []event.ProcessStart{start}}},
		{"terminate", activity("1007", "2", device+child), event.Batch{Stops: []event.ProcessStop{{
			Host: "ws-1.corp.example", Time: began + 3600e6, Source: event.Agent, PID: 9, GUID: "p9", Image: `C:\c.exe`,
		}}}},
		{"open", activity("4001", "1", device+actor+ends), event.Batch{Connects: []event.Connect{open}}},
		{"accepted", activity("4001", "1", device+actor+strings.Replace(ends, `"direction_id":2`, `"direction_id":1`, 1)), event.Batch{Connects: []event.Connect{inbound}}},
		{"close, counted", activity("4001", "2", device+actor+ends+volume), event.Batch{Connects: []event.Connect{counted}}},
		{"traffic that says how long", activity("4001", "6", device+actor+ends+`,"duration":3600000,"traffic":{"bytes_out":1}`), event.Batch{Connects: []event.Connect{lasting}}},
		{"flow", activity("4001", "6", ends+volume), event.Batch{Flows: []event.Flow{flow}}},
		{"flow with TLS", activity("4001", "6", ends+volume+security), event.Batch{Flows: []event.Flow{flow}, Handshakes: []event.Handshake{handshake}}},
		{"connect with TLS", activity("4001", "6", device+actor+ends+volume+strings.ReplaceAll(security, "_hash", "_fingerprint")),
			event.Batch{Connects: []event.Connect{counted}, Handshakes: []event.Handshake{handshake}}},
		{"CONNECT", activity("4002", "1", `"src_endpoint":{"ip":"10.0.0.5"},"proxy_endpoint":{"ip":"10.0.0.1","port":3128},`+
			`"http_request":{"http_method":"CONNECT","url":{"url_string":"www.example.net:443"}},"http_response":{"code":200},"traffic":{"bytes_in":7},"start_time":1795420800000`),
			event.Batch{Requests: []event.Request{{
				Sensor: "Agent X", Time: began, Src: netip.AddrPortFrom(src.Addr(), 0), Dst: netip.MustParseAddrPort("10.0.0.1:3128"),
				Method: "CONNECT", Host: "www.example.net", Port: 443, Status: 200,
				Volume: event.Volume{Counted: true, Duration: event.Unknown, BytesOut: event.Unknown, BytesIn: 7},
			}}}},
		{"lookup of a process", activity("4003", "2", device+actor+query+ends), event.Batch{Lookups: []event.Lookup{asked}}},
		{"lookup on the wire", activity("4003", "2", query+ends), event.Batch{Lookups: []event.Lookup{byWire}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, tally := decodeText(t, tt.text)
			if diff := cmp.Diff(&tt.want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})); diff != "" {
				t.Error(diff)
			}
			if tally.SkippedTotal()+tally.IgnoredTotal() != 0 {
				t.Errorf("tally: %+v", tally)
			}
		})
	}
}

func TestLeftOut(t *testing.T) {
	for _, tt := range []struct{ text, ignored, skipped string }{
		{activity("3002", "1", device+actor+ends), "another class", ""},
		{activity("1007", "5", device+child), "another process activity", ""},
		{activity("4001", "4", device+actor+ends), "another network activity", ""},
		{activity("4001", "7", device+actor+ends), "another network activity", ""},
		{activity("4001", "1", device+actor+ends+`,"action_id":2`), "blocked or denied", ""},
		{activity("4001", "6", ends+volume+`,"disposition_id":2`), "blocked or denied", ""},
		{activity("4001", "2", device+actor+ends), "end of a connection without its bytes", ""},
		{activity("4001", "2", device+actor+ends+`,"traffic":{"bytes_out":1}`), "end of a connection whose begin is not known", ""},
		{activity("4001", "1", ends), "begin of a flow without its bytes", ""},
		{activity("4002", "3", `"http_request":{"http_method":"GET"}`), "HTTP request other than CONNECT", ""},
		{activity("4002", "1", `"http_request":{"http_method":"CONNECT"}`), "", "no address"},
		{activity("4002", "1", `"src_endpoint":{"ip":"10.0.0.5"},"http_request":{"http_method":"CONNECT"}`), "", "CONNECT without a host"},
		{activity("4003", "1", device+actor+ends), "", "no name in the query"},
		{activity("4003", "1", `"query":{"hostname":"x"}`), "", "no address"},
		{activity("1007", "1", child), "", "no host name"},
		{activity("1007", "1", device+`"process":{}`), "", "no process"},
		{activity("4001", "1", device+actor+strings.Replace(ends, "203.0.113.9", "", 1)), "", "no address"},
		{activity("4001", "1", device+actor+strings.Replace(ends, `"protocol_num":6`, `"protocol_num":0`, 1)), "", "no transport"},
		{strings.Replace(activity("4001", "1", device+actor+ends), "1795424400000", "0", 1), "", "no time"},
	} {
		b, tally := decodeText(t, tt.text)
		if b.Len() != 0 || tt.ignored != "" && tally.Ignored[tt.ignored] != 1 || tt.skipped != "" && tally.Skipped[tt.skipped] != 1 {
			t.Errorf("%s: %d events, %+v", tt.text, b.Len(), tally)
		}
	}
}

// TestOneConnectionIsOneSession: what opens and what counts a connection are two
// observations of one instant, and one session.
func TestOneConnectionIsOneSession(t *testing.T) {
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := decodeText(t, activity("4001", "1", device+actor+ends+`,"start_time":1795420800000`)+activity("4001", "2", device+actor+ends+volume))
	if len(b.Connects) != 2 || b.Connects[0].Key() == b.Connects[1].Key() {
		t.Fatalf("%+v", b.Connects)
	}
	r := owner.Join(owner.Window{Events: b, Networks: networks}, owner.Defaults())
	if len(r.Sessions) != 1 || r.Sessions[0].Rung != event.RungNative || r.Sessions[0].BytesOut != 498 {
		t.Errorf("sessions: %+v", r.Sessions)
	}
}

func sample(n int) []byte {
	var text bytes.Buffer
	for i := range n {
		text.WriteString([]string{
			activity("1007", "1", device+actor+child), activity("4001", "1", device+actor+ends), activity("4001", "2", device+actor+ends+volume+security),
			activity("4001", "6", ends+volume), activity("4003", "2", `"query":{"hostname":"x.example"},`+ends),
		}[i%5])
	}
	return text.Bytes()
}

func TestConformance(t *testing.T) { decodetest.Run(t, format, sample(30)) }

func FuzzOCSF(f *testing.F) { decodetest.Fuzz(f, format, sample(5)) }

func BenchmarkOCSF(b *testing.B) {
	text := sample(20_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	batch := new(event.Batch)
	for b.Loop() {
		var tally decode.Tally
		d := format.Open(bytes.NewReader(text), &tally)
		var err error
		for err == nil {
			batch.Reset()
			err = d.Decode(batch)
		}
		if err != io.EOF || tally.Records != 20_000 || tally.SkippedTotal() != 0 {
			b.Fatalf("%v, %+v", err, tally)
		}
	}
}
