// Package pipeline wires the stages of a run: read, join, measure, score,
// tell. It is the only place that knows the concrete formats and stores.
package pipeline

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"runtime/debug"

	"github.com/postern/postern/internal/baseline"
	"github.com/postern/postern/internal/config"
	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/detect"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/owner"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/score"
	"github.com/postern/postern/internal/store"
)

// A Hunt is one run over a set of inputs. The zero value of every field but
// Inputs is usable.
type Hunt struct {
	// Inputs are files, folders, globs, or "-" for standard input.
	Inputs []string

	// Format forces one format for all inputs; "" finds each by content.
	Format string

	// Networks tells internal addresses from the outside.
	Networks inventory.Networks

	// Inventory is what the operator says of the estate; nil is nothing.
	Inventory *inventory.Inventory

	// Config holds the knobs; the zero Config is the default one.
	Config config.Config

	// Store is the file that keeps the events, or the address of a server
	// (see [OpenStore]); "" uses a temporary file.
	Store string

	// Password is that of a store on a server.
	Password string

	// Budgeted tells what Config.Budget allows and, with a Store, what was
	// not told lately. Otherwise Top says how many findings are listed.
	Budgeted bool

	// Top bounds the number of findings; 0 lists all.
	Top int

	// MinScore is the least score that is listed.
	MinScore float64

	// Only, unless it is "", tells nothing but the finding with that ID,
	// whatever its rank, its score, and what is expected.
	Only string

	// Series gives each finding its series and what the rest of the estate
	// has to do with it, as a report shows them.
	Series bool

	// Workers is how many inputs are read, and groups joined, at once; 0
	// takes as many as there are processors. It never changes the result.
	Workers int

	// Memory bounds what the store may use, as DuckDB writes it ("400MB");
	// "" takes the store's default.
	Memory string

	Progress Progress

	// rows is about how many events are joined at once; 0 takes groupRows.
	rows int64
}

// ErrNoInput says that there was nothing to read.
var ErrNoInput = errors.New("no input")

// Run reads the inputs and returns the document. Inputs that could not be read
// are no error: the document's summary names them, and Incomplete tells.
func (h Hunt) Run(ctx context.Context) (*finding.Document, error) {
	r, err := h.newRun(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := r.run(ctx)
	return doc, errors.Join(err, r.store.Close())
}

// Incomplete reports whether anything of the inputs could not be read.
func Incomplete(inputs []finding.Input) bool {
	for _, in := range inputs {
		if in.Skipped > 0 || in.Status == statusDamaged || in.Status == statusFailed {
			return true
		}
	}
	return false
}

// A run is a Hunt under way.
type run struct {
	Hunt
	formats   []*decode.Format
	force     *decode.Format
	store     store.Store
	classes   *program.Classes
	catalogue *destination.Catalogue
	sites     sites
	roster    *roster // once the events are read
	watch     *watch  // nil unless somebody asks for the coverage
}

func (h Hunt) newRun(ctx context.Context) (*run, error) {
	r := &run{Hunt: h}
	if r.Workers <= 0 {
		r.Workers = runtime.GOMAXPROCS(0)
	}
	r.rows = cmp.Or(r.rows, groupRows)
	if r.Progress == nil {
		r.Progress = Silent{}
	}
	if r.Config.Budget.PerDay == 0 { // no valid one has that
		r.Config = config.Default()
	}
	r.formats = FormatsOf(&r.Config)
	r.sites = r.newSites()
	if len(h.Inputs) == 0 && h.Store == "" {
		return nil, ErrNoInput
	}
	err := decode.Validate(r.formats)
	if err != nil {
		return nil, err
	}
	if h.Format != "" {
		if r.force, err = decode.ByName(r.formats, h.Format); err != nil {
			return nil, err
		}
	}
	if r.classes, err = program.Shipped(); err != nil {
		return nil, err
	}
	if r.catalogue, err = destination.Shipped(); err != nil {
		return nil, err
	}
	if r.store, err = OpenStore(ctx, h.Store, StoreConfig{h.Memory, h.Password}); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *run) run(ctx context.Context) (*finding.Document, error) {
	inputs, joined, err := r.readAndJoin(ctx)
	if err != nil {
		return nil, err
	}
	return r.document(ctx, inputs, joined)
}

// document ranks what the join gave, and tells of it.
func (r *run) document(ctx context.Context, inputs []finding.Input, joined *joined) (*finding.Document, error) {
	release()
	r.Progress.Stage("scoring", 0)
	clusters, fleet, scorer, err := r.score(ctx, joined)
	if err != nil {
		return nil, err
	}
	listed, err := r.list(ctx, joined.edges, clusters)
	if err != nil {
		return nil, err
	}
	findings, err := r.tell(ctx, listed, scorer, joined.clocks)
	if err != nil {
		return nil, err
	}
	if r.Series {
		if err := r.surround(ctx, findings, listed.told, joined.edges); err != nil {
			return nil, err
		}
	}
	doc := &finding.Document{
		Format: finding.Format, Analytic: finding.Analytic, Findings: findings,
		Summary: summarise(inputs, joined, fleet),
	}
	listed.fill(doc)
	if err := r.keep(ctx, listed); err != nil {
		return nil, err
	}
	return doc, nil
}

// release gives back the memory that a stage no longer needs. The store's is not
// Go's: without this, what one stage leaves and the other then takes add up.
func release() { debug.FreeOSMemory() }

func (r *run) readAndJoin(ctx context.Context) ([]finding.Input, *joined, error) {
	r.Progress.Stage("reading", 0)
	inputs, err := r.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	release()
	r.Progress.Stage("joining", 0)
	joined, err := r.join(ctx)
	return inputs, joined, err
}

// score scores the edges against the fleet and ranks the clusters.
func (r *run) score(ctx context.Context, j *joined) ([]finding.Cluster, *baseline.Fleet, *score.Scorer, error) {
	if err := r.store.Rollup(ctx); err != nil {
		return nil, nil, nil, err
	}
	fleet := baseline.Learn(j.edges, r.classes, r.attributes)
	s := score.New(fleet, r.catalogue, r.scoring())
	bundles := fleet.Bundle(r.measuring(), r.answered(j.edges))
	return finding.Rank(s, j.edges, bundles), fleet, s, nil
}

// joined is what the join of all groups gave.
type joined struct {
	owner.Ledger
	edges  []detect.Edge
	clocks []owner.Clock

	notices []event.Notice // the first
	noticed int64

	leases []store.Lease
	hosts  []string

	loose       owner.Loose // until the translations are found
	translators []finding.Translator
}
