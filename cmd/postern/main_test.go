package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding/unicode"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"postern": func() { os.Exit(run(os.Args[1:])) },
	})
}

// TestScripts runs the command on telemetry written in the scripts.
func TestScripts(t *testing.T) {
	office, err := filepath.Abs("../../examples/office")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("OFFICE", office)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "pack": pack, "plain": plain},
	})
}

// exits runs a command and wants its exit code: exits CODE COMMAND ARG...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// plain wants a file without control characters but line feeds, as what is
// meant for a terminal or a spreadsheet must be: plain FILE
func plain(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: plain FILE")
	}
	for i, c := range []byte(ts.ReadFile(args[0])) {
		if c < ' ' && c != '\n' || c == 0x7f {
			ts.Fatalf("byte %d of %s is %#x", i, args[0], c)
		}
	}
}

// pack packs files: pack gz|zst|zip|tar|utf16 OUT IN... All but zip and tar
// take the files as one.
func pack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: pack gz|zst|zip|tar|utf16 OUT IN...")
	}
	var b bytes.Buffer
	ts.Check(packed(args[0], &b, args[2:], func(name string) []byte { return []byte(ts.ReadFile(name)) }))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o666))
}

func packed(kind string, w io.Writer, names []string, read func(string) []byte) error {
	switch kind {
	case "zip":
		z := zip.NewWriter(w)
		for _, name := range names {
			f, err := z.Create(filepath.Base(name))
			if err != nil {
				return err
			}
			if _, err := f.Write(read(name)); err != nil {
				return err
			}
		}
		return z.Close()
	case "tar":
		t := tar.NewWriter(w)
		for _, name := range names {
			data := read(name)
			if err := t.WriteHeader(&tar.Header{Name: filepath.Base(name), Size: int64(len(data)), Mode: 0o666}); err != nil {
				return err
			}
			if _, err := t.Write(data); err != nil {
				return err
			}
		}
		return t.Close()
	}
	c, err := compressor(kind, w)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := c.Write(read(name)); err != nil {
			return err
		}
	}
	return c.Close()
}

func compressor(kind string, w io.Writer) (io.WriteCloser, error) {
	switch kind {
	case "gz":
		return gzip.NewWriter(w), nil
	case "zst":
		return zstd.NewWriter(w)
	case "utf16":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Writer(w).(io.WriteCloser), nil
	}
	return nil, fmt.Errorf("no packing %q", kind)
}
