package duckdb

import (
	"context"
	"fmt"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// Told implements [store.Store].
func (s *Store) Told(ctx context.Context) ([]store.Told, error) {
	columns := tellings().read()
	told, err := all(ctx, s.engine, columns, "SELECT "+list(columns)+" FROM told ORDER BY time, id")
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
	err := s.engine.transact(ctx, func(c *conn) error {
		for _, t := range told {
			if err := c.exec(ctx, "DELETE FROM told WHERE id = ? AND time = ?", t.ID, int64(t.Time)); err != nil {
				return err
			}
			if err := c.exec(ctx, "INSERT INTO told VALUES (?, ?, ?, ?, nullif(CAST(? AS BIGINT), ?), ?)",
				t.ID, int64(t.Time), t.Score, int64(t.Hosts), int64(t.BytesOut), int64(event.Unknown), t.Tier); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remembering what was told: %w", err)
	}
	return nil
}
