package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/pipeline"
)

func formatsTryCommand() *cobra.Command {
	var file, format string
	var first int
	cmd := &cobra.Command{
		Use:   "try FILE",
		Short: "Say which format a file is, and show what is read of it",
		Long: `Try reads a file, a folder or standard input ("-") as hunt would, and shows for
each input the format that was found, its first events as they are understood,
and how many records gave events, were of no use, or could not be read, and why.
It is how a map of columns (formats in docs/config.md) is tried.

Exit codes: 0 everything was read; 2 wrong usage; 3 some of it could not be read.`,
		Example: `  postern formats try proxy.csv --config postern.yaml
  postern formats try --first 20 access.log.gz`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			formats, force, err := chosen(file, format)
			if err != nil {
				return err
			}
			bad := false
			err = pipeline.Try(cmd.Context(), formats, force, args[0], first, func(t *pipeline.Trial) error {
				bad = bad || t.Err != nil || t.Tally.SkippedTotal() > 0
				return writeTrial(cmd.OutOrStdout(), t)
			})
			if err != nil {
				return &exitError{exitIncomplete, err}
			}
			if bad {
				return &exitError{code: exitIncomplete}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "read the maps of columns from this file")
	cmd.Flags().StringVar(&format, "format", "", "read as this format, whatever is found")
	cmd.Flags().IntVar(&first, "first", 5, "how many events of each input are shown")
	return cmd
}

// chosen returns the formats of a configuration, and the one of that name, nil
// where there is no name.
func chosen(file, name string) (formats []*decode.Format, force *decode.Format, err error) {
	c, err := loadConfig(file)
	if err != nil {
		return nil, nil, err
	}
	formats = pipeline.FormatsOf(&c)
	if err := decode.Validate(formats); err != nil || name == "" {
		return formats, nil, err
	}
	force, err = decode.ByName(formats, name)
	return formats, force, err
}

// writeTrial writes what came of one input. Text of the log is quoted.
func writeTrial(out io.Writer, t *pipeline.Trial) error {
	w := &trialWriter{out: out}
	w.line("%q", t.Input)
	if t.Format != "" {
		w.line("  format   %s", t.Format)
	}
	if t.Err != nil {
		w.line("  error    %q", t.Err.Error())
	}
	if t.Format == "" {
		return w.err
	}
	w.line("  records  %d", t.Tally.Records)
	for _, k := range t.Kinds {
		if k.Count > 0 {
			w.line("  events   %d %s", k.Count, k.Name)
		}
	}
	for _, warning := range t.Tally.Warnings {
		w.line("  warning  %q", warning)
	}
	w.reasons("ignored", t.Tally.Ignored)
	w.reasons("skipped", t.Tally.Skipped)
	for _, p := range t.Tally.Positions {
		w.line("           %s: %q", p.Where, p.Reason)
	}
	for _, e := range t.First {
		w.line("  %s", e)
	}
	return w.err
}

// A trialWriter keeps the first error.
type trialWriter struct {
	out io.Writer
	err error
}

func (w *trialWriter) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format+"\n", args...)
	}
}

// reasons writes counts by reason.
func (w *trialWriter) reasons(what string, counts map[string]int64) {
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		w.line("  %-8s %d %q", what, counts[reason], reason)
	}
}
