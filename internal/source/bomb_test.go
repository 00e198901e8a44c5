package source_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/postern/postern/internal/source"
)

func TestEachBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("makes and unpacks hundreds of megabytes")
	}
	zeros := string(make([]byte, 70<<20)) // over what is free
	packed := gz(zeros)
	tests := []struct {
		name    string
		content string
		options source.Options
		errs    []string
	}{
		{"within the limits", packed, source.Options{}, nil},
		{"gzip too big", packed, source.Options{MaxExpanded: 65 << 20}, []string{"f: " + source.ErrTooBig.Error()}},
		{"gzip too dense", packed, source.Options{MaxRatio: 500}, []string{"f: " + source.ErrTooBig.Error()}},
		{"zstd too dense", zst(zeros), source.Options{}, []string{"f: " + source.ErrTooBig.Error()}},
		{"zip too dense", zipped(member{"a", zeros}, member{"b", "1"}), source.Options{MaxRatio: 500}, []string{"f!a: " + source.ErrTooBig.Error()}},
		{"one member too big", zipped(member{"a", zeros}, member{"b", "1"}), source.Options{MaxExpanded: 65 << 20}, []string{"f!a: " + source.ErrTooBig.Error()}},
		{"compressed twice", zipped(member{"a.gz", packed}), source.Options{}, []string{"f!a.gz: " + source.ErrTooBig.Error()}},
		{"tar.gz too big", gz(tarball(member{"a", zeros}, member{"b", "1"})), source.Options{MaxExpanded: 65 << 20}, []string{"f!a: " + source.ErrTooBig.Error()}},
		{"sparse tar", sparse(1 << 40), source.Options{}, []string{"f!m: " + source.ErrTooBig.Error()}},
		{"members overlap", overlapping(t, zeros, 50), source.Options{}, []string{"f!m: " + source.ErrTooBig.Error()}},
		{"not compressed", zeros, source.Options{MaxExpanded: 1, MaxRatio: 1}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := write(t, "f", tt.content)
			err := u.Each(t.Context(), tt.options, func(_ source.Input, r io.Reader) error {
				_, err := io.Copy(io.Discard, r)
				return err
			})
			inputs, _ := source.Failures(err)
			var errs []string
			for _, err := range inputs {
				errs = append(errs, err.Input.Name+": "+sentinel(err))
			}
			if diff := cmp.Diff(tt.errs, errs); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

// sparse returns a tar archive with a member of that many zeros, none of them
// stored (GNU format, as in the manual of GNU tar, "Old GNU Format").
func sparse(size int64) string {
	h := make([]byte, 512)
	copy(h, "m")
	copy(h[124:], "00000000000\x00") // stored
	h[156] = 'S'
	copy(h[257:], "ustar  \x00")
	big := func(b []byte, n int64) {
		b[0] = 0x80
		for i := len(b) - 1; i > 0; i, n = i-1, n>>8 {
			b[i] = byte(n)
		}
	}
	big(h[386:398], size) // a fragment of no bytes at the end
	big(h[398:410], 0)
	big(h[483:495], size)
	copy(h[148:156], "        ")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return string(h) + string(make([]byte, 1024))
}

// overlapping returns a zip archive with n entries in its index for one member.
func overlapping(t *testing.T, content string, n int) string {
	t.Helper()
	one := zipped(member{"m", content})
	start := strings.LastIndex(one, "PK\x01\x02")
	end := strings.LastIndex(one, "PK\x05\x06")
	entry := one[start:end]
	tail := []byte(one[end:])
	first := strings.Index(one, "PK\x01\x02")
	index := strings.Repeat(entry, n)
	tail[8], tail[10] = byte(n), byte(n)
	for i, size := 0, len(index); i < 4; i, size = i+1, size>>8 {
		tail[12+i] = byte(size)
	}
	return one[:first] + index + string(tail)
}
