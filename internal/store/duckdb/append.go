package duckdb

import (
	"context"
	"fmt"

	"github.com/postern/postern/internal/event"
)

// Append implements [store.Store].
func (s *Store) Append(ctx context.Context, b *event.Batch) error {
	for _, step := range []func() error{
		func() error { return s.starts.append(b.Starts) },
		func() error { return s.stops.append(b.Stops) },
		func() error { return s.connects.append(b.Connects) },
		func() error { return s.lookups.append(b.Lookups) },
		func() error { return s.flows.append(b.Flows) },
		func() error { return s.handshakes.append(b.Handshakes) },
		func() error { return s.certificates.append(b.Certificates) },
		func() error { return s.requests.append(b.Requests) },
		func() error { return s.leases.append(b.Leases) },
		func() error { return s.notices.append(b.Notices) },
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

// Flush implements [store.Store]. Inputs are remembered last: an input that is
// known as read has all its events in the file.
func (s *Store) Flush(ctx context.Context) error {
	s.flushing.Lock()
	defer s.flushing.Unlock()
	inputs := s.takeInputs()
	err := s.flushEvents(ctx)
	if err == nil {
		err = s.writeInputs(ctx, inputs)
	}
	if err != nil {
		return fmt.Errorf("flushing the store: %w", err)
	}
	return nil
}

func (s *Store) flushEvents(ctx context.Context) error {
	for _, w := range s.writers() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.flush(); err != nil {
			return err
		}
	}
	return nil
}

// An anyWriter is a writer of whatever kind.
type anyWriter interface {
	flush() error
	close()
}

func (s *Store) writers() []anyWriter {
	return []anyWriter{
		s.starts, s.stops, s.connects, s.lookups, s.flows, s.handshakes,
		s.certificates, s.requests, s.leases, s.notices, s.sessions,
	}
}
