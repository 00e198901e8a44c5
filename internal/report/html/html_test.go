package html_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	nethtml "golang.org/x/net/html"

	"github.com/postern/postern/internal/coverage"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/report/html"
)

// evil is what an attacker would name a file.
const evil = "</script></style></title><script>window.owned=1</script><img src=x onerror=window.owned=1> \"'`javascript:window.owned=1// \x1b[31m\u202egpj.exe\u200b\x00 {{.}} &lt;b&gt;"

// made is a document of n findings in which every string is text.
func made(n int, text string) *finding.Document {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	out, offset, period, share := int64(1_900_000_000), 1.5, 300.0, 0.97
	d := &finding.Document{Format: finding.Format, Analytic: finding.Analytic}
	for i := range n {
		f := finding.Finding{
			ID: finding.ID(text, fmt.Sprint(i)), Rank: i + 1, Score: 3.5, Hosts: []string{text, text},
			Parts:    []finding.Part{{Name: text, Points: 4, Text: text}, {Name: "volume", Points: -.5, Text: text}},
			Program:  finding.Program{Name: text, Image: text, Identity: text, Publisher: text, Class: text},
			Sessions: 2000, BytesOut: &out, BytesIn: &out, SessionsUnknownBytes: 1, PeriodSeconds: &period,
			FirstSeen: at, LastSeen: at.AddDate(0, 0, 13), ActiveHours: 300, ActiveDays: 14,
			Destination: finding.Destination{
				Name: text, NameSource: text, Names: []string{text, text + "2"}, RegisteredDomain: text,
				Service: text, ServiceClass: text, Addresses: []string{text}, Ports: []uint16{443},
			},
			TLS:    finding.TLS{SNI: []string{text}, JA3: []string{text}, JA4: []string{text}, Issuers: []string{text}, Subjects: []string{text}, Evidence: map[string]int64{text: 1}},
			Rungs:  map[string]int64{text: 2000},
			Series: series(at, text), Estate: estate(at, text),
		}
		for p := range 50 {
			parents := make([]finding.Parent, 6)
			for k := range parents {
				parents[k] = finding.Parent{PID: 4, GUID: text, Image: text, CommandLine: text, User: text, Started: &at}
			}
			f.Processes = append(f.Processes, finding.Process{
				Host: text, PID: uint32(p), GUID: text, Image: text, CommandLine: text, User: text, Hashes: text,
				Hosted: text, OtherImage: text, Started: &at, Sessions: 40, Parents: parents,
			})
		}
		d.Findings = append(d.Findings, f)
	}
	d.Summary = finding.Summary{
		Inputs: []finding.Input{{
			Path: text, Format: text, Status: text, Error: text, Clock: text, Skipped: 1,
			SkipReasons: map[string]int64{text: 1}, Warnings: []string{text},
		}},
		Account: finding.Account{
			Sessions: 10, OwnedSessions: &share, OwnedBytes: &share, First: &at, Last: &at,
			ByRung: map[string]int64{text: 1}, UnownedBy: map[string]int64{text: 1},
		},
		Hosts:   []finding.Host{{Name: text, Addresses: []string{text}, ClockOffset: &offset}},
		Lacking: []string{text},
		Notices: []finding.Notice{{Host: text, Time: at, Source: text, Kind: text, Text: text}},
	}
	return d
}

// series is as long as one can be, and ragged.
func series(at time.Time, text string) *finding.Series {
	s := &finding.Series{From: at.Truncate(24 * time.Hour), HoursOfDay: make([]finding.Volume, 24), SlotMinutes: 15}
	for i := range 15 {
		s.Days = append(s.Days, finding.Volume{Sessions: 10, BytesOut: int64(i * i), BytesIn: int64(i)})
	}
	for i := 0; i < finding.SeriesSlots; i += 2 + i%3 {
		s.Slots = append(s.Slots, finding.Slot{Minute: i * 15, Sessions: int64(1 + i*i%3)})
	}
	for i := range 40 {
		s.Intervals = append(s.Intervals, finding.Interval{From: float64(i + 1), To: float64(i + 2), Count: int64(i)})
	}
	seconds, n := 3600.0, int64(7)
	for range finding.SeriesLarge {
		sample := finding.Sample{UID: text, Host: text, Address: text, Start: at, Duration: &seconds, BytesOut: &n}
		s.Longest, s.Largest = append(s.Longest, sample), append(s.Largest, sample)
	}
	return s
}

func estate(at time.Time, text string) *finding.Estate {
	users := []finding.User{{Program: text, Hosts: 2, Sessions: 3}}
	return &finding.Estate{
		FirstSeen: at, Hosts: 3, Programs: users, ProgramsTotal: 1,
		Fingerprints: []finding.Fingerprint{{JA4: text, Programs: users, ProgramsTotal: 9}},
	}
}

func hostile() *finding.Document { return made(3, evil) }

func written(t *testing.T, d *finding.Document, c *coverage.Document) string {
	t.Helper()
	var out bytes.Buffer
	if err := html.Write(&out, d, c); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestHostileTextIsInert reads the page as a browser does: the logs must not
// have made an element, an attribute that acts, or a character that deceives.
func TestHostileTextIsInert(t *testing.T) {
	usual := make(map[string]bool)
	for _, e := range elements(t, written(t, made(3, "harmless\x00"), blind(3, "harmless\x00"))) {
		usual[e] = true
	}
	once := make(map[string]int)
	for _, e := range elements(t, written(t, hostile(), blind(3, evil))) {
		once[e]++
		if !usual[e] {
			t.Errorf("the logs made <%s>", e)
		}
	}
	if len(usual) < 50 || once["script"] != 1 || once["style"] != 1 {
		t.Errorf("%d kinds of elements, %d scripts, %d styles", len(usual), once["script"], once["style"])
	}
	for _, r := range written(t, hostile(), blind(3, evil)) {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Fatalf("the page holds %U", r)
		}
	}
}

// elements lists the elements with the names of their attributes.
func elements(t *testing.T, page string) []string {
	t.Helper()
	var all []string
	z := nethtml.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case nethtml.ErrorToken:
			if z.Err() != io.EOF {
				t.Fatal(z.Err())
			}
			return all
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			tok := z.Token()
			for _, a := range tok.Attr {
				tok.Data += " " + a.Key
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" {
					t.Errorf("<%s> has %s=%q", tok.Data, a.Key, a.Val)
				}
				if a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
					t.Errorf("a link leads to %q", a.Val)
				}
			}
			all = append(all, tok.Data)
		}
	}
}

var (
	policyOf = regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`)
	styleOf  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	scriptOf = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
)

// TestPolicy: the policy allows the one style and the one script that are
// there, and nothing else.
func TestPolicy(t *testing.T) {
	page := written(t, hostile(), blind(3, evil))
	m := policyOf.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("there is no policy")
	}
	sum := func(re *regexp.Regexp) string {
		found := re.FindAllStringSubmatch(page, -1)
		if len(found) != 1 {
			t.Fatalf("%v is found %d times", re, len(found))
		}
		h := sha256.Sum256([]byte(found[0][1]))
		return "'sha256-" + base64.StdEncoding.EncodeToString(h[:]) + "'"
	}
	want := "default-src 'none'; style-src " + sum(styleOf) + "; script-src " + sum(scriptOf) + "; base-uri 'none'; form-action 'none'"
	if got := strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(m[1]); got != want {
		t.Errorf("the policy is\n%s\nwant\n%s", got, want)
	}
}

// TestNothingIsLoaded: no address of another place is in the page, but as text.
func TestNothingIsLoaded(t *testing.T) {
	page := written(t, made(2, "harmless"), blind(2, "harmless"))
	if m := regexp.MustCompile(`(?i)https?:|//[a-z]|@import|url\(|<link|srcset|data:`).FindString(
		regexp.MustCompile(`(?m)^ *// .*$`).ReplaceAllString(page, "")); m != "" {
		t.Errorf("the page holds %q", m)
	}
}

// TestSizes: two hundred rich findings stay well below five megabytes, and no
// hostile text makes the page grow beyond its bound. What is left out is named.
func TestSizes(t *testing.T) {
	const limit, maxFindings = 5_000_000, 1200
	rich := written(t, made(200, `C:\Apps\A & B\agent.exe`), blind(1000, `C:\Apps\A & B\agent.exe`))
	if len(rich) >= limit || strings.Contains(rich, "This card is left out") {
		t.Errorf("%d bytes for 200 findings", len(rich))
	}
	large := made(maxFindings, strings.Repeat("\u202e<\x00&", 1000))
	for range 2000 {
		large.Summary.Hosts = append(large.Summary.Hosts, large.Summary.Hosts[0])
		large.Summary.Inputs = append(large.Summary.Inputs, large.Summary.Inputs[0])
	}
	for range 100 {
		large.Summary.Notices = append(large.Summary.Notices, large.Summary.Notices[0])
	}
	huge := written(t, large, blind(3000, strings.Repeat("\u202e<\x00&", 1000)))
	if len(huge) >= limit || !strings.Contains(huge, "This card is left out") {
		t.Errorf("%d bytes for %d hostile findings", len(huge), maxFindings)
	}
}

// TestEveryRowLeadsToACard, also where the card is left out.
func TestEveryRowLeadsToACard(t *testing.T) {
	page := written(t, made(60, strings.Repeat("<&", 5000)), nil)
	links := regexp.MustCompile(`href="#(AN[^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(links) != 60 {
		t.Fatalf("%d links", len(links))
	}
	for _, l := range links {
		if n := strings.Count(page, `id="`+l[1]+`"`); n != 1 {
			t.Errorf("%s is there %d times", l[1], n)
		}
	}
}

// TestNothingAtAll: a run without findings, sessions or anything else has a
// page too.
func TestNothingAtAll(t *testing.T) {
	page := written(t, &finding.Document{}, &coverage.Document{})
	for _, want := range []string{"Nothing to list.", "no sessions", "Nothing is known to be missing."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestTheSamePage: the same document gives the same bytes.
func TestTheSamePage(t *testing.T) {
	a, b := strings.Split(written(t, made(5, "x"), blind(5, "x")), "\n"), strings.Split(written(t, made(5, "x"), blind(5, "x")), "\n")
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}
