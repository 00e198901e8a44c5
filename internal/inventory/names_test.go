package inventory

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name      string
		known     []string
		hosts     []Host
		want      map[string]string
		ambiguous []Ambiguity
	}{
		{
			name:  "a short name and the one FQDN that it begins",
			known: []string{"WS1", "ws1.corp.example", "ws2"},
			want: map[string]string{
				"ws1": "ws1.corp.example", "WS1.CORP.example.": "ws1.corp.example", "ws2": "ws2", "ws3.corp.example": "ws3.corp.example",
			},
		},
		{
			name:      "two FQDNs",
			known:     []string{"ws1", "ws1.a.example", "ws1.b.example"},
			want:      map[string]string{"ws1": "ws1", "ws1.a.example": "ws1.a.example", "ws1.b.example": "ws1.b.example"},
			ambiguous: []Ambiguity{{"ws1", []string{"ws1.a.example", "ws1.b.example"}}},
		},
		{
			name:  "two FQDNs that the inventory says are one machine",
			known: []string{"ws1", "ws1.a.example", "ws1.b.example"},
			hosts: []Host{{Name: "ws1.a.example", Aliases: []string{"ws1.b.example"}}},
			want:  map[string]string{"ws1": "ws1.a.example", "ws1.b.example": "ws1.a.example"},
		},
		{
			name:  "two FQDNs, and the inventory gives the short name to one",
			known: []string{"ws1", "ws1.a.example", "ws1.b.example"},
			hosts: []Host{{Name: "ws1.b.example", Aliases: []string{"ws1"}}},
			want:  map[string]string{"ws1": "ws1.b.example", "ws1.a.example": "ws1.a.example"},
		},
		{
			name:  "the inventory writes the short name",
			known: []string{"ws1.corp.example"},
			hosts: []Host{{Name: "ws1"}, {Name: "desk", Aliases: []string{"ws2"}}},
			want:  map[string]string{"ws1": "ws1", "ws1.corp.example": "ws1", "ws2": "desk", "ws2.corp.example": "ws2.corp.example"},
		},
		{
			name:  "an explicit alias wins over the label",
			known: []string{"ws1", "ws1.corp.example", "other.corp.example"},
			hosts: []Host{{Name: "other.corp.example", Aliases: []string{"ws1"}}},
			want:  map[string]string{"ws1": "other.corp.example", "other.corp.example": "other.corp.example"},
		},
		{
			name:  "a name cut as NetBIOS cuts it",
			known: []string{"accounting-prin", "accounting-printers.corp.example"},
			want:  map[string]string{"ACCOUNTING-PRIN": "accounting-printers.corp.example", "accounting-pri": "accounting-pri"},
		},
		{
			name:      "a name cut, and another that is that long",
			known:     []string{"accounting-prin", "accounting-printers.corp.example", "accounting-prin.corp.example"},
			want:      map[string]string{"accounting-prin": "accounting-prin"},
			ambiguous: []Ambiguity{{"accounting-prin", []string{"accounting-prin.corp.example", "accounting-printers.corp.example"}}},
		},
		{
			name:  "addresses and oddities are names of their own",
			known: []string{"10", "10.0.0.1", ".", ".corp", ""},
			want:  map[string]string{"10": "10", "10.0.0.1": "10.0.0.1", "": "", ".corp": ".corp"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := NewNames(c.known, &Inventory{Hosts: c.hosts})
			got := map[string]string{}
			for name := range c.want {
				got[name] = n.Of(name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.ambiguous, n.Ambiguous()); diff != "" {
				t.Errorf("ambiguous (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNamesProperties: the name of a name is itself, the order of what is
// known changes nothing, and no two FQDNs become one without the inventory.
func TestNamesProperties(t *testing.T) {
	name := rapid.Custom(func(t *rapid.T) string {
		label := rapid.SampledFrom([]string{"a", "b", "abcdefghijklmno", "abcdefghijklmnop", "abcdefghijklmnoq"}).Draw(t, "label")
		return label + rapid.SampledFrom([]string{"", "", ".x", ".y"}).Draw(t, "domain")
	})
	rapid.Check(t, func(t *rapid.T) {
		known := rapid.SliceOfN(name, 0, 8).Draw(t, "known")
		inv := new(Inventory)
		g := register{}
		for range rapid.IntRange(0, 2).Draw(t, "hosts") {
			_ = g.add(Host{Name: name.Draw(t, "host"), Aliases: rapid.SliceOfN(name, 0, 2).Draw(t, "aliases")}) // some clash
		}
		inv.Hosts = g.sorted()
		n := NewNames(known, inv)
		turned := NewNames(rapid.Permutation(known).Draw(t, "order"), inv)
		bare := NewNames(known, nil)
		for range 4 {
			s := name.Draw(t, "asked")
			one := n.Of(s)
			if again := n.Of(one); again != one {
				t.Fatalf("%s is %s, and that is %s", s, one, again)
			}
			if other := turned.Of(s); other != one {
				t.Fatalf("%s is %s, in another order %s", s, one, other)
			}
			if _, fqdn := firstLabel(s); fqdn && bare.Of(s) != s {
				t.Fatalf("the FQDN %s became %s", s, bare.Of(s))
			}
		}
		if a, b := fmt.Sprint(n.Ambiguous()), fmt.Sprint(turned.Ambiguous()); a != b {
			t.Fatalf("ambiguous: %s, in another order %s", a, b)
		}
	})
}
