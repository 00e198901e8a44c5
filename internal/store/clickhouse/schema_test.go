package clickhouse

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
	"github.com/postern/postern/internal/store/clickhouse/clickhousetest"
)

// fresh makes a store and returns it with its address.
func fresh(t *testing.T, s *clickhousetest.Server, database, options string) (*Store, string) {
	t.Helper()
	at := s.Address(database) + options
	if err := Init(t.Context(), at, Config{}); err != nil {
		t.Fatal(err)
	}
	opened, err := Open(t.Context(), at, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return opened, at
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused checks that opening fails for a reason, and says so.
func refused(t *testing.T, at string, want error, says ...string) {
	t.Helper()
	s, err := Open(t.Context(), at, Config{})
	if err == nil {
		t.Error(s.Close())
		t.Fatalf("opened %s", at)
	}
	if want != nil && !errors.Is(err, want) {
		t.Errorf("error %q is not %q", err, want)
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	servers := clickhousetest.StartCluster(t, 2)
	spread := "?cluster=" + clickhousetest.Cluster

	refused(t, servers[0].Address("none"), store.ErrNotAStore, "no database none", "postern store init")

	s, at := fresh(t, servers[0], "one", "")
	must(t, Init(t.Context(), at, Config{})) // twice is as once
	refused(t, at+spread, nil, "?cluster=")
	must(t, s.main.exec(t.Context(), "INSERT INTO "+schemaTable+" SELECT toUInt32(99), now()"))
	refused(t, at, store.ErrNewer, "version 99", "up to 1")
	if err := Init(t.Context(), at, Config{}); !errors.Is(err, store.ErrNewer) {
		t.Errorf("making the tables of a newer store: %v", err)
	}

	_, at = fresh(t, servers[1], "two", spread)
	refused(t, strings.TrimSuffix(at, spread), nil, "?cluster=")
	refused(t, strings.Replace(at, clickhousetest.Cluster, "nobody", 1), nil, "knows no cluster nobody")

	must(t, s.main.exec(t.Context(), "CREATE DATABASE other"))
	must(t, s.main.exec(t.Context(), "CREATE TABLE other.customers (n UInt8) ENGINE = Log"))
	refused(t, servers[0].Address("other"), store.ErrNotAStore, schemaTable)
	if err := Init(t.Context(), servers[0].Address("other"), Config{}); !errors.Is(err, store.ErrNotAStore) {
		t.Errorf("making tables beside others: %v", err)
	}
	must(t, s.main.exec(t.Context(), "CREATE DATABASE empty"))
	refused(t, servers[0].Address("empty"), store.ErrNotAStore, "postern store init")
}

// TestMigrations checks that they run in order, each once, on tables of any
// earlier version, and go on where one was cut short.
func TestMigrations(t *testing.T) {
	server := clickhousetest.Start(t)
	s, at := fresh(t, server, "old", "")
	must(t, s.Append(t.Context(), &event.Batch{Starts: []event.ProcessStart{{Host: "h", Record: 1, Time: 1}}}))
	must(t, s.Flush(t.Context()))
	version := func(want int) {
		t.Helper()
		if got, err := s.main.version(t.Context()); got != want || err != nil {
			t.Errorf("version %d, %v; want %d", got, err, want)
		}
	}
	version(1)
	one := func(statements ...string) migration { return func(site) []string { return statements } }
	broken := append(migrations(), one("CREATE TABLE IF NOT EXISTS second (n UInt8) ENGINE = Log", "no statement"))
	if err := s.main.migrate(t.Context(), s.site, broken); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a statement that fails: %v", err)
	}
	version(1)
	whole := append(migrations(),
		one("CREATE TABLE IF NOT EXISTS second (n UInt8) ENGINE = Log"),
		one("INSERT INTO second SELECT toUInt8(3)"))
	must(t, s.main.migrate(t.Context(), s.site, whole))
	must(t, s.main.migrate(t.Context(), s.site, whole))
	version(3)
	if n, err := s.numbers(t.Context(), "SELECT toInt64(count()) FROM second"); err != nil || n[0] != 1 {
		t.Errorf("the last migration ran %v times: %v", n, err)
	}
	refused(t, at, store.ErrNewer)
	b, err := s.Window(t.Context(), store.Selection{Hosts: []string{"h"}})
	if err != nil || len(b.Starts) != 1 {
		t.Errorf("the events did not stay: %v, %v", b, err)
	}
}

// TestCreate checks the statements for replicas, which no server of the tests has.
func TestCreate(t *testing.T) {
	got := strings.Join(site{database: "db", cluster: "estate", replicas: 2}.create(inputs().layout), ";\n")
	for _, want := range []string{
		"CREATE TABLE IF NOT EXISTS input_local (",
		"ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/db/input', '{replica}', put) ORDER BY (fingerprint)",
		"CREATE TABLE IF NOT EXISTS input (",
		"ENGINE = Distributed('estate', 'db', 'input_local', cityHash64(fingerprint))",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nhas no %q", got, want)
		}
	}
	if got := (site{replicas: 2}).engine(sessions().layout); got != "ReplicatedMergeTree('/clickhouse/tables/{shard}//session', '{replica}')" {
		t.Errorf("engine %s", got)
	}
}

// TestRights checks passwords, and that Check tells what a user may not do.
func TestRights(t *testing.T) {
	server := clickhousetest.Start(t)
	_, at := fresh(t, server, "rights", "")
	as := func(user string) string { return strings.Replace(at, "//", "//"+user+"@", 1) }

	s, err := Open(t.Context(), as("locked"), Config{Password: clickhousetest.Password})
	must(t, err)
	must(t, s.Check(t.Context()))
	must(t, s.Close())
	_, err = Open(t.Context(), as("locked"), Config{Password: "hunter2"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("with a wrong password: %v", err)
	}

	s, err = Open(t.Context(), as("reader"), Config{})
	must(t, err)
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "may do") {
		t.Errorf("a user who may only read: %v", err)
	}
	if err := s.Append(t.Context(), &event.Batch{Stops: make([]event.ProcessStop, 1)}); err != nil {
		t.Errorf("what waits needs no right: %v", err)
	}
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("the rows went nowhere in silence: %v", err)
	}
}

// TestCheckTables checks that Check finds tables that are not as they should be.
func TestCheckTables(t *testing.T) {
	servers := clickhousetest.StartCluster(t, 2)
	s, _ := fresh(t, servers[0], "spread", "?cluster="+clickhousetest.Cluster)
	must(t, s.Check(t.Context()))
	must(t, s.shards[1].exec(t.Context(), "ALTER TABLE flow_local ADD COLUMN more String"))
	if err := s.Check(t.Context()); !errors.Is(err, store.ErrNotAStore) || !strings.Contains(err.Error(), "table flow") {
		t.Errorf("a further column on the second shard: %v", err)
	}
}

// TestShards checks that rows lie where the layout says: those of a host on one
// shard, those of many on both.
func TestShards(t *testing.T) {
	servers := clickhousetest.StartCluster(t, 2)
	s, _ := fresh(t, servers[0], "spread", "?cluster="+clickhousetest.Cluster)
	var b event.Batch
	for i := range 1000 {
		host := string(rune('a' + i%20))
		b.Starts = append(b.Starts, event.ProcessStart{Host: host, Record: uint64(i + 1), Time: event.Time(i)})
	}
	must(t, s.Append(t.Context(), &b))
	must(t, s.Flush(t.Context()))
	on := make(map[string]int)
	for _, shard := range s.shards {
		hosts, err := shard.names(t.Context(), "SELECT DISTINCT host FROM process_start_local")
		must(t, err)
		if len(hosts) == 0 || len(hosts) == 20 {
			t.Errorf("a shard has %d of 20 hosts", len(hosts))
		}
		for _, h := range hosts {
			on[h]++
		}
	}
	for h, n := range on {
		if n != 1 {
			t.Errorf("host %s lies on %d shards", h, n)
		}
	}
	if len(on) != 20 {
		t.Errorf("%d hosts of 20", len(on))
	}
}

// TestMerge checks that what was appended twice merges into one row on the disk,
// and that reports that differ do not.
func TestMerge(t *testing.T) {
	s, _ := fresh(t, clickhousetest.Start(t), "merge", "")
	flow := event.Flow{UID: "C1", Time: 5, BytesOut: event.Unknown, Open: true}
	final, zero := flow, flow
	final.Open, zero.BytesOut = false, 0
	for range 3 {
		must(t, s.Append(t.Context(), &event.Batch{Flows: []event.Flow{flow, final, zero}}))
		must(t, s.Flush(t.Context()))
	}
	must(t, s.main.exec(t.Context(), "OPTIMIZE TABLE flow FINAL"))
	if n, err := s.numbers(t.Context(), "SELECT toInt64(count()) FROM flow"); err != nil || n[0] != 3 {
		t.Errorf("%v rows are left of three reports: %v", n, err)
	}
}

// TestTLS checks that a server is believed only if somebody vouches for it.
func TestTLS(t *testing.T) {
	server := clickhousetest.Start(t)
	fresh(t, server, "secure", "")
	at := fmt.Sprintf("clickhouse://locked@127.0.0.1:%d/secure?secure=true", server.SecurePort)
	s, err := Open(t.Context(), at+"&ca="+server.CA(), Config{Password: clickhousetest.Password})
	must(t, err)
	must(t, s.Check(t.Context()))
	must(t, s.Close())
	refused(t, at, nil, "certificate")
	refused(t, fmt.Sprintf("clickhouse://127.0.0.1:%d/secure?secure=true", server.Port), nil, "tls")
}
