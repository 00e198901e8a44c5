package format

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
)

var (
	instant = event.At(time.Date(2026, 2, 9, 3, 4, 5, 60_708_000, time.UTC))
	machine = &Machine{Name: "WS-1.corp.example", AgentID: "a-1", Run: "r-1", Sysmon: 2000, Thread: 3000}
	parent  = &Process{PID: 8, GUID: ProcessGUID(0x81056205, instant, 7), Image: `C:\Windows\explorer.exe`, CommandLine: `C:\Windows\Explorer.EXE`, Domain: "CORP", User: "a"}
	child   = &Process{
		PID: 4312, GUID: ProcessGUID(0x81056205, event.At(time.Unix(0x64dc565c, 0)), 0x0423), Image: `C:\Temp\a "b".exe`,
		CommandLine: "\"C:\\Temp\\a\" \t-x", Domain: "CORP", User: "a", SID: "S-1-5-21-1", LogonID: 0x62f2d, Parent: parent,
		LogonGUID: LogonGUID(0x81056205, event.At(time.Unix(0x64d4d113, 0)), 0x62f2d), Product: "Prodüct®",
	}
)

func TestGUIDsReadAsSysmonWritesThem(t *testing.T) {
	// The identities of a public capture.
	for want, got := range map[string]GUID{
		"81056205-565c-64dc-2304-000000000800": child.GUID,
		"81056205-d113-64d4-2d2f-060000000000": child.LogonGUID,
	} {
		if s := string(got.append(nil)); s != want {
			t.Errorf("got %s, want %s", s, want)
		}
	}
}

func TestStampsAreThoseOfTheStandardLibrary(t *testing.T) {
	for _, at := range []time.Time{instant.Std(), time.UnixMicro(0), time.Date(2024, 2, 29, 23, 59, 59, 999_999_000, time.UTC)} {
		got := string(appendStamp(nil, event.At(at), 'T', 6))
		if want := at.UTC().Format("2006-01-02T15:04:05.000000"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		got = string(appendStamp(nil, event.At(at), ' ', 3))
		if want := at.UTC().Format("2006-01-02 15:04:05.000"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestQuotingRoundTrips(t *testing.T) {
	for _, s := range []string{"", `C:\a "b"`, "tab\tnew\nline\x00\x1f", "®日本", `<unknown process>`, `\`, `"`} {
		var got string
		if err := json.Unmarshal(appendQuoted(nil, s), &got); err != nil || got != s {
			t.Errorf("%q became %q (%v)", s, got, err)
		}
	}
}

// object parses a line and returns what is under the path.
func object(t *testing.T, line []byte, path ...string) map[string]any {
	t.Helper()
	if line[len(line)-1] != '\n' || strings.Count(string(line), "\n") != 1 {
		t.Fatalf("not one line: %q", line)
	}
	var o map[string]any
	if err := json.Unmarshal(line, &o); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	for _, p := range path {
		o = o[p].(map[string]any)
	}
	return o
}

func TestConnectInEachExport(t *testing.T) {
	e := &Event{
		Kind: Connect, Source: event.Sysmon, Time: instant, UTC: instant.Add(-90 * time.Minute), Record: 17, Proc: child,
		Proto: event.TCP, Src: netip.MustParseAddrPort("[fd20::1]:50000"), Dst: netip.MustParseAddrPort("[2001:db8::a]:443"),
	}
	shipped := NewWinlogbeat(machine).Append(nil, machine, e)
	want := map[string]any{
		"RuleName": "-", "UtcTime": "2026-02-09 01:34:05.060", "ProcessGuid": "{81056205-565c-64dc-2304-000000000800}",
		"ProcessId": "4312", "Image": `C:\Temp\a "b".exe`, "User": `CORP\a`, "Protocol": "tcp", "Initiated": "true",
		"SourceIsIpv6": "true", "SourceIp": "fd20::1", "SourceHostname": "-", "SourcePort": "50000", "SourcePortName": "-",
		"DestinationIsIpv6": "true", "DestinationIp": "2001:db8::a", "DestinationHostname": "-",
		"DestinationPort": "443", "DestinationPortName": "https",
	}
	if diff := cmp.Diff(want, object(t, shipped, "winlog", "event_data")); diff != "" {
		t.Error(diff)
	}
	head := object(t, shipped)
	if got := head["@timestamp"]; got != "2026-02-09T03:04:05.060Z" {
		t.Errorf("@timestamp is %v", got)
	}

	saved := NewEvtxDump().Append(nil, machine, e)
	for name, v := range map[string]any{
		"ProcessGuid": "81056205-565C-64DC-2304-000000000800", "ProcessId": 4312.0, "Initiated": true,
		"SourceIsIpv6": true, "SourcePort": 50000.0, "DestinationIsIpv6": true, "DestinationPort": 443.0,
	} {
		want[name] = v
	}
	if diff := cmp.Diff(want, object(t, saved, "Event", "EventData")); diff != "" {
		t.Error(diff)
	}
	system := object(t, saved, "Event", "System")
	if system["EventID"] != 3.0 || system["EventRecordID"] != 17.0 || system["Computer"] != machine.Name {
		t.Errorf("System is %v", system)
	}
}

func TestSecurityConnectNamesTheLocalEndFirst(t *testing.T) {
	e := &Event{
		Kind: Connect, Source: event.Security, Time: instant, Proc: child, Proto: event.TCP, Inbound: true,
		Src: netip.MustParseAddrPort("10.0.0.9:50000"), Dst: netip.MustParseAddrPort("10.0.0.1:445"),
	}
	got := object(t, NewEvtxDump().Append(nil, machine, e), "Event", "EventData")
	want := map[string]any{
		"ProcessID": 4312.0, "Application": `\device\harddiskvolume3\temp\a "b".exe`, "Direction": "%%14592",
		"SourceAddress": "10.0.0.1", "SourcePort": "445", "DestAddress": "10.0.0.9", "DestPort": "50000",
		"Protocol": 6.0, "FilterRTID": 69388.0, "LayerName": "%%14610", "LayerRTID": 44.0,
		"RemoteUserID": "S-1-0-0", "RemoteMachineID": "S-1-0-0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStartsNameTheParent(t *testing.T) {
	for _, source := range []event.Source{event.Sysmon, event.Security} {
		e := &Event{Kind: Start, Source: source, Time: instant, UTC: instant, Proc: child}
		got := object(t, NewWinlogbeat(machine).Append(nil, machine, e), "winlog", "event_data")
		image, line := "ParentImage", "CommandLine"
		if source == event.Security {
			image = "ParentProcessName"
		}
		if got[image] != parent.Image || got[line] != child.CommandLine {
			t.Errorf("%s: %v", source, got)
		}
	}
}

func TestZeekRowsHaveAllColumns(t *testing.T) {
	src, dst := netip.MustParseAddrPort("10.0.0.1:50000"), netip.MustParseAddrPort("192.0.2.1:443")
	for _, c := range []struct {
		log ZeekLog
		row []byte
	}{
		{ConnLog, AppendConn(nil, &Conn{Time: instant, UID: "C1", Src: src, Dst: dst, Proto: event.TCP, Duration: -1, BytesOut: -1})},
		{SSLLog, AppendHandshake(nil, &Handshake{Time: instant, UID: "C1", Src: src, Dst: dst})},
		{SSLLog, AppendHandshake(nil, &Handshake{Time: instant, UID: "C1", Src: src, Dst: dst, Chain: []string{"a", "b"}})},
		{X509Log, AppendCertificate(nil, &Certificate{Time: instant, ECDSA: true, Names: []string{"a", "b"}})},
		{X509Log, AppendCertificate(nil, &Certificate{Time: instant, CA: true})},
		{DNSLog, AppendQuery(nil, &Query{Time: instant, UID: "C1", Src: src, Dst: dst, Answers: []string{"192.0.2.1"}, TTL: 60})},
		{DNSLog, AppendQuery(nil, &Query{Time: instant, UID: "C1", Src: src, Dst: dst, Missing: true})},
	} {
		cells := strings.Split(strings.TrimSuffix(string(c.row), "\n"), "\t")
		if len(cells) != c.log.Columns() {
			t.Errorf("%s: %d columns, want %d: %q", c.log.Path, len(cells), c.log.Columns(), cells)
		}
		for i, cell := range cells {
			if cell == "" {
				t.Errorf("%s: column %d is empty", c.log.Path, i)
			}
		}
		if fields, types := strings.Fields(c.log.fields), strings.Fields(c.log.types); len(fields) != len(types) {
			t.Errorf("%s: %d fields, %d types", c.log.Path, len(fields), len(types))
		}
	}
}
