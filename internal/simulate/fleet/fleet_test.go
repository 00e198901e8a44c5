package fleet_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/simulate/fleet"
)

func newFleet(t *testing.T, c fleet.Config) *fleet.Fleet {
	t.Helper()
	f, err := fleet.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEqualSeedsMakeEqualFleets(t *testing.T) {
	c := fleet.Config{Seed: 5, Hosts: 6, Days: 7}
	a, b := newFleet(t, c), newFleet(t, c)
	if diff := cmp.Diff(a.Truth(), b.Truth()); diff != "" {
		t.Errorf("the truths differ: %s", diff)
	}
	same := true
	other := newFleet(t, fleet.Config{Seed: 6, Hosts: 6, Days: 7})
	for i := range c.Hosts {
		if diff := cmp.Diff(a.Host(i).Sessions(), b.Host(i).Sessions(), cmp.Comparer(func(x, y event.Session) bool { return x == y })); diff != "" {
			t.Fatalf("host %d differs: %s", i, diff[:min(len(diff), 500)])
		}
		same = same && len(a.Host(i).Contacts) == len(other.Host(i).Contacts)
	}
	if same {
		t.Error("another seed makes the same fleet")
	}
}

// TestHostsAreIndependent: a host is the same whichever are made before it or
// beside it.
func TestHostsAreIndependent(t *testing.T) {
	f := newFleet(t, fleet.Config{Seed: 2, Hosts: 12, Days: 5})
	var alone [][]event.Session
	for h := range f.Each() {
		alone = append(alone, h.Sessions())
	}
	var wg sync.WaitGroup
	for i := f.Hosts - 1; i >= 0; i-- {
		wg.Go(func() {
			if !slices.Equal(f.Host(i).Sessions(), alone[i]) {
				t.Errorf("host %d differs when it is made beside others", i)
			}
		})
	}
	wg.Wait()
}

// TestAttacksMoveNothingElse: what is harmless is the same without them.
func TestAttacksMoveNothingElse(t *testing.T) {
	with := newFleet(t, fleet.Config{Seed: 3, Hosts: 10, Days: 6, Deeds: 12})
	without := newFleet(t, fleet.Config{Seed: 3, Hosts: 10, Days: 6, Deeds: -1})
	if n := len(without.Plan().Deeds); n != 0 {
		t.Fatalf("%d deeds, want none", n)
	}
	for i := range with.Hosts {
		var benign []fleet.Contact
		for _, c := range with.Host(i).Contacts {
			if c.Origin != fleet.Attack {
				benign = append(benign, c)
			}
		}
		got := without.Host(i).Contacts
		if len(got) != len(benign) {
			t.Fatalf("host %d: %d contacts with attacks, %d without", i, len(benign), len(got))
		}
		for j := range got {
			if got[j].Start != benign[j].Start || got[j].Up != benign[j].Up || got[j].To.Name != benign[j].To.Name {
				t.Fatalf("host %d: contact %d differs", i, j)
			}
		}
	}
}

// TestTruthAgreesWithTheSessions counts the deeds in the sessions by what the
// sessions show, not by the contacts' own notes.
func TestTruthAgreesWithTheSessions(t *testing.T) {
	f := newFleet(t, fleet.Config{Seed: 4, Hosts: 40, Days: 14, Deeds: len(fleet.Kinds())})
	truth := f.Truth()
	var kinds []fleet.Kind
	for _, d := range truth.Deeds {
		kinds = append(kinds, d.Kind)
		if d.Sessions == 0 || d.Bytes == 0 || d.First < event.At(fleet.Epoch) || d.Last < d.First {
			t.Errorf("%s: %d sessions, %d bytes, from %s to %s", d.Kind, d.Sessions, d.Bytes, d.FirstAt, d.LastAt)
		}
		if d.Kind == fleet.LOLBinPopular || d.Kind == fleet.ToolExfil || d.Kind == fleet.BrowserExfil {
			continue // others may go there too
		}
		sessions, bytes := 0, int64(0)
		for i := range f.Hosts {
			h := f.Host(i)
			if !slices.Contains(d.Hosts, h.Name) {
				continue
			}
			for j, s := range h.Sessions() {
				if !slices.Contains(d.Domains, h.Contacts[j].To.Domain) {
					continue
				}
				sessions++
				bytes = s.BytesOut.AddTo(bytes)
				if s.Program != "" && s.Program != d.Program {
					t.Errorf("%s: a session of %s", d.Kind, s.Program)
				}
			}
		}
		if sessions != d.Sessions || bytes != d.Bytes {
			t.Errorf("%s: %d sessions and %d bytes in the sessions, %d and %d in the truth", d.Kind, sessions, bytes, d.Sessions, d.Bytes)
		}
	}
	slices.Sort(kinds)
	want := fleet.Kinds()
	slices.Sort(want)
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds of the deeds: %s", diff)
	}
}

// TestDeedsAreWhatTheirKindSays holds the marks of each kind.
func TestDeedsAreWhatTheirKindSays(t *testing.T) {
	f := newFleet(t, fleet.Config{Seed: 8, Hosts: 60, Days: 14, Deeds: len(fleet.Kinds())})
	classes, err := program.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Truth().Deeds {
		perDay := float64(d.Sessions) / float64(len(d.Hosts)) / max(1, d.Last.Sub(d.First).Hours()/24)
		class := classes.Of(d.Image)
		bad := ""
		switch d.Kind {
		case fleet.BrowserExfil, fleet.ToolExfil, fleet.Splitting:
			if d.Bytes < 400e6 {
				bad = "too little"
			}
		case fleet.SlowExfil:
			if perDayBytes := float64(d.Bytes) / (d.Last.Sub(d.First).Hours()/24 + 1); perDayBytes < 10e6 || perDayBytes > 100e6 {
				bad = fmt.Sprintf("%.0f bytes a day", perDayBytes)
			}
		case fleet.LOLBinBeacon, fleet.StandingBeacon, fleet.LOLBinPopular:
			if class != program.LOLBin {
				bad = "class " + string(class)
			}
		case fleet.Rotation:
			if len(d.Domains) != 4 {
				bad = fmt.Sprintf("%d domains", len(d.Domains))
			}
		case fleet.MassDeployment:
			if len(d.Hosts) != 6 {
				bad = fmt.Sprintf("%d hosts", len(d.Hosts))
			}
		case fleet.WeakBeacon:
			if perDay > 8 {
				bad = fmt.Sprintf("%.1f contacts a day", perDay)
			}
		}
		if d.Kind == fleet.Splitting && len(d.Domains) != 20 {
			bad = fmt.Sprintf("%d domains", len(d.Domains))
		}
		if start := d.First.Sub(event.At(fleet.Epoch)); d.Kind == fleet.StandingBeacon && start > 5*24*time.Hour || d.Kind == fleet.RareBeacon && start < 7*24*time.Hour {
			bad = fmt.Sprintf("it begins after %s", start)
		}
		if bad != "" {
			t.Errorf("%s: %s", d.Kind, bad)
		}
	}
}

func TestConfigsThatCannotBe(t *testing.T) {
	for _, c := range []fleet.Config{
		{Hosts: 0}, {Hosts: 5, Days: 2}, {Hosts: 5, Days: 36}, {Hosts: 5, Kinds: []fleet.Kind{"none such"}}, {Hosts: 5, Kinds: []fleet.Kind{}},
	} {
		if _, err := fleet.New(c); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

// TestSuccessiveSeedsShareTheKinds: a few deeds in each fleet are all kinds in
// as many fleets as there are kinds.
func TestSuccessiveSeedsShareTheKinds(t *testing.T) {
	n := make(map[fleet.Kind]int)
	for seed := range len(fleet.Kinds()) {
		for _, d := range newFleet(t, fleet.Config{Seed: uint64(seed + 40), Hosts: 3, Deeds: 4}).Plan().Deeds {
			n[d.Kind]++
		}
	}
	for _, k := range fleet.Kinds() {
		if n[k] != 4 {
			t.Errorf("%d of %s, want 4", n[k], k)
		}
	}
}
