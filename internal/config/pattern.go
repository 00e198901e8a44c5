package config

import (
	"errors"
	"strings"

	"github.com/postern/postern/internal/program"
)

// A Pattern describes programs: a file name (agent.exe), or a path that is
// compared as its template (C:\Program Files\Vendor\*\agent.exe is
// %programfiles%\vendor\*\agent.exe). A * stands for any text within one name.
// What the image hosts may follow in brackets, as keys of programs have it; a
// pattern without brackets covers all that it hosts.
type Pattern string

// maxPattern bounds a pattern, in bytes.
const maxPattern = 1024

// UnmarshalText reads a pattern and brings it into the form of templates.
func (p *Pattern) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if image, _ := Pattern(s).cut(); len(s) > maxPattern || strings.HasSuffix(image, `\`) {
		return errPattern // a folder is not what runs
	}
	*p = normal(s)
	return p.validate()
}

// normal returns the pattern in the form of a key.
func normal(s string) Pattern {
	image, hosted := Pattern(s).cut()
	image = program.Template(image)
	if hosted != "" {
		image += " " + strings.ToLower(hosted)
	}
	return Pattern(image)
}

var errPattern = errors.New(`want a file name or a path, such as agent.exe or C:\Program Files\Vendor\*\agent.exe`)

func (p Pattern) validate() error {
	image, _ := p.cut()
	if file := program.Name(image); len(p) > maxPattern || file == "" || normal(string(p)) != p {
		return errPattern
	}
	return nil
}

// cut splits a key or pattern into the image and, in brackets, what it hosts.
func (p Pattern) cut() (image, hosted string) {
	image, hosted, ok := strings.Cut(string(p), " [")
	if !ok {
		return string(p), ""
	}
	return image, "[" + hosted
}

// Matches reports whether a program's key fits the pattern.
func (p Pattern) Matches(key string) bool {
	want, hosts := p.cut()
	image, hosted := Pattern(key).cut()
	if image == "" || hosts != "" && !glob(hosts, hosted, 0) {
		return false
	}
	if !strings.Contains(want, `\`) {
		image = program.Name(image)
	}
	return glob(want, image, '\\')
}

// glob reports whether s fits a pattern whose * stands for any text without
// stop.
func glob(pattern, s string, stop byte) bool {
	star, resume := -1, 0 // where to go on when the text after the last * does not fit
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, resume = i, j
			i++
		case i < len(pattern) && pattern[i] == s[j]:
			i++
			j++
		case star >= 0 && (stop == 0 || s[resume] != stop):
			resume++
			i, j = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}
