// Package decode defines what a telemetry format is and finds the format of an
// input. The formats themselves live below this package, one package each.
package decode

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/postern/postern/internal/event"
)

// HeadSize is how much of an input Match may see, in bytes.
const HeadSize = 64 << 10

// A Format turns one kind of telemetry into events.
//
// A Format is a value, not a type to implement: its fields feed the command
// line, the configuration, the manual and the tests from one place.
type Format struct {
	// Name identifies the format in flags and output: "zeek-tsv".
	Name string

	// Doc describes the format for a person. The first line is its title;
	// the rest says which producers and events it reads, what each lacks,
	// and which clock it goes by.
	Doc string

	// Extensions are the usual file name endings, the preferred one first.
	// They are documentation: content decides.
	Extensions []string

	// Binary says that the input is not text: it is handed on as it is.
	// Text inputs are handed on as UTF-8, whatever they were written in.
	Binary bool

	// Gathers says that an event is made of many records, so that the last
	// events before an error tell only what was read until then. Other formats
	// give an event whole or not at all.
	Gathers bool

	// Asked says that the format is read only where it is asked for by name,
	// because its inputs are of another format too: export datagrams within
	// a packet capture. Match then says whether an input could be one.
	Asked bool

	// Match reports whether an input that begins with head (at most
	// HeadSize bytes, UTF-8 unless Binary) is of this format. It must not
	// accept an input that Open's decoder could not read at all.
	Match func(head []byte) bool

	// Open returns a decoder of the events in r. It does not close r. The
	// decoder writes what it did to t as it goes.
	Open func(r io.Reader, t *Tally) Decoder
}

// A Decoder yields the events of one input, in the order of the input.
//
// Decode appends the next few thousand events to b and returns nil, or returns
// io.EOF when none remain; events may come with the io.EOF. Records that
// cannot be read are skipped and counted in the tally: they are no error. An
// error other than io.EOF says that the rest of the input cannot be read, and
// the events decoded before it stand.
//
// A Decoder is not safe for concurrent use. Events do not refer to memory that
// a later Decode overwrites.
type Decoder interface {
	Decode(b *event.Batch) error
}

// Sentinel errors of this package.
var (
	// ErrUnknown: no format matches the input.
	ErrUnknown = errors.New("no known format")

	// ErrAmbiguous: several formats match the input.
	ErrAmbiguous = errors.New("several formats match")
)

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString

// Validate reports the first mistake in formats: a bad or repeated name, a
// missing description, a missing function.
func Validate(formats []*Format) error {
	seen := make(map[string]bool)
	for _, f := range formats {
		title, _, _ := strings.Cut(f.Doc, "\n")
		switch {
		case !validName(f.Name):
			return fmt.Errorf("format %q: invalid name", f.Name)
		case seen[f.Name]:
			return fmt.Errorf("format %q: named twice", f.Name)
		case title == "":
			return fmt.Errorf("format %q: undocumented", f.Name)
		case f.Match == nil || f.Open == nil:
			return fmt.Errorf("format %q: Match and Open must be set", f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

// ByName returns the format of that name.
func ByName(formats []*Format, name string) (*Format, error) {
	for _, f := range formats {
		if f.Name == name {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w %q (known: %s)", ErrUnknown, name, names(formats))
}

// Detect returns the only format that matches an input which begins with raw,
// and text, which is raw as UTF-8, and that need not be asked for. It is an error for none or for several to
// match: an analyst must be able to trust what was read.
func Detect(formats []*Format, raw, text []byte) (*Format, error) {
	var found []*Format
	for _, f := range formats {
		head := text
		if f.Binary {
			head = raw
		}
		if !f.Asked && f.Match(head) {
			found = append(found, f)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, ErrUnknown
	default:
		return nil, fmt.Errorf("%w: %s", ErrAmbiguous, names(found))
	}
}

func names(formats []*Format) string {
	var s []string
	for _, f := range formats {
		s = append(s, f.Name)
	}
	return strings.Join(s, ", ")
}
