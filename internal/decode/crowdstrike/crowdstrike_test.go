package crowdstrike

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
	return &b, &tally
}

// of returns an event of the sensor's, whose fields are all text.
func of(name, fields string) string {
	return `{"event_simpleName":"` + name + `","aid":"FFEE01","cid":"c","aip":"192.0.2.1","event_platform":"Win",` +
		`"name":"` + name + `WinV5","id":"1","timestamp":"1795420899000","ContextTimeStamp":"1795420800.123",` + fields + "}\n"
}

const master = `{"Time":"1795420000.1","aid":"FFEE01","cid":"c","aip":"192.0.2.1","event_platform":"Win","ComputerName":"WS-1"}` + "\n"

var (
	start = of("ProcessRollup2", `"TargetProcessId":"38911778380590","ParentProcessId":"77","RawProcessId":"4711","ProcessStartTime":"1795420799.5",`+
		`"ImageFileName":"\\Device\\HarddiskVolume3\\Program Files\\App\\app.exe","CommandLine":"app.exe /x","UserName":"ann","LogonDomain":"CORP",`+
		`"ParentBaseFileName":"explorer.exe","SHA256HashData":"ab","MD5HashData":"cd","SHA1HashData":"0000000000000000000000000000000000000000"`)
	connect = of("NetworkConnectIP4", `"ContextProcessId":"38911778380590","LocalAddressIP4":"10.0.0.5","LocalPort":"50000",`+
		`"RemoteAddressIP4":"203.0.113.9","RemotePort":"443","Protocol":"6","ConnectionDirection":"0","ConnectionFlags":"0"`)
	dns = of("DnsRequest", `"ContextProcessId":"38911778380590","DomainName":"Www.Example.NET","RequestType":"1","IP4Records":"203.0.113.9;x;","IP6Records":"2001:db8::9;"`)
	end = of("EndOfProcess", `"TargetProcessId":"38911778380590","RawProcessId":"4711","ContextProcessId":"38911778380590"`)
)

const image = `\Device\HarddiskVolume3\Program Files\App\app.exe`

// everything is what the four above give, in order.
func everything(host string) event.Batch {
	return event.Batch{
		Starts: []event.ProcessStart{{
			Host: host, Time: 1795420799500e3, Source: event.Agent, PID: 4711, GUID: "38911778380590", ParentGUID: "77",
			ParentImage: "explorer.exe", Image: image, CommandLine: "app.exe /x", User: `CORP\ann`, Hashes: "MD5=CD,SHA256=AB",
		}},
		Connects: []event.Connect{{
			Host: host, Time: 1795420800123e3, Source: event.Agent, PID: 4711, GUID: "38911778380590", Image: image, User: `CORP\ann`,
			Proto: event.TCP, Src: netip.MustParseAddrPort("10.0.0.5:50000"), Dst: netip.MustParseAddrPort("203.0.113.9:443"),
			Outbound: true, Attempt: true,
		}},
		Lookups: []event.Lookup{{
			Host: host, Time: 1795420800123e3, Source: event.Agent, PID: 4711, GUID: "38911778380590", Image: image,
			Name: "www.example.net", Answers: []netip.Addr{netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("2001:db8::9")},
		}},
		Stops: []event.ProcessStop{{Host: host, Time: 1795420800123e3, Source: event.Agent, PID: 4711, GUID: "38911778380590", Image: image}},
	}
}

func TestEvents(t *testing.T) {
	all := start + connect + dns + end
	older := strings.NewReplacer(`"TargetProcessId"`, `"TargetProcessId_decimal"`, `"ContextProcessId"`, `"ContextProcessId_decimal"`,
		`"RawProcessId"`, `"RawProcessId_decimal"`, `"RemotePort"`, `"RemotePort_decimal"`, `"LocalPort"`, `"LocalPort_decimal"`, `"Protocol"`, `"Protocol_decimal"`,
		`"ContextTimeStamp"`, `"ContextTimeStamp_decimal"`, `"ProcessStartTime"`, `"ProcessStartTime_decimal"`, `"ParentProcessId"`, `"ParentProcessId_decimal"`)
	for _, tt := range []struct {
		name, text string
		want       event.Batch
		warnings   int
	}{
		{"named by aidmaster", master + all, everything("ws-1"), 0},
		{"named by each", strings.ReplaceAll(all, `"cid"`, `"ComputerName":"WS-1","cid"`), everything("ws-1"), 0},
		{"named too late", start + master + connect + dns + end, everything("ffee01"), 1},
		{"not named", all, everything("ffee01"), 1},
		{"older names of fields", master + older.Replace(all), everything("ws-1"), 0},
		{"as LogScale exports", master + strings.ReplaceAll(all, `"event_simpleName"`, `"#event_simpleName"`), everything("ws-1"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, tally := decodeText(t, tt.text)
			if diff := cmp.Diff(&tt.want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})); diff != "" {
				t.Error(diff)
			}
			if tally.SkippedTotal() != 0 || len(tally.Warnings) != tt.warnings {
				t.Errorf("tally: %+v", tally)
			}
			if !format.Match([]byte(tt.text)) {
				t.Error("no match")
			}
		})
	}
}

func TestDirections(t *testing.T) {
	for _, tt := range []struct{ name, text, src string }{
		{"accepted", strings.Replace(connect, "NetworkConnectIP4", "NetworkReceiveAcceptIP4", 1), "203.0.113.9:443"},
		{"inbound by its direction", strings.Replace(connect, `"ConnectionDirection":"0"`, `"ConnectionDirection":"1"`, 1), "203.0.113.9:443"},
		{"IPv6", strings.NewReplacer("IP4", "IP6", "10.0.0.5", "2001:db8::5", "203.0.113.9", "2001:db8::9").Replace(connect), "[2001:db8::5]:50000"},
		{"without its program", strings.Replace(connect, `"ContextProcessId"`, `"ContextBaseFileName":"app.exe","ContextProcessId"`, 1), "10.0.0.5:50000"},
	} {
		b, tally := decodeText(t, tt.text)
		if len(b.Connects) != 1 {
			t.Fatalf("%s: %+v", tt.name, tally)
		}
		k := b.Connects[0]
		if inbound := tt.src == "203.0.113.9:443"; k.Src.String() != tt.src || k.Outbound == inbound || k.Attempt == inbound {
			t.Errorf("%s: %+v", tt.name, k)
		}
		if want := map[bool]string{true: "app.exe"}[tt.name == "without its program"]; k.Image != want {
			t.Errorf("%s: image %q, want %q", tt.name, k.Image, want)
		}
	}
}

func TestLease(t *testing.T) {
	b, _ := decodeText(t, master+of("LocalIpAddressIP4", `"LocalAddressIP4":"10.0.0.5","PhysicalAddress":"6E-9e-e0-1f-6d-7d","CreationTimeStamp":"1795420800.5"`))
	want := []event.Lease{{
		Sensor: "crowdstrike", Time: 1795420800500e3, Host: "ws-1", Addr: netip.MustParseAddr("10.0.0.5"),
		MAC: "6e:9e:e0:1f:6d:7d", Duration: event.Unknown,
	}}
	if diff := cmp.Diff(want, b.Leases, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Error(diff)
	}
}

func TestLeftOut(t *testing.T) {
	for _, tt := range []struct{ text, ignored, skipped string }{
		{of("NetworkCloseIP4", `"x":"1"`), "another event", ""},
		{master, "another event", ""},
		{strings.Replace(connect, "10.0.0.5", "0.0.0.0", 1), "connection without its local address", ""},
		{of("LocalIpAddressIP4", `"LocalAddressIP4":"127.0.0.1"`), "address that tells no host", ""},
		{of("LocalIpAddressIP4", `"LocalAddressIP4":""`), "", "no address"},
		{strings.Replace(connect, "203.0.113.9", "", 1), "", "no address"},
		{strings.Replace(connect, `"Protocol":"6"`, `"Protocol":""`, 1), "", "no transport"},
		{strings.Replace(dns, "Www.Example.NET", "", 1), "", "no name in the query"},
		{of("ProcessRollup2", `"ImageFileName":"x"`), "", "no process"},
		{of("EndOfProcess", `"RawProcessId":"1"`), "", "no process"},
		{strings.NewReplacer("1795420899000", "", "1795420800.123", "").Replace(dns), "", "no time"},
		{strings.Replace(dns, "FFEE01", "", 1), "", "no aid"},
		{`{"aid":"x"}`, "", "not a record of the format"},
	} {
		b, tally := decodeText(t, tt.text)
		if b.Len() != 0 || tt.ignored != "" && tally.Ignored[tt.ignored] != 1 || tt.skipped != "" && tally.Skipped[tt.skipped] != 1 {
			t.Errorf("%s: %d events, %+v", tt.text, b.Len(), tally)
		}
	}
}

// TestOwnsTheFlow: the connect names the owner of the wire's flow.
func TestOwnsTheFlow(t *testing.T) {
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := decodeText(t, start+connect)
	b.Flows = []event.Flow{{
		Sensor: "zeek", Time: 1795420800100e3, UID: "C1", Proto: event.TCP, Service: "ssl", BytesOut: 500, BytesIn: 600,
		Src: netip.MustParseAddrPort("10.0.0.5:50000"), Dst: netip.MustParseAddrPort("203.0.113.9:443"),
	}}
	r := owner.Join(owner.Window{Events: b, Networks: networks}, owner.Defaults())
	if len(r.Sessions) != 1 || r.Sessions[0].Rung != event.RungExact || r.Sessions[0].Image != image || r.Sessions[0].BytesOut != 500 {
		t.Errorf("sessions: %+v", r.Sessions)
	}
}

func TestForgets(t *testing.T) {
	var p processes
	for i := range 3 * maxProcesses {
		p.add("a", fmt.Sprint(i), process{pid: uint32(i + 1)})
		if p.of("a", "0").pid != 1 {
			t.Fatalf("one in use is forgotten after %d", i)
		}
	}
	if n := len(p.newer) + len(p.older); n > 2*maxProcesses+2 {
		t.Errorf("%d are remembered", n)
	}
	if p.of("a", "1").pid != 0 {
		t.Error("one long out of use is")
	}
}

func sample(n int) []byte {
	var text bytes.Buffer
	text.WriteString(master)
	for i := range n {
		text.WriteString([]string{start, connect, dns, end, of("NetworkCloseIP4", `"x":"1"`)}[i%5])
	}
	return text.Bytes()
}

func TestConformance(t *testing.T) { decodetest.Run(t, format, sample(30)) }

func FuzzFDR(f *testing.F) { decodetest.Fuzz(f, format, sample(6)) }

func BenchmarkFDR(b *testing.B) {
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
		if err != io.EOF || tally.Events != 16_000 {
			b.Fatalf("%v, %+v", err, tally)
		}
	}
}
