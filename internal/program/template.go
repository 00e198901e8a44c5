package program

import (
	"slices"
	"strings"
	"unicode"
)

// maxPath bounds the paths that Template looks at, in bytes. No installer
// writes longer ones; the limit of Windows is 32,767 UTF-16 units.
const maxPath = 4096

// Overlong is the template of every path beyond the bound.
const Overlong = "{overlong}"

// Template returns what the path of an image has in common on all hosts and
// in all sensors: the key of a program. It is lower case with backslashes and
// without the drive, known folders stand as variables, and what differs from
// install to install stands as {version}, {guid}, {sid} or {random}:
//
//	C:\Users\Bob\AppData\Local\Temp\7zS4C2A.tmp\setup.exe
//	\device\harddiskvolume2\users\bob\appdata\local\temp\7zs4c2a.tmp\setup.exe
//	%temp%\{random}\setup.exe
//
// A template is its own template. The empty path, which means an unknown
// image, stays empty. The 32-bit and the 64-bit folders of Windows and of its
// programs are the same folder here. The drive is lost, because the Security
// log names a volume where Sysmon names a letter.
func Template(image string) string {
	if len(image) > maxPath {
		return Overlong
	}
	parts, root := split(lower(image))
	variable, parts := knownFolder(parts, root)
	for i, part := range parts {
		if i == len(parts)-1 {
			parts[i] = templateFile(part)
		} else {
			parts[i] = templateFolder(part)
		}
	}
	if variable == "%localappdata%" {
		templateClickOnce(parts)
	}
	path := strings.Join(parts, `\`)
	if variable != "" {
		path = variable + `\` + path
	} else {
		path = root + path
	}
	if len(path) > maxPath { // placeholders can be longer than what they stand for
		return Overlong
	}
	return path
}

// Name returns the file name of an image as written.
func Name(image string) string {
	return image[strings.LastIndexAny(image, `\/`)+1:]
}

// lower returns s in lower case. A letter outside ASCII keeps its case where
// its lower case is in ASCII: Windows tells "Wİndows" from "Windows", and so
// must we, lest anybody may create a folder that passes for it.
func lower(s string) string {
	if isASCII(s) {
		return strings.ToLower(s) // as nearly always, and several times as fast
	}
	return strings.Map(func(r rune) rune {
		l := unicode.ToLower(r)
		if l < unicode.MaxASCII && r > unicode.MaxASCII {
			return r
		}
		return l
	}, s)
}

// isASCII reports whether s holds no byte above ASCII.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] > unicode.MaxASCII {
			return false
		}
	}
	return true
}

// A folder is a known folder of Windows: what its parts are, and what stands
// for it. The part "*" is any name, as a user's.
type folder struct {
	parts    []string
	variable string
}

// profile lists the folders of a user's profile, which has several places.
func profile(home ...string) []folder {
	at := func(variable string, below ...string) folder {
		return folder{slices.Concat(home, below), variable}
	}
	return []folder{
		at("%temp%", "appdata", "local", "temp"),
		at("%localappdata%", "appdata", "local"),
		at("%appdata%", "appdata", "roaming"),
		at("%user%"),
	}
}

// folders are the known folders, a folder before those that hold it.
var folders = slices.Concat(
	profile("windows", "system32", "config", "systemprofile"),
	profile("windows", "syswow64", "config", "systemprofile"),
	profile("windows", "serviceprofiles", "*"),
	[]folder{
		{[]string{"windows", "temp"}, "%temp%"},
		{[]string{"windows", "system32"}, "%system%"},
		{[]string{"windows", "syswow64"}, "%system%"},
		{[]string{"windows", "sysnative"}, "%system%"},
		{[]string{"windows", "sysarm32"}, "%system%"},
		{[]string{"windows"}, "%windir%"},
		{[]string{"program files"}, "%programfiles%"},
		{[]string{"program files (x86)"}, "%programfiles%"},
		{[]string{"program files (arm)"}, "%programfiles%"},
		{[]string{"progra~1"}, "%programfiles%"},
		{[]string{"progra~2"}, "%programfiles%"},
		{[]string{"programdata"}, "%programdata%"},
		{[]string{"progra~3"}, "%programdata%"},
		{[]string{"users", "all users"}, "%programdata%"},
		{[]string{"users", "public"}, "%public%"},
		{[]string{"users", "default"}, "%public%"},
		{[]string{"users", "default user"}, "%public%"},
		{[]string{"temp"}, "%temp%"},
		{[]string{"tmp"}, "%temp%"},
	},
	profile("users", "*"),
)

// knownFolder returns the variable of the known folder that holds the path,
// and the parts below it.
func knownFolder(parts []string, root string) (variable string, rest []string) {
	if root != localRoot {
		return "", parts
	}
	for _, f := range folders {
		if f.holds(parts) {
			return f.variable, parts[len(f.parts):]
		}
	}
	return "", parts
}

// holds reports whether a file lies below f.
func (f folder) holds(parts []string) bool {
	if len(parts) <= len(f.parts) {
		return false
	}
	for i, part := range f.parts {
		if part != parts[i] && part != "*" {
			return false
		}
	}
	return true
}
