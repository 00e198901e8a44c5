package program

import (
	"net/netip"
	"regexp"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// named returns what a host runs: the kind and the template of a file, or the
// domain of an address. It is "" when arg names nothing.
func named(kind, arg string) string {
	t := target(arg)
	if t == "" || strings.HasPrefix(t, urlKind) {
		return t
	}
	return kind + ":" + t
}

// word returns a kind and a name that is no path.
func word(kind, name string) string {
	name = strings.TrimSpace(lower(name))
	if name == "" {
		return ""
	}
	return kind + ":" + name
}

// urlKind stands before the domain of an address.
const urlKind = "url:"

// target returns the template of a file, or urlKind and the domain of an
// address. An argument that holds an address anywhere is one: mshta and
// regsvr32 take some behind a moniker.
func target(arg string) string {
	arg = strings.Trim(arg, ` "'`+"\t")
	scheme, rest, ok := cutScheme(arg)
	switch {
	case !ok:
		return Template(arg)
	case scheme != "file":
		return urlKind + domain(rest)
	case strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, `\`):
		return Template(rest[1:])
	}
	return Template(`\\` + rest)
}

// address matches the scheme of an address. A drive is one letter.
var address = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]+):[/\\]{2}`)

// cutScheme returns the scheme of the first address in s, in lower case, and
// what follows the slashes.
func cutScheme(s string) (scheme, rest string, ok bool) {
	if !strings.Contains(s, "://") && !strings.Contains(s, `:\\`) && !strings.Contains(s, `:/\`) && !strings.Contains(s, `:\/`) {
		return "", "", false // as nearly always; the pattern is slow
	}
	i := address.FindStringSubmatchIndex(s)
	if i == nil {
		return "", "", false
	}
	return lower(s[i[2]:i[3]]), s[i[1]:], true
}

// maxDomain is the limit of the DNS, in bytes.
const maxDomain = 253

// domain returns the registered domain, or the address, of the authority that
// an address begins with behind its slashes. It is "?" when there is none.
func domain(authority string) string {
	if i := strings.IndexAny(authority, `/\?#`); i >= 0 {
		authority = authority[:i]
	}
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	if a, err := netip.ParseAddrPort(host); err == nil {
		return a.Addr().Unmap().WithZone("").String()
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return a.Unmap().WithZone("").String()
	}
	host, _, _ = strings.Cut(host, ":")
	host = strings.Trim(lower(host), ".")
	if host == "" || len(host) > maxDomain || strings.ContainsAny(host, ` "'()<>[]{}%`) {
		return "?"
	}
	if registered, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return registered
	}
	return host
}

// guid matches an identifier of a class or a product with its braces.
var guid = regexp.MustCompile(`^\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}$`)

// code holds the beginnings of an argument that is a program itself.
var code = []string{"javascript:", "vbscript:", "jscript:", "about:", "data:"}

// isCode reports whether mshta or rundll32 would run arg itself.
func isCode(arg string) bool {
	arg = strings.TrimLeft(lower(arg), ` "'`+"\t")
	for _, c := range code {
		if strings.HasPrefix(arg, c) {
			return true
		}
	}
	return false
}
