package pipeline

import (
	"context"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
)

// TestSeriesOfTheOffice: the series add up to their findings, and tell what
// the example is known to hold.
func TestSeriesOfTheOffice(t *testing.T) {
	doc := hunt(t, Hunt{Inputs: officeParts, MinScore: math.Inf(-1), Networks: networks(t), Series: true})
	for i := range doc.Findings {
		f := &doc.Findings[i]
		addsUp(t, f)
		if f.Estate == nil || f.Estate.FirstSeen.After(f.FirstSeen) || f.Estate.Hosts < len(f.Hosts) {
			t.Errorf("%s: %+v", f.ID, f.Estate)
		}
	}
	beacon := findProgram(t, doc, "notesync.exe")
	var most finding.Interval
	for _, i := range beacon.Series.Intervals {
		if i.Count > most.Count {
			most = i
		}
	}
	if most.From < 200 || most.To > 400 {
		t.Errorf("a beacon of five minutes has most intervals from %v to %v s", most.From, most.To)
	}
	if e := findProgram(t, doc, "svcbackup.exe").Estate; e.Hosts != 1 || e.ProgramsTotal != 0 {
		t.Errorf("%+v, but nobody else uses it", e)
	}
	if e := findProgram(t, doc, "chrome.exe").Estate; len(e.Fingerprints) == 0 {
		t.Error("a browser has no fingerprint")
	}
}

func findProgram(t *testing.T, doc *finding.Document, name string) *finding.Finding {
	t.Helper()
	for i := range doc.Findings {
		if doc.Findings[i].Program.Name == name {
			return &doc.Findings[i]
		}
	}
	t.Fatalf("no finding of %s", name)
	return nil
}

func addsUp(t *testing.T, f *finding.Finding) {
	t.Helper()
	s := f.Series
	if s == nil {
		t.Fatalf("%s has no series", f.ID)
	}
	var days, hours finding.Volume
	for _, v := range s.Days {
		days = plus(days, v)
	}
	for _, v := range s.HoursOfDay {
		hours = plus(hours, v)
	}
	want := finding.Volume{Sessions: f.Sessions, Unknown: f.SessionsUnknownBytes}
	if f.BytesOut != nil {
		want.BytesOut = *f.BytesOut
	}
	if f.BytesIn != nil {
		want.BytesIn = *f.BytesIn
	}
	if diff := cmp.Diff(want, days); diff != "" {
		t.Errorf("%s: days: %s", f.ID, diff)
	}
	if diff := cmp.Diff(want, hours); diff != "" {
		t.Errorf("%s: hours: %s", f.ID, diff)
	}
	var slots, intervals int64
	for _, v := range s.Slots {
		slots += v.Sessions
	}
	for _, v := range s.Intervals {
		intervals += v.Count
	}
	if slots != f.Sessions || intervals != f.Sessions-int64(len(f.Hosts)) {
		t.Errorf("%s: %d sessions of %d hosts, %d in slots, %d intervals", f.ID, f.Sessions, len(f.Hosts), slots, intervals)
	}
}

func plus(a, b finding.Volume) finding.Volume {
	return finding.Volume{
		Sessions: a.Sessions + b.Sessions, BytesOut: a.BytesOut + b.BytesOut,
		BytesIn: a.BytesIn + b.BytesIn, Unknown: a.Unknown + b.Unknown,
	}
}

// TestSeriesAreBounded: whatever the sessions, a series keeps its bounds, its
// order, and everything that falls into its days.
func TestSeriesAreBounded(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := newDrawing()
		at := event.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) + event.Time(rapid.Int64Range(0, int64(day)).Draw(r, "start"))
		step := rapid.Int64Range(1, int64(day)).Draw(r, "step")
		n := rapid.IntRange(1, 6000).Draw(r, "sessions")
		first := at
		for i := range n {
			d.add(&event.Session{
				Host: "h", Start: at, Duration: event.Count(i), BytesOut: event.Count(i%7 - 1), UID: "u",
				Dst: netip.MustParseAddrPort("198.51.100.9:443"),
			})
			at += event.Time(step)
		}
		s := d.series()
		switch {
		case len(s.Days) > finding.SeriesDays, len(s.Slots) > finding.SeriesSlots,
			len(s.Longest) > finding.SeriesLong, len(s.Largest) > finding.SeriesLarge:
			r.Fatalf("%d days, %d slots, %d longest, %d largest", len(s.Days), len(s.Slots), len(s.Longest), len(s.Largest))
		case s.SlotMinutes*finding.SeriesSlots < len(s.Days)*dayMinutes:
			r.Fatalf("slots of %d minutes for %d days", s.SlotMinutes, len(s.Days))
		case s.Cut != s.From.After(first.Std()):
			r.Fatalf("cut is %v, from %v, first %v", s.Cut, s.From, first.Std())
		}
		var inDays, inSlots int64
		for _, v := range s.Days {
			inDays += v.Sessions
		}
		for i, v := range s.Slots {
			inSlots += v.Sessions
			if v.Minute%s.SlotMinutes != 0 || v.Minute >= len(s.Days)*dayMinutes || i > 0 && v.Minute <= s.Slots[i-1].Minute {
				r.Fatalf("slot %d at minute %d", i, v.Minute)
			}
		}
		if inDays != inSlots || !s.Cut && inDays != int64(n) {
			r.Fatalf("%d sessions, %d in days, %d in slots", n, inDays, inSlots)
		}
		for i := 1; i < len(s.Longest); i++ {
			if *s.Longest[i].Duration > *s.Longest[i-1].Duration {
				r.Fatal("the longest are out of order")
			}
		}
	})
}

// TestEveryIntervalHasItsBin: an interval lies between the edges it is counted in.
func TestEveryIntervalHasItsBin(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(11*24*time.Hour)).Draw(r, "interval"))
		bin := binOf(d)
		const rounding = 1e-9
		if s := d.Seconds(); s < edgeOf(bin)*(1-rounding) || s > edgeOf(bin+1)*(1+rounding) {
			r.Errorf("%v is in the bin from %v to %v s", d, edgeOf(bin), edgeOf(bin+1))
		}
	})
}

// TestOnlyOne: a hunt for one finding tells the same of it as one for all.
func TestOnlyOne(t *testing.T) {
	all := huntOffice(t)
	want := findProgram(t, all, "notesync.exe")
	doc := hunt(t, Hunt{Inputs: officeParts, MinScore: math.Inf(-1), Networks: networks(t), Only: want.ID})
	if len(doc.Findings) != 1 || doc.Summary.FindingsUnlisted != len(all.Findings)-1 {
		t.Fatalf("%d findings, %d not listed", len(doc.Findings), doc.Summary.FindingsUnlisted)
	}
	got := doc.Findings[0]
	got.Counterfactual = want.Counterfactual // is against the list, which differs
	if diff := cmp.Diff(*want, got); diff != "" {
		t.Error(diff)
	}
	none, err := Hunt{Inputs: officeParts, Networks: networks(t), Only: "AN1189-000000000000"}.Run(context.Background())
	if err != nil || len(none.Findings) != 0 {
		t.Errorf("%d findings, %v", len(none.Findings), err)
	}
	if s := all.Summary; s.NamedSessions == nil || s.TimedSessions == nil || *s.NamedSessions > 1 || *s.TimedSessions < .9 {
		t.Errorf("%v named, %v timed", s.NamedSessions, s.TimedSessions)
	}
}
