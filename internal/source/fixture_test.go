package source_test

import (
	"archive/tar"
	stdgzip "compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern/postern/internal/source"
)

// fixture returns the path of a public capture, or skips the test without.
func fixture(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("POSTERN_FIXTURES")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
			if dir == filepath.Dir(dir) {
				t.Fatal("no go.mod above the test")
			}
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(dir, "..", "shared", "fixtures")
	}
	path := filepath.Join(root, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("fixture %s is absent; set POSTERN_FIXTURES", name)
	}
	return path
}

// TestTruncatedCapture reads a capture that was published without its end, and
// compares with what the standard library gets out of it.
func TestTruncatedCapture(t *testing.T) {
	path := fixture(t, "otrf_hostonly_empire_https/empire_mimikatz_opth.tar.gz")
	want := sha256.New()
	wantSize := standardRead(t, path, want)

	digest := sha256.New()
	var size int64
	err := source.Unit{Path: path, Named: true}.Each(t.Context(), source.Options{}, func(in source.Input, r io.Reader) error {
		if !in.Member || !in.Named || !strings.HasSuffix(in.Name, ".json") {
			t.Errorf("input %+v", in)
		}
		n, err := io.Copy(digest, r)
		size += n
		return err
	})
	if size != wantSize || string(digest.Sum(nil)) != string(want.Sum(nil)) {
		t.Errorf("%d bytes, want %d and the same", size, wantSize)
	}
	inputs, rest := source.Failures(err)
	if len(inputs) != 1 || !errors.Is(err, io.ErrUnexpectedEOF) || rest != nil {
		t.Errorf("error %v, want one of an unexpected EOF", err)
	}
}

// standardRead writes the first member of a tar.gz to w, as far as it goes.
func standardRead(t *testing.T, path string, w io.Writer) int64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gz, err := stdgzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(gz)
	if _, err := tr.Next(); err != nil {
		t.Fatal(err)
	}
	n, _ := io.Copy(w, tr)
	return n
}

// TestBackslashes reads an archive that Windows made.
func TestBackslashes(t *testing.T) {
	path := fixture(t, "splunk_evtx_pcap/hh_decompile_t1218.001_capattack.zip")
	logs := 0
	err := source.Unit{Path: path}.Each(t.Context(), source.Options{}, func(in source.Input, r io.Reader) error {
		if strings.Contains(in.Name, `\`) {
			t.Errorf("%s has a backslash", in.Name)
		}
		if strings.HasSuffix(in.Name, ".evtx") {
			logs++
			head := make([]byte, 8)
			if _, err := io.ReadFull(r, head); err != nil || string(head) != "ElfFile\x00" {
				return fmt.Errorf("%s begins with %q: %w", in.Name, head, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if logs == 0 {
		t.Error("no logs were found")
	}
}
