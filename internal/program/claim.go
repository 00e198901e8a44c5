package program

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// writable are the beginnings of the templates under which a user may put a
// program without asking anyone.
var writable = []string{`%user%\`, `%appdata%\`, `%localappdata%\`, `%temp%\`, `%public%\`, `%programdata%\`}

// Writable reports whether any user may put a program where the template lies.
func Writable(template string) bool { return hasPrefixOf(template, writable) }

// claims reports whether the version resource says what cannot be: a part of
// Windows where any user writes, or the file of one vendor by another. Anybody
// can write a version resource, so that it never clears a program.
func (c *Classes) claims(e Evidence) (why string, ok bool) {
	if why, ok := claimsWindows(e); ok {
		return why, ok
	}
	return c.claimsVendor(e)
}

// claimsWindows reports whether a program says that it is a part of Windows
// and lies where Windows puts none.
func claimsWindows(e Evidence) (why string, ok bool) {
	base := Template(e.Image)
	dir, file := cut(base)
	if !partOfWindows(e.Product) || !Writable(base) || ownCopy(dir) {
		return "", false
	}
	is := stem(file)
	if frameworks[is] || frameworks[stem(e.OriginalName)] || hasPrefixOf(is, []string{"setup", "install", "update"}) {
		return "", false
	}
	return fmt.Sprintf("%s says that it is a part of Windows, and is in %s", shown(Name(e.Image)), limited(dir)), true
}

// operatingSystem are the words that stand beside "Microsoft" and "Windows" in
// the product of the parts of Windows, in the languages that translate it.
var operatingSystem = []string{"operating system", "betriebssystem", "exploitation", "sistema opera", "besturingssysteem", "операционная система"}

// partOfWindows reports whether a product is "Microsoft® Windows® Operating
// System".
func partOfWindows(product string) bool {
	p := lower(product)
	return strings.Contains(p, "microsoft") && strings.Contains(p, "windows") &&
		slices.ContainsFunc(operatingSystem, func(s string) bool { return strings.Contains(p, s) })
}

// ownCopies are where Windows and its vendor put programs in writable folders:
// servicing unpacks itself into a folder of a made-up name.
var ownCopies = []location{
	{"%temp%", "{guid}"}, {"%temp%", "{random}"},
	{"%localappdata%", "microsoft"}, {"%programdata%", "microsoft"}, {"%appdata%", "microsoft"},
	{"%localappdata%", "packages"},
}

// ownCopy reports whether dir is one of them.
func ownCopy(dir string) bool {
	return slices.ContainsFunc(ownCopies, func(l location) bool { return l.holds(dir) })
}

// vendors are the words by which the company of a version resource names the
// vendors that others like to be taken for.
var vendors = []string{"microsoft", "google", "mozilla", "adobe", "apple", "oracle", "cisco", "intel", "nvidia"}

// claimsVendor reports whether a program says that it is of one vendor while
// its original name is that of another's program.
func (c *Classes) claimsVendor(e Evidence) (why string, ok bool) {
	company := strings.FieldsFunc(lower(limited(e.Company)), func(r rune) bool { return !unicode.IsLetter(r) })
	i := slices.IndexFunc(vendors, func(v string) bool { return slices.Contains(company, v) })
	original := strings.TrimSuffix(lower(e.OriginalName), ".mui")
	entries := c.named[original]
	if i < 0 || len(entries) == 0 || commonWords[original] {
		return "", false
	}
	product := ""
	for _, e := range entries {
		if e.vendor(vendors[i]) {
			return "", false
		}
		if product == "" && e.distinctive(stem(original)) {
			product = e.product
		}
	}
	if product == "" {
		return "", false
	}
	return fmt.Sprintf("%s says that it is of %s, and its original name is that of %s", shown(Name(e.Image)), limited(e.Company), product), true
}

// vendor reports whether e is of the vendor that word names.
func (e entry) vendor(word string) bool {
	return strings.Contains(lower(e.product), word) || word == "microsoft" && e.ofWindows()
}

// ofWindows reports whether e lives in Windows' own folders only.
func (e entry) ofWindows() bool {
	return len(e.locations) > 0 && !slices.ContainsFunc(e.locations, func(l location) bool { return l[0] != "%system%" && l[0] != "%windir%" })
}

// distinctive reports whether nobody else names a program so: it is that of a
// browser or a part of Windows, or begins with the name of its product. Many
// have an agent.exe and an updater.exe.
func (e entry) distinctive(stem string) bool {
	switch e.class {
	case Browser, System:
		return true
	case LOLBin: // interpreters come from everybody
		return e.ofWindows()
	}
	first, _, _ := strings.Cut(lower(e.product), " ")
	return len(first) >= shortestAlike && strings.HasPrefix(stem, first)
}

// hasPrefixOf reports whether s begins with one of prefixes.
func hasPrefixOf(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}
