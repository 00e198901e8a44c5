package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/coverage"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/inventory"
)

func coverOf(t *testing.T, inputs []string) *coverage.Document {
	t.Helper()
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Hunt{Inputs: inputs, Networks: networks}.Coverage(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// accounted is what a ledger and a coverage both say of some sessions.
type accounted struct {
	Sessions, NoBytes, Bytes int64
	Owned, OwnedBytes        float64
}

func byLedger(a *finding.Account) accounted {
	out := accounted{Sessions: a.Sessions, NoBytes: a.SessionsNoBytes, Bytes: a.BytesOut}
	if a.OwnedSessions != nil {
		out.Owned = *a.OwnedSessions
	}
	if a.OwnedBytes != nil {
		out.OwnedBytes = *a.OwnedBytes
	}
	return out
}

func byCoverage(k *coverage.Known) accounted {
	out := accounted{Sessions: k.Sessions, NoBytes: k.NoBytes}
	if k.BytesOut != nil {
		out.Bytes = *k.BytesOut
	}
	if k.Sessions > 0 {
		out.Owned = float64(k.Who.Sessions) / float64(k.Sessions)
	}
	if out.Bytes > 0 {
		out.OwnedBytes = float64(*k.Who.BytesOut) / float64(out.Bytes)
	}
	return out
}

// The coverage counts the sessions that the ledger counts, in all and by host.
func TestCoverageAddsUpToTheLedger(t *testing.T) {
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, inputs := range [][]string{officeParts, officeParts[:1], officeParts[1:]} {
		l, err := Hunt{Inputs: inputs, Networks: networks}.Ledger(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		d := coverOf(t, inputs)
		if diff := cmp.Diff(byLedger(&l.Total), byCoverage(&d.Total)); diff != "" {
			t.Errorf("%v: in all (-ledger +coverage):\n%s", inputs, diff)
		}
		hosts := make(map[string]*coverage.Known)
		for i := range d.Hosts {
			hosts[d.Hosts[i].Name] = &d.Hosts[i].Known
		}
		for i := range l.Hosts {
			h := &l.Hosts[i]
			if h.Sessions == 0 {
				continue
			}
			if hosts[h.Name] == nil {
				t.Errorf("%v: nothing of %s", inputs, h.Name)
			} else if diff := cmp.Diff(byLedger(&h.Account), byCoverage(hosts[h.Name])); diff != "" {
				t.Errorf("%v: %s (-ledger +coverage):\n%s", inputs, h.Name, diff)
			}
		}
	}
}

// Whatever is taken away, no more sessions are known as a whole, and no more
// bytes by any question. Only what endpoints alone say of may then count as a
// session that was none: an attempt looks like one where no wire watches.
func TestLessEvidenceIsNeverMoreCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	whole := coverOf(t, officeParts).Total
	files := officeFiles(t)
	for name, gone := range map[string]func(path string) bool{
		"a host":        func(p string) bool { return strings.Contains(p, "WS-014") },
		"all endpoints": func(p string) bool { return strings.Contains(p, "/endpoint/") },
		"flows":         func(p string) bool { return strings.HasPrefix(filepath.Base(p), "conn.") },
		"handshakes":    func(p string) bool { return strings.HasPrefix(filepath.Base(p), "ssl.") },
		"lookups":       func(p string) bool { return strings.HasPrefix(filepath.Base(p), "dns.") },
		"the wire":      func(p string) bool { return strings.Contains(p, "/zeek/") },
	} {
		t.Run(name, func(t *testing.T) {
			var left []string
			for _, f := range files {
				if !gone(f) {
					left = append(left, f)
				}
			}
			less := coverOf(t, left).Total
			if less.All.Sessions > whole.All.Sessions {
				t.Errorf("%d sessions are known as a whole, of all evidence %d", less.All.Sessions, whole.All.Sessions)
			}
			for i, pair := range [][2]coverage.Answer{
				{whole.Who, less.Who}, {whole.Where, less.Where}, {whole.HowMuch, less.HowMuch}, {whole.Persisted, less.Persisted}, {whole.All, less.All},
			} {
				if pair[1].BytesOut != nil && *pair[1].BytesOut > *pair[0].BytesOut {
					t.Errorf("answer %d: %d bytes, of all evidence %d", i, *pair[1].BytesOut, *pair[0].BytesOut)
				}
			}
		})
	}
}

// The example's Sysmon leaves lookups of microsoft.com out, and three in a
// hundred of its records are lost, as its README says.
func TestCoverageOfTheOffice(t *testing.T) {
	d := coverOf(t, officeParts)
	if p := d.Population; p.Both != 8 || p.WireOnly+p.EndpointOnly+len(p.Unseen) > 0 {
		t.Errorf("population %+v", p)
	}
	for _, h := range d.Hosts {
		for _, l := range h.Logs {
			if l.Records == nil || !l.Records.Judged || l.Records.Share < 0.01 || l.Records.Share > 0.06 {
				t.Errorf("%s %s: records %+v", h.Name, l.Source, l.Records)
			}
		}
		if h.Endpoint != coverage.StatePartial {
			t.Errorf("%s is %s", h.Name, h.Endpoint)
		}
	}
	found := false
	for _, m := range d.Sysmon.Missing {
		found = found || m.What == "domain" && m.Name == "microsoft.com"
	}
	if !found || !d.Sysmon.Inferred {
		t.Errorf("missing: %+v", d.Sysmon.Missing)
	}
}

// The same evidence gives the same coverage, with any number of workers.
func TestCoverageIsDeterministic(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := coverOf(t, officeParts)
	got, err := Hunt{Inputs: officeParts, Networks: networks, Workers: 1, rows: 3000}.Coverage(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-many workers +one):\n%s", diff)
	}
}

// One pass gives what two would: the findings are those of a run that asks for
// no coverage, and the coverage is that of a run that tells nothing.
func TestReportIsRunAndCoverage(t *testing.T) {
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := Hunt{Inputs: officeParts, Networks: networks, Top: 5}
	doc, seen, err := h.Report(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	alone, err := h.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(alone, doc); diff != "" {
		t.Errorf("findings (-alone +with coverage):\n%s", diff)
	}
	if diff := cmp.Diff(coverOf(t, officeParts), seen); diff != "" {
		t.Errorf("coverage (-alone +with findings):\n%s", diff)
	}
}

// What is left behind a translation is told as that, at its address.
func TestCoverageBehindNAT(t *testing.T) {
	d := coverOf(t, []string{natOffice(t).dir})
	if len(d.Translators) != 1 || d.Translators[0].Address != natAddress {
		t.Fatalf("translators: %+v", d.Translators)
	}
	for _, s := range d.BlindSpots {
		if s.Question == "who" && s.Cause == "behind-nat" {
			if s.Sessions != 10 || !slices.Equal(s.Names, []string{natAddress}) || !strings.Contains(s.Fix, natAddress) {
				t.Errorf("%+v", s)
			}
			return
		}
	}
	t.Errorf("no blind spot behind the translation: %+v", d.BlindSpots)
}

// A host that uses a proxy, and goes past it, is told; so is one that never
// uses it.
func TestCoveragePastTheProxy(t *testing.T) {
	w := newTelemetry(t)
	w.add("conn.log", connHeader)
	for i := range 4 {
		at := morning.Add(time.Duration(i) * time.Minute)
		w.add("access.log", fmt.Sprintf("%d.500    200 10.0.0.1 TCP_TUNNEL/200 5000 CONNECT a%d.example.net:443 - HIER_DIRECT/198.51.100.9 -\n", at.Unix(), i))
	}
	w.connect("ws1", morning, 7, `C:\app.exe`, "10.0.0.1", 50000)
	w.flow("conn.log", "D1", morning, "10.0.0.1", 50000, 10)
	w.connect("ws2", morning, 7, `C:\app.exe`, "10.0.0.2", 50001)
	w.flow("conn.log", "D2", morning, "10.0.0.2", 50001, 20)
	got := make(map[string][]string)
	for _, k := range coverOf(t, []string{w.dir}).Traffic {
		got[k.Kind] = k.Names
	}
	want := map[string][]string{"proxy-bypass": {"ws1"}, "proxy-unused": {"ws2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
