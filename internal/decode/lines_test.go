package decode_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/postern/postern/internal/decode"
)

// A piece is what one call of Next came to.
type piece struct {
	Number int64
	Text   string
	Long   bool
}

// A splitter is what Lines and Values have in common.
type splitter interface {
	Next() ([]byte, error)
	Number() int64
}

// pieces calls Next to the end and returns what it gave, and the final error.
func pieces(s splitter) ([]piece, error) {
	var all []piece
	for {
		b, err := s.Next()
		switch {
		case err == nil:
			all = append(all, piece{Number: s.Number(), Text: string(b)})
		case errors.Is(err, decode.ErrLong):
			all = append(all, piece{Number: s.Number(), Long: true})
		default:
			return all, err
		}
	}
}

// failing returns a reader that delivers text and then err.
func failing(text string, err error) io.Reader {
	return io.MultiReader(strings.NewReader(text), iotest.ErrReader(err))
}

func TestLines(t *testing.T) {
	big := strings.Repeat("x", 3<<20)
	tests := []struct {
		name string
		in   string
		max  int
		want []piece
	}{
		{name: "empty"},
		{name: "one, no newline", in: "a", want: []piece{{1, "a", false}}},
		{name: "newline ends a line", in: "a\nb\n", want: []piece{{1, "a", false}, {2, "b", false}}},
		{name: "blank lines are lines", in: "\n\na", want: []piece{{1, "", false}, {2, "", false}, {3, "a", false}}},
		{name: "carriage returns", in: "a\r\nb\rc\r\n\r\nd\r", want: []piece{{1, "a", false}, {2, "b\rc", false}, {3, "", false}, {4, "d", false}}},
		{name: "longer than the buffer", in: "a\n" + big + "\nb", want: []piece{{1, "a", false}, {2, big, false}, {3, "b", false}}},
		{name: "at the limit", in: "abc\r\nabcd\r\nabc\nabcd\nabc", max: 3, want: []piece{{1, "abc", false}, {2, "", true}, {3, "abc", false}, {4, "", true}, {5, "abc", false}}},
		{name: "over the limit at the end", in: "a\nabcdefgh", max: 3, want: []piece{{1, "a", false}, {2, "", true}}},
		{name: "over the limit and the buffer", in: big + "\nb\n" + big, max: 1 << 20, want: []piece{{1, "", true}, {2, "b", false}, {3, "", true}}},
		{name: "no text", in: "\x00\xff\n\x00", want: []piece{{1, "\x00\xff", false}, {2, "\x00", false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := pieces(decode.NewLines(strings.NewReader(tt.in), tt.max))
			if err != io.EOF {
				t.Errorf("error %v at the end, want io.EOF", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			got, _ = pieces(decode.NewLines(iotest.OneByteReader(strings.NewReader(tt.in)), tt.max))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("lines, read byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLinesReaderFails(t *testing.T) {
	broken := errors.New("cable pulled")
	lines := decode.NewLines(failing("a\nb\nhalf", broken), 0)
	got, err := pieces(lines)
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if diff := cmp.Diff([]piece{{1, "a", false}, {2, "b", false}}, got); diff != "" {
		t.Errorf("lines before the error (-want +got):\n%s", diff)
	}
	if _, err := lines.Next(); !errors.Is(err, broken) {
		t.Errorf("error %v when asked again, want %v", err, broken)
	}
}

// emptyReader never delivers anything.
type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, nil }

func TestLinesReaderStalls(t *testing.T) {
	if _, err := pieces(decode.NewLines(emptyReader{}, 0)); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("error %v, want %v", err, io.ErrNoProgress)
	}
}

// wantLines splits in the simple way.
func wantLines(in string, max int) []piece {
	var all []piece
	n := int64(0)
	for line := range strings.Lines(in) {
		n++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if len(line) > max {
			all = append(all, piece{Number: n, Long: true})
		} else {
			all = append(all, piece{Number: n, Text: line})
		}
	}
	return all
}

func FuzzLines(f *testing.F) {
	f.Add("a\r\nb\n\nc", 5)
	f.Add("abcdefgh\nab\n", 2)
	f.Fuzz(func(t *testing.T, in string, max int) {
		if max <= 0 {
			return
		}
		want := wantLines(in, max)
		for name, r := range map[string]io.Reader{
			"whole":        strings.NewReader(in),
			"byte by byte": iotest.OneByteReader(strings.NewReader(in)),
			"data and EOF": iotest.DataErrReader(strings.NewReader(in)),
		} {
			got, err := pieces(decode.NewLines(r, max))
			if err != io.EOF {
				t.Errorf("%s: error %v", name, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func BenchmarkLines(b *testing.B) {
	in := bytes.Repeat([]byte(strings.Repeat("x", 150)+"\n"), 100_000)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		lines := decode.NewLines(bytes.NewReader(in), 0)
		for {
			if _, err := lines.Next(); err != nil {
				break
			}
		}
	}
}
