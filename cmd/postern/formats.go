package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/pipeline"
)

func formatsCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "formats [NAME]",
		Short: "List the formats that hunt reads, or describe one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			c, err := loadConfig(file)
			if err != nil {
				return err
			}
			formats := pipeline.FormatsOf(&c)
			if len(args) == 1 {
				f, err := decode.ByName(formats, args[0])
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "%s (%s)\n\n%s\n", f.Name, strings.Join(f.Extensions, ", "), f.Doc)
				return nil
			}
			for _, f := range formats {
				title, _, _ := strings.Cut(f.Doc, "\n")
				fmt.Fprintf(out, "%-18s %s\n", f.Name, title)
			}
			fmt.Fprintln(out, "\nAny of them may be plain, gz or zst, or a member of a zip or tar. Content decides, not the name;\nwhat content cannot tell apart must be asked for with --format, and its manual says so.")
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "list the formats of this configuration too")
	cmd.AddCommand(formatsTryCommand())
	return cmd
}
