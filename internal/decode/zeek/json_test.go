package zeek

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

const connJSONRow = `{"ts":1714420898.610732,"uid":"C1","id.orig_h":"10.0.0.111","id.orig_p":53411,"id.resp_h":"203.0.113.9","id.resp_p":443,` +
	`"proto":"tcp","service":"ssl","duration":12.5,"orig_bytes":700,"resp_bytes":9000,"conn_state":"SF","local_orig":true,` +
	`"missed_bytes":0,"history":"ShADadFf","orig_pkts":10,"resp_pkts":12,"tunnel_parents":[]}`

func TestConnJSONInEveryForm(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		change   func(f *event.Flow)
	}{
		{"as Zeek writes it", connJSONRow, nil},
		{"flattened", strings.NewReplacer("id.orig", "id_orig", "id.resp", "id_resp").Replace(connJSONRow), nil},
		{"nested", strings.Replace(connJSONRow,
			`"id.orig_h":"10.0.0.111","id.orig_p":53411,"id.resp_h":"203.0.113.9","id.resp_p":443`,
			`"id":{"orig_h":"10.0.0.111","orig_p":53411,"resp_h":"203.0.113.9","resp_p":443,"ctx":{"vlan":7}}`, 1), nil},
		{"with ISO 8601", strings.Replace(connJSONRow, "1714420898.610732", `"2024-04-29T20:01:38.610732Z"`, 1), nil},
		{"with milliseconds", strings.Replace(connJSONRow, "1714420898.610732", "1714420898610", 1),
			func(f *event.Flow) { f.Time = 1714420898610000 }},
		{"in an indented array", "[\n  " + strings.ReplaceAll(connJSONRow, ",", ",\n   ") + "\n]", nil},
		{"json-streaming-logs", `{"_path":"open_conn","_write_ts":"2024-04-29T20:01:40.000000Z","_system_name":"s1",` + connJSONRow[1:],
			func(f *event.Flow) { f.Open, f.Sensor = true, "s1" }},
		{"Corelight", `{"@stream":"conn","@system":"edge","@proc":"worker-01",` + connJSONRow[1:],
			func(f *event.Flow) { f.Sensor = "edge" }},
		{"without a history", strings.Replace(connJSONRow, `"history":"ShADadFf",`, "", 1),
			func(f *event.Flow) { f.History = "" }},
		{"with a Community ID", `{"community_id":"1:LQU9qZlK+B5F3KDmev6m5PMibrg=",` + connJSONRow[1:],
			func(f *event.Flow) { f.CommunityID = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" }},
		{"with nulls", strings.NewReplacer(`"ssl"`, "null", "9000", "null").Replace(connJSONRow),
			func(f *event.Flow) { f.Service, f.BytesIn = "", event.Unknown }},
	} {
		want := connFlow()
		if tt.change != nil {
			tt.change(&want)
		}
		all, _ := decodeAll(t, "zeek-json", tt.in)
		expect(t, tt.name, []event.Flow{want}, all.Flows)
		if !matchJSON([]byte(tt.in)) {
			t.Errorf("%s: does not match", tt.name)
		}
	}
}

func TestMixedJSON(t *testing.T) {
	const id = `"ts":1.5,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":443`
	all, tally := decodeAll(t, "zeek-json", strings.Join([]string{
		`.5,"uid":"C0"}`,
		`{` + id + `,"version":"TLSv12","server_name":"A.example","established":true,"resumed":false,"cert_chain_fuids":["F1","F2"],"ja3":"j"}`,
		`{` + id + `,"version":"1","client_initial_dcid":"11","server_name":"b.example","client_protocol":"h3"}`,
		`{` + id + `,"proto":"udp","trans_id":7,"query":"c.example","qtype":1,"answers":["d.example","203.0.113.9"]}`,
		`{` + id + `,"method":"CONNECT","uri":"e.example:443","request_body_len":0,"status_code":200,"proxied":["VIA -> x","PROXY-CONNECTION -> y"]}`,
		`{` + id + `,"method":"GET","uri":"/","request_body_len":0}`,
		`{"ts":1.5,"id":"F1","certificate.subject":"CN=a","certificate.issuer":"CN=b","certificate.not_valid_after":2.5}`,
		`{"ts":1.5,"fingerprint":"aa","certificate":{"subject":"CN=c","not_valid_before":"1970-01-01T00:00:02.000000Z"}}`,
		`{` + id + `,"name":"data_before_established"}`,
		`{"_path":"weird",` + id + `,"name":"x"}`,
		`{"_path":"conn_id_thing","ts":1.5}`,
		`{"ts":1.5,"ts_delta":900.0,"peer":"zeek","gaps":0}`,
		`{"timestamp":"2021-06-06T15:59:46.457984+0200","event_type":"flow","src_ip":"10.0.0.1"}`,
		`[1]`,
		`{` + id + `,"conn_state":`,
		`{"x":"` + strings.Repeat("y", maxRecord) + `"}`,
		`{` + strings.Replace(id, "10.0.0.2", "nowhere", 1) + `,"conn_state":"SF"}`,
	}, "\n"))
	src, dst := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:443")
	expect(t, "handshakes", []event.Handshake{
		{
			Sensor: "zeek", Time: 1500000, UID: "C1", Proto: event.TCP, Src: src, Dst: dst,
			Version: "TLSv12", SNI: "a.example", Established: event.Yes, CertID: "F1", JA3: "j",
		},
		{
			Sensor: "zeek", Time: 1500000, UID: "C1", Proto: event.UDP, Src: src, Dst: dst,
			Version: "QUICv1", SNI: "b.example", ALPN: "h3",
		},
	}, all.Handshakes)
	expect(t, "lookups", []event.Lookup{{
		Sensor: "zeek", Time: 1500000, Client: src.Addr(), Name: "c.example", Answers: []netip.Addr{netip.MustParseAddr("203.0.113.9")},
	}}, all.Lookups)
	expect(t, "requests", []event.Request{{
		Sensor: "zeek", Time: 1500000, UID: "C1", Src: src, Dst: dst, Method: "CONNECT", Host: "e.example", Port: 443, Status: 200,
	}}, all.Requests)
	expect(t, "certificates", []event.Certificate{
		{Sensor: "zeek", Time: 1500000, ID: "F1", Subject: "CN=a", Issuer: "CN=b", NotAfter: 2500000},
		{Sensor: "zeek", Time: 1500000, ID: "aa", Subject: "CN=c", NotBefore: 2000000},
	}, all.Certificates)
	expect(t, "ignored", map[string]int64{
		"zeek http, not proxied": 1, unnamed: 2, "zeek weird": 1, "zeek conn_id_thing": 1,
	}, tally.Ignored)
	expect(t, "positions", []decode.Position{
		{Where: "line 1", Reason: "not a JSON object"},
		{Where: "line 13", Reason: "not a Zeek record"},
		{Where: "line 14", Reason: "not a JSON object"},
		{Where: "line 15", Reason: "not a JSON object"},
		{Where: "line 16", Reason: "object too long"},
		{Where: "line 17", Reason: badAddress},
	}, tally.Positions)
}

func TestMatchJSON(t *testing.T) {
	for _, tt := range []struct {
		name, head string
		want       bool
	}{
		{"conn", connJSONRow, true},
		{"behind half an object", `8,"x":1}` + "\n" + connJSONRow, true},
		{"behind a broken object", `{"ts":}` + "\n" + connJSONRow, true},
		{"weird", `{"ts":1.5,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":443,"name":"x"}`, true},
		{"files", `{"ts":1.5,"fuid":"F1","source":"SSL"}`, true},
		{"stats", `{"ts":1.5,"peer":"zeek","mem":116,"pkts_proc":0}`, true},
		{"known_certs", `{"ts":1.5,"host":"10.0.0.1","port_num":443,"subject":"CN=x"}`, true},
		{"streamed", `{"_path":"loaded_scripts","_write_ts":"2024-04-29T16:00:01.123456Z","name":"x"}`, true},
		{"EVE", `{"timestamp":"2021-06-06T15:59:46.457984+0200","flow_id":1,"event_type":"tls","src_ip":"10.0.0.1","proto":"TCP","tls":{"version":"TLS 1.2"}}`, false},
		{"EVE, then Zeek", `{"event_type":"tls","src_ip":"10.0.0.1"}` + "\n" + connJSONRow, false},
		{"winlogbeat", `{"@timestamp":"2020-09-21T22:51:20.118Z","event":{"code":3},"winlog":{"event_id":3,"record_id":1},"host":{"name":"x"}}`, false},
		{"NXLog", `{"EventTime":"2020-09-20 17:38:55","Hostname":"x","EventID":3,"SourceName":"Microsoft-Windows-Sysmon","host":"x","port":1,"@timestamp":"2020-09-20T17:38:57.000Z"}`, false},
		{"a program's log", `{"level":"info","ts":1714420898.6,"caller":"x.go:1","msg":"done","uid":"C1","method":"GET","version":"1"}`, false},
		{"a path and no time", `{"_path":"conn"}`, false},
		{"array of numbers", `[1,2]`, false},
		{"text", "hello\n", false},
		{"nothing", "", false},
	} {
		if got := matchJSON([]byte(tt.head)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
