package duckdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// identity is the host of a session in edges: its name, or else the client's
// address, or else ”: all sessions that have neither count as one host.
const identity = "CASE WHEN host <> '' THEN host ELSE client END"

// edges makes the hourly edges: the hour is its first instant. Bytes are sums of
// what is known; hostile counts may add up to more than a BIGINT holds.
const edges = `
	SELECT ` + identity + ` AS host, program, domain,
		time - time % 3600000000 AS hour,
		count(*) AS sessions,
		CAST(least(coalesce(sum(bytes_out), 0), 9223372036854775807) AS BIGINT) AS bytes_out,
		count(*) - count(bytes_out) AS sessions_with_unknown_bytes,
		CAST(least(coalesce(sum(bytes_in), 0), 9223372036854775807) AS BIGINT) AS bytes_in,
		min(time) AS first, max(time) AS last
	FROM session
	GROUP BY ` + identity + `, program, domain, time - time % 3600000000`

// ClearSessions implements [store.Store].
func (s *Store) ClearSessions(ctx context.Context) error {
	s.sessions.close()
	// A new table is faster than deleting from the old one.
	err := s.engine.transact(ctx, func(c *conn) error {
		if err := c.exec(ctx, "DROP TABLE session"); err != nil {
			return err
		}
		if err := c.exec(ctx, sessions().ddl()); err != nil {
			return err
		}
		return c.exec(ctx, "DELETE FROM edge")
	})
	if err != nil {
		return fmt.Errorf("clearing sessions: %w", err)
	}
	return nil
}

// PutSessions implements [store.Store].
func (s *Store) PutSessions(ctx context.Context, rows []event.Session) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("putting sessions: %w", err)
	}
	return s.sessions.append(rows)
}

// keyed is the condition for the sessions with one of the keys that the arguments
// list: hosts, and numbers as text.
const keyed = "(" + identity + ", key) IN" +
	" (SELECT unnest(CAST(? AS VARCHAR[])), CAST(unnest(CAST(? AS VARCHAR[])) AS UBIGINT))" // unnest is DuckDB's

func keyArgs(keys []store.SessionKey) []any {
	hosts, numbers := make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		hosts[i], numbers[i] = k.Host, strconv.FormatUint(uint64(k.Key), 10)
	}
	return []any{hosts, numbers}
}

// RemoveSessions implements [store.Store].
func (s *Store) RemoveSessions(ctx context.Context, keys []store.SessionKey) error {
	if err := s.Flush(ctx); err != nil {
		return err
	}
	if len(keys) == 0 {
		return nil
	}
	count := []column[int64]{integer("n", func(n *int64) *int64 { return n })} // what the statement gives
	if _, err := all(ctx, s.engine, count, "DELETE FROM session WHERE "+keyed, keyArgs(keys)...); err != nil {
		return fmt.Errorf("removing sessions: %w", err)
	}
	return nil
}

// Rollup implements [store.Store].
func (s *Store) Rollup(ctx context.Context) error {
	if err := s.Flush(ctx); err != nil {
		return err
	}
	// Nothing else asks meanwhile: the one statement may take all processors.
	if err := s.engine.exec(ctx, fmt.Sprintf("SET threads = %d", allThreads())); err != nil { // DuckDB's
		return fmt.Errorf("making the hourly edges: %w", err)
	}
	err := s.engine.exec(ctx, "CREATE OR REPLACE TABLE edge AS "+edges) // DuckDB's
	err = errors.Join(err, s.engine.exec(context.WithoutCancel(ctx), fmt.Sprintf("SET threads = %d", s.threads)))
	if err != nil {
		return fmt.Errorf("making the hourly edges: %w", err)
	}
	return nil
}
