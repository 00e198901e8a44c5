package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/pipeline"
	"github.com/postern/postern/internal/report"
)

// triageFlags are the flags of triage.
type triageFlags struct {
	inputFlags
	json, markdown bool
}

func triageCommand() *cobra.Command {
	var f triageFlags
	cmd := &cobra.Command{
		Use:   "triage ID [PATH...]",
		Short: "Show all there is to one finding",
		Long: `Triage shows the card of one finding: the process and its ancestors, the
destination and who else goes there, what left day by day, when sessions began,
the parts of the score, queries for other tools with the finding's values in
them, and what to check. ID is as hunt lists it.

It reads evidence as hunt does, or what a store holds already.

Exit codes: as hunt's; 1 also when there is no such finding.`,
		Example: `  postern triage AN1189-e9ceb5210f43 evidence/
  postern triage AN1189-e9ceb5210f43 --store events.db --markdown > ticket.md`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || !findingID.MatchString(args[0]) {
				return fmt.Errorf(`triage needs the ID of a finding, such as %s-e9ceb5210f43`, finding.Analytic)
			}
			return storeOrInput(&f.inputFlags, "triage")(cmd, args[1:])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), args[0], args[1:])
		},
	}
	flags := cmd.Flags()
	f.add(flags)
	flags.BoolVar(&f.json, "json", false, "write the finding and the summary as JSON")
	flags.BoolVar(&f.markdown, "markdown", false, "write Markdown, for a ticket")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	return cmd
}

var findingID = regexp.MustCompile(`(?i)^` + finding.Analytic + `-[0-9a-f]{12}$`)

func (f triageFlags) run(ctx context.Context, out io.Writer, id string, args []string) error {
	_, digest, _ := strings.Cut(id, "-")
	doc, err := f.tell(ctx, args, func(h *pipeline.Hunt) {
		h.Only, h.Series = finding.Analytic+"-"+strings.ToLower(digest), true
	})
	if err != nil {
		return err
	}
	if len(doc.Findings) == 0 {
		return &exitError{exitFailed, errors.New("there is no finding " + id + " in this evidence")}
	}
	switch {
	case f.json:
		err = report.JSON(out, doc)
	case f.markdown:
		err = report.Markdown(out, &doc.Findings[0])
	default:
		err = report.Triage(out, &doc.Findings[0], layout(out))
	}
	if err != nil {
		return &exitError{exitFailed, err}
	}
	return complete(doc.Summary.Inputs)
}
