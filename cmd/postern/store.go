package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/pipeline"
	"github.com/postern/postern/internal/store"
)

// storePassword returns the password of a store on a server.
func storePassword() string { return os.Getenv("POSTERN_CLICKHOUSE_PASSWORD") }

func storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Make, check, measure and prune a store",
		Long: `A store keeps events from one run to the next (see --store of postern hunt): a
file, or a database of ClickHouse at an address such as
clickhouse://user@host:9000/database. The password of a server comes from the
variable POSTERN_CLICKHOUSE_PASSWORD or, with ?password_file=FILE, from a file.
docs/store.md says more.`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(storeInitCommand(), storeCheckCommand(), storeInfoCommand(), storePruneCommand())
	return cmd
}

// storeFlags are the flags of every command about a store.
type storeFlags struct{ store string }

func (f *storeFlags) add(cmd *cobra.Command) {
	cmd.Args = cobra.NoArgs
	cmd.Flags().StringVar(&f.store, "store", "", "the file, or the clickhouse:// address")
	cmd.MarkFlagsOneRequired("store")
}

// with opens the store, which must be there, and closes it after fn.
func (f storeFlags) with(ctx context.Context, fn func(store.Store) error) error {
	err := pipeline.FindStore(f.store)
	if err == nil {
		var s store.Store
		if s, err = pipeline.OpenStore(ctx, f.store, pipeline.StoreConfig{Password: storePassword()}); err == nil {
			err = errors.Join(fn(s), s.Close())
		}
	}
	return failed(ctx, err)
}

// failed makes an error one that ends the program.
func failed(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = errors.New("interrupted")
	}
	return &exitError{exitFailed, err}
}

func storeInitCommand() *cobra.Command {
	var f storeFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a store, or bring one of an older version up to date",
		Long: `Init makes the tables of a store: in a file, or in a database of ClickHouse, on
every server of the cluster that the address names. A store of an older version
is brought up to date where that is possible. Where all is made nothing changes.`,
		Example: `  postern store init --store 'clickhouse://postern@ch1.example/postern?cluster=estate'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return failed(ctx, pipeline.InitStore(ctx, f.store, pipeline.StoreConfig{Password: storePassword()}))
		},
	}
	f.add(cmd)
	return cmd
}

func storeCheckCommand() *cobra.Command {
	var f storeFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Verify the tables of a store, and what may be done with them",
		Long: `Check verifies that the tables of a store are as this version makes them, and
that they can be read, written and emptied: on every shard of a cluster. What is
kept stays as it is.`,
		Example: `  postern store check --store events.db`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(s store.Store) error {
				if err := s.Check(ctx); err != nil {
					return err
				}
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "The store is sound.")
				return err
			})
		},
	}
	f.add(cmd)
	return cmd
}

// pruneFlags say what is to go.
type pruneFlags struct {
	storeFlags
	raw, sessions, edges string
	now                  string
}

func storePruneCommand() *cobra.Command {
	var f pruneFlags
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove from a store what is older than some days",
		Long: `Prune removes what is older than an age, by whole days of UTC: events as they
were read, the sessions that the last run made of them, and the hourly edges. What
is not named is kept whole; what has no time is older than everything.

An input stays known as read, so what was removed does not come back. The next
hunt makes sessions and edges anew from the events that are there.`,
		Example: `  postern store prune --store events.db --keep-raw 7d --keep-edges 90d`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.prune(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.raw, "keep-raw", "", "how long to keep events, in days such as 7d")
	cmd.Flags().StringVar(&f.sessions, "keep-sessions", "", "how long to keep sessions")
	cmd.Flags().StringVar(&f.edges, "keep-edges", "", "how long to keep hourly edges")
	cmd.Flags().StringVar(&f.now, "now", "", "the instant (RFC 3339) from which ages count; the present without")
	cmd.MarkFlagsOneRequired("keep-raw", "keep-sessions", "keep-edges")
	return cmd
}

func (f pruneFlags) prune(ctx context.Context, out io.Writer) error {
	ages, err := f.ages()
	if err != nil {
		return err
	}
	return f.with(ctx, func(s store.Store) error {
		gone, err := s.Prune(ctx, ages)
		if err != nil {
			return err
		}
		if len(gone) == 0 {
			_, err = fmt.Fprintln(out, "Nothing is that old.")
			return err
		}
		for _, g := range gone {
			if _, err := fmt.Fprintf(out, "%s: %d rows removed\n", g.Table, g.Rows); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f pruneFlags) ages() (store.Ages, error) {
	now := time.Now()
	if f.now != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, f.now); err != nil {
			return store.Ages{}, fmt.Errorf("--now: %q is no instant such as 2026-11-02T00:00:00Z", f.now)
		}
	}
	var ages store.Ages
	for _, part := range []struct {
		flag, age string
		to        *event.Time
	}{
		{"--keep-raw", f.raw, &ages.Raw}, {"--keep-sessions", f.sessions, &ages.Sessions}, {"--keep-edges", f.edges, &ages.Edges},
	} {
		if part.age == "" {
			continue
		}
		days, ok := strings.CutSuffix(part.age, "d")
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil || !ok {
			return store.Ages{}, fmt.Errorf("%s: %q is no age such as 7d", part.flag, part.age)
		}
		*part.to = event.At(now.AddDate(0, 0, -int(n)))
	}
	return ages, nil
}
