package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postern/postern/internal/config"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/pipeline"
)

// inputFlags are the flags of every command that reads evidence.
type inputFlags struct {
	internal, external []string
	config, inventory  string
	format, store      string
	memory             string
	workers            int
}

func (f *inputFlags) add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.internal, "internal", nil, "networks (CIDR) that are inside, beside the private ones")
	flags.StringSliceVar(&f.external, "external", nil, "networks (CIDR) that are outside, though private")
	flags.StringVar(&f.config, "config", "", "read the knobs from this file (see postern config show)")
	flags.StringVar(&f.inventory, "inventory", "", "read hosts, roles and networks from this file (see postern inventory)")
	flags.StringVar(&f.format, "format", "", "read every input as this format (see postern formats)")
	flags.StringVar(&f.store, "store", "", "keep the events in this file, or at this clickhouse:// address; reading them again counts nothing twice")
	flags.StringVar(&f.memory, "store-memory", "", "most memory that a store in a file may take, such as 400MB")
	flags.IntVar(&f.workers, "workers", 0, "inputs read and hosts joined at once; 0 takes all processors")
}

// hunt returns the hunt that the flags describe.
func (f inputFlags) hunt(args []string, p pipeline.Progress) (pipeline.Hunt, error) {
	c, err := loadConfig(f.config)
	if err != nil {
		return pipeline.Hunt{}, err
	}
	inv, err := loadInventory(cmp.Or(f.inventory, beside(f.config, c.Inventory)))
	if err != nil {
		return pipeline.Hunt{}, err
	}
	networks, err := f.networks(&c, inv)
	return pipeline.Hunt{
		Inputs: args, Format: f.format, Networks: networks, Inventory: inv, Config: c, Store: f.store, Memory: f.memory, Password: storePassword(),
		Workers: f.workers, Progress: p,
	}, err
}

// networks tells inside from outside: what a flag says holds, then the
// configuration, then the inventory.
func (f inputFlags) networks(c *config.Config, inv *inventory.Inventory) (inventory.Networks, error) {
	internal, err := inventory.ParsePrefixes(f.internal)
	if err != nil {
		return inventory.Networks{}, fmt.Errorf("--internal: %w", err)
	}
	external, err := inventory.ParsePrefixes(f.external)
	if err != nil {
		return inventory.Networks{}, fmt.Errorf("--external: %w", err)
	}
	lists := inventory.Lists{Internal: internal, External: external}.Over(c.Lists())
	if inv != nil {
		lists = lists.Over(inv.Lists)
	}
	return lists.Networks()
}

// needsInput refuses a command line without anything to read.
func needsInput(command string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s needs a file, a folder or - to read (see postern %s --help)", command, command)
		}
		return nil
	}
}
