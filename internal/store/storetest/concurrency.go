package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// testConcurrentAppend checks that appenders do not lose each other's events.
func testConcurrentAppend(t *testing.T, open Opener) {
	s := with(t, open)
	all, batches := &event.Batch{}, []*event.Batch{}
	r := newRandom(12)
	for range 40 {
		b := r.batch(r.IntN(200))
		join(all, b)
		batches = append(batches, b)
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := worker; i < len(batches); i += 4 {
				if err := s.Append(t.Context(), batches[i]); err != nil {
					t.Error(err)
				}
				if i%8 == 0 {
					if err := s.Flush(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	must(t, s.Flush(t.Context()))
	same(t, "the window", window(t, s, everything(all)), sorted(all))
}

// testReadWhileWriting checks that reads go on while events and sessions are
// written, and never see less than what was flushed before.
func testReadWhileWriting(t *testing.T, open Opener) {
	s := with(t, open)
	r := newRandom(13)
	first := r.batch(500)
	appendFlush(t, s, first)
	sel := everything(first)
	more := many(20, func() *event.Batch { return r.batch(300) })
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, b := range more {
			if err := errors.Join(s.Append(t.Context(), b), s.Flush(t.Context())); err != nil {
				t.Error(err)
			}
			if err := s.PutSessions(t.Context(), []event.Session{{Key: 1}}); err != nil {
				t.Error(err)
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			for range 10 {
				b, err := s.Window(t.Context(), sel)
				if err != nil {
					t.Error(err)
				} else if b.Len() < first.Len() {
					t.Errorf("a window of %d events, %d were flushed", b.Len(), first.Len())
				}
				if _, err := s.Leases(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// testNestedReads checks that the store can be asked while sessions are read.
func testNestedReads(t *testing.T, open Opener) {
	s := with(t, open)
	all := many(100, newRandom(14).session)
	must(t, s.PutSessions(t.Context(), all))
	must(t, s.Rollup(t.Context()))
	total := 0
	must(t, s.Sessions(t.Context(), store.SessionFilter{}, func(e *event.Session) error {
		edge := store.Edge{Program: e.Program, Domain: e.Domain}
		return s.Sessions(t.Context(), store.SessionFilter{Edge: &edge}, func(*event.Session) error {
			total++
			return nil
		})
	}))
	pairs, err := s.Pairs(t.Context())
	must(t, err)
	want := 0
	for _, p := range pairs {
		want += int(p.Sessions * p.Sessions)
	}
	if total != want {
		t.Errorf("read %d sessions, want %d", total, want)
	}
}

// testCancel checks that each method returns the context's error, and that the
// store can be used afterwards.
func testCancel(t *testing.T, open Opener) {
	s := with(t, open)
	r := newRandom(15)
	b := r.batch(200)
	appendFlush(t, s, b)
	must(t, s.PutSessions(t.Context(), many(5000, r.session)))
	must(t, s.Rollup(t.Context()))
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"Append":      func() error { return s.Append(done, b) },
		"Flush":       func() error { return s.Flush(done) },
		"Input":       func() error { _, _, err := s.Input(done, "f"); return err },
		"PutInput":    func() error { return s.PutInput(done, store.Input{}) },
		"Leases":      func() error { _, err := s.Leases(done); return err },
		"Loads":       func() error { _, err := s.Loads(done); return err },
		"TLSServers":  func() error { _, err := s.TLSServers(done); return err },
		"Window":      func() error { _, err := s.Window(done, everything(b)); return err },
		"PutSessions": func() error { return s.PutSessions(done, nil) },
		"Rollup":      func() error { return s.Rollup(done) },
		"Sessions": func() error {
			return s.Sessions(done, store.SessionFilter{}, func(*event.Session) error { return nil })
		},
		"Programs": func() error { _, err := s.Programs(done); return err },
		"Domains":  func() error { _, err := s.Domains(done); return err },
		"Pairs":    func() error { _, err := s.Pairs(done); return err },
		"Clear":    func() error { return s.ClearSessions(done) },
		"Told":     func() error { _, err := s.Told(done); return err },
		"PutTold":  func() error { return s.PutTold(done, nil) },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a context that has ended: %v", name, err)
		}
	}

	during, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	err := s.Sessions(during, store.SessionFilter{}, func(*event.Session) error { n++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || n == 0 || n >= 5000 {
		t.Errorf("cancelled while reading: %v after %d sessions", err, n)
	}
	same(t, "the window afterwards", window(t, s, everything(b)), sorted(b))
}
