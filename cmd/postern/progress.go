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

// Stage names what is being done. Only reading has a measure to show.
func (b *bar) Stage(name string) {
	if b.out == nil {
		return
	}
	b.mu.Lock()
	b.stage = name
	b.mu.Unlock()
	if name != "reading" {
		b.done()
		fmt.Fprintf(b.out, "\r\x1b[K%s …", name)
	}
}

// done takes the bar away.
func (b *bar) done() {
	if b.out == nil {
		return
	}
	if b.bytes != nil {
		b.bytes.Abort(true)
		b.groups.Wait()
		b.bytes = nil
	}
	fmt.Fprint(b.out, "\r\x1b[K")
}
