package clickhouse

import (
	"context"
	"fmt"

	"github.com/postern/postern/internal/store"
)

// Programs implements [store.Store].
func (s *Store) Programs(ctx context.Context) ([]store.ProgramStat, error) {
	type E = store.ProgramStat
	m := maker[E]{}
	return stats(ctx, s.main, []column[E]{
		m.Text("program", func(e *E) *string { return &e.Program }),
		m.Int64("hosts", func(e *E) *int64 { return &e.Hosts }),
		m.Int64("domains", func(e *E) *int64 { return &e.Domains }),
		m.Int64("sessions", func(e *E) *int64 { return &e.Sessions }),
	}, `SELECT program, toInt64(uniqExact(host)), toInt64(uniqExact(domain)), sum(sessions)
		FROM edge GROUP BY program ORDER BY program`)
}

// Domains implements [store.Store].
func (s *Store) Domains(ctx context.Context) ([]store.DomainStat, error) {
	type E = store.DomainStat
	m := maker[E]{}
	return stats(ctx, s.main, []column[E]{
		m.Text("domain", func(e *E) *string { return &e.Domain }),
		m.Int64("hosts", func(e *E) *int64 { return &e.Hosts }),
		m.Int64("programs", func(e *E) *int64 { return &e.Programs }),
		m.Int64("sessions", func(e *E) *int64 { return &e.Sessions }),
	}, `SELECT domain, toInt64(uniqExact(host)), toInt64(uniqExactIf(program, program <> '')), sum(sessions)
		FROM edge GROUP BY domain ORDER BY domain`)
}

// Pairs implements [store.Store].
func (s *Store) Pairs(ctx context.Context) ([]store.PairStat, error) {
	type E = store.PairStat
	m := maker[E]{}
	return stats(ctx, s.main, []column[E]{
		m.Label("program", func(e *E) *string { return &e.Program }),
		m.Label("domain", func(e *E) *string { return &e.Domain }),
		m.Int64("hosts", func(e *E) *int64 { return &e.Hosts }),
		m.Int64("sessions", func(e *E) *int64 { return &e.Sessions }),
	}, `SELECT program, domain, toInt64(uniqExact(host)), sum(sessions)
		FROM edge GROUP BY program, domain ORDER BY program, domain`)
}

func stats[E any](ctx context.Context, s *server, columns []column[E], sql string) ([]E, error) {
	rows, err := all(ctx, s, columns, sql)
	if err != nil {
		return nil, fmt.Errorf("counting how common programs and domains are: %w", err)
	}
	return rows, nil
}
