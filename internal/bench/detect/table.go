package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/postern/postern/internal/simulate/fleet"
)

// A report is what one run of the bench found.
type report struct {
	Mode    string   `json:"mode"`
	Hosts   int      `json:"hosts"`
	Days    int      `json:"days"`
	Seeds   []uint64 `json:"seeds"`
	Shifted bool     `json:"shifted"`
	Results []result `json:"results"`
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// columns returns the names of what the report has numbers at.
func (r *report) columns() []string {
	var names []string
	if r.Mode == modeDaily {
		for _, b := range budgets {
			names = append(names, perDay(b))
		}
		return names
	}
	for _, c := range cuts {
		names = append(names, c.name)
	}
	return names
}

// write writes the report for people: all rules, then the first by kind.
func (r *report) write(out io.Writer) error {
	world := "the usual world"
	if r.Shifted {
		world = "a shifted world"
	}
	fmt.Fprintf(out, "%s, %d hosts, %d days, %d fleets of %s\n\n", r.Mode, r.Hosts, r.Days, len(r.Seeds), world)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	columns := r.columns()
	fmt.Fprintf(w, "recall at\t%s\tprecision at\t%s", strings.Join(columns, "\t"), strings.Join(columns, "\t"))
	if r.Mode == modeDaily {
		fmt.Fprintf(w, "\tdelay at\t%s", strings.Join(columns, "\t"))
	}
	fmt.Fprintln(w)
	for i := range r.Results {
		res := &r.Results[i]
		fmt.Fprintf(w, "%s\t%s\t\t%s", res.Rule, numbers(res.Recall, columns), numbers(res.Precision, columns))
		if r.Mode == modeDaily {
			fmt.Fprintf(w, "\t\t%s", numbers(res.Delay, columns))
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i := range r.Results {
		if res := &r.Results[i]; i == 0 || res.Rule == fittedName {
			if err := r.kinds(out, res, columns); err != nil {
				return err
			}
		}
	}
	return nil
}

// kinds writes how a rule did on each kind, and what else fills its list.
func (r *report) kinds(out io.Writer, res *result, columns []string) error {
	fmt.Fprintf(out, "\n%s, recall by kind\n", res.Rule)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "kind\tdeeds\t%s\tmedian rank\n", strings.Join(columns, "\t"))
	for _, k := range res.Kinds {
		rank := "-"
		if k.Median > 0 {
			rank = fmt.Sprint(k.Median)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", k.Kind, k.Deeds, numbers(k.Recall, columns), rank)
	}
	fmt.Fprintf(w, "all\t%d\t%s\t\n", res.Deeds, numbers(res.Recall, columns))
	if err := w.Flush(); err != nil {
		return err
	}
	what := fmt.Sprintf("harmless among the first %d", fillAt)
	if r.Mode == modeDaily {
		what = fmt.Sprintf("harmless clusters shown at %s", perDay(filled))
	}
	_, err := fmt.Fprintf(out, "\n%s, a fleet: %s\n", what, fill(res.Fill))
	return err
}

func numbers(m map[string]float64, columns []string) string {
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = fmt.Sprintf("%.2f", m[c])
	}
	return strings.Join(cells, "\t")
}

// fill writes how many places each origin has, the most first.
func fill(n map[fleet.Origin]float64) string {
	var origins []fleet.Origin
	for o := range n {
		origins = append(origins, o)
	}
	slices.SortFunc(origins, func(a, b fleet.Origin) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	var texts []string
	for _, o := range origins {
		texts = append(texts, fmt.Sprintf("%s %.1f", o, n[o]))
	}
	return strings.Join(texts, ", ")
}

// write writes the weights for people.
func (m *model) write(out io.Writer, deeds int) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "part\tweight, fitted on %d attacks\n", deeds)
	for j, name := range m.names {
		fmt.Fprintf(w, "%s\t%.2f\n", name, m.weights[j])
	}
	fmt.Fprintf(w, "bias\t%.2f\n\n", m.bias)
	return w.Flush()
}
