package destination

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestDomain(t *testing.T) {
	for _, c := range []struct {
		name, want string
		shared     bool
	}{
		{"", "", false},
		{"www.example.com", "example.com", false},
		{"example.com", "example.com", false},
		{"a.b.example.co.uk", "example.co.uk", false},
		{"co.uk", "co.uk", false},
		{"localhost", "localhost", false},
		{"dc01.corp.local", "corp.local", false},
		{"fileserver", "fileserver", false},

		{"foo.github.io", "foo.github.io", true},
		{"x.foo.github.io", "foo.github.io", true},
		{"github.io", "github.io", true},
		{"foo.azurewebsites.net", "foo.azurewebsites.net", true},
		{"d111111abcdef8.cloudfront.net", "d111111abcdef8.cloudfront.net", true},
		{"account.blob.core.windows.net", "account.blob.core.windows.net", true},

		{"10.1.2.3", "10.1.2.3", false},
		{"::ffff:10.1.2.3", "10.1.2.3", false},
		{"2001:DB8::1", "2001:db8::1", false},
		{"fe80::1%eth0", "fe80::1", false},
		{"[2001:db8::1]", "2001:db8::1", false},
		{"[2001:db8::1]:443", "2001:db8::1", false},
		{"192.0.2.1:443", "192.0.2.1", false},

		{"WWW.Example.COM.", "example.com", false},
		{"www.example.com:443", "example.com", false},
		{" www.example.com\t", "example.com", false},
		{"..www...example..com..", "example.com", false},
		{".", "", false},
		{"www.bücher.example.de", "example.de", false},
		{"BÜCHER.de", "xn--bcher-kva.de", false},
		{"xn--bcher-kva.de", "xn--bcher-kva.de", false},
		{"www。example。com", "example.com", false},
		{"evil\x00.example.com", "example.com", false},
		{"a.exa\x1bmple.com", "exa_mple.com", false},
		{"a.<script>.com", "_script_.com", false},
		{"\xff\xfe.example.com", "example.com", false},
		{"_sip._tcp.example.com", "example.com", false},
		{strings.Repeat("a", 300) + ".example.com", "example.com", false},
		{strings.Repeat("a.", 5000) + "example.com", "example.com", false},
		{strings.Repeat("a", 300), strings.Repeat("a", maxName), false},
	} {
		got, shared := Domain(c.name)
		if got != c.want || shared != c.shared {
			t.Errorf("Domain(%.60q) = %q, %v, want %q, %v", c.name, got, shared, c.want, c.shared)
		}
	}
}

func hostileName() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{
		"www", "example", "com", "co", "uk", "github", "io", ".", ".", "..", "。", ":", "443", "[", "]", "::1", "%", "10", "1",
		"xn--", "bcher-kva", "Ü", "ß", "İ", "ſ", "\u202e", "\u200d", "\x00", "\n", "\xff", "_", "-", "*", " ", "a",
	})
	return rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOfN(piece, 0, 12), func(p []string) string { return strings.Join(p, "") }),
		rapid.Map(rapid.SliceOfN(piece, 60, 90), func(p []string) string { return strings.Join(p, ".aaaaa") }),
	)
}

func checkNormal(t interface{ Fatalf(string, ...any) }, name string) {
	n := Normalise(name)
	if len(n) > maxName {
		t.Fatalf("Normalise(%q) has %d bytes", name, len(n))
	}
	for _, r := range n {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) || unicode.IsUpper(r) || r == ' ' {
			t.Fatalf("Normalise(%q) = %q", name, n)
		}
	}
	if again := Normalise(n); again != n {
		t.Fatalf("Normalise(%q) = %q, and of that %q", name, n, again)
	}
	d, _ := Domain(name)
	if again, _ := Domain(d); again != d {
		t.Fatalf("Domain(%q) = %q, and of that %q", name, d, again)
	}
	if !strings.HasSuffix(n, d) {
		t.Fatalf("Domain(%q) = %q is not the end of %q", name, d, n)
	}
}

func TestNormaliseProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkNormal(t, hostileName().Draw(t, "name")) })
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"www.example.com", "[::1]:443", "BÜCHER.de", "a..b", "1.2.3.4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) { checkNormal(t, name) })
}

func BenchmarkDomain(b *testing.B) {
	for _, name := range []string{"www.example.com", "WWW.Example.com.", "account.blob.core.windows.net", "192.0.2.1", "bücher.de"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Domain(name)
			}
		})
	}
}
