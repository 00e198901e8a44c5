package storetest

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

func compareText(a, b string) int { return strings.Compare(a, b) }

func readSessions(t *testing.T, s store.Store, f store.SessionFilter) []event.Session {
	t.Helper()
	var got []event.Session
	must(t, s.Sessions(t.Context(), f, func(e *event.Session) error {
		got = append(got, *e)
		return nil
	}))
	return got
}

func sortSessions(ss []event.Session) []event.Session {
	ss = slices.Clone(ss)
	slices.SortFunc(ss, func(a, b event.Session) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Key, b.Key)) })
	return ss
}

// testSessions checks the round trip of sessions, and that fn can stop it.
func testSessions(t *testing.T, open Opener) {
	path := place(t)
	r := newRandom(8)
	all := many(5000, r.session)
	s := open(t, path)
	for part := range slices.Chunk(all, 700) {
		must(t, s.PutSessions(t.Context(), part))
	}
	must(t, s.Rollup(t.Context()))
	same(t, "the sessions", readSessions(t, s, store.SessionFilter{}), sortSessions(all))

	stop, n := errors.New("enough"), 0
	err := s.Sessions(t.Context(), store.SessionFilter{}, func(*event.Session) error {
		if n++; n == 3000 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != 3000 {
		t.Errorf("stopped with %v after %d sessions", err, n)
	}
	closeStore(t, s)
	s = open(t, path)
	defer closeStore(t, s)
	same(t, "the sessions of the store opened again", readSessions(t, s, store.SessionFilter{}), sortSessions(all))
}

// testManySessions checks the order of more sessions than a store would sort at
// once, a third of them at one instant.
func testManySessions(t *testing.T, open Opener) {
	s := with(t, open)
	r := newRandom(16)
	all := make([]event.Session, 200_000)
	for i := range all {
		all[i] = event.Session{Key: event.Key(r.Uint64()), Start: event.Time(r.IntN(10_000)), Program: r.pick("a", "b")}
		if i%3 == 0 {
			all[i].Start = 5000
		}
	}
	must(t, s.PutSessions(t.Context(), all))
	must(t, s.Rollup(t.Context()))
	for _, f := range []store.SessionFilter{{}, {Edge: &store.Edge{Program: "a"}}} {
		want := sortSessions(those(all, func(e event.Session) bool { return f.Edge == nil || e.Program == f.Edge.Program }))
		if got := readSessions(t, s, f); !slices.Equal(got, want) {
			t.Errorf("%d sessions are not the %d that were put, in order", len(got), len(want))
		}
	}
}

func testSessionFilters(t *testing.T, open Opener) {
	s := with(t, open)
	all := many(1000, newRandom(9).session)
	must(t, s.PutSessions(t.Context(), all))
	must(t, s.Rollup(t.Context()))
	for _, c := range []struct {
		name   string
		filter store.SessionFilter
	}{
		{"an edge", store.SessionFilter{Edge: &store.Edge{Program: "a", Domain: "x.example"}}},
		{"the unknown program", store.SessionFilter{Edge: &store.Edge{Program: "", Domain: "10.0.0.1"}}},
		{"a host", store.SessionFilter{Host: "host-1"}},
		{"an address as host", store.SessionFilter{Host: "10.0.0.1"}},
		{"some hosts", store.SessionFilter{Hosts: []string{"host-1", "10.0.0.1", "host-9"}}},
		{"no hosts", store.SessionFilter{Hosts: []string{}}},
		{"some keys", store.SessionFilter{Keys: someKeys(all)}},
		{"no keys", store.SessionFilter{Keys: []store.SessionKey{}}},
		{"some keys of one host", store.SessionFilter{Host: "host-1", Keys: someKeys(all)}},
		{"both", store.SessionFilter{Host: "host-2", Edge: &store.Edge{Program: "b", Domain: "y.example"}}},
		{"nobody", store.SessionFilter{Host: "host-9"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := c.filter
			want := those(all, func(e event.Session) bool {
				return (f.Host == "" || identity(e) == f.Host) &&
					(f.Hosts == nil || slices.Contains(f.Hosts, identity(e))) &&
					(f.Keys == nil || slices.Contains(f.Keys, keyOf(e))) &&
					(f.Edge == nil || *f.Edge == store.Edge{Program: e.Program, Domain: e.Domain})
			})
			same(t, "the sessions", readSessions(t, s, f), sortSessions(want))
		})
	}
}

func keyOf(e event.Session) store.SessionKey { return store.SessionKey{Host: identity(e), Key: e.Key} }

// someKeys returns the keys of a third of the sessions, and as many that some
// other host's session has.
func someKeys(all []event.Session) []store.SessionKey {
	var keys []store.SessionKey
	for i, e := range all {
		switch i % 3 {
		case 0:
			keys = append(keys, keyOf(e))
		case 1:
			keys = append(keys, store.SessionKey{Host: "host-9", Key: e.Key})
		}
	}
	return keys
}

// testRemoveSessions checks that those go which were named, also those that were
// put a moment ago, that others may be put in their place, and that the aggregates
// are those of what is left.
func testRemoveSessions(t *testing.T, open Opener) {
	path := place(t)
	r := newRandom(17)
	all := many(3000, r.session)
	s := open(t, path)
	must(t, s.PutSessions(t.Context(), all[:1000]))
	must(t, s.Rollup(t.Context()))
	must(t, s.PutSessions(t.Context(), all[1000:]))
	gone := someKeys(all)
	must(t, s.RemoveSessions(t.Context(), nil))
	must(t, s.RemoveSessions(t.Context(), gone))
	must(t, s.RemoveSessions(t.Context(), gone)) // twice is as once
	again := many(200, r.session)
	must(t, s.PutSessions(t.Context(), again))
	must(t, s.Rollup(t.Context()))
	left := those(all, func(e event.Session) bool { return !slices.Contains(gone, keyOf(e)) })
	left = append(left, again...)
	same(t, "the sessions left", readSessions(t, s, store.SessionFilter{}), sortSessions(left))
	checkPrevalence(t, s, left)
	closeStore(t, s)
	s = open(t, path)
	defer closeStore(t, s)
	same(t, "the sessions of the store opened again", readSessions(t, s, store.SessionFilter{}), sortSessions(left))
}

// testClearSessions checks that clearing takes all sessions, also those that were
// put a moment ago, and their aggregates, but no event.
func testClearSessions(t *testing.T, open Opener) {
	s := with(t, open)
	r := newRandom(10)
	events := r.batch(50)
	appendFlush(t, s, events)
	must(t, s.PutSessions(t.Context(), many(100, r.session)))
	must(t, s.Rollup(t.Context()))
	must(t, s.PutSessions(t.Context(), many(100, r.session)))
	must(t, s.ClearSessions(t.Context()))
	same(t, "the sessions", readSessions(t, s, store.SessionFilter{}), []event.Session(nil))
	programs, err := s.Programs(t.Context())
	must(t, err)
	same(t, "the programs", programs, []store.ProgramStat(nil))
	same(t, "the events", window(t, s, everything(events)), sorted(events))

	again := many(10, r.session)
	must(t, s.PutSessions(t.Context(), again))
	must(t, s.Rollup(t.Context()))
	must(t, s.Rollup(t.Context())) // twice is as once
	same(t, "the sessions put anew", readSessions(t, s, store.SessionFilter{}), sortSessions(again))
	checkPrevalence(t, s, again)
}

func testPrevalence(t *testing.T, open Opener) {
	s := with(t, open)
	all := many(4000, newRandom(11).session)
	for part := range slices.Chunk(all, 999) {
		must(t, s.PutSessions(t.Context(), part))
	}
	must(t, s.Rollup(t.Context()))
	checkPrevalence(t, s, all)
}

// identity is the host of a session in aggregates.
func identity(e event.Session) string {
	if e.Host == "" && e.Client.IsValid() {
		return e.Client.String()
	}
	return e.Host
}

type set map[string]bool

// checkPrevalence compares the aggregates with plain ones.
func checkPrevalence(t *testing.T, s store.Store, all []event.Session) {
	t.Helper()
	type tally struct {
		hosts, others set
		sessions      int64
	}
	programs, domains, pairs := map[string]*tally{}, map[string]*tally{}, map[store.Edge]*tally{}
	for _, e := range all {
		p := at(programs, e.Program, func() *tally { return &tally{set{}, set{}, 0} })
		d := at(domains, e.Domain, func() *tally { return &tally{set{}, set{}, 0} })
		b := at(pairs, store.Edge{Program: e.Program, Domain: e.Domain}, func() *tally { return &tally{set{}, set{}, 0} })
		for _, c := range []*tally{p, d, b} {
			c.sessions++
			c.hosts[identity(e)] = true
		}
		p.others[e.Domain] = true
		if e.Program != "" {
			d.others[e.Program] = true
		}
	}
	var wantPrograms []store.ProgramStat
	for _, k := range slices.Sorted(maps.Keys(programs)) {
		c := programs[k]
		wantPrograms = append(wantPrograms, store.ProgramStat{Program: k, Hosts: int64(len(c.hosts)), Domains: int64(len(c.others)), Sessions: c.sessions})
	}
	var wantDomains []store.DomainStat
	for _, k := range slices.Sorted(maps.Keys(domains)) {
		c := domains[k]
		wantDomains = append(wantDomains, store.DomainStat{Domain: k, Hosts: int64(len(c.hosts)), Programs: int64(len(c.others)), Sessions: c.sessions})
	}
	var wantPairs []store.PairStat
	byName := func(a, b store.Edge) int {
		return cmp.Or(compareText(a.Program, b.Program), compareText(a.Domain, b.Domain))
	}
	for _, k := range slices.SortedFunc(maps.Keys(pairs), byName) {
		wantPairs = append(wantPairs, store.PairStat{Edge: k, Hosts: int64(len(pairs[k].hosts)), Sessions: pairs[k].sessions})
	}
	gotPrograms, err := s.Programs(t.Context())
	must(t, err)
	same(t, "programs", gotPrograms, wantPrograms)
	gotDomains, err := s.Domains(t.Context())
	must(t, err)
	same(t, "domains", gotDomains, wantDomains)
	gotPairs, err := s.Pairs(t.Context())
	must(t, err)
	same(t, "pairs", gotPairs, wantPairs)
}

func at[K comparable, V any](m map[K]V, k K, fresh func() V) V {
	if _, ok := m[k]; !ok {
		m[k] = fresh()
	}
	return m[k]
}

// testHugeCounts checks that hostile byte counts, which add up to more than a
// number holds, do not stop a rollup.
func testHugeCounts(t *testing.T, open Opener) {
	s := with(t, open)
	all := many(20, func() event.Session {
		return event.Session{Key: 1, Program: "p", Domain: "d", BytesOut: 1<<63 - 1, BytesIn: 1<<63 - 1, Start: -1 << 63}
	})
	must(t, s.PutSessions(t.Context(), all))
	must(t, s.Rollup(t.Context()))
	checkPrevalence(t, s, all)
}
