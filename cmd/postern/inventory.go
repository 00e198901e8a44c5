package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/pipeline"
)

func inventoryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inventory",
		Short: "Draft or check the list of hosts, their roles and addresses",
		Long: `An inventory says what telemetry does not: what each host is for, which names and
addresses are its own, and which networks are inside. It is a CSV or YAML file
that --inventory names. docs/inventory.md describes it.`,
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(inventoryDraftCommand(), inventoryCheckCommand())
	return cmd
}

func inventoryDraftCommand() *cobra.Command {
	var f inputFlags
	cmd := &cobra.Command{
		Use:   "draft [PATH...]",
		Short: "Write an inventory of what telemetry shows, to be corrected by a person",
		Long: `Draft reads evidence as hunt does, or what a store holds already, and writes a
YAML inventory of the hosts in it: the role that each seems to have and why, its
addresses with their first and last use, and the network sensors. A role that
the evidence does not show stays unknown. What the file of --inventory says
stays as it is.

Exit codes: as hunt's.`,
		Example: `  postern inventory draft evidence/ > estate.yaml
  postern inventory draft --store events.db > estate.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.store != "" {
				return nil
			}
			return needsInput("inventory draft")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.draft(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	f.add(cmd.Flags())
	return cmd
}

func (f inputFlags) draft(ctx context.Context, out io.Writer, args []string) error {
	bar := newBar(os.Stderr)
	h, err := f.hunt(args, bar)
	if err != nil {
		return err
	}
	inv, inputs, err := h.Draft(ctx)
	bar.done()
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		return &exitError{exitFailed, err}
	}
	if err := inv.WriteYAML(out); err != nil {
		return &exitError{exitFailed, err}
	}
	if pipeline.Incomplete(inputs) {
		return &exitError{exitIncomplete, errors.New("some input could not be read: see the top of the draft")}
	}
	return nil
}

func inventoryCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say whether an inventory is right, and what is in it",
		Long: `Check reads an inventory as hunt would.

Exit codes: 0 it is right; 2 it is not.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, err := loadInventory(args[0])
			if err != nil {
				return err
			}
			roles := 0
			for i := range inv.Hosts {
				if inv.Hosts[i].Role != "" {
					roles++
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is a valid inventory: %d hosts, %d with a role, %d fixed addresses.\n",
				args[0], len(inv.Hosts), roles, len(inv.Leases()))
			return nil
		},
	}
}

// loadInventory reads an inventory, nil when no file is named.
func loadInventory(name string) (*inventory.Inventory, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("inventory: %w", err)
	}
	defer f.Close()
	return inventory.Load(f, name)
}
