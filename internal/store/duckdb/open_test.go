package duckdb_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // the driver, for looking at files as an analyst would

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
	"github.com/postern/postern/internal/store/duckdb"
)

// query runs statements on a file with DuckDB's own driver and returns the rows
// of the last one, as text.
func query(t *testing.T, path string, statements ...string) []string {
	t.Helper()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var out []string
	for _, q := range statements {
		rows, err := db.Query(q)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		out = nil
		for rows.Next() {
			values := make([]any, len(columns))
			to := make([]any, len(columns))
			for i := range to {
				to[i] = &values[i]
			}
			if err := rows.Scan(to...); err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprint(values...))
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		want error
		says []string
	}{
		{"a newer schema", func(t *testing.T, path string) {
			made(t, path)
			query(t, path, "UPDATE meta SET value = '7' WHERE name = 'schema'")
		}, store.ErrNewer, []string{"version 7", "up to 3"}},
		{"an older schema", func(t *testing.T, path string) {
			made(t, path)
			query(t, path, "UPDATE meta SET value = '1' WHERE name = 'schema'")
		}, store.ErrOlder, []string{"version 1", "needs 3"}},
		{"a schema of no version", func(t *testing.T, path string) {
			made(t, path)
			query(t, path, "UPDATE meta SET value = 'x' WHERE name = 'schema'")
		}, store.ErrNotAStore, []string{`"x"`}},
		{"another database", func(t *testing.T, path string) {
			query(t, path, "CREATE TABLE customers (id INTEGER)")
		}, store.ErrNotAStore, []string{"meta"}},
		{"another database with a table meta", func(t *testing.T, path string) {
			query(t, path, "CREATE TABLE meta (id INTEGER)")
		}, store.ErrNotAStore, []string{"meta"}},
		{"a text", func(t *testing.T, path string) {
			write(t, path, strings.Repeat("not a database\n", 1000))
		}, store.ErrNotAStore, nil},
		{"a short text", func(t *testing.T, path string) { write(t, path, "x") }, store.ErrNotAStore, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s.duckdb")
			c.make(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := duckdb.Open(t.Context(), path, duckdb.Config{})
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if !errors.Is(err, c.want) {
				t.Errorf("error %q is not %q", err, c.want)
			}
			for _, part := range append(c.says, path) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func made(t *testing.T, path string) {
	t.Helper()
	s, err := duckdb.Open(t.Context(), path, duckdb.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestInUse opens a store that another process holds: this test's binary.
func TestInUse(t *testing.T) {
	const variable = "POSTERN_TEST_HOLD"
	if path := os.Getenv(variable); path != "" {
		hold(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "s.duckdb")
	cmd := exec.Command(os.Args[0], "-test.run=^TestInUse$", "-test.v")
	cmd.Env = append(os.Environ(), variable+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.Contains(lines.Text(), "holding"); {
	}
	_, err = duckdb.Open(t.Context(), path, duckdb.Config{})
	if !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint("PID ", cmd.Process.Pid)) {
		t.Errorf("error %v is not that the store is in use, and by whom", err)
	}
}

// hold keeps the store open until standard input ends.
func hold(t *testing.T, path string) {
	s, err := duckdb.Open(t.Context(), path, duckdb.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fmt.Println("holding")
	bufio.NewReader(os.Stdin).ReadString('\n')
}

// TestNothingLeft checks that Close leaves the store's file alone, and nothing of
// a temporary store.
func TestNothingLeft(t *testing.T) {
	temp, home := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	for _, c := range []struct{ path, temp string }{
		{"", ""}, {filepath.Join(home, "a.duckdb"), ""}, {filepath.Join(home, "b.duckdb"), temp},
	} {
		s, err := duckdb.Open(t.Context(), c.path, duckdb.Config{TempDir: c.temp, MemoryLimit: "60MB", Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		spill(t, s)
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Fatal(err)
		}
		if err := s.Append(t.Context(), &event.Batch{Flows: make([]event.Flow, 1)}); err == nil {
			t.Error("appended to a closed store")
		}
	}
	for dir, want := range map[string]string{temp: "[]", home: "[a.duckdb b.duckdb]"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if fmt.Sprint(names) != want {
			t.Errorf("left %v, want %v", names, want)
		}
	}
}

// spill puts more into s than its memory limit holds.
func spill(t *testing.T, s *duckdb.Store) {
	t.Helper()
	rows := make([]event.Session, 100_000)
	for i := range rows {
		rows[i] = event.Session{Key: event.Key(i), Start: event.Time(-i), Image: fmt.Sprintf("%0300d", i), GUID: fmt.Sprintf("%0300x", i*i)}
	}
	if err := errors.Join(s.PutSessions(t.Context(), rows), s.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := s.Sessions(t.Context(), store.SessionFilter{}, func(e *event.Session) error { n++; return nil })
	if err != nil || n != len(rows) {
		t.Errorf("read %d sessions: %v", n, err)
	}
}

func TestOpenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := duckdb.Open(ctx, "", duckdb.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestBadConfig(t *testing.T) {
	if _, err := duckdb.Open(t.Context(), "", duckdb.Config{MemoryLimit: "much"}); err == nil || !strings.Contains(err.Error(), "much") {
		t.Errorf("error %v", err)
	}
}

// TestForAnalysts checks the views: each event once, times as timestamps, even
// where a hostile time is none.
func TestForAnalysts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.duckdb")
	s, err := duckdb.Open(t.Context(), path, duckdb.Config{})
	if err != nil {
		t.Fatal(err)
	}
	flow := event.Flow{UID: "C1", Time: 1_700_000_000_000_000, Open: true, BytesOut: 1, Duration: event.Unknown}
	final := flow
	final.Open, final.BytesOut = false, event.Unknown
	b := &event.Batch{Flows: []event.Flow{final, flow, {UID: "C2"}, {UID: "C3", Time: 1<<63 - 1}}}
	if err := errors.Join(s.Append(t.Context(), b), s.Rollup(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
	got := query(t, path, "SELECT uid, CAST(utc AS VARCHAR), bytes_out FROM flows ORDER BY uid")
	want := []string{"C1 2023-11-14 22:13:20 <nil>", "C2 <nil> 0", "C3 <nil> 0"}
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], " ", "")
	}
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], " ", "")
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("flows: %q, want %q", got, want)
	}
	for _, view := range query(t, path, "SELECT view_name FROM duckdb_views() WHERE NOT internal") {
		query(t, path, "SELECT * FROM "+view)
	}
}
