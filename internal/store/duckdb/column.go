package duckdb

import (
	"fmt"
	"net/netip"
	"strings"

	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/postern/postern/internal/event"
)

// A column says once how a field of E is kept: DDL, writing and reading all
// follow from it. What the columns hold, package schema says.
type column[E any] struct {
	name     string
	kind     duck.Type
	nullable bool

	// put writes rows into v from row base on.
	put func(v *vector, base int, rows []E, s *scratch)

	// get reads v into rows from its row 0 on; nil for a column that is
	// never read back.
	get func(v *vector, rows []E, m *memo) error
}

// A scratch is what a writer needs while it fills a chunk.
type scratch struct {
	long arena
	buf  []byte
}

var typeNames = map[duck.Type]string{
	duck.TypeBoolean:   "BOOLEAN",
	duck.TypeUTinyInt:  "UTINYINT",
	duck.TypeUSmallInt: "USMALLINT",
	duck.TypeUInteger:  "UINTEGER",
	duck.TypeUBigInt:   "UBIGINT",
	duck.TypeBigInt:    "BIGINT",
	duck.TypeDouble:    "DOUBLE",
	duck.TypeVarchar:   "VARCHAR",
}

// ddl returns the definition of c in CREATE TABLE.
func (c *column[E]) ddl() string {
	s := c.name + " " + typeNames[c.kind]
	if !c.nullable {
		s += " NOT NULL"
	}
	return s
}

// key is the identity of an event. It is made again from the event when read.
func key[E any](of func(*E) event.Key) column[E] {
	return column[E]{name: "key", kind: duck.TypeUBigInt, put: func(v *vector, base int, rows []E, _ *scratch) {
		to := values[uint64](v)
		for i := range rows {
			to[base+i] = uint64(of(&rows[i]))
		}
	}}
}

// number is a number that is always known. T must be of the size and sign of kind.
func number[E any, T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int64](name string, kind duck.Type, at func(*E) *T) column[E] {
	return column[E]{
		name: name, kind: kind,
		put: func(v *vector, base int, rows []E, _ *scratch) {
			to := values[T](v)
			for i := range rows {
				to[base+i] = *at(&rows[i])
			}
		},
		get: func(v *vector, rows []E, _ *memo) error {
			from := values[T](v)
			for i := range rows {
				*at(&rows[i]) = from[i]
			}
			return nil
		},
	}
}

// whole is a number that a Go int holds.
func whole[E any](name string, at func(*E) *int) column[E] {
	return column[E]{
		name: name, kind: duck.TypeBigInt,
		put: func(v *vector, base int, rows []E, _ *scratch) {
			to := values[int64](v)
			for i := range rows {
				to[base+i] = int64(*at(&rows[i]))
			}
		},
		get: func(v *vector, rows []E, _ *memo) error {
			from := values[int64](v)
			for i := range rows {
				*at(&rows[i]) = int(from[i])
			}
			return nil
		},
	}
}

func moment[E any](name string, at func(*E) *event.Time) column[E] {
	return number(name, duck.TypeBigInt, at)
}

func integer[E any](name string, at func(*E) *int64) column[E] {
	return number(name, duck.TypeBigInt, at)
}

// count is a number that may be unknown.
func count[E any](name string, at func(*E) *event.Count) column[E] {
	return column[E]{
		name: name, kind: duck.TypeBigInt, nullable: true,
		put: func(v *vector, base int, rows []E, _ *scratch) {
			to := values[int64](v)
			for i := range rows {
				n := *at(&rows[i])
				to[base+i] = int64(n)
				if !n.Known() {
					v.setNull(base + i)
				}
			}
		},
		get: func(v *vector, rows []E, _ *memo) error {
			from := values[int64](v)
			for i := range rows {
				*at(&rows[i]) = event.Count(from[i])
				if v.null(i) {
					*at(&rows[i]) = event.Unknown
				}
			}
			return nil
		},
	}
}

// real is a number with a fraction, which is always known.
func real[E any](name string, at func(*E) *float64) column[E] {
	return column[E]{
		name: name, kind: duck.TypeDouble,
		put: func(v *vector, base int, rows []E, _ *scratch) {
			to := values[float64](v)
			for i := range rows {
				to[base+i] = *at(&rows[i])
			}
		},
		get: func(v *vector, rows []E, _ *memo) error {
			from := values[float64](v)
			for i := range rows {
				*at(&rows[i]) = from[i]
			}
			return nil
		},
	}
}

func flag[E any](name string, at func(*E) *bool) column[E] {
	return column[E]{
		name: name, kind: duck.TypeBoolean,
		put: func(v *vector, base int, rows []E, _ *scratch) {
			to := values[bool](v)
			for i := range rows {
				to[base+i] = *at(&rows[i])
			}
		},
		get: func(v *vector, rows []E, _ *memo) error {
			from := values[uint8](v)
			for i := range rows {
				*at(&rows[i]) = from[i] != 0
			}
			return nil
		},
	}
}

// tri is a BOOLEAN that is NULL when unsaid.
func tri[E any](name string, at func(*E) *event.Tri) column[E] {
	return column[E]{
		name: name, kind: duck.TypeBoolean, nullable: true,
		put: func(v *vector, base int, rows []E, _ *scratch) {
			to := values[bool](v)
			for i := range rows {
				t := *at(&rows[i])
				to[base+i] = t == event.Yes
				if t == event.Unsaid {
					v.setNull(base + i)
				}
			}
		},
		get: func(v *vector, rows []E, _ *memo) error {
			from := values[uint8](v)
			for i := range rows {
				switch {
				case v.null(i):
					*at(&rows[i]) = event.Unsaid
				case from[i] != 0:
					*at(&rows[i]) = event.Yes
				default:
					*at(&rows[i]) = event.No
				}
			}
			return nil
		},
	}
}

// putText writes a text column; both kinds of text share it.
func putText[E any](at func(*E) *string) func(*vector, int, []E, *scratch) {
	return func(v *vector, base int, rows []E, s *scratch) {
		for i := range rows {
			v.setText(base+i, *at(&rows[i]), &s.long)
		}
	}
}

// text is a text that is different in most rows.
func text[E any](name string, at func(*E) *string) column[E] {
	return column[E]{
		name: name, kind: duck.TypeVarchar,
		put: putText(at),
		get: func(v *vector, rows []E, m *memo) error {
			m.all(v, len(rows))
			for i := range rows {
				*at(&rows[i]) = m.part(i)
			}
			return nil
		},
	}
}

// label is a text that many rows share. Its rows share its memory when read.
func label[E any](name string, at func(*E) *string) column[E] {
	return column[E]{
		name: name, kind: duck.TypeVarchar,
		put: putText(at),
		get: func(v *vector, rows []E, m *memo) error {
			last := ""
			for i := range rows {
				if s := v.text(i); s != last {
					last = m.shared(s)
				}
				*at(&rows[i]) = last
			}
			return nil
		},
	}
}

// name is an enumeration by its names, for people who read the tables.
func name[E any, T interface {
	~uint8
	String() string
}](title string, at func(*E) *T) column[E] {
	names := make([]string, 256)
	numbers := make(map[string]T, 256)
	for i := range names {
		names[i] = T(i).String()
		numbers[names[i]] = T(i)
	}
	return column[E]{
		name: title, kind: duck.TypeVarchar,
		put: func(v *vector, base int, rows []E, s *scratch) {
			for i := range rows {
				v.setText(base+i, names[*at(&rows[i])], &s.long)
			}
		},
		get: func(v *vector, rows []E, _ *memo) error {
			for i := range rows {
				n, ok := numbers[v.text(i)]
				if !ok {
					return fmt.Errorf("column %s holds %q, which is none of its names", title, v.text(i))
				}
				*at(&rows[i]) = n
			}
			return nil
		},
	}
}

func addr[E any](name string, at func(*E) *netip.Addr) column[E] {
	return column[E]{
		name: name, kind: duck.TypeVarchar,
		put: func(v *vector, base int, rows []E, s *scratch) {
			for i := range rows {
				v.setAddr(base+i, *at(&rows[i]), s)
			}
		},
		get: func(v *vector, rows []E, _ *memo) (err error) {
			for i := range rows {
				if *at(&rows[i]), err = parseAddr(v.text(i)); err != nil {
					return fmt.Errorf("column %s: %w", name, err)
				}
			}
			return nil
		},
	}
}

// endAddr and endPort are the two columns of one end of a connection, to be
// read in this order.
func endAddr[E any](name string, at func(*E) *netip.AddrPort) column[E] {
	return column[E]{
		name: name, kind: duck.TypeVarchar,
		put: func(v *vector, base int, rows []E, s *scratch) {
			for i := range rows {
				v.setAddr(base+i, at(&rows[i]).Addr(), s)
			}
		},
		get: func(v *vector, rows []E, _ *memo) error {
			for i := range rows {
				a, err := parseAddr(v.text(i))
				if err != nil {
					return fmt.Errorf("column %s: %w", name, err)
				}
				*at(&rows[i]) = netip.AddrPortFrom(a, 0)
			}
			return nil
		},
	}
}

func endPort[E any](name string, at func(*E) *netip.AddrPort) column[E] {
	return column[E]{
		name: name, kind: duck.TypeUSmallInt,
		put: func(v *vector, base int, rows []E, _ *scratch) {
			to := values[uint16](v)
			for i := range rows {
				to[base+i] = at(&rows[i]).Port()
			}
		},
		get: func(v *vector, rows []E, _ *memo) error {
			from := values[uint16](v)
			for i := range rows {
				p := at(&rows[i])
				*p = netip.AddrPortFrom(p.Addr(), from[i])
			}
			return nil
		},
	}
}

// addrs is a text: it is faster than a LIST and reads as well.
func addrs[E any](name string, at func(*E) *[]netip.Addr) column[E] {
	return column[E]{
		name: name, kind: duck.TypeVarchar,
		put: func(v *vector, base int, rows []E, s *scratch) {
			for i := range rows {
				s.buf = s.buf[:0]
				for _, a := range *at(&rows[i]) {
					if len(s.buf) > 0 && a.IsValid() {
						s.buf = append(s.buf, ';')
					}
					s.buf = a.WithZone("").AppendTo(s.buf)
				}
				v.setBytes(base+i, s.buf, &s.long)
			}
		},
		get: func(v *vector, rows []E, _ *memo) error {
			for i := range rows {
				list, err := parseAddrs(v.text(i))
				if err != nil {
					return fmt.Errorf("column %s: %w", name, err)
				}
				*at(&rows[i]) = list
			}
			return nil
		},
	}
}

// setAddr makes a the text of row i.
func (v *vector) setAddr(i int, a netip.Addr, s *scratch) {
	s.buf = a.AppendTo(s.buf[:0])
	if !a.IsValid() {
		s.buf = s.buf[:0]
	}
	v.setBytes(i, s.buf, &s.long)
}

func parseAddr(s string) (netip.Addr, error) {
	if s == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(s)
	if z := a.Zone(); z != "" {
		a = a.WithZone(strings.Clone(z)) // s is DuckDB's memory
	}
	if err != nil {
		return a, fmt.Errorf("reading the address %q: not an address", s)
	}
	return a, nil
}

func parseAddrs(s string) ([]netip.Addr, error) {
	if s == "" {
		return nil, nil
	}
	list := make([]netip.Addr, 0, 1+strings.Count(s, ";"))
	for part := range strings.SplitSeq(s, ";") {
		a, err := parseAddr(part)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}
