package yamldoc_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/yamldoc"
)

type section struct {
	Count int     `yaml:"count"`
	Share float64 `yaml:"share"`
	Port  uint16  `yaml:"port"`
}

type site struct {
	Name   string     `yaml:"name"`
	Addr   netip.Addr `yaml:"addr"`
	Inputs []string   `yaml:"inputs"`
	Hidden int
}

type document struct {
	Title   string  `yaml:"title"`
	Section section `yaml:"section"`
	Sites   []site  `yaml:"sites"`
}

const limit = 1 << 20

func decode(t *testing.T, text string, into *document) error {
	t.Helper()
	d, err := yamldoc.Read(strings.NewReader(text), "x.yaml", limit)
	if err != nil {
		return err
	}
	return d.Decode(into)
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       document
	}{
		{"nothing", "", document{Title: "default"}},
		{"only a comment", "# nothing yet\n", document{Title: "default"}},
		{"keys without values keep the default", "title:\nsection:\n# count: 3\nsites:\n", document{Title: "default"}},
		{"scalars are what they look like", "title: no\nsites:\n- name: 07:00\n- name: 1e3\n- name: \"~\"\n", document{
			Title: "no", Sites: []site{{Name: "07:00"}, {Name: "1e3"}, {Name: "~"}},
		}},
		{"everything", "---\r\ntitle: |\r\n  two\r\n  lines\r\nsection: {count: -3, share: 0.25, port: 443}\r\nsites:\r\n  - name: a # a comment\r\n    addr: 10.0.0.1\r\n    inputs: [x, 'y z']\r\n", document{
			Title: "two\nlines\n", Section: section{-3, 0.25, 443},
			Sites: []site{{Name: "a", Addr: netip.MustParseAddr("10.0.0.1"), Inputs: []string{"x", "y z"}}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := document{Title: "default"}
			if err := decode(t, c.text, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an unknown key", "title: a\nsites:\n- name: b\n  nome: c\n",
			"x.yaml:4:3: unknown key \"nome\": want name, addr, inputs\n" +
				"     2 | sites:\n     3 | - name: b\n>    4 |   nome: c\n           ^"},
		{"a field without a key", "sites: [{Hidden: 3}]", `x.yaml:1:10: unknown key "Hidden"`},
		{"a number that is none", "section:\n  count: many\n", `x.yaml:2:10: want a whole number, not "many"`},
		{"a number too large", "section: {port: 65536}\n", `x.yaml:1:17: want a whole number from 0 to 65535, not "65536"`},
		{"text that its type refuses", "sites:\n- addr: here\n", `x.yaml:2:9: ParseAddr("here"): unable to parse IP`},
		{"a mapping for a list", "sites: {name: a}\n", "x.yaml:1:9: want a list here"},
		{"a list for text", "title: [a]\n", "x.yaml:1:8: want text here"},
		{"text for a mapping", "section: all\n", `x.yaml:1:10: want a mapping with count, share, port, not "all"`},
		{"a list as the document", "- a\n", "x.yaml:1:1: want a mapping with title, section, sites here"},
		{"an element without value", "sites:\n-\n- name: a\n", "x.yaml:2:1: element 1 of this list has no value"},
		{"a key twice", "title: a\ntitle: b\n", `x.yaml:2:1: mapping key "title" already defined at [1:1]`},
		{"a bracket left open", "sites: [", "x.yaml:1:8: "},
		{"a second document", "title: a\n---\ntitle: b\n", "x.yaml:3:6: a second document"},
		{"an anchor", "title: &a b\n", "x.yaml:1:8: \"&\": anchors, aliases"},
		{"a merge", "section:\n  <<: {count: 3}\n", "x.yaml:2:3: \"<<\": anchors"},
		{"a tag", "title: !!binary aGk=\n", "x.yaml:1:8: \"!!binary\": anchors"},
		{"an explicit key", "? title\n: a\n", "x.yaml:1:1: \"?\": anchors"},
		{"deep brackets", "title: " + strings.Repeat("[", 100_000), "nested too deeply"},
		{"deep dashes", strings.Repeat("- ", 100_000), "nested too deeply"},
		{"deep mappings", deep(100_000), "nested too deeply"},
		{"many keys", keys(1000), "x.yaml:257:5: too many keys in one mapping"},
		{"a terminal's escape", "title: a\nx\x1b[31m: b\n", ">    2 | x [31m: b"},
		{"no UTF-8", "title: \xff", "x.yaml is not UTF-8"},
		{"too large", "title: " + strings.Repeat("a", limit), "x.yaml is larger than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := decode(t, c.text, new(document))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error: %v\nwant:  %s", err, c.want)
			}
			if n := len(err.Error()); n > 1000 {
				t.Errorf("the error has %d bytes", n)
			}
		})
	}
}

// deep nests n mappings, one column each, within the limit of size.
func deep(n int) string {
	var b strings.Builder
	for i := 0; i < n && b.Len() < limit-2*i-10; i++ {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// keys writes a mapping of n keys.
func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: {}\n", i)
	}
	return b.String()
}

// TestManyMappings: the keys of each are counted alone.
func TestManyMappings(t *testing.T) {
	var d document
	if err := decode(t, "sites:\n"+strings.Repeat("- name: a\n  inputs: [b]\n", 1000)+"title: c\n", &d); err != nil || len(d.Sites) != 1000 {
		t.Errorf("%d sites, %v", len(d.Sites), err)
	}
}

func TestLocate(t *testing.T) {
	d, err := yamldoc.Read(strings.NewReader("section:\n  count: 3\nsites:\n  - name: a\n  - name: b\n    inputs: [x, y]\n"), "x.yaml", limit)
	if err != nil {
		t.Fatal(err)
	}
	wrong := errors.New("is wrong")
	for _, c := range []struct {
		path []any
		want string
	}{
		{[]any{"section", "count"}, "x.yaml:2:10: section.count: is wrong\n"},
		{[]any{"section", "share"}, "x.yaml:2:3: section.share: is wrong\n"},
		{[]any{"sites", 1, "inputs", 1}, "x.yaml:6:17: sites[1].inputs[1]: is wrong\n"},
		{[]any{"sites", 1}, "x.yaml:5:5: sites[1]: is wrong\n"},
		{[]any{"sites", 7}, "x.yaml:4:3: sites[7]: is wrong\n"},
		{[]any{"title"}, "x.yaml: title: is wrong"},
	} {
		err := yamldoc.At(yamldoc.At(wrong, c.path[1:]...), c.path[0])
		got := d.Locate(err)
		if !strings.HasPrefix(got.Error(), c.want) || !errors.Is(got, wrong) {
			t.Errorf("%v: %v\nwant %s", c.path, got, c.want)
		}
	}
	if got := d.Locate(wrong); got.Error() != wrong.Error() || yamldoc.At(nil, "a") != nil {
		t.Error("an error without a path, or none, is changed")
	}
}

// TestTime: what anybody writes within the limit is read or refused in a
// moment.
func TestTime(t *testing.T) {
	for _, unit := range []string{"a: b\n", "- a\n", "# c\n", "a\n", "'", "\"", "|\n", "[],", "{}", "a: ", ": ", ",", "\t", "a: |\n", "\n \n"} {
		start := time.Now()
		_ = decode(t, strings.Repeat(unit, 100_000/len(unit)), new(document))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q: %s", unit, took)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"title: a\nsites:\n- name: b\n  inputs: [c, 'd']\n", "section: {count: 3, share: .inf}\n", "? a\n", "title: >-\n  a\n\n  b\n", "a: &x [*x]", "sites:\n-\n  - {"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d document
		err := decode(t, text, &d)
		var placed *yamldoc.Error
		if errors.As(err, &placed) && strings.ContainsAny(err.Error(), "\x1b\x00\r") {
			t.Errorf("a control character in %q", err)
		}
	})
}
