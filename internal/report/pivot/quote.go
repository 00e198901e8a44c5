package pivot

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxLiteral is the longest value, in bytes, that a query names. A longer one
// is hardly a path or a name, and no analyst would read the query.
const maxLiteral = 1000

// A quoter writes s as a literal of a language. It reports false when the
// language has no documented way to write it in printable characters: then the
// query must do without the value.
type quoter func(s string) (string, bool)

// steers reports whether r has no shape of its own: control characters,
// overrides of the writing direction, line breaks. None may stand in a query,
// because a person pastes it into a terminal or a browser and believes what it
// looks like.
func steers(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) ||
		unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) || r != ' ' && unicode.IsSpace(r)
}

func tame(s string) bool { return !strings.ContainsFunc(s, steers) }

// escape writes s with a function for each rune that is special or steers.
func escape(s, special string, write func(r rune) string) string {
	var b strings.Builder
	for _, r := range s {
		if steers(r) || strings.ContainsRune(special, r) {
			b.WriteString(write(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// shell quotes for sh: everything between single quotes is literal but a single
// quote. What steers a terminal is written as $'...', which bash, zsh and ksh
// know.
func shell(s string) (string, bool) {
	switch {
	case strings.ContainsRune(s, 0): // no argument can hold it
		return "", false
	case tame(s):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", true
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(rune(c)))
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03o`, c) // three digits: \x would take in what follows
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "'", true
}

// jq quotes as JSON does. A jq program interpolates at \(, which the escaped
// backslash prevents.
func jq(s string) (string, bool) {
	return `"` + escape(s, `"\`, func(r rune) string {
		if r == '"' || r == '\\' {
			return `\` + string(r)
		}
		var out strings.Builder
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
		return out.String()
	}) + `"`, true
}

// kql quotes for Kusto, whose documented escapes are those of the quote, the
// backslash, tabs and line feeds.
func kql(s string) (string, bool) {
	known := map[rune]string{'"': `\"`, '\\': `\\`, '\t': `\t`, '\n': `\n`}
	ok := true
	out := escape(s, `"\`, func(r rune) string {
		ok = ok && known[r] != ""
		return known[r]
	})
	return `"` + out + `"`, ok
}

// eql quotes for Elastic's Event Query Language.
func eql(s string) (string, bool) {
	return `"` + escape(s, `"\`, func(r rune) string {
		if r == '"' || r == '\\' {
			return `\` + string(r)
		}
		return fmt.Sprintf(`\u{%04x}`, r)
	}) + `"`, true
}

// spl quotes for Splunk's eval expressions, where wildcards mean nothing. A
// backtick starts a macro elsewhere: whether it does within quotes is not left
// to chance.
func spl(s string) (string, bool) {
	ok := tame(s) && !strings.Contains(s, "`")
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`, ok
}

// sql quotes for SQLite, which osquery speaks: a quote is doubled, a backslash
// is a character like others.
func sql(s string) (string, bool) {
	if strings.ContainsRune(s, 0) {
		return "", false // ends a text in SQLite's functions
	}
	out := escape(s, "'", func(r rune) string {
		if r == '\'' {
			return "''"
		}
		return fmt.Sprintf("' || char(%d) || '", r)
	})
	if strings.Contains(out, "||") {
		return "('" + out + "')", true
	}
	return "'" + out + "'", true
}

// quoted writes the values that a language can, up to limit, and counts the
// others.
func quoted(q quoter, values []string, limit int) (out []string, without int) {
	for _, v := range values {
		if v == "" {
			continue
		}
		if len(v) > maxLiteral || len(out) >= limit || !utf8.ValidString(v) {
			without++
			continue
		}
		text, ok := q(v)
		if !ok {
			without++
			continue
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out, without
}
