package decode_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/postern/postern/internal/decode"
	"pgregory.net/rapid"
)

func TestValues(t *testing.T) {
	big := `{"a":"` + strings.Repeat("x", 1<<20) + `"}`
	tests := []struct {
		name string
		in   string
		max  int
		want []piece
	}{
		{name: "empty"},
		{name: "blank", in: " \n\t\r\n"},
		{name: "lines", in: "{\"a\":1}\n{\"b\":{}}\r\n\n{}", want: []piece{{1, `{"a":1}`, false}, {2, `{"b":{}}`, false}, {4, `{}`, false}}},
		{name: "several in a line", in: `{"a":1}{"b":2} {"c":3},{"d":4}`, want: []piece{{1, `{"a":1}`, false}, {1, `{"b":2}`, false}, {1, `{"c":3}`, false}, {1, `{"d":4}`, false}}},
		{name: "braces in strings", in: `{"a":"}{","b":"\"}","c":"\\"}` + "\n{}", want: []piece{{1, `{"a":"}{","b":"\"}","c":"\\"}`, false}, {2, `{}`, false}}},
		{name: "windows paths", in: `{"a":"C:\\x\\","b":"\\\""}{}`, want: []piece{{1, `{"a":"C:\\x\\","b":"\\\""}`, false}, {1, `{}`, false}}},
		{name: "pretty", in: "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n{\n  \"c\": 2\n}\n", want: []piece{{1, "{\n  \"a\": {\n    \"b\": 1\n  }\n}", false}, {6, "{\n  \"c\": 2\n}", false}}},
		{name: "pretty without indent", in: "{\n\"a\": {\n\"b\": [\n{\n\"c\": 1\n}\n]\n}\n}\n{}", want: []piece{{1, "{\n\"a\": {\n\"b\": [\n{\n\"c\": 1\n}\n]\n}\n}", false}, {10, "{}", false}}},
		{name: "array", in: "[{\"a\":1},\n{\"b\":2}\n,{\"c\":3}]\n", want: []piece{{1, `{"a":1}`, false}, {2, `{"b":2}`, false}, {3, `{"c":3}`, false}}},
		{name: "pretty array", in: "[\n  {\n    \"a\": [\n      {},\n      {}\n    ]\n  },\n  {\n    \"b\": 2\n  }\n]\n", want: []piece{{2, "{\n    \"a\": [\n      {},\n      {}\n    ]\n  }", false}, {8, "{\n    \"b\": 2\n  }", false}}},
		{name: "evtx_dump", in: "Record 1\n{\n  \"a\": 1\n}\nRecord 2\r\n{\n  \"a\": 2\n}\n", want: []piece{{2, "{\n  \"a\": 1\n}", false}, {6, "{\n  \"a\": 2\n}", false}}},
		{name: "text between", in: "hello\n{\"a\":1}\n  Record x\nRecord \n{\"b\":2} tail\r\n{}\nend", want: []piece{{1, "hello", false}, {2, `{"a":1}`, false}, {3, "Record x", false}, {4, "Record ", false}, {5, `{"b":2}`, false}, {5, "tail", false}, {6, "{}", false}, {7, "end", false}}},

		{name: "line cut short", in: "{\"a\":1}\n{\"a\":{\"b\"\n\n{\"c\":3}\n{\"d\":4}\n", want: []piece{{1, `{"a":1}`, false}, {2, `{"a":{"b"`, false}, {4, `{"c":3}`, false}, {5, `{"d":4}`, false}}},
		{name: "line cut short in a string", in: "{\"a\":\"b\\\n{\"c\":3}\n", want: []piece{{1, `{"a":"b\`, false}, {2, `{"c":3}`, false}}},
		{name: "newline in a string", in: "{\"a\":\"b{\nc\",\"d\n{ \"c\":3}\n", want: []piece{{1, "{\"a\":\"b{\nc\",\"d", false}, {3, `{ "c":3}`, false}}},
		{name: "element cut short", in: "[{\"a\":{\n,{\"c\":3}]", want: []piece{{1, `{"a":{`, false}, {2, `{"c":3}`, false}}},
		{name: "pretty cut short", in: "{\n  \"a\": {\n{\n  \"b\": 2\n}\n", want: []piece{{1, "{\n  \"a\": {", false}, {3, "{\n  \"b\": 2\n}", false}}},
		{name: "pretty element cut short", in: "[\n  {\n    \"a\": {\n  },\n  {\n    \"b\": 2\n  }\n]\n", want: []piece{{2, "{\n    \"a\": {\n  },", false}, {5, "{\n    \"b\": 2\n  }", false}}},
		{name: "evtx_dump cut short", in: "Record 1\n{\n  \"a\": \"\nRecord 2\n{\n  \"b\": 2\n}\n", want: []piece{{2, "{\n  \"a\": \"", false}, {5, "{\n  \"b\": 2\n}", false}}},
		{name: "records in an object", in: "{\"Records\":[\n{\"a\":1},\n{\"b\":2}\n]}\n", want: []piece{{1, `{"Records":[`, false}, {2, `{"a":1}`, false}, {3, `{"b":2}`, false}}},
		{name: "end cut short", in: "{\"a\":1}\n{\"b\":", want: []piece{{1, `{"a":1}`, false}, {2, `{"b":`, false}}},

		{name: "longer than the buffer", in: "[" + big + "\n" + big + "]", want: []piece{{1, big, false}, {2, big, false}}},
		{name: "at the limit", in: "{\"a\":1}\n{\"a\":10}\n{\"a\":1}{\"a\":10}{}", max: 7, want: []piece{{1, `{"a":1}`, false}, {2, "", true}, {3, `{"a":1}`, false}, {3, "", true}, {3, `{}`, false}}},
		{name: "over the limit and the buffer", in: big + big + "\n{}", max: 1000, want: []piece{{1, "", true}, {1, "", true}, {2, "{}", false}}},
		{name: "over the limit and cut short", in: big[:len(big)-2] + "\n{\"a\":1}\n", max: 1000, want: []piece{{1, "", true}, {2, `{"a":1}`, false}}},
		{name: "over the limit and never closed", in: big[:len(big)-2], max: 1000, want: []piece{{1, "", true}}},
		{name: "text over the limit", in: "x" + big + "\n{}", max: 1000, want: []piece{{1, "", true}, {2, "{}", false}}},
		{name: "no text", in: "\x00\xff\n{}\n\x00", want: []piece{{1, "\x00\xff", false}, {2, "{}", false}, {3, "\x00", false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := pieces(decode.NewValues(strings.NewReader(tt.in), tt.max))
			if err != io.EOF {
				t.Errorf("error %v at the end, want io.EOF", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			got, _ = pieces(decode.NewValues(iotest.OneByteReader(strings.NewReader(tt.in)), tt.max))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("values, read byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValuesReaderFails(t *testing.T) {
	broken := errors.New("cable pulled")
	values := decode.NewValues(failing("{\"a\":1}\n{\"b\":", broken), 0)
	got, err := pieces(values)
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if diff := cmp.Diff([]piece{{1, `{"a":1}`, false}}, got); diff != "" {
		t.Errorf("values before the error (-want +got):\n%s", diff)
	}
	if _, err := values.Next(); !errors.Is(err, broken) {
		t.Errorf("error %v when asked again, want %v", err, broken)
	}
}

// TestValuesLayouts writes random objects in every layout that programs use
// and expects them back.
func TestValuesLayouts(t *testing.T) {
	layouts := map[string]func(objects [][]byte) []byte{
		"lines":        func(o [][]byte) []byte { return bytes.Join(o, []byte("\n")) },
		"concatenated": func(o [][]byte) []byte { return bytes.Join(o, nil) },
		"array":        func(o [][]byte) []byte { return wrap("[", bytes.Join(o, []byte(",")), "]") },
		"array, lines": func(o [][]byte) []byte { return wrap("[\n", bytes.Join(o, []byte(",\n")), "\n]\n") },
		"pretty":       func(o [][]byte) []byte { return bytes.Join(indented(o), []byte("\n")) },
		"pretty array": func(o [][]byte) []byte {
			return indent(wrap("[", bytes.Join(o, []byte(",")), "]"))
		},
		"evtx_dump": func(o [][]byte) []byte {
			return wrap("Record 1\n", bytes.Join(indented(o), []byte("\nRecord 2\n")), "\n")
		},
	}
	tree := rapid.Deferred(func() *rapid.Generator[any] { return jsonValue(3) })
	rapid.Check(t, func(t *rapid.T) {
		var objects [][]byte
		for _, m := range rapid.SliceOfN(rapid.MapOfN(rapid.String(), tree, 0, 4), 1, 4).Draw(t, "objects") {
			b, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			objects = append(objects, b)
		}
		for name, lay := range layouts {
			got, _ := pieces(decode.NewValues(bytes.NewReader(lay(objects)), 0))
			var compacted []string
			for _, p := range got {
				var b bytes.Buffer
				if err := json.Compact(&b, []byte(p.Text)); err != nil {
					t.Fatalf("%s: %q: %v", name, p.Text, err)
				}
				compacted = append(compacted, b.String())
			}
			var want []string
			for _, o := range objects {
				want = append(want, string(o))
			}
			if diff := cmp.Diff(want, compacted); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func jsonValue(depth int) *rapid.Generator[any] {
	text := rapid.Map(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`{"`, `}`, `\`, `"`, "\nRecord 1\n"})), func(s string) any { return s })
	if depth == 0 {
		return text
	}
	inner := jsonValue(depth - 1)
	return rapid.OneOf(text,
		rapid.Map(rapid.SliceOfN(inner, 0, 3), func(v []any) any { return v }),
		rapid.Map(rapid.MapOfN(rapid.String(), inner, 0, 3), func(v map[string]any) any { return v }))
}

func wrap(before string, b []byte, after string) []byte {
	return append(append([]byte(before), b...), after...)
}

func indent(b []byte) []byte {
	var out bytes.Buffer
	_ = json.Indent(&out, b, "", "  ")
	return out.Bytes()
}

func indented(objects [][]byte) [][]byte {
	var out [][]byte
	for _, o := range objects {
		out = append(out, indent(o))
	}
	return out
}

// FuzzValues checks that what is returned stands in the input in that order,
// on the line said, and does not depend on how the input is read.
func FuzzValues(f *testing.F) {
	f.Add("{\"a\":{\n{\"b\":\"\\\\\\\"}\"}\n[{},{}] x\n", 9)
	f.Add("Record 1\n{\n  \"a\": [\n{\n", 100)
	f.Fuzz(func(t *testing.T, in string, max int) {
		if max <= 0 {
			return
		}
		whole, err := pieces(decode.NewValues(strings.NewReader(in), max))
		if err != io.EOF {
			t.Fatalf("error %v", err)
		}
		bytewise, _ := pieces(decode.NewValues(iotest.OneByteReader(strings.NewReader(in)), max))
		if diff := cmp.Diff(whole, bytewise); diff != "" {
			t.Fatalf("read byte by byte (-whole +bytewise):\n%s", diff)
		}
		rest, line := in, int64(1)
		for _, p := range whole {
			if p.Long {
				continue
			}
			if len(p.Text) > max || p.Text == "" {
				t.Fatalf("a value of %d bytes", len(p.Text))
			}
			i := strings.Index(rest, p.Text)
			if i < 0 {
				t.Fatalf("%q is not in the rest of the input", p.Text)
			}
			// What was too long may hold the same text earlier.
			line += int64(strings.Count(rest[:i], "\n"))
			if p.Number < line {
				t.Fatalf("%q on line %d, want at least %d", p.Text, p.Number, line)
			}
			line += int64(strings.Count(p.Text, "\n"))
			rest = rest[i+len(p.Text):]
		}
	})
}

func BenchmarkValues(b *testing.B) {
	record := `{"@timestamp":"2020-09-22T04:37:07.012Z","event_id":3,"message":"Network connection detected:\r\nRuleName: -","Image":"C:\\Windows\\System32\\svchost.exe","event_data":{"SourceIp":"10.0.0.4","DestinationPort":"443"}}` + "\n"
	in := bytes.Repeat([]byte(record), 50_000)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		values := decode.NewValues(bytes.NewReader(in), 0)
		for {
			if _, err := values.Next(); err != nil {
				break
			}
		}
	}
}
