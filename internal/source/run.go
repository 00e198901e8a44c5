package source

import (
	"context"
	"errors"
	"fmt"
	"os"

	"io"
)

// maxFailures bounds how many failures of one unit are told apart: an archive
// may have any number of members.
const maxFailures = 1000

// A run is one call of Each.
type run struct {
	ctx      context.Context
	u        Unit
	o        Options
	visit    Visit
	raw      *raw
	meter    *meter
	failures []error // all *InputError
	more     int     // failures beyond maxFailures
}

func newRun(ctx context.Context, u Unit, o Options, visit Visit) *run {
	m := &meter{size: -1, progress: o.Progress, maxRatio: o.MaxRatio, maxOut: o.MaxExpanded}
	if m.maxRatio <= 0 {
		m.maxRatio = DefaultMaxRatio
	}
	if m.maxOut <= 0 {
		m.maxOut = DefaultMaxExpanded
	}
	return &run{ctx: ctx, u: u, o: o, visit: visit, meter: m}
}

// unit visits the inputs of the unit. The error is what ended it.
func (r *run) unit() error {
	in := Input{Name: r.u.Path, Named: r.u.Named}
	closer, err := r.open()
	if err != nil {
		r.fail(in, err)
		return nil
	}
	defer closer.Close()
	err = r.input(in, r.raw, false)
	if r.more > 0 {
		r.failures = append(r.failures, &InputError{in, fmt.Errorf("%d more inputs cannot be read", r.more)})
	}
	return err
}

// open opens the unit itself.
func (r *run) open() (io.Closer, error) {
	r.raw = &raw{ctx: r.ctx, meter: r.meter}
	if r.u.Path == Stdin {
		if r.o.Stdin != nil {
			r.raw.r = r.o.Stdin
		} else {
			r.file(os.Stdin)
		}
		return io.NopCloser(nil), nil
	}
	f, err := os.Open(r.u.Path)
	if err != nil {
		return nil, cause(err)
	}
	r.file(f)
	return f, nil
}

// file reads the unit from f. The size is that of now: the file may have
// grown since it was found.
func (r *run) file(f *os.File) {
	r.raw.r = f
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		r.raw.at = f
		r.meter.size = info.Size()
	}
}

// input visits what is in src: an input, or the members of an archive.
// Unpacked says that compression has been taken off already.
func (r *run) input(in Input, src io.Reader, unpacked bool) error {
	head, src := peek(src)
	packing, name := kindOf(head)
	switch packing {
	case gzipped, zstandard:
		if !unpacked {
			return r.unpack(in, packing, name, src)
		}
	case tarred:
		if !in.Member {
			return r.tar(in, src)
		}
	case zipped:
		if !in.Member && !unpacked {
			return r.zip(in)
		}
	case unsupported:
		r.fail(in, fmt.Errorf("%w: %s", ErrUnsupported, name))
		return nil
	default:
		return r.deliver(in, src)
	}
	r.fail(in, fmt.Errorf("%w: %s", ErrNested, name))
	return nil
}

// unpack takes compression off.
func (r *run) unpack(in Input, packing kind, name string, src io.Reader) error {
	unpacked, err := unpacker(packing, src)
	if err != nil {
		if r.ctx.Err() == nil {
			r.fail(in, fmt.Errorf("%s: %w", name, err))
		}
		return r.ctx.Err()
	}
	defer unpacked.Close()
	return r.input(in, &expanding{r: unpacked, what: name, meter: r.meter}, true)
}

// deliver has the input visited, and sorts out what came of it.
func (r *run) deliver(in Input, src io.Reader) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	in.digest = newDigest(r.o.Hash)
	t := &tracked{r: src, digest: in.digest}
	err := r.visit(in, t)
	if done := r.ctx.Err(); done != nil {
		if errors.Is(err, done) {
			return err
		}
		return errors.Join(err, done)
	}
	damage := t.failed()
	returned := damage != nil && errors.Is(err, damage)
	if damage != nil && !returned {
		r.fail(in, damage)
	}
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*InputError](err); ok {
		r.fail(own.Input, own.Err)
		return nil
	}
	if returned {
		r.fail(in, err)
		return nil
	}
	return err
}

// fail notes that an input cannot be read.
func (r *run) fail(in Input, err error) {
	if len(r.failures) >= maxFailures {
		r.more++
		return
	}
	r.failures = append(r.failures, &InputError{in, err})
}

// failed returns the number of failures.
func (r *run) failed() int { return len(r.failures) + r.more }
