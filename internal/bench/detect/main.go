// Command detect measures what the product's ranking finds in simulated fleets
// whose attacks are known, beside simple reference rules.
//
//	go run ./internal/bench/detect -hosts 200 -seeds 3
//	go run ./internal/bench/detect -mode daily -shifted
//	go run ./internal/bench/detect -fit -without lolbin-beacon
//
// The fleets are made up: the numbers rank methods, and are no forecast.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/postern/postern/internal/simulate/fleet"
)

// The modes.
const (
	modeHunt  = "hunt"  // one list for all days
	modeDaily = "daily" // a short one on each day, of what was not shown before
)

// trainingSeeds stand before those of the evaluation, so that no fleet that
// weights were fitted on is judged with them.
const trainingSeeds = 1000

// options are what to measure.
type options struct {
	hosts, days, seeds int
	seed               uint64
	deeds              int
	shifted, asJSON    bool
	mode, without      string
	features           string
	fit                bool
	l2                 float64
	quiet              bool
}

func main() {
	var o options
	flag.IntVar(&o.hosts, "hosts", 200, "hosts of a fleet")
	flag.IntVar(&o.days, "days", 14, "days of a fleet")
	flag.IntVar(&o.seeds, "seeds", 3, "how many fleets")
	flag.Uint64Var(&o.seed, "seed", 1, "of the first fleet")
	flag.IntVar(&o.deeds, "deeds", 0, "attacks of a fleet; 0 for as many as suit its size")
	flag.BoolVar(&o.shifted, "shifted", false, "fleets of a shifted world")
	flag.BoolVar(&o.asJSON, "json", false, "write JSON")
	flag.StringVar(&o.mode, "mode", modeHunt, "hunt: one list for all days; daily: a short one each day")
	flag.StringVar(&o.without, "without", "", "a kind of attack that no fit sees")
	flag.StringVar(&o.features, "features", "", "file for the parts of each cluster's score")
	flag.BoolVar(&o.fit, "fit", false, "fit weights of the parts to other fleets, and judge them too")
	flag.Float64Var(&o.l2, "l2", 1, "penalty of the weights' squares")
	flag.BoolVar(&o.quiet, "quiet", false, "say nothing under way")
	flag.Parse()
	if err := o.run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "detect:", err)
		os.Exit(1)
	}
}

func (o options) validate() error {
	if o.mode != modeHunt && o.mode != modeDaily {
		return fmt.Errorf("-mode: %q is neither %s nor %s", o.mode, modeHunt, modeDaily)
	}
	if o.without != "" && !slices.Contains(fleet.Kinds(), fleet.Kind(o.without)) {
		return fmt.Errorf("-without: %q is none of %v", o.without, fleet.Kinds())
	}
	if o.features != "" && o.mode != modeHunt {
		return errors.New("-features: only a hunt has them")
	}
	if o.seeds < 1 {
		return errors.New("-seeds: there must be a fleet")
	}
	return nil
}

func (o options) seedList() []uint64 {
	all := make([]uint64, o.seeds)
	for i := range all {
		all[i] = o.seed + uint64(i)
	}
	return all
}

func (o options) fleet(seed uint64) (*fleet.Fleet, error) {
	return fleet.New(fleet.Config{Seed: seed, Hosts: o.hosts, Days: o.days, Shifted: o.shifted, Deeds: o.deeds})
}

// progress says what was done, where it does not disturb.
func (o options) progress(format string, args ...any) {
	if !o.quiet {
		fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
	}
}

func (o options) run(ctx context.Context, w io.Writer) error {
	if err := o.validate(); err != nil {
		return err
	}
	rules := append([]ranker{product}, references...)
	if o.fit {
		m, deeds, err := o.train(ctx)
		if err != nil {
			return err
		}
		if !o.asJSON {
			if err := m.write(w, deeds); err != nil {
				return err
			}
		}
		rules = append(rules, m.ranker())
	}
	r := report{Mode: o.mode, Hosts: o.hosts, Days: o.days, Seeds: o.seedList(), Shifted: o.shifted}
	var err error
	if o.mode == modeDaily {
		r.Results, err = o.daily(ctx, rules)
	} else {
		r.Results, err = o.huntAndExport(ctx, rules)
	}
	if err != nil {
		return err
	}
	if o.asJSON {
		return r.writeJSON(w)
	}
	return r.write(w)
}

// huntAndExport is hunt, which also writes the features where they are asked
// for.
func (o options) huntAndExport(ctx context.Context, rules []ranker) ([]result, error) {
	if o.features == "" {
		return o.hunt(ctx, rules, nil)
	}
	var rows []row
	results, err := o.hunt(ctx, rules, func(seed uint64, s *scene, clusters []cluster) {
		rows = append(rows, s.rows(seed, clusters)...)
	})
	if err != nil {
		return nil, err
	}
	f, err := os.Create(o.features)
	if err != nil {
		return nil, fmt.Errorf("creating the table of features: %w", err)
	}
	return results, errors.Join(writeRows(f, rows), f.Close())
}

// train fits a model to fleets that are not judged, and returns how many
// attacks it saw. The training world is the usual one.
func (o options) train(ctx context.Context) (model, int, error) {
	t := o
	t.seed, t.shifted = o.seed+trainingSeeds, false
	var rows []row
	deeds := 0
	_, err := t.hunt(ctx, []ranker{plain}, func(seed uint64, s *scene, clusters []cluster) {
		for _, r := range sample(s.rows(seed, clusters)) {
			if o.without == "" || r.kind != o.without {
				rows = append(rows, r)
			}
		}
		for _, d := range s.truth.Deeds {
			if d.Sessions > 0 && string(d.Kind) != o.without {
				deeds++
			}
		}
	})
	return fit(rows, o.l2), deeds, err
}
