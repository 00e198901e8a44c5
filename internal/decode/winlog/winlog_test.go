package winlog_test

import (
	"bytes"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/decodetest"
	"github.com/postern/postern/internal/decode/winlog"
	"github.com/postern/postern/internal/event"
)

// compare are the options with which batches are compared.
var compare = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

func format(t testing.TB, name string) *decode.Format {
	t.Helper()
	f, err := decode.ByName(winlog.Formats(), name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// decodeAll decodes b, which has to be readable to its end.
func decodeAll(t testing.TB, f *decode.Format, b []byte) (*event.Batch, *decode.Tally) {
	t.Helper()
	batch, tally := new(event.Batch), new(decode.Tally)
	for d := f.Open(bytes.NewReader(b), tally); ; {
		if err := d.Decode(batch); err == io.EOF {
			return batch, tally
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// at returns the time of the journal's entry i.
func at(i int) event.Time { return event.At(start.Add(time.Duration(i) * time.Second)) }

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

const (
	host  = "pc01.example.com"
	guid  = "b34bc01c-ca61-5f67-ec12-000000000400"
	moved = `C:\Windows\System32\möbel & co.exe`
)

// journalBatch is what every format makes of the journal.
func journalBatch() *event.Batch {
	return &event.Batch{
		Notices: []event.Notice{
			{Host: host, Time: at(0), Source: event.Sysmon, Record: 1000, Kind: "config-change", Text: `C:\sysmon.xml SHA256=AB`},
			{Host: host, Time: at(1), Source: event.Sysmon, Record: 1001, Kind: "service-state", Text: "Started"},
		},
		Starts: []event.ProcessStart{
			{Host: host, Time: at(2), Source: event.Sysmon, Record: 1002, PID: 4312, GUID: guid, ParentPID: 880,
				ParentImage: `C:\Windows\explorer.exe`, ParentCommandLine: `C:\Windows\Explorer.EXE`, Image: moved,
				CommandLine: `"C:\Windows\System32\möbel & co.exe" <in >out`, User: `EXAMPLE\anna`, OriginalName: "moebel.exe",
				Product: "Microsoft® Windows® Operating System", Company: "Microsoft Corporation", Hashes: "SHA256=CD,IMPHASH=EF"},
			{Host: host, Time: at(9), Source: event.Security, Record: 1009, PID: 0x1d18, ParentPID: 0x11c0,
				ParentImage: `C:\Windows\explorer.exe`, Image: `C:\a\new.exe`, CommandLine: "new.exe /x", User: `EXAMPLE\anna`},
			{Host: host, Time: at(10), Source: event.Security, Record: 1010, PID: 0x1d1c, ParentPID: 0x380,
				Image: `C:\a\other.exe`, User: `NT AUTHORITY\LOCAL SERVICE`},
		},
		Stops: []event.ProcessStop{
			{Host: host, Time: at(8), Source: event.Sysmon, Record: 1008, PID: 4312, GUID: guid, Image: moved},
			{Host: host, Time: at(14), Source: event.Security, Record: 1014, PID: 0x1d18, Image: `C:\a\new.exe`},
		},
		Connects: []event.Connect{
			{Host: host, Time: at(4), Source: event.Sysmon, Record: 1004, PID: 4312, GUID: guid, Image: moved, User: `EXAMPLE\anna`,
				Proto: event.TCP, Src: addr("10.0.0.5:50123"), Dst: addr("192.0.2.7:443"), Outbound: true, DstName: "edge.example.net"},
			{Host: host, Time: at(5), Source: event.Sysmon, Record: 1005, PID: 8,
				Proto: event.UDP, Src: addr("[fe80::1]:5353"), Dst: addr("[2001:db8::2]:5353")},
			{Host: host, Time: at(12), Source: event.Security, Record: 1012, PID: 7448, Image: `\device\harddiskvolume2\a\new.exe`,
				Proto: event.TCP, Src: addr("10.0.0.5:50124"), Dst: addr("192.0.2.9:8443"), Outbound: true},
			{Host: host, Time: at(13), Source: event.Security, Record: 1013, PID: 4, Image: "System",
				Proto: event.UDP, Src: addr("10.0.0.5:445"), Dst: addr("10.0.0.6:49152")},
		},
		Lookups: []event.Lookup{
			{Host: host, Time: at(6), Source: event.Sysmon, Record: 1006, PID: 4312, GUID: guid, Image: moved, Name: "cdn.example.net",
				Answers: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}},
			{Host: host, Time: at(7), Source: event.Sysmon, Record: 1007, PID: 4312, Image: "x.exe", Name: "nothing.example"},
		},
	}
}

// withoutRecords takes away what Export-WinEvents does not keep.
func withoutRecords(b *event.Batch) *event.Batch {
	for i := range b.Starts {
		b.Starts[i].Record = 0
	}
	for i := range b.Stops {
		b.Stops[i].Record = 0
	}
	for i := range b.Connects {
		b.Connects[i].Record = 0
	}
	for i := range b.Lookups {
		b.Lookups[i].Record = 0
	}
	for i := range b.Notices {
		b.Notices[i].Record = 0
	}
	return b
}

func TestJournal(t *testing.T) {
	clocks := map[string]string{
		"evtx":             "System/TimeCreated",
		"winlog-xml":       "System/TimeCreated",
		"winlogbeat":       "@timestamp",
		"nxlog":            "received (@timestamp)",
		"export-winevents": "TimeCreated as exported (zone unknown)",
		"evtx-json":        "System/TimeCreated",
		"wazuh":            "System/TimeCreated",
	}
	for _, f := range winlog.Formats() {
		t.Run(f.Name, func(t *testing.T) {
			got, tally := decodeAll(t, f, writers[f.Name](journal))
			want := journalBatch()
			if f.Name == "export-winevents" {
				want = withoutRecords(want)
			}
			if diff := cmp.Diff(want, got, compare); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			channel := "Application"
			if f.Name == "nxlog" {
				channel = "application" // as the test writes it
			}
			wantTally := &decode.Tally{
				Records: 16, Events: 13,
				Ignored: map[string]int64{"Sysmon 7": 1, "Security 5158": 1, channel: 1},
				Clocks:  map[string]int64{clocks[f.Name]: 13},
			}
			if diff := cmp.Diff(wantTally, tally, cmpopts.IgnoreFields(decode.Tally{}, "Warnings", "Numbers")); diff != "" {
				t.Errorf("tally (-want +got):\n%s", diff)
			}
			late := func(w string) bool {
				return strings.HasPrefix(w, "Sysmon 3 UtcTime, which is not used, is off on pc01.example.com by -250h")
			}
			if !slices.ContainsFunc(tally.Warnings, late) && f.Name != "export-winevents" {
				t.Errorf("warnings %q do not tell of Sysmon's own time", tally.Warnings)
			}
			if others := slices.DeleteFunc(slices.Clone(tally.Warnings), late); (len(others) > 0) != (f.Name == "export-winevents") {
				t.Errorf("warnings %q", others)
			}
		})
	}
}

func TestFormats(t *testing.T) {
	if err := decode.Validate(winlog.Formats()); err != nil {
		t.Error(err)
	}
	for _, f := range winlog.Formats() {
		t.Run(f.Name, func(t *testing.T) { decodetest.Run(t, f, writers[f.Name](journal)) })
	}
}

func FuzzEVTX(f *testing.F)       { fuzz(f, "evtx") }
func FuzzXML(f *testing.F)        { fuzz(f, "winlog-xml") }
func FuzzWinlogbeat(f *testing.F) { fuzz(f, "winlogbeat") }
func FuzzNXLog(f *testing.F)      { fuzz(f, "nxlog") }
func FuzzExport(f *testing.F)     { fuzz(f, "export-winevents") }
func FuzzEVTXJSON(f *testing.F)   { fuzz(f, "evtx-json") }
func FuzzWazuh(f *testing.F)      { fuzz(f, "wazuh") }

func fuzz(f *testing.F, name string) {
	seed := writers[name](journal[2:5])
	decodetest.Fuzz(f, format(f, name), seed[:min(len(seed), 10_000)])
}
