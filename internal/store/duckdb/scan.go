package duckdb

import (
	"context"
	"fmt"
)

// scan runs a query whose columns are those given, in their order, and calls fn
// for each run of at most chunkRows rows. The rows are made anew for each call.
func scan[E any](ctx context.Context, e *engine, columns []column[E], fn func([]E) error, sql string, args ...any) error {
	c, err := e.conn()
	if err != nil {
		return err
	}
	defer e.put(c)
	r, err := c.query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer r.close()
	if err := match(r, columns); err != nil {
		return err
	}
	var m memo
	for {
		n, err := r.next()
		if n == 0 || err != nil {
			return err
		}
		rows := make([]E, n)
		for i := range columns {
			if err := columns[i].get(&r.columns[i], rows, &m); err != nil {
				return err
			}
		}
		if err := fn(rows); err != nil {
			return err
		}
	}
}

// match checks that the columns can read the result: a wrong type would be
// memory read as what it is not.
func match[E any](r *result, columns []column[E]) error {
	if len(r.types) != len(columns) {
		return fmt.Errorf("the query gives %d columns, not %d", len(r.types), len(columns))
	}
	for i := range columns {
		if r.types[i] != columns[i].kind {
			return fmt.Errorf("column %s is not of type %s", columns[i].name, typeNames[columns[i].kind])
		}
	}
	return nil
}

// all is scan for results that are small.
func all[E any](ctx context.Context, e *engine, columns []column[E], sql string, args ...any) ([]E, error) {
	var rows []E
	err := scan(ctx, e, columns, func(part []E) error {
		rows = append(rows, part...)
		return nil
	}, sql, args...)
	return rows, err
}
