package score

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/stats"
)

const (
	chrome    = `C:\Program Files\Google\Chrome\Application\chrome.exe`
	onedrive  = `C:\Program Files\Microsoft OneDrive\OneDrive.exe`
	svchost   = `C:\Windows\System32\svchost.exe`
	rundll    = `C:\Windows\System32\rundll32.exe`
	unknown   = `C:\Program Files\Acme\acme.exe`
	appdata   = `C:\Users\ann\AppData\Roaming\x\sync.exe`
	rclone    = `C:\ProgramData\SvcBackup\svcbackup.exe`
	displaced = `C:\Temp\svchost.exe`
)

var from = event.At(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC))

// fataler is what testing.T and rapid.T share.
type fataler interface{ Fatal(args ...any) }

// scorer learns the edges and scores against them.
func scorer(t fataler, edges ...detect.Edge) *Scorer {
	classes, err := program.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := destination.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	ordered := slices.Clone(edges)
	slices.SortFunc(ordered, func(a, b detect.Edge) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Program, b.Program), cmp.Compare(a.Domain, b.Domain))
	})
	return New(baseline.Learn(ordered, classes, nil), catalogue, Defaults())
}

// edge is a plain one: a program of one image goes to one name.
func edge(host, image, name string, change ...func(*detect.Edge)) detect.Edge {
	e := detect.Edge{
		Host: host, Program: program.Template(image), Image: image, Name: name,
		Sessions: 1, BytesOut: 1000, BytesIn: 5000, First: from, Last: from, Hours: 1, Days: 1,
		Timing: stats.Result{N: 1, P: 1}, Rung: event.RungExact, Evidence: event.TLSHandshake, Named: true,
	}
	e.Domain, _ = destination.Domain(name)
	for _, c := range change {
		c(&e)
	}
	return e
}

// beacon makes an edge regular over ten days.
func beacon(e *detect.Edge) {
	e.Sessions, e.Hours, e.Days, e.Last = 2000, 220, 10, e.First.Add(240*time.Hour)
	e.Timing = stats.Result{N: 2000, Scale: 2, Period: 300, Spread: 0.1, P: 1e-7}
}

// anyEdge draws an edge from few hosts, programs and domains, so that they meet.
func anyEdge(r *rapid.T) detect.Edge {
	images := []string{"", chrome, onedrive, svchost, rundll, unknown, appdata, rclone, displaced}
	names := []string{
		"www.example.com", "a.example.net", "g.api.mega.co.nz", "api.telegram.org", "x.ngrok.io",
		"v10.events.data.microsoft.com", "login.microsoftonline.com", "www.google.com", "198.51.100.7", "10.1.1.1",
	}
	e := edge(fmt.Sprint("h", rapid.IntRange(0, 12).Draw(r, "host")), rapid.SampledFrom(images).Draw(r, "image"),
		rapid.SampledFrom(names).Draw(r, "name"))
	e.Named = strings.ContainsFunc(e.Name, func(c rune) bool { return 'a' <= c && c <= 'z' })
	e.OriginalName = rapid.SampledFrom([]string{"", "rclone.exe", "svchost.exe", "chrome.exe"}).Draw(r, "original")
	e.Sessions = rapid.Int64Range(1, 3000).Draw(r, "sessions")
	e.UnknownBytes = rapid.Int64Range(0, e.Sessions).Draw(r, "unknown")
	e.BytesOut = 0
	if e.UnknownBytes < e.Sessions {
		e.BytesOut = int64(math.Pow(10, rapid.Float64Range(0, 12).Draw(r, "out")))
	}
	e.First = from.Add(time.Duration(rapid.IntRange(0, 14*24).Draw(r, "first")) * time.Hour)
	e.Last = e.First.Add(time.Duration(rapid.IntRange(0, 200).Draw(r, "length")) * time.Hour)
	e.Hours = rapid.IntRange(1, 300).Draw(r, "hours")
	e.OffHours = rapid.IntRange(0, e.Hours).Draw(r, "off hours")
	e.Connected = time.Duration(rapid.IntRange(0, 1000).Draw(r, "connected")) * time.Hour / 4
	if e.UnknownBytes < e.Sessions {
		e.Burst.BytesOut = rapid.Int64Range(0, e.BytesOut).Draw(r, "burst")
	}
	daily(r, &e)
	e.Days = 1 + e.Hours/24
	if e.Sessions >= 6 && rapid.Bool().Draw(r, "tested") {
		e.Timing = stats.Result{N: int(e.Sessions), Scale: 2, Period: 60, P: math.Pow(10, -rapid.Float64Range(0, 12).Draw(r, "p"))}
	}
	e.Rung = event.RungHost
	if e.Program != "" {
		e.Rung = rapid.SampledFrom([]event.Rung{event.RungExact, event.RungLookup, event.RungEndpoint}).Draw(r, "rung")
	}
	e.OddPort = rapid.SampledFrom([]uint16{0, 4444}).Draw(r, "port")
	e.SelfSigned = rapid.Bool().Draw(r, "self-signed")
	return e
}

// daily spreads an edge's bytes over some days.
func daily(r *rapid.T, e *detect.Edge) {
	const day = 24 * time.Hour
	days := rapid.IntRange(1, 5).Draw(r, "days")
	for i := range days {
		d := detect.Day{Date: int32(e.First.Std().Unix()/int64(day.Seconds())) + int32(i), Sessions: 1}
		if e.UnknownBytes == e.Sessions {
			d.Unknown = 1
		} else {
			d.BytesOut = e.BytesOut / int64(days)
		}
		e.Daily = append(e.Daily, d)
	}
}

// anyEstate draws edges, one for each host, program and domain.
func anyEstate(r *rapid.T) []detect.Edge {
	type key struct{ host, program, domain string }
	return rapid.SliceOfNDistinct(rapid.Custom(anyEdge), 1, 30,
		func(e detect.Edge) key { return key{e.Host, e.Program, e.Domain} }).Draw(r, "edges")
}

// points returns the points of one part, 0 when it is absent.
func points(s Scored, name string) float64 {
	for _, p := range s.Parts {
		if p.Name == name {
			return p.Points
		}
	}
	return 0
}

func TestScoreIsTheSumOfItsParts(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		edges := anyEstate(r)
		s := scorer(r, edges...)
		for i := range edges {
			x := s.Explain(&edges[i])
			var cents int64
			for j, p := range x.Parts {
				c := math.Round(100 * p.Points)
				if math.Abs(100*p.Points-c) > 1e-6 {
					r.Errorf("%s has %v points: not hundredths", p.Name, p.Points)
				}
				if p.Points == 0 || p.Text == "" || strings.Contains(p.Text, "%!") {
					r.Errorf("part %+v says nothing", p)
				}
				if j > 0 && p.Points > x.Parts[j-1].Points {
					r.Errorf("part %s stands after a smaller one", p.Name)
				}
				cents += int64(c)
			}
			if int64(math.Round(100*x.Score)) != cents {
				r.Errorf("score %v, parts add up to %d hundredths", x.Score, cents)
			}
			if got := s.Score(&edges[i]); got != x.Score {
				r.Errorf("Score %v, Explain %v", got, x.Score)
			}
		}
	})
}

func TestScoresAreFiniteInFleetsOfAnySize(t *testing.T) {
	for _, n := range []int{1, 2, 10, 1000} {
		var edges []detect.Edge
		for i := range n {
			edges = append(edges, edge(fmt.Sprint("h", i), chrome, "www.example.com"))
		}
		edges = append(edges, edge("h0", rundll, "g.api.mega.co.nz", beacon, func(e *detect.Edge) { e.BytesOut = math.MaxInt64 }))
		s := scorer(t, edges...)
		for i := range edges {
			if x := s.Score(&edges[i]); math.IsNaN(x) || math.IsInf(x, 0) || math.Abs(x) > 40 {
				t.Errorf("of %d hosts: %s scores %v", n, edges[i].Program, x)
			}
		}
	}
}

// TestAnEdgeDoesNotVouchForItself: alone on its program's record, an edge
// scores by the priors, whatever it does itself.
func TestAnEdgeDoesNotVouchForItself(t *testing.T) {
	loud := edge("h0", unknown, "a.example.net", beacon, func(e *detect.Edge) { e.BytesOut = 5e9 })
	rest := edge("h1", chrome, "www.example.com")
	seen := scorer(t, loud, rest).Explain(&loud)
	quiet := edge("h0", unknown, "a.example.net")
	unseen := scorer(t, quiet, rest).Explain(&loud)
	for _, part := range []string{"volume", "regular_timing", "activity", "program_rarity", "destination_rarity"} {
		if a, b := points(seen, part), points(unseen, part); a != b || a == 0 {
			t.Errorf("%s: %v with its own record, %v without", part, a, b)
		}
	}
}

func TestMoreBytesNeverLowerTheVolume(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		edges := anyEstate(r)
		i := rapid.IntRange(0, len(edges)-1).Draw(r, "edge")
		before := points(scorer(r, edges...).Explain(&edges[i]), "volume")
		edges[i].UnknownBytes = 0
		edges[i].BytesOut += int64(math.Pow(10, rapid.Float64Range(0, 12).Draw(r, "more")))
		if after := points(scorer(r, edges...).Explain(&edges[i]), "volume"); after < before {
			r.Errorf("volume %v, and %v with more bytes", before, after)
		}
	})
}

func TestHostNamesMeanNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		edges := anyEstate(r)
		before := scorer(r, edges...)
		renamed := make([]detect.Edge, len(edges))
		names := rapid.Permutation([]string{"m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y"}).Draw(r, "names")
		for i, e := range edges {
			var h int
			if _, err := fmt.Sscanf(e.Host, "h%d", &h); err != nil {
				r.Fatal(err)
			}
			e.Host = names[h]
			renamed[i] = e
		}
		after := scorer(r, renamed...)
		for i := range edges {
			if a, b := before.Score(&edges[i]), after.Score(&renamed[i]); a != b {
				r.Errorf("%v, and %v by another name", a, b)
			}
		}
	})
}

func TestADayLaterIsTheSame(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		edges := anyEstate(r)
		before := scorer(r, edges...)
		later := make([]detect.Edge, len(edges))
		for i, e := range edges {
			e.First, e.Last = e.First.Add(24*time.Hour), e.Last.Add(24*time.Hour)
			e.Daily = slices.Clone(e.Daily)
			for n := range e.Daily {
				e.Daily[n].Date++
			}
			later[i] = e
		}
		after := scorer(r, later...)
		for i := range edges {
			if a, b := before.Score(&edges[i]), after.Score(&later[i]); a != b {
				r.Errorf("%v, and %v a day later", a, b)
			}
		}
	})
}

func TestCommonProgramsAreLessRare(t *testing.T) {
	first, last := 0.0, math.Inf(1)
	for on := 1; on <= 20; on++ {
		var edges []detect.Edge
		for i := range 20 {
			image := chrome
			if i < on {
				image = unknown
			}
			edges = append(edges, edge(fmt.Sprint("h", i), image, "www.example.com"))
		}
		rarity := points(scorer(t, edges...).Explain(&edges[0]), "program_rarity")
		if rarity > last {
			t.Errorf("rarity %v on %d hosts, %v on one less", rarity, on, last)
		}
		if on == 1 {
			first = rarity
		}
		last = rarity
	}
	if last >= first {
		t.Errorf("rarity %v on all hosts, %v on one", last, first)
	}
}

// TestWhoIsRegularMatters compares edges that differ in their program only.
func TestWhoIsRegularMatters(t *testing.T) {
	score := func(image string) float64 {
		edges := []detect.Edge{edge("h0", image, "a.example.net", beacon)}
		for i := range 10 {
			h := fmt.Sprint("h", i)
			edges = append(edges, edge(h, chrome, "www.example.com"), edge(h, svchost, "www.example.org"))
		}
		return scorer(t, edges...).Score(&edges[0])
	}
	app := score(unknown)
	for _, benign := range []string{chrome, svchost} {
		if got := score(benign); got >= app {
			t.Errorf("a beacon of %s scores %v, of an app that no other host has %v", benign, got, app)
		}
	}
	if got := score(appdata); got <= app {
		t.Errorf("a beacon out of a profile scores %v, out of Program Files %v", got, app)
	}
	if got := score(rundll); got <= score(svchost) {
		t.Errorf("a beacon of rundll32 scores %v, of svchost %v", got, score(svchost))
	}
}

// TestHabitsExcuse: what the program's other edges do as well is less
// remarkable.
func TestHabitsExcuse(t *testing.T) {
	loud := func(e *detect.Edge) { beacon(e); e.BytesOut = 5e9 }
	explain := func(others func(*detect.Edge)) Scored {
		edges := []detect.Edge{edge("h0", unknown, "a.example.net", loud)}
		for i := range 20 {
			edges = append(edges, edge(fmt.Sprint("h", i), unknown, fmt.Sprintf("www%d.example", i), func(e *detect.Edge) {
				e.Timing = stats.Result{N: 20, Scale: 2, Period: 60, P: 0.9}
			}, others))
		}
		return scorer(t, edges...).Explain(&edges[0])
	}
	alone, usual := explain(func(*detect.Edge) {}), explain(loud)
	for _, part := range []string{"volume", "regular_timing", "activity"} {
		if a, b := points(alone, part), points(usual, part); b >= a {
			t.Errorf("%s: %v where the others are quiet, %v where they do it too", part, a, b)
		}
	}
}

func TestParts(t *testing.T) {
	for _, c := range []struct {
		name, part string
		e          detect.Edge
		positive   bool
		negative   bool
	}{
		{"a renamed tool", "program_masquerade", edge("h0", rclone, "a.example.net", func(e *detect.Edge) { e.OriginalName = "rclone.exe" }), true, false},
		{"a name of Windows elsewhere", "program_masquerade", edge("h0", displaced, "a.example.net"), true, false},
		{"svchost where it belongs", "program_masquerade", edge("h0", svchost, "a.example.net"), false, false},
		{"a profile's program", "program_location", edge("h0", appdata, "a.example.net"), true, false},
		{"an installed program", "program_location", edge("h0", unknown, "a.example.net"), false, false},
		{"a browser", "program_class", edge("h0", chrome, "a.example.net"), false, true},
		{"an interpreter", "program_class", edge("h0", rundll, "a.example.net"), true, false},
		{"nobody", "program_unknown", edge("h0", "", "a.example.net"), false, true},
		{"a file drop", "destination_class", edge("h0", unknown, "g.api.mega.co.nz"), true, false},
		{"telemetry", "destination_class", edge("h0", unknown, "v10.events.data.microsoft.com"), false, true},
		{"where others go", "destination_shared", edge("h0", unknown, "www.example.com"), false, true},
		{"where nobody goes", "destination_shared", edge("h0", unknown, "a.example.net"), true, false},
		{"late", "new", edge("h0", unknown, "a.example.net", func(e *detect.Edge) { e.First, e.Last = from.Add(80*time.Hour), from.Add(80*time.Hour) }), true, false},
		{"from the beginning", "new", edge("h0", unknown, "a.example.net", func(e *detect.Edge) { e.First, e.Last = from.Add(70*time.Hour), from.Add(70*time.Hour) }), false, false},
		{"under a megabyte", "volume", edge("h0", unknown, "a.example.net", func(e *detect.Edge) { e.BytesOut = 999_999 }), false, false},
		{"a gigabyte", "volume", edge("h0", unknown, "a.example.net", func(e *detect.Edge) { e.BytesOut = 1e9 }), true, false},
		{"a beacon", "regular_timing", edge("h0", unknown, "a.example.net", beacon), true, false},
		{"no rhythm", "regular_timing", edge("h0", unknown, "a.example.net", func(e *detect.Edge) { e.Timing.P, e.Timing.Scale = 0.2, 2 }), false, false},
		{"all day", "activity", edge("h0", unknown, "a.example.net", beacon), true, false},
		{"one hour", "activity", edge("h0", unknown, "a.example.net"), false, false},
		{"port 4444", "odd_port", edge("h0", unknown, "a.example.net", func(e *detect.Edge) { e.OddPort = 4444 }), true, false},
		{"self-signed", "self_signed", edge("h0", unknown, "a.example.net", func(e *detect.Edge) { e.SelfSigned = true }), true, false},
		{"an owner by lookup", "weak_owner", edge("h0", unknown, "a.example.net", func(e *detect.Edge) { e.Rung = event.RungLookup }), false, true},
	} {
		t.Run(c.part+" of "+c.name, func(t *testing.T) {
			s := scorer(t, c.e, edge("h0", svchost, "www.example.org"),
				edge("h1", chrome, "www.example.com"), edge("h2", chrome, "www.example.com"))
			x := s.Explain(&c.e)
			got := points(x, c.part)
			if c.positive != (got > 0) || c.negative != (got < 0) {
				t.Errorf("%v points; all parts %+v", got, x.Parts)
			}
		})
	}
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 52_428_800: "52.4 MB", 999_499: "999 kB", 999_500: "1.0 MB",
		1_900_051_228: "1.9 GB", math.MaxInt64: "9.2 EB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for s, want := range map[float64]string{5.1: "5.1 s", 99.9: "99.9 s", 300: "5.0 min", 21600: "6.0 h", 86400: "24.0 h"} {
		if got := Seconds(s); got != want {
			t.Errorf("%v s is %q, want %q", s, got, want)
		}
	}
}
