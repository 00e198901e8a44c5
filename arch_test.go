package postern_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers lists the packages from the ground up. A package may import only
// packages of an earlier layer. The list is the architecture: to change it,
// change docs/ARCHITECTURE.md in the same commit.
var layers = [][]string{
	{"event", "stats", "source", "program", "yamldoc"},
	{"communityid", "decode", "destination", "inventory", "process", "store", "simulate/format"},
	{"decode/agent", "decode/gateway"},
	{"decode/columns"},
	{"config", "coverage/sysmon", "decode/cef", "decode/evtx", "decode/ocsf", "decode/osquery", "decode/crowdstrike", "decode/defender", "decode/nvm", "decode/elastic", "decode/fortinet", "decode/paloalto", "decode/pcap", "decode/squid", "decode/suricata", "decode/w3c", "decode/zeek", "decode/zscaler", "store/schema", "owner", "detect", "simulate/fleet"},
	{"decode/netflow", "decode/winlog", "baseline", "simulate", "store/clickhouse", "store/duckdb"},
	{"score", "simulate/gen"},
	{"finding"},
	{"coverage", "report/pivot"},
	{"report", "pipeline", "bench", "bench/owner", "bench/detect"},
	{"report/html"},
}

// bound lists imports that only a few packages may make, and why.
var bound = map[string]struct {
	only []string
	why  string
}{
	"store/clickhouse":   {[]string{"pipeline"}, "everything else sees store.Store"},
	"store/duckdb":       {[]string{"pipeline"}, "everything else sees store.Store"},
	"store/schema":       {[]string{"store/clickhouse", "store/duckdb"}, "tables are the stores' own affair"},
	"decode/columns":     {[]string{"config", "pipeline"}, "the rest sees decode.Format"},
	"decode/cef":         {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/evtx":        {[]string{"decode/winlog"}, "the rest sees events"},
	"decode/fortinet":    {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/paloalto":    {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/netflow":     {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/pcap":        {[]string{"decode/netflow", "pipeline"}, "the rest sees decode.Format"},
	"decode/squid":       {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/suricata":    {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/w3c":         {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/elastic":     {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/nvm":         {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/defender":    {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/crowdstrike": {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/osquery":     {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/ocsf":        {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/winlog":      {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/zscaler":     {[]string{"pipeline"}, "the rest sees decode.Format"},
	"decode/zeek":        {[]string{"pipeline"}, "the rest sees decode.Format"},
	"stats":              {[]string{"owner", "detect", "baseline", "score"}, "numbers are made in few places"},
}

const (
	module   = "github.com/postern/postern/"
	internal = module + "internal/"
)

// A source is a Go file that is not a test, with its package below internal/.
type source struct {
	path, pkg string
	file      *ast.File
}

// sources returns all Go files below dir but tests and what serves only tests.
func sources(t *testing.T, dir string) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "testdata" || path != dir && strings.HasSuffix(d.Name(), "test") {
				return filepath.SkipDir // decodetest, storetest and the like
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, filepath.Dir(path))
		all = append(all, source{path, filepath.ToSlash(rel), f})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestImportsFlowOneWay(t *testing.T) {
	rank := make(map[string]int)
	for i, layer := range layers {
		for _, p := range layer {
			rank[p] = i
		}
	}
	seen := make(map[string]bool)
	for _, s := range sources(t, "internal") {
		seen[s.pkg] = true
		from, ok := rank[s.pkg]
		if !ok {
			t.Errorf("package %s has no layer", s.pkg)
			continue
		}
		for _, spec := range s.file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			to, ok := strings.CutPrefix(path, internal)
			if !ok {
				continue
			}
			if rank[to] >= from {
				t.Errorf("%s imports %s: imports must point down the layers", s.pkg, to)
			}
			if b, ok := bound[to]; ok && !slices.Contains(b.only, s.pkg) {
				t.Errorf("%s imports %s: only %v may, as %s", s.pkg, to, b.only, b.why)
			}
		}
	}
	for p := range rank {
		if !seen[p] {
			t.Errorf("the layers name %s, which does not exist", p)
		}
	}
}

func TestOnePackageCommentEach(t *testing.T) {
	comments := make(map[string][]string)
	for _, dir := range []string{"internal", "cmd"} {
		for _, s := range sources(t, dir) {
			key := dir + "/" + s.pkg
			comments[key] = append(comments[key], nil...)
			if s.file.Doc != nil {
				comments[key] = append(comments[key], s.path)
				if !strings.HasPrefix(s.file.Doc.Text(), "Package "+s.file.Name.Name+" ") && s.file.Name.Name != "main" {
					t.Errorf("%s: the package comment does not begin with its name", s.path)
				}
			}
		}
	}
	for pkg, files := range comments {
		if len(files) != 1 {
			t.Errorf("%s has %d package comments (%v), want 1", pkg, len(files), files)
		}
	}
}

// TestBounds keeps files readable and the project's words in use.
func TestBounds(t *testing.T) {
	const maxLines = 600
	for _, dir := range []string{"internal", "cmd"} {
		for _, s := range sources(t, dir) {
			text, err := os.ReadFile(s.path)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "\n"); n > maxLines && !strings.HasPrefix(string(text), "// Code generated") {
				t.Errorf("%s has %d lines: split it by noun", s.path, n)
			}
			switch name := s.file.Name.Name; name {
			case "utils", "util", "common", "types", "helper", "helpers", "manager", "misc":
				t.Errorf("%s: package name %s says nothing", s.path, name)
			}
		}
	}
}

// TestNoInitAndNoExit: plug-ins are values in lists, and only main ends the
// program.
func TestNoInitAndNoExit(t *testing.T) {
	for _, s := range sources(t, "internal") {
		f, err := parser.ParseFile(token.NewFileSet(), s.path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name.Name == "main" {
			continue // a command of its own, for the Makefile
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					t.Errorf("%s has an init", s.path)
				}
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok {
					switch call := x.Name + "." + n.Sel.Name; call {
					case "os.Exit", "log.Fatal", "log.Fatalf", "os.Getenv":
						t.Errorf("%s uses %s", s.path, call)
					}
				}
			}
			return true
		})
	}
}
