package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
)

// A server is a pool of connections to one ClickHouse.
type server struct {
	driver.Conn
	address address
}

const (
	dialTimeout = 10 * time.Second

	// mostConns bounds the connections: a reader may ask while it reads.
	mostConns = 64

	// spillBytes is what a sort or an aggregate holds in the server's memory
	// before it goes to its disk.
	spillBytes = 256 << 20
)

// connect opens a pool and greets the server. Settings are numbers: old servers
// understand no others.
func connect(ctx context.Context, a address, settings map[string]int) (*server, error) {
	set := driver.Settings{
		"max_bytes_before_external_sort":     spillBytes,
		"max_bytes_before_external_group_by": spillBytes,
	}
	for name, value := range settings {
		set[name] = value
	}
	c, err := driver.Open(&driver.Options{
		Addr:         []string{net.JoinHostPort(a.host, a.port)},
		Auth:         driver.Auth{Database: a.database, Username: a.user, Password: a.password},
		TLS:          a.tls,
		Settings:     set,
		Compression:  &driver.Compression{Method: driver.CompressionLZ4},
		DialTimeout:  dialTimeout,
		MaxOpenConns: mostConns,
		MaxIdleConns: mostConns / 4,
	})
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", a, err)
	}
	s := &server{Conn: c, address: a}
	if err := c.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connecting to %s: %w", a, failure(ctx, err)), c.Close())
	}
	return s, nil
}

// exec runs a statement without a result.
func (s *server) exec(ctx context.Context, sql string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return failure(ctx, s.Exec(ctx, sql))
}

// given adds lists to what a query can read. Values reach the server so, and
// never as a part of SQL: of any size, and whatever they hold.
func given(ctx context.Context, lists []*ext.Table) context.Context {
	if len(lists) == 0 {
		return ctx
	}
	return driver.Context(ctx, driver.WithExternalTable(lists...))
}

// texts makes a list of texts, in column v.
func texts(name string, values ...string) (*ext.Table, error) {
	t, err := ext.NewTable(name, ext.Column("v", "String"))
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := t.Append(valid(v)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// failure is the context's error where that has ended: the driver's then only
// says how the connection broke.
func failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("%w: %w", ended, err)
	}
	return err
}

// Codes of ClickHouse's errors.
const codeUnknownDatabase = 81

func isCode(err error, code int32) bool {
	var e *driver.Exception
	return errors.As(err, &e) && e.Code == code
}
