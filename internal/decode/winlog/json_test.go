package winlog_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/winlog"
	"github.com/postern/postern/internal/event"
)

// Version 6 of Winlogbeat, and a hit of Elasticsearch, say the same.
func TestWinlogbeatVersions(t *testing.T) {
	hit := func(e *logged) object { return object{"_index": "w", "_id": "x", "_source": winlogbeat8(e)} }
	for name, shape := range map[string]func(*logged) object{"6": winlogbeat6, "hit": hit} {
		t.Run(name, func(t *testing.T) {
			f, in := format(t, "winlogbeat"), jsonLines(shape)(journal)
			if !f.Match(in) {
				t.Error("it is not recognised")
			}
			got, _ := decodeAll(t, f, in)
			if diff := cmp.Diff(journalBatch(), got, compare); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The documents of this name are as the Sysmon module of Winlogbeat leaves
// them: with the fields that it knows moved, and UtcTime in the time's place.
const moduleStart = `{"@timestamp":"2024-03-01T11:59:59.5Z","event":{"code":"1","module":"sysmon"%s},
"process":{"entity_id":"{B34BC01C-CA61-5F67-EC12-000000000400}","pid":4312,"executable":"C:\\a.exe","command_line":"a.exe -x","hash":{"sha256":"ab","md5":"cd"},
"pe":{"product":"P","company":"C","original_file_name":"o.exe","imphash":"ef"},
"parent":{"entity_id":"{B34BC01C-CA61-5F67-EC12-000000000401}","pid":880,"executable":"C:\\p.exe","command_line":"p.exe"}},
"user":{"domain":"EXAMPLE","name":"anna"},"host":{"name":"wec"},
"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"PC01","event_id":"1","record_id":"7","provider_name":"Microsoft-Windows-Sysmon",
"event_data":{"IntegrityLevel":"System"}%s}}`

const moduleConnect = `{"@timestamp":"2024-02-20T00:00:00Z","event":{"module":"sysmon","created":"2024-03-01T12:00:09Z"},
"process":{"entity_id":"{B34BC01C-CA61-5F67-EC12-000000000400}","pid":4312,"executable":"C:\\a.exe"},"user":{"name":"SYSTEM"},
"source":{"ip":"10.0.0.5","port":50123},"destination":{"ip":"192.0.2.7","port":443,"domain":"ptr.example"},
"network":{"transport":"tcp","direction":"egress","type":"ipv4","community_id":"1:2TaGpBg65zSqMXuK85sUIHl9l+Q="},
"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"PC01","event_id":3,"record_id":8}}`

const moduleLookup = `{"@timestamp":"2024-02-20T00:00:00Z","event":{"module":"sysmon","created":"2024-03-01T12:00:10Z"},"process":{"pid":4312},
"dns":{"question":{"name":"Cdn.example"},"answers":[{"data":"e.example","type":"CNAME"}],"resolved_ip":["192.0.2.7","::ffff:192.0.2.8"]},
"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"PC01","event_id":22,"record_id":9}}`

func TestWinlogbeatModule(t *testing.T) {
	created := `,"created":"2024-03-01T12:00:05Z"`
	timeCreated := `,"time_created":"2024-03-01T12:00:00.25Z"`
	tests := []struct {
		name, event, winlog string
		time                string
		clock               string
		warned              bool
	}{
		{"time_created", created, timeCreated, "2024-03-01T12:00:00.25Z", "winlog.time_created", false},
		{"created", created, "", "2024-03-01T12:00:05Z", "event.created", true},
		{"neither", "", "", "2024-03-01T11:59:59.5Z", "Sysmon UtcTime", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := fmt.Sprintf(moduleStart, tt.event, tt.winlog)
			got, tally := decodeAll(t, format(t, "winlogbeat"), []byte(in))
			want := &event.Batch{Starts: []event.ProcessStart{{
				Host: "pc01", Time: instant(t, tt.time), Source: event.Sysmon, Record: 7, PID: 4312, GUID: guid,
				ParentPID: 880, ParentGUID: guid[:len(guid)-1] + "1", ParentImage: `C:\p.exe`, ParentCommandLine: "p.exe",
				Image: `C:\a.exe`, CommandLine: "a.exe -x", User: `EXAMPLE\anna`, OriginalName: "o.exe", Product: "P", Company: "C",
				Hashes: "MD5=CD,SHA256=AB,IMPHASH=EF",
			}}}
			if diff := cmp.Diff(want, got, compare); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tally.Clocks[tt.clock] != 1 || (len(tally.Warnings) > 0) != tt.warned {
				t.Errorf("clocks %v, warnings %q", tally.Clocks, tally.Warnings)
			}
		})
	}
}

func TestWinlogbeatModuleNetwork(t *testing.T) {
	got, _ := decodeAll(t, format(t, "winlogbeat"), []byte(moduleConnect+"\n"+moduleLookup))
	want := &event.Batch{
		Connects: []event.Connect{{Host: "pc01", Time: instant(t, "2024-03-01T12:00:09Z"), Source: event.Sysmon, Record: 8, PID: 4312, GUID: guid,
			Image: `C:\a.exe`, User: "SYSTEM", Proto: event.TCP, Src: addr("10.0.0.5:50123"), Dst: addr("192.0.2.7:443"), Outbound: true, DstName: "ptr.example",
			CommunityID: "1:2TaGpBg65zSqMXuK85sUIHl9l+Q="}},
		Lookups: []event.Lookup{{Host: "pc01", Time: instant(t, "2024-03-01T12:00:10Z"), Source: event.Sysmon, Record: 9, PID: 4312,
			Name: "cdn.example", Answers: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("192.0.2.8")}}},
	}
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Without the module's mark, a time that is UtcTime's to the millisecond says
// that it was replaced.
func TestWinlogbeatReplacedTime(t *testing.T) {
	e := journal[4] // a Sysmon 3
	doc := winlogbeat8(&e)
	doc["@timestamp"] = "2024-02-20T02:00:00.000Z"
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	got, tally := decodeAll(t, format(t, "winlogbeat"), b)
	if want := event.At(e.time).Add(60e9); got.Connects[0].Time != want || tally.Clocks["event.created"] != 1 {
		t.Errorf("time %v, clocks %v", got.Connects[0].Time.Std(), tally.Clocks)
	}
}

// NXLog of 2019 puts the logging process where the event's own should be.
func TestNXLog2019(t *testing.T) {
	const common = `"EventTime":"2019-05-01 08:00:00","EventReceivedTime":"2019-05-01 08:00:03","SourceModuleType":"im_msvistalog","Hostname":"PC01","ProcessID":4,"ThreadID":9,`
	lines := []string{
		`{"EventID":5156,"Channel":"Security","Message":"The Windows Filtering Platform has permitted a connection.\r\n\r\nApplication Information:\r\n\tProcess ID:\t\t7448\r\n\tApplication Name:\tx",` +
			common + `"Application":"x","Direction":"%%14593","SourceAddress":"10.0.0.5","SourcePort":"1","DestAddress":"10.0.0.6","DestPort":"2","Protocol":"6"}`,
		`{"EventID":4688,"Channel":"security","Message":"Process Information:\r\n\tNew Process ID:\t\t0x1d18\r\n\tCreator Process ID:\t0x11c0\r\n\tCreator",` +
			common + `"NewProcessId":"0x1d18","NewProcessName":"n.exe"}`,
		`{"EventID":4689,"Channel":"security","Message":"A process has exited.\r\n\tProcess ID:\t0x186c\r\n\tProcess Name:\tc.exe",` + common + `"ProcessName":"c.exe"}`,
		`{"EventID":3,"Channel":"Microsoft-Windows-Sysmon/Operational","Message":"Network connection detected:\r\nUtcTime: x\r\nProcessId: 1048\r\nImage: y",` +
			common + `"Image":"y","Protocol":"tcp","Initiated":"true","SourceIp":"10.0.0.5","SourcePort":"1","DestinationIp":"10.0.0.6","DestinationPort":"2"}`,
		`{"EventID":5,"Channel":"Microsoft-Windows-Sysmon/Operational","Message":"Prozess beendet",` + common + `"Image":"y","ProcessGuid":"{B34BC01C-CA61-5F67-EC12-000000000400}"}`,
	}
	f, in := format(t, "nxlog"), []byte(strings.Join(lines, "\n"))
	if !f.Match(in) {
		t.Error("it is not recognised")
	}
	got, tally := decodeAll(t, f, in)
	if len(got.Connects) != 2 || len(got.Starts) != 1 || len(got.Stops) != 2 {
		t.Fatalf("%+v, %v", got, tally.Positions)
	}
	pids := []uint32{got.Connects[0].PID, got.Starts[0].PID, got.Starts[0].ParentPID, got.Stops[0].PID, got.Connects[1].PID, got.Stops[1].PID}
	if diff := cmp.Diff([]uint32{7448, 0x1d18, 0x11c0, 0x186c, 1048, 0}, pids); diff != "" {
		t.Errorf("process numbers (-want +got):\n%s", diff)
	}
	if want := instant(t, "2019-05-01T08:00:00Z"); got.Stops[0].Time != want || tally.Clocks["EventTime, local, zone unknown"] != 5 {
		t.Errorf("time %v, clocks %v", got.Stops[0].Time.Std(), tally.Clocks)
	}
	if len(tally.Warnings) != 2 { // of the clock, and the number that is lost
		t.Errorf("warnings %q", tally.Warnings)
	}
}

func instant(t testing.TB, s string) event.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return event.At(at)
}

// Export-WinEvents wrote times in several ways; none is changed, and what they
// differ by is told.
func TestExportTimes(t *testing.T) {
	tests := []struct {
		name, created, utc string
		want               string
		warning            string
	}{
		{"UTC", "2024-03-01T12:00:00.100Z", "2024-03-01 12:00:00.050", "2024-03-01T12:00:00.1Z", ""},
		{"local as UTC", "2024-03-01T07:00:00.100Z", "2024-03-01 12:00:00.050", "2024-03-01T07:00:00.1Z", "by -5h0m0s: local time marked as UTC"},
		{"no zone", "2020-10-18 02:17:12.527", "2020-10-18 06:17:12.500", "2020-10-18T02:17:12.527Z", "by -4h0m0s: local time marked as UTC"},
		{"half an hour", "2024-03-01T17:30:00.100Z", "2024-03-01 12:00:00.050", "2024-03-01T17:30:00.1Z", "by 5h30m0s: local time marked as UTC"},
		{"wrong clock", "2024-03-01T12:01:40Z", "2024-03-01 12:00:00.000", "2024-03-01T12:01:40Z", "by 1m40s: the clock of the export is off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := fmt.Sprintf(`{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Hostname":"PC01","TimeCreated":%q,"UtcTime":%q,"ProcessId":"7"}`, tt.created, tt.utc)
			got, tally := decodeAll(t, format(t, "export-winevents"), []byte(strings.Repeat(in+"\n", 20)))
			if want := instant(t, tt.want); got.Starts[0].Time != want {
				t.Errorf("time %v, want %v", got.Starts[0].Time.Std(), want.Std())
			}
			warnings := strings.Join(tally.Warnings, "\n")
			if !strings.Contains(warnings, tt.warning) || strings.Contains(warnings, "differ") != (tt.warning != "") {
				t.Errorf("warnings %q, want one of %q", warnings, tt.warning)
			}
		})
	}
}

func TestEVTXJSONVariants(t *testing.T) {
	const data = `{"ProcessId":7,"Image":"a.exe"}`
	tests := []struct{ name, in string }{
		{"evtx_dump", `{"Event":{"System":{"EventID":5,"TimeCreated":{"#attributes":{"SystemTime":"2024-03-01T12:00:00.5Z"}},"EventRecordID":9,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"PC01"},"EventData":` + data + `}}`},
		{"qualified number", `{"Event":{"System":{"EventID":{"#attributes":{"Qualifiers":0},"#text":5},"TimeCreated":{"#attributes":{"SystemTime":"2024-03-01T12:00:00.5Z"}},"EventRecordID":9,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"PC01"},"EventData":` + data + `}}`},
		{"dump with headings", "Record 1\n{\n  \"Event\": {\n    \"System\": {\n      \"EventID\": 5,\n      \"TimeCreated\": {\n        \"#attributes\": {\n          \"SystemTime\": \"2024-03-01T12:00:00.5Z\"\n        }\n      },\n      \"EventRecordID\": 9,\n      \"Channel\": \"Microsoft-Windows-Sysmon/Operational\",\n      \"Computer\": \"PC01\"\n    },\n    \"EventData\": " + data + "\n  }\n}\n"},
		{"list of data", `[{"Event":{"@xmlns":"x","System":{"EventID":{"#text":"5"},"TimeCreated":{"@SystemTime":"2024-03-01 12:00:00.500000"},"EventRecordID":"9","Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"PC01"},"EventData":{"Data":[{"@Name":"ProcessId","#text":"7"},{"@Name":"Image","#text":"a.exe"}]}}}]`},
		{"attributes of data", `{"Event":{"System":{"EventID":5,"TimeCreated":{"#attributes":{"SystemTime":"2024-03-01T14:00:00.5+02:00"}},"EventRecordID":9,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"PC01"},"EventData":{"Data":[{"#attributes":{"Name":"ProcessId"},"#text":7},{"#attributes":{"Name":"Image"},"#text":"a.exe"}]}}}`},
		{"Velociraptor", `{"System":{"Provider":{"Name":"Microsoft-Windows-Sysmon"},"EventID":{"Value":5},"TimeCreated":{"SystemTime":1709294400.5},"EventRecordID":9,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"PC01"},"EventData":` + data + `,"Message":"x"}`},
	}
	want := &event.Batch{Stops: []event.ProcessStop{{Host: "pc01", Time: instant(t, "2024-03-01T12:00:00.5Z"), Source: event.Sysmon, Record: 9, PID: 7, Image: "a.exe"}}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := format(t, "evtx-json")
			if !f.Match([]byte(tt.in)) {
				t.Error("it is not recognised")
			}
			got, tally := decodeAll(t, f, []byte(tt.in))
			if diff := cmp.Diff(want, got, compare); diff != "" {
				t.Errorf("(-want +got):\n%s%v", diff, tally.Positions)
			}
		})
	}
}

func TestSkippedJSON(t *testing.T) {
	good := string(jsonLines(export)(journal[4:5]))
	change := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q in %q", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	tests := []struct{ name, in, reason string }{
		{"not JSON", "{\"EventID\":\n", "invalid JSON"},
		{"text", "hello\n", "invalid JSON"},
		{"too long", `{"EventID":3,"Message":"` + strings.Repeat("x", decode.DefaultMaxLine) + "\"}\n", "too long"},
		{"no computer", change(`"Hostname":"PC01.Example.COM"`, `"Hostname":null`), "no computer name"},
		{"no time", change(`"TimeCreated":"2024`, `"TimeCreated":"soon`), "no time"},
		{"no number", change(`"EventID":3`, `"EventID":"three"`), "no event number"},
		{"no address", change(`::ffff:192.0.2.7`, `-`), "no destination address"},
		{"no direction", change(`"Initiated":"true"`, `"Initiated":""`), "neither inbound nor outbound"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batch, tally := decodeAll(t, format(t, "export-winevents"), []byte(good+tt.in+good))
			if len(batch.Connects) != 2 {
				t.Errorf("%d events, want the 2 around it", len(batch.Connects))
			}
			want := []decode.Position{{Where: "line 2", Reason: tt.reason}}
			if diff := cmp.Diff(want, tally.Positions); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A source port that is missing does not cost the event, nor does an image
// that was escaped twice have a name.
func TestPartialConnect(t *testing.T) {
	in := string(jsonLines(export)(journal[5:6]))
	in = strings.Replace(in, `"SourcePort":"5353"`, `"SourcePort":"-"`, 1)
	in = strings.Replace(in, "<unknown process>", "&lt;unknown process&gt;", 1)
	batch, _ := decodeAll(t, format(t, "export-winevents"), []byte(in))
	want := []event.Connect{{Host: host, Time: at(5), Source: event.Sysmon, PID: 8, Proto: event.UDP, Src: addr("[fe80::1]:0"), Dst: addr("[2001:db8::2]:5353")}}
	if diff := cmp.Diff(want, batch.Connects, compare); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An alert may stand before one of Windows, and a manager may escape once only.
func TestWazuhOthers(t *testing.T) {
	other := `{"timestamp":"2024-03-01T12:00:00.000+0000","rule":{"level":5},"agent":{"id":"002"},"manager":{"name":"w"},"decoder":{"name":"sshd"},"data":{"srcip":"192.0.2.1"}}` + "\n"
	hit := func(e *logged) object { return object{"_index": "wazuh-alerts", "_source": wazuh(e)} }
	once := strings.ReplaceAll(string(jsonLines(wazuh)(journal[8:9])), `\\\\`, `\\`)
	for name, in := range map[string]string{
		"behind another": other + string(jsonLines(wazuh)(journal[8:9])),
		"hit":            string(jsonLines(hit)(journal[8:9])),
		"escaped once":   once,
	} {
		f := format(t, "wazuh")
		if !f.Match([]byte(in)) {
			t.Errorf("%s: no match", name)
		}
		got, tally := decodeAll(t, f, []byte(in))
		if diff := cmp.Diff(journalBatch().Stops[:1], got.Stops, compare); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if want := map[bool]int64{true: 1}[name == "behind another"]; tally.IgnoredTotal() != want || tally.SkippedTotal() != 0 {
			t.Errorf("%s: %+v", name, tally)
		}
	}
}

// Every format knows its own and no other, whole, cut, or behind a broken record.
func TestMatch(t *testing.T) {
	inputs := map[string][]byte{}
	for name, write := range writers {
		inputs[name] = write(journal)
	}
	inputs["winlogbeat 6"] = jsonLines(winlogbeat6)(journal)
	for name, in := range inputs {
		want, _, _ := strings.Cut(name, " ")
		heads := map[string][]byte{"whole": in, "cut": in[:min(len(in), 2500)]}
		if want != "evtx" && want != "winlog-xml" {
			heads["behind a broken one"] = append([]byte("{\"EventID\":1,\"x\":\n"), in...)
			heads["behind text"] = append([]byte("exported by a tool\n"), in...)
		}
		for what, head := range heads {
			f, err := decode.Detect(winlog.Formats(), head, head)
			if err != nil || f.Name != want {
				t.Errorf("%s, %s: %v, %v", name, what, f, err)
			}
		}
	}
}

func TestMatchOthers(t *testing.T) {
	inputs := map[string]string{
		"Zeek":          `{"_path":"conn","ts":1,"uid":"C1","id.orig_h":"10.0.0.1","EventID":1,"Channel":"x","TimeCreated":"y","Hostname":"z"}`,
		"Zeek, no path": `{"ts":1.5,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":443,"proto":"tcp"}`,
		"Suricata":      `{"timestamp":"2024-03-01T12:00:00.000000+0000","flow_id":1,"event_type":"tls","src_ip":"10.0.0.1","tls":{"sni":"a"}}`,
		"Filebeat":      `{"@timestamp":"2024-03-01T12:00:00.000Z","event":{"code":"1"},"host":{"name":"x"},"process":{"pid":1},"message":"x"}`,
		"a list":        `[{"ParentProcessId":0,"ProcessId":0,"ProcessName":"System Idle Process"}]`,
		"metadata":      "{\n  \"session_id\": \"x\",\n  \"hosts\": {\n    \"EventID\": 1\n  }\n}",
		"keys in text":  `{"message":"{\"EventID\":1,\"Channel\":\"x\",\"TimeCreated\":\"y\",\"Hostname\":\"z\"}"}`,
		"keys inside":   `{"x":{"EventID":1,"Channel":"x","TimeCreated":"y","Hostname":"z"}}`,
		"keys in lists": `{"x":["EventID","Channel","TimeCreated","Hostname"],"y":["Event",{"System":1}]}`,
		"number":        `1`,
		"deep":          strings.Repeat(`{"a":[`, 5000),
	}
	for name, in := range inputs {
		for _, f := range winlog.Formats() {
			if f.Match([]byte(in)) {
				t.Errorf("%s matches %s", f.Name, name)
			}
		}
	}
	for _, name := range []string{"zeek_rita/json_with_all_fields/conn.log", "zeek_rita/json_with_all_fields/ssl.log", "zeek_rita/open_conns/closed/conn.log"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			head := fixture(t, name)
			head = head[:min(len(head), decode.HeadSize)]
			if f, err := decode.Detect(winlog.Formats(), head, head); err == nil {
				t.Errorf("%s matches", f.Name)
			}
		})
	}
}

// What is ignored is named by sensor and number, whatever the case of the
// channel.
func TestIgnored(t *testing.T) {
	var list []logged
	for _, id := range []int{7, 10, 10, 255} {
		list = append(list, logged{channel: strings.ToUpper(sysmonLog), id: id, time: start})
	}
	list = append(list, logged{channel: "SECURITY", id: 4624, time: start}, logged{channel: "System", id: 1, time: start}, logged{channel: "", id: 1, time: start})
	_, tally := decodeAll(t, format(t, "export-winevents"), jsonLines(export)(list))
	want := &decode.Tally{Records: 7, Ignored: map[string]int64{"Sysmon 7": 1, "Sysmon 10": 2, "Sysmon 255": 1, "Security 4624": 1, "System": 1, "no channel": 1}}
	if diff := cmp.Diff(want, tally, cmpopts.IgnoreFields(decode.Tally{}, "Warnings")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
