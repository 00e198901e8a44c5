package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/postern/postern/internal/store"
	"github.com/postern/postern/internal/store/clickhouse"
	"github.com/postern/postern/internal/store/duckdb"
)

// A StoreConfig is what the name of a store does not say.
type StoreConfig struct {
	// Memory bounds what a store in a file may use, as DuckDB writes it
	// ("400MB"); "" takes the default.
	Memory string

	// Password is that of a store on a server, unless its name says where
	// that is.
	Password string
}

// OpenStore opens the store of that name: an address that begins with
// clickhouse://, or a file, which is made if there is none.
func OpenStore(ctx context.Context, name string, c StoreConfig) (store.Store, error) {
	if !clickhouse.Is(name) {
		// The workers ask side by side. Threads of the store's own would only
		// take the processors from them.
		return duckdb.Open(ctx, name, duckdb.Config{MemoryLimit: c.Memory, Threads: 1})
	}
	if c.Memory != "" {
		return nil, errors.New("the memory of a ClickHouse server is its own affair: only a store in a file takes --store-memory")
	}
	return clickhouse.Open(ctx, name, clickhouse.Config{Password: c.Password})
}

// InitStore makes the store of that name, or brings its tables up to date.
func InitStore(ctx context.Context, name string, c StoreConfig) error {
	if clickhouse.Is(name) {
		return clickhouse.Init(ctx, name, clickhouse.Config{Password: c.Password})
	}
	s, err := OpenStore(ctx, name, c)
	if err != nil {
		return err
	}
	return s.Close()
}

// FindStore fails if there is no file of that name: opening it would make one.
func FindStore(name string) error {
	if clickhouse.Is(name) {
		return nil
	}
	if _, err := os.Stat(name); err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	return nil
}
