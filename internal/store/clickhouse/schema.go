package clickhouse

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/postern/postern/internal/store"
)

// A migration brings the tables from the version before it to its own. Its
// statements may be run again: what was cut short is begun anew.
type migration func(site) []string

// migrations returns the migrations in order; the first makes version 1.
func migrations() []migration {
	return []migration{makeTables}
}

// makeTables makes what the first version has.
func makeTables(s site) []string {
	var all []string
	for _, l := range layouts() {
		all = append(all, s.create(l)...)
	}
	return all
}

// schemaTable names the table that says which version the tables have. It is
// how a store is known.
const schemaTable = "postern_schema"

// A site is the database and the cluster that tables are made for.
type site struct {
	database string
	cluster  string // "" for one server
	replicas int    // of each shard
}

// local returns the name of the table that holds rows on one server.
func (s site) local(table string) string {
	if s.cluster == "" {
		return table
	}
	return table + localSuffix
}

const localSuffix = "_local"

// create returns the statements that make a table on one server.
func (s site) create(l layout) []string {
	columns := strings.Join(l.columns, ", ")
	order, digest := l.order, ""
	if l.digest != "" {
		order += ", digest"
		digest = ", digest UInt64 MATERIALIZED " + l.digest
	}
	partition := ""
	if l.day != "" {
		partition = " PARTITION BY toDate(" + dayOf(l.day) + ")"
	}
	all := []string{fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (%s%s) ENGINE = %s%s ORDER BY (%s)",
		s.local(l.name), columns, digest, s.engine(l), partition, order)}
	if s.cluster != "" {
		all = append(all, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (%s) ENGINE = Distributed('%s', '%s', '%s', %s)",
			l.name, columns, s.cluster, s.database, s.local(l.name), l.shard))
	}
	return all
}

// engine returns the engine of l, which keeps replicas alike where there are any.
// The path and the name come from the macros of the server's configuration.
func (s site) engine(l layout) string {
	if s.replicas < 2 {
		return l.engine
	}
	name, parameters, some := strings.Cut(strings.TrimSuffix(l.engine, ")"), "(")
	if some {
		parameters = ", " + parameters
	}
	return fmt.Sprintf("Replicated%s('/clickhouse/tables/{shard}/%s/%s', '{replica}'%s)", name, s.database, l.name, parameters)
}

// version returns the version of a server's tables, 0 where there are none.
func (s *server) version(ctx context.Context) (int, error) {
	names, err := s.names(ctx, "SELECT name FROM system.tables WHERE database = '"+s.address.database+"' ORDER BY name")
	if err != nil {
		return 0, fmt.Errorf("listing the tables: %w", err)
	}
	if len(names) == 0 {
		return 0, nil
	}
	for _, n := range names {
		if n != schemaTable {
			continue
		}
		versions, err := s.names(ctx, "SELECT toString(max(version)) FROM "+schemaTable)
		if err != nil {
			return 0, fmt.Errorf("reading the version of the tables: %w", err)
		}
		return strconv.Atoi(versions[0])
	}
	return 0, fmt.Errorf("%w: database %s has tables, but none called %s", store.ErrNotAStore, s.address.database, schemaTable)
}

// migrate brings the tables of one server up to the last of the migrations.
func (s *server) migrate(ctx context.Context, on site, all []migration) error {
	version, err := s.version(ctx)
	if err != nil {
		return err
	}
	if version > len(all) {
		return newer(version, len(all))
	}
	if err := s.exec(ctx, "CREATE TABLE IF NOT EXISTS "+schemaTable+
		" (version UInt32, made DateTime) ENGINE = MergeTree ORDER BY version"); err != nil {
		return fmt.Errorf("making table %s: %w", schemaTable, err)
	}
	for v := version + 1; v <= len(all); v++ {
		statements := append(all[v-1](on), fmt.Sprintf("INSERT INTO %s (version, made) SELECT toUInt32(%d), now()", schemaTable, v))
		for _, statement := range statements {
			if err := s.exec(ctx, statement); err != nil {
				return fmt.Errorf("making version %d of the tables: %w", v, err)
			}
		}
	}
	return nil
}

func newer(found, known int) error {
	return fmt.Errorf("%w: its schema is version %d, this one knows up to %d", store.ErrNewer, found, known)
}

// usable refuses a server whose tables are not of this version and made for on.
func (s *server) usable(ctx context.Context, on site) error {
	version, err := s.version(ctx)
	known := len(migrations())
	switch {
	case err != nil:
		return err
	case version == 0:
		return fmt.Errorf("%w: database %s of %s is empty: make the tables with postern store init",
			store.ErrNotAStore, s.address.database, s.address)
	case version < known:
		return fmt.Errorf("%w: its schema is version %d, this one needs %d: bring it up to date with postern store init",
			store.ErrOlder, version, known)
	case version > known:
		return newer(version, known)
	}
	engines, err := s.names(ctx, "SELECT engine FROM system.tables WHERE database = '"+s.address.database+"' AND name = 'flow'")
	if err != nil || len(engines) == 0 {
		return failureOr(err, fmt.Errorf("%w: it has no table flow", store.ErrNotAStore))
	}
	if spread := engines[0] == "Distributed"; spread != (on.cluster != "") {
		return fmt.Errorf("the tables of %s lie on one server or on a cluster, and the address says otherwise: see ?cluster=", s.address)
	}
	return nil
}

func failureOr(err, or error) error {
	if err != nil {
		return err
	}
	return or
}

// names returns the only column of a query, which is text.
func (s *server) names(ctx context.Context, sql string) ([]string, error) {
	only := []column[string]{maker[string]{}.Text("text", func(e *string) *string { return e })}
	return all(ctx, s, only, sql)
}
