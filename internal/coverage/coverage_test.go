package coverage

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/inventory"
)

var morning = event.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))

func networks(t testing.TB) inventory.Networks {
	t.Helper()
	n, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// watched returns a survey of a sensor that was there for two days.
func watched(t testing.TB) *Survey {
	s := NewSurvey(networks(t))
	s.Add(&event.Batch{Flows: []event.Flow{{Sensor: "zeek", Time: morning}, {Sensor: "zeek", Time: morning.Add(48 * time.Hour)}}})
	return s
}

func evidence(s *Survey) Evidence {
	return Evidence{
		Survey:     s,
		Leased:     func(a netip.Addr) int { return map[string]int{"10.0.0.7": 1, "10.0.0.8": 2}[a.String()] },
		Watched:    func(host string) bool { return host == "ws1" },
		Translates: func(a netip.Addr) bool { return a.String() == "10.0.0.254" },
		Place: func(host, _ string) (string, string, bool) {
			if strings.HasPrefix(host, "ws") {
				return "hq", "workstation", false
			}
			return "", "", false
		},
	}
}

// whole is a session of which everything is known.
func whole(host string) event.Session {
	return event.Session{
		Host: host, Client: netip.MustParseAddr("10.0.0.1"), Sensor: "zeek", Rung: event.RungExact, Program: `c:\a.exe`,
		Name: "a.example", NameSource: event.NameSNI, SNI: "a.example", Dst: netip.MustParseAddrPort("198.51.100.9:443"), Proto: event.TCP,
		Start: morning, Duration: 5, BytesOut: 100,
	}
}

func answer(n, of int64, bytes, ofBytes int64) Answer {
	a := Answer{Sessions: n, BytesOut: &bytes}
	s, b := float64(n)/float64(of), float64(bytes)/float64(ofBytes)
	a.Share, a.Bytes = &s, &b
	return a
}

func TestKnown(t *testing.T) {
	g := NewGauge(evidence(watched(t)))
	s := whole("ws1")
	g.Add(&s)
	s.Rung, s.Program, s.BytesOut = event.RungHost, "", 300
	g.Add(&s)
	s = whole("ws1")
	s.BytesOut, s.Duration = event.Unknown, event.Unknown // unknown, and not nothing
	g.Add(&s)
	s = whole("ws1")
	s.Name, s.NameSource, s.SNI = "edge.example", event.NamePTR, ""
	s.BytesOut = 0 // nothing, and known
	g.Add(&s)
	d := g.Document(nil, nil)

	bytes := int64(400)
	want := Known{
		Sessions: 4, OnWire: 4, NoBytes: 1, BytesOut: &bytes,
		Who: answer(3, 4, 100, 400), Where: answer(3, 4, 400, 400), HowMuch: answer(3, 4, 400, 400), Persisted: answer(3, 4, 400, 400),
		All: answer(1, 4, 100, 400),
	}
	want.HowMuch.Bytes = nil
	if diff := cmp.Diff(want, d.Total); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(d.Total, d.Hosts[0].Known); diff != "" || len(d.Hosts) != 1 {
		t.Errorf("%d hosts (-total +host):\n%s", len(d.Hosts), diff)
	}
	if diff := cmp.Diff([]Part{{"hq", 1, d.Total}}, d.Sites); diff != "" {
		t.Errorf("sites (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Part{{"workstation", 1, d.Total}}, d.Roles); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
}

// Where no wire saw anything, nobody knows how much of what there was the
// endpoints tell.
func TestEndpointsAlone(t *testing.T) {
	g := NewGauge(evidence(NewSurvey(networks(t))))
	s := whole("ws1")
	s.Sensor, s.Rung, s.BytesOut, s.Duration = "", event.RungEndpoint, event.Unknown, event.Unknown
	g.Add(&s)
	k := g.Document(nil, nil).Total
	if k.Who.Sessions != 1 || k.Who.Share != nil || k.BytesOut != nil || k.Who.BytesOut != nil || *k.HowMuch.Share != 0 {
		t.Errorf("%+v", k)
	}
}

func TestCauses(t *testing.T) {
	survey := watched(t)
	survey.Add(&event.Batch{
		Starts: []event.ProcessStart{{Host: "ws1", Time: morning, Source: event.Sysmon}, {Host: "quiet", Time: morning, Source: event.Sysmon}},
		Connects: []event.Connect{
			{Host: "ws1", Time: morning, Source: event.Sysmon, Outbound: true},
			{Host: "ws1", Time: morning.Add(5 * time.Hour), Source: event.Sysmon, Outbound: true},
		},
	})
	g := NewGauge(evidence(survey))
	none := func(addr string) func(*event.Session) {
		return func(s *event.Session) {
			s.Host, s.Client, s.Rung, s.Program = "", netip.MustParseAddr(addr), event.RungNone, ""
		}
	}
	unowned := func(host string, after time.Duration) func(*event.Session) {
		return func(s *event.Session) {
			s.Host, s.Rung, s.Program, s.Start = host, event.RungHost, "", morning.Add(after)
		}
	}
	tests := []struct {
		name string
		do   func(*event.Session)
		want [questions]cause
	}{
		{"everything is known", func(*event.Session) {}, [questions]cause{}},
		{"an address nobody claims", none("10.0.0.6"), [questions]cause{who: noEndpoint}},
		{"an address that its host used at another time", none("10.0.0.7"), [questions]cause{who: outsideLog}},
		{"an address of two hosts", none("10.0.0.8"), [questions]cause{who: sharedAddress}},
		{"a translation", none("10.0.0.254"), [questions]cause{who: behindNAT}},
		{"a host of the inventory only", unowned("listed", 0), [questions]cause{who: noEndpoint}},
		{"a host without connects", unowned("quiet", 0), [questions]cause{who: noConnects}},
		{"before the log", unowned("ws1", -time.Hour), [questions]cause{who: outsideLog}},
		{"an hour without connects", unowned("ws1", 2*time.Hour), [questions]cause{who: silence}},
		{"beside other connects", unowned("ws1", time.Minute), [questions]cause{who: notLogged}},
		{"a process without a name", func(s *event.Session) { s.Program = "" }, [questions]cause{who: unnamed}},
		{"a handshake without a name", func(s *event.Session) { s.NameSource = event.NameAddress }, [questions]cause{where: noSNI}},
		{"no handshake", func(s *event.Session) { s.NameSource, s.Evidence = event.NameAddress, event.TLSPort }, [questions]cause{where: noHandshake}},
		{"a name of the far end's address only", func(s *event.Session) { s.NameSource = event.NamePTR }, [questions]cause{where: noSNI}},
		{"open", func(s *event.Session) { s.Open, s.BytesOut = true, event.Unknown }, [questions]cause{howMuch: stillOpen}},
		{"not counted", func(s *event.Session) { s.BytesOut, s.Duration = event.Unknown, event.Unknown }, [questions]cause{howMuch: noCount, persisted: noCount}},
		{"a sensor of a minute", func(s *event.Session) { s.Sensor = "other" }, [questions]cause{persisted: tooShort}},
		{"missed by the wire", func(s *event.Session) { s.Sensor, s.BytesOut, s.Duration = "", event.Unknown, event.Unknown }, [questions]cause{howMuch: missed, persisted: missed}},
		{"no wire", func(s *event.Session) {
			s.Host, s.Sensor, s.BytesOut, s.Duration, s.NameSource = "ws2", "", event.Unknown, event.Unknown, event.NameAddress
		}, [questions]cause{where: noLookup, howMuch: noWire, persisted: noWire}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := whole("ws1")
			tt.do(&s)
			got := g.causes(&s)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, c := range got {
				if text := causeTexts[c]; c != answered && (text.text == "" || strings.Count(text.fix, "%s") != 1) {
					t.Errorf("nothing says what to do about %s", c)
				}
			}
		})
	}
}

// any returns a session of which anything may be known or not.
func anySession(rng *rand.Rand) event.Session {
	s := whole(fmt.Sprint("ws", rng.IntN(4)))
	s.Start = morning.Add(time.Duration(rng.IntN(48)) * time.Hour)
	s.BytesOut = event.Count(rng.IntN(1000) - 1)
	s.Duration = event.Count(rng.IntN(3) - 1)
	s.Rung = event.Rung(rng.IntN(int(event.RungNone) + 1))
	s.NameSource = event.NameSource(rng.IntN(5))
	s.Evidence = event.TLSEvidence(rng.IntN(4))
	if !s.Rung.Owned() || rng.IntN(5) == 0 {
		s.Program = ""
	}
	if s.Rung == event.RungEndpoint {
		s.Sensor = ""
	}
	return s
}

// Of each question, what is known and the blind spots are all sessions and all
// bytes, each once, and hosts, sites and roles add up to the total.
func TestAllAddsUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	g := NewGauge(evidence(watched(t)))
	for range 2000 {
		s := anySession(rng)
		g.Add(&s)
	}
	d := g.Document([]string{"ws9"}, nil)
	for q, a := range []Answer{d.Total.Who, d.Total.Where, d.Total.HowMuch, d.Total.Persisted} {
		sessions, bytes, unknown := a.Sessions, *a.BytesOut, int64(0)
		for _, s := range d.BlindSpots {
			if s.Question == questionNames[q] {
				sessions, unknown = sessions+s.Sessions, unknown+s.NoBytes
				if s.BytesOut != nil {
					bytes += *s.BytesOut
				}
			}
		}
		if sessions != d.Total.Sessions || bytes != *d.Total.BytesOut || unknown > d.Total.NoBytes {
			t.Errorf("%s: %d of %d sessions, %d of %d bytes", questionNames[q], sessions, d.Total.Sessions, bytes, *d.Total.BytesOut)
		}
	}
	for _, parts := range [][]Part{d.Sites, d.Roles} {
		var sessions, all int64
		var hosts int
		for _, p := range parts {
			sessions, all, hosts = sessions+p.Sessions, all+p.All.Sessions, hosts+p.Hosts
		}
		if sessions != d.Total.Sessions || all != d.Total.All.Sessions || hosts != len(d.Hosts) {
			t.Errorf("%d sessions, %d whole, %d hosts", sessions, all, hosts)
		}
	}
	if p := d.Population; p.Both+p.WireOnly+p.EndpointOnly+len(p.Unseen) != len(d.Hosts) || !slices.Equal(p.Unseen, []string{"ws9"}) {
		t.Errorf("population %+v of %d hosts", p, len(d.Hosts))
	}
}

// What is taken from sessions never makes more of them known.
func TestLessIsNeverMore(t *testing.T) {
	takes := map[string]func(*event.Session){
		"owner":    func(s *event.Session) { s.Rung, s.Program = event.RungHost, "" },
		"program":  func(s *event.Session) { s.Program = "" },
		"name":     func(s *event.Session) { s.NameSource = event.NameAddress },
		"bytes":    func(s *event.Session) { s.BytesOut = event.Unknown },
		"duration": func(s *event.Session) { s.Duration = event.Unknown },
	}
	for name, take := range takes {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 4))
			more, less := NewGauge(evidence(watched(t))), NewGauge(evidence(watched(t)))
			for range 500 {
				s := anySession(rng)
				more.Add(&s)
				if rng.IntN(3) == 0 {
					take(&s)
				}
				less.Add(&s)
			}
			a, b := more.Document(nil, nil).Total, less.Document(nil, nil).Total
			for i, pair := range [][2]Answer{{a.Who, b.Who}, {a.Where, b.Where}, {a.HowMuch, b.HowMuch}, {a.Persisted, b.Persisted}, {a.All, b.All}} {
				if pair[1].Sessions > pair[0].Sessions || *pair[1].BytesOut > *pair[0].BytesOut {
					t.Errorf("answer %d rose from %d to %d", i, pair[0].Sessions, pair[1].Sessions)
				}
			}
		})
	}
}

// Of unknown size is not of none: such a spot stands above one of few bytes.
func TestRankOfTheUnknown(t *testing.T) {
	g := NewGauge(evidence(watched(t)))
	s := whole("ws1")
	g.Add(&s)
	s.Rung, s.Program, s.BytesOut = event.RungHost, "", 1
	g.Add(&s)
	for range 3 {
		s = whole("ws1")
		s.BytesOut = event.Unknown
		g.Add(&s)
	}
	var got []string
	for _, b := range g.Document(nil, nil).BlindSpots {
		got = append(got, b.Question)
	}
	if diff := cmp.Diff([]string{"how_much", "who"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// hourly returns connects, and starts of processes, in those hours.
func hourly(host string, src event.Source, connects, others []int) *event.Batch {
	b := new(event.Batch)
	at := func(h int) event.Time { return morning.Add(time.Duration(h)*time.Hour + time.Minute) }
	for _, h := range connects {
		b.Connects = append(b.Connects, event.Connect{Host: host, Time: at(h), Source: src, Outbound: true})
	}
	for _, h := range others {
		b.Starts = append(b.Starts, event.ProcessStart{Host: host, Time: at(h), Source: src})
	}
	return b
}

func TestStates(t *testing.T) {
	every := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	tests := []struct {
		name     string
		events   func(*Survey)
		want     string
		problems []string
	}{
		{"nothing", func(*Survey) {}, StateNone, nil},
		{"whole", func(s *Survey) { s.Add(hourly("ws1", event.Sysmon, every, every)) }, StatePresent, nil},
		{"no connects", func(s *Survey) { s.Add(hourly("ws1", event.Sysmon, nil, every)) }, StateSilent, []string{problemNone}},
		{"no starts", func(s *Survey) { s.Add(hourly("ws1", event.Sysmon, every, nil)) }, StatePartial, []string{problemStarts}},
		{"an hour without connects", func(s *Survey) { s.Add(hourly("ws1", event.Sysmon, []int{0, 1, 2, 4, 5, 6, 7, 8, 9}, every)) }, StatePresent, nil},
		{"hours without connects", func(s *Survey) { s.Add(hourly("ws1", event.Sysmon, []int{0, 1, 9}, every)) }, StatePartial, []string{problemSilence}},
		{"the other source has them", func(s *Survey) {
			s.Add(hourly("ws1", event.Sysmon, []int{0, 1, 9}, every))
			s.Add(hourly("ws1", event.Security, every, nil))
		}, StatePresent, nil},
		{"off", func(s *Survey) { s.Add(hourly("ws1", event.Sysmon, []int{0, 1, 9}, []int{0, 1, 9})) }, StatePresent, nil},
		{"a clock that is off", func(s *Survey) {
			s.Add(hourly("ws1", event.Sysmon, []int{3, 4, 5, 6}, []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}))
			s.Clock("ws1", event.Sysmon, 3*time.Hour)
		}, StatePartial, []string{problemSilence}},
		{"configured anew", func(s *Survey) {
			s.Add(hourly("ws1", event.Sysmon, every, every))
			s.Add(&event.Batch{Notices: []event.Notice{{Host: "ws1", Time: morning, Source: event.Sysmon, Kind: "config-change", Text: "x"}}})
		}, StatePresent, []string{problemChanged}},
		{"stopped, and started", func(s *Survey) {
			s.Add(hourly("ws1", event.Sysmon, every, every))
			s.Add(&event.Batch{Notices: []event.Notice{
				{Host: "ws1", Time: morning, Source: event.Sysmon, Kind: "service-state", Text: "Stopped"},
				{Host: "ws1", Time: morning, Source: event.Sysmon, Kind: "service-state", Text: "Started"},
			}})
		}, StatePartial, []string{problemStopped}},
		{"started", func(s *Survey) {
			s.Add(hourly("ws1", event.Sysmon, every, every))
			s.Add(&event.Batch{Notices: []event.Notice{{Host: "ws1", Time: morning, Source: event.Sysmon, Kind: "service-state", Text: "Started"}}})
		}, StatePresent, nil},
		{"cleared", func(s *Survey) {
			s.Add(hourly("ws1", event.Sysmon, every, every))
			s.Add(&event.Batch{Notices: []event.Notice{{Host: "ws1", Time: morning, Kind: "log-cleared", Text: "Microsoft-Windows-Sysmon/Operational"}}})
		}, StatePartial, []string{problemCleared}},
		{"another log was cleared", func(s *Survey) {
			s.Add(hourly("ws1", event.Sysmon, every, every))
			s.Add(&event.Batch{Notices: []event.Notice{{Host: "ws1", Time: morning, Kind: "log-cleared", Text: "Application"}}})
		}, StatePresent, nil},
		{"records lost", func(s *Survey) {
			s.Add(hourly("ws1", event.Sysmon, every, every))
			n := new(decode.Numbers)
			for r := range uint64(200) {
				if r%10 != 5 {
					n.Add(1000 + r)
				}
			}
			n.Unused = 1
			s.Numbers("ws1", event.Sysmon, n)
		}, StatePartial, []string{problemRecords}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			survey := watched(t)
			tt.events(survey)
			g := NewGauge(evidence(survey))
			for _, h := range every {
				s := whole("ws1")
				s.Start = morning.Add(time.Duration(h) * time.Hour)
				g.Add(&s)
			}
			h := g.Document(nil, nil).Hosts[0]
			var problems []string
			for _, p := range h.Problems {
				problems = append(problems, p.Kind)
			}
			if diff := cmp.Diff(tt.problems, problems); diff != "" || h.Endpoint != tt.want {
				t.Errorf("%s, want %s; problems (-want +got):\n%s", h.Endpoint, tt.want, diff)
			}
		})
	}
}

func TestRecords(t *testing.T) {
	number := func(lost func(uint64) bool, of, unused int) *decode.Numbers {
		n := &decode.Numbers{Unused: int64(unused)}
		for r := range uint64(of) {
			if !lost(r) {
				n.Add(r + 1)
			}
		}
		return n
	}
	every := func(k uint64) func(uint64) bool { return func(r uint64) bool { return r%k == k/2 } }
	tests := []struct {
		name    string
		numbers *decode.Numbers
		judged  bool
		missing uint64
	}{
		{"whole", number(func(uint64) bool { return false }, 500, 0), true, 0},
		{"a few lost", number(every(50), 500, 0), true, 10},
		{"many lost, of a log with all kinds", number(every(4), 500, 9), true, 125},
		{"as many, where only kinds of interest are there", number(every(4), 500, 0), false, 125},
		{"most lack", number(func(r uint64) bool { return r%4 != 0 }, 800, 9), false, 597},
		{"too few to tell", number(every(10), 50, 9), false, 5},
		{"too many holes", number(every(2), 40_000, 9), false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := endpointLog{numbers: tt.numbers}
			r := l.records()
			if r.Judged != tt.judged || r.Missing != tt.missing || r.Why == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestTraffic(t *testing.T) {
	g := NewGauge(evidence(watched(t)))
	add := func(do func(*event.Session)) {
		s := whole("ws1")
		do(&s)
		g.Add(&s)
	}
	proxied := func(s *event.Session) {
		s.NameSource, s.Dst = event.NameConnect, netip.MustParseAddrPort("10.0.0.99:3128")
	}
	add(proxied)
	add(func(s *event.Session) { s.Proto = event.UDP })
	add(func(s *event.Session) { s.SNI = "" })
	add(func(s *event.Session) { s.SNI = "cloudflare-ech.com" })
	add(func(s *event.Session) { s.Dst = netip.MustParseAddrPort("198.51.100.9:4444") })
	add(func(s *event.Session) { s.Host = "ws2" })                                          // where ws1 uses a proxy
	add(func(s *event.Session) { s.Host = ""; s.Client = netip.MustParseAddr("10.9.0.1") }) // at another site
	got := make(map[string]int64)
	for _, k := range g.Document(nil, nil).Traffic {
		got[k.Kind] = k.Sessions
		if k.Text == "" || k.Fix == "" {
			t.Errorf("%s says nothing", k.Kind)
		}
	}
	want := map[string]int64{quic: 1, withoutSNI: 1, encrypted: 1, oddPort: 1, proxyBypass: 4, proxyUnused: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRetention(t *testing.T) {
	s := NewSurvey(networks(t))
	add := func(days ...int) {
		for _, d := range days {
			s.Add(&event.Batch{Flows: []event.Flow{{Sensor: "zeek", Time: morning.Add(time.Duration(d) * 24 * time.Hour)}}})
		}
	}
	add(0, 10, 11, 12, 16, 20) // a gap of nine days, and of three
	s.Add(hourly("ws1", event.Sysmon, []int{0, 2 * 24}, nil))
	d := NewGauge(evidence(s)).Document(nil, []Requirement{{"x", 24 * time.Hour}, {"y", 7 * 24 * time.Hour}, {"z", 14 * 24 * time.Hour}})
	var zeek Source
	for _, x := range d.Sources {
		if x.Name == "zeek" {
			zeek = x
		}
	}
	if zeek.Oldest != "2026-11-12" || zeek.Days < 10 || zeek.Days > 10.5 || zeek.Events != 6 {
		t.Errorf("%+v", zeek)
	}
	want := []Need{
		{What: "x", Days: 1, Lacking: []string{}},
		{What: "y", Days: 7, Lacking: []string{"sysmon (endpoint)"}, Hosts: 1},
		{What: "z", Days: 14, Lacking: []string{"sysmon (endpoint)", "zeek (flows)"}, Hosts: 1},
	}
	if diff := cmp.Diff(want, d.Needs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHours(t *testing.T) {
	h := make(hours)
	var want []event.Time
	for _, n := range []int{-30, 0, 1, 14, 15, 200} {
		at := morning.Add(time.Duration(n) * time.Hour)
		want = append(want, at)
		h.add(at.Add(59 * time.Minute))
	}
	if got := slices.Collect(h.all()); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if h.has(morning.Add(2*time.Hour)) || !h.has(morning.Add(time.Minute)) {
		t.Error("another hour is in")
	}
	h.add(-5 * hour) // a clock gone wrong
}

// A clock some seconds off does not move an hour's events to another.
func TestSilenceCountsHours(t *testing.T) {
	for _, offset := range []time.Duration{-3 * time.Second, 0, 3 * time.Second} {
		survey := watched(t)
		survey.Add(hourly("ws1", event.Sysmon, []int{0, 2}, []int{1, 3}))
		survey.Clock("ws1", event.Sysmon, offset)
		g := NewGauge(evidence(survey))
		for h := range 6 {
			s := whole("ws1")
			s.Start = morning.Add(time.Duration(h) * time.Hour)
			g.Add(&s)
		}
		from := morning.Add(time.Hour).Std()
		to := from.Add(time.Hour)
		want := &Silence{Hours: 4, Silent: 2, Longest: 1, From: &from, To: &to}
		if diff := cmp.Diff(want, g.Document(nil, nil).Hosts[0].Silence); diff != "" {
			t.Errorf("%v (-want +got):\n%s", offset, diff)
		}
	}
}
