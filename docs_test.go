package postern_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
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

var update = flag.Bool("update", false, "write the README's sample anew")

const sampleBegin, sampleEnd = "<!-- sample -->\n```text\n", "```"

// TestReadmeSampleIsReal runs the README's first command as it is written and
// holds the sample against what it prints.
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
	before, rest, ok := strings.Cut(readme, sampleBegin)
	got, after, _ := strings.Cut(rest, sampleEnd)
	want := abridge(string(out))
	if *update {
		if err := os.WriteFile("README.md", []byte(before+sampleBegin+want+sampleEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !ok || got != want {
		t.Errorf("the sample is not what %q prints (go test . -update writes it):\n%s", command, want)
	}
}

// abridge cuts hunt's output to a page: the first findings, no clocks, no
// long lines.
func abridge(out string) string {
	const findings, width = 5, 170
	var page []string
	skip := false
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(strings.TrimSpace(line), strconv.Itoa(findings+1)+" "):
			skip = true
			page = append(page, "...", "")
		case line == "Read" || line == "Not seen":
			skip = false
		case strings.HasPrefix(line, "Clocks"):
			skip = true
		}
		if r := []rune(line); len(r) > width {
			line = string(r[:width-1]) + "…"
		}
		if !skip {
			page = append(page, line)
		}
	}
	return strings.Join(page, "\n") + "\n"
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
		{"internal/finding/list.go", `json:"([a-z_0-9]+)`, "docs/format/findings.md"},
		{"internal/finding/ledger.go", `json:"([a-z_0-9]+)`, "docs/format/ledger.md"},
		{"internal/finding/baseline.go", `json:"([a-z_0-9]+)`, "docs/format/baseline.md"},
		{"internal/coverage/document.go", `json:"([a-z_0-9]+)`, "docs/format/coverage.md"},
		{"internal/coverage/sysmon/report.go", `json:"([a-z_0-9]+)`, "docs/format/coverage.md"},
		{"internal/coverage/gauge.go", `cause += "([a-z-]+)"`, "docs/format/coverage.md"},
		{"internal/coverage/traffic.go", `= "([a-z-]+)"`, "docs/format/coverage.md"},
		{"internal/coverage/host.go", `problem[A-Za-z]+ += "([a-z-]+)"`, "docs/format/coverage.md"},
		{"internal/baseline/show.go", `\{"([a-z_]+)", "(?:hours|seconds|bytes)"\}`, "docs/format/baseline.md"},
	} {
		doc := read(t, c.doc)
		for _, m := range regexp.MustCompile(c.name).FindAllStringSubmatch(read(t, c.code), -1) {
			if len(m) > 1 && !strings.Contains(doc, m[1]) {
				t.Errorf("%s does not explain %s of %s", c.doc, m[1], c.code)
			}
		}
	}
}

// TestOwnerDocExplainsTheLedger holds the tables against the names in the code;
// the first of each list stands for none.
func TestOwnerDocExplainsTheLedger(t *testing.T) {
	doc := read(t, "docs/owner.md")
	lists := regexp.MustCompile(`(?s)var (?:outcome|reason)Names = \[\.\.\.\]string\{(.*?)\}`)
	all := lists.FindAllStringSubmatch(read(t, "internal/owner/ledger.go"), -1)
	if len(all) != 2 {
		t.Fatalf("%d lists of names", len(all))
	}
	for _, m := range all {
		for _, name := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(m[1], -1)[1:] {
			if !strings.Contains(doc, name[1]) {
				t.Errorf("docs/owner.md does not explain %q", name[1])
			}
		}
	}
}

func TestLinksInDocsLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, doc := range []string{"README.md", "docs/ARCHITECTURE.md", "docs/owner.md", "docs/format/findings.md", "docs/format/ledger.md", "docs/format/baseline.md", "docs/format/coverage.md", "examples/office/README.md"} {
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
