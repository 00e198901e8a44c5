package storetest

import (
	"testing"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// testTold checks that what was told is kept as it was, once for each time, and
// in order.
func testTold(t *testing.T, open Opener) {
	path := place(t)
	s := open(t, path)
	check := func(want ...store.Told) {
		t.Helper()
		got, err := s.Told(t.Context())
		must(t, err)
		same(t, "what was told", got, want)
	}
	check()
	a := store.Told{ID: "a", Time: 2e15, Score: 1.25, Hosts: 3, BytesOut: 1 << 40, Tier: "high"}
	b := store.Told{ID: "b 'x'", Time: 1e15, Score: -0.1, Hosts: 1, BytesOut: event.Unknown, Tier: "budget"}
	c := store.Told{ID: "c", Time: a.Time, Score: 7, Tier: "standing"}
	later := a
	later.Time, later.Score, later.BytesOut = 3e15, 1e-9, 0
	must(t, s.PutTold(t.Context(), nil))
	must(t, s.PutTold(t.Context(), []store.Told{later, c, a}))
	must(t, s.PutTold(t.Context(), []store.Told{b}))
	check(b, a, c, later)

	again := a // the same telling
	again.Score, again.Hosts = 2.5, 4
	must(t, s.PutTold(t.Context(), []store.Told{again}))
	must(t, s.ClearSessions(t.Context()))
	check(b, again, c, later)
	closeStore(t, s)
	s = open(t, path)
	defer closeStore(t, s)
	check(b, again, c, later)
}
