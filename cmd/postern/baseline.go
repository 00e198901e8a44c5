package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/report"
)

func baselineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "baseline",
		Short: "Show what was learnt as normal",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(baselineShowCommand())
	return cmd
}

func baselineShowCommand() *cobra.Command {
	var f inputFlags
	var json bool
	cmd := &cobra.Command{
		Use:   "show PROGRAM|HOST|DESTINATION [PATH...]",
		Short: "Say what is known of a program, a host or a destination",
		Long: `Show reads and joins evidence as hunt does, or takes what a store holds already,
and says what is known under a name: from how many hosts and days, what is usual,
and how far that still rests on the program's class and on what is shipped.

The name is a program's key as findings have it, or the name of its file; a
host's name, the first label of that, or an address that it used; or a
destination: a registered domain, or any name below it. A name that is not known
is no error: what is similar is listed. docs/format/baseline.md explains the
words.

Exit codes: as hunt's.`,
		Example: `  postern baseline show powershell.exe evidence/
  postern baseline show ws-014 --store events.db
  postern baseline show api.example.net --json evidence/`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 || args[0] == "":
				return errors.New("baseline show needs a program, a host or a destination (see postern baseline show --help)")
			case len(args) == 1 && f.store == "":
				return errors.New("baseline show needs a file, a folder or - to read, or --store (see postern baseline show --help)")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.baseline(cmd.Context(), cmd.OutOrStdout(), args[0], args[1:], json)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&json, "json", false, "write what is known as JSON")
	return cmd
}

func (f inputFlags) baseline(ctx context.Context, out io.Writer, name string, args []string, json bool) error {
	bar := newBar(os.Stderr)
	h, err := f.hunt(args, bar)
	if err != nil {
		return err
	}
	b, err := h.Baseline(ctx, name)
	bar.done()
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		return &exitError{exitFailed, err}
	}
	if json {
		err = report.JSON(out, b)
	} else {
		err = report.BaselineText(out, b, layout(out))
	}
	if err != nil {
		return &exitError{exitFailed, err}
	}
	return complete(b.Inputs)
}
