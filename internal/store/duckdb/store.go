// Package duckdb keeps events and sessions in one DuckDB file, which its own
// command line opens as well.
package duckdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

var _ store.Store = (*Store)(nil)

// Config says how much of the machine DuckDB may use.
type Config struct {
	MemoryLimit string // of DuckDB's buffers, as "400MB", which is the default
	Threads     int    // 0 for one per processor, up to 4
	TempDir     string // for what does not fit in memory; "" for beside the file
}

// A Store is a [store.Store] in one file. Events are appended to the tables as
// they come; duplicates are dropped when they are read.
type Store struct {
	engine    *engine
	file      string
	remove    string // the folder that Close removes, if any
	temporary bool   // the file is in it
	threads   int

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

	flushing sync.Mutex
	mu       sync.Mutex
	inputs   map[string]store.Input // not yet flushed, by fingerprint

	close    sync.Once
	closeErr error
}

// Open opens the store in the file at path, which it makes if there is none.
// The path "" stands for a temporary file that Close removes.
//
// The error is store.ErrNewer, store.ErrNotAStore or store.ErrInUse where one
// of these says why.
func Open(ctx context.Context, path string, c Config) (*Store, error) {
	s, err := open(ctx, path, c)
	if err != nil {
		if path == "" {
			path = "a temporary file"
		}
		return nil, fmt.Errorf("opening the store in %s: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, c Config) (_ *Store, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &Store{inputs: make(map[string]store.Input)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	var spill string
	s.file, spill, err = s.place(path, c.TempDir)
	if err != nil {
		return nil, err
	}
	s.threads = c.threads()
	s.engine, err = openEngine(s.file, c.options(spill))
	if err != nil {
		return nil, reason(err)
	}
	if err := s.engine.exec(ctx, compression); err != nil {
		return nil, fmt.Errorf("configuring DuckDB: %w", err)
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	s.starts = newWriter(s.engine, starts())
	s.stops = newWriter(s.engine, stops())
	s.connects = newWriter(s.engine, connects())
	s.lookups = newWriter(s.engine, lookups())
	s.flows = newWriter(s.engine, flows())
	s.handshakes = newWriter(s.engine, handshakes())
	s.certificates = newWriter(s.engine, certificates())
	s.requests = newWriter(s.engine, requests())
	s.leases = newWriter(s.engine, leases())
	s.notices = newWriter(s.engine, notices())
	s.sessions = newWriter(s.engine, sessions())
	return s, nil
}

// place returns where the file and what spills from memory go. The path is made
// absolute, because DuckDB reads a meaning into prefixes such as "s3:".
func (s *Store) place(path, temp string) (file, spill string, err error) {
	s.temporary = path == ""
	if path == "" || temp != "" {
		if s.remove, err = os.MkdirTemp(temp, "postern-"); err != nil {
			return "", "", fmt.Errorf("making a temporary folder: %w", err)
		}
		spill = filepath.Join(s.remove, "spill")
	}
	if path == "" {
		return filepath.Join(s.remove, "store.duckdb"), spill, nil
	}
	if file, err = filepath.Abs(path); err != nil {
		return "", "", err
	}
	if spill == "" {
		spill = file + ".tmp" // DuckDB makes it when needed, and removes it
	}
	return file, spill, nil
}

// options returns DuckDB's settings as pairs, in the order in which it takes
// them: without external access it refuses a temporary folder.
func (c Config) options(spill string) [][2]string {
	o := [][2]string{
		{"memory_limit", cmp.Or(c.MemoryLimit, "400MB")},
		{"temp_directory", spill},

		// Rows are put in order when read; keeping that of the input costs
		// memory.
		{"preserve_insertion_order", "false"},

		// The write-ahead log holds what is less than a row group; folding
		// it into the file again and again would write everything twice.
		{"checkpoint_threshold", "256MB"},

		// Nothing in the file can make DuckDB read another one, or fetch
		// an extension.
		{"enable_external_access", "false"},
		{"autoinstall_known_extensions", "false"},
		{"autoload_known_extensions", "false"},
	}
	return append(o, [2]string{"threads", strconv.Itoa(c.threads())})
}

func (c Config) threads() int {
	if c.Threads > 0 {
		return c.Threads
	}
	return allThreads()
}

func allThreads() int { return min(runtime.GOMAXPROCS(0), mostThreads) }

// mostThreads is the default's limit: each thread needs its part of the memory.
const mostThreads = 4

// compression leaves out methods that save little room here: trying them costs
// a third of the time of appending.
const compression = "SET GLOBAL disabled_compression_methods = 'fsst,zstd,dict_fsst,rle'"

// reason finds the sentinel error for what DuckDB says about a file. Its
// messages are all that it gives.
func reason(err error) error {
	for _, known := range []struct {
		says string
		is   error
	}{
		{"Could not set lock", store.ErrInUse},
		{"being used by another process", store.ErrInUse},
		{"different configuration", store.ErrInUse},
		{"not a valid DuckDB database file", store.ErrNotAStore},
		{"Cannot open encrypted", store.ErrNotAStore},
		{"database file with version number", store.ErrNewer},
	} {
		if strings.Contains(err.Error(), known.says) {
			return fmt.Errorf("%w: %w", known.is, err)
		}
	}
	return err
}

// Close flushes, closes the file and removes what was temporary. Closing again
// returns the same error.
func (s *Store) Close() error {
	s.close.Do(func() {
		var err error
		if !s.temporary {
			err = s.Flush(context.Background())
		}
		for _, w := range s.writers() {
			w.close()
		}
		s.closeErr = errors.Join(err, s.release())
	})
	return s.closeErr
}

func (s *Store) release() error {
	if s.engine != nil {
		if s.temporary {
			// What is about to be removed need not be brought in order.
			if err := s.engine.exec(context.Background(), "PRAGMA disable_checkpoint_on_shutdown"); err != nil {
				return fmt.Errorf("closing the temporary store: %w", err)
			}
		}
		s.engine.close()
	}
	if s.remove == "" {
		return nil
	}
	if err := os.RemoveAll(s.remove); err != nil {
		return fmt.Errorf("removing the temporary folder: %w", err)
	}
	return nil
}
