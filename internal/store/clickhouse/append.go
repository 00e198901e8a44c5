package clickhouse

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/postern/postern/internal/event"
)

// Append implements [store.Store].
func (s *Store) Append(ctx context.Context, b *event.Batch) error {
	for _, step := range []func() error{
		func() error { return s.starts.append(ctx, b.Starts) },
		func() error { return s.stops.append(ctx, b.Stops) },
		func() error { return s.connects.append(ctx, b.Connects) },
		func() error { return s.lookups.append(ctx, b.Lookups) },
		func() error { return s.flows.append(ctx, b.Flows) },
		func() error { return s.handshakes.append(ctx, b.Handshakes) },
		func() error { return s.certificates.append(ctx, b.Certificates) },
		func() error { return s.requests.append(ctx, b.Requests) },
		func() error { return s.leases.append(ctx, b.Leases) },
		func() error { return s.notices.append(ctx, b.Notices) },
	} {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("appending events: %w", err)
		}
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// Flush implements [store.Store]. Inputs are written last: an input that is known
// as read has all its events on the server.
func (s *Store) Flush(ctx context.Context) error {
	s.flushing.Lock()
	defer s.flushing.Unlock()
	inputs := s.takeInputs()
	err := s.flushRows(ctx)
	if err == nil {
		err = s.writeInputs(ctx, inputs)
	}
	if err != nil {
		return fmt.Errorf("flushing the store: %w", err)
	}
	return nil
}

// flushRows flushes some writers at a time: each waits for the server's disk.
func (s *Store) flushRows(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(flushers)
	for _, w := range s.writers() {
		g.Go(func() error { return w.flush(ctx) })
	}
	return g.Wait()
}

// flushers is how many tables are flushed at once.
const flushers = 4

// An anyWriter is a writer of whatever rows.
type anyWriter interface {
	flush(ctx context.Context) error
	shut()
}

// writers returns the writers of what may wait to be flushed, and of inputs and
// tellings, whose rows do not wait.
func (s *Store) writers() []anyWriter {
	return []anyWriter{
		s.starts, s.stops, s.connects, s.lookups, s.flows, s.handshakes, s.certificates, s.requests, s.leases, s.notices,
		s.sessions, s.inputs, s.tellings,
	}
}
