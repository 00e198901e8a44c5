package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/report"
)

// office is the example estate that every checkout has.
const office = "../../examples/office"

// officeParts are its folders of telemetry, without the truth.
var officeParts = []string{office + "/endpoint", office + "/zeek"}

// wholeOffice is the hunt over all of it, run once for all tests.
var wholeOffice = sync.OnceValues(func() (*finding.Document, error) {
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		return nil, err
	}
	return Hunt{Inputs: officeParts, MinScore: math.Inf(-1), Networks: networks}.Run(context.Background())
})

func huntOffice(t *testing.T) *finding.Document {
	t.Helper()
	doc, err := wholeOffice()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// officeFiles lists the files of the telemetry.
func officeFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, dir := range officeParts {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// written returns the document as the command writes it, without the accounts
// of the inputs.
func written(t *testing.T, doc *finding.Document) string {
	t.Helper()
	d := *doc
	d.Summary.Inputs, d.Summary.Records = nil, 0
	var b bytes.Buffer
	if err := report.JSON(&b, &d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestTheSameFindings: neither the number of workers, nor the order and the
// names of the inputs, nor reading them twice changes a byte.
func TestTheSameFindings(t *testing.T) {
	want := written(t, huntOffice(t))
	shuffled := officeFiles(t)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	copied := t.TempDir()
	for _, dir := range officeParts {
		if err := os.CopyFS(filepath.Join(copied, filepath.Base(dir)), os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		hunt Hunt
	}{
		{"one worker", Hunt{Inputs: officeParts, Workers: 1}},
		{"two workers, and a list of files in another order", Hunt{Inputs: shuffled, Workers: 2}},
		{"five workers, and every file twice", Hunt{Inputs: append([]string{copied}, officeParts...), Workers: 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.hunt.Networks, c.hunt.MinScore = networks(t), math.Inf(-1)
			if got := written(t, hunt(t, c.hunt)); got != want {
				t.Error(cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
			}
		})
	}
}

// TestSummaryAddsUp: each flow, connect and session is accounted for once.
func TestSummaryAddsUp(t *testing.T) {
	s := &huntOffice(t).Summary
	var records, events int64
	for _, in := range s.Inputs {
		records, events = records+in.Records, events+in.Events
		if in.Records != in.Events+in.Ignored+in.Skipped {
			t.Errorf("%s: %d records, %d events, %d ignored, %d skipped", in.Path, in.Records, in.Events, in.Ignored, in.Skipped)
		}
	}
	var unowned int64
	for _, r := range []event.Rung{event.RungHost, event.RungNone} {
		unowned += s.ByRung[r.String()]
	}
	var listed, unknown int64
	rungs := make(map[string]int64)
	for _, f := range huntOffice(t).Findings {
		listed, unknown = listed+f.Sessions, unknown+f.SessionsUnknownBytes
		for r, n := range f.Rungs {
			rungs[r] += n
		}
	}
	for _, c := range []struct {
		name      string
		got, want int64
	}{
		{"flows by rung", sum(s.ByRung), s.Flows},
		{"flows by kind", sum(s.FlowsByKind), s.Flows},
		{"reasons of flows without owner", sum(s.UnownedBy), unowned},
		{"connects by outcome", sum(s.ConnectOutcomes), s.Connects},
		{"sessions by rung", sum(s.SessionsByRung), s.Sessions},
		{"sessions of findings", listed, s.Sessions},
		{"sessions of unknown size of findings", unknown, s.SessionsNoBytes},
		{"TLS flows and endpoint's sessions", s.FlowsByKind["outbound-tls"] + s.SessionsByRung["endpoint"], s.Sessions},
		{"records of inputs", records, s.Records},
		{"findings", int64(s.FindingsListed + s.FindingsUnlisted), int64(len(huntOffice(t).Findings))},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.name, c.got, c.want)
		}
	}
	if diff := cmp.Diff(s.SessionsByRung, rungs); diff != "" {
		t.Errorf("rungs of findings: %s", diff)
	}
	if s.Flows == 0 || s.Connects == 0 || events == 0 {
		t.Error("nothing to add up")
	}
}

func sum(m map[string]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}

// A deed is something that the example hides.
type deed struct {
	Kind, Host, Image, Destination string
	Sessions, Bytes                int64
}

func truth(t *testing.T) []deed {
	t.Helper()
	data, err := os.ReadFile(office + "/truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Hidden []deed }
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Hidden) == 0 {
		t.Fatal("the example hides nothing")
	}
	return all.Hidden
}

// of finds the deed's finding.
func (d deed) of(doc *finding.Document) *finding.Finding {
	for i := range doc.Findings {
		f := &doc.Findings[i]
		if strings.EqualFold(f.Program.Name, program.Name(d.Image)) && f.Destination.RegisteredDomain == d.Destination {
			return f
		}
	}
	return nil
}

// TestHiddenDeedsAreFound holds the findings against what the example hides.
func TestHiddenDeedsAreFound(t *testing.T) {
	doc := huntOffice(t)
	worst := 0
	for _, d := range truth(t) {
		f := d.of(doc)
		if f == nil {
			t.Errorf("%s: no finding of %s to %s", d.Kind, d.Image, d.Destination)
			continue
		}
		worst = max(worst, f.Rank)
		if f.Rank > 5 {
			t.Errorf("%s: rank %d, want one of the first 5", d.Kind, f.Rank)
		}
		if len(f.Hosts) != 1 || !strings.EqualFold(f.Hosts[0], d.Host) {
			t.Errorf("%s: hosts %v, want %s", d.Kind, f.Hosts, d.Host)
		}
		if !within(f.Sessions, d.Sessions, 0.05) {
			t.Errorf("%s: %d sessions, want %d ± 5 %%", d.Kind, f.Sessions, d.Sessions)
		}
		// What sessions of unknown size sent is taken for as much as the others.
		if known := f.Sessions - f.SessionsUnknownBytes; f.BytesOut == nil || known == 0 {
			t.Errorf("%s: outbound bytes unknown", d.Kind)
		} else if all := *f.BytesOut * f.Sessions / known; !within(all, d.Bytes, 0.05) {
			t.Errorf("%s: %d bytes out in %d of %d sessions, want %d ± 5 %%", d.Kind, *f.BytesOut, known, f.Sessions, d.Bytes)
		}
	}
	for _, f := range doc.Findings[:worst] {
		if f.Program.Class == string(program.Browser) {
			t.Errorf("rank %d, before a hidden deed, is the browser %s to %s", f.Rank, f.Program.Name, f.Destination.Name)
		}
	}
}

func within(got, want int64, share float64) bool {
	return math.Abs(float64(got-want)) <= share*float64(want)
}

// TestHalfTheEvidence: with either half missing a hunt completes, says what it
// lacks, and finds what it can see no more remarkable for that.
func TestHalfTheEvidence(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	whole := huntOffice(t)
	for _, c := range []struct {
		input, lacks string
		check        func(*testing.T, *finding.Document)
		same         func(deed, *finding.Finding) bool
	}{
		{officeParts[0], "No network log was read", noBytes, func(d deed, f *finding.Finding) bool {
			return strings.EqualFold(f.Program.Name, program.Name(d.Image))
		}},
		{officeParts[1], "No endpoint telemetry was read", noOwners, func(d deed, f *finding.Finding) bool {
			return f.Destination.RegisteredDomain == d.Destination
		}},
	} {
		t.Run(filepath.Base(c.input), func(t *testing.T) {
			doc := hunt(t, Hunt{Inputs: []string{c.input}, Networks: networks(t), MinScore: math.Inf(-1)})
			if Incomplete(doc.Summary.Inputs) {
				t.Error("some input could not be read")
			}
			if !strings.Contains(strings.Join(doc.Summary.Lacking, "\n"), c.lacks) {
				t.Errorf("lacking %q, want %q", doc.Summary.Lacking, c.lacks)
			}
			c.check(t, doc)
			for _, d := range truth(t) {
				seen := false
				for _, f := range doc.Findings {
					if !c.same(d, &f) {
						continue
					}
					seen = true
					if was := d.of(whole).Score; f.Score > was {
						t.Errorf("%s: %s to %s scores %v, with all evidence %v", d.Kind, f.Program.Name, f.Destination.Name, f.Score, was)
					}
				}
				if !seen {
					t.Errorf("%s is not seen at all", d.Kind)
				}
			}
		})
	}
}

// noBytes checks that endpoints alone know no volume.
func noBytes(t *testing.T, doc *finding.Document) {
	s := &doc.Summary
	if s.Flows != 0 || s.BytesOut != 0 || s.SessionsNoBytes != s.Sessions || s.OwnedBytes != nil {
		t.Errorf("%d flows, %d bytes, %d of %d sessions of unknown size, owned share %v",
			s.Flows, s.BytesOut, s.SessionsNoBytes, s.Sessions, s.OwnedBytes)
	}
	for _, f := range doc.Findings {
		if f.BytesOut != nil || f.BytesIn != nil {
			t.Errorf("%s to %s: bytes known", f.Program.Name, f.Destination.Name)
		}
	}
}

// noOwners checks that a wire alone knows no process.
func noOwners(t *testing.T, doc *finding.Document) {
	for _, f := range doc.Findings {
		if f.Program.Identity != "" || f.Program.Class != "" || len(f.Processes) > 0 {
			t.Errorf("the wire alone names %s for %s", f.Program.Name, f.Destination.Name)
		}
	}
	if s := &doc.Summary; s.Connects != 0 || len(s.Hosts) != 0 || *s.OwnedSessions != 0 {
		t.Errorf("%d connects, %d hosts, owned share %v", s.Connects, len(s.Hosts), *s.OwnedSessions)
	}
}

// TestKeptStore: a store that is kept gives the same findings when it has
// everything already, and grows when it has not.
func TestKeptStore(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	kept := filepath.Join(t.TempDir(), "kept.db")
	first := hunt(t, Hunt{Inputs: officeParts[:1], Store: kept, Networks: networks(t), MinScore: math.Inf(-1)})
	if first.Summary.Flows != 0 {
		t.Fatalf("%d flows of endpoints", first.Summary.Flows)
	}
	for _, inputs := range [][]string{officeParts[1:], officeParts} {
		doc := hunt(t, Hunt{Inputs: inputs, Store: kept, Networks: networks(t), MinScore: math.Inf(-1)})
		if diff := cmp.Diff(written(t, huntOffice(t)), written(t, doc)); diff != "" {
			t.Errorf("reading %v into the store: %s", inputs, diff)
		}
	}
}
