package elastic

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/decodetest"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/owner"
)

var format = Formats()[0]

// decodeText decodes an input to its end.
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
	return &b, &tally
}

// document returns one of the endpoint's documents.
func document(dataset, action string, seconds float64, seq int, rest string) string {
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
	return fmt.Sprintf(`{"@timestamp":%q,"agent":{"type":"endpoint","version":"8.15.0","id":"afd348c6"},`+
		`"data_stream":{"namespace":"default","type":"logs","dataset":"endpoint.events.%s"},"ecs":{"version":"8.10.0"},`+
		`"host":{"hostname":"WS-1.corp.example","name":"ws-1","ip":["10.0.0.5","::1"],"os":{"type":"windows"}},`+
		`"event":{"sequence":%d,"module":"endpoint","kind":"event","dataset":"endpoint.events.%s","action":%q,"id":"M%d"},`+
		`"user":{"domain":"CORP","name":"ann","id":"S-1-5-21-1"},%s}`,
		at.Format("2006-01-02T15:04:05.0000000Z"), dataset, seq, dataset, action, seq, rest)
}

const proc = `"process":{"pid":4711,"entity_id":"AfD0MTc=","name":"app.exe","executable":"C:\\Program Files\\App\\app.exe"}`

// ends are a connection's, from that port, with the direction and the bytes.
func ends(port int, direction string, out, in int) string {
	count := func(n int) string {
		if n < 0 {
			return ""
		}
		return fmt.Sprintf(`,"bytes":%d`, n)
	}
	return fmt.Sprintf(`%s,"source":{"address":"10.0.0.5","ip":"10.0.0.5","port":%d%s},`+
		`"destination":{"address":"203.0.113.9","ip":"203.0.113.9","port":443%s},"network":{"transport":"tcp","type":"ipv4","direction":%q}`,
		proc, port, count(out), count(in), direction)
}

func at(seconds float64) event.Time {
	return event.At(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)).Add(time.Duration(seconds * float64(time.Second)))
}

func TestEvents(t *testing.T) {
	connect := event.Connect{
		Host: "ws-1.corp.example", Source: event.Agent, PID: 4711, GUID: "afd0mtc=",
		Image: `C:\Program Files\App\app.exe`, User: `CORP\ann`, Proto: event.TCP,
		Src: netip.MustParseAddrPort("10.0.0.5:50000"), Dst: netip.MustParseAddrPort("203.0.113.9:443"),
	}
	with := func(do func(*event.Connect)) event.Batch {
		k := connect
		do(&k)
		return event.Batch{Connects: []event.Connect{k}}
	}
	for _, tt := range []struct {
		name, text string
		want       event.Batch
	}{
		{"start", document("process", "start", 1.5, 7,
			`"process":{"pid":4711,"entity_id":"AfD0MTc=","executable":"C:\\Program Files\\App\\app.exe","command_line":"app.exe /x",`+
				`"parent":{"pid":88,"entity_id":"PPP","executable":"C:\\Windows\\explorer.exe","command_line":"explorer"},`+
				`"hash":{"sha256":"ab12","md5":"cd34"},"pe":{"original_file_name":"APP.EXE","imphash":"ef56"},`+
				`"code_signature":{"subject_name":"App Ltd"}}`),
			event.Batch{Starts: []event.ProcessStart{{
				Host: "ws-1.corp.example", Time: at(1.5), Source: event.Agent, Record: 7, PID: 4711, GUID: "afd0mtc=",
				ParentPID: 88, ParentGUID: "ppp", ParentImage: `C:\Windows\explorer.exe`, ParentCommandLine: "explorer",
				Image: `C:\Program Files\App\app.exe`, CommandLine: "app.exe /x", User: `CORP\ann`, OriginalName: "APP.EXE",
				Hashes: "MD5=CD34,SHA256=AB12,IMPHASH=EF56",
			}}}},
		{"end", document("process", "end", 2, 8, proc), event.Batch{Stops: []event.ProcessStop{{
			Host: "ws-1.corp.example", Time: at(2), Source: event.Agent, Record: 8, PID: 4711, GUID: "afd0mtc=",
			Image: `C:\Program Files\App\app.exe`,
		}}}},
		{"attempt", document("network", "connection_attempted", 3, 9, ends(50000, "egress", -1, -1)), with(func(k *event.Connect) {
			k.Time, k.Record, k.Outbound, k.Attempt = at(3), 9, true, true
		})},
		{"accepted", document("network", "connection_accepted", 3, 9, ends(50000, "ingress", -1, -1)), with(func(k *event.Connect) {
			k.Time, k.Record = at(3), 9
		})},
		{"an end that says how long it lasted", strings.Replace(document("network", "disconnect_received", 30, 10, ends(50000, "egress", 498, 4923)),
			`"kind":"event"`, `"kind":"event","duration":20000000000`, 1), with(func(k *event.Connect) {
			k.Time, k.Record, k.Outbound = at(10), 10, true
			k.Volume = event.Volume{Counted: true, Duration: 20e6, BytesOut: 498, BytesIn: 4923}
		})},
		{"an end that says when it began, and counts one side", strings.Replace(document("network", "disconnect_received", 30, 10, ends(50000, "egress", -1, 7)),
			`"kind":"event"`, `"start":"2026-11-23T08:00:29Z"`, 1), with(func(k *event.Connect) {
			k.Time, k.Record, k.Outbound = at(29), 10, true
			k.Volume = event.Volume{Counted: true, Duration: 1e6, BytesOut: event.Unknown, BytesIn: 7}
		})},
		{"lookup", document("network", "lookup_result", 4, 11, proc+`,"dns":{"question":{"name":"Www.Example.NET.","type":"A"},"resolved_ip":["203.0.113.9","::ffff:203.0.113.10","x"]}`),
			event.Batch{Lookups: []event.Lookup{{
				Host: "ws-1.corp.example", Time: at(4), Source: event.Agent, Record: 11, PID: 4711, GUID: "afd0mtc=",
				Image: `C:\Program Files\App\app.exe`, Name: "www.example.net",
				Answers: []netip.Addr{netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("203.0.113.10")},
			}}}},
	} {
		for name, text := range map[string]string{
			"": tt.text, " as a hit": `{"_index":".ds-logs","_source":` + tt.text + `}`,
			" in an answer": `{"took":3,"hits":{"total":{"value":1},"hits":[{"_id":"1","_source":` + tt.text + `}]}}`,
		} {
			t.Run(tt.name+name, func(t *testing.T) {
				got, tally := decodeText(t, text)
				if diff := cmp.Diff(&tt.want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
					cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
					t.Error(diff)
				}
				if tally.SkippedTotal()+tally.IgnoredTotal() != 0 || tally.Records != 1 {
					t.Errorf("tally: %+v", tally)
				}
				if !format.Match([]byte(text)) {
					t.Error("no match")
				}
			})
		}
	}
}

func TestLeftOut(t *testing.T) {
	for _, tt := range []struct{ name, text, ignored, skipped string }{
		{"other stream", document("file", "start", 1, 1, proc), "another data stream", ""},
		{"other action", document("network", "http_request", 1, 1, proc), "another action", ""},
		{"end without begin", document("network", "disconnect_received", 1, 1, ends(1, "egress", 2, 3)), "end of a connection whose begin is not known", ""},
		{"no direction", document("network", "disconnect_received", 1, 1, ends(1, "unknown", 2, 3)), "", "neither inbound nor outbound"},
		{"no address", document("network", "connection_attempted", 1, 1, proc+`,"network":{"transport":"tcp"}`), "", "no address"},
		{"no process", document("process", "start", 1, 1, `"process":{}`), "", "no process"},
		{"no name", document("network", "lookup_result", 1, 1, proc), "", "no name in the query"},
		{"no time", strings.Replace(document("process", "end", 1, 1, proc), "2026-", "x026-", 1), "", "no time"},
		{"no host", strings.NewReplacer(`"hostname":"WS-1.corp.example","name":"ws-1",`, "").Replace(document("process", "end", 1, 1, proc)), "", "no host name"},
		{"another agent", `{"agent":{"type":"filebeat"},"event":{"action":"start"}}`, "", "not a record of the format"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, tally := decodeText(t, tt.text)
			if b.Len() != 0 || tt.ignored != "" && tally.Ignored[tt.ignored] != 1 || tt.skipped != "" && tally.Skipped[tt.skipped] != 1 {
				t.Errorf("%d events, %+v", b.Len(), tally)
			}
		})
	}
}

// TestOneConnectionIsOneSession: a connect and the end that counts it come out
// as one session, with or without the wire's flow of it, and even though the
// end comes long after.
func TestOneConnectionIsOneSession(t *testing.T) {
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := document("network", "connection_attempted", 3, 9, ends(50000, "egress", -1, -1)) + "\n" +
		document("network", "disconnect_received", 3603, 10, ends(50000, "egress", 498, 4923)) + "\n"
	flow := event.Flow{
		Sensor: "zeek", Time: at(3), UID: "C1", Proto: event.TCP, Service: "ssl",
		Src: netip.MustParseAddrPort("10.0.0.5:50000"), Dst: netip.MustParseAddrPort("203.0.113.9:443"),
		Duration: 3600e6, BytesOut: 500, BytesIn: event.Unknown,
	}
	for _, tt := range []struct {
		name    string
		text    string
		flows   []event.Flow
		out, in event.Count
		want    int
	}{
		{"without a wire", text, nil, 498, 4923, 1},
		{"with a flow, which goes first", text, []event.Flow{flow}, 500, 4923, 1},
		{"nothing was carried", strings.Replace(strings.Replace(text, ":498", ":0", 1), ":4923", ":0", 1), nil, 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, tally := decodeText(t, tt.text)
			if tally.Events != 2 || b.Connects[0].Key() == b.Connects[1].Key() {
				t.Fatalf("tally %+v, connects %+v", tally, b.Connects)
			}
			b.Flows = tt.flows
			r := owner.Join(owner.Window{Events: b, Networks: networks}, owner.Defaults())
			if len(r.Sessions) != tt.want {
				t.Fatalf("sessions: %+v", r.Sessions)
			}
			if tt.want == 0 {
				return
			}
			if s := r.Sessions[0]; s.Rung != event.RungNative || s.BytesOut != tt.out || s.BytesIn != tt.in || s.Duration != 3600e6 || s.PID != 4711 {
				t.Errorf("session: %+v", s)
			}
		})
	}
}

// TestAttemptIsNoSuccess: where the wire was watched, an attempt without a flow
// was none.
func TestAttemptIsNoSuccess(t *testing.T) {
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := decodeText(t, document("network", "connection_attempted", 3, 9, ends(50000, "egress", -1, -1)))
	for i := range 2 { // before and after
		b.Flows = append(b.Flows, event.Flow{
			Sensor: "zeek", Time: at(float64(10 * i)), UID: fmt.Sprint("C", i), Proto: event.TCP, Service: "ssl",
			Src: netip.MustParseAddrPort("10.0.0.5:6000"), Dst: netip.MustParseAddrPort("203.0.113.1:443"),
			BytesOut: 1, BytesIn: 1,
		})
	}
	r := owner.Join(owner.Window{Events: b, Networks: networks}, owner.Defaults())
	if n := r.Ledger.ByOutcome()[owner.Attempt]; n != 1 {
		t.Errorf("outcomes: %v", r.Ledger.ByOutcome())
	}
}

// TestForgets: what never ends does not fill the memory, and the newest stays.
func TestForgets(t *testing.T) {
	var o opened
	key := func(i int) connKey { return connKey{host: "h", pid: uint32(i)} }
	for i := range 3 * maxOpened {
		o.add(key(i), opening{event.Time(i + 1), true})
	}
	if n := len(o.newer) + len(o.older); n > 2*maxOpened {
		t.Errorf("%d are remembered", n)
	}
	if _, ok := o.take(key(0)); ok {
		t.Error("the oldest is")
	}
	last := 3*maxOpened - 1
	if begin, ok := o.take(key(last)); !ok || begin.time != event.Time(last+1) {
		t.Error("the newest is not")
	}
	if _, ok := o.take(key(last)); ok {
		t.Error("it is still, once taken")
	}
}

// sample returns the documents of n connections.
func sample(n int) []byte {
	var text bytes.Buffer
	for i := range n {
		s := float64(i)
		for j, d := range []string{
			document("process", "start", s, 5*i+1, proc),
			document("network", "lookup_result", s+0.1, 5*i+2, proc+`,"dns":{"question":{"name":"a.example"},"resolved_ip":["203.0.113.9"]}`),
			document("network", "connection_attempted", s+0.2, 5*i+3, ends(40000+i%20000, "egress", -1, -1)),
			document("file", "creation", s+0.3, 5*i+4, proc),
			document("network", "disconnect_received", s+0.5, 5*i+5, ends(40000+i%20000, "egress", 498+i, 4923)),
		} {
			if i > 0 || j > 0 {
				text.WriteByte('\n')
			}
			text.WriteString(d)
		}
	}
	return text.Bytes()
}

func TestConformance(t *testing.T) {
	decodetest.Run(t, format, sample(8), []byte("["+strings.ReplaceAll(string(sample(4)), "\n", ",\n")+"]\n"))
}

func FuzzElastic(f *testing.F) {
	decodetest.Fuzz(f, format, sample(2), []byte(`{"hits":{"hits":[{"_source":{"event":{"module":"endpoint","action":["end"]}}}]}}`))
}

func BenchmarkElastic(b *testing.B) {
	text := sample(4000)
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
		if err != io.EOF || tally.Events != 16000 {
			b.Fatalf("%v, %+v", err, tally)
		}
	}
}
