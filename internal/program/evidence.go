package program

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// Evidence is what an event of a process start tells about a program. A field
// is "" when no sensor told it.
type Evidence struct {
	Image        string // full path as written
	OriginalName string // of the version resource, as Product and Company
	Product      string
	Company      string
	CommandLine  string

	ParentImage       string
	ParentCommandLine string
}

// join appends what a program hosts to its template.
func join(base, hosted string) string {
	if hosted == "" {
		return base
	}
	return base + " [" + hosted + "]"
}

// hosted returns what the image of a template hosts, or "" when it hosts
// nothing or nothing tells.
func hosted(base string, e Evidence) string {
	_, file := cut(base)
	find := hostNamed(file)
	if find == nil || e.CommandLine == "" || e.CommandLine == "-" {
		return ""
	}
	return bounded(find(process{Evidence: e, base: base}))
}

// maxHosted bounds what stands in the brackets, in bytes, so that with them it
// stays within 200.
const maxHosted = 197

// bounded returns s, or its beginning and a hash of all of it. The hash is a
// cryptographic one, lest anybody make two scripts one program.
func bounded(s string) string {
	if len(s) <= maxHosted {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	mark := "~" + hex.EncodeToString(sum[:8])
	end := maxHosted - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// A process is the evidence of a host's start.
type process struct {
	Evidence
	base string // the template of the image
}

// arguments returns the arguments of the process behind its name.
func (p process) arguments() *arguments { return newArguments(p.CommandLine, p.Image) }

// parent returns the parent as far as it is known, when it runs the same image
// and so may have started p as a part of itself.
func (p process) parent() (process, bool) {
	if p.ParentCommandLine == "" || Template(p.ParentImage) != p.base {
		return process{}, false
	}
	return process{Evidence{Image: p.ParentImage, CommandLine: p.ParentCommandLine}, p.base}, true
}

// What a host hosts when it has no name.
const (
	interactive = "interactive" // a person or a pipe types
	inline      = "inline"      // the command line holds the code
	encoded     = "encoded"     // the same, in Base64
	stdin       = "stdin"       // the code comes through a pipe
	server      = "server"      // another process sends the code
)

// A finder returns what a process hosts: one of the words above, or a kind
// and a name, or "".
type finder func(process) string

// hostNamed returns the finder of the hosts of a file name, nil when it names
// none. Interpreters bear their versions in their names: python3.11.exe.
func hostNamed(file string) finder {
	name, ok := strings.CutSuffix(file, ".exe")
	if !ok {
		return nil
	}
	if f, ok := hosts[name]; ok {
		return f
	}
	short := strings.TrimRight(name, "0123456789.-")
	if i, ok := interpreters[short]; ok && short != name {
		return i.script
	}
	return nil
}

// hosts are the programs that run others in themselves, by the stem of their
// file names. [interpreters] has more. Those that do it without a word on the
// command line, as taskhostw.exe and wmiprvse.exe, are missing.
var hosts = withInterpreters(map[string]finder{
	"svchost":     service,
	"dllhost":     surrogate,
	"rundll32":    library,
	"regsvr32":    registered,
	"msiexec":     installed,
	"mshta":       application,
	"wscript":     windowsScript,
	"cscript":     windowsScript,
	"cmd":         command,
	"powershell":  windowsPowerShell,
	"pwsh":        powerShell,
	"java":        javaProgram,
	"javaw":       javaProgram,
	"msbuild":     project,
	"installutil": assembly,
	"regasm":      assembly,
	"regsvcs":     assembly,
	"dotnet":      dotnet,

	"msedgewebview2": webView,
	"electron":       electron,
	"nw":             electron,
})

// withInterpreters adds the interpreters to named.
func withInterpreters(named map[string]finder) map[string]finder {
	for name, i := range interpreters {
		named[name] = i.script
	}
	return named
}
