package clickhouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/postern/postern/internal/store"
)

// Told implements [store.Store].
func (s *Store) Told(ctx context.Context) ([]store.Told, error) {
	columns := tellings().read()
	told, err := all(ctx, s.main, columns,
		"SELECT "+list(columns)+" FROM told ORDER BY time, id, put DESC LIMIT 1 BY time, id")
	if err != nil {
		return nil, fmt.Errorf("reading what was told: %w", err)
	}
	return told, nil
}

// PutTold implements [store.Store].
func (s *Store) PutTold(ctx context.Context, told []store.Told) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("remembering what was told: %w", err)
	}
	return errors.Join(s.tellings.append(ctx, told), s.tellings.flush(ctx))
}
