package clickhouse

import (
	"context"
	"fmt"

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

func (s *Store) flushRows(ctx context.Context) error {
	for _, w := range s.writers() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

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
