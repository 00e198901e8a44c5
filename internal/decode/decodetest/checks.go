package decodetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing/iotest"

	"github.com/postern/postern/internal/decode"
	"golang.org/x/text/encoding/unicode"
)

// match: the format knows its own, by the beginning, and nothing else.
func match(s *subject) {
	for _, n := range []int{4 << 10, 5000, 8 << 10, 16 << 10, 32 << 10, decode.HeadSize, len(s.sample)} {
		n = min(n, len(s.sample), decode.HeadSize)
		if !s.format.Match(s.sample[:n]) {
			s.Errorf("Match does not accept the first %d bytes of the sample", n)
		}
	}
	for _, other := range []string{"", "\n", "\x00", "hello, world\n", "{}\n", "[]\n"} {
		if s.format.Match([]byte(other)) {
			s.Errorf("Match accepts %q", other)
		}
	}
	for round := range s.rounds(100) {
		r := random(round)
		noise := make([]byte, 1+r.IntN(4096))
		for i := range noise {
			noise[i] = byte(r.Uint32())
		}
		if s.format.Match(noise) {
			s.Errorf("Match accepts %d random bytes, round %d", len(noise), round)
		}
	}
}

// wholeSample: a good input is read without loss, and its tally says so.
func wholeSample(s *subject) {
	s.whole.sane(s.reporter, s.format.Binary)
	switch t := &s.whole.tally; {
	case s.whole.err != io.EOF:
		s.Errorf("error %v, want io.EOF", s.whole.err)
	case t.Events == 0 || t.Records == 0:
		s.Errorf("%d events of %d records", t.Events, t.Records)
	case t.SkippedTotal() > 0:
		s.Errorf("records were skipped: %v at %v", t.Skipped, t.Positions)
	case t.MainClock() == "":
		s.Errorf("the tally names no clock")
	}
}

// readers: how the bytes come in makes no difference.
func readers(s *subject) {
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"byte by byte": iotest.OneByteReader,
		"by halves":    iotest.HalfReader,
		"data and EOF": iotest.DataErrReader,
	} {
		o := decodeAll(s.format, wrap(bytes.NewReader(s.sample)))
		s.same(&o, "read "+name)
	}
}

// same checks that an outcome is that of the sample.
func (s *subject) same(o *outcome, what string) {
	s.Helper()
	o.sane(context{s.reporter, "%s", []any{what}}, s.format.Binary)
	if diff := sameEvents(&s.whole.batch, &o.batch); diff != "" {
		s.Errorf("%s: %s", what, diff)
	}
	if o.err != io.EOF {
		s.Errorf("%s: error %v, want io.EOF", what, o.err)
	}
	if !sameSkips(&s.whole.tally, &o.tally) {
		s.Errorf("%s: skipped %v at %v", what, o.tally.Skipped, o.tally.Positions)
	}
}

var errCable = errors.New("cable pulled")

// readerFails: the reader's error arrives, and the events before it.
func readerFails(s *subject) {
	for _, n := range spread(len(s.sample), s.rounds(50)) {
		o := decodeAll(s.format, io.MultiReader(bytes.NewReader(s.sample[:n]), iotest.ErrReader(errCable)))
		r := context{s.reporter, "reader fails after %d bytes", []any{n}}
		o.sane(r, s.format.Binary)
		if !errors.Is(o.err, errCable) {
			r.Errorf("error %v, want the reader's", o.err)
		}
		loose := 0
		if s.format.Gathers {
			loose = 1 // what was being gathered
		}
		if diff := beginning(&s.whole.batch, &o.batch, loose); diff != "" {
			r.Errorf("%s", diff)
		}
		if s.format.Binary {
			continue
		}
		line := bytes.LastIndexByte(s.sample[:n], '\n') + 1
		before := decodeAll(s.format, bytes.NewReader(s.sample[:line]))
		if got, want := o.batch.Len(), before.batch.Len(); got < want-1 {
			r.Errorf("%d events of the %d before", got, want)
		}
	}
}

// spread returns n offsets, evenly spaced over size bytes.
func spread(size, n int) []int {
	var offsets []int
	for i := range n {
		offsets = append(offsets, i*size/n)
	}
	return slices.Compact(offsets)
}

// memory: events do not refer to the buffers that the input was read into.
func memory(s *subject) {
	r := &scribbler{r: bytes.NewReader(s.sample)}
	o := decodeAll(s.format, r)
	r.scribble()
	if diff := sameEvents(&s.whole.batch, &o.batch); diff != "" {
		s.Errorf("events change when a buffer is used again: %s", diff)
	}
}

// A scribbler remembers the buffers that it read into.
type scribbler struct {
	r       io.Reader
	buffers [][]byte
}

// Read implements [io.Reader].
func (s *scribbler) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.buffers = append(s.buffers, p[:n])
	return n, err
}

// scribble overwrites the buffers.
func (s *scribbler) scribble() {
	for _, b := range s.buffers {
		for i := range b {
			b[i] = '#'
		}
	}
}

// truncation: an input that is cut gives what came before the cut. The record
// that is cut may look whole, so the last of each kind is not compared.
func truncation(s *subject) {
	for _, n := range spread(len(s.sample), s.rounds(200)) {
		o := s.hostile(s.sample[:n], "cut after %d bytes", n)
		if diff := beginning(&s.whole.batch, &o.batch, 1); diff != "" {
			s.Errorf("cut after %d bytes: %s", n, diff)
		}
	}
	s.fewReasons()
}

// byteFlips: damaged bytes do no harm.
func byteFlips(s *subject) {
	for round := range s.rounds(300) {
		r := random(round)
		data := bytes.Clone(s.sample)
		for range 1 + r.IntN(8) {
			data[r.IntN(len(data))] ^= byte(1 + r.IntN(255))
		}
		s.hostile(data, "flipped bytes, round %d", round)
	}
	s.fewReasons()
}

// nulBytes: NULs, as crashes leave them in files, do no harm.
func nulBytes(s *subject) {
	for round := range s.rounds(100) {
		r := random(round)
		at := r.IntN(len(s.sample) + 1)
		nuls := make([]byte, 1<<r.IntN(13))
		s.hostile(slices.Concat(s.sample[:at], nuls, s.sample[at:]), "%d NULs at byte %d", len(nuls), at)
	}
	s.fewReasons()
}

// latin1: letters of another encoding are replaced.
func latin1(s *subject) {
	for round := range s.rounds(100) {
		r := random(round)
		data := bytes.Clone(s.sample)
		for range 1 + len(data)/100 {
			if i := r.IntN(len(data)); 'a' <= data[i]|0x20 && data[i]|0x20 <= 'z' {
				data[i] = 0xe9
			}
		}
		s.hostile(data, "latin-1, round %d", round)
	}
	s.fewReasons()
}

// encodings: the same text in another encoding gives the same events.
func encodings(s *subject) {
	if !s.validText() {
		s.Errorf("the sample is not valid UTF-8")
		return
	}
	for name, enc := range map[string]interface {
		Bytes([]byte) ([]byte, error)
	}{
		"UTF-8":              unicode.UTF8.NewEncoder(),
		"UTF-8 with mark":    unicode.UTF8BOM.NewEncoder(),
		"UTF-16LE":           unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder(),
		"UTF-16BE":           unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder(),
		"UTF-16LE with mark": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(),
		"UTF-16BE with mark": unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(),
	} {
		data, err := enc.Bytes(s.sample)
		if err != nil {
			s.Errorf("%s: %v", name, err)
			continue
		}
		o := detectAndDecode(s.format, bytes.NewReader(data))
		s.same(&o, name)
	}
}

// lineEndings: Windows' line endings give the same events.
func lineEndings(s *subject) {
	unix := bytes.ReplaceAll(s.sample, []byte("\r\n"), []byte("\n"))
	windows := bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n"))
	for name, data := range map[string][]byte{`\n`: unix, `\r\n`: windows} {
		o := decodeAll(s.format, bytes.NewReader(data))
		s.same(&o, "lines ending in "+name)
	}
}

// finalNewline: how an input ends makes no difference.
func finalNewline(s *subject) {
	bare := bytes.TrimRight(s.sample, "\r\n")
	for name, end := range map[string]string{"no newline": "", "one newline": "\n", "blank lines": "\n\n\r\n\n"} {
		o := decodeAll(s.format, io.MultiReader(bytes.NewReader(bare), strings.NewReader(end)))
		s.same(&o, "ending in "+name)
	}
}

// giantSize is the length of a line that no decoder should keep, in bytes.
const giantSize = 2 * decode.DefaultMaxLine

// giantLine: a line that is too long costs itself, and the record that it was
// put into if that has several lines.
func giantLine(s *subject) {
	at := bytes.LastIndexByte(s.sample[:len(s.sample)/2], '\n') + 1
	number := 1 + bytes.Count(s.sample[:at], []byte("\n"))
	giant := bytes.Repeat([]byte("x"), giantSize+1)
	giant[giantSize] = '\n'
	o := s.hostile(slices.Concat(s.sample[:at], giant, s.sample[at:]), "line %d is too long", number)
	if o.err != io.EOF {
		s.Errorf("line %d is too long: error %v, want io.EOF", number, o.err)
	}
	lost := s.whole.batch.Len() - o.batch.Len()
	if lost > 1 || lost < 0 {
		s.Errorf("line %d is too long: %d events, want %d", number, o.batch.Len(), s.whole.batch.Len())
	}
	where := fmt.Sprintf("line %d", number)
	if lost == 0 && !slices.ContainsFunc(o.tally.Positions, func(p decode.Position) bool { return p.Where == where }) {
		s.Errorf("%s is too long: skipped at %v", where, o.tally.Positions)
	}
	if o.tally.SkippedTotal() == 0 {
		s.Errorf("%s is too long, and nothing was skipped", where)
	}
}
