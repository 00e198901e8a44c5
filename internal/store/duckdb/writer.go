package duckdb

import (
	"errors"
	"fmt"
	"sync"

	duck "github.com/duckdb/duckdb-go-bindings"
)

// A writer appends rows to one table, on a connection of its own, so that
// writers of different tables work at the same time.
//
// An error spoils it: part of a chunk may or may not have been written, and
// what Flush promises could no longer be kept.
type writer[E any] struct {
	table  *table[E]
	engine *engine

	mu       sync.Mutex
	conn     *conn // nil until the first row
	appender duck.Appender
	chunk    duck.DataChunk
	vectors  []vector
	rows     int // in the chunk
	pending  int // in the appender, not yet in the table
	scratch  scratch
	err      error

	cluster cluster[E] // of rows that are not yet in the chunk
	block   []E        // a piece of it, in order
}

func newWriter[E any](e *engine, t *table[E]) *writer[E] {
	return &writer[E]{engine: e, table: t, cluster: cluster[E]{near: t.near}}
}

// groupRows is DuckDB's row group. A flush of exactly one is compressed and
// written at once, without a way through the write-ahead log.
const groupRows = 122_880

// blockRows is how many rows are written column by column: few enough to stay
// in the processor's cache from one column to the next.
const blockRows = 256

// clusterRows is how many rows are put in order before they are appended: with
// more, a window reads fewer vectors, but the rows are held until then.
const clusterRows = groupRows / 2

// append adds rows. It does not keep the slice.
func (w *writer[E]) append(rows []E) error {
	if len(rows) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && w.conn == nil {
		w.err = w.open()
	}
	if w.table.near == nil {
		w.put(rows)
		return w.wrap(w.err)
	}
	for len(rows) > 0 && w.err == nil {
		n := min(len(rows), clusterRows-len(w.cluster.rows))
		w.cluster.rows = append(w.cluster.rows, rows[:n]...)
		rows = rows[n:]
		if len(w.cluster.rows) == clusterRows {
			w.putCluster()
		}
	}
	return w.wrap(w.err)
}

// putCluster puts what was gathered, in order.
func (w *writer[E]) putCluster() {
	order := w.cluster.sorted()
	for len(order) > 0 {
		n := min(len(order), blockRows)
		w.block = w.block[:0]
		for _, i := range order[:n] {
			w.block = append(w.block, w.cluster.rows[i])
		}
		order = order[n:]
		w.put(w.block)
	}
	clear(w.block)
	clear(w.cluster.rows)
	w.cluster.rows = w.cluster.rows[:0]
}

// put fills chunks with rows, sends the full ones, and commits full row groups.
func (w *writer[E]) put(rows []E) {
	for len(rows) > 0 && w.err == nil {
		n := min(len(rows), blockRows, chunkRows-w.rows)
		for i := range w.table.columns {
			w.table.columns[i].put(&w.vectors[i], w.rows, rows[:n], &w.scratch)
		}
		w.rows += n
		rows = rows[n:]
		if w.rows == chunkRows {
			w.err = w.send()
		}
		if w.err == nil && w.pending >= groupRows {
			w.err = w.commit()
		}
	}
}

// flush makes all rows visible and durable.
func (w *writer[E]) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.putCluster()
	w.cluster, w.block = cluster[E]{near: w.table.near}, nil
	if w.err == nil {
		w.err = w.send()
	}
	if w.err == nil {
		w.err = w.commit()
	}
	return w.wrap(w.err)
}

// close gives up what was not flushed and releases the writer, which may then
// be used again as if new.
func (w *writer[E]) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil {
		return
	}
	duck.AppenderClear(w.appender)
	duck.AppenderDestroy(&w.appender)
	duck.DestroyDataChunk(&w.chunk)
	w.scratch.long.free()
	w.engine.put(w.conn)
	w.conn, w.rows, w.pending, w.err = nil, 0, 0, nil
	w.cluster = cluster[E]{near: w.table.near}
}

func (w *writer[E]) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("appending to table %s: %w", w.table.name, err)
}

func (w *writer[E]) open() error {
	c, err := w.engine.conn()
	if err != nil {
		return err
	}
	if duck.AppenderCreate(c.handle, "", w.table.name, &w.appender) == duck.StateError {
		err := w.appenderError()
		duck.AppenderDestroy(&w.appender)
		w.engine.put(c)
		return err
	}
	types := make([]duck.LogicalType, len(w.table.columns))
	for i := range types {
		types[i] = duck.CreateLogicalType(w.table.columns[i].kind)
	}
	w.chunk = duck.CreateDataChunk(types)
	for i := range types {
		duck.DestroyLogicalType(&types[i])
	}
	w.vectors = make([]vector, len(types))
	w.conn = c
	w.renew()
	return nil
}

// renew makes the chunk ready to be filled.
func (w *writer[E]) renew() {
	duck.DataChunkReset(w.chunk)
	for i := range w.vectors {
		w.vectors[i] = vectorOf(w.chunk, i)
	}
	w.scratch.long.reset()
	w.rows = 0
}

// send gives the chunk to the appender, which copies it.
func (w *writer[E]) send() error {
	if w.rows == 0 {
		return nil
	}
	duck.DataChunkSetSize(w.chunk, duck.IdxT(w.rows))
	if duck.AppendDataChunk(w.appender, w.chunk) == duck.StateError {
		return w.appenderError()
	}
	w.pending += w.rows
	w.renew()
	return nil
}

// commit writes what the appender holds into the table.
func (w *writer[E]) commit() error {
	if w.pending == 0 {
		return nil
	}
	if duck.AppenderFlush(w.appender) == duck.StateError {
		return w.appenderError()
	}
	w.pending = 0
	return nil
}

func (w *writer[E]) appenderError() error {
	data := duck.AppenderErrorData(w.appender)
	defer duck.DestroyErrorData(&data)
	return errors.New(duck.ErrorDataMessage(data))
}
