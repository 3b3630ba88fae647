package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClassesAreThoseOfTheDocument: the table of docs/reliability.md has every class with
// its test and its counts, and no other, and each test is there.
func TestClassesAreThoseOfTheDocument(t *testing.T) {
	b, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, c := range Classes {
		row := fmt.Sprintf("| `%s` `%s` | %s | %s |\n",
			c.Package, c.Test, thousands(c.CI), thousands(c.Long))
		i := strings.Index(text, "\n| "+c.ID+" | ")
		if i < 0 {
			t.Errorf("no row of %s", c.ID)
			continue
		}
		line, _, _ := strings.Cut(text[i+1:], "\n")
		if !strings.HasSuffix(line+"\n", row) {
			t.Errorf("%s is\n%s\nwhich does not end with\n%s", c.ID, line, row)
		}
		if c.Test != "fuzz" && !defined(t, c) {
			t.Errorf("%s has no %s", c.Package, c.Test)
		}
	}
	if n := strings.Count(text, " | `./"); n != len(Classes) {
		t.Errorf("%d rows with a test, want %d", n, len(Classes))
	}
}

// defined reports whether a package's tests have the class's, which counts for it.
func defined(t *testing.T, c Class) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", c.Package, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(b); strings.Contains(text, "\nfunc "+c.Test+"(") &&
			strings.Contains(text, fmt.Sprintf("%q", c.ID)) {
			return true
		}
	}
	return false
}

// thousands prints a number for people.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// told is a test that only notes what it is told.
type told struct {
	testing.TB
	name    string
	errs    int
	fatal   bool
	cleanup []func()
}

func (x *told) Helper()               {}
func (x *told) Name() string          { return x.name }
func (x *told) Errorf(string, ...any) { x.errs++ }
func (x *told) Error(...any)          { x.errs++ }
func (x *told) Logf(string, ...any)   {}
func (x *told) Failed() bool          { return x.errs > 0 }
func (x *told) Skipped() bool         { return false }
func (x *told) Cleanup(f func())      { x.cleanup = append(x.cleanup, f) }
func (x *told) Fatalf(string, ...any) { x.fatal = true; panic(x) }

// TestCountsAreKept: a test that tries less than is due fails, one that tries enough is
// recorded, and one of no class, or of another name, does not begin.
func TestCountsAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "records")
	t.Setenv(RecordVariable, file)
	for _, short := range []int{1, 0} {
		x := &told{name: "TestTamperedTranscripts"}
		r := Begin(x, "F12")
		r.Add(r.Due - short)
		x.cleanup[0]()
		if (x.errs > 0) != (short > 0) {
			t.Errorf("%d too few: %d errors", short, x.errs)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	var last Record
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2 || last.Class != "F12" || last.Failed || last.Trials == 0 {
		t.Errorf("recorded %s", b)
	}
	x := &told{name: "TestOther"}
	func() {
		defer func() { _ = recover() }()
		Begin(x, "F12")
	}()
	if !x.fatal {
		t.Error("another test begins")
	}
}
