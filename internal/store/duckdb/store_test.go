package duckdb_test

import (
	"path/filepath"
	"testing"

	"github.com/postern/postern/internal/store"
	"github.com/postern/postern/internal/store/duckdb"
	"github.com/postern/postern/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, path string) store.Store {
		s, err := duckdb.Open(t.Context(), path, duckdb.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// TestKilled kills a process that writes a file.
func TestKilled(t *testing.T) {
	name := storetest.ToBeKilled()
	if name == "" {
		name = filepath.Join(t.TempDir(), "killed.duckdb")
	}
	storetest.Kill(t, name, 50, func(t *testing.T, name string) store.Store {
		s, err := duckdb.Open(t.Context(), name, duckdb.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
