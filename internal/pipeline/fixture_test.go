package pipeline

import (
	"context"
	"math"
	"os"
	"path/filepath"
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
	doc := hunt(t, Hunt{
		Inputs:   []string{fixture(t, "otrf_pair_lsass01")},
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

// TestSplunkEVTX: all logs of one Windows host, as the machine keeps them.
func TestSplunkEVTX(t *testing.T) {
	doc := hunt(t, Hunt{Inputs: []string{fixture(t, "splunk_evtx_pcap")}})
	if Incomplete(doc.Summary.Inputs) {
		t.Error("some input could not be read")
	}
	if n := doc.Summary.Notices; len(n) != 1 || n[0].Kind != "config-change" {
		t.Errorf("notices %+v, want Sysmon's one change of its configuration", n)
	}
	if len(doc.Summary.Hosts) == 0 || doc.Summary.Connects == 0 {
		t.Errorf("%d hosts, %d connects", len(doc.Summary.Hosts), doc.Summary.Connects)
	}
}
