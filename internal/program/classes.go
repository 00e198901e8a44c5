package program

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed classes.tsv
var classesTSV string

// Classes knows the class of a program by its name and place. It is immutable
// and safe for concurrent use.
//
// All classes that a baseline trusts want the program in the folder where its
// installer puts it: a renamed binary elsewhere is an app. A LOLBin is one
// anywhere, because that is what raises suspicion.
type Classes struct {
	named  map[string][]entry // by file name
	folder []entry            // every file of a location
	alike  map[string]string  // by skeleton: the file name that others imitate
}

// An entry says what the programs of one file name are in some places.
type entry struct {
	class     Class
	locations []location // none: anywhere
	product   string
}

// anyFile stands for every file of a location, anywhere for every location.
const (
	anyFile  = "*"
	anywhere = "*"
)

// Shipped returns the classes that come with Postern.
func Shipped() (*Classes, error) { return shipped() }

var shipped = sync.OnceValues(func() (*Classes, error) {
	return Load(strings.NewReader(classesTSV))
})

// Of returns the class of an image, [App] when nothing says more.
func (c *Classes) Of(image string) Class { return c.of(Template(image)) }

// of returns the class of a template. A name in its place counts for more
// than a name anywhere, and that for more than a place alone: an interpreter
// that comes with a trusted product is still an interpreter.
func (c *Classes) of(key string) Class {
	dir, file := cut(key)
	anyPlace := Class("")
	for _, e := range c.named[file] {
		if e.at(dir) {
			return e.class
		}
		if e.class == LOLBin {
			anyPlace = LOLBin
		}
	}
	if anyPlace != "" {
		return anyPlace
	}
	for _, e := range c.folder {
		if e.at(dir) {
			return e.class
		}
	}
	return App
}

// cut splits a template into its folder and its file.
func cut(key string) (dir, file string) {
	i := strings.LastIndexByte(key, '\\')
	if i < 0 {
		return "", key
	}
	return key[:i], key[i+1:]
}

// at reports whether dir is one of e's locations. An entry for anywhere has
// none.
func (e entry) at(dir string) bool {
	return slices.ContainsFunc(e.locations, func(l location) bool { return l.holds(dir) })
}

// A location is a folder as a template, cut into its names. A name may hold
// one *, which stands for any text.
type location []string

func (l location) String() string { return strings.Join(l, `\`) }

// bare reports whether l is a variable and nothing else. Such a folder does
// not vouch for those below it.
func (l location) bare() bool { return len(l) == 1 && strings.HasPrefix(l[0], "%") }

// holds reports whether dir is l or lies below it.
func (l location) holds(dir string) bool {
	for i, pattern := range l {
		name, rest, more := strings.Cut(dir, `\`)
		if !matchName(pattern, name) {
			return false
		}
		if !more {
			return i == len(l)-1
		}
		dir = rest
	}
	return !l.bare()
}

// matchName reports whether a name of a path fits a pattern.
func matchName(pattern, name string) bool {
	prefix, suffix, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	return len(name) >= len(prefix)+len(suffix) && strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix)
}
