package pipeline

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/report"
	"github.com/postern/postern/internal/store"
	"github.com/postern/postern/internal/store/clickhouse/clickhousetest"
)

// TestEveryStoreSameFindings hunts through the office with each store: the
// documents are the same, byte for byte, also when all was read before.
func TestEveryStoreSameFindings(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	servers := clickhousetest.StartCluster(t, 2)
	want := huntStore(t, filepath.Join(t.TempDir(), "office.duckdb"), officeParts)
	if !strings.Contains(want, `"findings": [`) || len(want) < 10_000 {
		t.Fatalf("the office has no findings to compare: %.200s", want)
	}
	for _, c := range []struct {
		name, store string
		times       int
	}{
		{"one server", servers[0].Address("office"), 2},
		{"two shards", servers[0].Address("spread") + "?cluster=" + clickhousetest.Cluster, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := InitStore(t.Context(), c.store, StoreConfig{}); err != nil {
				t.Fatal(err)
			}
			for range c.times {
				if d := cmp.Diff(want, huntStore(t, c.store, officeParts)); d != "" {
					t.Fatalf("the document differs (-DuckDB +ClickHouse):\n%.3000s", d)
				}
			}
		})
	}
}

// huntStore returns the document of a hunt with a store, as it is written.
func huntStore(t *testing.T, name string, inputs []string) string {
	t.Helper()
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := Hunt{Inputs: inputs, Store: name, MinScore: math.Inf(-1), Networks: networks}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := report.JSON(&b, doc); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestLostServer checks that a server that ends in the middle ends the hunt with
// an error that names it.
func TestLostServer(t *testing.T) {
	server := clickhousetest.Start(t)
	name := server.Address("office")
	if err := InitStore(t.Context(), name, StoreConfig{}); err != nil {
		t.Fatal(err)
	}
	s, err := OpenStore(t.Context(), name, StoreConfig{})
	if err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if _, err := s.Leases(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") && !strings.Contains(err.Error(), "EOF") {
		t.Errorf("the error %v does not say that the server is gone", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing what holds nothing: %v", err)
	}
	if _, err = (Hunt{Inputs: officeParts, Store: name}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("the error %v does not name the server", err)
	}
}

// TestStoreNames checks which names are told apart before anything is opened.
func TestStoreNames(t *testing.T) {
	if err := FindStore(filepath.Join(t.TempDir(), "none.db")); err == nil {
		t.Error("a file that is not there was found")
	}
	if _, err := OpenStore(t.Context(), "clickhouse://h/db", StoreConfig{Memory: "1GB"}); err == nil || !strings.Contains(err.Error(), "--store-memory") {
		t.Errorf("error %v", err)
	}
	server := clickhousetest.Start(t)
	_, err := OpenStore(t.Context(), server.Address("none"), StoreConfig{})
	if !errors.Is(err, store.ErrNotAStore) || !strings.Contains(err.Error(), "postern store init") {
		t.Errorf("error %v does not say what to do", err)
	}
}
