package process

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
)

const t0 = event.Time(1_700_000_000_000_000)

func at(seconds float64) event.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }

func sysmon(pid uint32, guid, parentGUID string, s float64, image string) event.ProcessStart {
	return event.ProcessStart{
		Host: "h", Time: at(s), Source: event.Sysmon, PID: pid, GUID: guid,
		ParentGUID: parentGUID, Image: image,
	}
}

func security(pid, parent uint32, s float64, image string) event.ProcessStart {
	return event.ProcessStart{Host: "h", Time: at(s), Source: event.Security, PID: pid, ParentPID: parent, Image: image}
}

func image(i *Instance) string {
	if i == nil {
		return "<none>"
	}
	return i.Image
}

func TestFindByPIDIsSafeWhenPIDsAreReused(t *testing.T) {
	tab := NewTable(
		[]event.ProcessStart{security(7, 1, 100, "second"), security(7, 1, 0, "first"), security(8, 1, 0, "other")},
		[]event.ProcessStop{{Host: "h", Time: at(50), Source: event.Security, PID: 7}},
	)
	for _, c := range []struct {
		seconds float64
		want    string
	}{
		{-10, "<none>"}, // older than the log
		{-1, "first"},   // within the slack of two sensors
		{10, "first"},
		{51, "first"},
		{60, "<none>"}, // ended, the next not started
		{100, "second"},
		{9999, "second"},
	} {
		if got := image(tab.ByPID(7, at(c.seconds))); got != c.want {
			t.Errorf("PID 7 at %v s: got %s, want %s", c.seconds, got, c.want)
		}
	}
}

func TestReuseWithoutStopEndsTheFormer(t *testing.T) {
	tab := NewTable([]event.ProcessStart{security(7, 1, 0, "first"), security(7, 1, 100, "second")}, nil)
	if got := image(tab.ByPID(7, at(50))); got != "first" {
		t.Errorf("at 50 s: got %s", got)
	}
	if got := image(tab.ByPID(7, at(150))); got != "second" {
		t.Errorf("at 150 s: got %s", got)
	}
}

func TestGUIDThatIsUnknownIsNotGuessedByPID(t *testing.T) {
	tab := NewTable([]event.ProcessStart{sysmon(7, "a", "", 0, "a.exe"), security(9, 1, 0, "plain.exe")}, nil)
	if got := image(tab.Find("b", 7, at(10))); got != "<none>" {
		t.Errorf("another GUID with PID 7: got %s", got)
	}
	if got := image(tab.Find("a", 0, at(10))); got != "a.exe" {
		t.Errorf("by GUID: got %s", got)
	}
	if got := image(tab.Find("c", 9, at(10))); got != "plain.exe" {
		t.Errorf("a process known by PID only: got %s", got)
	}
}

func TestTwoSourcesOfOneStartMakeOneInstance(t *testing.T) {
	s := security(7, 1, 0, `c:\a.exe`)
	s.CommandLine = "a.exe -x"
	tab := NewTable([]event.ProcessStart{s, sysmon(7, "a", "p", 0.3, `C:\a.exe`)}, nil)
	i := tab.ByGUID("a")
	if i == nil || i.CommandLine != "a.exe -x" || i.ParentGUID != "p" || i.ParentPID != 1 {
		t.Fatalf("not merged: %+v", i)
	}
	if tab.ByPID(7, at(1)) != i {
		t.Error("PID finds another instance than GUID")
	}
}

func TestLineage(t *testing.T) {
	child := sysmon(4, "d", "c", 30, "child")
	middle := sysmon(3, "c", "b", 20, "middle")
	top := sysmon(2, "b", "a", 10, "top")
	top.ParentPID, top.ParentImage, top.ParentCommandLine = 1, "root", "root -x"
	tab := NewTable([]event.ProcessStart{child, middle, top}, nil)
	var got []string
	for _, a := range tab.Lineage(tab.ByGUID("d")) {
		got = append(got, a.Image)
	}
	if diff := cmp.Diff([]string{"middle", "top", "root"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLineageByPIDDoesNotFollowAReusedPID(t *testing.T) {
	tab := NewTable([]event.ProcessStart{
		security(1, 0, 50, "late owner of PID 1"),
		security(2, 1, 20, "child"),
	}, nil)
	for _, a := range tab.Lineage(tab.ByPID(2, at(21))) {
		if a.Image != "" {
			t.Errorf("parent is %q, which started later", a.Image)
		}
	}
}

func TestLineageEndsOnCycles(t *testing.T) {
	tab := NewTable([]event.ProcessStart{sysmon(1, "a", "b", 0, "a"), sysmon(2, "b", "a", 0, "b")}, nil)
	if n := len(tab.Lineage(tab.ByGUID("a"))); n > maxDepth {
		t.Errorf("%d ancestors", n)
	}
}
