package defender

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
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

// A row is one of a table, by its columns.
type row map[string]any

func (r row) with(more row) row {
	all := maps.Clone(r)
	maps.Copy(all, more)
	return all
}

func (r row) json(t testing.TB) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// table writes rows as the portal exports them.
func table(t testing.TB, rows ...row) string {
	t.Helper()
	columns := make(map[string]bool)
	for _, r := range rows {
		for c := range r {
			columns[c] = true
		}
	}
	names := slices.Sorted(maps.Keys(columns))
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	w.Write(names)
	for _, r := range rows {
		var cells []string
		for _, c := range names {
			switch v := r[c].(type) {
			case nil:
				cells = append(cells, "")
			case string:
				cells = append(cells, v)
			default:
				b, err := json.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				cells = append(cells, string(b))
			}
		}
		w.Write(cells)
	}
	w.Flush()
	return text.String()
}

var (
	device  = row{"Timestamp": "2026-11-23T08:00:03.1234567Z", "DeviceId": "22bb", "DeviceName": "WS-1.corp.example", "ReportId": 29293}
	program = row{
		"InitiatingProcessFileName": "app.exe", "InitiatingProcessFolderPath": `c:\program files\app\app.exe`,
		"InitiatingProcessId": 4711, "InitiatingProcessUniqueId": "3096224743831000", "InitiatingProcessCommandLine": "app.exe /x",
		"InitiatingProcessAccountDomain": "corp", "InitiatingProcessAccountName": "ann",
	}
	nobody = row{"InitiatingProcessFileName": nil, "InitiatingProcessId": 0}
	ends   = row{"LocalIP": "10.0.0.5", "LocalPort": 50000, "RemoteIP": "203.0.113.9", "RemotePort": 443, "Protocol": "Tcp", "RemoteUrl": nil, "AdditionalFields": nil}

	success = device.with(program).with(ends).with(row{"ActionType": "ConnectionSuccess", "RemoteUrl": "https://Www.Example.NET/a?b"})
	ssl     = device.with(nobody).with(ends).with(row{"ActionType": "SslConnectionInspected", "AdditionalFields": row{
		"direction": "Out", "version": "TLSv12", "curve": "secp384r1", "server_name": "Www.Example.NET", "resumed": "false",
		"next_protocol": "h2", "established": "true", "subject": "CN=www", "issuer": "CN=ca", "uid": "CmHkX0", "cipher": "TLS_X",
		"ts": "134398944021234560", // 08:00:02.123456
	}})
	dns = device.with(nobody).with(ends).with(row{"ActionType": "DnsConnectionInspected", "RemotePort": 53, "Protocol": "Udp", "AdditionalFields": row{
		"direction": "Out", "query": "Www.Example.NET", "qtype_name": "A", "answers": `["alias.example.net","203.0.113.9"]`, "uid": "C2", "ts": "1",
	}})
	http = device.with(nobody).with(ends).with(row{"ActionType": "HttpConnectionInspected", "RemotePort": 3128, "AdditionalFields": row{
		"direction": "Out", "host": "www.example.net", "method": "CONNECT", "status_code": "200", "uri": "www.example.net:443", "uid": "C3",
	}})
	created = device.with(program).with(row{
		"ActionType": "ProcessCreated", "FileName": "Child.exe", "FolderPath": `C:\Windows\System32\Child.exe`, "ProcessId": 6412,
		"ProcessUniqueId": "77", "ProcessCommandLine": "Child.exe \"a\nb\", c", "ProcessCreationTime": "2026-11-23T08:00:02Z",
		"AccountDomain": "corp", "AccountName": "ann", "SHA256": "ab", "MD5": "cd", "ProcessVersionInfoOriginalFileName": "CHILD.EXE",
		"ProcessVersionInfoCompanyName": "Microsoft Corporation", "ProcessVersionInfoProductName": "Windows", "AdditionalFields": nil,
	})
	info = device.with(row{
		"IPAddresses": `[{"IPAddress":"10.0.0.5","SubnetPrefix":26,"AddressType":"Private"},{"IPAddress":"fe80::1"},{"IPAddress":"2001:db8::5"}]`,
		"MacAddress":  "000D3A9EC781", "NetworkAdapterStatus": "Up",
	})
)

func at(seconds float64) event.Time {
	return event.At(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)).Add(time.Duration(seconds * float64(time.Second)))
}

func connect() event.Connect {
	return event.Connect{
		Host: "ws-1.corp.example", Time: at(3.123456), Source: event.Agent, PID: 4711, GUID: "3096224743831000",
		Image: `c:\program files\app\app.exe`, User: `corp\ann`, Proto: event.TCP, Outbound: true, DstName: "www.example.net",
		Src: netip.MustParseAddrPort("10.0.0.5:50000"), Dst: netip.MustParseAddrPort("203.0.113.9:443"),
	}
}

var handshake = event.Handshake{
	Sensor: "defender", Time: at(2.123456), UID: "CmHkX0", Proto: event.TCP,
	Src: netip.MustParseAddrPort("10.0.0.5:50000"), Dst: netip.MustParseAddrPort("203.0.113.9:443"),
	SNI: "www.example.net", Version: "TLSv12", ALPN: "h2", Subject: "CN=www", Issuer: "CN=ca", Established: event.Yes,
}

func decodeText(t testing.TB, format, text string) (*event.Batch, *decode.Tally) {
	t.Helper()
	f, err := decode.ByName(Formats(), format)
	if err != nil {
		t.Fatal(err)
	}
	var b event.Batch
	var tally decode.Tally
	d := f.Open(strings.NewReader(text), &tally)
	for err == nil {
		err = d.Decode(&b)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	if !f.Match([]byte(text)) {
		t.Errorf("%s does not match %s", format, text)
	}
	return &b, &tally
}

// forms are the ways in which a row arrives.
func forms(t testing.TB, r row) map[string][2]string {
	text := r.json(t)
	wrapped := `{"Tenant":"DefaultTenant","category":"AdvancedHunting-Table","operationName":"Publish","properties":` + text +
		`,"tenantId":"1","time":"2026-11-23T08:05:00Z"}`
	return map[string][2]string{
		"object":   {"defender-json", text},
		"array":    {"defender-json", "[\n" + text + "\n]"},
		"answer":   {"defender-json", `{"Stats":{},"Schema":[{"Name":"Timestamp","Type":"DateTime"}],"Results":[` + text + `]}`},
		"streamed": {"defender-json", wrapped},
		"records":  {"defender-json", `{"records":[` + wrapped + `]}`},
		"table":    {"defender-csv", table(t, r)},
	}
}

func TestEvents(t *testing.T) {
	inbound := connect()
	inbound.Outbound, inbound.DstName = false, ""
	inbound.Src, inbound.Dst = netip.MustParseAddrPort("203.0.113.9:50094"), netip.MustParseAddrPort("10.0.0.5:443")
	byServer := handshake
	byServer.Src, byServer.Dst, byServer.Time, byServer.Established = byServer.Dst, byServer.Src, at(3.123456), event.No
	for _, tt := range []struct {
		name string
		row  row
		want event.Batch
	}{
		{"connect", success, event.Batch{Connects: []event.Connect{connect()}}},
		{"accepted", success.with(row{"ActionType": "InboundConnectionAccepted", "RemoteUrl": "", "LocalPort": 443, "RemotePort": 50094}), event.Batch{Connects: []event.Connect{inbound}}},
		{"handshake", ssl, event.Batch{Handshakes: []event.Handshake{handshake}}},
		{"handshake of a server, ts far off", ssl.with(row{"AdditionalFields": ssl["AdditionalFields"].(row).with(row{"direction": "In", "ts": "133370123850310000", "established": "false"})}),
			event.Batch{Handshakes: []event.Handshake{byServer}}},
		{"signature with a server name", ssl.with(row{"ActionType": "NetworkSignatureInspected"}), event.Batch{Handshakes: []event.Handshake{handshake}}},
		{"lookup", dns, event.Batch{Lookups: []event.Lookup{{
			Sensor: "defender", Time: at(3.123456), Client: netip.MustParseAddr("10.0.0.5"), Name: "www.example.net",
			Answers: []netip.Addr{netip.MustParseAddr("203.0.113.9")},
		}}}},
		{"request", http, event.Batch{Requests: []event.Request{{
			Sensor: "defender", Time: at(3.123456), UID: "C3", Src: netip.MustParseAddrPort("10.0.0.5:50000"),
			Dst: netip.MustParseAddrPort("203.0.113.9:3128"), Method: "CONNECT", Host: "www.example.net", Port: 443, Status: 200,
		}}}},
		{"start", created, event.Batch{Starts: []event.ProcessStart{{
			Host: "ws-1.corp.example", Time: at(2), Source: event.Agent, PID: 6412, GUID: "77",
			ParentPID: 4711, ParentGUID: "3096224743831000", ParentImage: `c:\program files\app\app.exe`, ParentCommandLine: "app.exe /x",
			Image: `C:\Windows\System32\Child.exe`, CommandLine: "Child.exe \"a\nb\", c", User: `corp\ann`, OriginalName: "CHILD.EXE",
			Product: "Windows", Company: "Microsoft Corporation", Hashes: "MD5=CD,SHA256=AB",
		}}}},
		{"leases", info, event.Batch{Leases: []event.Lease{
			{Sensor: "defender", Time: at(3.123456), Host: "ws-1.corp.example", Addr: netip.MustParseAddr("10.0.0.5"), MAC: "00:0d:3a:9e:c7:81", Duration: event.Unknown},
			{Sensor: "defender", Time: at(3.123456), Host: "ws-1.corp.example", Addr: netip.MustParseAddr("2001:db8::5"), MAC: "00:0d:3a:9e:c7:81", Duration: event.Unknown},
		}}},
	} {
		for form, in := range forms(t, tt.row) {
			t.Run(tt.name+" "+form, func(t *testing.T) {
				got, tally := decodeText(t, in[0], in[1])
				if diff := cmp.Diff(&tt.want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})); diff != "" {
					t.Error(diff)
				}
				if tally.Records != 1 || tally.SkippedTotal()+tally.IgnoredTotal() != 0 {
					t.Errorf("tally: %+v", tally)
				}
				if capped := tt.row["RemoteIP"] != nil; slices.Contains(tally.Warnings, capWarning) != capped {
					t.Errorf("warnings: %v", tally.Warnings)
				}
			})
		}
	}
}

func TestLeftOut(t *testing.T) {
	for _, tt := range []struct {
		row              row
		ignored, skipped string
	}{
		{success.with(row{"ActionType": "ConnectionFailed"}), "attempt (ConnectionFailed)", ""},
		{success.with(row{"ActionType": "ConnectionAttempt"}), "attempt (ConnectionAttempt)", ""},
		{success.with(row{"ActionType": "ConnectionRequest"}), "attempt (ConnectionRequest)", ""},
		{success.with(row{"ActionType": "ConnectionFound"}), "connection of an unknown begin (ConnectionFound)", ""},
		{success.with(row{"ActionType": "ListeningConnectionCreated"}), "listening port", ""},
		{created.with(row{"ActionType": "FileCreated"}), "another table or action", ""},
		{ssl.with(row{"ActionType": "NetworkSignatureInspected", "AdditionalFields": `{"SignatureName":"HTTP_Server"}`}), "network signature", ""},
		{http.with(row{"AdditionalFields": `{"method":"GET","uri":"/"}`}), "HTTP request other than CONNECT", ""},
		{dns.with(row{"AdditionalFields": `not JSON`}), "DNS without a question", ""},
		{info.with(row{"NetworkAdapterStatus": "Down"}), "adapter that is not up", ""},
		{info.with(row{"IPAddresses": `[{"IPAddress":"127.0.0.1"}]`}), "adapter without an address", ""},
		{success.with(row{"RemoteIP": "x"}), "", "no address"},
		{success.with(row{"Protocol": ""}), "", "no transport"},
		{success.with(row{"Timestamp": "11/23/2026 8:00:03 AM"}), "", "no time"},
		{success.with(row{"DeviceName": ""}), "", "no device name"},
		{created.with(row{"ProcessId": 0}), "", "no process"},
	} {
		for form, in := range forms(t, tt.row) {
			b, tally := decodeText(t, in[0], in[1])
			if b.Len() != 0 || tt.ignored != "" && tally.Ignored[tt.ignored] != 1 || tt.skipped != "" && tally.Skipped[tt.skipped] != 1 {
				t.Errorf("%v as %s: %d events, %+v", tt.row["ActionType"], form, b.Len(), tally)
			}
		}
	}
}

// TestHandshakeNamesTheConnect: what the device saw of the wire and what its
// process did come out as one session with owner and server name.
func TestHandshakeNamesTheConnect(t *testing.T) {
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := decodeText(t, "defender-json", ssl.json(t)+"\n"+success.json(t)+"\n"+success.with(row{"ActionType": "ConnectionFailed", "LocalPort": 50001}).json(t))
	r := owner.Join(owner.Window{Events: b, Networks: networks}, owner.Defaults())
	if len(r.Sessions) != 1 {
		t.Fatalf("sessions: %+v", r.Sessions)
	}
	if s := r.Sessions[0]; s.Rung != event.RungExact || s.SNI != "www.example.net" || s.PID != 4711 || s.BytesOut.Known() {
		t.Errorf("session: %+v", s)
	}
}

func TestImage(t *testing.T) {
	for _, tt := range []struct{ folder, file, want string }{
		{`C:\a\b.exe`, "B.EXE", `C:\a\b.exe`},
		{`C:\a`, "b.exe", `C:\a\b.exe`},
		{`C:\a\old.EXE`, "b.exe", `C:\a\old.EXE`},
		{"/usr/bin/", "curl", "/usr/bin/curl"},
		{"", "b.exe", "b.exe"},
		{`C:\a\b.exe`, "", `C:\a\b.exe`},
		{"", "", ""},
	} {
		b, _ := decodeText(t, "defender-json", success.with(row{"InitiatingProcessFolderPath": tt.folder, "InitiatingProcessFileName": tt.file}).json(t))
		if got := b.Connects[0].Image; got != tt.want {
			t.Errorf("%q and %q: %q, want %q", tt.folder, tt.file, got, tt.want)
		}
	}
}

func samples(t testing.TB, n int) (objects, csv string) {
	t.Helper()
	var rows []row
	for i := range n {
		r := []row{success, ssl, dns, http, created, info}[i%6]
		r = r.with(row{"Timestamp": fmt.Sprintf("2026-11-23T08:%02d:%02d.5Z", i/60%60, i%60)})
		if r["LocalPort"] != nil {
			r["LocalPort"] = 40000 + i%20000
		}
		rows = append(rows, r)
	}
	var lines []string
	for _, r := range rows {
		lines = append(lines, r.json(t))
	}
	return strings.Join(lines, "\n") + "\n", table(t, rows...)
}

func TestConformance(t *testing.T) {
	objects, table := samples(t, 24)
	t.Run("json", func(t *testing.T) { decodetest.Run(t, Formats()[0], []byte(objects)) })
	// No cell of the sample has a line of its own: those cannot end in \r\n.
	t.Run("csv", func(t *testing.T) {
		decodetest.Run(t, Formats()[1], []byte(strings.ReplaceAll(table, "a\nb", "a b")))
	})
}

func FuzzJSON(f *testing.F) {
	objects, _ := samples(f, 6)
	decodetest.Fuzz(f, Formats()[0], []byte(objects), []byte(`{"records":[{"category":"AdvancedHunting-X","properties":{}}]}`))
}

func FuzzCSV(f *testing.F) {
	_, table := samples(f, 6)
	decodetest.Fuzz(f, Formats()[1], []byte(table), []byte("DeviceName,Timestamp,ActionType,RemoteIP,ProcessId,\"a\"\"\"\n\"\"\"\n1,2,3,4,5,6\n"))
}

func benchmark(b *testing.B, f *decode.Format, text string) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	batch := new(event.Batch)
	for b.Loop() {
		var tally decode.Tally
		d := f.Open(strings.NewReader(text), &tally)
		var err error
		for err == nil {
			batch.Reset()
			err = d.Decode(batch)
		}
		if err != io.EOF || tally.Records != 12_000 || tally.SkippedTotal() != 0 {
			b.Fatalf("%v, %+v", err, tally)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	objects, _ := samples(b, 12_000)
	benchmark(b, Formats()[0], objects)
}

func BenchmarkCSV(b *testing.B) {
	_, table := samples(b, 12_000)
	benchmark(b, Formats()[1], table)
}
