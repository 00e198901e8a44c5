package duckdb

import (
	"context"
	"fmt"
	"strconv"

	"github.com/postern/postern/internal/store"
)

// schemaVersion is the version of the tables below. It rises when an older
// Postern could no longer read what this one writes.
const schemaVersion = 3

// ddl returns the statements that make an empty store.
func ddl() []string {
	s := []string{
		"CREATE TABLE meta (name VARCHAR NOT NULL, value VARCHAR NOT NULL)",
		fmt.Sprintf("INSERT INTO meta VALUES ('program', 'postern'), ('schema', '%d')", schemaVersion),
	}
	for _, t := range tables() {
		s = append(s, t.ddl())
	}
	return append(s, "CREATE TABLE edge AS "+edges,
		view("process_starts", "process_start", once),
		view("process_stops", "process_stop", once),
		view("connects", "connect", once),
		view("lookups", "lookup", once),
		view("flows", "flow", onceFlow),
		view("handshakes", "handshake", once),
		view("certificates", "certificate", once),
		view("requests", "request", once),
		view("leases", "lease", once),
		view("notices", "notice", once),
		view("sessions", "session", ""),
		view("tellings", "told", ""),
	)
}

// An anyTable is a table of whatever rows.
type anyTable interface {
	ddl() string
	shape() shape
}

// tables returns all tables but meta and edge, those of events first.
func tables() []anyTable {
	return append(rawTables(), inputs(), sessions(), tellings())
}

// rawTables returns the tables of events.
func rawTables() []anyTable {
	return []anyTable{
		starts(), stops(), connects(), lookups(), flows(), handshakes(),
		certificates(), requests(), leases(), notices(),
	}
}

// A shape is the name of a table, and its columns with their types.
type shape struct {
	name    string
	columns []string
	timed   bool // it has a column "time"
}

func (t *table[E]) shape() shape {
	s := shape{name: t.name}
	for _, c := range t.columns {
		s.columns = append(s.columns, c.name+" "+typeNames[c.kind])
		s.timed = s.timed || c.name == "time"
	}
	return s
}

// What a view adds to drop duplicates, roughly as a Window does.
const (
	once     = " QUALIFY row_number() OVER (PARTITION BY key ORDER BY time DESC) = 1"
	onceFlow = " QUALIFY row_number() OVER (PARTITION BY key, src_addr" +
		" ORDER BY open, duration DESC NULLS LAST, bytes_out DESC NULLS LAST, bytes_in DESC NULLS LAST, time DESC) = 1"
)

// view returns the statement that makes a view for people: each event once,
// with its time as a timestamp. Postern itself does not read views.
func view(name, table, where string) string {
	return "CREATE VIEW " + name + " AS SELECT TRY(make_timestamp(nullif(time, 0))) AS utc, * FROM " + table + where
}

// prepare makes the tables in an empty file and checks the version of others.
func (s *Store) prepare(ctx context.Context) error {
	names, err := s.strings(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'")
	if err != nil {
		return fmt.Errorf("listing the tables: %w", reason(err))
	}
	if len(names) == 0 {
		return s.create(ctx)
	}
	for _, n := range names {
		if n == "meta" {
			return s.check(ctx)
		}
	}
	return fmt.Errorf("%w: it has tables, but none called meta", store.ErrNotAStore)
}

func (s *Store) create(ctx context.Context) error {
	err := s.engine.transact(ctx, func(c *conn) error {
		for _, statement := range ddl() {
			if err := c.exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("making the tables: %w", err)
	}
	return nil
}

func (s *Store) check(ctx context.Context) error {
	found, err := s.strings(ctx, "SELECT value FROM meta WHERE name = 'schema'")
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%w: its table meta names no schema version", store.ErrNotAStore)
	}
	version, err := strconv.Atoi(found[0])
	if err != nil || version < 1 {
		return fmt.Errorf("%w: its schema version is %q", store.ErrNotAStore, found[0])
	}
	if version < schemaVersion {
		return fmt.Errorf("%w: its schema is version %d, this one needs %d: read the inputs into a new store", store.ErrOlder, version, schemaVersion)
	}
	if version > schemaVersion {
		return fmt.Errorf("%w: its schema is version %d, this one knows up to %d", store.ErrNewer, version, schemaVersion)
	}
	return nil
}

// strings returns the only column of a query, which is text.
func (s *Store) strings(ctx context.Context, sql string) ([]string, error) {
	only := []column[string]{text("text", func(e *string) *string { return e })}
	return all(ctx, s.engine, only, sql)
}
