package hostile_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// wat2wasm is the version of the compiler that made the .wasm files.
const wat2wasm = "1.0.32"

// TestBinariesAreOfTheirTexts compiles every text, where the compiler is there. Those
// that are given byte by byte need none: it would refuse them.
func TestBinariesAreOfTheirTexts(t *testing.T) {
	t.Parallel()
	version, err := exec.Command("wat2wasm", "--version").Output()
	compiler := err == nil && strings.TrimSpace(string(version)) == wat2wasm
	if !compiler {
		t.Logf("no wat2wasm %s here: %s, %v", wat2wasm, version, err)
	}
	out := filepath.Join(t.TempDir(), "out.wasm")
	for _, m := range modules(t) {
		made, given := m.spelled(t)
		if !given {
			if !compiler {
				continue
			}
			args := append([]string{"--no-check"}, m.flags...)
			args = append(args, filepath.Join(m.class, m.name+".wat"), "-o", out)
			if b, err := exec.Command("wat2wasm", args...).CombinedOutput(); err != nil {
				t.Fatalf("%s/%s: %v: %s", m.class, m.name, err, b)
			}
			if made, err = os.ReadFile(out); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(made, m.binary) {
			t.Errorf("%s/%s.wasm is not of its text", m.class, m.name)
		}
	}
}

var (
	literal = regexp.MustCompile(`"([^"]*)"`)
	escape  = regexp.MustCompile(`\\[0-9a-f]{2}`)
)

// spelled returns the bytes of a module that is given byte by byte.
func (m *hostile) spelled(t *testing.T) (b []byte, given bool) {
	_, literals, given := bytes.Cut(m.text, []byte("(module binary"))
	for _, l := range literal.FindAllSubmatch(literals, -1) {
		b = append(b, escape.ReplaceAllFunc(l[1], func(digits []byte) []byte {
			c, err := hex.DecodeString(string(digits[1:]))
			if err != nil {
				t.Fatal(err)
			}
			return c
		})...)
	}
	return b, given
}
