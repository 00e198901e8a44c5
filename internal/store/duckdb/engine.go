package duckdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	duck "github.com/duckdb/duckdb-go-bindings"
	driver "github.com/duckdb/duckdb-go/v2"
)

// An engine is an open DuckDB database and a pool of connections to it.
type engine struct {
	db duck.Database

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

// openEngine opens the file at path, which is made if it does not exist.
//
// The driver's instance cache makes two openings of one file in this process
// share one database. Without it both would write the file: the lock that
// DuckDB takes keeps out other processes only.
func openEngine(path string, options [][2]string) (*engine, error) {
	if n := duck.VectorSize(); n != chunkRows {
		return nil, fmt.Errorf("this DuckDB has vectors of %d rows, not %d", n, chunkRows)
	}
	var config duck.Config
	defer duck.DestroyConfig(&config)
	if duck.CreateConfig(&config) == duck.StateError {
		return nil, errors.New("DuckDB gave no configuration")
	}
	for _, o := range options {
		if duck.SetConfig(config, o[0], o[1]) == duck.StateError {
			return nil, fmt.Errorf("DuckDB refuses %s=%q", o[0], o[1])
		}
	}
	e := &engine{}
	var message string
	if duck.GetOrCreateFromCache(driver.GetInstanceCache(), path, &e.db, config, &message) == duck.StateError {
		duck.Close(&e.db)
		return nil, errors.New(message)
	}
	return e, nil
}

var errClosed = errors.New("the store is closed")

// conn takes a connection from the pool, or opens one.
func (e *engine) conn() (*conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	if n := len(e.idle); n > 0 {
		c := e.idle[n-1]
		e.idle = e.idle[:n-1]
		return c, nil
	}
	c := &conn{}
	if duck.Connect(e.db, &c.handle) == duck.StateError {
		return nil, errors.New("connecting to DuckDB failed")
	}
	return c, nil
}

// put gives c back to the pool.
func (e *engine) put(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		duck.Disconnect(&c.handle)
		return
	}
	e.idle = append(e.idle, c)
}

func (e *engine) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for _, c := range e.idle {
		duck.Disconnect(&c.handle)
	}
	e.idle = nil
	duck.Close(&e.db)
}

// exec runs one statement without a result on a connection of the pool.
func (e *engine) exec(ctx context.Context, sql string) error {
	c, err := e.conn()
	if err != nil {
		return err
	}
	defer e.put(c)
	return c.exec(ctx, sql)
}

// transact runs fn in a transaction, which it commits unless fn fails.
func (e *engine) transact(ctx context.Context, fn func(*conn) error) error {
	c, err := e.conn()
	if err != nil {
		return err
	}
	defer e.put(c)
	if err := c.exec(ctx, "BEGIN TRANSACTION"); err != nil {
		return err
	}
	if err = fn(c); err == nil {
		err = c.exec(ctx, "COMMIT")
	}
	if err != nil {
		// The transaction ends even if ctx has.
		return errors.Join(err, c.exec(context.WithoutCancel(ctx), "ROLLBACK"))
	}
	return nil
}

// A conn is one connection. It runs one statement at a time.
type conn struct{ handle duck.Connection }

// watch interrupts what c does when ctx ends, until stop is called. It repeats
// itself because DuckDB forgets an interrupt that comes before a statement.
func (c *conn) watch(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-quit:
			return
		case <-ctx.Done():
		}
		for {
			duck.Interrupt(c.handle)
			select {
			case <-quit:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() { close(quit); <-done }
}

func (c *conn) exec(ctx context.Context, sql string, args ...any) error {
	r, err := c.query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer r.close()
	for {
		n, err := r.next()
		if n == 0 || err != nil {
			return err
		}
	}
}

// A result is what a query returns, chunk by chunk as DuckDB makes it. It must
// be closed, and its connection does nothing else until then.
type result struct {
	ctx   context.Context
	stmt  duck.PreparedStatement
	res   duck.Result
	chunk duck.DataChunk
	stop  func()

	types   []duck.Type
	columns []vector // of the current chunk
}

// query starts one statement. Its parameters are string, int64, float64 or
// []string.
func (c *conn) query(ctx context.Context, sql string, args ...any) (*result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &result{ctx: ctx}
	if duck.Prepare(c.handle, sql, &r.stmt) == duck.StateError {
		err := errors.New(duck.PrepareError(r.stmt))
		duck.DestroyPrepare(&r.stmt)
		return nil, err
	}
	for i, a := range args {
		if err := bind(r.stmt, i+1, a); err != nil {
			duck.DestroyPrepare(&r.stmt)
			return nil, err
		}
	}
	r.stop = c.watch(ctx)
	if duck.ExecutePreparedStreaming(r.stmt, &r.res) == duck.StateError {
		err := r.err()
		r.close()
		return nil, err
	}
	n := int(duck.ColumnCount(&r.res))
	r.columns = make([]vector, n)
	for i := range n {
		r.types = append(r.types, duck.ColumnType(&r.res, duck.IdxT(i)))
	}
	return r, nil
}

// next moves to the next chunk and returns its number of rows, 0 at the end.
func (r *result) next() (int, error) {
	duck.DestroyDataChunk(&r.chunk)
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	for {
		r.chunk = duck.FetchChunk(r.res)
		if r.chunk.Ptr == nil {
			return 0, r.err()
		}
		n := int(duck.DataChunkGetSize(r.chunk))
		if n == 0 {
			duck.DestroyDataChunk(&r.chunk)
			continue
		}
		for i := range r.columns {
			r.columns[i] = vectorOf(r.chunk, i)
		}
		return n, nil
	}
}

// err returns the error of the statement: the context's, if that has ended.
func (r *result) err() error {
	message := duck.ResultError(&r.res)
	if message == "" {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return errors.New(message)
}

func (r *result) close() {
	r.stop()
	duck.DestroyDataChunk(&r.chunk)
	duck.DestroyResult(&r.res)
	duck.DestroyPrepare(&r.stmt)
}

func bind(stmt duck.PreparedStatement, index int, arg any) error {
	v, err := valueOf(arg)
	if err != nil {
		return err
	}
	defer duck.DestroyValue(&v)
	if duck.BindValue(stmt, duck.IdxT(index), v) == duck.StateError {
		return fmt.Errorf("binding parameter %d: %s", index, duck.PrepareError(stmt))
	}
	return nil
}

func valueOf(arg any) (duck.Value, error) {
	switch a := arg.(type) {
	case string:
		return duck.CreateVarchar(valid(a)), nil
	case int64:
		return duck.CreateInt64(a), nil
	case float64:
		return duck.CreateDouble(a), nil
	case []string:
		return listOf(a), nil
	}
	return duck.Value{}, fmt.Errorf("a parameter of type %T", arg)
}

func listOf(texts []string) duck.Value {
	t := duck.CreateLogicalType(duck.TypeVarchar)
	defer duck.DestroyLogicalType(&t)
	items := make([]duck.Value, len(texts))
	for i, s := range texts {
		items[i] = duck.CreateVarchar(valid(s))
	}
	list := duck.CreateListValue(t, items)
	for i := range items {
		duck.DestroyValue(&items[i])
	}
	return list
}
