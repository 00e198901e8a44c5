package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/source"
	"github.com/postern/postern/internal/store"
)

// The states of an input.
const (
	statusRead    = "read"
	statusEmpty   = "empty"
	statusIgnored = "ignored" // found in a folder or an archive, and of no known format
	statusDamaged = "damaged" // read up to the damage
	statusFailed  = "failed"
)

// batchSize is about how many events are appended to the store at once.
const batchSize = 8192

// read reads all inputs into the store and returns their accounts, ordered by
// path.
func (r *run) read(ctx context.Context) ([]finding.Input, error) {
	units, problems := source.Find(r.Inputs)
	var inputs accounts
	for _, err := range problems {
		inputs.fail(err)
	}
	var bytes int64
	for _, u := range units {
		bytes += max(0, u.Size)
	}
	r.Progress.Inputs(len(units), bytes)
	// The largest first, so that no worker is left alone with it at the end.
	slices.SortStableFunc(units, func(a, b source.Unit) int { return cmp.Compare(b.Size, a.Size) })
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(r.Workers)
	for _, u := range units {
		g.Go(func() error { return r.readUnit(each, u, &inputs) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := r.store.Flush(ctx); err != nil {
		return nil, err
	}
	return inputs.sorted(), nil
}

// readUnit reads one file and its members. What is wrong with the input goes
// to its account; only the store's errors, and cancellation, end the run.
func (r *run) readUnit(ctx context.Context, u source.Unit, all *accounts) error {
	defer r.Progress.FileDone()
	o := source.Options{Progress: r.Progress.Read, Hash: r.Store != ""}
	err := u.Each(ctx, o, func(in source.Input, rd io.Reader) error {
		account, err := r.readInput(ctx, in, rd)
		if err != nil {
			return err
		}
		all.add(account)
		return r.remember(ctx, in, &account)
	})
	failures, err := source.Failures(err)
	for _, f := range failures {
		all.blame(f)
	}
	return err
}

// remember notes in a store that is kept which input its events came from.
func (r *run) remember(ctx context.Context, in source.Input, a *finding.Input) error {
	if in.Fingerprint() == "" || a.Status != statusRead {
		return nil
	}
	return r.store.PutInput(ctx, store.Input{
		Fingerprint: in.Fingerprint(), Path: a.Path, Format: a.Format,
		Records: a.Records, Events: a.Events, Skipped: a.Skipped, Clock: a.Clock,
		ReadAt: event.At(time.Now()),
	})
}

// readInput decodes one input into the store.
func (r *run) readInput(ctx context.Context, in source.Input, rd io.Reader) (finding.Input, error) {
	var t decode.Tally
	f, d, err := decode.Open(r.formats, r.force, rd, &t)
	if err != nil {
		return refused(in, err), nil
	}
	end, err := r.decode(ctx, in.Name, d)
	if err != nil {
		return finding.Input{}, fmt.Errorf("storing events of %s: %w", in.Name, err)
	}
	account := accountOf(in, f, &t)
	r.watch.read(&t)
	if !errors.Is(end, io.EOF) {
		account.Status, account.Error = statusDamaged, end.Error()
	}
	return account, nil
}

// decode decodes all events into the store, and appends one batch while the
// next is decoded. It returns why decoding ended, and the store's error.
func (r *run) decode(ctx context.Context, path string, d decode.Decoder) (end, err error) {
	g, ctx := errgroup.WithContext(ctx)
	full := make(chan *event.Batch)
	empty := make(chan *event.Batch, 2)
	empty <- new(event.Batch)
	empty <- new(event.Batch)
	g.Go(func() error {
		for b := range full {
			r.mark(path, b)
			if err := r.store.Append(ctx, b); err != nil {
				return err
			}
			b.Reset()
			empty <- b
		}
		return nil
	})
	g.Go(func() error {
		defer close(full)
		for end == nil {
			var b *event.Batch
			select {
			case b = <-empty:
			case <-ctx.Done():
				return ctx.Err()
			}
			for end == nil && b.Len() < batchSize {
				end = d.Decode(b)
			}
			select {
			case full <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	err = g.Wait()
	return end, err
}

// refused is the account of an input that no format takes.
func refused(in source.Input, err error) finding.Input {
	a := finding.Input{Path: in.Name, Status: statusFailed, Error: err.Error()}
	switch {
	case errors.Is(err, decode.ErrEmpty):
		a.Status, a.Error = statusEmpty, ""
	case errors.Is(err, decode.ErrUnknown) && !in.Named:
		a.Status = statusIgnored
	}
	return a
}

func accountOf(in source.Input, f *decode.Format, t *decode.Tally) finding.Input {
	a := finding.Input{
		Path: in.Name, Format: f.Name, Status: statusRead,
		Records: t.Records, Events: t.Events, Ignored: t.IgnoredTotal(), Skipped: t.SkippedTotal(),
		SkipReasons: t.Skipped, Clock: t.MainClock(), Warnings: t.Warnings,
	}
	for _, p := range t.Positions {
		a.Positions = append(a.Positions, finding.Position{Where: p.Where, Reason: p.Reason})
	}
	return a
}

// accounts collects the accounts of inputs that are read side by side.
type accounts struct {
	mu  sync.Mutex
	all []finding.Input
}

func (a *accounts) add(in finding.Input) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, in)
}

// fail notes an argument that names nothing readable.
func (a *accounts) fail(err error) {
	in := finding.Input{Status: statusFailed, Error: err.Error()}
	var named *source.InputError
	if errors.As(err, &named) {
		in.Path, in.Error = named.Input.Name, named.Err.Error()
	}
	a.add(in)
}

// blame notes an input's failure: on the account of what was read before it,
// or on one of its own for what was never opened.
func (a *accounts) blame(e *source.InputError) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.all {
		if in := &a.all[i]; in.Path == e.Input.Name {
			in.Status, in.Error = statusDamaged, e.Err.Error()
			return
		}
	}
	status := statusFailed
	var cut *source.ReadError
	if errors.As(e, &cut) && cut.Offset > 0 {
		status = statusDamaged // an archive whose members, so far, have accounts of their own
	}
	a.all = append(a.all, finding.Input{Path: e.Input.Name, Status: status, Error: e.Err.Error()})
}

// sorted returns the accounts by path. Their maps are never nil: the document
// says {} and not null where there is nothing to count.
func (a *accounts) sorted() []finding.Input {
	for i := range a.all {
		if a.all[i].SkipReasons == nil {
			a.all[i].SkipReasons = map[string]int64{}
		}
	}
	slices.SortStableFunc(a.all, func(x, y finding.Input) int {
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Error, y.Error))
	})
	return a.all
}
