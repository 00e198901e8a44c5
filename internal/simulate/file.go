package simulate

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A file is an output being written, packed when its name ends in ".gz".
type file struct {
	f  *os.File
	gz *gzip.Writer
	w  *bufio.Writer
}

// createFile creates path and the folders above it.
func createFile(path string) (*file, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("creating a folder for %s: %w", path, err)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("creating an output: %w", err)
	}
	out := &file{f: f}
	var w io.Writer = f
	if strings.HasSuffix(path, ".gz") {
		// The header stays empty: a name or a time in it would make equal
		// contents differ.
		out.gz, err = gzip.NewWriterLevel(f, gzip.BestCompression)
		if err != nil {
			return nil, fmt.Errorf("packing %s: %w", path, err)
		}
		w = out.gz
	}
	out.w = bufio.NewWriterSize(w, 256<<10)
	return out, nil
}

// write appends b.
func (f *file) write(b []byte) error {
	if _, err := f.w.Write(b); err != nil {
		return fmt.Errorf("writing %s: %w", f.f.Name(), err)
	}
	return nil
}

// close writes what is left and closes the file.
func (f *file) close() error {
	err := f.w.Flush()
	if f.gz != nil {
		if e := f.gz.Close(); err == nil {
			err = e
		}
	}
	if e := f.f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("closing %s: %w", f.f.Name(), err)
	}
	return nil
}
