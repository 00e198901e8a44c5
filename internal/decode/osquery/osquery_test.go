package osquery

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/decodetest"
	"github.com/postern/postern/internal/event"
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

// result returns one line of a log, of a run that many seconds after the first.
func result(seconds int, what string) string {
	return fmt.Sprintf(`{"name":"pack_net_sockets","hostIdentifier":"WS-1.corp.example","calendarTime":"Mon Nov 23 08:00:00 2026 UTC",`+
		`"unixTime":%d,"epoch":0,"counter":3,"numerics":false,"decorations":{"host_uuid":"4D1E"},%s}`+"\n", 1795420800+seconds, what)
}

const (
	open = `{"pid":"4711","fd":"-1","family":"2","protocol":"6","local_address":"10.0.0.5","local_port":"50000",` +
		`"remote_address":"203.0.113.9","remote_port":"443","path":"C:\\Program Files\\App\\app.exe","state":"ESTABLISHED"}`
	dialed = `{"action":"connect","pid":"4711","path":"/usr/bin/curl","fd":"3","family":"2","protocol":"6","local_address":"10.0.0.5","local_port":"50000",` +
		`"remote_address":"203.0.113.9","remote_port":"443","time":"1795420790","uptime":"5","status":"succeeded"}`
	executed = `{"pid":"4711","path":"/usr/bin/curl","cmdline":"curl x","parent":"88","time":"1795420790","uid":"0"}`
	etw      = `{"type":"ProcessStart","pid":"4711","ppid":"88","path":"C:\\App\\app.exe","cmdline":"app /x","username":"CORP\\ann",` +
		`"datetime":"2026-11-23T07:59:50Z","process_sequence_number":"9001","parent_process_sequence_number":"0"}`
)

func columns(row string) string { return `"columns":` + row + `,"action":"added"` }

func snapshot(rows ...string) string {
	return `"snapshot":[` + strings.Join(rows, ",") + `],"action":"snapshot"`
}

func connect() event.Connect {
	return event.Connect{
		Host: "ws-1.corp.example", Time: 1795420800e6, Source: event.Agent, PID: 4711, Image: `C:\Program Files\App\app.exe`,
		Proto: event.TCP, Src: netip.MustParseAddrPort("10.0.0.5:50000"), Dst: netip.MustParseAddrPort("203.0.113.9:443"), Outbound: true,
	}
}

func TestEvents(t *testing.T) {
	event3 := connect()
	event3.Time, event3.Image = 1795420790e6, "/usr/bin/curl"
	pending, accepted, found := event3, event3, connect()
	pending.Attempt = true
	accepted.Outbound, accepted.Src, accepted.Dst = false, event3.Dst, event3.Src
	found.Outbound, found.Src, found.Dst = false, found.Dst, found.Src
	listen := strings.NewReplacer("ESTABLISHED", "LISTEN", "203.0.113.9", "0.0.0.0", `"443"`, `"0"`).Replace(open)
	start := event.ProcessStart{
		Host: "ws-1.corp.example", Time: 1795420790e6, Source: event.Agent, PID: 4711, ParentPID: 88, Image: "/usr/bin/curl", CommandLine: "curl x",
	}
	byETW := start
	byETW.GUID, byETW.Image, byETW.CommandLine, byETW.User = "9001", `C:\App\app.exe`, "app /x", `CORP\ann`
	for _, tt := range []struct {
		name, text string
		want       event.Batch
	}{
		{"found open", result(0, columns(open)), event.Batch{Connects: []event.Connect{connect()}}},
		{"by a batch", result(0, `"diffResults":{"added":[`+open+`],"removed":[`+dialed+`]}`), event.Batch{Connects: []event.Connect{connect()}}},
		{"by a snapshot", result(0, snapshot(open, executed)), event.Batch{Connects: []event.Connect{connect()}, Starts: []event.ProcessStart{start}}},
		{"named by a decoration", strings.Replace(result(0, columns(open)), `"host_uuid"`, `"hostname":"WS-1.corp.example","host_uuid"`, 1), event.Batch{Connects: []event.Connect{connect()}}},
		{"of a listener", result(0, snapshot(listen, open)), event.Batch{Connects: []event.Connect{found}}},
		{"socket event", result(0, columns(dialed)), event.Batch{Connects: []event.Connect{event3}}},
		{"pending", result(0, columns(strings.Replace(dialed, "succeeded", "in_progress", 1))), event.Batch{Connects: []event.Connect{pending}}},
		{"accepted", result(0, columns(strings.Replace(dialed, "connect", "accept", 1))), event.Batch{Connects: []event.Connect{accepted}}},
		{"process event", result(0, columns(executed)), event.Batch{Starts: []event.ProcessStart{start}}},
		{"etw start", result(0, columns(etw)), event.Batch{Starts: []event.ProcessStart{byETW}}},
		{"etw stop", result(0, columns(strings.Replace(etw, "ProcessStart", "ProcessStop", 1))), event.Batch{Stops: []event.ProcessStop{{
			Host: "ws-1.corp.example", Time: 1795420790e6, Source: event.Agent, PID: 4711, GUID: "9001", Image: `C:\App\app.exe`,
		}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, tally := decodeText(t, tt.text)
			if diff := cmp.Diff(&tt.want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
				t.Error(diff)
			}
			if tally.SkippedTotal() != 0 {
				t.Errorf("tally: %+v", tally)
			}
		})
	}
}

// TestFoundOnce: run after run finds a connection, which is one; found anew
// after a run that did not, it is another.
func TestFoundOnce(t *testing.T) {
	other := strings.Replace(open, "50000", "50001", 1)
	for _, tt := range []struct {
		name string
		text string
		want int
	}{
		{"three runs", result(0, snapshot(open)) + result(60, snapshot(open)) + result(120, snapshot(open)), 1},
		{"gone in between", result(0, snapshot(open)) + result(60, snapshot(other)) + result(120, snapshot(other)) + result(180, snapshot(open)), 3},
		{"twice in a run", result(0, snapshot(open, open)), 1},
		{"of two hosts", result(0, snapshot(open)) + strings.Replace(result(0, snapshot(open)), "WS-1", "WS-2", 1), 2},
	} {
		b, tally := decodeText(t, tt.text)
		if len(b.Connects) != tt.want {
			t.Errorf("%s: %d connects, want %d: %+v", tt.name, len(b.Connects), tt.want, tally)
		}
	}
}

func TestLeftOut(t *testing.T) {
	for _, tt := range []struct{ text, ignored, skipped string }{
		{result(0, `"columns":`+open+`,"action":"removed"`), "removed row", ""},
		{result(0, columns(`{"version":"5"}`)), "another query", ""},
		{result(0, snapshot()), "result without rows", ""},
		{result(0, columns(strings.Replace(open, "203.0.113.9", "0.0.0.0", 1))), "socket without a far end", ""},
		{result(0, columns(strings.Replace(open, "10.0.0.5", "", 1))), "connection without its local address", ""},
		{result(0, columns(strings.Replace(open, "203.0.113.9", "127.0.0.1", 1))), "connection within the host", ""},
		{result(0, columns(strings.Replace(open, `"4711"`, `"-1"`, 1))), "socket without process or transport", ""},
		{result(0, columns(strings.Replace(open, "ESTABLISHED", "SYN_SENT", 1))), "attempt", ""},
		{result(0, columns(strings.Replace(dialed, "succeeded", "failed", 1))), "failed connect", ""},
		{result(0, columns(strings.Replace(dialed, "connect", "bind", 1))), "another socket event", ""},
		{result(0, columns(strings.Replace(etw, "ProcessStart", "ProcessX", 1))), "another process event", ""},
		{result(0, columns(strings.Replace(executed, `"uid"`, `"event_type":"exit","uid"`, 1))), "another process event", ""},
		{result(0, columns(strings.Replace(executed, `"4711"`, `"0"`, 1))), "", "no process"},
		{strings.Replace(result(0, columns(executed)), "WS-1.corp.example", "", 1), "", "no host name"},
		{strings.Replace(result(0, columns(executed)), "1795420800", `"x"`, 1), "", "no time"},
	} {
		b, tally := decodeText(t, tt.text)
		if b.Len() != 0 || tt.ignored != "" && tally.Ignored[tt.ignored] != 1 || tt.skipped != "" && tally.Skipped[tt.skipped] != 1 {
			t.Errorf("%s: %d events, %+v", tt.text, b.Len(), tally)
		}
	}
}

// TestRowsBesideOthers: of a result of many rows each is accounted for.
func TestRowsBesideOthers(t *testing.T) {
	bad := strings.Replace(executed, `"4711"`, `"0"`, 1)
	b, tally := decodeText(t, result(0, snapshot(bad, executed, `{"version":"5"}`)))
	if b.Len() != 1 || tally.Skipped["no process"] != 1 || tally.Ignored["another query"] != 1 || tally.Records != 3 {
		t.Errorf("%d events, %+v", b.Len(), tally)
	}
	b, tally = decodeText(t, result(0, snapshot(bad, `{"version":"5"}`)))
	if b.Len() != 0 || tally.Skipped["no process"] != 1 || tally.Ignored["another query"] != 1 || tally.Records != 2 {
		t.Errorf("%d events, %+v", b.Len(), tally)
	}
}

func sample(n int) []byte {
	var text bytes.Buffer
	for i := range n {
		port := fmt.Sprint(20000 + i%40000)
		text.WriteString(result(60*i, []string{
			columns(strings.Replace(open, "50000", port, 1)), columns(dialed), columns(executed), columns(etw), snapshot(open, executed),
		}[i%5]))
	}
	return text.Bytes()
}

func TestConformance(t *testing.T) { decodetest.Run(t, format, sample(30)) }

func FuzzOsquery(f *testing.F) { decodetest.Fuzz(f, format, sample(5)) }

func BenchmarkOsquery(b *testing.B) {
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
