package program

import (
	"regexp"
	"strings"
)

// option returns the name of an option of Windows in lower case, which a slash
// or a dash marks.
func option(arg string) (string, bool) {
	if arg == "" || arg[0] != '/' && arg[0] != '-' {
		return "", false
	}
	return lower(arg[1:]), true
}

// perUser matches what Windows appends to the name of a service to tell the
// sessions of users apart: CDPUserSvc_3f2a1.
var perUser = regexp.MustCompile(`_[0-9a-f]{5,8}$`)

// service returns the service of a service host, or the group of several that
// share one. Only the genuine host has any: elsewhere the name is a disguise.
func service(p process) string {
	if p.base != `%system%\svchost.exe` {
		return ""
	}
	group := ""
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		switch name, _ := option(arg); name {
		case "s":
			return word("svc", perUser.ReplaceAllString(lower(args.value()), ""))
		case "k":
			group = args.value()
		}
	}
	return word("svcgroup", group)
}

// surrogate returns the class that a COM surrogate hosts.
func surrogate(p process) string {
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		name, _ := option(arg)
		if id, ok := strings.CutPrefix(name, "processid:"); ok && guid.MatchString(id) {
			return "clsid:" + id
		}
	}
	return ""
}

// library returns the library and the function that rundll32 calls. Its line
// has a form of its own: the function follows a comma or a blank, and quotes
// can stand around the library only.
func library(p process) string {
	args := p.arguments()
	for {
		rest := strings.TrimLeft(args.rest, blanks)
		if !strings.HasPrefix(rest, "/") && !strings.HasPrefix(rest, "-") {
			return libraryCall(rest)
		}
		arg, ok := args.next()
		if !ok {
			return ""
		}
		if name, _ := option(arg); name == "localserver" || name == "sta" {
			if id := lower(args.value()); guid.MatchString(id) {
				return "clsid:" + id
			}
			return ""
		}
	}
}

// libraryCall reads "library,function …".
func libraryCall(line string) string {
	if isCode(line) {
		return inline
	}
	dll, rest := "", ""
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		dll, rest, _ = strings.Cut(quoted, `"`)
	} else if i := strings.IndexAny(line, blanks+","); i >= 0 {
		dll, rest = line[:i], line[i:]
	} else {
		dll = line
	}
	if file, entry, ok := strings.Cut(dll, ","); ok { // quotes around both
		dll, rest = file, entry
	}
	call := named("dll", dll)
	entry := strings.TrimLeft(rest, blanks+",")
	if i := strings.IndexAny(entry, blanks+`"`); i >= 0 {
		entry = entry[:i]
	}
	if call == "" || entry == "" {
		return call
	}
	return call + "," + lower(entry)
}

// registered returns the library that regsvr32 loads, and the script that the
// library fetches when its option names one.
func registered(p process) string {
	script, dll := "", ""
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		if _, ok := option(arg); !ok {
			if dll == "" {
				dll = named("dll", arg)
			}
			continue
		}
		if text, ok := cutFold(arg[1:], "i:"); ok && strings.ContainsAny(text, `/\`) {
			script = target(text)
		}
	}
	if dll == "" || script == "" {
		return dll + script
	}
	return dll + "," + script
}

// cutFold cuts an ASCII prefix in any case.
func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// packageOption matches the options of msiexec that a package follows, also
// without a blank, and captures what does.
var packageOption = regexp.MustCompile(`(?i)^[-/](?:package|uninstall|update|i|x|a|p|j[um]?|f[pecmsuoav]*)("?(?:[a-z]:|\{|\\\\|https?:|[^\\/]*\.ms[ip]).*)?$`)

// installed returns the package or the product that msiexec installs or
// removes. The service has an option of its own.
func installed(p process) string {
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		name, isOption := option(arg)
		if !isOption {
			continue
		}
		if name == "v" {
			return "svc:msiserver"
		}
		m := packageOption.FindStringSubmatch(arg)
		switch {
		case m == nil && strings.HasPrefix(name, "l"): // logging: a file follows
			args.next()
			continue
		case m == nil:
			continue
		case m[1] == "":
			m[1] = args.value()
		}
		if id := lower(m[1]); guid.MatchString(id) {
			return "package:" + id // a product is the same on all hosts
		}
		return named("package", m[1])
	}
	return ""
}

// application returns what mshta shows: a file, an address or code.
func application(p process) string {
	args := p.arguments()
	if isCode(args.rest) {
		return inline
	}
	return named("script", args.value())
}

// windowsScript returns the script of the Windows Script Host. Its own options
// come before.
func windowsScript(p process) string {
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		if !strings.HasPrefix(arg, "/") {
			return named("script", arg)
		}
	}
	return ""
}
