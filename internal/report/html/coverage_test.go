package html_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/postern/postern/internal/coverage"
)

// blind is a coverage of n of everything, in which every string is text. The
// later a host, the less is known of it.
func blind(n int, text string) *coverage.Document {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	known := func(sessions int64) coverage.Known {
		share, bytes := 0.5, int64(1_000_000)
		a := coverage.Answer{Sessions: sessions / 2, Share: &share, BytesOut: &bytes, Bytes: &share}
		return coverage.Known{
			Sessions: sessions, OnWire: sessions, NoBytes: 1, BytesOut: &bytes,
			Who: a, Where: a, HowMuch: coverage.Answer{Share: &share}, Persisted: a, All: a,
		}
	}
	d := &coverage.Document{Format: coverage.Format, First: &at, Last: &at, Total: known(1000)}
	for i := range n {
		d.Sites = append(d.Sites, coverage.Part{Name: text, Hosts: 2, Known: known(10)})
		d.Roles = append(d.Roles, coverage.Part{Name: text, Hosts: 2, Known: known(10)})
		h := coverage.Host{
			Name: fmt.Sprintf("h%d.%s", i, text), Site: text, Role: text, Endpoint: coverage.StatePartial, Known: known(int64(10 + 2*i)),
		}
		for range 20 {
			h.Problems = append(h.Problems, coverage.Problem{Kind: text, Text: text})
		}
		d.Hosts = append(d.Hosts, h)
		d.BlindSpots = append(d.BlindSpots, coverage.BlindSpot{
			Question: []string{"who", "where", "how_much", "persisted"}[i%4], Cause: text, Sessions: 2, Hosts: 2, Text: text, Fix: text,
		})
	}
	return d
}

// section returns the section of a page with that id, nil when there is none.
func section(t *testing.T, page, id string) *nethtml.Node {
	t.Helper()
	root, err := nethtml.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if n.DataAtom == atom.Section && a.Key == "id" && a.Val == id {
				return n
			}
		}
	}
	return nil
}

// textOf is what a reader sees of an element, with single blanks.
func textOf(n *nethtml.Node) string {
	var words []string
	for d := range n.Descendants() {
		if d.Type == nethtml.TextNode {
			words = append(words, strings.Fields(d.Data)...)
		}
	}
	return strings.Join(words, " ")
}

func TestCoverageIsASection(t *testing.T) {
	page := written(t, made(2, "x"), blind(3, "lab"))
	s := section(t, page, "coverage")
	if s == nil || !strings.Contains(page, `href="#coverage"`) {
		t.Fatal("there is no section, or no link to it")
	}
	got := textOf(s)
	for _, want := range []string{
		"1,000 sessions, 1,000 of them by the wire, sent 1.0 MB and 1 session of unknown size.",
		"Blind spots, the most bytes at risk first Who unknown bytes in 2 sessions on 2 hosts lab",
		"By site", "By role", "h2.lab lab, lab, not on the wire endpoint partial", "≥ 1.0 MB", "50.0 %", "and 15 more",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the section does not say %q", want)
		}
	}
	if strings.Index(got, "h2.lab") > strings.Index(got, "h0.lab") {
		t.Error("a host of which more is known comes first")
	}
}

// TestNoCoverage: nothing leads to a section that is not there.
func TestNoCoverage(t *testing.T) {
	page := written(t, made(2, "x"), nil)
	if section(t, page, "coverage") != nil || strings.Contains(page, `href="#coverage"`) {
		t.Error("the page speaks of a coverage that nobody gave")
	}
}

// TestCoverageIsBounded: the fifty hosts of which the least is known are shown,
// and the rest is counted.
func TestCoverageIsBounded(t *testing.T) {
	const hosts, shown = 1000, 50
	got := textOf(section(t, written(t, made(1, "x"), blind(hosts, "lab")), "coverage"))
	left := 0 // sessions of the others
	for i := range hosts {
		in := strings.Contains(got, fmt.Sprintf("h%d.lab", i))
		if want := i >= hosts-shown; in != want {
			t.Errorf("host %d is there: %v", i, in)
		}
		if i < hosts-shown {
			left += 10 + 2*i
		}
	}
	for _, want := range []string{fmt.Sprintf("and 950 more hosts with %d,%03d sessions", left/1000, left%1000), "and 19,000 more gaps on 950 more hosts", "and 970 more", "and 950 more"} {
		if !strings.Contains(got, want) {
			t.Errorf("the section does not say %q", want)
		}
	}
}

// TestOfficeCoverage: the example's own gaps are on its page.
func TestOfficeCoverage(t *testing.T) {
	doc, seen := office(t)
	s := section(t, written(t, doc, seen), "coverage")
	if s == nil {
		t.Fatal("there is no section")
	}
	got := textOf(s)
	for _, want := range []string{
		"Hosts: 8 seen by wire and endpoint", "process-not-named", "Log the start of processes", "fs-01.corp.example",
		"workstation", "Endpoint telemetry that is not whole", "It logs no starts of processes",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the section does not say %q", want)
		}
	}
	if len(seen.Hosts) != 8 || strings.Contains(got, "more host") {
		t.Errorf("%d hosts: %s", len(seen.Hosts), got)
	}
}

// TestHostileCoverageFits: no name is too long for a screen.
func TestHostileCoverageFits(t *testing.T) {
	b := newBrowser(t)
	page := saved(t, made(1, "x"), blind(60, strings.Repeat("w", 5000)+evil))
	for _, width := range []int64{1280, 900, 390} {
		b.open(page, width, 900, "light")
		if n := eval[int](b, overflows); n > 0 {
			t.Errorf("%d pixels too wide at %d", n, width)
		}
	}
	b.quiet(page)
}
