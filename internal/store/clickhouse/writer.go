package clickhouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// blockRows is how many rows are sent at once: a block becomes a part on the
// server's disk, and few large ones cost less than many small ones.
const blockRows = 1 << 16

// blockDays is how many days a block may touch: each becomes a part of its own,
// and servers refuse a block with more than a hundred.
const blockDays = 50

// A writer appends rows to one table. It gathers them until there is a block.
//
// An error spoils it: a block may or may not have been written, and what Flush
// promises could no longer be kept. Whoever comes next may append the same again.
type writer[E any] struct {
	table  *table[E]
	server *server
	stamp  func() uint64     // of a row; for tables with a stamp
	days   func([]E) []int64 // of rows; nil where they are not put apart by days

	mu   sync.Mutex
	rows []E
	err  error
}

func newWriter[E any](s *server, t *table[E]) *writer[E] {
	w := &writer[E]{server: s, table: t}
	if t.day != "" {
		w.days = daysOf(t)
	}
	return w
}

// daysOf returns what tells the days of rows from the table's column of them.
func daysOf[E any](t *table[E]) func([]E) []int64 {
	i := slices.IndexFunc(t.fields, func(c column[E]) bool { return c.name == t.day })
	values := t.fields[i].values
	return func(rows []E) []int64 {
		times, _ := values(rows).([]int64)
		for i := range times {
			times[i] /= dayMicros
		}
		return times
	}
}

// append adds rows. It does not keep the slice.
func (w *writer[E]) append(ctx context.Context, rows []E) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(rows) > 0 && w.err == nil {
		n := min(len(rows), blockRows-len(w.rows))
		w.rows = append(w.rows, rows[:n]...)
		rows = rows[n:]
		if len(w.rows) == blockRows {
			w.send(ctx)
		}
	}
	return w.wrap()
}

// flush sends what was gathered.
func (w *writer[E]) flush(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && len(w.rows) > 0 {
		w.send(ctx)
	}
	if len(w.rows) == 0 {
		w.rows = nil // rather than held while others work
	}
	return w.wrap()
}

// drop gives up what was not sent, and any error.
func (w *writer[E]) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows, w.err = nil, nil
}

var errClosed = errors.New("the store is closed")

// shut refuses what comes later.
func (w *writer[E]) shut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows, w.err = nil, errClosed
}

func (w *writer[E]) wrap() error {
	if w.err == nil {
		return nil
	}
	return fmt.Errorf("appending to table %s: %w", w.table.name, w.err)
}

// send sends all rows. A block is not cut short by the end of ctx: that would
// spoil the writer.
func (w *writer[E]) send(ctx context.Context) {
	for _, block := range w.blocks() {
		if w.err = w.insert(context.WithoutCancel(ctx), block); w.err != nil {
			return
		}
	}
	clear(w.rows)
	w.rows = w.rows[:0]
}

// blocks cuts the rows so that none touches more than blockDays days. They are
// put in order of the days only if they must be.
func (w *writer[E]) blocks() [][]E {
	if w.days == nil {
		return [][]E{w.rows}
	}
	days := w.days(w.rows)
	distinct := make(map[int64]bool)
	for _, day := range days {
		distinct[day] = true
	}
	if len(distinct) <= blockDays {
		return [][]E{w.rows}
	}
	order := make([]int, len(days))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(days[a], days[b]), cmp.Compare(a, b)) })
	return w.cut(order, days)
}

// cut cuts the rows, in the order of their days, where there are too many.
func (w *writer[E]) cut(order []int, days []int64) [][]E {
	var blocks [][]E
	sorted := make([]E, 0, len(order))
	start, touched := 0, 0
	for n, i := range order {
		if n == 0 || days[i] != days[order[n-1]] {
			touched++
		}
		if touched > blockDays {
			blocks = append(blocks, sorted[start:n])
			start, touched = n, 1
		}
		sorted = append(sorted, w.rows[i])
	}
	return append(blocks, sorted[start:])
}

func (w *writer[E]) insert(ctx context.Context, rows []E) error {
	names := list(w.table.fields)
	if w.table.stamp != "" {
		names += ", " + w.table.stamp
	}
	batch, err := w.server.PrepareBatch(ctx, "INSERT INTO "+w.table.name+" ("+names+")")
	if err != nil {
		return err
	}
	for i := range w.table.fields {
		if err := batch.Column(i).Append(w.table.fields[i].values(rows)); err != nil {
			return errors.Join(err, batch.Abort())
		}
	}
	if w.table.stamp != "" {
		stamps := make([]uint64, len(rows))
		for i := range stamps {
			stamps[i] = w.stamp()
		}
		if err := batch.Column(len(w.table.fields)).Append(stamps); err != nil {
			return errors.Join(err, batch.Abort())
		}
	}
	return batch.Send()
}

// rising returns a source of numbers that rise, also from one run to the next.
func rising() func() uint64 {
	var mu sync.Mutex
	var last uint64
	return func() uint64 {
		mu.Lock()
		defer mu.Unlock()
		last = max(last+1, uint64(time.Now().UnixNano()))
		return last
	}
}
