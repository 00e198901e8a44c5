package pipeline

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/inventory"
)

func (w *telemetry) draft(h Hunt) *inventory.Inventory {
	w.t.Helper()
	h.Networks = networks(w.t)
	if h.Inputs == nil {
		h.Inputs = []string{w.dir}
	}
	inv, inputs, err := h.Draft(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	if Incomplete(inputs) {
		w.t.Fatalf("inputs: %+v", inputs)
	}
	return inv
}

var compareInventories = cmp.Options{
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Why" }, cmp.Ignore()),
}

// estate writes a host under its FQDN and its short name, one whose short name
// is of two, one with an odd name, and traffic of a machine without telemetry.
func estate(t *testing.T) *telemetry {
	w := newTelemetry(t)
	const tool = `C:\Program Files\Tool\tool.exe`
	w.connect("ws1.corp.example", morning, 1, tool, "10.1.2.3", 50000)
	w.connect("WS1", morning.Add(time.Hour), 1, tool, "10.1.2.3", 50001)
	w.connect("ws1", morning.Add(2*time.Hour), 1, tool, "10.1.2.4", 50002)
	w.connect("ws1", morning, 1, tool, "127.0.0.1", 50003)
	w.connect("ws1", morning, 1, tool, "169.254.7.7", 50004)
	w.connect("fs.a.example", morning, 1, tool, "10.1.3.1", 50000)
	w.connect("fs.b.example", morning, 1, tool, "10.1.3.2", 50000)
	w.connect("fs", morning, 1, tool, "10.1.3.1", 50001)
	w.connect("two words", morning, 1, tool, "10.1.4.1", 50000)
	w.flow("conn.log", "C1", morning, "10.1.2.3", 50000, 100)
	w.flow("conn.log", "C2", morning, "10.1.9.9", 50000, 100)
	w.flow("conn.log", "C3", morning, "198.51.100.77", 50000, 100) // outside: not ours to name
	return w
}

func held(addr string, from, to time.Time) inventory.Holding {
	return inventory.Holding{Prefix: netip.MustParsePrefix(addr + "/32"), From: event.At(from), To: event.At(to) + 1}
}

func TestDraft(t *testing.T) {
	w := estate(t)
	want := &inventory.Inventory{
		Hosts: []inventory.Host{
			{Name: "fs", Addresses: []inventory.Holding{held("10.1.3.1", morning, morning)}},
			{Name: "fs.a.example", Addresses: []inventory.Holding{held("10.1.3.1", morning, morning)}},
			{Name: "fs.b.example", Addresses: []inventory.Holding{held("10.1.3.2", morning, morning)}},
			{Name: "ws1.corp.example", Aliases: []string{"ws1"}, Addresses: []inventory.Holding{
				held("10.1.2.4", morning.Add(2*time.Hour), morning.Add(2*time.Hour)),
				held("10.1.2.3", morning, morning.Add(time.Hour)),
			}},
		},
		Sensors: []inventory.Sensor{{Name: "zeek"}},
		Notes: []string{
			"Hosts left out, because no person could write their names: 1.",
			`"fs" may be any of fs.a.example, fs.b.example: say which with aliases.`,
			"Internal addresses with network traffic that no endpoint claims, 1: 10.1.9.9.",
		},
	}
	for i := range want.Hosts {
		want.Hosts[i].Inferred, want.Hosts[i].Value = true, inventory.Normal
	}
	for _, workers := range []int{1, 4} {
		if diff := cmp.Diff(want, w.draft(Hunt{Workers: workers}), compareInventories); diff != "" {
			t.Errorf("draft (-want +got):\n%s", diff)
		}
	}
}

// TestDraftAgain: a draft from a store that is kept is that of the inputs.
func TestDraftAgain(t *testing.T) {
	w := estate(t)
	path := filepath.Join(t.TempDir(), "events.db")
	first := w.draft(Hunt{Store: path})
	if diff := cmp.Diff(first, w.draft(Hunt{Store: path, Inputs: []string{}}), compareInventories); diff != "" {
		t.Errorf("the draft from the store alone (-first +again):\n%s", diff)
	}
	if _, _, err := (Hunt{Store: path + ".no"}).Draft(context.Background()); err == nil || !strings.Contains(err.Error(), "opening the store") {
		t.Errorf("a store that is not there: %v", err)
	}
	if _, _, err := (Hunt{}).Draft(context.Background()); err == nil {
		t.Error("a draft of nothing")
	}
}

// TestDraftAround: what the operator said stays, and what nobody saw does.
func TestDraftAround(t *testing.T) {
	w := estate(t)
	fixed := []inventory.Holding{{Prefix: netip.MustParsePrefix("10.1.9.9/32")}}
	given, err := inventory.Load(strings.NewReader(`
hosts:
  - {name: fs.a.example, aliases: [fs, fs.b.example], role: server, value: high}
  - {name: unseen, addresses: [10.1.9.9]}
internal: [203.0.113.0/24]
sensors: [{name: zeek, site: Berlin}]
`), "given.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := w.draft(Hunt{Inventory: given})
	fs := got.Host("fs.a.example")
	if fs == nil || fs.Role != inventory.Server || fs.Inferred || fs.Value != inventory.High || len(fs.Addresses) != 2 {
		t.Errorf("the file server: %+v", fs)
	}
	if unseen := got.Host("unseen"); unseen == nil || fmt.Sprint(unseen.Addresses) != fmt.Sprint(fixed) {
		t.Errorf("a host that nobody saw: %+v", unseen)
	}
	if len(got.Hosts) != 3 || len(got.Notes) != 1 {
		t.Errorf("%d hosts, notes %q", len(got.Hosts), got.Notes)
	}
	if len(got.Sensors) != 1 || got.Sensors[0].Site != "Berlin" || len(got.Internal) != 1 {
		t.Errorf("sensors %v, internal %v", got.Sensors, got.Internal)
	}
}

// TestDraftBound: a host of many addresses has those that it used last.
func TestDraftBound(t *testing.T) {
	w := newTelemetry(t)
	for i := range maxHeld + 5 {
		w.connect("ws1", morning.Add(time.Duration(i)*time.Minute), 1, `C:\a.exe`, fmt.Sprintf("10.1.2.%d", i+1), 50000)
	}
	got := w.draft(Hunt{})
	if n := len(got.Hosts[0].Addresses); n != maxHeld {
		t.Errorf("%d addresses", n)
	}
	if a := got.Hosts[0].Addresses[0].Prefix.String(); a != fmt.Sprintf("10.1.2.%d/32", maxHeld+5) {
		t.Errorf("the first is %s, want the last used", a)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "used 37 addresses") {
		t.Errorf("notes %q", got.Notes)
	}
}

// TestDraftOfLabs: what the publishers of captures say of their machines. A
// capture of minutes shows a domain controller, and no workstation.
func TestDraftOfLabs(t *testing.T) {
	for _, c := range []struct {
		file string
		want map[string]inventory.Role
	}{
		{"otrf_hostonly_empire_https/empire_mimikatz_opth.tar.gz", map[string]inventory.Role{
			"hfdc01.shire.com": inventory.DomainController, "hr001.shire.com": "", "it001.shire.com": "",
		}},
		{"otrf_pair_schtask_create/host_empire_msbuild.zip", map[string]inventory.Role{
			"mordordc.theshire.local": inventory.DomainController, "workstation5.theshire.local": "", "workstation6.theshire.local": "",
		}},
	} {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			inv, _, err := Hunt{Inputs: []string{fixture(t, c.file)}, Networks: networks(t)}.Draft(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]inventory.Role{}
			for i := range inv.Hosts {
				got[inv.Hosts[i].Name] = inv.Hosts[i].Role
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("roles (-want +got):\n%s", diff)
			}
		})
	}
}
