package inventory

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern/postern/internal/event"
)

var comparers = cmp.Options{
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
}

func instantOf(t testing.TB, s string) event.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return event.At(at)
}

func TestLoadCSV(t *testing.T) {
	const file = "\ufeffHost, Role,value,addresses,aliases,site\r\n" +
		"# a comment\r\n" +
		"WS2.Corp.Example., Workstation,,10.1.2.0/24; 10.9.9.9 ,ws2;old-ws2,\"Berlin, 2\"\r\n" +
		"dc1.corp.example,domain-controller,critical,,,\r\n"
	got, err := Load(strings.NewReader(file), "estate.CSV")
	if err != nil {
		t.Fatal(err)
	}
	want := &Inventory{Hosts: []Host{
		{Name: "dc1.corp.example", Role: DomainController, Value: Critical},
		{
			Name: "ws2.corp.example", Role: Workstation, Value: Normal, Aliases: []string{"ws2", "old-ws2"}, Site: "Berlin, 2",
			Addresses: []Holding{{Prefix: netip.MustParsePrefix("10.1.2.0/24")}, {Prefix: netip.MustParsePrefix("10.9.9.9/32")}},
		},
	}}
	if diff := cmp.Diff(want, got, comparers); diff != "" {
		t.Errorf("inventory (-want +got):\n%s", diff)
	}
}

func TestLoadYAML(t *testing.T) {
	const file = `
hosts:
  - name: WS1.corp.example
    aliases: [ws1]
    role: Kiosk
    population: lobby
    application: Visitors
    value: low
    site: Berlin
    addresses:
      - 10.1.2.3
      - {address: "2001:db8::3", from: 2026-11-02, to: 2026-11-03T12:00:00+02:00}
      - address: 10.1.3.0/24
internal: [203.0.113.0/24]
external:
  - 10.0.5.13
sensors:
  - {name: zeek-1, site: Berlin}
`
	got, err := Load(strings.NewReader(file), "estate.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := &Inventory{
		Hosts: []Host{{
			Name: "ws1.corp.example", Aliases: []string{"ws1"}, Role: Kiosk, Population: "lobby", Application: "Visitors",
			Value: Low, Site: "Berlin",
			Addresses: []Holding{
				{Prefix: netip.MustParsePrefix("10.1.2.3/32")},
				{netip.MustParsePrefix("2001:db8::3/128"), instantOf(t, "2026-11-02T00:00:00Z"), instantOf(t, "2026-11-03T10:00:00Z")},
				{Prefix: netip.MustParsePrefix("10.1.3.0/24")},
			},
		}},
		Sensors: []Sensor{{Name: "zeek-1", Site: "Berlin"}},
		Lists:   Lists{prefixes(t, "203.0.113.0/24"), prefixes(t, "10.0.5.13")},
	}
	if diff := cmp.Diff(want, got, comparers); diff != "" {
		t.Errorf("inventory (-want +got):\n%s", diff)
	}
	wantLeases := []event.Lease{
		{Sensor: LeaseSensor, Host: "ws1.corp.example", Addr: netip.MustParseAddr("10.1.2.3"), Duration: event.Unknown},
		{Sensor: LeaseSensor, Host: "ws1.corp.example", Addr: netip.MustParseAddr("2001:db8::3"), Time: instantOf(t, "2026-11-02T00:00:00Z"), Duration: event.Count((34 * time.Hour).Microseconds())},
	}
	if diff := cmp.Diff(wantLeases, got.Leases(), comparers); diff != "" {
		t.Errorf("leases (-want +got):\n%s", diff)
	}
	if h := got.Host("ws1.corp.example"); h == nil || h.Role != Kiosk {
		t.Errorf("host: %v", h)
	}
	if h := got.Host("ws1"); h != nil {
		t.Errorf("an alias is found as a name: %v", h)
	}
}

func TestLoadMistakes(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"a.csv", "", "a.csv:1:1: no header line: want columns among host, role,"},
		{"a.csv", "host,roel\n", `a.csv:1:6: unknown column "roel": want host, role, population`},
		{"a.csv", "role\n", "a.csv:1:1: no column host"},
		{"a.csv", "host,site,host\n", "a.csv:1:11: column host is there twice"},
		{"a.csv", "host,role\nws1,server\nws2,web server\n", "a.csv:3:5: role: a role is a word"},
		{"a.csv", "host,value\nws1,huge\n", "a.csv:2:5: value: a value is one of critical, high, normal and low"},
		{"a.csv", "host,addresses\nws1,10.1.2.3/8\n", `a.csv:2:5: addresses: network "10.1.2.3/8" has host bits`},
		{"a.csv", "host\nws 1\n", "a.csv:2:1: host: a host name has"},
		{"a.csv", "site,host\nx,ws1\ny,WS1\n", "a.csv:3:3: the name ws1 is that of host ws1 already"},
		{"a.csv", "host,aliases\nws1,a;b\nb,\n", "a.csv:3:1: the name b is that of host ws1 already"},
		{"a.csv", "host,site\nws1\n", "a.csv:2:1: wrong number of fields"},
		{"a.csv", "host\n\"ws1\n", `extraneous or missing " in quoted-field`},
		{"a.csv", "host\n\xff\n", "a.csv is not UTF-8"},
		{"a.csv", "host,site\nws1,a\x1bb\n", "a.csv:2:5: site: holds a character that cannot be printed"},
		{"a.yaml", "hosts:\n- role: server\n", "a.yaml:2:3: hosts[0]: a host needs a name"},
		{"a.yaml", "hosts:\n- name: a\n- name: a\n", "a.yaml:3:3: hosts[1]: the name a is that of host a already"},
		{"a.yaml", "hosts:\n- name: a\n  owner: b\n", `a.yaml:3:3: unknown key "owner": want name, aliases, role`},
		{"a.yaml", "hosts:\n- name: a\n  addresses: [10.0.0.1, here]\n", `a.yaml:3:25: network "here" is neither`},
		{"a.yaml", "hosts:\n- name: a\n  addresses: [{from: 2026-01-01}]\n", "a.yaml:3:16: hosts[0].addresses[0]: want an address"},
		{"a.yaml", "hosts:\n- name: a\n  addresses: [{address: 10.0.0.1, from: 2026-01-02, to: 2026-01-02}]\n", "hosts[0].addresses[0]: ends before it begins"},
		{"a.yaml", "hosts:\n- name: a\n  addresses: [{address: 10.0.0.1, from: yesterday}]\n", "want a time such as"},
		{"a.yaml", "internal: [10.0.0.0/16]\nexternal: [10.0.0.0/16]\n", "a.yaml:2:11: external: network 10.0.0.0/16 is said to be both internal and external"},
		{"a.yaml", "sensors: [{site: x}]\n", "sensors[0]: a sensor needs a name"},
		{"a.yaml", "sensors: [{name: x}, {name: x}]\n", "sensors[1]: sensor x is there twice"},
		{"a.yaml", "hosts: [{name: a, role: ../etc}]\n", "a.yaml:1:25: a role is a word"},
		{"a.txt", "", "inventory a.txt ends neither in .csv nor in .yaml"},
	} {
		t.Run(c.want, func(t *testing.T) {
			_, err := Load(strings.NewReader(c.file), c.name)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	many := strings.Repeat("10.0.0.1;", maxAddresses+1)
	_, err := Load(strings.NewReader("host,addresses\nws1,"+many+"\n"), "a.csv")
	if err == nil || !strings.Contains(err.Error(), "more than 1024 addresses") {
		t.Errorf("addresses: %v", err)
	}
	_, err = Load(strings.NewReader("host\n"+strings.Repeat("a", maxName+1)+"\n"), "a.csv")
	if err == nil || !strings.Contains(err.Error(), "up to 253 characters") {
		t.Errorf("name: %v", err)
	}
}

// TestLoadLarge: an estate of a hundred thousand hosts is read in a moment.
func TestLoadLarge(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("host,role,addresses\n")
	for i := range 100_000 {
		fmt.Fprintf(&b, "ws%d.corp.example,workstation,10.%d.%d.%d\n", i, i>>16, i>>8&255, i&255)
	}
	start := time.Now()
	inv, err := Load(&b, "a.csv")
	if err != nil || len(inv.Hosts) != 100_000 || len(inv.Leases()) != 100_000 {
		t.Fatalf("%v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestListsOver(t *testing.T) {
	flags := Lists{External: prefixes(t, "10.0.5.0/24")}
	file := Lists{Internal: prefixes(t, "10.0.5.0/24,203.0.113.0/24"), External: prefixes(t, "10.0.6.0/24")}
	want := Lists{prefixes(t, "203.0.113.0/24"), prefixes(t, "10.0.5.0/24,10.0.6.0/24")}
	if diff := cmp.Diff(want, flags.Over(file), comparers); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
}

func TestNilInventory(t *testing.T) {
	var inv *Inventory
	if inv.Host("a") != nil || inv.Leases() != nil || NewNames(nil, inv).Of("A") != "a" {
		t.Error("a nil inventory knows something")
	}
}

// inventories draws what WriteYAML must be able to write.
func inventories() *rapid.Generator[*Inventory] {
	word := rapid.StringMatching(`[a-z0-9:#!%&*\-\[\]{}'"\\|>~.üλ@_]{1,12}`)
	sentence := rapid.Map(rapid.String(), func(s string) string {
		if CheckText(s) != nil {
			return ""
		}
		return strings.TrimSpace(s)
	})
	at := rapid.Map(rapid.Int64Range(0, 4e15), func(n int64) event.Time { return event.Time(max(0, n-2e15)) })
	return rapid.Custom(func(t *rapid.T) *Inventory {
		inv := &Inventory{Notes: []string{rapid.String().Draw(t, "note")}}
		taken := map[string]bool{}
		for range rapid.IntRange(0, 4).Draw(t, "hosts") {
			name, err := ParseName(word.Draw(t, "name"))
			if err != nil || taken[name] {
				continue
			}
			taken[name] = true
			h := Host{Name: name, Value: rapid.SampledFrom([]Value{Critical, High, Normal, Low}).Draw(t, "value")}
			h.Role = rapid.SampledFrom([]Role{"", Workstation, DomainController, "no", "null", "y"}).Draw(t, "role")
			h.Population, h.Application, h.Site = sentence.Draw(t, "population"), sentence.Draw(t, "application"), sentence.Draw(t, "site")
			h.Inferred, h.Why = true, rapid.String().Draw(t, "why")
			for range rapid.IntRange(0, 2).Draw(t, "addresses") {
				a := rapid.SampledFrom([]string{"10.0.0.1/32", "10.0.0.0/8", "2001:db8::/32", "::/0", "::1/128"}).Draw(t, "address")
				held := Holding{netip.MustParsePrefix(a), at.Draw(t, "from"), at.Draw(t, "to")}
				if held.check() == nil && (held.From == 0 || held.From > 1e6) && (held.To == 0 || held.To > 1e6) {
					h.Addresses = append(h.Addresses, held)
				}
			}
			inv.Hosts = append(inv.Hosts, h)
		}
		g := register{hosts: inv.Hosts}
		inv.Hosts = g.sorted()
		if s := sentence.Draw(t, "sensor"); s != "" {
			inv.Sensors = []Sensor{{Name: s, Site: sentence.Draw(t, "sensor site"), Why: rapid.String().Draw(t, "sensor why")}}
		}
		return inv
	})
}

// TestRoundTrip: what is written is read as the same, but for what only
// comments carry.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inv := inventories().Draw(t, "inventory")
		var b bytes.Buffer
		if err := inv.WriteYAML(&b); err != nil {
			t.Fatal(err)
		}
		got, err := Load(bytes.NewReader(b.Bytes()), "draft.yaml")
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		inv.Notes = nil
		for i := range inv.Hosts {
			inv.Hosts[i].Inferred, inv.Hosts[i].Why = false, ""
		}
		for i := range inv.Sensors {
			inv.Sensors[i].Why = ""
		}
		if diff := cmp.Diff(inv, got, comparers); diff != "" {
			t.Fatalf("inventory (-want +got):\n%s\n%s", diff, b.String())
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add("host,role\nws1,server\n", true)
	f.Add("hosts:\n- name: a\n  addresses: [10.0.0.1, {address: 10.0.0.0/8, to: 2026-01-01}]\n", false)
	f.Fuzz(func(t *testing.T, text string, csv bool) {
		name := "a.yaml"
		if csv {
			name = "a.csv"
		}
		inv, err := Load(strings.NewReader(text), name)
		if err != nil {
			return
		}
		inv.Leases()
		var b bytes.Buffer
		if err := inv.WriteYAML(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(&b, "again.yaml"); err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
	})
}
