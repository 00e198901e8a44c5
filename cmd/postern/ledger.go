package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/pipeline"
	"github.com/postern/postern/internal/report"
)

func ledgerCommand() *cobra.Command {
	var f inputFlags
	var json bool
	cmd := &cobra.Command{
		Use:   "ledger PATH...",
		Short: "Account for every flow and connect: joined or not, and why",
		Long: `Ledger reads and joins evidence as hunt does, and shows how well it joined: by
host, by sensor and by hour, how many flows have an owner on which evidence,
what became of the endpoints' connects, and which share of the outbound TLS
sessions and of their bytes has an owner. docs/owner.md explains the words.

Exit codes: as hunt's.`,
		Args: needsInput("ledger"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.ledger(cmd.Context(), cmd.OutOrStdout(), args, json)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&json, "json", false, "write the ledger as JSON")
	return cmd
}

func (f inputFlags) ledger(ctx context.Context, out io.Writer, args []string, json bool) error {
	bar := newBar(os.Stderr)
	h, err := f.hunt(args, bar)
	if err != nil {
		return err
	}
	l, err := h.Ledger(ctx)
	bar.done()
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		return &exitError{exitFailed, err}
	}
	if json {
		err = report.JSON(out, l)
	} else {
		err = report.LedgerText(out, l, layout(out))
	}
	if err != nil {
		return &exitError{exitFailed, err}
	}
	return complete(l.Inputs)
}

// complete is an error when something of the inputs could not be read.
func complete(inputs []finding.Input) error {
	if pipeline.Incomplete(inputs) {
		return &exitError{exitIncomplete, errors.New("some input could not be read: see the summary")}
	}
	return nil
}
