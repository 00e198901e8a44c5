package duckdb

import (
	"strings"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
	"github.com/postern/postern/internal/store/schema"
)

// A table keeps values of E, one a row.
type table[E any] struct {
	name    string
	columns []column[E]

	// near says where a row belongs; nil for rows that are kept as they come.
	near func(*E) locality
}

// ddl returns the statement that makes t.
func (t *table[E]) ddl() string {
	defs := make([]string, len(t.columns))
	for i := range t.columns {
		defs[i] = t.columns[i].ddl()
	}
	return "CREATE TABLE " + t.name + " (" + strings.Join(defs, ", ") + ")"
}

// read returns the columns that are read back.
func (t *table[E]) read() []column[E] {
	var cs []column[E]
	for _, c := range t.columns {
		if c.get != nil {
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

// tableOf returns a table as the schema has it.
func tableOf[E any](t schema.Table[column[E]], near func(*E) locality) *table[E] {
	return &table[E]{name: t.Name, columns: t.Columns, near: near}
}

func starts() *table[event.ProcessStart] {
	return tableOf(schema.Starts(maker[event.ProcessStart]{}), func(e *event.ProcessStart) locality { return ofHost(e.Host) })
}

func stops() *table[event.ProcessStop] {
	return tableOf(schema.Stops(maker[event.ProcessStop]{}), func(e *event.ProcessStop) locality { return ofHost(e.Host) })
}

func connects() *table[event.Connect] {
	return tableOf(schema.Connects(maker[event.Connect]{}), localEnd)
}

func lookups() *table[event.Lookup] {
	return tableOf(schema.Lookups(maker[event.Lookup]{}), func(e *event.Lookup) locality { return locality{e.Client, e.Host} })
}

func flows() *table[event.Flow] {
	return tableOf(schema.Flows(maker[event.Flow]{}), func(e *event.Flow) locality { return ofAddr(e.Src) })
}

func handshakes() *table[event.Handshake] {
	return tableOf(schema.Handshakes(maker[event.Handshake]{}), func(e *event.Handshake) locality { return ofAddr(e.Src) })
}

func certificates() *table[event.Certificate] {
	return tableOf(schema.Certificates(maker[event.Certificate]{}), nil)
}

func requests() *table[event.Request] {
	return tableOf(schema.Requests(maker[event.Request]{}), func(e *event.Request) locality { return ofAddr(e.Src) })
}

func leases() *table[event.Lease] {
	return tableOf(schema.Leases(maker[event.Lease]{}), func(e *event.Lease) locality { return locality{addr: e.Addr} })
}

func notices() *table[event.Notice] {
	return tableOf(schema.Notices(maker[event.Notice]{}), func(e *event.Notice) locality { return ofHost(e.Host) })
}

func sessions() *table[event.Session] {
	return tableOf(schema.Sessions(maker[event.Session]{}), nil)
}

func inputs() *table[store.Input] {
	return tableOf(schema.Inputs(maker[store.Input]{}), nil)
}

func tellings() *table[store.Told] {
	return tableOf(schema.Tellings(maker[store.Told]{}), nil)
}
