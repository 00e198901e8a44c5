// Package store defines what Postern asks of a place that keeps events and
// sessions. The stores themselves live below this package; package storetest
// says, as tests, what each of them must do.
package store

import (
	"context"
	"errors"
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// Sentinel errors of this package.
var (
	// ErrNewer: the store was written by a newer version of Postern.
	ErrNewer = errors.New("store was written by a newer version")

	// ErrOlder: the store was written by a version whose tables this one can
	// no longer read.
	ErrOlder = errors.New("store was written by an older version")

	// ErrNotAStore: the file holds something else.
	ErrNotAStore = errors.New("not a Postern store")

	// ErrInUse: another process holds the store.
	ErrInUse = errors.New("store is in use by another process")
)

// A Store keeps normalised events and sessions and answers range reads and
// fleet aggregates over them.
//
// All methods may be called concurrently unless they say otherwise.
type Store interface {
	// Append adds the events of b. It is idempotent: an event whose Key the
	// store holds already counts once, whether it comes in the same call, a
	// later call or another run. Of a flow's reports it keeps the final one
	// (see Flow.Open), or else the longest. Appended events may be invisible
	// to reads until Flush. The store does not keep b.
	Append(ctx context.Context, b *event.Batch) error

	// Flush makes what was appended before it durable and visible.
	Flush(ctx context.Context) error

	// Input returns what is known of the input with that fingerprint, and
	// whether it was read before.
	Input(ctx context.Context, fingerprint string) (Input, bool, error)

	// PutInput remembers that an input was read to its end. It is durable
	// after the next Flush, and never before the events that were appended
	// before it.
	PutInput(ctx context.Context, in Input) error

	// Leases returns which host used which address, from the source
	// addresses of outbound connects and from leases, ordered by host and
	// address. The names are as the events have them.
	Leases(ctx context.Context) ([]Lease, error)

	// Loads returns the number of rows that a Window of each host and of
	// each client address would read, before duplicates are dropped: hosts
	// first, each part ordered by name or address.
	Loads(ctx context.Context) ([]Load, error)

	// TLSServers returns each address and port that answered a TLS
	// handshake, ordered: those of handshakes that did not fail, or that
	// show something of the server.
	TLSServers(ctx context.Context) ([]netip.AddrPort, error)

	// CaptureHours returns the hours in which any sensor saw a flow begin, by
	// their first instants, ordered.
	CaptureHours(ctx context.Context) ([]event.Time, error)

	// Window returns all events of the selection, each once, every kind
	// ordered by time and then key. A handshake without subject and issuer
	// has them from its certificate when that is known. Certificates
	// themselves are not returned.
	Window(ctx context.Context, sel Selection) (*event.Batch, error)

	// ClearSessions removes all sessions and what was made of them.
	ClearSessions(ctx context.Context) error

	// PutSessions adds sessions.
	PutSessions(ctx context.Context, s []event.Session) error

	// RemoveSessions removes those of the sessions that were put before it.
	// It flushes.
	RemoveSessions(ctx context.Context, keys []SessionKey) error

	// Rollup makes the hourly edges from the sessions, once all are put.
	// It flushes.
	Rollup(ctx context.Context) error

	// Sessions calls fn for each session that f selects, ordered by start
	// and key, until fn returns an error, which it returns. The session is
	// valid until fn returns.
	Sessions(ctx context.Context, f SessionFilter, fn func(*event.Session) error) error

	// Programs, Domains and Pairs return how common each is among the
	// hosts, from the hourly edges, ordered by their names. A host without
	// a name counts by its client address. The unknown program ("") is
	// counted like any other. Sessions with neither host nor client count
	// as those of one host.
	Programs(ctx context.Context) ([]ProgramStat, error)
	Domains(ctx context.Context) ([]DomainStat, error)
	Pairs(ctx context.Context) ([]PairStat, error)

	// Told returns what was put with PutTold, ordered by time and ID.
	Told(ctx context.Context) ([]Told, error)

	// PutTold remembers findings as they were told. It is durable when it
	// returns. What has the ID and the time of an earlier one replaces it.
	// Clearing the sessions leaves it.
	PutTold(ctx context.Context, told []Told) error

	// Info says what the store holds, once flushed.
	Info(ctx context.Context) (Info, error)

	// Check verifies that the tables are as this version makes them, and that
	// they can be read, written and emptied. It changes nothing that is kept.
	Check(ctx context.Context) error

	// Prune removes what is older than the ages say, and returns how many rows
	// it took from which tables. It flushes. Inputs and what was told stay:
	// what was forgotten is not read again.
	Prune(ctx context.Context, before Ages) ([]Pruned, error)

	// Close flushes and releases the store.
	Close() error
}

// An Info says what a store holds.
type Info struct {
	Engine string // and its version, for people
	Schema int    // the version of the tables
	Bytes  int64  // on disk, of all tables
	Tables []TableInfo
}

// A TableInfo says what a table holds. Duplicates that were not dropped yet
// count.
type TableInfo struct {
	Name        string
	Rows        int64
	Bytes       event.Count // on disk
	First, Last event.Time  // 0 for none, or where rows have no time
}

// Ages says before which instants what is older goes. Stores keep whole days, of
// UTC: nothing goes of the day of the instant. Rows whose time is not known are
// older than all. The zero instant removes nothing.
type Ages struct {
	Raw      event.Time // events as they were read
	Sessions event.Time // what the last run made of them
	Edges    event.Time // the hourly edges
}

// day is a day of UTC.
const day = 24 * 3600 * 1_000_000

// Day returns the first instant of t's day.
func Day(t event.Time) event.Time { return t - (t%day+day)%day }

// Pruned says how many rows went from a table.
type Pruned struct {
	Table string
	Rows  int64
}

// An Input is one input that was read to its end.
type Input struct {
	Fingerprint string // of the content
	Path        string
	Format      string
	Records     int64
	Events      int64
	Skipped     int64
	Clock       string
	ReadAt      event.Time
}

// A Lease says that a host used an address.
type Lease struct {
	Host        string
	Addr        netip.Addr
	First, Last event.Time // on the host's own clock, or a lease's sensor's
	Connects    int64      // 0 where only leases say so
}

// A Load is the number of rows of one host, or of one client address.
type Load struct {
	Host string     // "" for an address
	Addr netip.Addr // invalid for a host
	Rows int64
}

// A Selection says which events a Window holds: those that the hosts reported,
// and those that a wire saw with the clients as originators.
type Selection struct {
	Hosts   []string
	Clients []netip.Addr
	Only    Kinds // 0 for all
}

// Kinds is a set of event kinds.
type Kinds uint16

// The kinds of events.
const (
	Starts Kinds = 1 << iota
	Stops
	Connects
	Lookups
	Flows
	Handshakes
	Requests
	Leases
	Notices
)

// Has reports whether s selects kind k.
func (s Selection) Has(k Kinds) bool { return s.Only == 0 || s.Only&k != 0 }

// A SessionFilter selects sessions. The zero filter selects all; each field
// that is set narrows it.
type SessionFilter struct {
	// Edge selects the sessions of a program to a registered domain. The
	// program may be "": the unknown one.
	Edge *Edge

	// Host selects the sessions of one host: its name, or the client
	// address of one without a name.
	Host string

	// Hosts selects the sessions of any of these, as Host does of one.
	Hosts []string

	// Keys selects these sessions.
	Keys []SessionKey
}

// A SessionKey names a session: keys are compared within one host's or one
// address's sessions only.
type SessionKey struct {
	Host string // as in a SessionFilter
	Key  event.Key
}

// An Edge is a program and a registered domain.
type Edge struct {
	Program string
	Domain  string
}

// A ProgramStat says how common a program is.
type ProgramStat struct {
	Program  string
	Hosts    int64
	Domains  int64
	Sessions int64
}

// A DomainStat says how common a registered domain is.
type DomainStat struct {
	Domain   string
	Hosts    int64
	Programs int64 // known programs only
	Sessions int64
}

// A PairStat says how common it is that a program goes to a domain.
type PairStat struct {
	Edge
	Hosts    int64
	Sessions int64
}

// A Told is a finding as it was told.
type Told struct {
	ID       string     // of the finding
	Time     event.Time // the end of the evidence, on whose clock the telling was
	Score    float64    // nats
	Hosts    int
	BytesOut event.Count
	Tier     string
}
