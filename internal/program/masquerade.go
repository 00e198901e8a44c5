package program

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Masquerade is [Evidence.Masquerade] when nothing else is known. The original
// name is "" when no sensor told it.
func Masquerade(image, originalName string) (why string, ok bool) {
	return Evidence{Image: image, OriginalName: originalName}.Masquerade()
}

// Masquerade reports whether a program passes itself off as another, and why:
//
//   - its file name is written to be misread: invoice.pdf.exe
//   - its file name is not the original name in its version resource
//   - it bears the name of a browser or of a part of Windows and is elsewhere
//   - its file name looks like one of those: svch0st.exe
//   - its version resource says that it is a part of Windows, and it is where
//     any user writes; or that a well-known vendor made another's program
//
// The reason holds text from the log. It is evidence and not proof.
// Administrators rename tools, and vendors leave the original name of a
// framework in place.
func (e Evidence) Masquerade() (why string, ok bool) {
	if why, ok = deceptive(e.Image); ok {
		return why, ok
	}
	if why, ok = renamed(e.Image, e.OriginalName); ok {
		return why, ok
	}
	c, err := shipped()
	if err != nil { // a test shows that the shipped classes load
		return "", false
	}
	if why, ok = c.displaced(e.Image); ok {
		return why, ok
	}
	if why, ok = c.lookalike(e.Image); ok {
		return why, ok
	}
	return c.claims(e)
}

// renamed compares the file name with the original name.
func renamed(image, originalName string) (why string, ok bool) {
	name := Name(image)
	is, was := stem(name), stem(originalName)
	if is == "" || was == "" || is == was || frameworks[was] || harmless[[2]string{is, was}] {
		return "", false
	}
	return fmt.Sprintf("the original name of %s is %s", limited(name), limited(originalName)), true
}

// noise is what a download, a release or a build appends to a name.
var noise = regexp.MustCompile(`(?: \(\d+\)|[-_. ]?v?\d+(?:\.\d+)*|[-_. ]?(?:x86|x64|amd64|arm64|win32|win64))+$`)

// extensions are those of a program, and those of the sources that some
// original names are of.
var extensions = []string{".exe", ".dll", ".com", ".scr", ".tmp", ".c", ".bin"}

// stem returns the part of a file name that a renaming would change. It is ""
// for a name that says nothing.
func stem(name string) string {
	s := strings.TrimSuffix(strings.TrimSpace(lower(name)), ".mui")
	for _, e := range extensions {
		if cut, ok := strings.CutSuffix(s, e); ok {
			s = cut
			break
		}
	}
	if s == "-" || s == "?" {
		return ""
	}
	if short := noise.ReplaceAllString(s, ""); short != "" {
		return short
	}
	return s
}

// frameworks are the original names that vendors ship as they get them.
var frameworks = map[string]bool{
	"electron": true, "squirrel": true, "update": true, "setup": true, "install": true, "installer": true,
	"bootstrapper": true, "launcher": true, "stub": true, "wextract": true, "7zs.sfx": true, "7z.sfx": true,
	"installshield setup": true, "setuplauncher": true, "setup launcher": true, "nw": true, "cefclient": true,
	"apphost": true, "wrapper": true, "winsw": true, "nssm": true, "jpackageapplauncher": true,
}

// harmless are file names and original names of genuine programs that differ.
var harmless = map[[2]string]bool{
	{"systeminfo", "sysinfo"}:               true,
	{"gpresult", "gprslt"}:                  true,
	{"microsoftedgeupdate", "msedgeupdate"}: true,
	{"googleupdate", "goopdate"}:            true,
	{"chromesetup", "googleupdatesetup"}:    true,
	{"ms-teams", "msteams"}:                 true,
}

// commonWords are names of programs of Windows and of browsers that others
// use in good faith.
var commonWords = map[string]bool{
	"arc.exe": true, "at.exe": true, "browser.exe": true, "control.exe": true, "dns.exe": true, "expand.exe": true,
	"finger.exe": true, "ftp.exe": true, "island.exe": true, "print.exe": true, "replace.exe": true, "sc.exe": true,
	"whale.exe": true, "zen.exe": true,
}

// copies are where Windows keeps its own files a second time.
var copies = []location{
	{"%windir%", "winsxs"}, {"%windir%", "servicing"}, {"%windir%", "softwaredistribution"},
	{"", "windows.old"}, {"", "$windows.~bt"},
}

// displaced reports whether image bears the name of a program that has a
// home, and is not at home.
func (c *Classes) displaced(image string) (why string, ok bool) {
	dir, file := cut(Template(image))
	if dir == "" || commonWords[file] {
		return "", false
	}
	if slices.ContainsFunc(copies, func(l location) bool { return l.holds(dir) }) {
		return "", false
	}
	home := ""
	for _, e := range c.named[file] {
		if e.at(dir) || len(e.locations) == 0 {
			return "", false
		}
		if home == "" && (e.class == System || e.class == Browser || e.class == LOLBin) {
			home = e.locations[0].String()
		}
	}
	if home == "" {
		return "", false
	}
	return fmt.Sprintf("%s is in %s and belongs in %s", Name(image), dir, home), true
}
