package winlog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// What Windows writes when somebody clears a log, as the formats have it that
// say which log it was.
func TestLogCleared(t *testing.T) {
	const system = `"Provider":{"#attributes":{"Name":"Microsoft-Windows-Eventlog"}},"Computer":"PC01.Example.COM","TimeCreated":{"#attributes":{"SystemTime":"2024-03-01T12:00:00.123Z"}}`
	tests := []struct {
		name, format, in string
		want             []event.Notice
	}{
		{
			"the Security log", "evtx-json",
			`{"Event":{"System":{` + system + `,"EventID":1102,"EventRecordID":7,"Channel":"Security"},"UserData":{"LogFileCleared":{"SubjectUserName":"anna"}}}}`,
			[]event.Notice{{Host: host, Time: at(0), Source: event.Security, Record: 7, Kind: "log-cleared", Text: "Security"}},
		},
		{
			"another log", "evtx-json",
			`{"Event":{"System":{` + system + `,"EventID":104,"EventRecordID":8,"Channel":"System"},"UserData":{"LogFileCleared":{"Channel":"Microsoft-Windows-Sysmon/Operational"}}}}`,
			[]event.Notice{{Host: host, Time: at(0), Record: 8, Kind: "log-cleared", Text: "Microsoft-Windows-Sysmon/Operational"}},
		},
		{
			"by Winlogbeat", "winlogbeat",
			`{"@timestamp":"2024-03-01T12:00:00.123Z","winlog":{"channel":"System","provider_name":"Microsoft-Windows-Eventlog","event_id":"104","computer_name":"PC01.Example.COM","record_id":8,"user_data":{"Channel":"Security"}}}`,
			[]event.Notice{{Host: host, Time: at(0), Record: 8, Kind: "log-cleared", Text: "Security"}},
		},
		{
			"a driver's event of the same number", "evtx-json",
			`{"Event":{"System":{"Provider":{"#attributes":{"Name":"disk"}},"EventID":104,"EventRecordID":8,"Channel":"System","Computer":"PC01"}}}`,
			nil,
		},
		{
			"another event of the event log", "evtx-json",
			`{"Event":{"System":{` + system + `,"EventID":6,"EventRecordID":8,"Channel":"System"}}}`,
			nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, tally := decodeAll(t, format(t, tt.format), []byte(tt.in+"\n"))
			if diff := cmp.Diff(tt.want, b.Notices, compare); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tally.Records != tally.Events+tally.IgnoredTotal() {
				t.Errorf("%d records, %d events, %d ignored", tally.Records, tally.Events, tally.IgnoredTotal())
			}
		})
	}
}

// Every record of a log is numbered in the tally, also those of no use.
func TestRecordNumbers(t *testing.T) {
	for name, write := range writers {
		t.Run(name, func(t *testing.T) {
			_, tally := decodeAll(t, format(t, name), write(journal))
			if name == "export-winevents" {
				if len(tally.Numbers) > 0 {
					t.Error("an export without numbers has some")
				}
				return
			}
			for log, want := range map[decode.Log]decode.Holes{
				{Host: host, Source: event.Sysmon}:   {First: 1000, Last: 1008, Seen: 9},
				{Host: host, Source: event.Security}: {First: 1009, Last: 1014, Seen: 6},
			} {
				n := tally.Numbers[log]
				if n == nil {
					t.Fatalf("nothing of %v", log)
				}
				got, _ := n.Holes()
				if diff := cmp.Diff(want, got); diff != "" || n.Unused != 1 {
					t.Errorf("%v, %d unused (-want +got):\n%s", log, n.Unused, diff)
				}
			}
		})
	}
}
