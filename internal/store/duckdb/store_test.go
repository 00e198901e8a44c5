package duckdb_test

import (
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
