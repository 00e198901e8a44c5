package main

import (
	"context"
	"io"
	"math"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/postern/postern/internal/coverage"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/pipeline"
	"github.com/postern/postern/internal/report"
)

// huntFlags are the flags of hunt.
type huntFlags struct {
	inputFlags
	json, csv bool
	series    bool
	report    string
	budgeted  bool // there is no --top
	top       int
	minScore  float64
}

func huntCommand() *cobra.Command {
	var f huntFlags
	cmd := &cobra.Command{
		Use:   "hunt PATH...",
		Short: "Rank the outbound TLS sessions in a folder of evidence",
		Long: `Hunt reads endpoint telemetry and network logs from files, folders, globs or
standard input ("-"), finds the process that opened each outbound TLS
connection, and lists those that uncommon processes made, the least expected
first, with the reasons.

The list is what the budget of the configuration allows for each day of evidence
(see docs/config.md). With --store it leaves out what was told before and has
not become stronger. What somebody expects, what was there from the first day
and what is new on many hosts is listed beside it. --top says instead how many
findings are listed, whatever was told before.

The list goes to standard output, progress to standard error when that is a
terminal. "postern formats" says what is read.

Exit codes: 0 everything was read; 1 could not run; 2 wrong usage; 3 ran, but
some input could not be read. Finding something is not an error.`,
		Example: `  postern hunt evidence/
  postern hunt --report report.html evidence/
  postern hunt --external 10.0.5.0/24 host.json zeek-logs.zip
  zcat conn.log.gz | postern hunt --json - > findings.json`,
		Args: needsInput("hunt"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.budgeted = !cmd.Flags().Changed("top")
			return f.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	flags := cmd.Flags()
	f.add(flags)
	flags.BoolVar(&f.json, "json", false, "write the findings and the summary as JSON")
	flags.BoolVar(&f.csv, "csv", false, "write the findings as CSV")
	flags.BoolVar(&f.series, "series", false, "with --json: each finding's sessions over time, and who else goes there")
	flags.StringVar(&f.report, "report", "", "also write an HTML report to this file")
	flags.IntVar(&f.top, "top", 0, "list this many findings, whatever the budget; 0 lists all")
	flags.Lookup("top").DefValue = "the budget"
	flags.Float64Var(&f.minScore, "min-score", math.Inf(-1), "list only findings with this score or more")
	flags.Lookup("min-score").DefValue = "none"
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	return cmd
}

func (f huntFlags) run(ctx context.Context, out io.Writer, args []string) error {
	var doc *finding.Document
	var seen *coverage.Document
	err := f.with(ctx, args, func(h *pipeline.Hunt) (err error) {
		h.Budgeted, h.Top, h.MinScore = f.budgeted, f.top, f.minScore
		h.Series = f.series || f.report != ""
		if f.report == "" {
			doc, err = h.Run(ctx)
		} else {
			doc, seen, err = h.Report(ctx)
		}
		return err
	})
	if err != nil {
		return err
	}
	if f.report != "" {
		if err := writeReport(f.report, doc, seen); err != nil {
			return &exitError{exitFailed, err}
		}
	}
	if err := f.write(out, doc); err != nil {
		return &exitError{exitFailed, err}
	}
	return complete(doc.Summary.Inputs)
}

func (f huntFlags) write(out io.Writer, doc *finding.Document) error {
	switch {
	case f.json:
		return report.JSON(out, doc)
	case f.csv:
		return report.CSV(out, doc)
	}
	return report.Text(out, doc, layout(out))
}

// layout fits the text to the terminal that out is, if it is one.
func layout(out io.Writer) report.Options {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return report.Options{}
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		width = 0
	}
	_, plain := os.LookupEnv("NO_COLOR")
	return report.Options{Width: width, Color: !plain}
}
