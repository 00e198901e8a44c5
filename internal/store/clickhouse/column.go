package clickhouse

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store/schema"
)

var _ schema.Maker[event.Flow, column[event.Flow]] = maker[event.Flow]{}

// A column says once how a field of E is kept: DDL, writing and reading all
// follow from it. What the columns hold, package schema says.
type column[E any] struct {
	name, kind string

	// values returns the rows' values as the driver takes them: a slice.
	values func(rows []E) any

	// reader returns where a value is scanned to, and what puts it into a
	// row; nil for a column that is never read back.
	reader func(m *memo) (dest any, set func(*E) error)
}

// nullable reports whether a value of c may be NULL.
func (c *column[E]) nullable() bool { return strings.HasPrefix(c.kind, "Nullable") }

// plain is a column whose values are Ts on the wire.
func plain[E, T any](name, kind string, get func(*E) T, set func(*E, T, *memo) error) column[E] {
	return column[E]{
		name: name, kind: kind,
		values: func(rows []E) any {
			values := make([]T, len(rows))
			for i := range rows {
				values[i] = get(&rows[i])
			}
			return values
		},
		reader: func(m *memo) (any, func(*E) error) {
			v := new(T)
			return v, func(e *E) error { return set(e, *v, m) }
		},
	}
}

// number is a number that is always known, of type T here and W on the wire.
func number[E any, T, W ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int | ~int64 | ~float64](name, kind string, at func(*E) *T) column[E] {
	return plain(name, kind,
		func(e *E) W { return W(*at(e)) },
		func(e *E, v W, _ *memo) error { *at(e) = T(v); return nil })
}

// optional is a value that is NULL when known says so; unknown stands for it.
func optional[E, T, W any](name, kind string, at func(*E) *T, unknown T, put func(T) (W, bool), get func(W) T) column[E] {
	return column[E]{
		name: name, kind: kind,
		values: func(rows []E) any {
			values, known := make([]W, len(rows)), make([]*W, len(rows))
			for i := range rows {
				v, ok := put(*at(&rows[i]))
				if values[i] = v; ok {
					known[i] = &values[i]
				}
			}
			return known
		},
		reader: func(*memo) (any, func(*E) error) {
			v := new(*W)
			return v, func(e *E) error {
				if *at(e) = unknown; *v != nil {
					*at(e) = get(**v)
				}
				return nil
			}
		},
	}
}

// name is an enumeration by its names.
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
	return plain(title, "String",
		func(e *E) string { return names[*at(e)] },
		func(e *E, v string, _ *memo) error {
			n, ok := numbers[v]
			if !ok {
				return fmt.Errorf("column %s holds %q, which is none of its names", title, v)
			}
			*at(e) = n
			return nil
		})
}

// addrColumn is what a text holds of an address.
func addrColumn[E any](name string, get func(*E) netip.Addr, set func(*E, netip.Addr)) column[E] {
	return plain(name, "String",
		func(e *E) string { return addrText(get(e)) },
		func(e *E, v string, _ *memo) error {
			a, err := parseAddr(v)
			if err != nil {
				return fmt.Errorf("column %s: %w", name, err)
			}
			set(e, a)
			return nil
		})
}

// valid returns s with what is not UTF-8 replaced.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func parseAddr(s string) (netip.Addr, error) {
	if s == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return a, fmt.Errorf("reading the address %q: not an address", s)
	}
	return a, nil
}

func addrsText(list []netip.Addr) string {
	var b []byte
	for _, a := range list {
		if !a.IsValid() {
			continue
		}
		if len(b) > 0 {
			b = append(b, ';')
		}
		b = a.WithZone("").AppendTo(b)
	}
	return string(b)
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

// A memo gives equal texts of a query one memory.
type memo struct{ known map[string]string }

// The memo is bounded: hostile input must not turn it into a leak.
const (
	memoTexts = 1 << 16
	memoBytes = 512
)

func (m *memo) shared(s string) string {
	if t, ok := m.known[s]; ok {
		return t
	}
	if m.known == nil {
		m.known = make(map[string]string)
	}
	if len(s) <= memoBytes && len(m.known) < memoTexts {
		m.known[s] = s
	}
	return s
}
