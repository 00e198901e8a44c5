package detect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern/postern/internal/event"
)

var (
	noon   = event.At(time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC))
	far    = netip.MustParseAddrPort("198.51.100.9:443")
	client = netip.MustParseAddr("10.0.0.5")
)

// session is an ordinary session with a known owner, whose key is its start.
func session(start event.Time, change ...func(*event.Session)) event.Session {
	s := event.Session{
		Key: event.Key(start), Host: "ws1", Client: client, Rung: event.RungExact,
		Program: "p", PID: 7, GUID: "g", Image: `C:\p.exe`,
		Name: "a.example", NameSource: event.NameSNI, Domain: "example", Dst: far, Proto: event.TCP,
		Start: start, Duration: 1, BytesOut: 100, BytesIn: 10, Evidence: event.TLSHandshake,
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

// one measures sessions that belong to one edge.
func one(t *testing.T, sessions ...event.Session) Edge {
	t.Helper()
	edges := Measure(sessions, Defaults())
	if len(edges) != 1 {
		t.Fatalf("%d edges, want 1: %+v", len(edges), edges)
	}
	return edges[0]
}

func lasting(d time.Duration) func(*event.Session) {
	return func(s *event.Session) { s.Duration = event.Count(d.Microseconds()) }
}

func TestHoursAndDays(t *testing.T) {
	late := noon.Add(11*time.Hour + 50*time.Minute) // 23:50
	for _, c := range []struct {
		name        string
		sessions    []event.Session
		hours, days int
		longest     time.Duration
	}{
		{"one moment", []event.Session{session(noon)}, 1, 1, time.Microsecond},
		{"twice within an hour", []event.Session{session(noon), session(noon.Add(59 * time.Minute))}, 1, 1, time.Microsecond},
		{"over an hour's end", []event.Session{session(noon.Add(59*time.Minute), lasting(2*time.Minute))}, 2, 1, 2 * time.Minute},
		{"three hours long", []event.Session{session(noon.Add(time.Minute), lasting(3*time.Hour))}, 4, 1, 3 * time.Hour},
		{"over midnight", []event.Session{session(late, lasting(20*time.Minute))}, 2, 2, 20 * time.Minute},
		{"of unknown length", []event.Session{session(late, func(s *event.Session) { s.Duration = event.Unknown })}, 1, 1, 0},
		{"overlapping sessions count an hour once", []event.Session{
			session(noon, lasting(2*time.Hour)), session(noon.Add(time.Hour), lasting(30*time.Minute)),
		}, 3, 1, 2 * time.Hour},
		{"the same hour of two days", []event.Session{session(noon), session(noon.Add(24 * time.Hour))}, 2, 2, time.Microsecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := one(t, c.sessions...)
			if e.Hours != c.hours || e.Days != c.days || e.Longest != c.longest {
				t.Errorf("%d hours, %d days, longest %v; want %d, %d, %v", e.Hours, e.Days, e.Longest, c.hours, c.days, c.longest)
			}
		})
	}
}

// TestHostileNumbers: counts that a log may name must neither overflow nor
// cost memory.
func TestHostileNumbers(t *testing.T) {
	huge := session(noon, func(s *event.Session) {
		s.BytesOut, s.BytesIn, s.Duration = math.MaxInt64, math.MaxInt64, math.MaxInt64
	})
	again := huge
	again.Key++
	e := one(t, huge, again)
	if e.BytesOut != math.MaxInt64 || e.BytesIn != math.MaxInt64 {
		t.Errorf("%d bytes out and %d in, want the largest number", e.BytesOut, e.BytesIn)
	}
	if e.Hours < 24 || e.Hours > 32*24 || e.Days < 1 || e.Days > 32 {
		t.Errorf("an endless session overlaps %d hours on %d days, want about a month", e.Hours, e.Days)
	}
	if e.Longest <= 0 {
		t.Errorf("the longest session lasts %v", e.Longest)
	}
}

func TestUnknownBytesAreNotZero(t *testing.T) {
	unknown := func(s *event.Session) { s.BytesOut, s.BytesIn = event.Unknown, event.Unknown }
	e := one(t, session(noon), session(noon+1, unknown), session(noon+2, unknown))
	if e.Sessions != 3 || e.UnknownBytes != 2 || e.BytesOut != 100 || e.BytesIn != 10 {
		t.Errorf("%d sessions, %d unknown, %d out, %d in", e.Sessions, e.UnknownBytes, e.BytesOut, e.BytesIn)
	}
	e = one(t, session(noon, unknown))
	if e.UnknownBytes != e.Sessions || e.BytesOut != 0 {
		t.Errorf("%d of %d unknown, %d out", e.UnknownBytes, e.Sessions, e.BytesOut)
	}
}

// jittered returns n starts that lie period apart, give or take the share.
func jittered(r *rand.Rand, n int, period time.Duration, share float64) []event.Time {
	out, at := make([]event.Time, n), noon
	for i := range out {
		out[i] = at
		at = at.Add(period + time.Duration((2*r.Float64()-1)*share*float64(period)))
	}
	return out
}

// irregular returns n starts of a Poisson process.
func irregular(r *rand.Rand, n int, mean time.Duration) []event.Time {
	out, at := make([]event.Time, n), noon
	for i := range out {
		out[i] = at
		at = at.Add(time.Duration(r.ExpFloat64() * float64(mean)))
	}
	return out
}

// TestInstancesThatBeaconAtOnce: processes that beacon out of phase, with
// periods that do not divide each other, are regular only when told apart.
func TestInstancesThatBeaconAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var apart, together []event.Session
	for pid, period := range map[uint32]time.Duration{1: 60 * time.Second, 2: 97 * time.Second, 3: 157 * time.Second} {
		for _, at := range jittered(r, 60, period, 0.1) {
			s := session(at, func(s *event.Session) { s.Key += event.Key(pid); s.PID, s.GUID = pid, "" })
			apart = append(apart, s)
			s.PID = 9
			together = append(together, s)
		}
	}
	if got := one(t, apart...).Timing; got.P > 1e-3 {
		t.Errorf("told apart: p = %v (%d contacts)", got.P, got.N)
	}
	if got := one(t, together...).Timing; got.P < 0.05 {
		t.Errorf("as one process: p = %v: the test shows nothing if they look regular together", got.P)
	}
}

// TestPersistenceSurvivesARestart: a rhythm that goes on through reboots, under
// new PIDs and from new addresses, is one edge's, though no instance lived long
// enough to show it.
func TestPersistenceSurvivesARestart(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var all []event.Session
	for i, at := range jittered(r, 30, 10*time.Minute, 0.05) {
		all = append(all, session(at, func(s *event.Session) {
			life := uint32(i / 5)
			s.PID, s.GUID = 100+life, fmt.Sprint("g", life)
			s.Client = netip.AddrFrom4([4]byte{10, 0, 0, byte(life)})
		}))
	}
	e := one(t, all...)
	if e.Timing.P > 1e-3 || math.Abs(e.Timing.Period-600) > 60 {
		t.Errorf("p = %v, period %v s, want 600 s", e.Timing.P, e.Timing.Period)
	}
	if alone := one(t, all[:5]...).Timing; alone.P < 1 {
		t.Errorf("five contacts alone have p = %v: the test shows nothing", alone.P)
	}
}

// TestManyIrregularInstances: looking at many series must not find a rhythm by
// chance.
func TestManyIrregularInstances(t *testing.T) {
	found := 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 9))
		var all []event.Session
		for pid := range uint32(30) {
			for _, at := range irregular(r, 12, time.Hour) {
				all = append(all, session(at, func(s *event.Session) { s.Key += event.Key(pid); s.PID = pid }))
			}
		}
		if one(t, all...).Timing.P < 0.01 {
			found++
		}
	}
	if found > 2 {
		t.Errorf("%d of 40 edges without a rhythm have p < 0.01", found)
	}
}

func TestPort(t *testing.T) {
	on := func(port uint16, e event.TLSEvidence, n event.NameSource) event.Session {
		return session(noon, func(s *event.Session) {
			s.Dst, s.Evidence, s.NameSource = netip.AddrPortFrom(far.Addr(), port), e, n
		})
	}
	for _, c := range []struct {
		name string
		s    event.Session
		want uint16
	}{
		{"the usual port", on(443, event.TLSHandshake, event.NameSNI), 0},
		{"its usual second", on(8443, event.TLSHandshake, event.NameSNI), 0},
		{"a handshake elsewhere", on(4444, event.TLSHandshake, event.NameSNI), 4444},
		{"a service that a sensor named", on(4444, event.TLSService, event.NameSNI), 4444},
		{"a server that shook hands with others", on(4444, event.TLSServer, event.NameSNI), 4444},
		{"only the port says that it is TLS", on(993, event.TLSPort, event.NameSNI), 0},
		{"the port of a proxy is the proxy's", on(3128, event.TLSHandshake, event.NameConnect), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := one(t, c.s).OddPort; got != c.want {
				t.Errorf("odd port %d, want %d", got, c.want)
			}
		})
	}
}

func TestSelfSigned(t *testing.T) {
	for _, c := range []struct {
		issuer, subject string
		want            bool
	}{
		{"", "", false},
		{"CN=a", "CN=a", true},
		{"CN=ca", "CN=a", false},
		{"", "CN=a", false},
	} {
		s := session(noon, func(s *event.Session) { s.Issuer, s.Subject = c.issuer, c.subject })
		if got := one(t, s).SelfSigned; got != c.want {
			t.Errorf("issuer %q, subject %q: self-signed %v", c.issuer, c.subject, got)
		}
	}
}

// TestEdgesAreOfHosts: a host without a name counts by its address.
func TestEdgesAreOfHosts(t *testing.T) {
	unnamed := func(a string) func(*event.Session) {
		return func(s *event.Session) { s.Host, s.Client = "", netip.MustParseAddr(a) }
	}
	neither := func(s *event.Session) { s.Host, s.Client = "", netip.Addr{} }
	edges := Measure([]event.Session{
		session(noon), session(noon+1, unnamed("10.0.0.7")), session(noon+2, unnamed("10.0.0.6")),
		session(noon+3, unnamed("10.0.0.7")), session(noon+4, neither), session(noon+5, unnamed("fd00::1")),
	}, Defaults())
	got := make(map[string]int64)
	for _, e := range edges {
		got[e.Host] = e.Sessions
	}
	want := map[string]int64{"ws1": 1, "10.0.0.7": 2, "10.0.0.6": 1, "": 1, "fd00::1": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEdgesSumUpWhatIsBestKnown(t *testing.T) {
	e := one(t,
		session(noon.Add(time.Hour), func(s *event.Session) {
			s.Rung, s.Image, s.Evidence, s.NameSource = event.RungLookup, `c:\weak.exe`, event.TLSPort, event.NameAddress
			s.BytesOut, s.Name = 500, "b.example"
		}),
		session(noon, func(s *event.Session) { s.Image, s.OriginalName = `C:\best.exe`, "orig.exe" }),
	)
	want := Edge{
		Host: "ws1", Program: "p", Domain: "example", Image: `C:\best.exe`, Name: "b.example", OriginalName: "orig.exe",
		Sessions: 2, BytesOut: 600, BytesIn: 20,
		Daily:  []Day{{Date: int32(noon / day), Sessions: 2, BytesOut: 600, BytesIn: 20, Hours: 1<<12 | 1<<13}},
		Burst:  Burst{500, noon.Add(time.Hour), noon.Add(time.Hour)},
		Starts: []event.Time{noon, noon.Add(time.Hour)},
		First:  noon, Last: noon.Add(time.Hour), Hours: 2, Days: 1,
		Longest: time.Microsecond, Connected: 2 * time.Microsecond, Timing: e.Timing, Rung: event.RungExact, Evidence: event.TLSHandshake, Named: true,
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
}

// sessions draws sessions that fall on few edges and often agree in what
// decides between them.
func sessions(r *rapid.T) []event.Session {
	all := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) event.Session {
		pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(r, "text") }
		return event.Session{
			Host: pick("", "a", "b"), Client: client, Program: pick("", "p"), Domain: pick("x.example", "y.example"),
			Rung: event.Rung(rapid.IntRange(0, 8).Draw(r, "rung")), PID: rapid.Uint32Range(1, 3).Draw(r, "pid"),
			Image: pick("", `C:\p.exe`, `c:\P.exe`), OriginalName: pick("", "p.exe", "q.exe"), Name: pick("m", "n"),
			NameSource: event.NameSource(rapid.IntRange(0, 4).Draw(r, "source")), Dst: far,
			Start:    noon.Add(time.Duration(rapid.IntRange(0, 500).Draw(r, "start")) * time.Minute),
			Duration: event.Count(rapid.Int64Range(-1, 1e11).Draw(r, "duration")),
			BytesOut: event.Count(rapid.Int64Range(-1, 2).Draw(r, "out")),
			BytesIn:  event.Count(rapid.Int64Range(-1, 2).Draw(r, "in")),
			Evidence: event.TLSEvidence(rapid.IntRange(0, 3).Draw(r, "evidence")),
		}
	}), 0, 60).Draw(r, "sessions")
	for i := range all {
		all[i].Key = event.Key(i)
	}
	return all
}

func TestOrderOfSessionsChangesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		all := sessions(r)
		want := Measure(all, Defaults())
		shuffled := rapid.Permutation(all).Draw(r, "shuffled")
		if diff := cmp.Diff(want, Measure(shuffled, Defaults())); diff != "" {
			r.Error(diff)
		}
	})
}

func TestEverySessionIsOnOneEdge(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		all := sessions(r)
		var n, unknown, out, wantUnknown, wantOut int64
		for _, e := range Measure(all, Defaults()) {
			n, unknown, out = n+e.Sessions, unknown+e.UnknownBytes, out+e.BytesOut
			if e.First > e.Last || e.Hours < 1 || e.Days < 1 || e.Days > e.Hours {
				r.Errorf("first %d, last %d, %d hours on %d days", e.First, e.Last, e.Hours, e.Days)
			}
		}
		for _, s := range all {
			if s.BytesOut.Known() {
				wantOut += int64(s.BytesOut)
			} else {
				wantUnknown++
			}
		}
		if n != int64(len(all)) || unknown != wantUnknown || out != wantOut {
			r.Errorf("%d sessions, %d unknown, %d bytes; want %d, %d, %d", n, unknown, out, len(all), wantUnknown, wantOut)
		}
	})
}

// TestShiftInTime: a week later is the same, a week later.
func TestShiftInTime(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		all := sessions(r)
		want := Measure(all, Defaults())
		for i := range all {
			all[i].Start += 7 * day
		}
		for i := range want {
			want[i].First += 7 * day
			want[i].Last += 7 * day
			for n := range want[i].Daily {
				want[i].Daily[n].Date += 7
			}
			for n := range want[i].Starts {
				want[i].Starts[n] += 7 * day
			}
			if want[i].Burst != (Burst{}) {
				want[i].Burst.From += 7 * day
				want[i].Burst.To += 7 * day
			}
		}
		if diff := cmp.Diff(want, Measure(all, Defaults())); diff != "" {
			r.Error(diff)
		}
	})
}
