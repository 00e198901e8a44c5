package clickhouse

import (
	"fmt"
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// A maker makes ClickHouse's columns.
type maker[E any] struct{}

func (maker[E]) Key(of func(*E) event.Key) column[E] {
	c := plain("key", "UInt64", func(e *E) uint64 { return uint64(of(e)) }, func(*E, uint64, *memo) error { return nil })
	c.reader = nil
	return c
}

func (maker[E]) Stored(name string, at func(*E) *event.Key) column[E] {
	return number[E, event.Key, uint64](name, "UInt64", at)
}

func (maker[E]) Text(name string, at func(*E) *string) column[E] {
	return plain(name, "String",
		func(e *E) string { return valid(*at(e)) },
		func(e *E, v string, _ *memo) error { *at(e) = v; return nil })
}

func (maker[E]) Label(name string, at func(*E) *string) column[E] {
	return plain(name, "String",
		func(e *E) string { return valid(*at(e)) },
		func(e *E, v string, m *memo) error { *at(e) = m.shared(v); return nil })
}

func (maker[E]) Time(name string, at func(*E) *event.Time) column[E] {
	return number[E, event.Time, int64](name, "Int64", at)
}

func (maker[E]) Count(name string, at func(*E) *event.Count) column[E] {
	return optional(name, "Nullable(Int64)", at, event.Unknown,
		func(n event.Count) (int64, bool) { return int64(n), n.Known() },
		func(v int64) event.Count { return event.Count(v) })
}

func (maker[E]) Int64(name string, at func(*E) *int64) column[E] {
	return number[E, int64, int64](name, "Int64", at)
}

func (maker[E]) Int(name string, at func(*E) *int) column[E] {
	return number[E, int, int64](name, "Int64", at)
}

func (maker[E]) Uint16(name string, at func(*E) *uint16) column[E] {
	return number[E, uint16, uint16](name, "UInt16", at)
}

func (maker[E]) Uint32(name string, at func(*E) *uint32) column[E] {
	return number[E, uint32, uint32](name, "UInt32", at)
}

func (maker[E]) Uint64(name string, at func(*E) *uint64) column[E] {
	return number[E, uint64, uint64](name, "UInt64", at)
}

func (maker[E]) Float64(name string, at func(*E) *float64) column[E] {
	return number[E, float64, float64](name, "Float64", at)
}

func (maker[E]) Flag(name string, at func(*E) *bool) column[E] {
	return plain(name, "UInt8",
		func(e *E) uint8 { return bit(*at(e)) },
		func(e *E, v uint8, _ *memo) error { *at(e) = v != 0; return nil })
}

func (maker[E]) Tri(name string, at func(*E) *event.Tri) column[E] {
	return optional(name, "Nullable(UInt8)", at, event.Unsaid,
		func(t event.Tri) (uint8, bool) { return bit(t == event.Yes), t != event.Unsaid },
		func(v uint8) event.Tri {
			if v != 0 {
				return event.Yes
			}
			return event.No
		})
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func (maker[E]) Proto(name string, at func(*E) *event.Proto) column[E] {
	return number[E, event.Proto, uint8](name, "UInt8", at)
}

func (maker[E]) EndAddr(name string, at func(*E) *netip.AddrPort) column[E] {
	return addrColumn(name,
		func(e *E) netip.Addr { return at(e).Addr() },
		func(e *E, a netip.Addr) { *at(e) = netip.AddrPortFrom(a, 0) })
}

func (maker[E]) EndPort(name string, at func(*E) *netip.AddrPort) column[E] {
	return plain(name, "UInt16",
		func(e *E) uint16 { return at(e).Port() },
		func(e *E, v uint16, _ *memo) error { *at(e) = netip.AddrPortFrom(at(e).Addr(), v); return nil })
}

func (maker[E]) Addr(name string, at func(*E) *netip.Addr) column[E] {
	return addrColumn(name,
		func(e *E) netip.Addr { return *at(e) },
		func(e *E, a netip.Addr) { *at(e) = a })
}

func (maker[E]) Addrs(name string, at func(*E) *[]netip.Addr) column[E] {
	return plain(name, "String",
		func(e *E) string { return addrsText(*at(e)) },
		func(e *E, v string, _ *memo) (err error) {
			if *at(e), err = parseAddrs(v); err != nil {
				return fmt.Errorf("column %s: %w", name, err)
			}
			return nil
		})
}

func (maker[E]) Source(title string, at func(*E) *event.Source) column[E] { return name(title, at) }

func (maker[E]) Rung(title string, at func(*E) *event.Rung) column[E] { return name(title, at) }

func (maker[E]) NameSource(title string, at func(*E) *event.NameSource) column[E] {
	return name(title, at)
}

func (maker[E]) Evidence(title string, at func(*E) *event.TLSEvidence) column[E] {
	return name(title, at)
}
