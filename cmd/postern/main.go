// Command postern watches who leaves a Windows estate by the back gate: it
// joins what endpoints and the network saw of outbound TLS connections and
// ranks those that uncommon processes made.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes. Finding something is not an error.
const (
	exitOK         = 0 // everything was read
	exitFailed     = 1 // could not run
	exitUsage      = 2 // the command line is wrong
	exitIncomplete = 3 // ran, but some input could not be read
)

// An exitError ends the program with a code and, unless it is nil, a message.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func main() { os.Exit(run(os.Args[1:])) }

// run runs the command line and returns the exit code.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	roomyHeap(ctx)
	root := rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		if exit.err != nil {
			fmt.Fprintln(os.Stderr, "postern:", exit.err)
		}
		return exit.code
	}
	fmt.Fprintln(os.Stderr, "postern:", err)
	return exitUsage
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "postern",
		Short: "Watch who leaves a Windows estate by the back gate",
		Long: `Postern says of every outbound TLS connection which process opened it, where it
went, how much left and whether it persisted, and ranks those that uncommon
processes should not have made (MITRE ATT&CK analytic AN1189).

Exit codes: 0 everything was read; 1 could not run; 2 wrong usage; 3 ran, but
some input could not be read. Finding something is not an error.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(huntCommand(), triageCommand(), reportCommand(), ledgerCommand(), coverageCommand(), baselineCommand(), inventoryCommand(), storeCommand(), configCommand(), formatsCommand())
	return root
}

// version returns the module's version as the build recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
