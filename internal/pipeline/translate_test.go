package pipeline

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/report"
)

const natAddress = "203.0.113.50"

// A branch writes an office behind an address translation: what the hosts say
// with their own addresses, and the sensor with the one outside.
type branch struct {
	*telemetry
	rand  *rand.Rand
	flows int
}

func newBranch(t *testing.T) *branch {
	b := &branch{telemetry: newTelemetry(t), rand: rand.New(rand.NewPCG(1, 2))}
	b.add("conn.log", connHeader)
	return b
}

func (b *branch) wire(at time.Time, src string, far int) {
	b.flows++
	b.add("conn.log", fmt.Sprintf("%d.%06d\tC%d\t%s\t%d\t198.51.100.%d\t443\ttcp\tssl\t3.0\t1000\t100\n",
		at.Unix(), at.Nanosecond()/1000, b.flows, src, 1024+b.flows, far))
}

func (b *branch) endpoint(host, src string, at time.Time, far int) {
	b.sysmon(host, 3, at, fmt.Sprintf(`"ProcessGuid":"{00000000-0000-0000-0000-000000000007}","ProcessId":7,"Image":"C:\\Program Files\\%s\\app.exe",`+
		`"Protocol":"tcp","Initiated":true,"SourceIp":%q,"SourcePort":%d,"DestinationIp":"198.51.100.%d","DestinationPort":443`,
		host, src, 50000+b.record, far))
}

// live opens n connections of the host to far ends of its own, whose clock is
// off.
func (b *branch) live(host, src string, n, far int, off time.Duration) {
	for i := range n {
		at := morning.Add(time.Duration(b.rand.Int64N(int64(3 * time.Hour))))
		b.wire(at, natAddress, far+i%20)
		b.endpoint(host, src, at.Add(off+1200*time.Millisecond), far+i%20)
	}
}

// natOffice is a branch of three hosts, of which two clocks are off, with a
// fourth that says nothing, and an office whose addresses the sensor sees.
func natOffice(t *testing.T) *branch {
	b := newBranch(t)
	b.live("n1", "10.1.0.1", 40, 0, 0)
	b.live("n2", "10.1.0.2", 40, 20, 3*time.Hour)
	b.live("n3", "10.1.0.3", 40, 40, -90*time.Second)
	b.endpoint("n2", "10.1.0.2", morning.Add(4*time.Hour), 99) // without a flow
	for i := range 10 {
		b.wire(morning.Add(time.Duration(i)*11*time.Minute), natAddress, 100+i)
		at := morning.Add(time.Duration(i) * 7 * time.Minute)
		b.flow("conn.log", fmt.Sprint("D", i), at, "10.2.0.1", 50000+i, 10)
		b.connect("o1", at, 7, `C:\app.exe`, "10.2.0.1", 50000+i)
	}
	b.add("conn.log", fmt.Sprintf("%d.5\tP1\t%s\t999\t198.51.100.7\t80\ttcp\thttp\t3.0\t1000\t100\n", morning.Unix(), natAddress))
	return b
}

func (b *branch) ledger(h Hunt) *finding.Ledger {
	b.t.Helper()
	h.Inputs, h.Networks = append(h.Inputs, b.dir), networks(b.t)
	l, err := h.Ledger(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return l
}

func TestFlowsBehindNATFindTheirOwners(t *testing.T) {
	l := natOffice(t).ledger(Hunt{rows: 30})
	want := []finding.Translator{{
		Address: natAddress, FlowsJoined: 120, FlowsBehind: 11,
		Hosts: []finding.Translated{
			{Name: "n1", Address: "10.1.0.1", Pairs: 40, Explained: 1},
			{Name: "n2", Address: "10.1.0.2", Pairs: 40, Explained: 0.975}, // one is without a flow
			{Name: "n3", Address: "10.1.0.3", Pairs: 40, Explained: 1},
		},
	}}
	if diff := cmp.Diff(want, l.Translators, cmpopts.EquateApprox(0, 0.001)); diff != "" {
		t.Error(diff)
	}
	total := &l.Total
	for _, c := range []struct {
		name string
		got  map[string]int64
		want map[string]int64
	}{
		{"flows", total.ByRung, map[string]int64{"exact": 10, "tuple": 120, "none": 11}},
		{"reasons", total.UnownedBy, map[string]int64{"behind NAT": 11}},
		{"connects", total.ConnectOutcomes, map[string]int64{"joined": 130, "no-wire": 1}},
		{"sessions", total.SessionsByRung, map[string]int64{"exact": 10, "tuple": 120, "none": 10, "endpoint": 1}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	addUp(t, l)
	var text bytes.Buffer
	if err := report.LedgerText(&text, l, report.Options{}); err != nil {
		t.Fatal(err)
	}
	if line := "behind NAT at " + natAddress + ": n1, n2, n3; 120 flows joined across it, 11 not\n"; !strings.Contains(text.String(), line) {
		t.Errorf("the text does not say %q:\n%s", line, text.String())
	}
	for _, h := range l.Hosts {
		if h.Name == "n2" && (h.First.Before(morning) || h.Last.After(morning.Add(3*time.Hour))) {
			t.Errorf("the sessions of n2 are from %v to %v, off the wire's clock", h.First, h.Last)
		}
	}
}

// addUp checks that the accounts of hosts, of sensors and of hours each add up
// to the total.
func addUp(t *testing.T, l *finding.Ledger) {
	t.Helper()
	parts := map[string][]finding.Account{}
	for _, a := range l.Hosts {
		parts["hosts"] = append(parts["hosts"], a.Account)
	}
	for _, a := range l.Sensors {
		parts["sensors"] = append(parts["sensors"], a.Account)
	}
	for _, a := range l.Hours {
		parts["hours"] = append(parts["hours"], a.Account)
	}
	counts := func(a finding.Account) map[string]int64 {
		m := map[string]int64{"flows": a.Flows, "connects": a.Connects, "sessions": a.Sessions, "bytes": a.BytesOut, "no bytes": a.SessionsNoBytes}
		for _, by := range []map[string]int64{a.ByRung, a.FlowsByKind, a.UnownedBy, a.ConnectOutcomes, a.SessionsByRung} {
			for k, n := range by {
				m[k] += n
			}
		}
		return m
	}
	for name, accounts := range parts {
		sum := make(map[string]int64)
		for _, a := range accounts {
			for k, n := range counts(a) {
				if n < 0 {
					t.Errorf("%s: %d %s", name, n, k)
				}
				sum[k] += n
			}
		}
		maps.DeleteFunc(sum, func(_ string, n int64) bool { return n == 0 })
		want := counts(l.Total)
		maps.DeleteFunc(want, func(_ string, n int64) bool { return n == 0 })
		if diff := cmp.Diff(want, sum); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestFindingsBehindNAT: a session across a translation is one session of its
// program, with its bytes and its owner.
func TestFindingsBehindNAT(t *testing.T) {
	doc := natOffice(t).hunt(Hunt{rows: 30})
	sessions := make(map[string]int64)
	for _, f := range doc.Findings {
		for _, h := range f.Hosts {
			sessions[h] += f.Sessions
		}
		if slices.Equal(f.Hosts, []string{"n1"}) && (f.Rungs["tuple"] != f.Sessions || f.BytesOut == nil || *f.BytesOut != 1000*f.Sessions || f.Program.Name != "app.exe") {
			t.Errorf("finding is %+v", f)
		}
	}
	want := map[string]int64{"n1": 40, "n2": 41, "n3": 40, "o1": 10, natAddress: 10}
	if diff := cmp.Diff(want, sessions); diff != "" {
		t.Errorf("sessions: %s", diff)
	}
	if doc.Summary.Sessions != 141 {
		t.Errorf("%d sessions, want 141", doc.Summary.Sessions)
	}
	for _, h := range doc.Summary.Hosts {
		if h.Name == "n2" && (h.ClockOffset == nil || *h.ClockOffset < 3*3600 || *h.ClockOffset > 3*3600+2) {
			t.Errorf("the clock of n2 is %+v", h)
		}
	}
}

// TestTranslationsAreFoundAlike: neither the groups nor the workers nor the
// order of the inputs changes a byte.
func TestTranslationsAreFoundAlike(t *testing.T) {
	b := natOffice(t)
	text := func(l *finding.Ledger) string {
		l.Inputs = nil
		var out bytes.Buffer
		if err := report.JSON(&out, l); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	want := text(b.ledger(Hunt{Workers: 1}))
	files := []string{b.dir + "/n3.jsonl", b.dir + "/conn.log", b.dir + "/o1.jsonl", b.dir + "/n1.jsonl"}
	for name, h := range map[string]Hunt{
		"small groups":                   {rows: 20, Workers: 1},
		"small groups, four workers":     {rows: 20, Workers: 4},
		"another order, and files twice": {rows: 20, Workers: 3, Inputs: files},
	} {
		if diff := cmp.Diff(want, text(b.ledger(h))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
