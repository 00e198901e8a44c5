package decodetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// toy is a format of lines "start <microseconds> <image>" below a first line
// "#toy".
var toy = &decode.Format{
	Name:  "toy",
	Doc:   "A format for tests",
	Match: func(head []byte) bool { return bytes.HasPrefix(head, []byte("#toy")) },
	Open: func(r io.Reader, t *decode.Tally) decode.Decoder {
		return &toyDecoder{lines: decode.NewLines(r, 0), tally: t}
	},
}

type toyDecoder struct {
	lines *decode.Lines
	tally *decode.Tally
}

func (d *toyDecoder) Decode(b *event.Batch) error {
	for {
		line, err := d.lines.Next()
		switch {
		case errors.Is(err, decode.ErrLong):
			d.tally.Records++
			d.tally.SkipLine(d.lines.Number(), "too long")
		case err != nil:
			return err
		case len(line) > 0 && line[0] != '#':
			d.tally.Records++
			d.record(b, string(line))
		}
	}
}

func (d *toyDecoder) record(b *event.Batch, line string) {
	fields := strings.SplitN(line, " ", 3)
	if len(fields) < 3 || fields[0] != "start" {
		d.tally.SkipLine(d.lines.Number(), "no record")
		return
	}
	at, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		d.tally.SkipLine(d.lines.Number(), "no time")
		return
	}
	b.Starts = append(b.Starts, event.ProcessStart{Time: event.Time(at), Image: strings.ToValidUTF8(fields[2], "\ufffd")})
	d.tally.Events++
	d.tally.Clock("toy", 1)
}

func toySample() []byte {
	var b strings.Builder
	b.WriteString("#toy\n")
	for i := range 200 {
		fmt.Fprintf(&b, "start %d C:\\Programme\\jörg%d.exe\n", 1700000000000000+i, i)
	}
	return []byte(b.String())
}

func TestRun(t *testing.T) { Run(t, toy, toySample(), []byte("#toy\nstart 1 a\n")) }

func FuzzToy(f *testing.F) { Fuzz(f, toy, toySample()) }

// A recorder keeps what it is told.
type recorder struct{ failures []string }

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// breaks returns a toy format whose decoder is changed.
func breaks(change func(inner decode.Decoder, t *decode.Tally) decode.Decoder) *decode.Format {
	f := *toy
	f.Open = func(r io.Reader, t *decode.Tally) decode.Decoder { return change(toy.Open(r, t), t) }
	return &f
}

// A decoderFunc is a decoder.
type decoderFunc func(b *event.Batch) error

func (f decoderFunc) Decode(b *event.Batch) error { return f(b) }

// onInput returns a toy format whose decoder sees another input.
func onInput(change func(io.Reader) io.Reader) *decode.Format {
	f := *toy
	f.Open = func(r io.Reader, t *decode.Tally) decode.Decoder { return toy.Open(change(r), t) }
	return &f
}

// onLine returns a toy format that is naive about its lines.
func onLine(record func(b *event.Batch, t *decode.Tally, line []byte)) *decode.Format {
	f := *toy
	f.Open = func(r io.Reader, t *decode.Tally) decode.Decoder {
		lines := decode.NewLines(r, 0)
		return decoderFunc(func(b *event.Batch) error {
			for {
				line, err := lines.Next()
				switch {
				case errors.Is(err, decode.ErrLong):
					t.Records++
					t.SkipLine(lines.Number(), "too long")
				case err != nil:
					return err
				case bytes.HasPrefix(line, []byte("start ")):
					t.Records++
					t.Events++
					t.Clock("toy", 1)
					record(b, t, line)
				case len(line) > 0 && line[0] != '#':
					t.Records++
					t.SkipLine(lines.Number(), "no record")
				}
			}
		})
	}
	return &f
}

func start(b *event.Batch, image string) {
	b.Starts = append(b.Starts, event.ProcessStart{Image: image})
}

// TestRunFails breaks the toy in one way each: the checks named must fail.
func TestRunFails(t *testing.T) {
	matches := func(match func([]byte) bool) *decode.Format {
		f := *toy
		f.Match = match
		return &f
	}
	tests := []struct {
		name   string
		format *decode.Format
		fails  []string
	}{
		{"nothing", toy, nil},
		{"matches everything", matches(func([]byte) bool { return true }), []string{"match"}},
		{"matches nothing", matches(func([]byte) bool { return false }), []string{"match", "encodings"}},
		{"matches only long heads", matches(func(head []byte) bool { return len(head) > 5000 && toy.Match(head) }), []string{"match"}},
		{"no events", breaks(func(decode.Decoder, *decode.Tally) decode.Decoder {
			return decoderFunc(func(*event.Batch) error { return io.EOF })
		}), []string{"sample", "giant line"}},
		{"does not end", breaks(func(d decode.Decoder, _ *decode.Tally) decode.Decoder {
			return decoderFunc(func(b *event.Batch) error {
				if err := d.Decode(b); err != io.EOF {
					return err
				}
				return nil
			})
		}), []string{"sample"}},
		{"loses count", breaks(func(d decode.Decoder, t *decode.Tally) decode.Decoder {
			return decoderFunc(func(b *event.Batch) error {
				err := d.Decode(b)
				t.Records++
				return err
			})
		}), []string{"sample"}},
		{"skips in silence", breaks(func(d decode.Decoder, t *decode.Tally) decode.Decoder {
			return decoderFunc(func(b *event.Batch) error {
				err := d.Decode(b)
				t.Records -= t.SkippedTotal()
				t.Skipped, t.Positions = nil, nil
				return err
			})
		}), []string{"giant line"}},
		{"reasons without number", breaks(func(d decode.Decoder, t *decode.Tally) decode.Decoder {
			return decoderFunc(func(b *event.Batch) error {
				err := d.Decode(b)
				for i, p := range t.Positions {
					t.Skipped[p.Reason]--
					t.Positions[i].Reason = "no record: " + p.Where
					t.Skipped[t.Positions[i].Reason]++
				}
				return err
			})
		}), []string{"byte flips"}},
		{"no place", breaks(func(d decode.Decoder, t *decode.Tally) decode.Decoder {
			return decoderFunc(func(b *event.Batch) error {
				err := d.Decode(b)
				for i := range t.Positions {
					t.Positions[i].Where = "somewhere"
				}
				return err
			})
		}), []string{"byte flips", "giant line"}},
		{"swallows errors", breaks(func(d decode.Decoder, _ *decode.Tally) decode.Decoder {
			return decoderFunc(func(b *event.Batch) error {
				_ = d.Decode(b)
				return io.EOF
			})
		}), []string{"reader fails"}},
		{"forgets events before an error", onInput(func(r io.Reader) io.Reader {
			data, err := io.ReadAll(r)
			if err != nil {
				return failing{err}
			}
			return bytes.NewReader(data)
		}), []string{"reader fails"}},
		{"reads once", onInput(func(r io.Reader) io.Reader {
			p := make([]byte, 1<<20)
			n, _ := r.Read(p)
			return bytes.NewReader(p[:n])
		}), []string{"readers", "giant line"}},
		{"panics", onLine(func(b *event.Batch, _ *decode.Tally, line []byte) {
			start(b, string(line)[:len("start 1700000000000000 ")])
		}), []string{"truncation"}},
		{"hands on what is not UTF-8", onLine(func(b *event.Batch, _ *decode.Tally, line []byte) { start(b, string(line)) }), []string{"latin-1"}},
		{"tells what is not UTF-8", onLine(func(b *event.Batch, t *decode.Tally, line []byte) {
			t.Warn(string(line))
			start(b, "")
		}), []string{"latin-1"}},
		{"keeps its buffer", onLine(func(b *event.Batch, _ *decode.Tally, line []byte) {
			start(b, unsafe.String(&line[0], len(line)))
		}), []string{"memory"}},
		{"keeps carriage returns", onInput(func(r io.Reader) io.Reader {
			data, err := io.ReadAll(r)
			return io.MultiReader(bytes.NewReader(bytes.ReplaceAll(data, []byte("\r"), []byte("_"))), failing{err})
		}), []string{"line endings"}},
		{"needs a final newline", onInput(func(r io.Reader) io.Reader {
			data, err := io.ReadAll(r)
			return io.MultiReader(bytes.NewReader(data[:bytes.LastIndexByte(data, '\n')+1]), failing{err})
		}), []string{"final newline"}},
		{"ends at a giant line", onInput(func(r io.Reader) io.Reader {
			data, err := io.ReadAll(r)
			if len(data) > giantSize {
				data = data[:giantSize/2]
			}
			return io.MultiReader(bytes.NewReader(data), failing{err})
		}), []string{"giant line"}},
		{"ends at a NUL", onInput(func(r io.Reader) io.Reader {
			data, err := io.ReadAll(r)
			if bytes.IndexByte(data, 0) >= 0 {
				return panicking{}
			}
			return io.MultiReader(bytes.NewReader(data), failing{err})
		}), []string{"NUL bytes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			failed := make(map[string][]string)
			for _, c := range checks {
				r := new(recorder)
				c.run(newSubject(r, tt.format, toySample(), 0.3))
				if len(r.failures) > 0 {
					failed[c.name] = r.failures
				}
			}
			for _, name := range tt.fails {
				if failed[name] == nil {
					t.Errorf("the check %q did not fail", name)
				}
			}
			if tt.fails == nil && len(failed) > 0 {
				t.Errorf("failed: %v", failed)
			}
			for name, failures := range failed {
				if i := slices.IndexFunc(failures, func(f string) bool { return strings.Contains(f, "%!") }); i >= 0 {
					t.Errorf("the check %q says %q", name, failures[i])
				}
			}
		})
	}
}

// failing is a reader at an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

// panicking is a reader that stands for a decoder with a mistake.
type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("a NUL") }
