package program

import (
	"slices"
	"strings"
)

// An interpreter says how one reads its options, as getopt does: options of
// one letter may share a dash.
type interpreter struct {
	inline   string // letters that code follows
	file     string // letters that a script follows, attached or as the next argument
	module   string // letters that the name of a module follows, likewise
	value    string // letters that another value follows, likewise
	attached string // letters that end their group, with a value or without

	long       []string // options with two dashes that a value follows as the next argument
	longInline []string // options with two dashes that code follows
	skip       []string // words before the script
	slash      bool     // options begin with a slash
	quiet      bool     // without a script it runs nothing that we know of
}

// interpreters are the interpreters by the stem of their file names without a
// version.
var interpreters = map[string]interpreter{
	"python":  python,
	"pythonw": python,
	"pypy":    python,
	"py":      python,
	"pyw":     python,
	"node": {
		inline: "ep", value: "rC",
		long: []string{
			"require", "import", "loader", "experimental-loader", "conditions", "env-file", "env-file-if-exists", "title",
			"input-type", "icu-data-dir", "openssl-config", "redirect-warnings", "diagnostic-dir", "inspect-port",
			"unhandled-rejections", "dns-result-order", "disable-warning", "watch-path", "max-http-header-size",
		},
		longInline: []string{"eval", "print"},
		skip:       []string{"inspect"},
	},
	"perl":        perl,
	"wperl":       perl,
	"ruby":        ruby,
	"rubyw":       ruby,
	"php":         php,
	"php-cgi":     php,
	"php-win":     php,
	"tclsh":       {},
	"wish":        {},
	"lua":         {inline: "e", value: "l"},
	"rscript":     {inline: "e"},
	"autohotkey":  {slash: true, quiet: true},
	"autohotkeyu": {slash: true, quiet: true},
	"autoit":      {slash: true, quiet: true},
	"autoit3_x":   {slash: true, quiet: true},
}

// The options of each are those of its manual page.
var (
	python = interpreter{inline: "c", module: "m", value: "WXQ", attached: "V", long: []string{"check-hash-based-pycs"}}
	perl   = interpreter{inline: "eE", value: "I", attached: "DFMVimx"}
	ruby   = interpreter{inline: "e", value: "CEIXr", attached: "FKTix", long: []string{"encoding", "external-encoding", "internal-encoding"}}
	php    = interpreter{inline: "rBRE", file: "fF", value: "cdStz", long: []string{"define", "php-ini"}, longInline: []string{"run"}}
)

// script returns what an interpreter runs.
func (i interpreter) script(p process) string {
	args := p.arguments()
	asked := false // for the version or for help, perhaps
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		name, long := strings.CutPrefix(arg, "--")
		switch {
		case arg == "-":
			return stdin
		case long && name == "":
			return named("script", args.value())
		case long:
			asked = true
			if i.longOption(name, args) {
				return inline
			}
		case i.slash && strings.HasPrefix(arg, "/"):
		case strings.HasPrefix(arg, "-"):
			asked = true
			if hosted, done := i.letters(arg[1:], args); done {
				return hosted
			}
		case slices.Contains(i.skip, arg):
		default:
			return named("script", arg)
		}
	}
	if asked || i.quiet {
		return ""
	}
	return interactive
}

// longOption skips the value of an option, and reports whether it is code.
func (i interpreter) longOption(option string, args *arguments) (code bool) {
	name, _, attached := strings.Cut(option, "=")
	if slices.Contains(i.longInline, name) {
		return true
	}
	if !attached && slices.Contains(i.long, name) {
		args.next()
	}
	return false
}

// letters reads a group of options. It is done when one of them says what
// runs.
func (i interpreter) letters(group string, args *arguments) (hosted string, done bool) {
	for n := range len(group) {
		letter, rest := group[n], group[n+1:]
		switch {
		case strings.IndexByte(i.inline, letter) >= 0:
			return inline, true
		case strings.IndexByte(i.module, letter) >= 0:
			return word("module", orNext(rest, args)), true
		case strings.IndexByte(i.file, letter) >= 0:
			return named("script", orNext(rest, args)), true
		case strings.IndexByte(i.value, letter) >= 0:
			orNext(rest, args)
			return "", false
		case strings.IndexByte(i.attached, letter) >= 0:
			return "", false
		}
	}
	return "", false
}

// orNext returns the value that is attached to an option, or the next
// argument.
func orNext(attached string, args *arguments) string {
	if attached != "" {
		return attached
	}
	return args.value()
}
