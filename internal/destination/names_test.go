package destination

import (
	"net/netip"
	"testing"
	"time"

	"github.com/postern/postern/internal/event"
	"pgregory.net/rapid"
)

const noon = event.Time(1_700_000_000_000_000)

func lookup(after time.Duration, name string, answers ...string) *event.Lookup {
	l := &event.Lookup{Time: noon.Add(after), Name: name}
	for _, a := range answers {
		l.Answers = append(l.Answers, netip.MustParseAddr(a))
	}
	return l
}

func TestNames(t *testing.T) {
	const a, b = "192.0.2.1", "192.0.2.2"
	for _, c := range []struct {
		name    string
		lookups []*event.Lookup
		after   time.Duration
		addr    string
		want    string
	}{
		{"nothing is known", nil, 0, a, ""},
		{"another address", []*event.Lookup{lookup(0, "x.example", b)}, 0, a, ""},
		{"just asked", []*event.Lookup{lookup(0, "x.example", a)}, time.Second, a, "x.example"},
		{"the same instant", []*event.Lookup{lookup(0, "x.example", a)}, 0, a, "x.example"},
		{"every answer counts", []*event.Lookup{lookup(0, "X.example.", b, a)}, 0, a, "x.example"},
		{"a mapped answer", []*event.Lookup{lookup(0, "x.example", "::ffff:192.0.2.1")}, 0, a, "x.example"},
		{"a mapped address", []*event.Lookup{lookup(0, "x.example", a)}, 0, "::ffff:192.0.2.1", "x.example"},
		{"the latest", []*event.Lookup{lookup(0, "x.example", a), lookup(time.Minute, "y.example", a)}, time.Hour, a, "y.example"},
		{"the latest at that time", []*event.Lookup{lookup(0, "x.example", a), lookup(time.Hour, "y.example", a)}, time.Minute, a, "x.example"},
		{"in any order", []*event.Lookup{lookup(time.Hour, "y.example", a), lookup(0, "x.example", a)}, time.Minute, a, "x.example"},
		{"a day old", []*event.Lookup{lookup(0, "x.example", a)}, 24 * time.Hour, a, "x.example"},
		{"older than a day", []*event.Lookup{lookup(0, "x.example", a)}, 24*time.Hour + time.Microsecond, a, ""},
		{"written late", []*event.Lookup{lookup(5*time.Second, "x.example", a)}, 0, a, "x.example"},
		{"asked later", []*event.Lookup{lookup(5*time.Second+time.Microsecond, "x.example", a)}, 0, a, ""},
		{"a late record over an old answer", []*event.Lookup{lookup(-time.Hour, "x.example", a), lookup(time.Second, "y.example", a)}, 0, a, "y.example"},
		{"a fresh answer over a late record", []*event.Lookup{lookup(-time.Second, "x.example", a), lookup(time.Second, "y.example", a)}, 0, a, "x.example"},
		{"no name", []*event.Lookup{lookup(0, "", a)}, 0, a, ""},
		{"no time", []*event.Lookup{{Name: "x.example", Answers: []netip.Addr{netip.MustParseAddr(a)}}}, -noon.Std().Sub(time.Unix(0, 0)), a, ""},
		{"an invalid answer", []*event.Lookup{{Time: noon, Name: "x.example", Answers: []netip.Addr{{}}}}, 0, a, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n Names
			for _, l := range c.lookups {
				n.Add(l)
			}
			got, ok := n.At(netip.MustParseAddr(c.addr), noon.Add(c.after))
			if got != c.want || ok != (c.want != "") {
				t.Errorf("At = %q, %v, want %q", got, ok, c.want)
			}
		})
	}
	var n Names
	n.Add(lookup(0, "x.example", a))
	if name, ok := n.At(netip.Addr{}, noon); ok {
		t.Errorf("the invalid address is %s", name)
	}
}

// TestNamesOrder: the order in which files are read decides nothing, also
// among answers of one instant.
func TestNamesOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lookups := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *event.Lookup {
			return lookup(time.Duration(rapid.IntRange(0, 9).Draw(t, "s"))*time.Second,
				rapid.SampledFrom([]string{"x.example", "y.example", "z.example"}).Draw(t, "name"), "192.0.2.1")
		}), 1, 8).Draw(t, "lookups")
		var one, two Names
		for _, l := range lookups {
			one.Add(l)
		}
		for i, l := range rapid.Permutation(lookups).Draw(t, "permuted") {
			two.Add(l)
			if i == 0 {
				two.At(netip.MustParseAddr("192.0.2.1"), noon) // reading between writes changes nothing
			}
		}
		at := noon.Add(time.Duration(rapid.IntRange(-7, 15).Draw(t, "at")) * time.Second)
		a, aok := one.At(netip.MustParseAddr("192.0.2.1"), at)
		b, bok := two.At(netip.MustParseAddr("192.0.2.1"), at)
		if a != b || aok != bok {
			t.Fatalf("%q, %v and %q, %v", a, aok, b, bok)
		}
	})
}

// TestNamesBounded: a flood of answers costs bounded memory and forgets the
// oldest, and all of one instant at worst.
func TestNamesBounded(t *testing.T) {
	for name, step := range map[string]time.Duration{"in time": time.Millisecond, "at once": 0} {
		t.Run(name, func(t *testing.T) {
			var n Names
			const flood = 3*maxAnswers + 7
			for i := range flood {
				l := &event.Lookup{Time: noon.Add(time.Duration(i) * step), Name: "x.example"}
				l.Answers = []netip.Addr{netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})}
				n.Add(l)
				if n.count > maxAnswers {
					t.Fatalf("%d answers are held", n.count)
				}
			}
			if n.count+n.Dropped() != flood {
				t.Errorf("%d held and %d dropped of %d", n.count, n.Dropped(), flood)
			}
			last := flood - 1
			addr := netip.AddrFrom4([4]byte{byte(last >> 24), byte(last >> 16), byte(last >> 8), byte(last)})
			if _, ok := n.At(addr, noon.Add(time.Duration(last)*step)); !ok {
				t.Error("the newest answer is forgotten")
			}
		})
	}
}

func BenchmarkNamesAt(b *testing.B) {
	var n Names
	for i := range 10_000 {
		n.Add(lookup(time.Duration(i)*time.Second, "www.example.com", "192.0.2.1"))
	}
	addr := netip.MustParseAddr("192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		n.At(addr, noon.Add(time.Hour))
	}
}
