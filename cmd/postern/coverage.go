package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/coverage/sysmon"
	"github.com/postern/postern/internal/pipeline"
	"github.com/postern/postern/internal/report"
)

// coverageFlags are the flags of coverage.
type coverageFlags struct {
	inputFlags
	json   bool
	sysmon string
}

func coverageCommand() *cobra.Command {
	var f coverageFlags
	cmd := &cobra.Command{
		Use:   "coverage [PATH...]",
		Short: "Say what could not be seen, and what to do about it",
		Long: `Coverage reads and joins evidence as hunt does, or takes what a store holds
already, and says of how many of the outbound TLS sessions it is known who made
them, where they went, how much they sent and whether they persisted: by site,
role and host. It ranks what is not known by the bytes at risk, each with the
fix; it checks the endpoints' telemetry for gaps, and how far back each source
reaches.

With --sysmon-config it audits a configuration of Sysmon: which programs, ports
and web services it leaves out, the lines to change, and how many events each
change would add by the evidence. Without evidence it audits the file alone.
Without the file, what it leaves out is inferred from the mix of events.

docs/format/coverage.md explains the words.

Exit codes: as hunt's.`,
		Example: `  postern coverage evidence/
  postern coverage --sysmon-config sysmonconfig.xml evidence/
  postern coverage --store events.db --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && f.store == "" && f.sysmon == "" {
				return errors.New("coverage needs a file, a folder or - to read, or --store, or --sysmon-config (see postern coverage --help)")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&f.json, "json", false, "write the coverage as JSON")
	cmd.Flags().StringVar(&f.sysmon, "sysmon-config", "", "audit this configuration of Sysmon (XML)")
	return cmd
}

func (f *coverageFlags) run(ctx context.Context, out io.Writer, args []string) error {
	config, err := loadSysmon(f.sysmon)
	if err != nil {
		return &exitError{exitFailed, err}
	}
	if len(args) == 0 && f.store == "" {
		return f.audit(out, config)
	}
	bar := newBar(os.Stderr)
	h, err := f.hunt(args, bar)
	if err != nil {
		return err
	}
	if _, err := os.Stat(f.store); len(args) == 0 && err != nil {
		return &exitError{exitFailed, fmt.Errorf("opening the store: %w", err)}
	}
	d, err := h.Coverage(ctx, config)
	bar.done()
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		return &exitError{exitFailed, err}
	}
	if f.json {
		err = report.JSON(out, d)
	} else {
		err = report.CoverageText(out, d, layout(out))
	}
	if err != nil {
		return &exitError{exitFailed, err}
	}
	return complete(d.Inputs)
}

// audit writes what a configuration hides, without any evidence.
func (f *coverageFlags) audit(out io.Writer, config *sysmon.Config) error {
	r, err := pipeline.Audit(config)
	if err == nil && f.json {
		err = report.JSON(out, r)
	} else if err == nil {
		err = report.SysmonText(out, r, layout(out))
	}
	if err != nil {
		return &exitError{exitFailed, err}
	}
	return nil
}

// loadSysmon reads a configuration of Sysmon; "" is none.
func loadSysmon(path string) (*sysmon.Config, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the Sysmon configuration: %w", err)
	}
	defer file.Close()
	c, err := sysmon.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
