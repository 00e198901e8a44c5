package owner

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/inventory"
)

const t0 = event.Time(1_700_000_000_000_000)

func at(seconds float64) event.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }

func networks(t testing.TB) inventory.Networks {
	t.Helper()
	n, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// An evidence is a window under construction. Its host is "h" at 10.0.0.1.
type evidence struct {
	event.Batch
	uid int
}

const (
	client = "10.0.0.1"
	server = "203.0.113.7"
)

// flow adds an HTTPS flow from the port.
func (e *evidence) flow(s float64, port uint16) *event.Flow {
	e.uid++
	e.Flows = append(e.Flows, event.Flow{
		Sensor: "zeek", Time: at(s), UID: fmt.Sprintf("C%d", e.uid), Proto: event.TCP,
		Src:      netip.AddrPortFrom(netip.MustParseAddr(client), port),
		Dst:      netip.AddrPortFrom(netip.MustParseAddr(server), 443),
		Duration: 1_000_000, BytesOut: 1000, BytesIn: 5000, Service: "ssl",
	})
	return &e.Flows[len(e.Flows)-1]
}

// connect adds a connect from the port, by app.exe with PID 7.
func (e *evidence) connect(s float64, port uint16, source event.Source) *event.Connect {
	e.Connects = append(e.Connects, event.Connect{
		Host: "h", Time: at(s), Source: source, PID: 7, Image: `C:\Program Files\App\app.exe`, Proto: event.TCP,
		Src:      netip.AddrPortFrom(netip.MustParseAddr(client), port),
		Dst:      netip.AddrPortFrom(netip.MustParseAddr(server), 443),
		Outbound: true,
	})
	return &e.Connects[len(e.Connects)-1]
}

func (e *evidence) lookup(s float64, name string, pid uint32, image string) {
	e.Lookups = append(e.Lookups, event.Lookup{
		Host: "h", Time: at(s), Source: event.Sysmon, PID: pid, Image: image, Name: name,
		Answers: []netip.Addr{netip.MustParseAddr(server)},
	})
}

func (e *evidence) join(t testing.TB) Result {
	t.Helper()
	byTime := cmp.Compare[event.Time]
	slices.SortFunc(e.Flows, func(a, b event.Flow) int {
		return cmp.Or(byTime(a.Time, b.Time), cmp.Compare(a.Key(), b.Key()))
	})
	slices.SortFunc(e.Connects, func(a, b event.Connect) int {
		return cmp.Or(byTime(a.Time, b.Time), cmp.Compare(a.Key(), b.Key()))
	})
	slices.SortFunc(e.Lookups, func(a, b event.Lookup) int {
		return cmp.Or(byTime(a.Time, b.Time), cmp.Compare(a.Key(), b.Key()))
	})
	r := Join(Window{Events: &e.Batch, Networks: networks(t)}, Defaults())
	checkLedger(t, &e.Batch, &r.Ledger)
	return r
}

// checkLedger checks that each flow and connect is accounted for once.
func checkLedger(t testing.TB, b *event.Batch, l *Ledger) {
	t.Helper()
	if want := int64(len(b.Flows)) + l.HandshakesAlone + l.RequestsAlone; l.Flows != want {
		t.Errorf("the ledger has %d flows, want %d", l.Flows, want)
	}
	if l.Connects != int64(len(b.Connects)) {
		t.Errorf("the ledger has %d connects, want %d", l.Connects, len(b.Connects))
	}
	var unowned int64
	for r, n := range l.ByRung() {
		if !r.Owned() {
			unowned += n
		}
	}
	var hosts, sensors, hours Account
	for _, a := range l.Hosts {
		hosts.add(a)
	}
	for _, a := range l.Sensors {
		sensors.add(a)
	}
	for _, a := range l.Hours {
		hours.add(a)
	}
	for by, a := range map[string]Account{"host": hosts, "sensor": sensors, "hour": hours} {
		if a != l.Account {
			t.Errorf("the accounts by %s do not add up:\n%+v\n%+v", by, a, l.Account)
		}
	}
	for name, pair := range map[string][2]int64{
		"flows by rung":    {total(l.ByRung()), l.Flows},
		"flows by kind":    {total(l.ByKind()), l.Flows},
		"unowned flows":    {total(l.Unowned()), unowned},
		"connect outcomes": {total(l.ByOutcome()), l.Connects},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s add up to %d, want %d", name, pair[0], pair[1])
		}
	}
}

func total[K comparable](m map[K]int64) int64 {
	var n int64
	for _, v := range m {
		n += v
	}
	return n
}

// summary is what a test looks at of a session.
type summary struct {
	Rung    event.Rung
	PID     uint32
	Program string
	Bytes   event.Count
}

func summaries(r Result) []summary {
	var all []summary
	for _, s := range r.Sessions {
		all = append(all, summary{s.Rung, s.PID, s.Program, s.BytesOut})
	}
	return all
}

const app = `%programfiles%\app\app.exe`

func TestJoin(t *testing.T) {
	for _, c := range []struct {
		name     string
		evidence func(e *evidence)
		sessions []summary
		outcomes map[Outcome]int64
		unowned  map[Reason]int64
	}{
		{
			name: "exact",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				e.connect(1.5, 50000, event.Sysmon)
			},
			sessions: []summary{{event.RungExact, 7, app, 1000}},
			outcomes: map[Outcome]int64{Joined: 1},
		},
		{
			name: "two sources make one session",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				e.connect(0, 50000, event.Security)
				e.connect(1.5, 50000, event.Sysmon)
			},
			sessions: []summary{{event.RungExact, 7, app, 1000}},
			outcomes: map[Outcome]int64{Joined: 2},
		},
		{
			name: "a port used again goes to the nearest flow",
			evidence: func(e *evidence) {
				e.flow(0, 50000).BytesOut = 1
				e.flow(30, 50000).BytesOut = 2
				e.connect(1, 50000, event.Sysmon).PID = 1
				e.connect(31, 50000, event.Sysmon).PID = 2
			},
			sessions: []summary{{event.RungExact, 1, app, 1}, {event.RungExact, 2, app, 2}},
			outcomes: map[Outcome]int64{Joined: 2},
		},
		{
			name: "who accepts is not the owner",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				k := e.connect(1, 50000, event.Sysmon)
				k.Host, k.Outbound = "server", false
			},
			sessions: []summary{{event.RungNone, 0, "", 1000}},
			outcomes: map[Outcome]int64{Accepted: 1},
			unowned:  map[Reason]int64{NoTelemetry: 1},
		},
		{
			name: "a PID alone does not name an unknown process",
			evidence: func(e *evidence) {
				e.Starts = append(e.Starts, event.ProcessStart{Host: "h", Time: at(-100), Source: event.Security, PID: 7, Image: "old.exe"})
				e.Stops = append(e.Stops, event.ProcessStop{Host: "h", Time: at(500), Source: event.Security, PID: 7})
				e.flow(0, 50000)
				e.connect(1, 50000, event.Sysmon).Image = ""
			},
			sessions: []summary{{event.RungExact, 7, "", 1000}},
			outcomes: map[Outcome]int64{Joined: 1},
		},
		{
			name: "the scrap of a connection does not take its connect",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				scrap := e.flow(12, 50000)
				scrap.BytesIn, scrap.BytesOut, scrap.Service = 0, event.Unknown, ""
				e.connect(9, 50000, event.Security)
			},
			sessions: []summary{{event.RungExact, 7, app, 1000}},
			outcomes: map[Outcome]int64{Joined: 1},
			unowned:  map[Reason]int64{ClockUnknown: 1},
		},
		{
			name: "too far apart",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				e.flow(1000, 50001)
				e.connect(1001, 50001, event.Sysmon)
				e.connect(500, 50000, event.Sysmon)
			},
			sessions: []summary{
				{event.RungHost, 0, "", 1000},
				{event.RungEndpoint, 7, app, event.Unknown},
				{event.RungExact, 7, app, 1000},
			},
			outcomes: map[Outcome]int64{Joined: 1, MissedFlow: 1},
			unowned:  map[Reason]int64{OlderThanLog: 1},
		},
		{
			name: "SYN retries are one attempt",
			evidence: func(e *evidence) {
				e.flow(-600, 1)
				e.flow(600, 2)
				for _, s := range []float64{0, 8, 16} {
					e.connect(s, 50000, event.Security)
				}
			},
			sessions: []summary{{event.RungHost, 0, "", 1000}, {event.RungHost, 0, "", 1000}},
			outcomes: map[Outcome]int64{Attempt: 1, Repeated: 2},
			unowned:  map[Reason]int64{ClockUnknown: 2},
		},
		{
			name: "SYN retries of a flow that came about repeat it",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				e.connect(0, 50000, event.Security)
				e.connect(8, 50000, event.Security)
			},
			sessions: []summary{{event.RungExact, 7, app, 1000}},
			outcomes: map[Outcome]int64{Joined: 1, Repeated: 1},
		},
		{
			name: "endpoint only: the process is known, the bytes are not",
			evidence: func(e *evidence) {
				e.connect(0, 50000, event.Sysmon)
				e.connect(0, 50001, event.Security)
				e.connect(1, 50001, event.Sysmon)
			},
			sessions: []summary{{event.RungEndpoint, 7, app, event.Unknown}, {event.RungEndpoint, 7, app, event.Unknown}},
			outcomes: map[Outcome]int64{NoWire: 2, SecondWord: 1},
		},
		{
			name: "wire only: nothing is claimed",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
			},
			sessions: []summary{{event.RungNone, 0, "", 1000}},
			unowned:  map[Reason]int64{NoTelemetry: 1},
		},
		{
			name: "an unknown process never becomes a program",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				e.connect(1, 50000, event.Sysmon).Image = ""
			},
			sessions: []summary{{event.RungExact, 7, "", 1000}},
			outcomes: map[Outcome]int64{Joined: 1},
		},
		{
			name: "Security is believed where two sources differ",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				e.connect(1, 50000, event.Sysmon).Image = `C:\Program Files\Other\other.exe`
				e.connect(0, 50000, event.Security).PID = 9
			},
			sessions: []summary{{event.RungExact, 9, app, 1000}},
			outcomes: map[Outcome]int64{Joined: 2},
		},
		{
			name: "tuple: a connect without its port, where nothing else fits",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				e.connect(0, 0, event.Security)
				e.connect(1, 0, event.Sysmon)
				e.connect(8, 0, event.Security)
			},
			sessions: []summary{{event.RungTuple, 7, app, 1000}},
			outcomes: map[Outcome]int64{Joined: 2, Repeated: 1},
		},
		{
			name: "tuple abstains where two processes fit",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				e.connect(1, 0, event.Sysmon).PID = 8
				e.connect(2, 0, event.Sysmon).PID = 9
			},
			sessions: []summary{
				{event.RungHost, 0, "", 1000},
				{event.RungEndpoint, 8, app, event.Unknown},
				{event.RungEndpoint, 9, app, event.Unknown},
			},
			outcomes: map[Outcome]int64{NoWire: 2},
			unowned:  map[Reason]int64{ClockUnknown: 1},
		},
		{
			name: "tuple abstains where two flows fit",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				e.flow(5, 50001)
				e.connect(1, 0, event.Sysmon)
			},
			sessions: []summary{
				{event.RungHost, 0, "", 1000},
				{event.RungEndpoint, 7, app, event.Unknown},
				{event.RungHost, 0, "", 1000},
			},
			outcomes: map[Outcome]int64{MissedFlow: 1},
			unowned:  map[Reason]int64{ClockUnknown: 2},
		},
		{
			name: "an unnamed owner of Sysmon's is named by Security",
			evidence: func(e *evidence) {
				e.flow(0, 50000)
				e.connect(1, 50000, event.Sysmon).Image = ""
				e.connect(0, 50000, event.Security)
			},
			sessions: []summary{{event.RungExact, 7, app, 1000}},
			outcomes: map[Outcome]int64{Joined: 2},
		},
		{
			name: "lookup: the only process that asked",
			evidence: func(e *evidence) {
				e.connect(-100, 1, event.Sysmon)
				e.flow(0, 50000)
				e.lookup(-1, "far.example", 8, `C:\Windows\System32\svc.exe`)
			},
			sessions: []summary{
				{event.RungEndpoint, 7, app, event.Unknown},
				{event.RungLookup, 8, `%system%\svc.exe`, 1000},
			},
			outcomes: map[Outcome]int64{NoWire: 1},
		},
		{
			name: "lookup abstains when another process asked too",
			evidence: func(e *evidence) {
				e.connect(-100, 1, event.Sysmon)
				e.connect(100, 2, event.Sysmon)
				e.flow(0, 50000)
				e.lookup(-300, "far.example", 8, `C:\Windows\System32\svc.exe`)
				e.lookup(-1, "far.example", 9, `C:\Windows\System32\other.exe`)
			},
			sessions: []summary{
				{event.RungEndpoint, 7, app, event.Unknown},
				{event.RungHost, 0, "", 1000},
				{event.RungEndpoint, 7, app, event.Unknown},
			},
			outcomes: map[Outcome]int64{NoWire: 2},
			unowned:  map[Reason]int64{NoEvent: 1},
		},
		{
			name: "Sysmon's UDP connects count once per flow",
			evidence: func(e *evidence) {
				f := e.flow(0, 50000)
				f.Proto, f.Service, f.Duration = event.UDP, "quic", 300_000_000
				for _, s := range []float64{1, 40, 150, 290} {
					e.connect(s, 50000, event.Sysmon).Proto = event.UDP
				}
			},
			sessions: []summary{{event.RungExact, 7, app, 1000}},
			outcomes: map[Outcome]int64{Joined: 1, Repeated: 3},
		},
		{
			name: "unknown bytes stay unknown",
			evidence: func(e *evidence) {
				e.flow(0, 50000).BytesOut = event.Unknown
				e.connect(1, 50000, event.Sysmon)
			},
			sessions: []summary{{event.RungExact, 7, app, event.Unknown}},
			outcomes: map[Outcome]int64{Joined: 1},
		},
		{
			name: "plain HTTP is no session",
			evidence: func(e *evidence) {
				e.flow(0, 50000).Service = "http"
				e.connect(1, 50000, event.Sysmon)
			},
			outcomes: map[Outcome]int64{Joined: 1},
		},
		{
			name: "nothing carried is an attempt",
			evidence: func(e *evidence) {
				f := e.flow(0, 50000)
				f.BytesIn, f.BytesOut, f.Service = 0, 0, ""
				e.connect(1, 50000, event.Sysmon)
			},
			outcomes: map[Outcome]int64{Joined: 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e evidence
			c.evidence(&e)
			r := e.join(t)
			if diff := gocmp.Diff(c.sessions, summaries(r)); diff != "" {
				t.Error("sessions:", diff)
			}
			if diff := gocmp.Diff(c.outcomes, r.Ledger.ByOutcome(), cmpopts.EquateEmpty()); diff != "" {
				t.Error("outcomes:", diff)
			}
			if diff := gocmp.Diff(c.unowned, r.Ledger.Unowned(), cmpopts.EquateEmpty()); diff != "" {
				t.Error("unowned:", diff)
			}
		})
	}
}

// TestPortUsedAgainWhoseFlowIsLost: another source's word on the next connect
// of the port is not this flow's.
func TestPortUsedAgainWhoseFlowIsLost(t *testing.T) {
	var e evidence
	for i := range 5 { // for the clocks
		s, port := float64(i+1)*1000, uint16(50001+i)
		e.flow(s, port)
		e.connect(s, port, event.Security)
		e.connect(s+1, port, event.Sysmon)
	}
	e.flow(0, 50000)
	e.connect(1, 50000, event.Sysmon)
	e.connect(42, 50000, event.Security).PID = 9
	r := e.join(t)
	if s := r.Sessions[0]; s.PID != 7 || s.Rung != event.RungExact {
		t.Errorf("got %s by PID %d", s.Rung, s.PID)
	}
}

func TestContradictionIsKept(t *testing.T) {
	var e evidence
	e.flow(0, 50000)
	e.connect(1, 50000, event.Sysmon).Image = `C:\Program Files\Other\other.exe`
	e.connect(0, 50000, event.Security)
	r := e.join(t)
	if r.Ledger.Contradictory != 1 || r.Sessions[0].OtherImage != `C:\Program Files\Other\other.exe` {
		t.Errorf("%d contradictory, session %+v", r.Ledger.Contradictory, r.Sessions[0])
	}
}

func TestFloodOfOneTupleIsBounded(t *testing.T) {
	var e evidence
	for i := range 20_000 {
		e.flow(float64(i)/1000, 50000)
		e.connect(float64(i)/1000, 50000, event.Sysmon)
	}
	begin := time.Now()
	e.join(t)
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("%s for 20,000 flows of one tuple", took)
	}
}

func TestInferredFromTheHostsHistory(t *testing.T) {
	for _, c := range []struct {
		name   string
		others int    // sessions of another program, of 20, with the same trait
		ja4    string // of the session without an event
		want   event.Rung
	}{
		{"one program only", 0, "t13d1516h2_a", event.RungInferred},
		{"two programs", 6, "t13d1516h2_a", event.RungHost},
		{"another client", 0, "t13d1516h2_b", event.RungHost},
		{"no fingerprint", 0, "", event.RungHost},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e evidence
			for i := range 21 {
				f := e.flow(float64(i)*1000, uint16(50000+i))
				h := event.Handshake{UID: f.UID, Time: f.Time, Src: f.Src, Dst: f.Dst, SNI: "far.example", JA4: "t13d1516h2_a"}
				if i == 10 { // lost by the endpoint
					h.JA4 = c.ja4
				} else if k := e.connect(float64(i)*1000, uint16(50000+i), event.Sysmon); i < c.others {
					k.Image = `C:\Program Files\Other\other.exe`
				}
				e.Handshakes = append(e.Handshakes, h)
			}
			r := e.join(t)
			s := r.Sessions[10]
			if s.Rung != c.want || c.want == event.RungInferred && (s.Program != app || s.PID != 0) {
				t.Errorf("got %s by %q", s.Rung, s.Program)
			}
		})
	}
}

func TestOffsetOfDaysIsFoundAndTakenOff(t *testing.T) {
	for _, offset := range []time.Duration{0, 3 * time.Second, -19 * time.Hour, 12 * 24 * time.Hour} {
		var e evidence
		for i := range 40 {
			s := float64(i) * 100
			e.flow(s, uint16(50000+i))
			k := e.connect(s, uint16(50000+i), event.Security)
			k.Time = k.Time.Add(offset + time.Duration(i%3)*time.Millisecond)
			if i%4 == 0 { // wrong pairs
				k.Time = k.Time.Add(time.Duration(i) * time.Hour)
			}
		}
		r := e.join(t)
		if len(r.Clocks) != 1 {
			t.Fatalf("%d clocks", len(r.Clocks))
		}
		c := r.Clocks[0]
		if d := (c.Offset - offset).Abs(); d > time.Second || c.Spread > time.Second {
			t.Errorf("offset %s found as %s ± %s", offset, c.Offset, c.Spread)
		}
		if n := r.Ledger.ByRung()[event.RungExact]; n < 30 {
			t.Errorf("offset %s: %d of 40 joined", offset, n)
		}
	}
}

func TestClockThatWasSetIsFollowed(t *testing.T) {
	for _, steps := range [][]time.Duration{
		{0, 10 * time.Minute},
		{-3 * time.Hour, 0, 2 * time.Second},
		{5 * time.Second, -12 * 24 * time.Hour, 5 * time.Second},
		{0, 10 * time.Minute, 0},
	} {
		var e evidence
		const each = 40
		for i := range each * len(steps) {
			s := float64(i) * 100
			e.flow(s, uint16(40000+i))
			k := e.connect(s, uint16(40000+i), event.Security)
			k.Time = k.Time.Add(steps[i/each])
		}
		r := e.join(t)
		if n := r.Ledger.ByRung()[event.RungExact]; n < int64(each*len(steps)*95/100) {
			t.Errorf("steps %v: %d of %d joined; clocks %+v", steps, n, each*len(steps), r.Clocks)
		}
	}
}

func TestFewPairsDoNotMakeAGreatOffset(t *testing.T) {
	var e evidence
	e.flow(0, 50000)
	e.connect(9000, 50000, event.Sysmon) // the port by chance, hours later
	r := e.join(t)
	if len(r.Clocks) != 0 || r.Ledger.ByRung()[event.RungExact] != 0 {
		t.Errorf("joined by one pair that is 2.5 h apart: %+v", r.Clocks)
	}
}

func TestDestinationIsNamedByTheBestSource(t *testing.T) {
	for _, c := range []struct {
		name   string
		sni    string
		asked  string
		ptr    string
		want   string
		source event.NameSource
	}{
		{"SNI", "a.example.com", "b.example.com", "ptr.example.net", "a.example.com", event.NameSNI},
		{"lookup", "", "b.example.com", "ptr.example.net", "b.example.com", event.NameLookup},
		{"PTR", "", "", "ptr.example.net", "ptr.example.net", event.NamePTR},
		{"address", "", "", "", server, event.NameAddress},
	} {
		var e evidence
		f := e.flow(0, 50000)
		e.connect(1, 50000, event.Sysmon).DstName = c.ptr
		e.Handshakes = append(e.Handshakes, event.Handshake{UID: f.UID, Time: f.Time, Src: f.Src, Dst: f.Dst, SNI: c.sni})
		if c.asked != "" {
			e.lookup(-1, c.asked, 7, "x.exe")
		}
		s := e.join(t).Sessions[0]
		if s.Name != c.want || s.NameSource != c.source {
			t.Errorf("%s: got %s by %s", c.name, s.Name, s.NameSource)
		}
	}
}

func TestProxiedSessionGoesToTheHostAskedFor(t *testing.T) {
	var e evidence
	f := e.flow(0, 50000)
	f.Dst = netip.MustParseAddrPort("10.0.0.9:3128")
	f.Service = "http,ssl"
	e.Requests = append(e.Requests, event.Request{UID: f.UID, Time: f.Time, Src: f.Src, Dst: f.Dst, Method: "CONNECT", Host: "www.example.org", Port: 443})
	r := e.join(t)
	if len(r.Sessions) != 1 || r.Sessions[0].Name != "www.example.org" || r.Sessions[0].Domain != "example.org" {
		t.Errorf("got %+v", r.Sessions)
	}
}

func TestRequestWithoutFlowStandsForIt(t *testing.T) {
	var e evidence
	proxy := netip.MustParseAddrPort("10.0.0.9:3128")
	from := netip.MustParseAddrPort(client + ":50000")
	e.connect(0, 50000, event.Security).Dst = proxy
	e.Requests = append(e.Requests, event.Request{
		Sensor: "zeek", UID: "C9", Time: at(0.2), Src: from, Dst: proxy, Method: "CONNECT", Host: "www.example.org", Port: 443,
	})
	r := e.join(t)
	if len(r.Sessions) != 1 || r.Ledger.RequestsAlone != 1 {
		t.Fatalf("%d sessions, %d requests alone", len(r.Sessions), r.Ledger.RequestsAlone)
	}
	if s := r.Sessions[0]; s.Domain != "example.org" || s.PID != 7 || s.BytesOut != event.Unknown {
		t.Errorf("got %+v", s)
	}
}

func TestHandshakeWithoutFlowStandsForIt(t *testing.T) {
	var e evidence
	e.Handshakes = append(e.Handshakes, event.Handshake{
		Sensor: "zeek", UID: "C9", Time: at(0), Proto: event.TCP, SNI: "a.example",
		Src: netip.MustParseAddrPort(client + ":50000"), Dst: netip.MustParseAddrPort(server + ":443"),
	})
	r := e.join(t)
	if len(r.Sessions) != 1 || r.Sessions[0].BytesOut != event.Unknown || r.Ledger.HandshakesAlone != 1 {
		t.Errorf("got %+v", r.Sessions)
	}
}

// TestShiftingTimeShiftsSessions is the property that no instant is special.
func TestShiftingTimeShiftsSessions(t *testing.T) {
	const day = 24 * time.Hour
	make := func(shift time.Duration) Result {
		var e evidence
		random(&e, rand.New(rand.NewPCG(1, 1)))
		for i := range e.Flows {
			e.Flows[i].Time = e.Flows[i].Time.Add(shift)
		}
		for i := range e.Connects {
			e.Connects[i].Time = e.Connects[i].Time.Add(shift)
		}
		r := e.join(t)
		for i := range r.Sessions {
			r.Sessions[i].Start = r.Sessions[i].Start.Add(-shift)
			r.Sessions[i].Key = 0 // made of the time
		}
		return r
	}
	a, b := make(0), make(day)
	addresses := cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})
	if diff := gocmp.Diff(a.Sessions, b.Sessions, addresses); diff != "" {
		t.Error("sessions:", diff)
	}
	if diff := gocmp.Diff(a.Clocks, b.Clocks); diff != "" {
		t.Error("clocks:", diff)
	}
	if diff := gocmp.Diff(a.Ledger.ByOutcome(), b.Ledger.ByOutcome()); diff != "" {
		t.Error("outcomes:", diff)
	}
}

// random fills e with evidence that is partly lost, repeated and ambiguous,
// of few ports so that tuples meet by chance.
func random(e *evidence, r *rand.Rand) {
	for i := range 300 {
		s, port := float64(i)*7+r.Float64(), uint16(50000+r.IntN(40))
		if r.IntN(10) > 0 {
			e.flow(s, port)
		}
		if r.IntN(10) > 0 {
			e.connect(s+1+r.Float64(), port, event.Sysmon).PID = uint32(i)
		}
		if r.IntN(3) == 0 {
			e.connect(s+r.Float64()/100, port, event.Security).PID = uint32(i)
		}
	}
}

func TestLedgerAddsUpOnRandomEvidence(t *testing.T) {
	for seed := range uint64(50) {
		var e evidence
		random(&e, rand.New(rand.NewPCG(seed, 7)))
		e.join(t) // checks the ledger
	}
}
