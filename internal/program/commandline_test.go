package program

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// all returns the arguments of a command line.
func all(line, image string) []string {
	found := []string{}
	args := newArguments(line, image)
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		found = append(found, arg)
	}
	return found
}

func TestArguments(t *testing.T) {
	const spaced = `C:\Program Files\A b\x.exe`
	for _, c := range []struct {
		line, image string
		want        []string
	}{
		{``, ``, []string{}},
		{`x.exe`, ``, []string{}},
		{" x.exe \t a  b\t", ``, []string{"a", "b"}},
		// The examples of Microsoft's page "Parsing C command-line arguments".
		{`x "a b c" d e`, ``, []string{"a b c", "d", "e"}},
		{`x "ab\"c" "\\" d`, ``, []string{`ab"c`, `\`, "d"}},
		{`x a\\\b d"e f"g h`, ``, []string{`a\\\b`, "de fg", "h"}},
		{`x a\\\"b c d`, ``, []string{`a\"b`, "c", "d"}},
		{`x a\\\\"b c" d e`, ``, []string{`a\\b c`, "d", "e"}},
		// Where CommandLineToArgvW differs from C: two quotes end the quotes.
		{`x a"b"" c d`, ``, []string{`ab"`, "c", "d"}},
		{`x """y""" z`, ``, []string{`"y"`, "z"}},
		{`x "" a`, ``, []string{"", "a"}},
		{`x "open end`, ``, []string{"open end"}},
		{`x "a\\`, ``, []string{`a\\`}},
		// The program.
		{`"C:\A b\x.exe" a`, ``, []string{"a"}},
		{`"C:\A b\x.exe"a`, ``, []string{"a"}},
		{`"C:\A b\x\" a`, ``, []string{"a"}},
		{`"never closed a`, ``, []string{}},
		{`c:\program files\a B\X.EXE a`, spaced, []string{"a"}},
		{`C:\Program Files\A b\x a`, spaced, []string{"a"}},
		{`C:\Program Files\A b\x.exe`, spaced, []string{}},
		{`C:\Program Files\A b\x.exex a`, spaced, []string{`Files\A`, `b\x.exex`, "a"}},
	} {
		if diff := cmp.Diff(c.want, all(c.line, c.image)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.line, diff)
		}
	}
}

// quote writes an argument so that CommandLineToArgvW reads it back.
func quote(arg string) string {
	var b strings.Builder
	slashes := 0
	for i := range len(arg) {
		switch arg[i] {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1))
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteByte(arg[i])
	}
	return `"` + b.String() + strings.Repeat(`\`, slashes) + `"`
}

func TestArgumentsComeBack(t *testing.T) {
	arg := rapid.OneOf(rapid.StringMatching(`[ab\\" \t]{0,8}`), rapid.StringN(0, 20, -1))
	rapid.Check(t, func(t *rapid.T) {
		want := append([]string{}, rapid.SliceOfN(arg, 0, maxArguments).Draw(t, "arguments")...)
		line := "x.exe"
		for _, a := range want {
			line += " " + quote(a)
		}
		if diff := cmp.Diff(want, all(line, "")); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", line, diff)
		}
	})
}

func TestTarget(t *testing.T) {
	for arg, want := range map[string]string{
		``:                                     ``,
		`"a.js"`:                               `a.js`,
		`..\..\a.js`:                           `a.js`,
		`C:\Users\bob\a.js`:                    `%user%\a.js`,
		`https://www.example.com/a?b`:          `url:example.com`,
		`http://EXAMPLE.com.:80`:               `url:example.com`,
		`http://u:p@a.b.github.io/x`:           `url:b.github.io`,
		`ftp://198.51.100.7:21/a`:              `url:198.51.100.7`,
		`http://[2001:DB8::1]:8080/`:           `url:2001:db8::1`,
		`http://[::ffff:198.51.100.7]/`:        `url:198.51.100.7`,
		`http://localhost:3000`:                `url:localhost`,
		`http:\\example.org\a`:                 `url:example.org`,
		`script:https://cdn.example.org/a.sct`: `url:example.org`,
		`http://`:                              `url:?`,
		`http://a b/`:                          `url:?`,
		`http://` + strings.Repeat("a.", 200):  `url:?`,
		`C:\\a\\b.js`:                          `\a\b.js`,
	} {
		if got := target(arg); got != want {
			t.Errorf("target(%s) = %s, want %s", arg, got, want)
		}
	}
}
