package clickhouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// identity is the host of a session in edges: its name, or else the client's
// address, or else ”: all sessions that have neither count as one host.
const identity = "if(host <> '', host, client)"

// ClearSessions implements [store.Store].
func (s *Store) ClearSessions(ctx context.Context) error {
	s.sessions.drop()
	for _, table := range []string{sessions().name, edges().name, removals().name} {
		if err := s.onShards(ctx, "TRUNCATE TABLE "+s.site.local(table)); err != nil {
			return fmt.Errorf("clearing sessions: %w", err)
		}
	}
	s.epoch.Store(0)
	return nil
}

// onShards runs a statement on one server of each shard.
func (s *Store) onShards(ctx context.Context, sql string) error {
	for _, shard := range s.shards {
		if err := shard.exec(ctx, sql); err != nil {
			return fmt.Errorf("on %s: %w", shard.address, err)
		}
	}
	return nil
}

// PutSessions implements [store.Store].
func (s *Store) PutSessions(ctx context.Context, rows []event.Session) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("putting sessions: %w", err)
	}
	return s.sessions.append(ctx, rows)
}

// RemoveSessions implements [store.Store]. Rows of these tables are not deleted:
// what is removed is remembered with the epoch that ends, and sessions that are
// put later belong to the next.
func (s *Store) RemoveSessions(ctx context.Context, keys []store.SessionKey) error {
	if err := s.Flush(ctx); err != nil {
		return err
	}
	if len(keys) == 0 {
		return nil
	}
	if err := errors.Join(s.removals.append(ctx, keys), s.removals.flush(ctx)); err != nil {
		return fmt.Errorf("removing sessions: %w", err)
	}
	s.epoch.Add(1)
	return nil
}

// alive is the condition for sessions that were not removed. On a cluster the
// removals of a shard's sessions lie on that shard; global gathers those of all.
func (s *Store) alive(global string, removals string) string {
	if s.epoch.Load() == 0 {
		return "1"
	}
	return "(" + identity + ", key, epoch) " + global + "NOT IN (SELECT host, key, arrayJoin(range(epoch + 1)) FROM " + removals + ")"
}

// Sessions implements [store.Store]. The host of a filter may be an address, for
// the sessions of a host without a name.
func (s *Store) Sessions(ctx context.Context, f store.SessionFilter, fn func(*event.Session) error) error {
	if f.Hosts != nil && len(f.Hosts) == 0 || f.Keys != nil && len(f.Keys) == 0 {
		return nil
	}
	var stop error
	err := s.sessionsOf(ctx, f, func(rows []event.Session) error {
		for i := range rows {
			if stop = ctx.Err(); stop == nil {
				stop = fn(&rows[i])
			}
			if stop != nil {
				return stop
			}
		}
		return nil
	})
	if stop != nil {
		return stop
	}
	if err != nil {
		return fmt.Errorf("reading sessions: %w", err)
	}
	return nil
}

func (s *Store) sessionsOf(ctx context.Context, f store.SessionFilter, fn func([]event.Session) error) error {
	n := narrowed{where: s.alive("GLOBAL ", removals().name)}
	if f.Edge != nil {
		n.texts("program", "programs", f.Edge.Program)
		n.texts("domain", "domains", f.Edge.Domain)
	}
	if f.Host != "" {
		n.texts(identity, "one_host", f.Host)
	}
	if f.Hosts != nil {
		n.texts(identity, "some_hosts", f.Hosts...)
	}
	if f.Keys != nil {
		n.keys(f.Keys)
	}
	if n.err != nil {
		return n.err
	}
	columns := sessions().read()
	return scan(ctx, s.main, columns, fn,
		"SELECT "+list(columns)+" FROM session WHERE "+n.where+" ORDER BY time, key", n.lists...)
}

// narrowed is a condition and the lists that it reads.
type narrowed struct {
	where string
	lists []*ext.Table
	err   error
}

// texts wants what to be one of the values.
func (n *narrowed) texts(what, name string, values ...string) {
	t, err := texts(name, values...)
	n.where += " AND " + what + " IN (SELECT v FROM " + name + ")"
	n.lists, n.err = append(n.lists, t), errors.Join(n.err, err)
}

// keys wants the sessions with these keys.
func (n *narrowed) keys(keys []store.SessionKey) {
	t, err := ext.NewTable("some_keys", ext.Column("h", "String"), ext.Column("k", "UInt64"))
	for _, k := range keys {
		if err == nil {
			err = t.Append(valid(k.Host), uint64(k.Key))
		}
	}
	n.where += " AND (" + identity + ", key) IN (SELECT h, k FROM some_keys)"
	n.lists, n.err = append(n.lists, t), errors.Join(n.err, err)
}

// sumOf adds up what is known of a count in SQL. Hostile counts may add up to more
// than a number holds; the sum then is the largest, or a little less.
func sumOf(count string) string {
	known := "ifNull(" + count + ", toInt64(0))"
	return "if(sum(toFloat64(" + known + ")) >= 9.2e18, toInt64(9223372036854775807), sum(" + known + "))"
}

// hourOf is the first instant of an instant's hour in SQL.
const hourOf = "time - time % toInt64(3600000000)"

// Rollup implements [store.Store]. Each shard makes the edges of its sessions.
func (s *Store) Rollup(ctx context.Context) error {
	if err := s.Flush(ctx); err != nil {
		return err
	}
	err := s.onShards(ctx, "TRUNCATE TABLE "+s.site.local(edges().name))
	for _, shard := range s.shards {
		if err == nil {
			err = s.rollup(ctx, shard)
		}
	}
	if err != nil {
		return fmt.Errorf("making the hourly edges: %w", err)
	}
	return nil
}

// rollup makes the edges of a shard, some days at a time.
func (s *Store) rollup(ctx context.Context, shard *server) error {
	from := s.site.local(sessions().name)
	only := []column[int64]{maker[int64]{}.Int64("n", func(n *int64) *int64 { return n })}
	days, err := all(ctx, shard, only, "SELECT DISTINCT toInt64("+dayOf("time")+") AS day FROM "+from+" ORDER BY day")
	for len(days) > 0 && err == nil {
		n := min(len(days), blockDays)
		err = shard.exec(ctx, fmt.Sprintf(`INSERT INTO %s
			(host, program, domain, hour, sessions, bytes_out, sessions_with_unknown_bytes, bytes_in, first, last)
			SELECT %s AS who, program, domain, %s AS hour_of, toInt64(count()), %s, toInt64(count() - count(bytes_out)), %s, min(time), max(time)
			FROM %s WHERE %s AND %s BETWEEN %d AND %d
			GROUP BY who, program, domain, hour_of`,
			s.site.local(edges().name), identity, hourOf, sumOf("bytes_out"), sumOf("bytes_in"),
			from, s.alive("", s.site.local(removals().name)), dayOf("time"), days[0], days[n-1]))
		days = days[n:]
	}
	return err
}
