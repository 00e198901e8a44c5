package clickhouse

import (
	"context"
	"fmt"

	"github.com/postern/postern/internal/store"
)

// Input implements [store.Store].
func (s *Store) Input(ctx context.Context, fingerprint string) (store.Input, bool, error) {
	if err := ctx.Err(); err != nil {
		return store.Input{}, false, fmt.Errorf("looking an input up: %w", err)
	}
	s.mu.Lock()
	in, ok := s.waiting[fingerprint]
	s.mu.Unlock()
	if ok {
		return in, true, nil
	}
	found, err := s.findInput(ctx, fingerprint)
	if err != nil {
		return store.Input{}, false, fmt.Errorf("looking an input up: %w", err)
	}
	if len(found) == 0 {
		return store.Input{}, false, nil
	}
	return found[0], true, nil
}

func (s *Store) findInput(ctx context.Context, fingerprint string) ([]store.Input, error) {
	wanted, err := texts("wanted", fingerprint)
	if err != nil {
		return nil, err
	}
	columns := inputs().read()
	return all(ctx, s.main, columns, "SELECT "+list(columns)+
		" FROM input WHERE fingerprint IN (SELECT v FROM wanted) ORDER BY put DESC LIMIT 1", wanted)
}

// PutInput implements [store.Store]. The server has it after the next Flush, with
// the input's events.
func (s *Store) PutInput(ctx context.Context, in store.Input) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("remembering an input: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[in.Fingerprint] = in
	return nil
}

// takeInputs returns the inputs to be written, which Input still finds.
func (s *Store) takeInputs() []store.Input {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ins []store.Input
	for _, in := range s.waiting {
		ins = append(ins, in)
	}
	return ins
}

// writeInputs writes inputs; the later of one fingerprint counts.
func (s *Store) writeInputs(ctx context.Context, ins []store.Input) error {
	if len(ins) == 0 {
		return nil
	}
	if err := s.inputs.append(ctx, ins); err != nil {
		return err
	}
	if err := s.inputs.flush(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, in := range ins {
		if s.waiting[in.Fingerprint] == in { // it may have been put anew
			delete(s.waiting, in.Fingerprint)
		}
	}
	return nil
}
