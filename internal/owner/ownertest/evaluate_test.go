package ownertest

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/owner"
)

func join(w owner.Window) owner.Result { return owner.Join(w, owner.Defaults()) }

// TestFloors holds the join to what it reaches. A rung fails when even the
// upper bound of its precision is below the floor.
func TestFloors(t *testing.T) {
	recall := map[string]float64{ // of scenarios that hide nothing the exact rung needs
		"nothing": 0.99, "5%": 0.99, "30%-connects": 0.99, "clock-days": 0.99, "clock-zones": 0.99, "clock-step": 0.99,
		"clock-drift": 0.9, "wrong-pairs": 0.99, "proxy-wire": 0.99, "proxy-log": 0.98, "dhcp": 0.99, "vpn": 0.99, "two-sites": 0.99,
		"nat": 0.95, "nat-5%": 0.95, "nat-blind": 0.95, "nat-clocks": 0.95, "nat-ports": 0.97, "nat-one": 0.95, "nat-half": 0.9, "nat-site": 0.95,
		"squid": 0.95, "squid-ahead": 0.88, "squid-5%": 0.85, "squid-clock": 0.88, "squid-wire": 0.98, "native-wire": 0.99,
	}
	for _, s := range Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			table := Evaluate(s.Estate(small()), join)
			floors := map[event.Rung]float64{
				event.RungNative: 0.999, event.RungExact: 0.999, event.RungTuple: 0.99,
				event.RungProxy: 0.99, event.RungLookup: 0.97, event.RungInferred: 0.95,
			}
			for rung, floor := range floors {
				if r := table.Of(rung); below(r, floor) {
					t.Errorf("%s: %+v is below %v", rung, r, floor)
				}
			}
			if got := table.Recall(); got < recall[s.Name] {
				t.Errorf("recall is %.4f, want %v: %+v", got, recall[s.Name], table)
			}
			if r := table.Of(event.RungEndpoint); r.Wrong > 0 {
				t.Errorf("endpoint: %+v", r)
			}
			if table.Invented > 0 {
				t.Errorf("%d sessions stand for nothing", table.Invented)
			}
		})
	}
}

func below(r Row, floor float64) bool {
	_, _, hi := r.Precision()
	return hi < floor
}

func TestNothingHiddenNothingWrong(t *testing.T) {
	table := Evaluate(Generate(small()), join)
	r := table.Of(event.RungExact)
	// Of two instances of one program, Sysmon and Security may name one each.
	if r.Wrong != r.Siblings || r.Siblings > 2 || r.Right < 2000 {
		t.Errorf("exact: %+v", r)
	}
	if table.Recall() < 0.99 || table.Unseen != 0 {
		t.Errorf("recall %.4f, %d flows without session", table.Recall(), table.Unseen)
	}
	if r.Misled*100 > r.Named {
		t.Errorf("%d of %d are misled: more than Sysmon errs", r.Misled, r.Named)
	}
	if _, most := table.clockError(); most.Seconds() > 1 {
		t.Errorf("a clock's estimate is off by %v", most)
	}
}

// TestEvaluateTellsRightFromWrong gives it joins whose faults are known.
func TestEvaluateTellsRightFromWrong(t *testing.T) {
	c := small()
	c.SecurityOnly, c.SysmonOnly, c.Blind = 1, 0, 0 // no false witness
	e := Generate(c)
	// oracle makes a session of each TLS flow, which fault then spoils.
	oracle := func(fault func(s *event.Session) bool) func(owner.Window) owner.Result {
		at := -1
		return func(w owner.Window) (r owner.Result) {
			at++
			for i := range w.Events.Flows {
				f := e.Groups[at].Truth.Flows[w.Events.Flows[i].UID]
				if !f.TLS {
					continue
				}
				s := event.Session{UID: f.UID, Rung: event.RungExact, Host: f.Process.Host, PID: f.Process.PID, Image: f.Process.Image, Start: f.Start}
				if fault(&s) {
					r.Sessions = append(r.Sessions, s)
				}
			}
			return r
		}
	}
	var flows int64
	for name, c := range map[string]struct {
		fault func(s *event.Session) bool
		check func(t *Table, r Row) bool
	}{
		"all right": {
			func(*event.Session) bool { return true },
			func(t *Table, r Row) bool { return r.Right == t.Flows && t.Recall() == 1 && t.Unseen == 0 },
		},
		"another host": {
			func(s *event.Session) bool { s.Host = "other"; return true },
			func(t *Table, r Row) bool {
				return r.Wrong == t.Flows && r.Right == 0 && t.Recall() == 0 && len(r.Examples) == maxExamples
			},
		},
		"another instance": {
			func(s *event.Session) bool { s.PID++; return true },
			func(t *Table, r Row) bool { return r.Wrong == t.Flows },
		},
		"another program": {
			func(s *event.Session) bool { s.Image = `C:\Windows\other.exe`; return true },
			func(t *Table, r Row) bool { return r.Wrong == t.Flows },
		},
		"no name": {
			func(s *event.Session) bool { s.Image = ""; return true },
			func(t *Table, r Row) bool { return r.Flows == t.Flows && r.Named == 0 && t.Joined == 0 },
		},
		"no session": {
			func(*event.Session) bool { return false },
			func(t *Table, r Row) bool { return t.Unseen == t.Flows && r.Flows == 0 },
		},
	} {
		table := Evaluate(e, oracle(c.fault))
		if flows = table.Flows; flows == 0 || table.Joinable*10 < flows*9 {
			t.Fatalf("%d flows, %d joinable", flows, table.Joinable)
		}
		if r := table.Of(event.RungExact); !c.check(&table, r) {
			t.Errorf("%s: %+v", name, table)
		}
	}
}

func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n   int64
		lo, hi float64 // published: Newcombe 1998, table I, method 3
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0, 0.1611},
		{1, 29, 0.0061, 0.1718},
	} {
		_, lo, hi := wilson(c.k, c.n)
		if math.Abs(lo-c.lo) > 5e-5 || math.Abs(hi-c.hi) > 5e-5 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", c.k, c.n, lo, hi, c.lo, c.hi)
		}
	}
}

func TestTableIsWritten(t *testing.T) {
	e := Generate(small())
	e.Name = "some"
	table := Evaluate(e, join)
	var text strings.Builder
	if err := Write(&text, []Table{table}, 1); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "some     exact") {
		t.Errorf("no row in:\n%s", text.String())
	}
	b, err := json.Marshal([]Table{table, {}}) // an empty one has no numbers
	if err != nil {
		t.Fatal(err)
	}
	var back []struct {
		Recall *float64
		Rungs  []struct{ Rung string }
	}
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if back[0].Recall == nil || back[1].Recall != nil || len(back[0].Rungs) == 0 {
		t.Errorf("JSON is %s", b)
	}
}
