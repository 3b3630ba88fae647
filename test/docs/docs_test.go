// Package docs_test holds the documents against what they speak of: links lead
// somewhere, and what the README shows runs as it stands.
package docs_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// documents are all Markdown files, by their paths from the root.
func documents(t *testing.T) (list []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, e fs.DirEntry, err error) error {
		if e != nil && e.IsDir() && path != "." && strings.HasPrefix(e.Name(), ".") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			list = append(list, path)
		}
		return err
	})
	if err != nil || len(list) < 7 {
		t.Fatalf("%d documents, %v", len(list), err)
	}
	return list
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinksLeadSomewhere: every link that is not of the web names a file.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	n := 0
	for _, doc := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, filepath.Join(root, doc)), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			n++
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(doc), target)); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
	}
	if n < 10 {
		t.Errorf("%d links", n)
	}
}

var testLink = regexp.MustCompile(`\[(Test\w+)\]\(([^)\s]+)\)`)

// TestSecurityNamesTests: every test that SECURITY.md names for a defence is in the file
// that it names, and every defence has one.
func TestSecurityNamesTests(t *testing.T) {
	t.Parallel()
	defences := 0
	for line := range strings.Lines(read(t, filepath.Join(root, "SECURITY.md"))) {
		named := testLink.FindAllStringSubmatch(line, -1)
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| threat |") {
			if defences++; len(named) == 0 {
				t.Errorf("no test is named: %s", line)
			}
		}
		for _, m := range named {
			if !strings.Contains(read(t, filepath.Join(root, m[2])), "func "+m[1]+"(t *testing.T)") {
				t.Errorf("there is no %s in %s", m[1], m[2])
			}
		}
	}
	if defences < 25 {
		t.Errorf("%d defences", defences)
	}
}

// blocks returns the fenced blocks of a language.
func blocks(text, language string) (list []string) {
	_, rest, found := strings.Cut(text, "\n```"+language+"\n")
	for found {
		var block string
		block, rest, _ = strings.Cut(rest, "\n```\n")
		list = append(list, block)
		_, rest, found = strings.Cut(rest, "\n```"+language+"\n")
	}
	return list
}

// TestReadmeCommands: the README's commands are the one that runs the tests, which
// the checks call too, and others that end well and say something.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	const tests = "go test ./..."
	list := blocks(read(t, filepath.Join(root, "README.md")), "sh")
	if len(list) != 2 || list[1] != tests {
		t.Fatalf("the README's commands are %q", list)
	}
	if !strings.Contains(read(t, filepath.Join(root, ".ci/run")), "\n"+tests+"\n") {
		t.Errorf(".ci/run does not call %s", tests)
	}
	words := strings.Fields(list[0])
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "\nactivityhash ") {
		t.Errorf("%s: %v\n%s", list[0], err, out)
	}
}

// TestPrograms: the programs that the README and the page about devices show compile, and
// print what they say they do.
func TestPrograms(t *testing.T) {
	t.Parallel()
	for doc, mark := range map[string]string{
		"README.md": "Body) // ", "docs/devices.md": "posted.Data.Body) // ",
	} {
		programs := blocks(read(t, filepath.Join(root, doc)), "go")
		if len(programs) != 1 {
			t.Fatalf("%s shows %d programs", doc, len(programs))
		}
		_, promised, _ := strings.Cut(programs[0], mark)
		promised, _, _ = strings.Cut(promised, "\n")
		if got := ran(t, programs[0]); got != promised || promised == "" {
			t.Errorf("%s: %s, want %s", doc, got, promised)
		}
	}
}

// ran builds a program as if it stood in a package of this module, and returns what it
// prints.
func ran(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := filepath.Abs(filepath.Join(root, "examples", "readme", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{at: source}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build",
		"-overlay", filepath.Join(dir, "overlay"), "-o", binary, "./examples/readme")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.CopyFS(filepath.Join(dir, "guest"), os.DirFS(filepath.Join(root, "guest"))); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), binary)
	run.Dir = dir
	out, err := run.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}
