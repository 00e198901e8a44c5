package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/postern/postern/internal/source"
)

// makeTree makes files with their names as content in a new folder, which
// becomes the current one. "a -> b" makes a symbolic link.
func makeTree(t *testing.T, names ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range names {
		name, target, link := strings.Cut(name, " -> ")
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		var err error
		if link {
			err = os.Symlink(target, name)
		} else {
			err = os.WriteFile(name, []byte(name), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestFind(t *testing.T) {
	tests := []struct {
		name string
		tree []string
		args []string
		want []string // "+" before what is named
		errs []error
	}{
		{name: "nothing"},
		{name: "file", tree: []string{"a", "b"}, args: []string{"./a"}, want: []string{"+a"}},
		{name: "folder", tree: []string{"d/b", "d/a", "d/s/c", "e"}, args: []string{"d"}, want: []string{"d/a", "d/b", "d/s/c"}},
		{name: "sorted", tree: []string{"a", "b", "c"}, args: []string{"c", "a", "b"}, want: []string{"+a", "+b", "+c"}},
		{name: "hidden", tree: []string{"d/.a", "d/.s/b", "d/c", ".x"}, args: []string{"d", ".x"}, want: []string{"+.x", "d/c"}},
		{name: "named in a folder", tree: []string{"d/a", "d/b"}, args: []string{"d", "d/a"}, want: []string{"+d/a", "d/b"}},
		{name: "twice", tree: []string{"d/a"}, args: []string{"d", "d/../d", "d/a", "./d/a"}, want: []string{"+d/a"}},
		{name: "by a link", tree: []string{"a", "z -> a"}, args: []string{"z", "a"}, want: []string{"+a"}},
		{name: "links in a folder", tree: []string{"d/m", "d/b -> m", "d/e -> ../f", "f/x"}, args: []string{"d"}, want: []string{"d/b", "d/e/x"}},
		{name: "circle", tree: []string{"d/a", "d/s/up -> ..", "d/s/self -> ."}, args: []string{"d"}, want: []string{"d/a"}},
		{name: "dead link", tree: []string{"d/a", "d/x -> gone"}, args: []string{"d"}, want: []string{"d/a"}, errs: []error{os.ErrNotExist}},
		{name: "pattern", tree: []string{"a.log", "b.log", "c.txt", ".d.log"}, args: []string{"*.log"}, want: []string{"+a.log", "+b.log"}},
		{name: "pattern for hidden files", tree: []string{"a.log", ".d.log"}, args: []string{".*.log"}, want: []string{"+.d.log"}},
		{name: "pattern for folders", tree: []string{"d1/a", "d2/b"}, args: []string{"d*"}, want: []string{"d1/a", "d2/b"}},
		{name: "file named like a pattern", tree: []string{"a[1]", "a1"}, args: []string{"a[1]"}, want: []string{"+a[1]"}},
		{name: "no match", tree: []string{"a"}, args: []string{"*.log", "a", "b"}, want: []string{"+a"}, errs: []error{source.ErrNoMatch, source.ErrNoMatch}},
		{name: "bad pattern", tree: []string{"a"}, args: []string{"[", "a"}, want: []string{"+a"}, errs: []error{filepath.ErrBadPattern}},
		{name: "empty folder", tree: []string{"d/.hidden"}, args: []string{"d"}, errs: []error{source.ErrNoFiles}},
		{name: "standard input", tree: []string{"a"}, args: []string{"a", "-", "-"}, want: []string{"+-", "+a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			makeTree(t, tt.tree...)
			units, errs := source.Find(tt.args)
			var got []string
			for _, u := range units {
				name := filepath.ToSlash(u.Path)
				if u.Named {
					name = "+" + name
				}
				got = append(got, name)
			}
			want := slices.Clone(tt.want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("units (-want +got):\n%s", diff)
			}
			if len(errs) != len(tt.errs) {
				t.Fatalf("errors %q, want %q", errs, tt.errs)
			}
			for i, err := range errs {
				if !errors.Is(err, tt.errs[i]) {
					t.Errorf("error %v, want %v", err, tt.errs[i])
				}
			}
		})
	}
}

func TestFindNamesArgument(t *testing.T) {
	makeTree(t)
	_, errs := source.Find([]string{"logs/*.evtx"})
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "logs/*.evtx") {
		t.Errorf("errors %q do not name the argument", errs)
	}
}

func TestFindSize(t *testing.T) {
	makeTree(t, "four")
	units, _ := source.Find([]string{"four", "-"})
	want := []source.Unit{{Path: "-", Size: -1, Named: true}, {Path: "four", Size: 4, Named: true}}
	if diff := cmp.Diff(want, units); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
}

func TestFindUnreadableFolder(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("permissions do not bind this user")
	}
	makeTree(t, "d/a", "d/s/b")
	if err := os.Chmod("d/s", 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod("d/s", 0o777)
	units, errs := source.Find([]string{"d"})
	if len(units) != 1 || len(errs) != 1 || !errors.Is(errs[0], os.ErrPermission) {
		t.Errorf("units %v, errors %v", units, errs)
	}
}
