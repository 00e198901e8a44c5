package duckdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// sliceRows is how many sessions are put in order at once. DuckDB could sort
// them all, but its sort of rows this wide fails, rather than spills, where the
// memory limit leaves less than about 100 MB to each thread.
const sliceRows = 1 << 16

// Sessions implements [store.Store]. The host of a filter may be an address, for
// the sessions of a host without a name.
func (s *Store) Sessions(ctx context.Context, f store.SessionFilter, fn func(*event.Session) error) error {
	q := sessionQuery{engine: s.engine, where: "TRUE", fn: fn}
	if f.Edge != nil {
		q.narrow("program = ? AND domain = ?", f.Edge.Program, f.Edge.Domain)
	}
	if f.Host != "" {
		q.narrow(identity+" = ?", f.Host)
	}
	if f.Hosts != nil {
		q.narrow(identity+" IN (SELECT unnest(CAST(? AS VARCHAR[])))", f.Hosts) // unnest is DuckDB's
	}
	if f.Keys != nil {
		q.narrow(keyed, keyArgs(f.Keys)...)
	}
	err := q.run(ctx)
	if q.stop != nil {
		return q.stop
	}
	if err != nil {
		return fmt.Errorf("reading sessions: %w", err)
	}
	return nil
}

// A sessionQuery reads sessions in order.
type sessionQuery struct {
	engine *engine
	where  string
	args   []any
	fn     func(*event.Session) error
	stop   error // what fn returned
}

func (q *sessionQuery) narrow(where string, args ...any) {
	q.where += " AND " + where
	q.args = append(q.args, args...)
}

// run tries to read all in one slice, and cuts time in slices if that is too much.
func (q *sessionQuery) run(ctx context.Context) error {
	err := q.slice(ctx, sliceRows)
	if !errors.Is(err, errTooMany) {
		return err
	}
	cuts, err := q.cuts(ctx)
	if err != nil {
		return err
	}
	for i, cut := range cuts {
		part := *q
		part.args = slices.Clone(q.args)
		part.narrow("time <= ?", cut)
		if i > 0 {
			part.narrow("time > ?", cuts[i-1])
		}
		// However many are at one instant, they are one slice.
		err := part.slice(ctx, 1<<62)
		if q.stop = part.stop; err != nil {
			return err
		}
	}
	return nil
}

var errTooMany = errors.New("more rows than a slice holds")

// slice reads what q selects, puts it in order and calls fn for each, unless
// there are more rows than most.
func (q *sessionQuery) slice(ctx context.Context, most int) error {
	var rows []*event.Session
	columns := sessions().read()
	err := scan(ctx, q.engine, columns, func(part []event.Session) error {
		for i := range part {
			rows = append(rows, &part[i])
		}
		if len(rows) > most {
			return errTooMany
		}
		return nil
	}, "SELECT "+list(columns)+" FROM session WHERE "+q.where, q.args...)
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b *event.Session) int {
		if a.Start != b.Start {
			return cmp.Compare(a.Start, b.Start)
		}
		return cmp.Compare(a.Key, b.Key)
	})
	for i, row := range rows {
		if i%chunkRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if q.stop = q.fn(row); q.stop != nil {
			return q.stop
		}
	}
	return nil
}

// cuts returns the last instants of slices that hold about sliceRows rows each.
func (q *sessionQuery) cuts(ctx context.Context) ([]int64, error) {
	only := []column[int64]{integer("n", func(n *int64) *int64 { return n })}
	n, err := all(ctx, q.engine, only, "SELECT count(*) FROM session WHERE "+q.where, q.args...)
	if err != nil || len(n) != 1 {
		return nil, err
	}
	shares := make([]string, 1+n[0]/sliceRows)
	for i := range shares {
		shares[i] = fmt.Sprint(float64(i+1) / float64(len(shares)))
	}
	cuts, err := all(ctx, q.engine, only, // quantile_disc and unnest are DuckDB's
		"SELECT unnest(quantile_disc(time, ["+strings.Join(shares, ", ")+"])) FROM session WHERE "+q.where, q.args...)
	if err != nil {
		return nil, err
	}
	slices.Sort(cuts)
	return slices.Compact(cuts), nil
}
