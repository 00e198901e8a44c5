package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/coverage"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/pipeline"
	"github.com/postern/postern/internal/report/html"
)

// reportFlags are the flags of report.
type reportFlags struct {
	inputFlags
	out string
	top int
}

func reportCommand() *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use:   "report [PATH...]",
		Short: "Write the findings as one HTML file",
		Long: `Report reads evidence as hunt does, or what a store holds already, and writes one
HTML file: how much of the outbound TLS the evidence explains, the ranked
findings, a triage card for each, and what could not be seen. The file needs no network and no other
file, and prints to PDF from any browser.

Exit codes: as hunt's.`,
		Example: `  postern report evidence/ -o report.html
  postern report --store events.db -o report.html`,
		Args: storeOrInput(&f.inputFlags, "report"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVarP(&f.out, "output", "o", "-", `write to this file; "-" is standard output`)
	cmd.Flags().IntVar(&f.top, "top", 50, "list this many findings, whatever the budget; 0 lists all")
	return cmd
}

// storeOrInput wants something to read: a store, or inputs.
func storeOrInput(f *inputFlags, name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if f.store != "" {
			return nil
		}
		return needsInput(name)(cmd, args)
	}
}

func (f reportFlags) run(ctx context.Context, out io.Writer, args []string) error {
	var doc *finding.Document
	var seen *coverage.Document
	err := f.with(ctx, args, func(h *pipeline.Hunt) (err error) {
		h.Top, h.MinScore, h.Series = f.top, math.Inf(-1), true
		doc, seen, err = h.Report(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if f.out == "-" {
		err = html.Write(out, doc, seen)
	} else {
		err = writeReport(f.out, doc, seen)
	}
	if err != nil {
		return &exitError{exitFailed, err}
	}
	return complete(doc.Summary.Inputs)
}

// tell runs a hunt that ask has set up, with progress.
func (f inputFlags) tell(ctx context.Context, args []string, ask func(*pipeline.Hunt)) (*finding.Document, error) {
	var doc *finding.Document
	err := f.with(ctx, args, func(h *pipeline.Hunt) (err error) {
		ask(h)
		doc, err = h.Run(ctx)
		return err
	})
	return doc, err
}

// with lets run make something of a hunt, with progress.
func (f inputFlags) with(ctx context.Context, args []string, run func(*pipeline.Hunt) error) error {
	bar := newBar(os.Stderr)
	h, err := f.hunt(args, bar)
	if err != nil {
		return err
	}
	err = run(&h)
	bar.done()
	return failed(ctx, err)
}

// writeReport writes the report to a file, for its owner's eyes: it holds user
// names and command lines.
func writeReport(name string, doc *finding.Document, seen *coverage.Document) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return errors.Join(html.Write(file, doc, seen), file.Close())
}
