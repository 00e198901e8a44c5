package pipeline

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/inventory"
)

// fixture returns the path of a public capture, or skips the test: captures
// that others published are not part of the project.
func fixture(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("POSTERN_FIXTURES")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "fixtures")
	}
	path := filepath.Join(root, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no fixture %s: set POSTERN_FIXTURES to the folder that holds it", name)
	}
	return path
}

func networks(t *testing.T, external ...string) inventory.Networks {
	t.Helper()
	prefixes, err := inventory.ParsePrefixes(external)
	if err != nil {
		t.Fatal(err)
	}
	n, err := inventory.NewNetworks(nil, prefixes)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func hunt(t *testing.T, h Hunt) *finding.Document {
	t.Helper()
	doc, err := h.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func find(doc *finding.Document, program string, match func(*finding.Finding) bool) *finding.Finding {
	for i := range doc.Findings {
		f := &doc.Findings[i]
		if strings.EqualFold(f.Program.Name, program) && match(f) {
			return f
		}
	}
	return nil
}

func to(addr string) func(*finding.Finding) bool {
	return func(f *finding.Finding) bool {
		for _, a := range f.Destination.Addresses {
			if a == addr {
				return true
			}
		}
		return false
	}
}

// TestLSASSCampaign holds a hunt against the campaign's transcript: a
// Meterpreter reverse_https payload talks to 10.0.5.13:8080, is delivered by
// the browser in clear text on port 80, and migrates into svchost.
func TestLSASSCampaign(t *testing.T) {
	const run = "otrf_pair_lsass01/metasploit_logonpasswords_lsass_memory_dump"
	doc := hunt(t, Hunt{
		Inputs:   []string{fixture(t, run+".zip"), fixture(t, run+"_zeek_logs.zip")},
		Networks: networks(t, "10.0.5.0/24"), MinScore: math.Inf(-1),
	})
	first := &doc.Findings[0]
	if first.Program.Name != "winx64_payload.exe" || !to("10.0.5.13")(first) {
		t.Errorf("first is %s to %v", first.Program.Name, first.Destination.Addresses)
	}
	if len(first.Destination.Ports) != 1 || first.Destination.Ports[0] != 8080 {
		t.Errorf("ports %v, want 8080 only", first.Destination.Ports)
	}
	if first.BytesOut != nil || first.SessionsUnknownBytes != first.Sessions {
		t.Errorf("outbound bytes %v, %d of %d sessions unknown: the sensor never saw the originator",
			first.BytesOut, first.SessionsUnknownBytes, first.Sessions)
	}
	if first.Sessions != 4 {
		t.Errorf("%d sessions, want the transcript's 4", first.Sessions)
	}
	if find(doc, "svchost.exe", to("10.0.5.13")) == nil {
		t.Error("the injected svchost.exe is not reported")
	}
	if find(doc, "msedge.exe", to("10.0.5.13")) != nil {
		t.Error("the clear-text delivery on port 80 is a TLS finding")
	}
	s := &doc.Summary
	withEvent := s.Flows - s.UnownedBy["older than the endpoint's log"] - s.UnownedBy["newer than the endpoint's log"] -
		s.UnownedBy["host without endpoint telemetry"]
	exact := s.ByRung[event.RungExact.String()]
	t.Logf("exact %d of %d flows; %v; unowned %v", exact, withEvent, s.ByRung, s.UnownedBy)
	if 100*exact < 95*withEvent {
		t.Errorf("%d of %d flows with an endpoint event at exact, want 95 %%", exact, withEvent)
	}
	if exact < 35 {
		t.Errorf("%d flows at exact, want the 35 that have an endpoint event", exact)
	}
}

// TestCaptureAndItsLogs: the capture, and the logs that Zeek made of it, tell of
// the same flows once; what Zeek could not count for its discarded checksums,
// the capture counts. All flows with an event have their owner.
func TestCaptureAndItsLogs(t *testing.T) {
	doc := hunt(t, Hunt{
		Inputs:   []string{fixture(t, "otrf_pair_lsass01")},
		Networks: networks(t, "10.0.5.0/24"), MinScore: math.Inf(-1),
	})
	first := &doc.Findings[0]
	if first.Program.Name != "winx64_payload.exe" || first.Sessions != 4 || first.SessionsUnknownBytes != 0 || first.BytesOut == nil {
		t.Errorf("first is %s with %d sessions, %d of unknown size", first.Program.Name, first.Sessions, first.SessionsUnknownBytes)
	}
	s := &doc.Summary
	withEvent := s.Flows - s.UnownedBy["older than the endpoint's log"] - s.UnownedBy["host without endpoint telemetry"]
	if exact := s.ByRung[event.RungExact.String()]; exact != withEvent || s.FlowsByKind["seen-twice"] < 70 {
		t.Errorf("%d of %d flows at exact, %d seen twice", exact, withEvent, s.FlowsByKind["seen-twice"])
	}
}

// clock returns a host's clock by a source.
func clock(t *testing.T, doc *finding.Document, host, source string) finding.Clock {
	t.Helper()
	for _, h := range doc.Summary.Hosts {
		for _, c := range h.Clocks {
			if h.Name == host && c.Source == source {
				return c
			}
		}
	}
	t.Fatalf("no clock of %s by %s", host, source)
	return finding.Clock{}
}

// TestScheduledTask: 5156 is exact to the millisecond, in local time marked as
// UTC; Sysmon's own times are 61 and 21 seconds behind on two hosts, and up to
// 2.5 s more against its records, which are that late.
func TestScheduledTask(t *testing.T) {
	doc := hunt(t, Hunt{
		Inputs: []string{
			fixture(t, "otrf_pair_schtask_create/host_schtask_create.zip"),
			fixture(t, "otrf_pair_schtask_create/network_schtask_create.zip"),
		},
		MinScore: math.Inf(-1),
	})
	c := clock(t, doc, "workstation5.theshire.local", "security")
	if math.Abs(c.Offset+5*3600) > 0.005 || c.Agree < 3 || c.Agree != c.Pairs {
		t.Errorf("clock %+v, want 5 hours behind to the millisecond", c)
	}
	if n := doc.Summary.ByRung["exact"]; n < 3 {
		t.Errorf("%d flows at exact, want the 3 that have a 5156", n)
	}
	late := regexp.MustCompile(`workstation5\.theshire\.local by -1m([0-9]+)s, workstation6\.theshire\.local by -([0-9]+)s`)
	for _, in := range doc.Summary.Inputs {
		for _, w := range in.Warnings {
			if m := late.FindStringSubmatch(w); m != nil {
				five, _ := strconv.Atoi(m[1])
				six, _ := strconv.Atoi(m[2])
				if five < 1 || five > 4 || six < 21 || six > 24 {
					t.Errorf("%s: want 61 and 21 s, and the lag of the records", w)
				}
				return
			}
		}
	}
	t.Error("nothing tells of Sysmon's own times")
}

// TestOlderThanTheLog: the connection to the C2 began before the endpoint's log.
// It has no owner for that reason, and is listed all the same.
func TestOlderThanTheLog(t *testing.T) {
	doc := hunt(t, Hunt{
		Inputs: []string{
			fixture(t, "otrf_pair_schtask_create/host_empire_msbuild.zip"),
			fixture(t, "otrf_pair_schtask_create/network_empire_msbuild.zip"),
		},
		Networks: networks(t, "10.10.10.0/24"), MinScore: math.Inf(-1),
	})
	if doc.Summary.UnownedBy["older than the endpoint's log"] == 0 {
		t.Errorf("unowned: %v", doc.Summary.UnownedBy)
	}
	t.Log(doc.Summary.UnownedBy, doc.Summary.FlowsByKind)
}

// TestEmpireEndpointOnly: two powershell processes beacon every 5.1 s.
func TestEmpireEndpointOnly(t *testing.T) {
	doc := hunt(t, Hunt{
		Inputs:   []string{fixture(t, "otrf_hostonly_empire_https/empire_mimikatz_opth.tar.gz")},
		Networks: networks(t, "10.0.10.0/24"), MinScore: math.Inf(-1),
	})
	first := &doc.Findings[0]
	if !strings.EqualFold(first.Program.Name, "powershell.exe") || !to("10.0.10.106")(first) {
		t.Fatalf("first is %s to %v", first.Program.Name, first.Destination.Addresses)
	}
	if first.PeriodSeconds == nil || math.Abs(*first.PeriodSeconds-5.1) > 0.3 {
		t.Errorf("period %v, want 5.1 s ± 0.3 s", first.PeriodSeconds)
	}
	if first.BytesOut != nil {
		t.Errorf("outbound bytes %d, want unknown", *first.BytesOut)
	}
	if !Incomplete(doc.Summary.Inputs) {
		t.Error("the archive is truncated, and the summary does not tell")
	}
	if doc.Summary.Records < 1000 {
		t.Errorf("%d records: what stands before the damage must be read", doc.Summary.Records)
	}
}

// TestZeekOnly: an office user's hours behind a proxy, nothing malicious. No
// owner is claimed, and a session that spans two logs counts once.
func TestZeekOnly(t *testing.T) {
	doc := hunt(t, Hunt{Inputs: []string{fixture(t, "zeek_rita/proxy_rolling")}})
	s := &doc.Summary
	if s.Sessions == 0 {
		t.Fatal("no sessions")
	}
	for rung, n := range s.SessionsByRung {
		if rung != event.RungNone.String() {
			t.Errorf("%d sessions at rung %s", n, rung)
		}
	}
	if Incomplete(s.Inputs) {
		t.Error("some input could not be read")
	}
}

// TestOpenSessionsCountOnce: the open_conns captures report the same flows
// open and then closed.
func TestOpenSessionsCountOnce(t *testing.T) {
	both := hunt(t, Hunt{Inputs: []string{fixture(t, "zeek_rita/open_conns")}}).Summary
	open := hunt(t, Hunt{Inputs: []string{fixture(t, "zeek_rita/open_conns/open")}}).Summary
	closed := hunt(t, Hunt{Inputs: []string{fixture(t, "zeek_rita/open_conns/closed")}}).Summary
	if both.Flows >= open.Flows+closed.Flows {
		t.Errorf("%d flows together, %d and %d apart: none counted once", both.Flows, open.Flows, closed.Flows)
	}
}

// TestReadingTwiceCountsOnce: the same file twice, in one run and in two.
func TestReadingTwiceCountsOnce(t *testing.T) {
	file := fixture(t, "otrf_pair_schtask_create/host_schtask_create.zip")
	kept := filepath.Join(t.TempDir(), "kept.db")
	once := hunt(t, Hunt{Inputs: []string{file}, Store: kept}).Summary
	again := hunt(t, Hunt{Inputs: []string{file}, Store: kept}).Summary
	if once.Connects == 0 || once.Connects != again.Connects || once.Sessions != again.Sessions {
		t.Errorf("once %d connects and %d sessions, again %d and %d",
			once.Connects, once.Sessions, again.Connects, again.Sessions)
	}
}

// TestLagOfSysmon: native logs and a capture of the same seconds. 5156 has the
// time of the packet, Sysmon's records are one to two and a half seconds late.
func TestLagOfSysmon(t *testing.T) {
	doc := hunt(t, Hunt{Inputs: []string{fixture(t, "splunk_evtx_pcap")}})
	host := doc.Summary.Hosts[0].Name
	if c := clock(t, doc, host, "security"); math.Abs(c.Offset) > 0.005 {
		t.Errorf("5156 is %v s from the packet, want 0.00", c.Offset)
	}
	if c := clock(t, doc, host, "sysmon"); c.Offset < 1.0 || c.Offset > 2.5 || c.Spread > 0.8 {
		t.Errorf("Sysmon is %v ± %v s late, want 1.0 to 2.5", c.Offset, c.Spread)
	}
}

// TestSplunkEVTX: all logs of one Windows host, as the machine keeps them.
func TestSplunkEVTX(t *testing.T) {
	doc := hunt(t, Hunt{Inputs: []string{fixture(t, "splunk_evtx_pcap")}})
	if Incomplete(doc.Summary.Inputs) {
		t.Error("some input could not be read")
	}
	if n := doc.Summary.Notices; len(n) != 2 || n[0].Kind != "log-cleared" || n[1].Kind != "config-change" {
		t.Errorf("notices %+v, want the Security log's clearing and Sysmon's one change of its configuration", n)
	}
	if len(doc.Summary.Hosts) == 0 || doc.Summary.Connects == 0 {
		t.Errorf("%d hosts, %d connects", len(doc.Summary.Hosts), doc.Summary.Connects)
	}
}
