package program

import (
	"regexp"
	"strings"
)

// The roots of a path.
const (
	noRoot    = ""   // a bare name such as "System", or a template with a variable
	localRoot = `\`  // a volume of the host
	shareRoot = `\\` // a server follows
)

// volumes are the ways of Windows to name a volume or a server at the start
// of a path, and the root that stands for it here.
var volumes = []struct {
	pattern *regexp.Regexp
	root    string
}{
	{regexp.MustCompile(`^\\(?:\\[?.]|\?\?)\\unc\\`), shareRoot},
	{regexp.MustCompile(`^\\device\\(?:mup|lanmanredirector|rdpdr|webdavredirector)\\(?:;[^\\]*\\)*`), shareRoot},
	{regexp.MustCompile(`^\\(?:\\[?.]|\?\?)\\(?:globalroot\\|volume\{[^\\]*\\)?`), localRoot},
	{regexp.MustCompile(`^\\device\\(?:harddisk\d+\\(?:partition|dr)\d+|[^\\]+)(?:\\|$)`), localRoot},
	{regexp.MustCompile(`^\\?[a-z]:(?:\\|$)`), localRoot},
	{regexp.MustCompile(`^\\systemroot\\`), `\windows\`},
}

// split cuts a lower-case path into its parts below its root. It repeats
// until nothing changes, because the prefixes nest: \\?\globalroot\device\…
func split(path string) (parts []string, root string) {
	path = strings.ReplaceAll(path, "/", `\`)
	for {
		parts, root = clean(trimVolume(path))
		next := root + strings.Join(parts, `\`)
		if next == path {
			return parts, root
		}
		path = next
	}
}

// trimVolume replaces a prefix that names a volume with its root.
func trimVolume(path string) string {
	if len(path) > 2 && path[1] == ':' && path[2] == '\\' && 'a' <= path[0] && path[0] <= 'z' {
		path = path[2:] // as nearly always; the patterns are slow
		for strings.HasPrefix(path, shareRoot) {
			path = path[1:]
		}
		return path
	}
	if !mayNameVolume(path) {
		return path
	}
	for _, v := range volumes {
		if p := v.pattern.FindString(path); p != "" {
			return v.root + strings.TrimLeft(path[len(p):], `\`) // a second one would make a share of it
		}
	}
	return path
}

// mayNameVolume reports whether one of the patterns could match.
func mayNameVolume(path string) bool {
	rest := strings.TrimPrefix(path, `\`)
	return len(rest) > 1 && rest[1] == ':' ||
		strings.HasPrefix(rest, `\`) || strings.HasPrefix(rest, `?`) ||
		strings.HasPrefix(rest, `device\`) || strings.HasPrefix(rest, `systemroot\`)
}

// clean cuts a path into its parts and resolves the dots.
func clean(path string) (parts []string, root string) {
	switch {
	case strings.HasPrefix(path, shareRoot):
		root = shareRoot
	case strings.HasPrefix(path, localRoot):
		root = localRoot
	default:
		root = noRoot
	}
	parts = make([]string, 0, 12)
	for part := range strings.SplitSeq(path, `\`) {
		switch part {
		case "", ".":
		case "..":
			if len(parts) > 0 {
				parts = parts[:len(parts)-1]
			}
		default:
			parts = append(parts, part)
		}
	}
	return parts, root
}
