package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

func storeInfoCommand() *cobra.Command {
	var f storeFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "info",
		Short:   "Say what a store holds, since when, and how large it is",
		Example: `  postern store info --store events.db`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(s store.Store) error {
				info, err := s.Info(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return writeInfoJSON(cmd.OutOrStdout(), &info)
				}
				return writeInfo(cmd.OutOrStdout(), &info)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write it as JSON")
	return cmd
}

// storeDocument is what info writes as JSON. Times are RFC 3339, null where there
// is none; bytes are null where the store does not know them.
type storeDocument struct {
	Engine string          `json:"engine"`
	Schema int             `json:"schema"`
	Bytes  int64           `json:"bytes"`
	Tables []tableDocument `json:"tables"`
}

type tableDocument struct {
	Name  string  `json:"name"`
	Rows  int64   `json:"rows"`
	Bytes *int64  `json:"bytes"`
	First *string `json:"first"`
	Last  *string `json:"last"`
}

func infoDocument(info *store.Info) *storeDocument {
	d := &storeDocument{Engine: info.Engine, Schema: info.Schema, Bytes: info.Bytes, Tables: []tableDocument{}}
	for _, t := range info.Tables {
		row := tableDocument{Name: t.Name, Rows: t.Rows, First: instant(t.First), Last: instant(t.Last)}
		if t.Bytes.Known() {
			bytes := int64(t.Bytes)
			row.Bytes = &bytes
		}
		d.Tables = append(d.Tables, row)
	}
	return d
}

func writeInfoJSON(out io.Writer, info *store.Info) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(infoDocument(info))
}

func instant(t event.Time) *string {
	if t == event.Never {
		return nil
	}
	s := t.Std().Format(time.RFC3339)
	return &s
}

// writeInfo writes what a store holds for people.
func writeInfo(out io.Writer, info *store.Info) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	// A tabwriter keeps its error until Flush.
	_, _ = fmt.Fprintf(w, "%s, schema %d, %.1f MB\n\n", info.Engine, info.Schema, megabytes(info.Bytes))
	_, _ = fmt.Fprintln(w, "table\trows\tMB\tfirst\tlast")
	for _, t := range info.Tables {
		size, first, last := "", "", ""
		if t.Bytes.Known() {
			size = fmt.Sprintf("%.1f", megabytes(int64(t.Bytes)))
		}
		if s := instant(t.First); s != nil {
			first = *s
		}
		if s := instant(t.Last); s != nil {
			last = *s
		}
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", t.Name, t.Rows, size, first, last)
	}
	return w.Flush()
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }
