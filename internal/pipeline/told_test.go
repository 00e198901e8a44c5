package pipeline

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/config"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/store"
)

// budgeted hunts over what w has so far, as the command does without --top.
func (w *telemetry) budgeted(kept string, c config.Config) *finding.Document {
	w.t.Helper()
	return w.hunt(Hunt{Store: kept, Budgeted: true, Config: c})
}

// tool is a program that runs on several hosts.
const tool = `C:\Users\u\AppData\Roaming\sync.exe`

// contact writes a session of a host's tool.
func (w *telemetry) contact(host int, at time.Time) {
	w.record++
	src, port := fmt.Sprint("10.0.0.", host), 40000+w.record%20000
	w.connect(fmt.Sprint("ws", host), at, 100, tool, src, port)
	w.flow("conn.log", fmt.Sprint("C", w.record), at, src, port, 5000)
}

// outcome is what a document says of the tool.
type outcome struct {
	told, before int
	grew         []string
}

func outcomeOf(doc *finding.Document) outcome {
	o := outcome{told: len(doc.Findings), before: len(doc.ToldBefore)}
	for i := range doc.Findings {
		if u := doc.Findings[i].Update; u != nil {
			o.grew = append([]string{}, u.Grew...)
			o.grew = slices.DeleteFunc(o.grew, func(s string) bool { return s == finding.GrewScore }) // whatever it is
		}
	}
	return o
}

// TestMemory tells a finding once, until it is on another host or time has
// passed, and tells the same again over the same evidence.
func TestMemory(t *testing.T) {
	w := newTelemetry(t)
	kept := filepath.Join(t.TempDir(), "kept.db")
	c := config.Default()
	c.Budget.RepeatRise = 1000 // the score is not what is tested here
	const day = 24 * time.Hour
	for _, step := range []struct {
		name string
		add  func()
		want outcome
	}{
		{"the first time", func() { w.contact(1, morning) }, outcome{told: 1}},
		{"the same evidence", func() {}, outcome{told: 1}},
		{"more of the same", func() { w.contact(1, morning.Add(day)) }, outcome{before: 1}},
		{"on another host", func() { w.contact(2, morning.Add(2*day)) }, outcome{told: 1, grew: []string{"hosts", "bytes"}}},
		{"that evidence again", func() {}, outcome{told: 1, grew: []string{"hosts", "bytes"}}},
		{"more of that", func() { w.contact(2, morning.Add(8*day)) }, outcome{before: 1}},
		{"a week later", func() { w.contact(1, morning.Add(9*day)) }, outcome{told: 1, grew: []string{"bytes"}}},
	} {
		step.add()
		doc := w.budgeted(kept, c)
		if diff := cmp.Diff(step.want, outcomeOf(doc), cmp.AllowUnexported(outcome{})); diff != "" {
			t.Fatalf("%s: %s", step.name, diff)
		}
		for _, b := range doc.ToldBefore {
			if !b.FirstTold.Equal(morning) || b.Rank != 1 || b.Domain != "198.51.100.9" {
				t.Errorf("%s: told before: %+v", step.name, b)
			}
		}
	}
}

// TestALookTellsNothing: who looks at the ranking with a number of their own
// gets all of it, and the next telling is as if they had not.
func TestALookTellsNothing(t *testing.T) {
	w := newTelemetry(t)
	kept := filepath.Join(t.TempDir(), "kept.db")
	w.contact(1, morning)
	look := func() int { return len(w.hunt(Hunt{Store: kept}).Findings) }
	if n := look(); n != 1 {
		t.Fatalf("%d findings", n)
	}
	w.contact(1, morning.Add(time.Hour))
	if o := outcomeOf(w.budgeted(kept, config.Default())); o.told != 1 || o.grew != nil {
		t.Errorf("after a look: %+v", o)
	}
	w.contact(1, morning.Add(2*time.Hour))
	if n := look(); n != 1 {
		t.Errorf("a look after it was told has %d findings", n)
	}
	if o := outcomeOf(w.budgeted(kept, config.Default())); o.before != 1 {
		t.Errorf("told again after a look: %+v", o)
	}
}

func TestState(t *testing.T) {
	const day = 24 * time.Hour
	then := event.At(morning)
	budget := config.Default().Budget
	last := store.Told{Time: then, Score: 5, Hosts: 2, BytesOut: 100}
	for _, c := range []struct {
		name        string
		score       float64
		hosts       int
		seen, after time.Duration // the last session and the end of the evidence
		want        state
	}{
		{"more sessions", 5, 2, day, day, lately},
		{"a little stronger", 6.9, 2, day, day, lately},
		{"stronger", 7, 2, day, day, news},
		{"weaker, on another host", 1, 3, day, day, news},
		{"a week", 5, 2, 7 * day, 7 * day, news},
		{"a week, weaker", 1, 1, 7 * day, 7 * day, news},
		{"nearly a week", 5, 2, 7*day - 1000, 7*day - 1000, lately},
		{"a week of silence", 5, 2, 0, 7 * day, settled},
		{"stronger after silence, by what was learnt of others", 8, 2, 0, 9 * day, news},
	} {
		p := place{Cluster: finding.Cluster{Score: c.score, Best: &detect.Edge{Last: then.Add(c.seen)}}}
		for range c.hosts {
			p.Edges = append(p.Edges, p.Best)
		}
		b := &before{first: then.Add(-day), last: last}
		if got := b.state(&p, &budget, then.Add(c.after)); got != c.want {
			t.Errorf("%s: state %d, want %d", c.name, got, c.want)
		}
	}
	if got := (*before)(nil).state(&place{}, &budget, then); got != news {
		t.Errorf("what was never told: state %d", got)
	}
}

func TestUpdateSaysWhatGrew(t *testing.T) {
	edge := &detect.Edge{Sessions: 2, UnknownBytes: 1, BytesOut: 50}
	p := place{Cluster: finding.Cluster{Score: 5, Best: edge, Edges: []*detect.Edge{edge, edge}}}
	for _, c := range []struct {
		last store.Told
		want []string
	}{
		{store.Told{Score: 5, Hosts: 2, BytesOut: 100}, []string{}},
		{store.Told{Score: 4, Hosts: 1, BytesOut: 99}, []string{"score", "hosts", "bytes"}},
		{store.Told{Score: 6, Hosts: 2, BytesOut: event.Unknown}, []string{"bytes"}},
	} {
		u := (&before{last: c.last}).update(&p)
		if diff := cmp.Diff(c.want, u.Grew); diff != "" {
			t.Errorf("%+v: %s", c.last, diff)
		}
		if known := u.BytesThen != nil; known != c.last.BytesOut.Known() {
			t.Errorf("%+v: bytes then %v", c.last, u.BytesThen)
		}
	}
}

// TestExpected: what an operator expects is counted and listed with the score
// that it would have been told with, until it is on a host that nobody spoke of
// or has expired.
func TestExpected(t *testing.T) {
	w := newTelemetry(t)
	w.contact(1, morning)
	plain := w.budgeted("", config.Default())
	expect := func(host string, expires time.Time) config.Config {
		c := config.Default()
		c.ProcessName.Expected = []config.Expectation{{
			Program: "sync.exe", Destination: "198.51.100.9", Host: host,
			Owner: "storage team", Reason: "pilot", Expires: config.Date{Time: expires},
		}}
		return c
	}
	today := morning.Truncate(24 * time.Hour)

	doc := w.budgeted("", expect("ws1", today))
	if len(plain.Findings) != 1 || len(doc.Findings) != 0 || doc.Summary.FindingsUnlisted != 0 {
		t.Fatalf("%d findings, %d when expected, %d not listed", len(plain.Findings), len(doc.Findings), doc.Summary.FindingsUnlisted)
	}
	f := &plain.Findings[0]
	want := []finding.Expected{{
		ID: f.ID, Program: f.Program.Identity, Domain: "198.51.100.9", Score: f.Score,
		Owner: "storage team", Reason: "pilot", Expires: "2026-11-02",
	}}
	if diff := cmp.Diff(want, doc.Expected); diff != "" {
		t.Error(diff)
	}
	if top := w.hunt(Hunt{Config: expect("", today)}); len(top.Findings) != 0 || len(top.Expected) != 1 {
		t.Errorf("with --top: %d findings, %d expected", len(top.Findings), len(top.Expected))
	}

	doc = w.budgeted("", expect("ws1", today.AddDate(0, 0, -1)))
	says := slices.ContainsFunc(doc.Summary.Lacking, func(s string) bool {
		return s == "What storage team answers for expired on 2026-11-01 and is told again: sync.exe."
	})
	if len(doc.Findings) != 1 || len(doc.Expected) != 0 || !says {
		t.Errorf("expired: %d findings, %d expected, lacking %q", len(doc.Findings), len(doc.Expected), doc.Summary.Lacking)
	}

	w.contact(2, morning.Add(time.Hour))
	if doc = w.budgeted("", expect("ws1", today)); len(doc.Findings) != 1 || len(doc.Findings[0].Hosts) != 2 {
		t.Errorf("on a host that nobody spoke of: %d findings", len(doc.Findings))
	}
}

// TestEveryClusterIsAccountedFor: told, told before, expected, standing and not
// listed are all there is, and what the office's budget leaves out is said.
func TestEveryClusterIsAccountedFor(t *testing.T) {
	whole := huntOffice(t)
	c := config.Default()
	c.Budget.PerDay = 2
	doc := hunt(t, Hunt{Inputs: officeParts, Networks: networks(t), MinScore: math.Inf(-1), Budgeted: true, Config: c})
	s := &doc.Summary
	sum := len(doc.Findings) + len(doc.ToldBefore) + len(doc.Expected) + len(doc.Standing) + s.FindingsUnlisted
	if sum != len(whole.Findings) || s.FindingsOver != s.FindingsUnlisted || s.Budget == nil || len(doc.Findings) != *s.Budget {
		t.Errorf("%d findings of a budget of %v, %d in all, %d over it; want %d in all",
			len(doc.Findings), s.Budget, sum, s.FindingsOver, len(whole.Findings))
	}
	programs := make(map[string]int)
	for i, f := range doc.Findings {
		programs[f.Program.Identity]++
		if f.Tier != finding.Budget || f.QValue != nil || f.Update != nil {
			t.Errorf("rank %d: tier %q, q %v, update %v", f.Rank, f.Tier, f.QValue, f.Update)
		}
		if w := whole.Findings[f.Rank-1]; w.ID != f.ID || i > 0 && doc.Findings[i-1].Rank >= f.Rank {
			t.Errorf("rank %d is %s of all and %s of the budget", f.Rank, w.ID, f.ID)
		}
	}
	for p, n := range programs {
		if p != "" && n > int(c.Budget.PerProgramShare*float64(*s.Budget)) {
			t.Errorf("%s takes %d of %d", p, n, *s.Budget)
		}
	}
	for _, f := range doc.Standing {
		if w := whole.Findings[f.Rank-1]; w.ID != f.ID || w.Sessions != f.Sessions || len(w.Hosts) != f.Hosts || !cmp.Equal(w.BytesOut, f.BytesOut) {
			t.Errorf("standing %+v is %s with %d sessions on %d hosts", f, w.ID, w.Sessions, len(w.Hosts))
		}
	}
	if len(doc.Standing) == 0 {
		t.Error("nothing is standing")
	}
}

// TestAMassDeploymentIsOneFinding: one unsigned program on forty hosts, in the
// profiles of as many users, is told once.
func TestAMassDeploymentIsOneFinding(t *testing.T) {
	w := newTelemetry(t)
	for i := range 40 {
		host, src := fmt.Sprint("ws", i), fmt.Sprint("10.0.0.", i+1)
		w.connect(host, morning, 7, `C:\Program Files\Google\Chrome\Application\chrome.exe`, src, 50000)
		w.connect(host, morning.Add(5*24*time.Hour), 8, fmt.Sprintf(`C:\Users\user%d\AppData\Local\Temp\x.exe`, i), src, 50001)
	}
	doc := w.budgeted("", config.Default())
	told := 0
	for _, f := range doc.Findings {
		if f.Program.Name == "x.exe" {
			told++
			if len(f.Hosts) != 40 {
				t.Errorf("on %d hosts", len(f.Hosts))
			}
		}
	}
	if told != 1 || len(doc.NewPrograms) != 1 || doc.NewPrograms[0].Hosts != 40 {
		t.Errorf("%d findings, new programs %+v", told, doc.NewPrograms)
	}
}
