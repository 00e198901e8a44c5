package source_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/postern/postern/internal/source"
)

// TestEachDamaged damages what was packed: everything before the damage must
// arrive, and one error that says where.
func TestEachDamaged(t *testing.T) {
	var lines strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&lines, "line %d %x\n", i, sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)}))
	}
	long := lines.String()
	two := []member{{"a", long}, {"b", long}}
	cut := func(s string, part float64) string { return s[:int(float64(len(s))*part)] }
	tests := []struct {
		name    string
		content string
		least   []int // bytes of each input
		err     string
	}{
		{"gzip cut", cut(gz(long), 0.5), []int{len(long) * 4 / 10}, "f: unexpected EOF"},
		{"gzip cut in its header", gz(long)[:5], nil, "f: unexpected EOF"},
		{"gzip, checksum", flip(gz(long), -6), []int{len(long)}, "f: gzip: invalid checksum"},
		{"zstd cut", cut(zst(long), 0.5), []int{len(long) * 4 / 10}, "f: unexpected EOF"},
		{"tar cut in a member", cut(tarball(two...), 0.75), []int{len(long), len(long) * 4 / 10}, "f!b: unexpected EOF"},
		{"tar.gz cut in a member", cut(gz(tarball(two...)), 0.75), []int{len(long), len(long) * 4 / 10}, "f!b: unexpected EOF"},
		{"tar.gz, checksum", flip(gz(tarball(two...)), -6), []int{len(long), len(long)}, "f: gzip: invalid checksum"},
		{"tar, second header", flip(tarball(two...), 1024+512+(len(long)+511)/512*512+100), []int{len(long)}, "f: " + tar.ErrHeader.Error()},
		{"zip cut", cut(zipped(two...), 0.9), nil, "f: " + zip.ErrFormat.Error()},
		{"zip, one member", flip(zipped(two...), len(zipped(two...))/4), []int{0, len(long)}, "f!a: "},
		{"zip, compressed member cut", zipped(member{"a.gz", cut(gz(long), 0.5)}, member{"b", long}), []int{len(long) * 4 / 10, len(long)}, "f!a.gz: unexpected EOF"},
		{"tar.gz, compressed member cut", gz(tarball(member{"a.gz", cut(gz(long), 0.5)}, member{"b", long})), []int{len(long) * 4 / 10, len(long)}, "f!a.gz: unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := write(t, "f", tt.content)
			inputs, errs := read(t, u, source.Options{})
			if len(errs) != 1 || !strings.HasPrefix(errs[0], tt.err) && !strings.HasSuffix(errs[0], strings.TrimPrefix(tt.err, "f: ")) {
				t.Errorf("errors %q, want one: %q", errs, tt.err)
			}
			if len(inputs) != len(tt.least) {
				t.Fatalf("%d inputs, want %d", len(inputs), len(tt.least))
			}
			for i, in := range inputs {
				if len(in.Content) < tt.least[i] || tt.least[i] > 0 && !strings.HasPrefix(long, in.Content) {
					t.Errorf("%s: %d bytes, want at least %d, unchanged", in.Name, len(in.Content), tt.least[i])
				}
			}
		})
	}
}

// flip changes a byte; a negative index counts from the end.
func flip(s string, i int) string {
	b := []byte(s)
	if i < 0 {
		i += len(b)
	}
	b[i] ^= 0x55
	return string(b)
}

func TestEachEncrypted(t *testing.T) {
	// The flag is at 6 of a local header and at 8 of the central one (APPNOTE 4.3).
	b := []byte(zipped(member{"a", "1"}, member{"b", "2"}))
	i := bytes.Index(b, []byte("PK\x03\x04"))
	for range 1 { // the second local header: the first is a folder's
		i += 4 + bytes.Index(b[i+4:], []byte("PK\x03\x04"))
	}
	b[i+6] |= 1
	j := bytes.Index(b, []byte("PK\x01\x02"))
	j += 4 + bytes.Index(b[j+4:], []byte("PK\x01\x02"))
	b[j+8] |= 1
	inputs, errs := read(t, write(t, "f", string(b)), source.Options{})
	if diff := cmp.Diff([]got{{"f!b", "2"}}, inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"f!a: encrypted"}, errs); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}
