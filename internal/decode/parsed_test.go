package decode

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestParsingFindsWhatBracesFind: a caller that parses lines gets the objects,
// the rests of lines and the numbers that one who does not parse gets.
func TestParsingFindsWhatBracesFind(t *testing.T) {
	pieces := []string{
		`{"a":1}`, `{"a":{"b":"}{"}}`, `{}`, `{"a":"\\\"}"}`, `{"a":1}{"b":2}`, `{"a":1},{"b":2} {"c":3}`, // whole
		`{"a":`, `{"a":"`, `"}`, `}`, `{`, `]`, `[`, `,`, ` `, "\t", "Record 7", "junk", `{"a":1} junk }`, `{a}`, // broken
		"{\n  \"a\": 1\n}", "{\"a\":\n{}\n}", // over lines
		"\n", "\n", "\n", "\r\n", "",
		`{"long":"` + strings.Repeat("x", 80) + `"}`,
	}
	r := rand.New(rand.NewPCG(7, 7))
	for range 5_000 {
		var text strings.Builder
		for range r.IntN(12) {
			text.WriteString(pieces[r.IntN(len(pieces))])
		}
		parse := json.Valid
		want := splits(text.String(), nil)
		if diff := cmp.Diff(want, splits(text.String(), parse)); diff != "" {
			t.Fatalf("%q: %s", text.String(), diff)
		}
	}
}

// TestParsingIsTriedOncePerLine: else, a line of many objects would cost the
// square of its length.
func TestParsingIsTriedOncePerLine(t *testing.T) {
	tried := 0
	splits(strings.Repeat(`{"a":1}`, 5)+"\n"+`{"b":2}`+"\n", func([]byte) bool { tried++; return false })
	if tried != 2 {
		t.Errorf("tried %d times, want once for each line", tried)
	}
}

// splits returns what a reader of values gets, each with its line.
func splits(text string, parse func([]byte) bool) []string {
	v := NewValues(strings.NewReader(text), 64)
	var all []string
	for {
		b, err := v.NextParsed(parse)
		if err != nil && !errors.Is(err, ErrLong) {
			return all
		}
		all = append(all, fmt.Sprint(v.Number(), " ", string(b), " ", err))
	}
}
