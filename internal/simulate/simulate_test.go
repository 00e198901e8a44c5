package simulate_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/postern/postern/internal/simulate"
)

// exampleSeed is the seed of the committed example.
const exampleSeed = 1

var shared struct {
	once  sync.Once
	dir   string
	truth *simulate.Truth
	err   error
}

// example returns a folder with the office of the example's seed, made once.
func example(t *testing.T) (string, *simulate.Truth) {
	t.Helper()
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "office"); shared.err == nil {
			shared.truth, shared.err = simulate.Office(shared.dir, exampleSeed)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.dir, shared.truth
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.dir != "" {
		os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// read returns the content of a file, unpacked.
func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if z.Name != "" || !z.ModTime.IsZero() {
		t.Errorf("%s: the header holds name %q, time %v", path, z.Name, z.ModTime)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return b
}

// lines calls do with each line of a file.
func lines(t *testing.T, path string, do func(line string)) {
	t.Helper()
	s := bufio.NewScanner(bytes.NewReader(read(t, path)))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		do(s.Text())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
}

// files returns the paths below dir, relative to it.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, relErr := filepath.Rel(dir, path)
			all, err = append(all, rel), relErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// digest returns a hash of each file's unpacked content.
func digest(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, name := range files(t, dir) {
		sum := sha256.Sum256(read(t, filepath.Join(dir, name)))
		all[name] = hex.EncodeToString(sum[:])
	}
	return all
}

// raw returns a hash of dir with the packed bytes as they are.
func raw(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	for _, name := range files(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(h, name)
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// glob returns the files that match, of which there must be some.
func glob(t *testing.T, elem ...string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(elem...))
	if err != nil || len(all) == 0 {
		t.Fatalf("%v: %d files, %v", elem, len(all), err)
	}
	return all
}
