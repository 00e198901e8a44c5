package program

import (
	"cmp"
	"slices"
	"strings"
)

// A Known is a program that a class names, at a place where its installer puts
// it.
type Known struct {
	Class   Class
	Path    string // as on a host, of a user named "user"
	Product string
}

// places are what the variables of a template stand for on a usual host.
var places = strings.NewReplacer(
	"%system%", `c:\windows\system32`, "%windir%", `c:\windows`,
	"%programfiles%", `c:\program files`, "%programdata%", `c:\programdata`,
	"%localappdata%", `c:\users\user\appdata\local`, "%appdata%", `c:\users\user\appdata\roaming`,
	"%temp%", `c:\users\user\appdata\local\temp`, "%user%", `c:\users\user`, "*", "x",
)

// Known returns the programs that the classes name, by class and path.
func (c *Classes) Known() []Known {
	var all []Known
	add := func(file string, e entry) {
		if file == anyFile {
			file = "program.exe"
		}
		for _, l := range e.locations {
			all = append(all, Known{e.class, places.Replace(l.String()) + `\` + file, e.product})
		}
	}
	for file, entries := range c.named {
		for _, e := range entries {
			add(file, e)
		}
	}
	for _, e := range c.folder {
		add(anyFile, e)
	}
	slices.SortFunc(all, func(a, b Known) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Path, b.Path))
	})
	return slices.Compact(all)
}
