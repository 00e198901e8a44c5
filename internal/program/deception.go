package program

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// deceptive reports whether a file name is written to be misread: characters
// that nobody sees or that turn the text around, blanks that push the
// extension out of sight, or the extension of a document before the real one.
func deceptive(image string) (why string, ok bool) {
	name := Name(image)
	if r, ok := unseen(name); ok {
		return fmt.Sprintf("the name %s holds the character %U, which nobody sees", shown(name), r), true
	}
	if name != "" && strings.TrimRightFunc(name, isBlank) != name {
		return fmt.Sprintf("the name %s ends in a blank", strconv.QuoteToASCII(limited(name))), true
	}
	ext := extension(name)
	stem := strings.TrimSuffix(name, ext)
	const padding = 3 // a blank or two is a typing error
	if utf8.RuneCountInString(stem)-utf8.RuneCountInString(strings.TrimRightFunc(stem, isBlank)) >= padding {
		return fmt.Sprintf("blanks push the extension %s of %s out of sight", shown(ext), shown(name)), true
	}
	fake := lower(extension(strings.TrimRightFunc(stem, isBlank)))
	if documents[fake] && programs[lower(ext)] && !guarded(Template(image)) {
		return fmt.Sprintf("%s is a program with the extension of a document, %s", shown(name), fake), true
	}
	return "", false
}

// documents are the extensions that people open without a thought. Those of
// archives are missing: self-extracting ones do bear two.
var documents = set(".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".rtf", ".odt", ".ods", ".txt", ".csv", ".eml", ".msg",
	".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".svg", ".mp3", ".mp4", ".avi", ".mkv", ".mov", ".wav", ".htm", ".html")

// programs are the extensions that Windows starts as a program.
var programs = set(".exe", ".scr", ".com", ".pif", ".bat", ".cmd")

// set returns a set of words.
func set(words ...string) map[string]bool {
	s := make(map[string]bool, len(words))
	for _, w := range words {
		s[w] = true
	}
	return s
}

// guarded reports whether a template lies where only administrators write.
// Vendors name programs after what they make there: Vendor.Pdf.exe.
func guarded(key string) bool {
	return hasPrefixOf(key, []string{`%programfiles%\`, `%system%\`, `%windir%\`})
}

// unseen returns the first character of a name that nobody sees. Those that
// Arabic, Indic and emoji need to join letters are harmless among such, and
// those that turn the text around are not.
func unseen(name string) (rune, bool) {
	first, other := rune(0), false
	for _, r := range name {
		switch {
		case '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
			return r, true
		case unicode.Is(unicode.Cf, r):
			if first == 0 {
				first = r
			}
		case r > unicode.MaxASCII:
			other = true
		}
	}
	return first, first != 0 && !other
}

// isBlank reports whether r looks like nothing.
func isBlank(r rune) bool { return unicode.IsSpace(r) || r == '\u2800' || r == '\u3164' }

// letters are those of other scripts, and the digits, that pass for a letter
// of ASCII in the fonts of Windows, after compatibility decomposition. The i
// stands as an l, because a capital one does.
var letters = strings.NewReplacer(
	"а", "a", "в", "b", "с", "c", "ԁ", "d", "е", "e", "һ", "h", "і", "l", "ӏ", "l", "ј", "j", "к", "k", "м", "m", "н", "h",
	"о", "o", "р", "p", "ԛ", "q", "ѕ", "s", "т", "t", "у", "y", "ѵ", "v", "ԝ", "w", "х", "x", // Cyrillic
	"α", "a", "ε", "e", "ι", "l", "κ", "k", "ν", "v", "ο", "o", "ρ", "p", "τ", "t", "υ", "u", "χ", "x", "ω", "w", // Greek
	"օ", "o", "ս", "u", "հ", "h", "ո", "n", "ց", "g", "զ", "q", // Armenian
	"ı", "l", "ɑ", "a", "ɡ", "g", "ƍ", "g", "ꞵ", "b", "ꮪ", "s", "ꮯ", "c",
	"0", "o", "1", "l", "i", "l", "|", "l", "rn", "m", "vv", "w",
)

// skeleton returns what a reader sees of a file name in lower case. Names with
// one skeleton look alike.
func skeleton(file string) string {
	if !isASCII(file) {
		file = lower(strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) {
				return -1
			}
			return r
		}, norm.NFKD.String(file)))
	}
	return letters.Replace(strings.Join(strings.Fields(file), ""))
}

// shortestAlike is the shortest stem that others can be told to look like:
// short names meet by chance.
const shortestAlike = 5

// addAlike remembers the name of a program that others imitate.
func (c *Classes) addAlike(file string, class Class) {
	if class != System && class != Browser && class != LOLBin || commonWords[file] || len(stem(file)) < shortestAlike {
		return
	}
	if s := skeleton(file); c.alike[s] == "" {
		c.alike[s] = file
	}
}

// lookalike reports whether the name of image looks like that of another
// program: of Windows, or of a browser.
func (c *Classes) lookalike(image string) (why string, ok bool) {
	file := lower(Name(image))
	if c.named[file] != nil || len(file) > maxShown {
		return "", false
	}
	like, ok := c.alike[skeleton(file)]
	if !ok {
		return "", false
	}
	return fmt.Sprintf("%s looks like %s", shown(Name(image)), like), true
}

// maxShown bounds the texts of the log in a reason, in bytes.
const maxShown = 128

// limited returns s, or its beginning.
func limited(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}

// shown returns a name so that a reader sees each of its characters.
func shown(name string) string {
	name = limited(name)
	if isASCII(name) {
		return name
	}
	return strconv.QuoteToASCII(name)
}
