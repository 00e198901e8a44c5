package storetest

import (
	"slices"
	"testing"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// testSameBatchTwice checks that a batch counts once, appended twice in one run.
func testSameBatchTwice(t *testing.T, open Opener) {
	s := with(t, open)
	b := newRandom(1).batch(300)
	twice := &event.Batch{}
	join(twice, b)
	join(twice, b)
	appendFlush(t, s, twice, b)
	appendFlush(t, s, b)
	same(t, "the window", window(t, s, everything(b)), sorted(b))
}

// testOverlapAcrossRuns checks it for batches that overlap, in two runs.
func testOverlapAcrossRuns(t *testing.T, open Opener) {
	path := place(t)
	all := newRandom(2).batch(300)
	first := &event.Batch{Flows: all.Flows[:200], Connects: all.Connects[:150], Lookups: all.Lookups[:299]}
	second := &event.Batch{Flows: all.Flows[100:], Connects: all.Connects[140:], Lookups: all.Lookups[1:]}
	want := &event.Batch{Flows: all.Flows, Connects: all.Connects, Lookups: all.Lookups}
	for _, b := range []*event.Batch{first, second} {
		s := open(t, path)
		appendFlush(t, s, b)
		closeStore(t, s)
	}
	s := open(t, path)
	defer closeStore(t, s)
	same(t, "the window", window(t, s, everything(want)), sorted(want))
}

// testDuplicatesAnyOrder checks that the order of appending does not decide
// which of two different reports of one event is kept.
func testDuplicatesAnyOrder(t *testing.T, open Opener) {
	connect := func(time event.Time, user string) event.Connect {
		return event.Connect{Host: "h", Time: time, Record: 7, PID: 1, Src: addrPort("10.0.0.1:1"), Dst: addrPort("1.1.1.1:443"), User: user}
	}
	cs := []event.Connect{connect(1_000_000, "a"), connect(1_000_900, ""), connect(1_000_900, "b"), connect(1_000_900, "abc")}
	lookup := event.Lookup{Host: "h", Time: 5, Record: 8, Name: "n", Image: "i"}
	longer := lookup
	longer.Answers = clients("1.1.1.1", "1.1.1.2")
	var kept []*event.Batch
	for i := range 2 {
		s := open(t, place(t))
		b := &event.Batch{Connects: slices.Clone(cs), Lookups: []event.Lookup{lookup, longer}}
		if i == 1 {
			slices.Reverse(b.Connects)
			slices.Reverse(b.Lookups)
		}
		appendFlush(t, s, b)
		kept = append(kept, window(t, s, everything(b)))
		closeStore(t, s)
	}
	same(t, "what was kept", kept[1], kept[0])
	if len(kept[0].Connects) != 1 || len(kept[0].Lookups) != 1 {
		t.Errorf("kept %d connects and %d lookups of one each", len(kept[0].Connects), len(kept[0].Lookups))
	}
}

// testOpenFlow checks which report of a flow is kept, in every order of them.
func testOpenFlow(t *testing.T, open Opener) {
	flow := func(duration, out event.Count, isOpen bool) event.Flow {
		return event.Flow{
			Sensor: "z", Time: 5, UID: "C1", Src: addrPort("10.0.0.1:1"), Dst: addrPort("1.1.1.1:443"),
			Duration: duration, BytesOut: out, BytesIn: event.Unknown, Open: isOpen,
		}
	}
	for _, c := range []struct {
		name  string
		flows []event.Flow // the best first
	}{
		{"final before longer open", []event.Flow{flow(10, 10, false), flow(99, 99, true)}},
		{"final with unknown bytes", []event.Flow{flow(event.Unknown, event.Unknown, false), flow(99, 99, true)}},
		{"longest of open", []event.Flow{flow(30, 1, true), flow(20, 50, true), flow(event.Unknown, 70, true)}},
		{"most bytes", []event.Flow{flow(30, 9, false), flow(30, 8, false), flow(30, event.Unknown, false)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			backward := slices.Clone(c.flows)
			slices.Reverse(backward)
			for _, flows := range [][]event.Flow{c.flows, backward} {
				s := open(t, place(t))
				for _, f := range flows {
					appendFlush(t, s, &event.Batch{Flows: []event.Flow{f}})
				}
				got := window(t, s, store.Selection{Clients: clients("10.0.0.1")})
				same(t, "the flow", got.Flows, c.flows[:1])
				closeStore(t, s)
			}
		})
	}
}

// testSameUID checks that one UID with two clients is two flows: sensors make
// UIDs on their own.
func testSameUID(t *testing.T, open Opener) {
	s := with(t, open)
	b := &event.Batch{Flows: []event.Flow{
		{Sensor: "a", Time: 1, UID: "C1", Src: addrPort("10.0.0.1:1")},
		{Sensor: "b", Time: 2, UID: "C1", Src: addrPort("10.0.0.2:1")},
	}}
	appendFlush(t, s, b)
	same(t, "the window", window(t, s, everything(b)), sorted(b))
}

// testCertificates checks that a handshake has subject and issuer from its
// certificate, and its own where it has one.
func testCertificates(t *testing.T, open Opener) {
	s := with(t, open)
	src := addrPort("10.0.0.1:1")
	b := &event.Batch{
		Handshakes: []event.Handshake{
			{UID: "C1", Time: 1, Src: src, CertID: "F1"},
			{UID: "C2", Time: 2, Src: src, CertID: "F1", Issuer: "own"},
			{UID: "C3", Time: 3, Src: src, CertID: "F3"},
			{UID: "C4", Time: 4, Src: src},
			{UID: "C5", Time: 5, Src: src, CertID: "F2"},
		},
		Certificates: []event.Certificate{
			{ID: "F1", Subject: "CN=a", Issuer: "CN=ca"}, {ID: "F1", Subject: "CN=a", Issuer: "CN=ca"},
			{ID: "F2", Issuer: "CN=other"}, {ID: "", Subject: "CN=nobody"},
		},
	}
	appendFlush(t, s, b)
	want := slices.Clone(b.Handshakes)
	want[0].Subject, want[0].Issuer = "CN=a", "CN=ca"
	want[4].Issuer = "CN=other"
	got := window(t, s, everything(b))
	same(t, "the handshakes", got.Handshakes, want)
	same(t, "certificates", got.Certificates, []event.Certificate(nil))
}
