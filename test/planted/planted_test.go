// Package planted plants faults in the program, one at a time, and sees that the class of
// faults that is there to find it does: a harness that has never failed is not trusted.
//
// The faults are in no source file. Each replaces a text of one, which must be there
// once, and all of them are built into test binaries by the go command's overlay; the
// environment variable PLANTED names the one that is made. Without it such a binary must
// pass.
package planted

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vatwarehouse/test/faults"
)

const root = "../.."

// plantedVariable names the fault that a binary makes, and hook is what asks for it.
const (
	plantedVariable = "PLANTED"
	hookFile        = "internal/invariant/planted.go"
	hook            = `package invariant

import "os"

var planted = os.Getenv("PLANTED")

// Planted reports whether a fault is the one to be made.
func Planted(fault string) bool { return planted == fault }
`
)

// test is what is to find a fault: the class's own, unless another is named.
type test struct{ pkg, name string }

func (f fault) test(t *testing.T) test {
	t.Helper()
	if f.by != (test{}) {
		return f.by
	}
	c, err := faults.Find(f.class)
	if err != nil {
		t.Fatal(err)
	}
	return test{c.Package, c.Test}
}

// sources returns the changed sources, by path from the root.
func sources(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{hookFile: hook}
	for _, f := range planted {
		if f.file == "" {
			continue
		}
		text, ok := all[f.file]
		if !ok {
			b, err := os.ReadFile(filepath.Join(root, f.file))
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		if n := strings.Count(text, f.old); n != 1 {
			t.Fatalf("%s: its text is %d times in %s", f.name, n, f.file)
		}
		asks := fmt.Sprintf("invariant.Planted(%q)", f.name)
		text = strings.Replace(text, f.old, strings.ReplaceAll(f.new, "PLANTED", asks), 1)
		all[f.file] = imported(text)
	}
	return all
}

// imported returns a source that imports what faults ask.
func imported(text string) string {
	const path = `"vatwarehouse/internal/invariant"`
	if strings.Contains(text, path) {
		return text
	}
	at := strings.Index(text, "\npackage ")
	if strings.HasPrefix(text, "package ") {
		at = -1
	}
	end := at + 1 + strings.Index(text[at+1:], "\n")
	return text[:end] + "; import " + path + text[end:]
}

// build builds the tests of a package with all faults in it.
func build(t *testing.T, overlay, dir, pkg string) (binary string) {
	t.Helper()
	binary = filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(pkg, "./"), "/", "-"))
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", overlay, "-o", binary, pkg)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return binary
}

// fuzzInputs is how many inputs a decoder with a fault is given, at most.
const fuzzInputs = "100000x"

// run runs one test of a binary, with a fault or, named "", without. It reports whether
// the test failed, and what it said.
func run(t *testing.T, binary string, x test, fault string, trials int) (failed bool, said string) {
	t.Helper()
	args := []string{"-test.run", "^" + x.name + "$", "-test.short", "-test.timeout", "120s"}
	if trials > 0 {
		args = append(args, "-trials", strconv.Itoa(trials))
	}
	dir := filepath.Join(root, x.pkg)
	if strings.HasPrefix(x.name, "Fuzz") {
		dir = t.TempDir() // what it finds is written there
		args = []string{
			"-test.run", "^$", "-test.fuzz", "^" + x.name + "$", "-test.fuzztime", fuzzInputs,
			"-test.fuzzcachedir", dir,
		}
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), plantedVariable+"="+fault, faults.RecordVariable+"=")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", x.name, err)
	}
	if bytes.Contains(out, []byte("no tests to run")) {
		t.Fatalf("%s has no test %s", x.pkg, x.name)
	}
	return err != nil, string(out)
}

// plantedLeast is how many faults there must be.
const plantedLeast = 25

// TestPlantedFaultsAreCaught: each fault makes the test of its class fail, which passes
// without it.
func TestPlantedFaultsAreCaught(t *testing.T) {
	if len(planted) < plantedLeast {
		t.Errorf("%d faults, want %d", len(planted), plantedLeast)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	for file, text := range sources(t) {
		at, err := filepath.Abs(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		changed := filepath.Join(dir, strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[at] = changed
	}
	overlay := filepath.Join(dir, "overlay.json")
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, b, 0o600); err != nil {
		t.Fatal(err)
	}
	binaries, sound := map[string]string{}, map[test]bool{}
	for _, f := range planted {
		t.Run(f.class+" "+f.name, func(t *testing.T) {
			x := f.test(t)
			if binaries[x.pkg] == "" {
				binaries[x.pkg] = build(t, overlay, dir, x.pkg)
			}
			if !sound[x] {
				if failed, said := run(t, binaries[x.pkg], x, "", f.trials); failed {
					t.Fatalf("%s fails without a fault:\n%s", x.name, said)
				}
				sound[x] = true
			}
			failed, said := run(t, binaries[x.pkg], x, f.name, f.trials)
			if !failed {
				t.Fatalf("%s, %s, does not find it", f.class, x.name)
			}
			t.Logf("%s: %s", f.class, firstWords(said))
			if slices.Contains(simulated, f.class) {
				shrunk(t, said)
			}
		})
	}
}

// simulated are the classes whose tests make what they find smaller, and shrunkMax is how
// many events they may leave of that.
var simulated = []string{"F19", "F20"}

const shrunkMax = 20

var shrunkTo = regexp.MustCompile(`made smaller, from (\d+) to (\d+) events`)

// shrunk sees that what a simulated run has found was made small.
func shrunk(t *testing.T, said string) {
	t.Helper()
	m := shrunkTo.FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("nothing was made smaller:\n%s", said)
	}
	if n, err := strconv.Atoi(m[2]); err != nil || n > shrunkMax {
		t.Errorf("%s, want at most %d", m[0], shrunkMax)
	}
}

// elsewhere are classes whose planted faults are in a test of their own.
var elsewhere = map[string]string{
	"F2": "TestMissingSyncsAreSeen", "F3": "TestKillsSeeAPlantedFault",
	"F9a": "TestPlantedFaults", "F9b": "TestDuelsFindFaults",
}

// TestEveryClassHasPlantedFaults: no class is trusted that has found nothing.
func TestEveryClassHasPlantedFaults(t *testing.T) {
	for _, c := range faults.Classes {
		if name := elsewhere[c.ID]; name != "" {
			if !hasTest(t, c.Package, name) {
				t.Errorf("%s: %s has no %s", c.ID, c.Package, name)
			}
		} else if !slices.ContainsFunc(planted, func(f fault) bool { return f.class == c.ID }) {
			t.Errorf("%s has no planted fault", c.ID)
		}
	}
}

// hasTest reports whether a test file of a package has a test.
func hasTest(t *testing.T, pkg, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("\nfunc "+name+"(")) {
			return true
		}
	}
	return false
}

// firstWords returns the line of a failed test's output that says most.
func firstWords(said string) string {
	lines := strings.Split(said, "\n")
	i := slices.IndexFunc(lines, func(l string) bool {
		return strings.Contains(l, "_test.go:") || strings.HasPrefix(l, "panic: ")
	})
	return fmt.Sprintf("%.200s", strings.TrimSpace(lines[max(i, 0)]))
}
