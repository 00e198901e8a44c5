package pivot

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern/postern/internal/finding"
)

// hostile are values that have broken out of quotes somewhere.
var hostile = []string{
	`plain.exe`, `C:\Users\ann\x.exe`, `ends in \`, `ends in \\`, `'; rm -rf ~; '`, `$(id)`, "`id`", `${HOME}`, `a"b`, `a'b`, `\"`, `\'`,
	`") or 1==1 //`, `") | take 1`, `" | delete`, `') OR 1=1 --`, `'''`, `"""`, `\(1+1)`, `\u0022`, `*`, `?"x`, `%TEMP%`, `!!`, `$x$`, `[search *]`,
	"line\nbreak", "carriage\rreturn", "tab\tstop", "nul\x00", "bell\x07", "\x1b[201~id\n", "gpj\u202eexe.", "zero\u200bwidth", "\u2028", "\u0085", "\ufeff", "é", "日本", "😀", "\U000e0041tag",
}

// decoders read a literal back, each written from the language's own rules and
// not from the quoter.
var decoders = map[string]struct {
	quote  quoter
	decode func(string) (string, error)
}{
	"jq":    {jq, func(s string) (out string, err error) { return out, json.Unmarshal([]byte(s), &out) }},
	"kql":   {kql, backslashed(map[string]string{`\"`: `"`, `\\`: `\`, `\t`: "\t", `\n`: "\n"})},
	"eql":   {eql, backslashed(map[string]string{`\"`: `"`, `\\`: `\`})},
	"spl":   {spl, backslashed(map[string]string{`\"`: `"`, `\\`: `\`})},
	"sql":   {sql, sqlite},
	"shell": {shell, posix},
}

var token = regexp.MustCompile(`(?s)\\u\{([0-9a-f]+)\}|\\.|[^\\]`)

// backslashed returns a decoder of what stands between double quotes.
func backslashed(known map[string]string) func(string) (string, error) {
	return func(s string) (string, error) {
		var b strings.Builder
		for _, m := range token.FindAllStringSubmatch(s[1:len(s)-1], -1) {
			switch {
			case m[1] != "":
				n, err := strconv.ParseUint(m[1], 16, 32)
				if err != nil {
					return "", err
				}
				b.WriteRune(rune(n))
			case m[0] == `"`:
				return "", fmt.Errorf("a bare quote in %s", s)
			case m[0][0] != '\\':
				b.WriteString(m[0])
			case known[m[0]] == "":
				return "", fmt.Errorf("no such escape: %s", m[0])
			default:
				b.WriteString(known[m[0]])
			}
		}
		return b.String(), nil
	}
}

var sqlTerm = regexp.MustCompile(`(?s)^('(?:[^']|'')*'|char\((\d+)\))(?: \|\| |$)`)

func sqlite(s string) (string, error) {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "("), ")")
	var b strings.Builder
	for s != "" {
		m := sqlTerm.FindStringSubmatch(s)
		if m == nil {
			return "", fmt.Errorf("no term at %s", s)
		}
		s = s[len(m[0]):]
		if m[2] == "" {
			b.WriteString(strings.ReplaceAll(m[1][1:len(m[1])-1], "''", "'"))
			continue
		}
		n, err := strconv.Atoi(m[2])
		if err != nil {
			return "", err
		}
		b.WriteRune(rune(n))
	}
	return b.String(), nil
}

var (
	single = regexp.MustCompile(`(?s)^'([^']*)'|^\\'`)
	octal  = regexp.MustCompile(`\\([0-7]{3})|\\(.)|([^\\'])`)
)

func posix(s string) (string, error) {
	var b strings.Builder
	if inner, ok := strings.CutPrefix(s, "$'"); ok {
		inner = strings.TrimSuffix(inner, "'")
		for _, m := range octal.FindAllStringSubmatch(inner, -1) {
			if m[1] != "" {
				n, err := strconv.ParseUint(m[1], 8, 8)
				if err != nil {
					return "", err
				}
				b.WriteByte(byte(n))
			}
			b.WriteString(m[2] + m[3])
		}
		return b.String(), nil
	}
	for s != "" {
		m := single.FindStringSubmatch(s)
		if m == nil {
			return "", fmt.Errorf("unquoted: %s", s)
		}
		if m[0] == `\'` {
			b.WriteByte('\'')
		}
		b.WriteString(m[1])
		s = s[len(m[0]):]
	}
	return b.String(), nil
}

// check wants a literal to be readable, printable, and read back as it was.
func check(t interface{ Errorf(string, ...any) }, name, value string) {
	c := decoders[name]
	literal, ok := c.quote(value)
	if !ok {
		return
	}
	if !tame(literal) {
		t.Errorf("%s: the literal of %q is not printable: %q", name, value, literal)
	}
	if got, err := c.decode(literal); err != nil || got != value {
		t.Errorf("%s: %q is written %s and read as %q (%v)", name, value, literal, got, err)
	}
}

func TestLiteralsAreReadBack(t *testing.T) {
	for name := range decoders {
		for _, value := range hostile {
			check(t, name, value)
		}
		rapid.Check(t, func(r *rapid.T) { check(r, name, rapid.String().Draw(r, "value")) })
	}
}

// TestOrdinaryPathsAreWritten: leaving out is for what no path holds.
func TestOrdinaryPathsAreWritten(t *testing.T) {
	for name, c := range decoders {
		for _, value := range []string{`C:\Program Files (x86)\A & B's\x.exe`, "drop.example.net", "2001:db8::1", "münchen.example"} {
			if _, ok := c.quote(value); !ok {
				t.Errorf("%s does not write %q", name, value)
			}
		}
	}
}

// TestShellAgrees: bash itself reads the literals back.
func TestShellAgrees(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	for _, value := range hostile {
		literal, ok := shell(value)
		if !ok {
			continue
		}
		out, err := exec.Command(bash, "-c", "printf %s "+literal).Output()
		if err != nil || string(out) != value {
			t.Errorf("%q is written %s and read as %q (%v)", value, literal, out, err)
		}
	}
}

// TestSQLiteAgrees: so does SQLite, where Python brings it along.
func TestSQLiteAgrees(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no Python here")
	}
	for _, value := range hostile {
		literal, ok := sql(value)
		if !ok {
			continue
		}
		out, err := exec.Command(python, "-X", "utf8", "-c",
			"import sqlite3,sys; sys.stdout.buffer.write(sqlite3.connect(':memory:').execute('SELECT '+sys.argv[1]).fetchone()[0].encode())", literal).Output()
		if err != nil || string(out) != value {
			t.Errorf("%q is written %s and read as %q (%v)", value, literal, out, err)
		}
	}
}

func subjectWith(value func(i int) string) *finding.Finding {
	at := time.Date(2026, 11, 6, 10, 0, 0, 0, time.UTC)
	f := &finding.Finding{
		Hosts: []string{value(0)}, FirstSeen: at, LastSeen: at.Add(50 * time.Hour),
		Processes: []finding.Process{{Image: value(1)}, {Image: value(2)}},
		Destination: finding.Destination{
			RegisteredDomain: value(3), Names: []string{value(4), value(5)}, Addresses: []string{value(6)},
		},
		Series: &finding.Series{Largest: []finding.Sample{{UID: value(7)}, {UID: value(8)}}},
	}
	return f
}

var literals = map[string]*regexp.Regexp{
	"kql": regexp.MustCompile(`(?s)"(?:\\.|[^"\\])*"`),
	"eql": regexp.MustCompile(`(?s)"(?:\\.|[^"\\])*"`),
	"spl": regexp.MustCompile(`(?s)"(?:\\.|[^"\\])*"`),
	"sql": regexp.MustCompile(`(?s)'(?:''|[^'])*'`),
	"sh":  regexp.MustCompile(`(?s)\$'(?:\\.|[^\\'])*'|'[^']*'(?:\\''[^']*')*`),
}

// shape is a query with each literal as one sign.
func shape(q Query) string {
	s := literals[q.Lang].ReplaceAllString(q.Text, "L")
	return regexp.MustCompile(`\(L(?: \|\| char\(\d+\) \|\| L)+\)`).ReplaceAllString(s, "L")
}

// TestHostileValuesStayWithinTheirQuotes: whatever a finding holds, the query
// around its literals is the same as that of a harmless one.
func TestHostileValuesStayWithinTheirQuotes(t *testing.T) {
	for _, evil := range hostile {
		harmless := subjectWith(func(i int) string { return fmt.Sprint("x", i) })
		got := subjectWith(func(i int) string { return evil + fmt.Sprint(i) })
		left := Queries(got)
		for i, want := range Queries(harmless) {
			q := left[min(i, len(left)-1)]
			if q.Note != "" || q.Name != want.Name {
				continue // the value was left out, which the other tests see
			}
			if diff := cmp.Diff(shape(want), shape(q)); diff != "" {
				t.Errorf("%q breaks out of %s:\n%s", evil, q.Name, diff)
			}
			for _, line := range strings.Split(q.Text, "\n") {
				if !tame(line) {
					t.Errorf("%q: %s is not printable: %q", evil, q.Name, line)
				}
			}
		}
	}
}

func TestWhatIsLeftOutIsSaid(t *testing.T) {
	f := subjectWith(func(i int) string { return fmt.Sprint("x", i) })
	f.Processes = append(f.Processes, finding.Process{Image: "a\x1bb"}, finding.Process{Image: strings.Repeat("y", maxLiteral+1)})
	for _, q := range Queries(f) {
		want := ""
		switch q.Lang {
		case "kql", "spl":
			want = "2 values are left out"
		case "eql", "sql":
			want = "1 value is left out"
		}
		if !strings.Contains(q.Note, want) || (want == "") != (q.Note == "") {
			t.Errorf("%s: %q, want %q", q.Name, q.Note, want)
		}
	}
}

func TestNothingToAskFor(t *testing.T) {
	if q := Queries(&finding.Finding{}); len(q) != 0 {
		t.Errorf("%v", q)
	}
}
