package pcap

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// fixtures returns the folder of the public captures.
func fixtures(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("POSTERN_FIXTURES")
	if dir == "" {
		root, err := filepath.Abs(".")
		if err != nil {
			t.Fatal(err)
		}
		for !exists(filepath.Join(root, "go.mod")) && root != filepath.Dir(root) {
			root = filepath.Dir(root)
		}
		dir = filepath.Join(root, "..", "shared", "fixtures")
	}
	if !exists(dir) {
		t.Skipf("no fixtures at %s: set POSTERN_FIXTURES", dir)
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// captures returns all captures among the fixtures, also those in archives, by
// their names.
func captures(t testing.TB) map[string][]byte {
	t.Helper()
	dir := fixtures(t)
	all := make(map[string][]byte)
	for _, pattern := range []string{"pcap_tls_quic/*.pcap*", "otrf_pair_lsass01/*pcapng.zip", "otrf_pair_schtask_create/network_*.zip", "splunk_evtx_pcap/*.zip"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no fixture is %s: %v", pattern, err)
		}
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(path, ".zip") {
				unzip(t, b, all)
			} else {
				all[filepath.Base(path)] = b
			}
		}
	}
	return all
}

// unzip adds the captures in an archive.
func unzip(t testing.TB, b []byte, all map[string][]byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		name := f.Name[strings.LastIndexAny(f.Name, `/\`)+1:]
		if ext := filepath.Ext(name); ext != ".pcap" && ext != ".cap" && ext != ".pcapng" || strings.HasPrefix(name, "._") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if all[name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
}

// read decodes a capture whose format is found by its content.
func read(t testing.TB, data []byte) (*event.Batch, *decode.Tally) {
	t.Helper()
	tally := new(decode.Tally)
	_, d, err := decode.Open(Formats(), nil, bytes.NewReader(data), tally)
	if err != nil {
		t.Fatal(err)
	}
	b := new(event.Batch)
	for err == nil {
		err = d.Decode(b)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	return b, tally
}
