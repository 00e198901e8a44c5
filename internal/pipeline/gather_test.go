package pipeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/config"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/finding"
)

// visit writes a session of a host's program to a name that it looked up.
func (w *telemetry) visit(host int, at time.Time, image, name, addr string, out int64) {
	if w.record == 0 {
		w.add("conn.log", connHeader)
	}
	w.record++
	src, port, computer := fmt.Sprint("10.0.0.", host), 40000+w.record%20000, fmt.Sprint("ws", host)
	guid := fmt.Sprintf(`"ProcessGuid":"{00000000-0000-0000-0000-%012d}","ProcessId":%d,"Image":%q`, 100, 100, image)
	w.sysmon(computer, 22, at.Add(-time.Second), fmt.Sprintf(`%s,"QueryName":%q,"QueryStatus":"0","QueryResults":"::ffff:%s;"`, guid, name, addr))
	w.sysmon(computer, 3, at, fmt.Sprintf(`%s,"Protocol":"tcp","Initiated":true,"SourceIp":%q,"SourcePort":%d,"DestinationIp":%q,"DestinationPort":443`,
		guid, src, port, addr))
	w.add("conn.log", fmt.Sprintf("%d.%06d\tC%d\t%s\t%d\t%s\t443\ttcp\tssl\t1.0\t%d\t200\n",
		at.Unix(), at.Nanosecond()/1000, w.record, src, port, addr, out))
}

// rotation writes contacts every five minutes, give or take one, that go to a
// dozen names by chance, and some of others' programs.
func rotation(t *testing.T) (*telemetry, []string) {
	w := newTelemetry(t)
	r := rand.New(rand.NewPCG(1, 2))
	var domains []string
	for n := range 12 {
		domains = append(domains, fmt.Sprintf("lair%02d.example", n))
	}
	for i, at := 0, morning; i < contacts; i, at = i+1, at.Add(4*time.Minute+time.Duration(r.IntN(120_000))*time.Millisecond) {
		n := r.IntN(len(domains))
		w.visit(1, at, tool, "www."+domains[n], fmt.Sprint("203.0.113.", n+1), 3000)
		if i%8 == 0 {
			for host := 1; host < 6; host++ {
				w.visit(host, at.Add(time.Duration(r.IntN(300))*time.Second), `C:\Program Files\Acme\acme.exe`, "www.acme.example", "198.51.100.9", 2000)
			}
		}
	}
	return w, domains
}

const contacts = 240

// TestRotationIsOneFinding with what all of its destinations saw.
func TestRotationIsOneFinding(t *testing.T) {
	w, domains := rotation(t)
	doc := w.hunt(Hunt{Series: true})
	f := findingOf(t, doc, finding.ID(doc.Findings[0].Program.Identity, detect.Several))
	if e := f.Estate; e == nil || e.Hosts != 1 || e.ProgramsTotal != 0 || !e.FirstSeen.Equal(f.FirstSeen) {
		t.Errorf("the estate has %+v", e)
	}
	type gist struct {
		Name, Domain     string
		Members, Hosts   []string
		Names            int
		Sessions, Out    int64
		Processes, Ports int
		Regular          bool
	}
	d := &f.Destination
	got := gist{
		d.Name, d.RegisteredDomain, d.Members, f.Hosts, len(d.Names), f.Sessions, *f.BytesOut, len(f.Processes), len(d.Ports),
		f.PeriodSeconds != nil && *f.PeriodSeconds > 280 && *f.PeriodSeconds < 320,
	}
	want := gist{"12 rare destinations", "12 rare destinations", domains, []string{"ws1"}, 12, contacts, contacts * 3000, 1, 1, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, other := range doc.Findings {
		if slices.Contains(domains, other.Destination.RegisteredDomain) {
			t.Errorf("%s has a finding of its own", other.Destination.RegisteredDomain)
		}
	}
}

// findingOf returns the finding with an ID.
func findingOf(t *testing.T, doc *finding.Document, id string) *finding.Finding {
	t.Helper()
	for i := range doc.Findings {
		if doc.Findings[i].ID == id {
			return &doc.Findings[i]
		}
	}
	for _, f := range doc.Findings {
		t.Logf("%s %v %s %v", f.ID, f.Score, f.Program.Identity, f.Destination)
	}
	t.Fatalf("no finding %s", id)
	return nil
}

// TestWhatIsExpectedIsNotTakenTogether: an expectation of one destination leaves
// the others, and of all but two leaves each of these alone.
func TestWhatIsExpectedIsNotTakenTogether(t *testing.T) {
	w, domains := rotation(t)
	expect := func(n int) *finding.Document {
		c := config.Default()
		for _, d := range domains[:n] {
			c.ProcessName.Expected = append(c.ProcessName.Expected, config.Expectation{
				Program: `%appdata%\sync.exe`, Destination: d, Owner: "ann", Reason: "ordered", Expires: config.Date{Time: morning.AddDate(1, 0, 0)},
			})
		}
		return w.hunt(Hunt{Config: c})
	}
	doc := expect(1)
	f := findingOf(t, doc, finding.ID(doc.Findings[0].Program.Identity, detect.Several))
	if diff := cmp.Diff(domains[1:], f.Destination.Members); diff != "" || len(doc.Expected) != 1 {
		t.Errorf("%d expected; %s", len(doc.Expected), diff)
	}
	doc = expect(10)
	for _, f := range doc.Findings {
		if len(f.Destination.Members) > 0 {
			t.Errorf("%v are taken together", f.Destination.Members)
		}
	}
	if len(doc.Expected) != 10 {
		t.Errorf("%d expected", len(doc.Expected))
	}
}
