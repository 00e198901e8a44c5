package clickhouse

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/ext"
)

// runRows is how many rows scan hands over at once.
const runRows = 2048

// scan runs a query whose columns are those given, in their order, and calls fn
// for each run of at most runRows rows. The rows are made anew for each call.
func scan[E any](ctx context.Context, s *server, columns []column[E], fn func([]E) error, sql string, lists ...*ext.Table) (err error) {
	// What is not read to its end is cancelled, rather than read for nothing.
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	rows, err := s.Query(given(within, lists), sql)
	if err != nil {
		return failure(ctx, err)
	}
	defer func() {
		if err != nil {
			cancel()
			_ = rows.Close() // err says why
			return
		}
		err = failure(ctx, rows.Close())
	}()
	dest, set := readers(columns)
	run := make([]E, 0, runRows)
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return failure(ctx, err)
		}
		run = append(run, *new(E))
		for _, put := range set {
			if err := put(&run[len(run)-1]); err != nil {
				return err
			}
		}
		if len(run) == runRows {
			if err := hand(ctx, run, fn); err != nil {
				return err
			}
			run = make([]E, 0, runRows)
		}
	}
	if err := rows.Err(); err != nil {
		return failure(ctx, err)
	}
	return hand(ctx, run, fn)
}

// hand calls fn for rows, if there are any, unless ctx has ended.
func hand[E any](ctx context.Context, rows []E, fn func([]E) error) error {
	if err := ctx.Err(); err != nil || len(rows) == 0 {
		return err
	}
	return fn(rows)
}

func readers[E any](columns []column[E]) (dest []any, set []func(*E) error) {
	var m memo
	for i := range columns {
		d, s := columns[i].reader(&m)
		dest, set = append(dest, d), append(set, s)
	}
	return dest, set
}

// all is scan for results that are small.
func all[E any](ctx context.Context, s *server, columns []column[E], sql string, lists ...*ext.Table) ([]E, error) {
	var rows []E
	err := scan(ctx, s, columns, func(part []E) error {
		rows = append(rows, part...)
		return nil
	}, sql, lists...)
	return rows, err
}
