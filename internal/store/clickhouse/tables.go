package clickhouse

import (
	"fmt"
	"strings"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
	"github.com/postern/postern/internal/store/schema"
)

// A layout says how a table lies on disk.
type layout struct {
	name    string
	columns []string // with their types
	engine  string   // of the MergeTree family, with its parameters
	day     string   // the column of the instant by whose day rows are put apart; "" for one partition
	order   string   // the sorting key
	shard   string   // what decides on which shard a row lies

	// digest is the hash of a whole row, in SQL; "" for none. It ends the
	// sorting key of events: merging then drops what was appended twice, and
	// leaves reports that differ to whoever reads them.
	digest string
}

// A table keeps values of E, one a row.
type table[E any] struct {
	layout
	fields []column[E]
	stamp  string // a further column, UInt64, that the writer fills; "" for none
}

// tableOf returns a table as the schema has it, with the layout's columns and
// digest made from the fields.
func tableOf[E any](t schema.Table[column[E]], l layout, stamp string) *table[E] {
	l.name = t.Name
	hashed := make([]string, 0, len(t.Columns))
	for i := range t.Columns {
		c := &t.Columns[i]
		l.columns = append(l.columns, c.name+" "+c.kind)
		if c.nullable() {
			// A function of NULL is NULL.
			hashed = append(hashed, "isNull("+c.name+")", "ifNull("+c.name+", 0)")
			continue
		}
		hashed = append(hashed, c.name)
	}
	if stamp != "" {
		l.columns = append(l.columns, stamp+" UInt64")
	}
	if l.digest != "" {
		l.digest = "cityHash64(" + strings.Join(hashed, ", ") + ")"
	}
	return &table[E]{layout: l, fields: t.Columns, stamp: stamp}
}

// read returns the columns that are read back.
func (t *table[E]) read() []column[E] {
	var cs []column[E]
	for _, c := range t.fields {
		if c.reader != nil {
			cs = append(cs, c)
		}
	}
	return cs
}

// list returns the names of columns for SELECT.
func list[E any](columns []column[E]) string {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].name
	}
	return strings.Join(names, ", ")
}

// dayOf returns the number of the day, since 1970, of an instant in SQL. What
// lies outside of what a Date holds is of the first or the last day.
func dayOf(time string) string {
	return fmt.Sprintf("toUInt16(greatest(toInt64(0), least(intDiv(%s, toInt64(%d)), toInt64(%d))))", time, dayMicros, lastDay)
}

const (
	dayMicros = 24 * 3600 * 1_000_000
	lastDay   = 47482 // 2100-01-01: the calendar of old servers ends in 2106
)

// events is the layout of events that a Window finds by a column.
func events(by string) layout {
	return layout{
		engine: "ReplacingMergeTree", day: "time", order: by + ", time, key", shard: "cityHash64(" + by + ")", digest: "all",
	}
}

func starts() *table[event.ProcessStart] {
	return tableOf(schema.Starts(maker[event.ProcessStart]{}), events("host"), "")
}

func stops() *table[event.ProcessStop] {
	return tableOf(schema.Stops(maker[event.ProcessStop]{}), events("host"), "")
}

func connects() *table[event.Connect] {
	return tableOf(schema.Connects(maker[event.Connect]{}), events("host"), "")
}

func lookups() *table[event.Lookup] {
	l := events("host")
	l.order = "host, client, time, key"
	l.shard = "cityHash64(if(host <> '', host, client))"
	return tableOf(schema.Lookups(maker[event.Lookup]{}), l, "")
}

func flows() *table[event.Flow] {
	return tableOf(schema.Flows(maker[event.Flow]{}), events("src_addr"), "")
}

func handshakes() *table[event.Handshake] {
	return tableOf(schema.Handshakes(maker[event.Handshake]{}), events("src_addr"), "")
}

func certificates() *table[event.Certificate] {
	return tableOf(schema.Certificates(maker[event.Certificate]{}), events("id"), "")
}

func requests() *table[event.Request] {
	return tableOf(schema.Requests(maker[event.Request]{}), events("src_addr"), "")
}

func leases() *table[event.Lease] {
	return tableOf(schema.Leases(maker[event.Lease]{}), events("addr"), "")
}

func notices() *table[event.Notice] {
	return tableOf(schema.Notices(maker[event.Notice]{}), events("host"), "")
}

// sessions keeps with each session how many removals were before it.
func sessions() *table[event.Session] {
	return tableOf(schema.Sessions(maker[event.Session]{}), layout{
		engine: "MergeTree", day: "time", order: "program, domain, time", shard: "cityHash64(" + identity + ")",
	}, "epoch")
}

// removals keeps the keys of sessions that were removed. Its epoch is that of
// the last sessions that it removes.
func removals() *table[store.SessionKey] {
	type E = store.SessionKey
	m := maker[E]{}
	return tableOf(schema.Table[column[E]]{Name: "removed", Columns: []column[E]{
		m.Text("host", func(e *E) *string { return &e.Host }),
		m.Stored("key", func(e *E) *event.Key { return &e.Key }),
	}}, layout{engine: "MergeTree", order: "host, key", shard: "cityHash64(host)"}, "epoch")
}

func inputs() *table[store.Input] {
	return tableOf(schema.Inputs(maker[store.Input]{}), layout{
		engine: "ReplacingMergeTree(put)", order: "fingerprint", shard: "cityHash64(fingerprint)",
	}, "put")
}

func tellings() *table[store.Told] {
	return tableOf(schema.Tellings(maker[store.Told]{}), layout{
		engine: "ReplacingMergeTree(put)", order: "time, id", shard: "cityHash64(id)",
	}, "put")
}

// edges is the table of the hourly edges, which SQL fills and reads.
func edges() layout {
	return layout{
		name: "edge",
		columns: []string{
			"host String", "program String", "domain String", "hour Int64", "sessions Int64", "bytes_out Int64",
			"sessions_with_unknown_bytes Int64", "bytes_in Int64", "first Int64", "last Int64",
		},
		engine: "MergeTree", day: "hour", order: "program, domain, host, hour", shard: "cityHash64(host)",
	}
}

// probes is an empty table in which Check tries what it may do.
func probes() layout {
	return layout{name: "probe", columns: []string{"n UInt64"}, engine: "MergeTree", order: "n", shard: "n"}
}

// layouts returns all tables, those of events first.
func layouts() []layout {
	return append(rawLayouts(), inputs().layout, sessions().layout, removals().layout, tellings().layout, edges(), probes())
}

// rawLayouts returns the tables of events.
func rawLayouts() []layout {
	return []layout{
		starts().layout, stops().layout, connects().layout, lookups().layout, flows().layout, handshakes().layout,
		certificates().layout, requests().layout, leases().layout, notices().layout,
	}
}
