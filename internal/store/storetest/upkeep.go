package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

const (
	hour = 3_600_000_000
	day  = 24 * hour
)

// testInfo checks that what was put is counted, and when it was.
func testInfo(t *testing.T, open Opener) {
	s := with(t, open)
	r := newRandom(18)
	b := r.batch(7)
	b.Flows[0].Time, b.Flows[1].Time, b.Flows[2].Time = 0, 5, 1<<62
	appendFlush(t, s, b)
	must(t, s.PutSessions(t.Context(), many(11, r.session)))
	must(t, s.Rollup(t.Context()))
	info, err := s.Info(t.Context())
	must(t, err)
	tables := make(map[string]store.TableInfo)
	for _, table := range info.Tables {
		tables[table.Name] = table
	}
	for name, rows := range map[string]int64{"flow": 7, "lookup": 7, "session": 11, "certificate": 0, "input": 0, "told": 0} {
		if got := tables[name].Rows; got != rows {
			t.Errorf("table %s has %d rows, want %d", name, got, rows)
		}
	}
	if f := tables["flow"]; f.First != 5 || f.Last != 1<<62 {
		t.Errorf("flows are from %d to %d", f.First, f.Last)
	}
	if e := tables["edge"]; e.Rows == 0 || e.First%hour != 0 {
		t.Errorf("the edges are %+v", e)
	}
	if info.Engine == "" || info.Schema == 0 || info.Bytes <= 0 {
		t.Errorf("engine %q, schema %d, %d bytes", info.Engine, info.Schema, info.Bytes)
	}
}

// testCheck checks that a sound store is called sound, and stays as it was.
func testCheck(t *testing.T, open Opener) {
	s := with(t, open)
	b := newRandom(19).batch(20)
	appendFlush(t, s, b)
	must(t, s.Check(t.Context()))
	must(t, s.Check(t.Context()))
	same(t, "the window", window(t, s, everything(b)), sorted(b))
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Check(done); !errors.Is(err, context.Canceled) {
		t.Errorf("checking with a context that has ended: %v", err)
	}
}

// testPrune checks that what is older goes, by whole days, each part at its own
// age, and nothing else does.
func testPrune(t *testing.T, open Opener) {
	path := place(t)
	s := open(t, path)
	const now = 20_000*day + 5*hour
	times := []event.Time{now, now - 5*hour, now - 5*hour - 1, now - 3*day, 0, -7, -1 << 63, 1<<62 + 1}
	var b event.Batch
	var sessions []event.Session
	for i, at := range times {
		uid := string(rune('a' + i))
		b.Flows = append(b.Flows, event.Flow{UID: uid, Time: at, Src: addrPort("10.0.0.1:1")})
		b.Starts = append(b.Starts, event.ProcessStart{Host: "h", GUID: uid, Record: uint64(i + 1), Time: at})
		sessions = append(sessions, event.Session{Key: event.Key(i), Host: "h", Program: uid, Domain: "d", Start: at})
	}
	appendFlush(t, s, &b)
	must(t, s.PutInput(t.Context(), store.Input{Fingerprint: "f", ReadAt: 1}))
	must(t, s.PutTold(t.Context(), []store.Told{{ID: "t", Time: 1}}))
	must(t, s.PutSessions(t.Context(), sessions))
	must(t, s.Rollup(t.Context()))

	gone, err := s.Prune(t.Context(), store.Ages{})
	must(t, err)
	same(t, "what no age took", gone, []store.Pruned(nil))
	gone, err = s.Prune(t.Context(), store.Ages{Raw: now, Sessions: now - 2*day, Edges: now - 4*day})
	must(t, err)
	same(t, "what was pruned", gone, []store.Pruned{{Table: "process_start", Rows: 5}, {Table: "flow", Rows: 5}, {Table: "session", Rows: 4}, {Table: "edge", Rows: 3}})
	closeStore(t, s)

	s = open(t, path)
	defer closeStore(t, s)
	young := func(since event.Time) func(event.Time) bool { return func(t event.Time) bool { return t >= since } }
	raw, kept := young(now-5*hour), young(20_000*day-2*day)
	same(t, "the window", window(t, s, everything(&b)), sorted(&event.Batch{
		Flows:  those(b.Flows, func(e event.Flow) bool { return raw(e.Time) }),
		Starts: those(b.Starts, func(e event.ProcessStart) bool { return raw(e.Time) }),
	}))
	same(t, "the sessions", readSessions(t, s, store.SessionFilter{}),
		sortSessions(those(sessions, func(e event.Session) bool { return kept(e.Start) })))
	programs, err := s.Programs(t.Context())
	must(t, err)
	if len(programs) != 5 { // the edges of now, the two around midnight, three days ago, and the far future
		t.Errorf("the edges left are of %v", programs)
	}
	if _, ok, err := s.Input(t.Context(), "f"); !ok || err != nil {
		t.Errorf("the input is forgotten: %v", err)
	}
	if told, err := s.Told(t.Context()); len(told) != 1 || err != nil {
		t.Errorf("what was told is %v: %v", told, err)
	}
}
