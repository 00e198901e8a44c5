package program

import (
	"regexp"
	"strings"
)

// common lists what differs between installs in folders and files alike.
// What a replacement writes, no pattern matches.
var common = []struct {
	pattern *regexp.Regexp
	with    func(string) string
}{
	{
		regexp.MustCompile(`\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?`),
		func(string) string { return "{guid}" },
	},
	{
		regexp.MustCompile(`s-1-(?:5-21|12-1)(?:-\d{1,10}){3,14}`),
		func(string) string { return "{sid}" },
	},
	{ // hashes, as those of WinSxS and ClickOnce between underscores
		regexp.MustCompile(`[0-9a-z]+`),
		func(word string) string {
			if longHex.MatchString(word) {
				return "{random}"
			}
			return word
		},
	},
}

var longHex = regexp.MustCompile(`^[0-9a-f]{16,}$`)

// version matches two or more numbers with dots, and what often follows:
// "2.7.41491.993_2020-09-17_150914", "1.8.0_202", "3.0.0-beta.4". The first
// group keeps the character before.
var version = regexp.MustCompile(`(^|[^0-9.])\d+(?:\.\d+)+(?:[-_+.]\d+)*(?:[-_.+]?(?:alpha|beta|rc|preview|nightly|canary|insider|dev)[-_.]?\d*(?:\.\d+)*)?`)

// fileVersion wants three numbers: "python3.11.exe" is a name.
var fileVersion = regexp.MustCompile(`(^|[^0-9.])\d+(?:\.\d+){2,}(?:[-_+]\d+)*`)

// stamp matches a folder that is a date, a build number, or both.
var stamp = regexp.MustCompile(`^\d{8,}$|^\d{4}[-_]\d{2}[-_]\d{2}(?:[-_t]?\d+)*$`)

// randomFolder matches the folders that installers and self-extracting
// archives make up, besides those that end in ".tmp" (7-Zip, Inno Setup, NSIS,
// Chromium).
var randomFolder = regexp.MustCompile(`^(?:` +
	`[0-9a-f]{8,}` + // hashes
	`|7zs[0-9a-f]{4,}` + // 7-Zip
	`|7zo[0-9a-f]{4,}` + // 7-Zip, opened from the window
	`|_mei\d+` + // PyInstaller
	`|onefile_\d+_\d+(?:_\d+)?` + // Nuitka
	`|rar\$[a-z0-9.]+` + // WinRAR
	`|wz[0-9a-f]{4}` + // WinZip
	`|tmp[0-9a-z_]{8}` + // Python's tempfile
	`|scoped_dir\d+_\d+` + // Chromium
	`|go-build\d+` + // the Go tool
	`)$`)

// msiFile matches a custom action that Windows Installer unpacks.
var msiFile = regexp.MustCompile(`^msi[0-9a-f]{1,8}\.tmp$`)

// templateCommon replaces what is listed in common.
func templateCommon(part string) string {
	if len(part) < 14 { // that of the shortest of them, a security identifier
		return part
	}
	for _, c := range common {
		part = c.pattern.ReplaceAllStringFunc(part, c.with)
	}
	return part
}

// digits gates the patterns: all but that of ".tmp" need one.
const digits = "0123456789"

// templateFolder returns the template of a folder's name.
func templateFolder(part string) string {
	if strings.HasSuffix(part, ".tmp") {
		return "{random}"
	}
	if !strings.ContainsAny(part, digits) {
		return part
	}
	if stamp.MatchString(part) {
		return "{version}"
	}
	if randomFolder.MatchString(part) {
		return "{random}"
	}
	return version.ReplaceAllString(templateCommon(part), "$1{version}")
}

// templateFile returns the template of a file's name. It keeps more than
// that of a folder, because the name of a file is what people know it by.
func templateFile(part string) string {
	if !strings.ContainsAny(part, digits) {
		return part
	}
	if msiFile.MatchString(part) {
		return "{random}.tmp"
	}
	return fileVersion.ReplaceAllString(templateCommon(part), "$1{version}")
}

// clickOnce matches the two folders with random names of a ClickOnce install:
// %localappdata%\apps\2.0\4XKQH2V9.N7R\W1Z…\
var clickOnce = regexp.MustCompile(`^[0-9a-z]{8}\.[0-9a-z]{3}$`)

// templateClickOnce replaces them below %localappdata%.
func templateClickOnce(parts []string) {
	if len(parts) < 5 || parts[0] != "apps" || parts[1] != "{version}" {
		return
	}
	for i := 2; i <= 3; i++ {
		if clickOnce.MatchString(parts[i]) {
			parts[i] = "{random}"
		}
	}
}
