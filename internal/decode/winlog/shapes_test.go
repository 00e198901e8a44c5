package winlog_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/internal/decode/evtx/evtxtest"
)

// A logged is an event as Windows logs it, from which the tests write each
// format's form of it.
type logged struct {
	channel string
	id      int
	record  int
	time    time.Time
	data    [][2]string // in the order of the event
}

const (
	sysmonLog   = "Microsoft-Windows-Sysmon/Operational"
	securityLog = "Security"
	computer    = "PC01.Example.COM"
)

func (e *logged) provider() string {
	switch e.channel {
	case sysmonLog:
		return "Microsoft-Windows-Sysmon"
	case securityLog:
		return "Microsoft-Windows-Security-Auditing"
	}
	return "Other"
}

var start = time.Date(2024, 3, 1, 12, 0, 0, 123_000_000, time.UTC)

// journal has each event that matters, and some that do not.
var journal = number([]logged{
	{channel: sysmonLog, id: 16, data: [][2]string{
		{"UtcTime", "2024-03-01 12:00:00.100"}, {"Configuration", `C:\sysmon.xml`}, {"ConfigurationFileHash", "SHA256=AB"}}},
	{channel: sysmonLog, id: 4, data: [][2]string{
		{"UtcTime", "2024-03-01 12:00:00.100"}, {"State", "Started"}, {"Version", "15.0"}, {"SchemaVersion", "4.90"}}},
	{channel: sysmonLog, id: 1, data: [][2]string{
		{"RuleName", "-"}, {"UtcTime", "2024-03-01 12:00:02.100"}, {"ProcessGuid", "{B34BC01C-CA61-5F67-EC12-000000000400}"},
		{"ProcessId", "4312"}, {"Image", `C:\Windows\System32\möbel & co.exe`}, {"FileVersion", "1"}, {"Description", `says "hi"`},
		{"Product", "Microsoft® Windows® Operating System"}, {"Company", "Microsoft Corporation"}, {"OriginalFileName", "moebel.exe"},
		{"CommandLine", `"C:\Windows\System32\möbel & co.exe" <in >out`}, {"CurrentDirectory", `C:\`}, {"User", `EXAMPLE\anna`},
		{"LogonId", "0x3e7"}, {"Hashes", "SHA256=CD,IMPHASH=EF"}, {"ParentProcessGuid", "{00000000-0000-0000-0000-000000000000}"},
		{"ParentProcessId", "880"}, {"ParentImage", `C:\Windows\explorer.exe`}, {"ParentCommandLine", `C:\Windows\Explorer.EXE`}}},
	{channel: sysmonLog, id: 7, data: [][2]string{
		{"UtcTime", "2024-03-01 12:00:03.100"}, {"ProcessId", "4312"}, {"ImageLoaded", `C:\Windows\System32\ntdll.dll`}}},
	{channel: sysmonLog, id: 3, data: [][2]string{
		{"RuleName", "-"}, {"UtcTime", "2024-02-20 02:00:00.000"}, {"ProcessGuid", "{B34BC01C-CA61-5F67-EC12-000000000400}"},
		{"ProcessId", "4312"}, {"Image", `C:\Windows\System32\möbel & co.exe`}, {"User", `EXAMPLE\anna`}, {"Protocol", "tcp"}, {"Initiated", "true"},
		{"SourceIsIpv6", "false"}, {"SourceIp", "10.0.0.5"}, {"SourceHostname", "PC01"}, {"SourcePort", "50123"}, {"SourcePortName", "-"},
		{"DestinationIsIpv6", "false"}, {"DestinationIp", "::ffff:192.0.2.7"}, {"DestinationHostname", "Edge.Example.NET."},
		{"DestinationPort", "443"}, {"DestinationPortName", "https"}}},
	{channel: sysmonLog, id: 3, data: [][2]string{
		{"UtcTime", "2024-02-20 02:00:01.000"}, {"ProcessGuid", "{00000000-0000-0000-0000-000000000000}"},
		{"ProcessId", "8"}, {"Image", `<unknown process>`}, {"User", "-"}, {"Protocol", "udp"}, {"Initiated", "false"},
		{"SourceIp", "fe80::1"}, {"SourceHostname", "-"}, {"SourcePort", "5353"}, {"SourcePortName", "-"},
		{"DestinationIp", "2001:db8::2"}, {"DestinationHostname", "-"}, {"DestinationPort", "5353"}}},
	{channel: sysmonLog, id: 22, data: [][2]string{
		{"UtcTime", "2024-03-01 12:00:05.000"}, {"ProcessGuid", "{B34BC01C-CA61-5F67-EC12-000000000400}"}, {"ProcessId", "4312"},
		{"QueryName", "Cdn.Example.NET"}, {"QueryStatus", "0"},
		{"QueryResults", "type:  5 edge.example.net;::ffff:192.0.2.7;2001:db8::7;"}, {"Image", `C:\Windows\System32\möbel & co.exe`}}},
	{channel: sysmonLog, id: 22, data: [][2]string{
		{"UtcTime", "2024-03-01 12:00:06.000"}, {"ProcessId", "4312"}, {"QueryName", "nothing.example."}, {"QueryStatus", "9003"}, {"QueryResults", "-"}, {"Image", "x.exe"}}},
	{channel: sysmonLog, id: 5, data: [][2]string{
		{"UtcTime", "2024-03-01 12:00:08.100"}, {"ProcessGuid", "{B34BC01C-CA61-5F67-EC12-000000000400}"}, {"ProcessId", "4312"}, {"Image", `C:\Windows\System32\möbel & co.exe`}}},
	{channel: securityLog, id: 4688, data: [][2]string{
		{"SubjectUserSid", "S-1-5-18"}, {"SubjectUserName", "anna"}, {"SubjectDomainName", "EXAMPLE"}, {"SubjectLogonId", "0x3e7"},
		{"NewProcessId", "0x1d18"}, {"NewProcessName", `C:\a\new.exe`}, {"TokenElevationType", "%%1936"}, {"ProcessId", "0x11c0"},
		{"CommandLine", `new.exe /x`}, {"TargetUserSid", "S-1-0-0"}, {"TargetUserName", "-"}, {"TargetDomainName", "-"}, {"TargetLogonId", "0x0"},
		{"ParentProcessName", `C:\Windows\explorer.exe`}, {"MandatoryLabel", "S-1-16-8192"}}},
	{channel: securityLog, id: 4688, data: [][2]string{
		{"SubjectUserName", "PC01$"}, {"SubjectDomainName", "EXAMPLE"}, {"NewProcessId", "0x1d1c"}, {"NewProcessName", `C:\a\other.exe`},
		{"ProcessId", "0x380"}, {"CommandLine", ""}, {"TargetUserName", "LOCAL SERVICE"}, {"TargetDomainName", "NT AUTHORITY"}}},
	{channel: securityLog, id: 5158, data: [][2]string{{"ProcessId", "7448"}, {"Application", `\device\harddiskvolume2\a\new.exe`}, {"SourcePort", "50124"}}},
	{channel: securityLog, id: 5156, data: [][2]string{
		{"ProcessID", "7448"}, {"Application", `\device\harddiskvolume2\a\new.exe`}, {"Direction", "%%14593"}, {"SourceAddress", "10.0.0.5"},
		{"SourcePort", "50124"}, {"DestAddress", "192.0.2.9"}, {"DestPort", "8443"}, {"Protocol", "6"}, {"FilterRTID", "1"}, {"LayerName", "%%14611"}}},
	{channel: securityLog, id: 5156, data: [][2]string{
		{"ProcessID", "4"}, {"Application", `System`}, {"Direction", "%%14592"}, {"SourceAddress", "10.0.0.5"},
		{"SourcePort", "445"}, {"DestAddress", "10.0.0.6"}, {"DestPort", "49152"}, {"Protocol", "17"}}},
	{channel: securityLog, id: 4689, data: [][2]string{
		{"SubjectUserName", "anna"}, {"SubjectDomainName", "EXAMPLE"}, {"Status", "0x0"}, {"ProcessId", "0x1d18"}, {"ProcessName", `C:\a\new.exe`}}},
	{channel: "Application", id: 412, data: [][2]string{{"param1", "x"}}},
})

func number(list []logged) []logged {
	for i := range list {
		list[i].record = 1000 + i
		list[i].time = start.Add(time.Duration(i) * time.Second)
	}
	return list
}

// writers write events in each format.
var writers = map[string]func([]logged) []byte{
	"evtx":             writeEVTX,
	"winlog-xml":       writeXML,
	"winlogbeat":       jsonLines(winlogbeat8),
	"wazuh":            jsonLines(wazuh),
	"nxlog":            jsonLines(nxlog),
	"export-winevents": jsonLines(export),
	"evtx-json":        jsonLines(evtxDump),
}

func writeEVTX(list []logged) []byte {
	var events []evtxtest.Event
	for _, e := range list {
		event := evtxtest.Event{Provider: e.provider(), Channel: e.channel, Computer: computer, ID: uint16(e.id), Record: uint64(e.record), Time: e.time}
		for _, d := range e.data {
			event.Data = append(event.Data, evtxtest.Data{Name: d[0], Value: typed(d[0], d[1])})
		}
		events = append(events, event)
	}
	return evtxtest.Log(events...)
}

// typed returns a value as Windows logs it.
func typed(name, s string) any {
	switch name {
	case "Initiated":
		return s == "true"
	case "ProcessId", "NewProcessId", "ProcessID", "ParentProcessId":
		if hex, ok := strings.CutPrefix(s, "0x"); ok {
			n, _ := strconv.ParseUint(hex, 16, 64)
			return n
		}
		n, _ := strconv.ParseUint(s, 10, 32)
		return uint32(n)
	}
	return s
}

func writeXML(list []logged) []byte {
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Events>\n")
	for i := range list {
		b.WriteString(eventXML(&list[i]))
		b.WriteString("\n")
	}
	b.WriteString("</Events>\n")
	return b.Bytes()
}

func eventXML(e *logged) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='%s' Guid='{0}'/>"+
		"<EventID>%d</EventID><Version>5</Version><TimeCreated SystemTime='%s'/><EventRecordID>%d</EventRecordID><Correlation/>"+
		"<Execution ProcessID='99' ThreadID='100'/><Channel>%s</Channel><Computer>%s</Computer><Security UserID='S-1-5-18'/></System><EventData>",
		e.provider(), e.id, e.time.Format("2006-01-02T15:04:05.0000000Z"), e.record, e.channel, computer)
	for _, d := range e.data {
		fmt.Fprintf(&b, "<Data Name='%s'>", d[0])
		_ = xml.EscapeText(&b, []byte(d[1])) // a Builder does not fail
		b.WriteString("</Data>")
	}
	b.WriteString("</EventData></Event>")
	return b.String()
}

// An object is a JSON object.
type object map[string]any

func jsonLines(shape func(*logged) object) func([]logged) []byte {
	return func(list []logged) []byte {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		for i := range list {
			_ = enc.Encode(shape(&list[i])) // a Buffer does not fail
		}
		return b.Bytes()
	}
}

func (e *logged) object() object {
	o := object{}
	for _, d := range e.data {
		o[d[0]] = d[1]
	}
	return o
}

const rfc3339 = "2006-01-02T15:04:05.000Z"

func winlogbeat6(e *logged) object {
	return object{"@timestamp": e.time.Format(rfc3339), "beat": object{"hostname": "WEC"}, "host": object{"name": "WEC"}, "type": "wineventlog",
		"log_name": e.channel, "source_name": e.provider(), "event_id": e.id, "computer_name": computer,
		"record_number": strconv.Itoa(e.record), "process_id": 99, "event_data": e.object(), "message": "text"}
}

func winlogbeat8(e *logged) object {
	return object{"@timestamp": e.time.Format(rfc3339), "host": object{"name": "wec"}, "event": object{"code": strconv.Itoa(e.id), "kind": "event",
		"provider": e.provider(), "created": e.time.Add(time.Minute).Format(rfc3339)},
		"winlog": object{"channel": e.channel, "provider_name": e.provider(), "event_id": strconv.Itoa(e.id), "computer_name": computer,
			"record_id": e.record, "process": object{"pid": 99}, "event_data": e.object()}, "message": "text"}
}

// wazuh writes an event as the manager does: texts are escaped twice.
func wazuh(e *logged) object {
	data := object{}
	for _, d := range e.data {
		twice := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(d[1])
		data[strings.ToLower(d[0][:1])+d[0][1:]] = twice
	}
	return object{"timestamp": e.time.Add(time.Minute).Format("2006-01-02T15:04:05.000+0000"), "id": "1709294400.1",
		"rule": object{"level": 3, "id": "61603", "groups": []string{"windows"}}, "agent": object{"id": "001", "name": "pc01", "ip": "10.0.0.5"},
		"manager": object{"name": "wazuh"}, "decoder": object{"name": "windows_eventchannel"}, "location": "EventChannel",
		"data": object{"win": object{"eventdata": data, "system": object{"providerName": e.provider(), "eventID": strconv.Itoa(e.id), "processID": "99",
			"systemTime": e.time.Format("2006-01-02T15:04:05.0000000Z"), "eventRecordID": strconv.Itoa(e.record), "channel": e.channel,
			"computer": computer, "message": "\"text\""}}}}
}

func nxlog(e *logged) object {
	o := e.object()
	if pid, ok := o["ProcessID"]; ok { // as version 5 writes it
		delete(o, "ProcessID")
		o["ProcessId"] = pid
	}
	for k, v := range (object{"EventTime": e.time.Add(-4 * time.Hour).Format("2006-01-02 15:04:05"), "EventReceivedTime": "2024-03-01 08:00:00",
		"@timestamp": e.time.Format(rfc3339), "Hostname": computer, "Channel": strings.ToLower(e.channel), "EventID": e.id, "SourceName": e.provider(),
		"SourceModuleName": "eventlog", "SourceModuleType": "im_msvistalog", "RecordNumber": e.record, "ExecutionProcessID": 99,
		"Keywords": -9223372036854775808, "host": "wec.example.com", "UserID": "S-1-5-18"}) {
		o[k] = v
	}
	return o
}

func export(e *logged) object {
	o := e.object()
	for k, v := range (object{"TimeCreated": e.time.Format(rfc3339), "@timestamp": e.time.Format(rfc3339), "Hostname": computer, "Channel": e.channel,
		"SourceName": e.provider(), "EventID": e.id, "Level": "4", "Message": "text", "Task": "1"}) {
		o[k] = v
	}
	return o
}

func evtxDump(e *logged) object {
	return object{"Event": object{"#attributes": object{"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
		"System": object{"Provider": object{"#attributes": object{"Name": e.provider()}}, "EventID": e.id, "EventRecordID": e.record,
			"TimeCreated": object{"#attributes": object{"SystemTime": e.time.Format("2006-01-02T15:04:05.000000Z")}},
			"Execution":   object{"#attributes": object{"ProcessID": 99}}, "Channel": e.channel, "Computer": computer},
		"EventData": e.object()}}
}
