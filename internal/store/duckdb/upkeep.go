package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// Info implements [store.Store]. DuckDB keeps no size of single tables.
func (s *Store) Info(ctx context.Context) (store.Info, error) {
	info, err := s.info(ctx)
	if err != nil {
		return store.Info{}, fmt.Errorf("measuring the store: %w", err)
	}
	return info, nil
}

func (s *Store) info(ctx context.Context) (store.Info, error) {
	info := store.Info{Schema: schemaVersion}
	version, err := s.strings(ctx, "SELECT version()")
	if err != nil {
		return info, err
	}
	info.Engine = "DuckDB " + version[0]
	for _, part := range []string{s.file, s.file + ".wal"} {
		if f, err := os.Stat(part); err == nil {
			info.Bytes += f.Size()
		}
	}
	for _, t := range tables() {
		time := "0::BIGINT"
		if t.shape().timed {
			time = "nullif(time, 0)"
		}
		if err := s.measure(ctx, &info, t.shape().name, time); err != nil {
			return info, err
		}
	}
	return info, s.measure(ctx, &info, "edge", "hour")
}

// measure adds what a table holds; time is the instant of a row in SQL.
func (s *Store) measure(ctx context.Context, info *store.Info, table, time string) error {
	type E = store.TableInfo
	rows, err := all(ctx, s.engine, []column[E]{
		integer("rows", func(e *E) *int64 { return &e.Rows }),
		moment("first", func(e *E) *event.Time { return &e.First }),
		moment("last", func(e *E) *event.Time { return &e.Last }),
	}, "SELECT count(*), coalesce(min("+time+"), 0), coalesce(max("+time+"), 0) FROM "+table)
	if err != nil {
		return fmt.Errorf("table %s: %w", table, err)
	}
	for _, r := range rows {
		r.Name, r.Bytes = table, event.Unknown
		info.Tables = append(info.Tables, r)
	}
	return nil
}

// integers returns the only column of a query, which is a BIGINT.
func (s *Store) integers(ctx context.Context, sql string, args ...any) ([]int64, error) {
	return all(ctx, s.engine, []column[int64]{integer("n", func(n *int64) *int64 { return n })}, sql, args...)
}

// Check implements [store.Store].
func (s *Store) Check(ctx context.Context) error {
	for _, t := range tables() {
		if err := s.checkTable(ctx, t.shape()); err != nil {
			return fmt.Errorf("checking the store: %w", err)
		}
	}
	err := s.engine.transact(ctx, func(c *conn) error {
		if err := c.exec(ctx, "INSERT INTO meta VALUES ('probe', '')"); err != nil {
			return err
		}
		return c.exec(ctx, "DELETE FROM meta WHERE name = 'probe'")
	})
	if err != nil {
		return fmt.Errorf("checking that the store can be written: %w", err)
	}
	return nil
}

func (s *Store) checkTable(ctx context.Context, want shape) error {
	found, err := s.strings(ctx, "SELECT column_name || ' ' || data_type FROM information_schema.columns"+
		" WHERE table_schema = 'main' AND table_name = '"+want.name+"' ORDER BY ordinal_position")
	if err != nil {
		return err
	}
	if !slices.Equal(found, want.columns) {
		return fmt.Errorf("%w: table %s has columns %q, not %q", store.ErrNotAStore, want.name, found, want.columns)
	}
	return nil
}

// Prune implements [store.Store]. The file keeps its size; what comes next fills
// the room.
func (s *Store) Prune(ctx context.Context, before store.Ages) ([]store.Pruned, error) {
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	var gone []store.Pruned
	prune := func(table, time string, before event.Time) error {
		if before == 0 {
			return nil
		}
		n, err := s.integers(ctx, "DELETE FROM "+table+" WHERE "+time+" < ?", int64(store.Day(before)))
		if err == nil && len(n) == 1 && n[0] > 0 {
			gone = append(gone, store.Pruned{Table: table, Rows: n[0]})
		}
		return err
	}
	var errs []error
	for _, t := range rawTables() {
		errs = append(errs, prune(t.shape().name, "time", before.Raw))
	}
	errs = append(errs, prune("session", "time", before.Sessions), prune("edge", "hour", before.Edges))
	if err := errors.Join(errs...); err != nil {
		return gone, fmt.Errorf("pruning the store: %w", err)
	}
	return gone, nil
}
