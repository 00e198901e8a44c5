package schema_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store/schema"
)

var src = netip.MustParseAddrPort("10.0.0.1:1")

// flowReport draws one of few reports of few flows, so that many are of the same.
func flowReport(t *rapid.T) event.Flow {
	small := rapid.SampledFrom([]event.Count{event.Unknown, 0, 1})
	return event.Flow{
		UID: rapid.SampledFrom([]string{"C1", "C2"}).Draw(t, "uid"), Src: src,
		Time:     rapid.SampledFrom([]event.Time{1, 2}).Draw(t, "time"),
		Duration: small.Draw(t, "duration"), BytesOut: small.Draw(t, "out"), Open: rapid.Bool().Draw(t, "open"),
		State: rapid.SampledFrom([]string{"", "a", "b", "SF"}).Draw(t, "state"),
	}
}

// TestPileAnyOrder checks that neither order nor repetition of reports decides
// which are kept, and that each event is kept once.
func TestPileAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reports := rapid.SliceOfN(rapid.Custom(flowReport), 1, 12).Draw(t, "reports")
		var one, other schema.Pile[event.Flow]
		if err := one.Add(reports); err != nil {
			t.Fatal(err)
		}
		for _, e := range rapid.Permutation(append(slices.Clone(reports), reports...)).Draw(t, "order") {
			if err := other.Add([]event.Flow{e}); err != nil {
				t.Fatal(err)
			}
		}
		kept := one.Events(schema.FlowKind())
		if d := cmp.Diff(kept, other.Events(schema.FlowKind()), cmpopts.EquateComparable(netip.AddrPort{})); d != "" {
			t.Fatal(d)
		}
		seen := make(map[string]bool)
		for i, e := range kept {
			if seen[e.UID] {
				t.Fatalf("%s is kept twice", e.UID)
			}
			seen[e.UID] = true
			if i > 0 && kept[i-1].Time > e.Time {
				t.Fatal("not in order of time")
			}
			if e.Open && slices.ContainsFunc(reports, func(r event.Flow) bool { return r.UID == e.UID && !r.Open }) {
				t.Fatalf("an open report of %s is kept where a final one is", e.UID)
			}
		}
	})
}

// TestBetter checks which of two reports is kept: the better first.
func TestBetter(t *testing.T) {
	flow := event.Flow{UID: "C", Src: src, Time: 5, Duration: 3}
	longer, final, later := flow, flow, flow
	flow.Open, longer.Open = true, true
	longer.Duration, final.Duration, later.Time = 9, event.Unknown, 6
	connect := event.Connect{Host: "h", Record: 1, Time: 1_000_900, User: "abc"}
	cut, shorter := connect, connect
	cut.Time, cut.User, shorter.User = 1_000_000, "abcdefgh", "ab"
	lookup := event.Lookup{Host: "h", Record: 1, Name: "n", Answers: []netip.Addr{src.Addr(), src.Addr()}}
	fewer := lookup
	fewer.Answers = lookup.Answers[:1]
	better(t, "a final flow before a longer open one", schema.FlowKind(), final, longer)
	better(t, "a longer flow", schema.FlowKind(), longer, flow)
	better(t, "a longer flow before a later one", schema.FlowKind(), event.Flow{UID: "C", Src: src, Time: 5, Duration: 4}, later)
	better(t, "a later flow", schema.FlowKind(), later, event.Flow{UID: "C", Src: src, Time: 5, Duration: 3})
	better(t, "a more exact time", schema.ConnectKind(), connect, cut)
	better(t, "a longer text", schema.ConnectKind(), connect, shorter)
	better(t, "more answers", schema.LookupKind(), lookup, fewer)
	better(t, "an established handshake", schema.HandshakeKind(),
		event.Handshake{UID: "C", Established: event.Yes}, event.Handshake{UID: "C", Established: event.Unsaid, SNI: "longer"})
}

func better[E any](t *testing.T, what string, k schema.Kind[E], best, other E) {
	t.Helper()
	for _, reports := range [][]E{{best, other}, {other, best}} {
		var p schema.Pile[E]
		if err := p.Add(reports); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]E{best}, p.Events(k), cmpopts.EquateComparable(netip.AddrPort{}, netip.Addr{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
}

// TestSameUID checks that two clients with one UID are two flows.
func TestSameUID(t *testing.T) {
	var p schema.Pile[event.Flow]
	if err := p.Add([]event.Flow{{UID: "C", Src: src}, {UID: "C", Src: netip.MustParseAddrPort("10.0.0.2:1")}}); err != nil {
		t.Fatal(err)
	}
	if n := len(p.Events(schema.FlowKind())); n != 2 {
		t.Errorf("kept %d flows, want 2", n)
	}
}
