// Package clickhouse keeps events and sessions in a ClickHouse server, or in
// many: what outgrows one machine.
package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

var _ store.Store = (*Store)(nil)

// Config is what an address does not say.
type Config struct {
	// Password is used unless the address names a file. It is never shown.
	Password string
}

// A Store is a [store.Store] in a database of ClickHouse. Events are appended to
// the tables as they come; duplicates are dropped when they are read, and those
// that are alike in everything also by ClickHouse as it merges.
//
// With a cluster, every table lies on all shards: a host's reports on the shard
// of its name, those of a wire on that of the client's address, and sessions and
// edges on that of the host. What is asked goes to the server of the address,
// which asks the others.
type Store struct {
	site   site
	main   *server
	shards []*server // one of each shard; main alone without a cluster

	starts       *writer[event.ProcessStart]
	stops        *writer[event.ProcessStop]
	connects     *writer[event.Connect]
	lookups      *writer[event.Lookup]
	flows        *writer[event.Flow]
	handshakes   *writer[event.Handshake]
	certificates *writer[event.Certificate]
	requests     *writer[event.Request]
	leases       *writer[event.Lease]
	notices      *writer[event.Notice]
	sessions     *writer[event.Session]
	removals     *writer[store.SessionKey]
	inputs       *writer[store.Input]
	tellings     *writer[store.Told]

	epoch atomic.Uint64 // how often sessions were removed

	flushing sync.Mutex
	mu       sync.Mutex
	waiting  map[string]store.Input // put and not yet flushed, by fingerprint

	close    sync.Once
	closeErr error
}

// Init makes the database and the tables that the address names, on every server
// of its cluster, or brings the tables of an older version up to date. Where all
// is made it changes nothing.
func Init(ctx context.Context, at string, c Config) error {
	a, err := parse(at, c.Password)
	if err == nil {
		err = initialise(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("making a store in ClickHouse: %w", err)
	}
	return nil
}

func initialise(ctx context.Context, a address) (err error) {
	outside := a
	outside.database = "" // which may not be there yet
	first, err := connect(ctx, outside, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, first.Close()) }()
	members, err := first.members(ctx, a)
	if err != nil {
		return err
	}
	on := siteOf(a, members)
	for _, m := range members {
		if err := initialiseServer(ctx, m.address, on); err != nil {
			return fmt.Errorf("server %s: %w", m.address, err)
		}
	}
	return nil
}

func initialiseServer(ctx context.Context, a address, on site) (err error) {
	if err := makeDatabase(ctx, a); err != nil {
		return err
	}
	s, err := connect(ctx, a, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.migrate(ctx, on, migrations())
}

// makeDatabase makes the database of a, unless it is there: to make one takes a
// right that not everybody has.
func makeDatabase(ctx context.Context, a address) (err error) {
	database := a.database
	a.database = ""
	s, err := connect(ctx, a, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	found, err := s.names(ctx, "SELECT name FROM system.databases WHERE name = '"+database+"'")
	if err != nil || len(found) > 0 {
		return err
	}
	if err := s.exec(ctx, "CREATE DATABASE IF NOT EXISTS `"+database+"`"); err != nil {
		return fmt.Errorf("making the database: %w", err)
	}
	return nil
}

// Open opens the store at the address, whose tables Init has made.
//
// The error is store.ErrNewer, store.ErrOlder or store.ErrNotAStore where one of
// these says why. It shows neither the user nor the password.
func Open(ctx context.Context, at string, c Config) (*Store, error) {
	a, err := parse(at, c.Password)
	if err != nil {
		return nil, fmt.Errorf("opening the store in ClickHouse: %w", err)
	}
	s, err := open(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("opening the store in ClickHouse: %w", err)
	}
	return s, nil
}

func open(ctx context.Context, a address) (_ *Store, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &Store{waiting: make(map[string]store.Input)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if err := s.connect(ctx, a); err != nil {
		return nil, err
	}
	epochs, err := s.numbers(ctx, "SELECT toInt64(if(count() = 0, 0, max(epoch) + 1)) FROM removed")
	if err != nil {
		return nil, fmt.Errorf("reading which sessions were removed: %w", err)
	}
	s.epoch.Store(uint64(epochs[0]))
	s.write()
	return s, nil
}

// connect connects to the server of the address, and to one of each shard, and
// looks whether the tables are there.
func (s *Store) connect(ctx context.Context, a address) error {
	first, err := connect(ctx, a, nil)
	if isCode(err, codeUnknownDatabase) {
		return fmt.Errorf("%w: there is no database %s: make it with postern store init (%w)", store.ErrNotAStore, a.database, err)
	}
	if err != nil {
		return err
	}
	s.main = first
	members, err := first.members(ctx, a)
	if err != nil {
		return err
	}
	s.site = siteOf(a, members)
	if err := first.usable(ctx, s.site); err != nil {
		return err
	}
	if a.cluster == "" {
		s.shards = []*server{first}
		return nil
	}
	// Its own settings are known only now.
	if s.main, err = connect(ctx, a, s.site.settings()); err != nil {
		return errors.Join(err, first.Close())
	}
	if err := first.Close(); err != nil {
		return err
	}
	for _, m := range members {
		if m.replica > 1 {
			continue
		}
		shard, err := connect(ctx, m.address, s.site.settings())
		if err != nil {
			return fmt.Errorf("shard %d: %w", m.shard, err)
		}
		s.shards = append(s.shards, shard)
		if err := shard.usable(ctx, s.site); err != nil {
			return fmt.Errorf("shard %d: %w", m.shard, err)
		}
	}
	return nil
}

// write makes the writers.
func (s *Store) write() {
	s.starts = newWriter(s.main, starts())
	s.stops = newWriter(s.main, stops())
	s.connects = newWriter(s.main, connects())
	s.lookups = newWriter(s.main, lookups())
	s.flows = newWriter(s.main, flows())
	s.handshakes = newWriter(s.main, handshakes())
	s.certificates = newWriter(s.main, certificates())
	s.requests = newWriter(s.main, requests())
	s.leases = newWriter(s.main, leases())
	s.notices = newWriter(s.main, notices())
	s.sessions = newWriter(s.main, sessions())
	s.sessions.stamp = s.epoch.Load
	s.removals = newWriter(s.main, removals())
	s.removals.stamp = s.epoch.Load
	s.inputs = newWriter(s.main, inputs())
	s.inputs.stamp = rising()
	s.tellings = newWriter(s.main, tellings())
	s.tellings.stamp = rising()
}

// Close flushes and disconnects. Closing again returns the same error.
func (s *Store) Close() error {
	s.close.Do(func() {
		s.closeErr = errors.Join(s.Flush(context.Background()), s.release())
		for _, w := range s.writers() {
			w.shut()
		}
	})
	return s.closeErr
}

func (s *Store) release() error {
	var errs []error
	if s.main != nil {
		errs = append(errs, s.main.Close())
	}
	for _, shard := range s.shards {
		if shard != s.main {
			errs = append(errs, shard.Close())
		}
	}
	return errors.Join(errs...)
}

// numbers returns the only column of a query, which is an Int64.
func (s *Store) numbers(ctx context.Context, sql string) ([]int64, error) {
	only := []column[int64]{maker[int64]{}.Int64("n", func(n *int64) *int64 { return n })}
	return all(ctx, s.main, only, sql)
}

// Is reports whether a store's name is an address of this package's.
func Is(name string) bool { return strings.HasPrefix(name, Scheme) }
