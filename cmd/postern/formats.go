package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/pipeline"
)

func formatsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "formats [NAME]",
		Short: "List the formats that hunt reads, or describe one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if len(args) == 1 {
				f, err := decode.ByName(pipeline.Formats(), args[0])
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "%s (%s)\n\n%s\n", f.Name, strings.Join(f.Extensions, ", "), f.Doc)
				return nil
			}
			for _, f := range pipeline.Formats() {
				title, _, _ := strings.Cut(f.Doc, "\n")
				fmt.Fprintf(out, "%-18s %s\n", f.Name, title)
			}
			fmt.Fprintln(out, "\nAny of them may be plain, gz or zst, or a member of a zip or tar. Content decides, not the name.")
			return nil
		},
	}
}
