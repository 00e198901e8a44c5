package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Find returns the units that args name, sorted by path: files, folders with
// all that is below them, patterns of [filepath.Match], and Stdin.
//
// In folders, hidden files and folders (".name") are left out, as is what is
// no regular file; symbolic links are followed, and each folder is entered
// once. A file that is found twice is one unit. An argument that names no
// file, or a folder that cannot be read, is an error that names it; the others
// are found nevertheless.
func Find(args []string) ([]Unit, []error) {
	var f finder
	for _, arg := range args {
		if err := f.argument(arg); err != nil {
			f.errs = append(f.errs, err)
		}
	}
	return f.units(), f.errs
}

// A finder gathers files.
type finder struct {
	files []file
	errs  []error
}

// A file is a unit with what tells it from others.
type file struct {
	Unit
	real string // path without symbolic links
}

func (f *finder) argument(arg string) error {
	if arg == Stdin {
		f.files = append(f.files, file{Unit{Path: Stdin, Size: -1, Named: true}, Stdin})
		return nil
	}
	_, err := os.Stat(arg)
	if err == nil {
		return f.path(filepath.Clean(arg))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", arg, cause(err))
	}
	matches, err := filepath.Glob(arg)
	if err != nil {
		return fmt.Errorf("%s: %w", arg, err)
	}
	found := false
	for _, m := range matches {
		if hidden(filepath.Base(m)) && !hidden(filepath.Base(arg)) {
			continue // as a shell does
		}
		found = true
		if err := f.path(m); err != nil {
			f.errs = append(f.errs, err)
		}
	}
	if !found {
		return fmt.Errorf("%s: %w", arg, ErrNoMatch)
	}
	return nil
}

// path finds the file, or the files in the folder, of that path.
func (f *finder) path(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	real, err := realPath(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	if !info.IsDir() {
		f.add(path, real, info, true)
		return nil
	}
	before := len(f.files) + len(f.errs)
	f.folder(path, real, make(map[string]bool))
	if len(f.files)+len(f.errs) == before {
		return fmt.Errorf("%s: %w", path, ErrNoFiles)
	}
	return nil
}

// folder finds the files below path. The real paths of the folders that were
// entered are in entered, so that symbolic links do not lead in circles.
func (f *finder) folder(path, real string, entered map[string]bool) {
	if entered[real] {
		return
	}
	entered[real] = true
	entries, err := os.ReadDir(path) // what was read before an error counts
	if err != nil {
		f.errs = append(f.errs, fmt.Errorf("%s: %w", path, cause(err)))
	}
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		if err := f.entry(e, path, real, entered); err != nil {
			f.errs = append(f.errs, err)
		}
	}
}

// entry finds what is at an entry of the folder with that path.
func (f *finder) entry(e fs.DirEntry, folder, realFolder string, entered map[string]bool) error {
	path, real := filepath.Join(folder, e.Name()), filepath.Join(realFolder, e.Name())
	info, err := e.Info()
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if info, err = os.Stat(path); err == nil {
			real, err = realPath(path)
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", path, cause(err))
	case info.IsDir():
		f.folder(path, real, entered)
	case info.Mode().IsRegular():
		f.add(path, real, info, false)
	}
	return nil
}

func (f *finder) add(path, real string, info fs.FileInfo, named bool) {
	size := int64(-1)
	if info.Mode().IsRegular() {
		size = info.Size()
	}
	f.files = append(f.files, file{Unit{path, size, named}, real})
}

// units returns what was found, each file once: by the path that the user
// named it by, or else by the first.
func (f *finder) units() []Unit {
	slices.SortFunc(f.files, func(a, b file) int {
		if a.Named != b.Named {
			if a.Named {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Path, b.Path)
	})
	seen := make(map[string]bool)
	var units []Unit
	for _, file := range f.files {
		if !seen[file.real] {
			seen[file.real] = true
			units = append(units, file.Unit)
		}
	}
	slices.SortFunc(units, func(a, b Unit) int { return strings.Compare(a.Path, b.Path) })
	return units
}

// realPath returns the absolute path without symbolic links.
func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// hidden reports whether a file of that name is hidden by custom.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") && name != "." && name != ".."
}

// cause returns what is wrong, without the path, which the caller names.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
