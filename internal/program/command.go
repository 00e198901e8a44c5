package program

import (
	"regexp"
	"slices"
	"strings"
)

// command returns what the command interpreter runs first. It cuts its line by
// rules of its own: an option may stick to the next and to the command.
func command(p process) string {
	rest := strings.TrimLeft(p.arguments().rest, blanks)
	if m := glued.FindStringSubmatch(p.CommandLine); m != nil {
		rest = m[1] + " " + rest
	}
	for strings.HasPrefix(rest, "/") && len(rest) > 1 {
		switch rest[1] | 0x20 {
		case 'c', 'k', 'r':
			return firstCommand(rest[2:])
		}
		end := strings.IndexAny(rest[1:], blanks+"/")
		if end < 0 {
			return interactive
		}
		rest = strings.TrimLeft(rest[1+end:], blanks)
	}
	return interactive
}

// glued matches an option that sticks to the name of the interpreter.
var glued = regexp.MustCompile(`(?i)^[ \t]*(?:[^" \t]*\\)?cmd(?:\.exe)?(/[^ \t]*)`)

// executable are the extensions of what a quoted command may be as a whole.
var executable = []string{".exe", ".com", ".bat", ".cmd", ".ps1", ".vbs", ".vbe", ".js", ".jse", ".wsf", ".hta", ".msi"}

// firstCommand returns the first word of a command. A pair of quotes stands
// around a path with blanks, or around the whole command, or both.
func firstCommand(line string) string {
	line = strings.TrimLeft(line, blanks+"@(")
	if strings.HasPrefix(line, `""`) {
		line = line[1:]
	}
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		path, _, _ := strings.Cut(quoted, `"`)
		if slices.Contains(executable, lower(extension(path))) {
			return commandName(path)
		}
		line = strings.TrimLeft(quoted, blanks+`@("`)
	}
	if i := strings.IndexAny(line, blanks+`&|<>();,="`); i >= 0 {
		line = line[:i]
	}
	line = strings.ReplaceAll(line, "^", "")
	if m := builtin.FindStringSubmatch(line); m != nil {
		line = m[1] + m[2]
	}
	return commandName(line)
}

// builtin matches a command that the interpreter has in itself and that text
// may stick to.
var builtin = regexp.MustCompile(`(?i)^(?:(echo|cd|chdir)[.:+/\\\[\]]|(dir|set|del|erase|rd|rmdir|type|if|for)/)`)

// commandName returns the template of a command. A bare name is one with and
// without its extension.
func commandName(path string) string {
	name := named("command", path)
	if strings.ContainsRune(name, '\\') {
		return name
	}
	return strings.TrimSuffix(name, ".exe")
}
