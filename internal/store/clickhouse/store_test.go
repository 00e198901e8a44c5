package clickhouse_test

import (
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/postern/postern/internal/store"
	"github.com/postern/postern/internal/store/clickhouse"
	"github.com/postern/postern/internal/store/clickhouse/clickhousetest"
	"github.com/postern/postern/internal/store/storetest"
)

func TestStore(t *testing.T) {
	server := clickhousetest.Start(t)
	storetest.Run(t, func(t *testing.T, path string) store.Store {
		return open(t, server.Address(database(path)))
	})
}

func TestCluster(t *testing.T) {
	servers := clickhousetest.StartCluster(t, 2)
	n := 0
	storetest.Run(t, func(t *testing.T, path string) store.Store {
		n++ // each opening goes to another server: it must not matter
		return open(t, servers[n%2].Address(database(path))+"?cluster="+clickhousetest.Cluster)
	})
}

// database returns the name of a database for what the suite thinks is a file.
func database(path string) string {
	h := fnv.New64a()
	h.Write([]byte(path))
	return fmt.Sprintf("test_%x", h.Sum64())
}

func open(t *testing.T, at string) store.Store {
	t.Helper()
	if err := clickhouse.Init(t.Context(), at, clickhouse.Config{}); err != nil {
		t.Fatal(err)
	}
	s, err := clickhouse.Open(t.Context(), at, clickhouse.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestKilled kills a client of a server that goes on.
func TestKilled(t *testing.T) {
	at := storetest.ToBeKilled()
	if at == "" {
		at = clickhousetest.Start(t).Address("killed")
	}
	storetest.Kill(t, at, 50, open)
}
