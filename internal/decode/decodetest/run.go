// Package decodetest says, as tests, what every telemetry format must do with
// good, damaged and hostile input.
package decodetest

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"github.com/postern/postern/internal/decode"
)

// Run tests a format. The samples are valid inputs of it, UTF-8 unless the
// format is binary, whose records all can be read and of which some become
// events. They should be small, since each is decoded about a thousand times
// (a tenth of that with -short), and have many records, since damage is put
// anywhere.
func Run(t *testing.T, f *decode.Format, samples ...[]byte) {
	if len(samples) == 0 {
		t.Fatal("no samples")
	}
	for i, sample := range samples {
		if len(sample) == 0 {
			t.Fatalf("sample %d is empty", i)
		}
	}
	thoroughness := 1.0
	if testing.Short() {
		thoroughness = 0.1
	}
	for _, c := range checks {
		if c.textOnly && f.Binary {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			for i, sample := range samples {
				s := newSubject(t, f, sample, thoroughness)
				c.run(s)
				if t.Failed() {
					t.Errorf("this was sample %d", i)
				}
			}
		})
	}
}

// Fuzz is the body of a format's fuzz target: whatever the input, decoding
// does not panic, makes valid UTF-8, keeps its tally, and does not ask for
// memory out of proportion.
func Fuzz(f *testing.F, format *decode.Format, samples ...[]byte) {
	for _, s := range samples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		format.Match(data[:min(len(data), decode.HeadSize)])
		before := allocated()
		o := decodeAll(format, bytes.NewReader(data))
		if n := allocated() - before; n > memoryFor(len(data)) {
			t.Errorf("%d bytes allocated for an input of %d", n, len(data))
		}
		o.sane(t, format.Binary)
	})
}

// A reporter is told of failures: a *testing.T, except in this package's own
// tests.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// A check is one demand on formats.
type check struct {
	name     string
	textOnly bool
	run      func(*subject)
}

// checks are all demands, the plain ones first.
var checks = []check{
	{"match", false, match},
	{"sample", false, wholeSample},
	{"readers", false, readers},
	{"reader fails", false, readerFails},
	{"memory", false, memory},
	{"truncation", false, truncation},
	{"byte flips", false, byteFlips},
	{"NUL bytes", false, nulBytes},
	{"latin-1", true, latin1},
	{"encodings", true, encodings},
	{"line endings", true, lineEndings},
	{"final newline", true, finalNewline},
	{"giant line", true, giantLine},
}

// A subject is a format under test with one sample.
type subject struct {
	reporter
	format       *decode.Format
	sample       []byte
	whole        outcome // of the sample
	thoroughness float64
	reasons      map[string]bool // for which records were skipped
}

func newSubject(r reporter, f *decode.Format, sample []byte, thoroughness float64) *subject {
	return &subject{
		reporter:     r,
		format:       f,
		sample:       sample,
		whole:        decodeAll(f, bytes.NewReader(sample)),
		thoroughness: thoroughness,
		reasons:      make(map[string]bool),
	}
}

// rounds returns how often to do what is done n times in a thorough run.
func (s *subject) rounds(n int) int { return max(1, int(float64(n)*s.thoroughness)) }

// random returns a source of chance that is the same in every run.
func random(round int) *rand.Rand { return rand.New(rand.NewPCG(0x706f737465726e, uint64(round))) }

// hostile decodes a damaged sample, of which nothing is expected but sanity.
func (s *subject) hostile(data []byte, what string, args ...any) outcome {
	s.Helper()
	o := decodeAll(s.format, bytes.NewReader(data))
	o.sane(context{s.reporter, what, args}, s.format.Binary)
	for reason := range o.tally.Skipped {
		s.reasons[reason] = true
	}
	return o
}

// maxReasons is how many reasons for skipping records a format may have.
const maxReasons = 30

// fewReasons checks that the reasons seen can be counted by.
func (s *subject) fewReasons() {
	s.Helper()
	if len(s.reasons) > maxReasons {
		s.Errorf("%d reasons for skipping records; what is special to a record belongs to its position", len(s.reasons))
	}
}

// A context adds to failures what was being done.
type context struct {
	reporter
	what string
	args []any
}

// Errorf implements reporter.
func (c context) Errorf(format string, args ...any) {
	c.Helper()
	c.reporter.Errorf(c.what+": "+format, append(append([]any(nil), c.args...), args...)...)
}

// validText reports whether the sample can be written in another encoding.
func (s *subject) validText() bool { return utf8.Valid(s.sample) }
