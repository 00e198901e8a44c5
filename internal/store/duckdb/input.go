package duckdb

import (
	"context"
	"fmt"

	"github.com/postern/postern/internal/store"
)

// Input implements [store.Store].
func (s *Store) Input(ctx context.Context, fingerprint string) (store.Input, bool, error) {
	s.mu.Lock()
	in, ok := s.inputs[fingerprint]
	s.mu.Unlock()
	if ok {
		return in, true, nil
	}
	columns := inputs().read()
	found, err := all(ctx, s.engine, columns,
		"SELECT "+list(columns)+" FROM input WHERE fingerprint = ?", fingerprint)
	if err != nil {
		return store.Input{}, false, fmt.Errorf("looking an input up: %w", err)
	}
	if len(found) == 0 {
		return store.Input{}, false, nil
	}
	return found[0], true, nil
}

// PutInput implements [store.Store]. The file has it after the next Flush, with
// the input's events.
func (s *Store) PutInput(ctx context.Context, in store.Input) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("remembering an input: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inputs[in.Fingerprint] = in
	return nil
}

// takeInputs returns the inputs to be written, which Input still finds.
func (s *Store) takeInputs() []store.Input {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ins []store.Input
	for _, in := range s.inputs {
		ins = append(ins, in)
	}
	return ins
}

// writeInputs writes inputs over what the file has of them.
func (s *Store) writeInputs(ctx context.Context, ins []store.Input) error {
	if len(ins) == 0 {
		return nil
	}
	err := s.engine.transact(ctx, func(c *conn) error {
		for _, in := range ins {
			if err := c.exec(ctx, "DELETE FROM input WHERE fingerprint = ?", in.Fingerprint); err != nil {
				return err
			}
			if err := c.exec(ctx, "INSERT INTO input VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
				in.Fingerprint, in.Path, in.Format, in.Records, in.Events, in.Skipped, in.Clock, int64(in.ReadAt)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing inputs: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, in := range ins {
		if s.inputs[in.Fingerprint] == in { // it may have been put anew
			delete(s.inputs, in.Fingerprint)
		}
	}
	return nil
}
