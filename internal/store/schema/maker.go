// Package schema says once which tables a store has, and which of several
// reports of one event it returns.
package schema

import (
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// A Maker makes the columns of a table of E as a store has them: a C each. Each
// method says what is kept of a row; at points to it.
//
// Text that is not known is "", as in package event. A count that is not known,
// and a Tri that is unsaid, is NULL. Times are microseconds since the epoch, UTC,
// 0 when not known. Addresses are text, "" when there is none. Enumerations are
// kept by their names, for people who read the tables.
type Maker[E, C any] interface {
	// Key is the identity of an event in column "key". It is made again from
	// the event when read.
	Key(of func(*E) event.Key) C

	// Stored is a key that cannot be made again.
	Stored(name string, at func(*E) *event.Key) C

	// Text is different in most rows; many rows share a Label.
	Text(name string, at func(*E) *string) C
	Label(name string, at func(*E) *string) C

	Time(name string, at func(*E) *event.Time) C
	Count(name string, at func(*E) *event.Count) C
	Int64(name string, at func(*E) *int64) C
	Int(name string, at func(*E) *int) C
	Uint16(name string, at func(*E) *uint16) C
	Uint32(name string, at func(*E) *uint32) C
	Uint64(name string, at func(*E) *uint64) C
	Float64(name string, at func(*E) *float64) C
	Flag(name string, at func(*E) *bool) C
	Tri(name string, at func(*E) *event.Tri) C
	Proto(name string, at func(*E) *event.Proto) C

	// EndAddr and EndPort are the two columns of one end of a connection, to
	// be read in this order.
	EndAddr(name string, at func(*E) *netip.AddrPort) C
	EndPort(name string, at func(*E) *netip.AddrPort) C
	Addr(name string, at func(*E) *netip.Addr) C

	// Addrs is a list of addresses, joined by ';'. Neither zones nor invalid
	// addresses are kept: an answer has none.
	Addrs(name string, at func(*E) *[]netip.Addr) C

	Source(name string, at func(*E) *event.Source) C
	Rung(name string, at func(*E) *event.Rung) C
	NameSource(name string, at func(*E) *event.NameSource) C
	Evidence(name string, at func(*E) *event.TLSEvidence) C
}

// A Table keeps rows of one kind.
type Table[C any] struct {
	Name    string
	Columns []C
}
