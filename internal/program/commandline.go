package program

import "strings"

// Bounds of a command line. Windows allows 32,767 UTF-16 units; what a host
// runs stands among the first arguments.
const (
	maxCommandLine = 32 << 10 // bytes
	maxArguments   = 64       // the program not among them
)

// blanks separate arguments.
const blanks = " \t"

// arguments cuts a command line as CommandLineToArgvW does, one by one: most
// of a line is never looked at. It reads no response files.
type arguments struct {
	rest string // what is not cut yet
	left int    // arguments until the bound
}

// newArguments returns the arguments of a command line behind the program.
// What lies beyond the bound is ignored, with the argument that it cuts.
func newArguments(line, image string) *arguments {
	if len(line) > maxCommandLine {
		line = line[:maxCommandLine]
		line = line[:strings.LastIndexAny(line, blanks)+1]
	}
	return &arguments{rest: behindProgram(strings.TrimLeft(line, blanks), image), left: maxArguments}
}

// behindProgram cuts the program off. Quotes are plain there: no backslash
// escapes them. A path with blanks may stand without quotes, because Windows
// tries its beginnings until one is a file; the image tells which it was.
func behindProgram(line, image string) string {
	if strings.HasPrefix(line, `"`) {
		_, rest, _ := strings.Cut(line[1:], `"`)
		return rest
	}
	if strings.ContainsAny(image, blanks) {
		for _, program := range []string{image, image[:len(image)-len(extension(image))]} {
			if len(line) < len(program) || !strings.EqualFold(line[:len(program)], program) {
				continue
			}
			if rest := line[len(program):]; rest == "" || strings.ContainsRune(blanks, rune(rest[0])) {
				return rest
			}
		}
	}
	if i := strings.IndexAny(line, blanks); i >= 0 {
		return line[i:]
	}
	return ""
}

// extension returns the extension of a path with its dot, or "".
func extension(path string) string {
	name := Name(path)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}

// next returns the next argument. It is false at the end.
func (a *arguments) next() (string, bool) {
	a.rest = strings.TrimLeft(a.rest, blanks)
	if a.rest == "" || a.left == 0 {
		return "", false
	}
	a.left--
	i := strings.IndexAny(a.rest, blanks+`"`)
	switch {
	case i < 0:
		arg := a.rest
		a.rest = ""
		return arg, true
	case a.rest[i] != '"':
		arg := a.rest[:i]
		a.rest = a.rest[i:]
		return arg, true
	}
	return a.quoted(), true
}

// value returns the next argument, or "" at the end: the value of an option.
func (a *arguments) value() string {
	v, _ := a.next()
	return v
}

// quoted cuts an argument that holds a quote. Backslashes count only before a
// quote: two stand for one, and an odd one makes the quote a plain character.
// Two quotes within quotes are a plain one, and end the quotes.
func (a *arguments) quoted() string {
	var arg strings.Builder
	inside, slashes, i := false, 0, 0
	flush := func(n int) {
		for range n {
			arg.WriteByte('\\')
		}
		slashes = 0
	}
	for ; i < len(a.rest); i++ {
		c := a.rest[i]
		switch {
		case c == '\\':
			slashes++
			continue
		case c == '"' && slashes%2 == 1:
			flush(slashes / 2)
			arg.WriteByte('"')
			continue
		case c == '"':
			flush(slashes / 2)
			if inside && strings.HasPrefix(a.rest[i+1:], `"`) {
				arg.WriteByte('"')
				i++
			}
			inside = !inside
			continue
		}
		flush(slashes)
		if !inside && (c == ' ' || c == '\t') {
			break
		}
		arg.WriteByte(c)
	}
	flush(slashes)
	a.rest = a.rest[i:]
	return arg.String()
}
