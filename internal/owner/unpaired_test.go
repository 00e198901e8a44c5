package owner

import (
	"slices"
	"testing"

	"github.com/postern/postern/internal/event"
)

// TestTwoWordsOnAConnectWithoutAFlow: where the sources name different programs
// the kernel is believed, as it is on a flow.
func TestTwoWordsOnAConnectWithoutAFlow(t *testing.T) {
	const stranger = `C:\Windows\stranger.exe`
	const app = `C:\Program Files\App\app.exe`
	for _, c := range []struct {
		name   string
		later  float64 // Security's word after Sysmon's, in seconds
		sysmon string
		want   []string // images, each with the other one after a slash
	}{
		{"they agree", -1.5, app, []string{app + "/"}},
		{"they do not", -1.5, stranger, []string{app + "/" + stranger}},
		{"Sysmon does not know", -1.5, "", []string{app + "/"}},
		{"they speak of two connects by one port", 20, stranger, []string{app + "/", stranger + "/"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := new(evidence)
			e.connect(100, 50_000, event.Sysmon).Image = c.sysmon
			e.connect(100+c.later, 50_000, event.Security)
			r := e.join(t)
			var got []string
			for i := range r.Sessions {
				got = append(got, r.Sessions[i].Image+"/"+r.Sessions[i].OtherImage)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("sessions are of %q, want %q", got, c.want)
			}
		})
	}
}

// TestOneAddressAtTwoSites: the wire that watches an address at one site does
// not watch it at another.
func TestOneAddressAtTwoSites(t *testing.T) {
	for _, c := range []struct {
		name     string
		connects int
		joined   bool // one of the other host's connects has a flow
		want     map[Outcome]int64
	}{
		{"a host without any flow", 12, false, map[Outcome]int64{Joined: 3, NoWire: 12}},
		{"a host with a flow", 12, true, map[Outcome]int64{Joined: 4, Attempt: 12}},
		{"too few connects to tell", 9, false, map[Outcome]int64{Joined: 3, Attempt: 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := new(evidence)
			for i := range 3 {
				e.flow(float64(1000*i), 50_000+uint16(i))
				e.connect(float64(1000*i), 50_000+uint16(i), event.Security)
			}
			for i := range c.connects {
				e.connect(float64(100*i), 60_000+uint16(i), event.Security).Host = "b"
			}
			if c.joined {
				e.flow(1500, 61_000)
				e.connect(1500, 61_000, event.Security).Host = "b"
			}
			r := e.join(t)
			got := r.Ledger.ByOutcome()
			for o, n := range c.want {
				if got[o] != n {
					t.Errorf("%v: %d, want %d: %v", o, got[o], n, got)
				}
			}
		})
	}
}
