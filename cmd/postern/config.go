package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/config"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show or check the configuration",
		Long: `The knobs of postern stand in one YAML file that --config names. Without it, and
for what it leaves out, the defaults hold. docs/config.md describes it.`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(configShowCommand(), configCheckCommand())
	return cmd
}

func configShowCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Write the configuration that holds, with what each knob does",
		Example: `  postern config show > postern.yaml
  postern config show --config postern.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(file)
			if err != nil {
				return err
			}
			if err := c.WriteYAML(cmd.OutOrStdout()); err != nil {
				return &exitError{exitFailed, err}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "read the knobs from this file; the defaults hold without it")
	return cmd
}

func configCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say whether a configuration is right, and which expectations expired",
		Long: `Check reads a configuration as hunt would, with the inventory that it names.

Exit codes: 0 it is right; 2 it is not.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(args[0])
			if err != nil {
				return err
			}
			if _, err := loadInventory(beside(args[0], c.Inventory)); err != nil {
				return err
			}
			return writeChecked(cmd.OutOrStdout(), args[0], &c, time.Now())
		},
	}
}

// writeChecked says of a valid configuration what no longer counts in it.
func writeChecked(out io.Writer, name string, c *config.Config, now time.Time) error {
	for _, e := range c.Expired(now) {
		if _, err := fmt.Fprintf(out, "expired on %s: %s, owned by %q\n", e.Expires.Format(time.DateOnly), e.Program, e.Owner); err != nil {
			return &exitError{exitFailed, err}
		}
	}
	_, err := fmt.Fprintf(out, "%s is a valid configuration.\n", name)
	if err != nil {
		return &exitError{exitFailed, err}
	}
	return nil
}

// loadConfig reads a configuration, the default when no file is named.
func loadConfig(name string) (config.Config, error) {
	if name == "" {
		return config.Default(), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return config.Config{}, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	return config.Load(f, name)
}

// beside returns the path of a file that another file names from its folder.
func beside(file, named string) string {
	if named == "" || filepath.IsAbs(named) {
		return named
	}
	return filepath.Join(filepath.Dir(file), named)
}
