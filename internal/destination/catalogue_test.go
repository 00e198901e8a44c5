package destination

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func load(t testing.TB) *Catalogue {
	t.Helper()
	c, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestShipped(t *testing.T) {
	c := load(t)
	if n := len(c.Services()); n < 280 {
		t.Errorf("%d services, want 280", n)
	}
	classes := map[Class]int{}
	for _, d := range c.Classes() {
		classes[d.Name] = 0
		if d.Title == "" || d.Doc == "" || !strings.HasSuffix(d.Doc, ".") || strings.Count(d.Doc, ". ") > 0 {
			t.Errorf("class %s is not documented in one sentence: %q", d.Name, d.Doc)
		}
	}
	for _, s := range c.Services() {
		classes[s.Class]++
		if s.Source == "" {
			t.Errorf("service %s has no source", s.Name)
		}
		for _, p := range s.Patterns {
			for _, name := range examples(p) {
				if got, ok := c.Lookup(name); !ok || got.Name != s.Name || got.Class != s.Class {
					t.Errorf("%s of %s: Lookup(%s) = %s", p, s.Name, name, got.Name)
				}
			}
		}
	}
	for _, want := range strings.Fields("cloud-storage code-host paste chat social tunnel serverless file-drop rmm ai-api ip-echo url-shortener dynamic-dns telemetry monitoring update pki cdn mail collaboration search identity analytics backup vpn dns media") {
		if classes[Class(want)] == 0 {
			t.Errorf("class %s is missing or empty", want)
		}
	}
}

// examples returns names that a pattern stands for, but for those that a
// longer pattern may take away.
func examples(pattern string) []string {
	if exact, ok := strings.CutPrefix(pattern, "="); ok {
		return []string{exact}
	}
	if below, ok := strings.CutPrefix(pattern, "*."); ok {
		return []string{"x-1." + below}
	}
	name := strings.Replace(pattern, ".*.", ".eu-west-1.", 1)
	return []string{name, "x-1." + name, "X-1.Y-2." + name + "."}
}

const small = `# comment
class: storage
title: Storage
why: It stores.
source: its own pages
Store = store.example =exact.example s3.*.cloud.example
Bucket = *.bucket.store.example deep.s3.eu.cloud.example

source: other pages
Other = bucket.store.example cloud.example
Resolver = =192.0.2.53 =2001:db8::53
`

func TestLookup(t *testing.T) {
	c, err := Load(strings.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"":                           "",
		"example":                    "",
		"other.example":              "",
		"store.example":              "Store",
		"a.b.store.example":          "Store",
		"STORE.example.":             "Store",
		"xstore.example":             "",
		"exact.example":              "Store",
		"not.exact.example":          "",
		"bucket.store.example":       "Other",
		"x.bucket.store.example":     "Bucket",
		"x.y.bucket.store.example":   "Bucket",
		"cloud.example":              "Other",
		"eu.cloud.example":           "Other",
		"s3.eu.cloud.example":        "Store",
		"x.s3.eu.cloud.example":      "Store",
		"s3.cloud.example":           "Other",
		"deep.s3.eu.cloud.example":   "Bucket",
		"x.deep.s3.eu.cloud.example": "Bucket",
		"192.0.2.53":                 "Resolver",
		"1.192.0.2.53":               "",
		"2001:DB8:0::53":             "Resolver",
		strings.Repeat("a.", 2000) + "store.example": "Store",
	} {
		got, ok := c.Lookup(name)
		if got.Name != want || ok != (want != "") {
			t.Errorf("Lookup(%.40s) = %q, %v, want %q", name, got.Name, ok, want)
		}
	}
	want := Service{"Other", "storage", []string{"bucket.store.example", "cloud.example"}, "other pages"}
	if diff := cmp.Diff(want, c.Services()[2]); diff != "" {
		t.Errorf("service (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]ClassDoc{{"storage", "Storage", "It stores."}}, c.Classes()); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
	if _, ok := new(Catalogue).Lookup("store.example"); ok {
		t.Error("the zero catalogue knows a service")
	}
}

func TestLoadErrors(t *testing.T) {
	head := "class: a\ntitle: A\nwhy: B.\nsource: c\n"
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"no class", "X = x.example", `line 1: service X is before the first class`},
		{"title without a class", "title: A", `line 1: title: before the first class`},
		{"bad class", "class: A B", `line 1: class "A B" is not made of lower-case words with - between`},
		{"class twice", head + "X = x.example\nclass: a", `line 6: class a is there already`},
		{"title twice", head + "title: B", `line 5: title: class a has one`},
		{"empty value", "class: a\nwhy:", `line 2: why: says nothing`},
		{"no source", "class: a\ntitle: A\nwhy: B.\nX = x.example", `line 4: class a has no source`},
		{"empty class", head, `at its end: class a, or its last group, has no service`},
		{"empty group", head + "source: d", `line 5: source: the group before has no service`},
		{"not a service", head + "X: x.example", `line 5: "X: x.example" is neither a class's head nor a service with its patterns`},
		{"no pattern", head + "X =  ", `line 5: "X =" is neither a class's head nor a service with its patterns`},
		{"service twice", head + "X = x.example\nX = y.example", `line 6: service X is on line 5 already`},
		{"pattern twice", head + "X = x.example\nY = x.example", `line 6: service Y: pattern x.example is on line 5 already`},
		{"upper case", head + "X = X.example", `line 5: service X: pattern X.example is not a name in normal form`},
		{"star in the middle", head + "X = a.b.*.example", `line 5: service X: pattern a.b.*.example is not a name in normal form`},
		{"two stars", head + "X = *.b.*.c.*.example", `line 5: service X: pattern *.b.*.c.*.example is not a name in normal form`},
		{"nothing but a star", head + "X = *.", `line 5: service X: pattern *. is not a name in normal form`},
		{"public suffix", head + "X = co.uk", `line 5: service X: pattern co.uk is a public suffix, which belongs to nobody`},
		{"single label", head + "X = intranet", `line 5: service X: pattern intranet is a public suffix, which belongs to nobody`},
		{"address", head + "X = 192.0.2.1", `line 5: service X: pattern 192.0.2.1 is an address, which has nothing below it: write =`},
		{"long line", strings.Repeat("x", 1<<17), `after line 0: bufio.Scanner: token too long`},
	} {
		_, err := Load(strings.NewReader(c.in))
		got := ""
		if err != nil {
			got = strings.TrimPrefix(err.Error(), "catalogue, ")
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	c := load(b)
	for _, name := range []string{"api.dropboxapi.com", "a.b.c.d.example.com", "bucket.s3.eu-west-1.amazonaws.com", "192.0.2.1"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Lookup(name)
			}
		})
	}
}
