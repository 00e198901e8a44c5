package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// Info implements [store.Store].
func (s *Store) Info(ctx context.Context) (store.Info, error) {
	info, err := s.info(ctx)
	if err != nil {
		return store.Info{}, fmt.Errorf("measuring the store: %w", err)
	}
	return info, nil
}

func (s *Store) info(ctx context.Context) (store.Info, error) {
	info := store.Info{Schema: len(migrations())}
	versions, err := s.main.names(ctx, "SELECT version()")
	if err != nil {
		return info, err
	}
	info.Engine = "ClickHouse " + versions[0]
	if s.site.cluster != "" {
		info.Engine += fmt.Sprintf(" on %d shards", len(s.shards))
	}
	sizes := make(map[string]int64)
	for _, shard := range s.shards {
		parts, err := shard.parts(ctx)
		if err != nil {
			return info, err
		}
		for _, p := range parts {
			sizes[strings.TrimSuffix(p.table, localSuffix)] += p.bytes
			info.Bytes += p.bytes
		}
	}
	for _, l := range layouts() {
		if l.name == probes().name || l.name == removals().name {
			continue
		}
		t, err := s.measure(ctx, l)
		if err != nil {
			return info, err
		}
		t.Bytes = event.Count(sizes[l.name])
		info.Tables = append(info.Tables, t)
	}
	return info, nil
}

// measure counts the rows of a table.
func (s *Store) measure(ctx context.Context, l layout) (store.TableInfo, error) {
	type E = store.TableInfo
	m := maker[E]{}
	time := cmp.Or(l.day, "toInt64(0)")
	if l.name == tellings().name {
		time = "time"
	}
	rows, err := all(ctx, s.main, []column[E]{
		m.Int64("rows", func(e *E) *int64 { return &e.Rows }),
		m.Time("first", func(e *E) *event.Time { return &e.First }),
		m.Time("last", func(e *E) *event.Time { return &e.Last }),
	}, "SELECT toInt64(count()), minIf("+time+", "+time+" <> 0), maxIf("+time+", "+time+" <> 0) FROM "+l.name)
	if err != nil || len(rows) != 1 {
		return E{}, fmt.Errorf("table %s: %w", l.name, err)
	}
	rows[0].Name = l.name
	return rows[0], nil
}

// A part is what one partition of a table holds on a server.
type part struct {
	table, partition string
	rows, bytes      int64
}

func (s *server) parts(ctx context.Context) ([]part, error) {
	type E = part
	m := maker[E]{}
	return all(ctx, s, []column[E]{
		m.Text("table", func(e *E) *string { return &e.table }),
		m.Text("partition_id", func(e *E) *string { return &e.partition }),
		m.Int64("rows", func(e *E) *int64 { return &e.rows }),
		m.Int64("bytes", func(e *E) *int64 { return &e.bytes }),
	}, `SELECT table, partition_id, toInt64(sum(rows)), toInt64(sum(bytes_on_disk)) FROM system.parts
		WHERE active AND database = '`+s.address.database+`'
		GROUP BY table, partition_id ORDER BY table, partition_id`)
}

// Check implements [store.Store].
func (s *Store) Check(ctx context.Context) error {
	for _, shard := range s.shards {
		if err := s.checkServer(ctx, shard); err != nil {
			return fmt.Errorf("checking %s: %w", shard.address, err)
		}
	}
	for _, l := range layouts() {
		if err := s.main.exec(ctx, "SELECT count() FROM "+l.name); err != nil {
			return fmt.Errorf("reading table %s: %w", l.name, err)
		}
	}
	return nil
}

func (s *Store) checkServer(ctx context.Context, shard *server) error {
	if err := shard.usable(ctx, s.site); err != nil {
		return err
	}
	for _, l := range layouts() {
		found, err := shard.names(ctx, "SELECT concat(name, ' ', type) FROM system.columns"+
			" WHERE database = '"+s.site.database+"' AND table = '"+s.site.local(l.name)+"' AND name <> 'digest'")
		if err != nil {
			return err
		}
		if !slices.Equal(found, l.columns) {
			return fmt.Errorf("%w: table %s has columns %q, not %q", store.ErrNotAStore, l.name, found, l.columns)
		}
	}
	probe := s.site.local(probes().name)
	for _, statement := range []string{
		"INSERT INTO " + probe + " SELECT toUInt64(1)",
		"SELECT n FROM " + probe,
		"ALTER TABLE " + probe + " DROP PARTITION tuple()",
		"TRUNCATE TABLE " + probe,
	} {
		if err := shard.exec(ctx, statement); err != nil {
			return fmt.Errorf("trying what the user may do (%s): %w", statement, err)
		}
	}
	return nil
}

// Prune implements [store.Store]. It drops the partitions of whole days, which
// takes no time.
func (s *Store) Prune(ctx context.Context, before store.Ages) ([]store.Pruned, error) {
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	gone := make(map[string]int64)
	for _, shard := range s.shards {
		if err := s.prune(ctx, shard, cuts(before), gone); err != nil {
			return pruned(gone), fmt.Errorf("pruning the store: %w", err)
		}
	}
	return pruned(gone), nil
}

// cuts returns the first day of each table that stays, as partitions are named.
func cuts(before store.Ages) map[string]string {
	from := make(map[string]string)
	cut := func(table string, t event.Time) {
		if t > 0 {
			from[table] = store.Day(t).Std().Format("20060102")
		}
	}
	for _, l := range rawLayouts() {
		cut(l.name, before.Raw)
	}
	cut(sessions().name, before.Sessions)
	cut(edges().name, before.Edges)
	return from
}

func (s *Store) prune(ctx context.Context, shard *server, from map[string]string, gone map[string]int64) error {
	parts, err := shard.parts(ctx)
	if err != nil {
		return err
	}
	for _, p := range parts {
		table := strings.TrimSuffix(p.table, localSuffix)
		if cut, some := from[table]; !some || p.partition >= cut {
			continue
		}
		if err := shard.exec(ctx, "ALTER TABLE "+p.table+" DROP PARTITION ID '"+p.partition+"'"); err != nil {
			return fmt.Errorf("table %s of %s, day %s: %w", table, shard.address, p.partition, err)
		}
		gone[table] += p.rows
	}
	return nil
}

// pruned returns what went in the order of the tables.
func pruned(gone map[string]int64) []store.Pruned {
	var list []store.Pruned
	for _, l := range layouts() {
		if n := gone[l.name]; n > 0 {
			list = append(list, store.Pruned{Table: l.name, Rows: n})
		}
	}
	return list
}
