package main

import (
	"fmt"
	"os"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/postern/postern/internal/pipeline"
)

// A bar shows the progress of a run on a terminal, and nothing elsewhere.
type bar struct {
	out *os.File // nil when it is no terminal

	mu     sync.Mutex
	stage  string
	files  int
	read   int
	groups *mpb.Progress
	bytes  *mpb.Bar
	steps  *mpb.Bar
}

var _ pipeline.Progress = (*bar)(nil)

func newBar(out *os.File) *bar {
	if !term.IsTerminal(int(out.Fd())) {
		return &bar{}
	}
	return &bar{out: out}
}

// Inputs draws the bar.
func (b *bar) Inputs(files int, bytes int64) {
	if b.out == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.files = files
	b.groups = mpb.New(mpb.WithOutput(b.out))
	b.bytes = b.groups.AddBar(bytes,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(b.label)),
		mpb.AppendDecorators(
			decor.CountersKibiByte("% .1f / % .1f"), decor.Name("  "),
			decor.AverageSpeed(decor.SizeB1024(0), "% .1f"), decor.Name("  ETA "),
			decor.AverageETA(decor.ET_STYLE_GO),
		))
}

func (b *bar) label(decor.Statistics) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprintf("%s %d/%d files ", b.stage, b.read, b.files)
}

// Read moves the bar.
func (b *bar) Read(bytes int64) {
	if b.bytes != nil {
		b.bytes.IncrInt64(bytes)
	}
}

// FileDone counts a file.
func (b *bar) FileDone() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read++
}

// Stage names what is being done, and draws a bar where it has steps.
func (b *bar) Stage(name string, steps int) {
	if b.out == nil {
		return
	}
	b.mu.Lock()
	b.stage = name
	b.mu.Unlock()
	if name == "reading" {
		return // Inputs draws it, once they are known
	}
	b.done()
	if steps == 0 {
		fmt.Fprintf(b.out, "\r\x1b[K%s …", name)
		return
	}
	b.groups = mpb.New(mpb.WithOutput(b.out))
	b.steps = b.groups.AddBar(int64(steps),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name+" "), decor.CountersNoUnit("%d/%d groups ")),
		mpb.AppendDecorators(decor.Name("ETA "), decor.AverageETA(decor.ET_STYLE_GO)),
	)
}

// Step moves the bar of a stage with steps.
func (b *bar) Step() {
	if b.steps != nil {
		b.steps.Increment()
	}
}

// done takes the bar away.
func (b *bar) done() {
	if b.out == nil {
		return
	}
	for _, drawn := range []**mpb.Bar{&b.bytes, &b.steps} {
		if *drawn != nil {
			(*drawn).Abort(true)
			b.groups.Wait()
			*drawn = nil
		}
	}
	fmt.Fprint(b.out, "\r\x1b[K")
}
