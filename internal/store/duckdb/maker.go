package duckdb

import (
	"net/netip"

	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store/schema"
)

var _ schema.Maker[event.Flow, column[event.Flow]] = maker[event.Flow]{}

// A maker makes DuckDB's columns.
type maker[E any] struct{}

func (maker[E]) Key(of func(*E) event.Key) column[E] { return key(of) }

func (maker[E]) Stored(name string, at func(*E) *event.Key) column[E] {
	return number(name, duck.TypeUBigInt, at)
}

func (maker[E]) Text(name string, at func(*E) *string) column[E] { return text(name, at) }

func (maker[E]) Label(name string, at func(*E) *string) column[E] { return label(name, at) }

func (maker[E]) Time(name string, at func(*E) *event.Time) column[E] { return moment(name, at) }

func (maker[E]) Count(name string, at func(*E) *event.Count) column[E] { return count(name, at) }

func (maker[E]) Int64(name string, at func(*E) *int64) column[E] { return integer(name, at) }

func (maker[E]) Int(name string, at func(*E) *int) column[E] { return whole(name, at) }

func (maker[E]) Uint16(name string, at func(*E) *uint16) column[E] {
	return number(name, duck.TypeUSmallInt, at)
}

func (maker[E]) Uint32(name string, at func(*E) *uint32) column[E] {
	return number(name, duck.TypeUInteger, at)
}

func (maker[E]) Uint64(name string, at func(*E) *uint64) column[E] {
	return number(name, duck.TypeUBigInt, at)
}

func (maker[E]) Float64(name string, at func(*E) *float64) column[E] { return real(name, at) }

func (maker[E]) Flag(name string, at func(*E) *bool) column[E] { return flag(name, at) }

func (maker[E]) Tri(name string, at func(*E) *event.Tri) column[E] { return tri(name, at) }

func (maker[E]) Proto(name string, at func(*E) *event.Proto) column[E] {
	return number(name, duck.TypeUTinyInt, at)
}

func (maker[E]) EndAddr(name string, at func(*E) *netip.AddrPort) column[E] { return endAddr(name, at) }

func (maker[E]) EndPort(name string, at func(*E) *netip.AddrPort) column[E] { return endPort(name, at) }

func (maker[E]) Addr(name string, at func(*E) *netip.Addr) column[E] { return addr(name, at) }

func (maker[E]) Addrs(name string, at func(*E) *[]netip.Addr) column[E] { return addrs(name, at) }

func (maker[E]) Source(title string, at func(*E) *event.Source) column[E] { return name(title, at) }

func (maker[E]) Rung(title string, at func(*E) *event.Rung) column[E] { return name(title, at) }

func (maker[E]) NameSource(title string, at func(*E) *event.NameSource) column[E] {
	return name(title, at)
}

func (maker[E]) Evidence(title string, at func(*E) *event.TLSEvidence) column[E] {
	return name(title, at)
}
