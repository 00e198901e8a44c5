package postern_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/postern/postern/internal/pipeline"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestReadmeSampleIsReal runs the README's first command as it is written and
// holds the sample against what it prints. Lines that end in "…" are cut.
func TestReadmeSampleIsReal(t *testing.T) {
	readme := read(t, "README.md")
	command := regexp.MustCompile("(?m)^go run .*$").FindString(readme)
	if command == "" {
		t.Fatal("the README has no go run command")
	}
	args := strings.Fields(command)
	out, err := exec.Command(args[0], args[1:]...).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	_, sample, ok := strings.Cut(readme, "<!-- sample -->\n```text\n")
	if !ok {
		t.Fatal("the README has no sample")
	}
	sample, _, _ = strings.Cut(sample, "```")
	for line := range strings.Lines(sample) {
		line = strings.TrimSuffix(line, "\n")
		want := "\n" + line + "\n"
		if start, cut := strings.CutSuffix(line, "…"); cut {
			want = "\n" + start
		}
		if line != "..." && !strings.Contains("\n"+string(out), want) {
			t.Errorf("the output has no line %q", line)
		}
	}
}

func TestReadmeListsTheFormats(t *testing.T) {
	readme := read(t, "README.md")
	for _, f := range pipeline.Formats() {
		if !strings.Contains(readme, "`"+f.Name+"`") {
			t.Errorf("the README does not list the format %s", f.Name)
		}
	}
}

// TestDocsNameWhatTheCodeSays holds the lists in the documents against the
// names in the code.
func TestDocsNameWhatTheCodeSays(t *testing.T) {
	for _, c := range []struct{ code, name, doc string }{
		{"internal/score/parts.go", `part\{"([a-z_]+)"`, "docs/format/findings.md"},
		{"internal/finding/finding.go", `json:"([a-z_0-9]+)`, "docs/format/findings.md"},
		{"internal/owner/ledger.go", `Outcome += "([a-z-]+)"`, "docs/owner.md"},
		{"internal/owner/ledger.go", `Reason += "([^"]+)"`, "docs/owner.md"},
	} {
		doc := read(t, c.doc)
		for _, m := range regexp.MustCompile(c.name).FindAllStringSubmatch(read(t, c.code), -1) {
			if len(m) > 1 && !strings.Contains(doc, m[1]) {
				t.Errorf("%s does not explain %s of %s", c.doc, m[1], c.code)
			}
		}
	}
}

func TestLinksInDocsLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, doc := range []string{"README.md", "docs/ARCHITECTURE.md", "docs/owner.md", "docs/format/findings.md", "examples/office/README.md"} {
		for _, m := range link.FindAllStringSubmatch(read(t, doc), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s: %v", doc, err)
			}
		}
	}
}

// TestRootHoldsWhatTheReadmeMentions keeps the root readable by a stranger.
func TestRootHoldsWhatTheReadmeMentions(t *testing.T) {
	known := map[string]bool{
		"README.md": true, "LICENSE": true, "Makefile": true, "go.mod": true, "go.sum": true,
		"cmd": true, "internal": true, "docs": true, "examples": true, "tools": true,
		"arch_test.go": true, "docs_test.go": true,
	}
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	for path := range strings.Lines(string(out)) {
		top, _, _ := strings.Cut(strings.TrimSpace(path), "/")
		if !known[top] && !strings.HasPrefix(top, ".") {
			t.Errorf("%s is in the root and nothing explains it", top)
		}
	}
}
