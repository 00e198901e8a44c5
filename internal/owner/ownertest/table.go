package ownertest

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/postern/postern/internal/event"
)

// A Table is how a join did on one estate.
type Table struct {
	Scenario string

	// Flows are the outbound TLS connections that the wire or a proxy
	// shows, Joinable those of which a connect with the right process is
	// left, and Joined those of these that got their right owner.
	Flows, Joinable, Joined int64

	// Unseen are flows of which the join made no session, Invented sessions
	// without a TLS connection of their own, and Split connects of which it
	// made a session although the connection's flow stands there.
	Unseen, Invented, Split int64

	Rows []Row // by rung

	// ClockErrors are how far each clock's estimate was from the truth, and
	// ClocksUnknown the clocks without one.
	ClockErrors   []time.Duration
	ClocksUnknown int64
}

// A Row is how one rung did.
type Row struct {
	Rung  event.Rung
	Flows int64

	// Named are the flows for which the rung names a process: the right
	// one, a wrong one, or the one that the only witness named falsely.
	Named, Right, Wrong, Misled int64

	// Siblings are those of the wrong ones that are other instances of the
	// right program on the right host.
	Siblings int64

	// Examples show the first wrong owners with their evidence.
	Examples []string
}

// Precision returns the share of right owners among the named, those of false
// witness apart, and the bounds of Wilson's 95 % interval. Without any it is
// not a number, between 0 and 1.
func (r Row) Precision() (p, lo, hi float64) { return wilson(r.Right, r.Right+r.Wrong) }

// wilson returns k/n and its score interval (Wilson 1927).
func wilson(k, n int64) (p, lo, hi float64) {
	if n == 0 {
		return math.NaN(), 0, 1
	}
	const z = 1.959964 // the normal distribution's 97.5 % point
	N := float64(n)
	p = float64(k) / N
	mid := (p + z*z/(2*N)) / (1 + z*z/N)
	half := z / (1 + z*z/N) * math.Sqrt(p*(1-p)/N+z*z/(4*N*N))
	return p, max(0, mid-half), min(1, mid+half)
}

// Recall returns the share of the joinable flows that got their right owner.
func (t *Table) Recall() float64 {
	if t.Joinable == 0 {
		return math.NaN()
	}
	return float64(t.Joined) / float64(t.Joinable)
}

// Of returns the row of a rung.
func (t *Table) Of(r event.Rung) Row {
	for _, row := range t.Rows {
		if row.Rung == r {
			return row
		}
	}
	return Row{Rung: r}
}

func (t *Table) row(r event.Rung) *Row {
	i, ok := slices.BinarySearchFunc(t.Rows, r, func(row Row, r event.Rung) int { return int(row.Rung) - int(r) })
	if !ok {
		t.Rows = slices.Insert(t.Rows, i, Row{Rung: r})
	}
	return &t.Rows[i]
}

// Add adds the counts of o to t.
func (t *Table) Add(o Table) {
	t.Flows += o.Flows
	t.Joinable += o.Joinable
	t.Joined += o.Joined
	t.Unseen += o.Unseen
	t.Invented += o.Invented
	t.Split += o.Split
	for _, from := range o.Rows {
		to := t.row(from.Rung)
		to.Flows += from.Flows
		to.Named += from.Named
		to.Right += from.Right
		to.Wrong += from.Wrong
		to.Siblings += from.Siblings
		to.Misled += from.Misled
		room := min(maxExamples-len(to.Examples), len(from.Examples))
		to.Examples = append(to.Examples, from.Examples[:room]...)
	}
	t.ClockErrors = append(t.ClockErrors, o.ClockErrors...)
	t.ClocksUnknown += o.ClocksUnknown
}

// clockError returns the median and the greatest error.
func (t *Table) clockError() (mid, most time.Duration) {
	if len(t.ClockErrors) == 0 {
		return 0, 0
	}
	all := slices.Sorted(slices.Values(t.ClockErrors))
	return all[(len(all)-1)/2], all[len(all)-1]
}

// Write writes the tables as aligned text, and that many examples of wrong
// owners of each rung.
func Write(w io.Writer, tables []Table, examples int) error {
	if err := writeRungs(w, tables); err != nil {
		return err
	}
	if err := writeScenarios(w, tables); err != nil {
		return err
	}
	for i := range tables {
		for _, r := range tables[i].Rows {
			for _, e := range r.Examples[:min(examples, len(r.Examples))] {
				if _, err := fmt.Fprintf(w, "\n%s: %s\n", tables[i].Scenario, e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func writeRungs(w io.Writer, tables []Table) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "hidden\trung\tflows\tshare\tnamed\tright\twrong\tsibling\tmisled\tprecision\t95 % from\tto\t")
	for i := range tables {
		t := &tables[i]
		for _, r := range t.Rows {
			p, lo, hi := r.Precision()
			fmt.Fprintf(tw, "%s\t%v\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t\n", t.Scenario, r.Rung, r.Flows, t.share(r),
				r.Named, r.Right, r.Wrong, r.Siblings, r.Misled, number(p), number(lo), number(hi))
		}
	}
	return tw.Flush()
}

func writeScenarios(w io.Writer, tables []Table) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "\nhidden\tflows\tjoinable\tjoined\trecall\tno session\tinvented\tsplit\tclock error, median\tmost\tclocks unknown\t")
	for i := range tables {
		t := &tables[i]
		mid, most := t.clockError()
		fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%s\t%d\t%d\t%d\t%v\t%v\t%d\t\n", t.Scenario, t.Flows, t.Joinable, t.Joined, number(t.Recall()),
			t.Unseen, t.Invented, t.Split, mid.Round(time.Millisecond), most.Round(time.Millisecond), t.ClocksUnknown)
	}
	return tw.Flush()
}

// share returns which part of the flows is on the rung. Connects without a
// flow are no part of the flows.
func (t *Table) share(r Row) string {
	if r.Rung == event.RungEndpoint || t.Flows == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100*float64(r.Flows)/float64(t.Flows))
}

func number(f float64) string {
	if math.IsNaN(f) {
		return "-"
	}
	return fmt.Sprintf("%.4f", f)
}

// MarshalJSON writes the counts and what is worked out from them; what is not
// a number is null.
func (t Table) MarshalJSON() ([]byte, error) {
	type row struct {
		Rung      string   `json:"rung"`
		Flows     int64    `json:"flows"`
		Named     int64    `json:"named"`
		Right     int64    `json:"right"`
		Wrong     int64    `json:"wrong"`
		Siblings  int64    `json:"siblings"`
		Misled    int64    `json:"misled"`
		Precision *float64 `json:"precision"`
		From      float64  `json:"precision_from"`
		To        float64  `json:"precision_to"`
		Examples  []string `json:"wrong_examples,omitempty"`
	}
	mid, most := t.clockError()
	rows := []row{}
	for _, r := range t.Rows {
		p, lo, hi := r.Precision()
		rows = append(rows, row{r.Rung.String(), r.Flows, r.Named, r.Right, r.Wrong, r.Siblings, r.Misled, known(p), lo, hi, r.Examples})
	}
	return json.Marshal(struct {
		Scenario      string   `json:"hidden"`
		Flows         int64    `json:"flows"`
		Joinable      int64    `json:"joinable"`
		Joined        int64    `json:"joined"`
		Recall        *float64 `json:"recall"`
		Unseen        int64    `json:"no_session"`
		Invented      int64    `json:"invented"`
		Split         int64    `json:"split"`
		ClockMedian   float64  `json:"clock_error_median_seconds"`
		ClockMost     float64  `json:"clock_error_most_seconds"`
		ClocksUnknown int64    `json:"clocks_unknown"`
		Rungs         []row    `json:"rungs"`
	}{
		t.Scenario, t.Flows, t.Joinable, t.Joined, known(t.Recall()), t.Unseen, t.Invented, t.Split,
		mid.Seconds(), most.Seconds(), t.ClocksUnknown, rows,
	})
}

func known(f float64) *float64 {
	if math.IsNaN(f) {
		return nil
	}
	return &f
}
