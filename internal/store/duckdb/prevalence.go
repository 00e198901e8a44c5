package duckdb

import (
	"context"
	"fmt"

	"github.com/postern/postern/internal/store"
)

// Programs implements [store.Store].
func (s *Store) Programs(ctx context.Context) ([]store.ProgramStat, error) {
	type E = store.ProgramStat
	return stats(ctx, s.engine, []column[E]{
		text("program", func(e *E) *string { return &e.Program }),
		integer("hosts", func(e *E) *int64 { return &e.Hosts }),
		integer("domains", func(e *E) *int64 { return &e.Domains }),
		integer("sessions", func(e *E) *int64 { return &e.Sessions }),
	}, `SELECT program, count(DISTINCT host), count(DISTINCT domain), CAST(sum(sessions) AS BIGINT)
		FROM edge GROUP BY program ORDER BY program`)
}

// Domains implements [store.Store].
func (s *Store) Domains(ctx context.Context) ([]store.DomainStat, error) {
	type E = store.DomainStat
	return stats(ctx, s.engine, []column[E]{
		text("domain", func(e *E) *string { return &e.Domain }),
		integer("hosts", func(e *E) *int64 { return &e.Hosts }),
		integer("programs", func(e *E) *int64 { return &e.Programs }),
		integer("sessions", func(e *E) *int64 { return &e.Sessions }),
	}, `SELECT domain, count(DISTINCT host), count(DISTINCT nullif(program, '')), CAST(sum(sessions) AS BIGINT)
		FROM edge GROUP BY domain ORDER BY domain`)
}

// Pairs implements [store.Store].
func (s *Store) Pairs(ctx context.Context) ([]store.PairStat, error) {
	type E = store.PairStat
	return stats(ctx, s.engine, []column[E]{
		label("program", func(e *E) *string { return &e.Program }),
		label("domain", func(e *E) *string { return &e.Domain }),
		integer("hosts", func(e *E) *int64 { return &e.Hosts }),
		integer("sessions", func(e *E) *int64 { return &e.Sessions }),
	}, `SELECT program, domain, count(DISTINCT host), CAST(sum(sessions) AS BIGINT)
		FROM edge GROUP BY program, domain ORDER BY program, domain`)
}

func stats[E any](ctx context.Context, e *engine, columns []column[E], sql string) ([]E, error) {
	rows, err := all(ctx, e, columns, sql)
	if err != nil {
		return nil, fmt.Errorf("counting how common programs and domains are: %w", err)
	}
	return rows, nil
}
