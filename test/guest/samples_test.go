package guest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vatwarehouse/guest"
)

// sample returns the vat that a kit's comment shows in full: the indented lines after
// "A vat in full:".
func sample(t *testing.T, file string) string {
	t.Helper()
	_, rest, found := strings.Cut(string(readFile(t, file)), "// A vat in full:\n//\n")
	block := regexp.MustCompile(`^(//(\t.*)?\n)+`).FindString(rest)
	if !found || block == "" {
		t.Fatalf("%s shows no vat", file)
	}
	return regexp.MustCompile(`(?m)^//\t?`).ReplaceAllString(block, "")
}

func writeFile(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkSample runs a sample: a counter with one message.
func checkSample(t *testing.T, code []byte) {
	t.Helper()
	for _, restart := range []bool{false, true} {
		w := newWorld(t, style{language: "c", restart: restart})
		root := w.rootOf(code)
		w.expect("[5]", root, "incr", 5)
		w.expect(`rejected: ["want incr(n)"]`, root, "incr", "five")
		w.expect(`rejected: ["no such method"]`, root, "read")
		w.expect("[7]", root, "incr", 2)
	}
}

// compileC compiles a program of a test's own with the manifest's command, which allows
// no warning; false, with a word in the log, where there is no compiler.
func compileC(t testing.TB, source string) ([]byte, bool) {
	t.Helper()
	if _, err := exec.LookPath("clang-14"); err != nil {
		t.Logf("not compiled: %v", err)
		return nil, false
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "own.c"), source)
	headers, err := filepath.Abs(guestDir + "/c")
	if err != nil {
		t.Fatal(err)
	}
	command := strings.ReplaceAll(readManifest(t).Command, "c/NAME", filepath.Join(dir, "own"))
	args := append(strings.Fields(command), "-I"+headers)
	if said, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return readFile(t, filepath.Join(dir, "own.wasm")), true
}

// buildGo builds a program of a test's own, with the command that the Go kit shows, in a
// module of its own.
func buildGo(t testing.TB, source string) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := guest.UnpackGo(dir); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "own")
	writeFile(t, filepath.Join(own, "main.go"), source)
	writeFile(t, filepath.Join(own, "go.mod"),
		"module own\n\ngo 1.24\n\nrequire vat v0.0.0\n\nreplace vat => ../go\n")
	command := regexp.MustCompile(`(?m)^//\tGOOS=wasip1 GOARCH=wasm (go build .*)$`).
		FindStringSubmatch(string(readFile(t, guestDir+"/go/doc.go")))
	args := strings.Fields(command[1])
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = own
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOPROXY=off",
		"GOWORK=off", "GOTOOLCHAIN=local")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return readFile(t, filepath.Join(own, "program.wasm"))
}

// TestSampleInC: the vat that vat.h shows compiles without a warning, where there is a
// compiler, and counts.
func TestSampleInC(t *testing.T) {
	t.Parallel()
	if code, ok := compileC(t, sample(t, guestDir+"/c/vat.h")); ok {
		checkSample(t, code)
	}
}

// TestSampleInGo: the vat that the Go kit's package comment shows is built, with the
// command that it shows, and counts.
func TestSampleInGo(t *testing.T) {
	t.Parallel()
	if _, ok := goOnly(t); ok {
		checkSample(t, buildGo(t, sample(t, guestDir+"/go/doc.go")))
	}
}
