package pipeline

import (
	"testing"

	"github.com/postern/postern/internal/decode"
)

func TestFormatsAreValid(t *testing.T) {
	if err := decode.Validate(Formats()); err != nil {
		t.Error(err)
	}
}

// TestOneFormatEach: formats that look alike, as JSON and tables of several
// makers do, are told apart by all of the list together.
func TestOneFormatEach(t *testing.T) {
	for want, head := range map[string]string{
		"winlogbeat":      `{"@timestamp":"2026-11-23T08:00:00Z","agent":{"type":"winlogbeat"},"event":{"module":"sysmon","code":"3"},"winlog":{"event_id":"3","channel":"x","computer_name":"y"}}`,
		"wazuh":           `{"timestamp":"2026-11-23T08:00:00.000+0000","rule":{"level":3},"agent":{"id":"1"},"manager":{"name":"m"},"decoder":{"name":"d"},"data":{"win":{"system":{"eventID":"1"}}}}`,
		"evtx-json":       `{"System":{"EventID":{"Value":3},"Channel":"x","Computer":"y"},"EventData":{}}`,
		"elastic-defend":  `{"@timestamp":"2026-11-23T08:00:00Z","agent":{"type":"endpoint"},"event":{"module":"endpoint","dataset":"endpoint.events.network","action":"connection_attempted"},"host":{"name":"h"}}`,
		"cisco-nvm":       `{"fv":"nvzFlow_v2","udid":"u","pr":"6","sa":"10.0.0.5","sp":"1","da":"203.0.113.9","dp":"443","pn":"app.exe","obc":"1","ibc":"2","fss":"1795420800"}`,
		"defender-json":   `{"Timestamp":"2026-11-23T08:00:00Z","DeviceName":"h","ActionType":"ConnectionSuccess","RemoteIP":"203.0.113.9","LocalIP":"10.0.0.5"}`,
		"defender-csv":    "Timestamp,DeviceName,ActionType,RemoteIP,RemotePort\n2026-11-23T08:00:00Z,h,ConnectionSuccess,203.0.113.9,443\n",
		"crowdstrike-fdr": `{"event_simpleName":"DnsRequest","aid":"a","cid":"c","name":"DnsRequestV4","timestamp":"1795420800000","DomainName":"x.example"}`,
		"osquery":         `{"name":"q","hostIdentifier":"h","calendarTime":"x","unixTime":1795420800,"columns":{"pid":"1"},"action":"added"}`,
		"ocsf":            `{"class_uid":4001,"activity_id":1,"category_uid":4,"time":1795420800000,"metadata":{"product":{"name":"p"}},"src_endpoint":{"ip":"10.0.0.5"}}`,
		"zeek-json":       `{"_path":"conn","ts":1795420800.5,"uid":"C1","id.orig_h":"10.0.0.5","id.orig_p":1,"id.resp_h":"203.0.113.9","id.resp_p":443,"proto":"tcp"}`,
		"suricata-eve":    `{"timestamp":"2026-11-23T08:00:00.000000+0000","flow_id":1,"event_type":"flow","src_ip":"10.0.0.5","src_port":1,"dest_ip":"203.0.113.9","dest_port":443,"proto":"TCP","flow":{}}`,
	} {
		if _, err := decode.ByName(Formats(), want); err != nil {
			t.Errorf("%v", err)
			continue
		}
		f, err := decode.Detect(Formats(), []byte(head), []byte(head))
		if err != nil || f.Name != want {
			t.Errorf("%s: %v, %v", want, f, err)
		}
	}
}
