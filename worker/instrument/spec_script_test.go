package instrument

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// specScript is one script of the specification's tests, as wast2json writes it.
type specScript struct {
	name     string // version or proposal, and subject
	dir      string
	Commands []specCommand
}

type specCommand struct {
	Type       string // module, register, action, assert_…
	Line       int    // in the .wast
	Name       string // of a module, if it has one
	Filename   string // of a module's bytes
	As         string // the name under which others import it
	ModuleType string `json:"module_type"` // binary, or text
	Text       string // what an assertion wants to be told
	Action     specAction
	Expected   []specValue
}

type specAction struct {
	Type   string // invoke or get
	Module string // "" is the last one
	Field  string
	Args   []specValue
}

type specValue struct {
	Type     string
	LaneType string `json:"lane_type"`
	Value    any    // a decimal number or a word, or one for each lane
}

// specScripts reads all scripts that come with the engine: where they are, the
// go command knows.
func specScripts(t testing.TB) map[string]specScript {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}",
		"github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatalf("where the engine's source is: %v", err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "internal/integration_test/spectest")
	files, err := filepath.Glob(filepath.Join(root, "*", "testdata", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts under %s: %v", root, err)
	}
	scripts := map[string]specScript{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		s := specScript{dir: filepath.Dir(f)}
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		s.name = filepath.Base(filepath.Dir(s.dir)) + "/" +
			strings.TrimSuffix(filepath.Base(f), ".json")
		scripts[s.name] = s
	}
	return scripts
}

// lanes are the value's words as the script writes them, and how wide each is.
func (v specValue) lanes() (words []string, bits int) {
	list, ok := v.Value.([]any)
	if !ok {
		list = []any{v.Value}
	}
	for _, w := range list {
		s, _ := w.(string)
		words = append(words, s)
	}
	switch v.Type {
	case "i32", "f32":
		return words, 32
	case "v128":
		return words, 128 / len(words)
	}
	return words, 64
}

// isNaN reports whether the value is a NaN, of so many bits.
func (v specValue) isNaN() (bits int, yes bool) {
	if v.Type != "f32" && v.Type != "f64" {
		return 0, false
	}
	_, bits = v.lanes()
	return bits, isNaN(v.words()[0], bits)
}

// parseLane returns a lane's bits, or that it may be any NaN.
func parseLane(word string, bits int) (v uint64, nan bool) {
	if strings.HasPrefix(word, "nan:") {
		return 0, true
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return uint64(n) & (1<<(bits-1)<<1 - 1), false
	}
	v, _ = strconv.ParseUint(word, 10, 64) // a null reference is no number
	return v, false
}

// words are the value as the engine takes it: a v128 as two.
func (v specValue) words() []uint64 {
	lanes, bits := v.lanes()
	out := make([]uint64, max(1, len(lanes)*bits/64))
	for i, l := range lanes {
		n, _ := parseLane(l, bits)
		out[i*bits/64] |= n << (i * bits % 64)
	}
	return out
}

// accepts reports whether the value is what got holds, by a test for NaNs.
func (v specValue) accepts(got []uint64, nan func(v uint64, bits int) bool) bool {
	lanes, bits := v.lanes()
	for i, l := range lanes {
		have := got[i*bits/64] >> (i * bits % 64) & (1<<(bits-1)<<1 - 1)
		want, any := parseLane(l, bits)
		if any && !nan(have, bits) || !any && have != want {
			return false
		}
	}
	return true
}

// acceptsAll does it for a list of results.
func acceptsAll(want []specValue, got []uint64, nan func(v uint64, bits int) bool) bool {
	for _, v := range want {
		n := len(v.words())
		if n > len(got) || !v.accepts(got[:n], nan) {
			return false
		}
		got = got[n:]
	}
	return len(got) == 0
}
