package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "vatwarehouse"

// arrows is the whole import graph of ours. An arrow missing here is a question
// for a reviewer. internal/invariant may be imported by all.
var arrows = map[string]string{
	"swing":              "",
	"worker/instrument":  "",
	"vfs":                "",
	"internal/frame":     "",
	"internal/portable":  "swing transcript internal/frame",
	"internal/trace":     "swing transcript worker warehouse internal/frame",
	"internal/invariant": "",
	"guest":              "",
	"transcript":         "swing",
	"vatkeeper":          "swing transcript",
	"kernel":             "swing transcript vatkeeper",
	"worker":             "swing worker/instrument",
	"warehouse":          "swing transcript worker",
	"worker/process":     "swing worker worker/instrument warehouse internal/frame",
	"streamstore":        "vfs internal/frame",
	"kvstore":            "swing vfs internal/frame",
	"snapstore":          "swing vfs internal/frame",
	"devices":            "swing kernel",
	"host": "swing transcript vatkeeper kernel worker worker/instrument worker/process warehouse " +
		"streamstore kvstore snapstore vfs internal/portable",
	"link":            "host devices kernel swing internal/frame",
	"internal/sim":    "host swing vfs guest kernel devices link transcript warehouse worker",
	"internal/bench":  "host swing vfs guest kernel kvstore worker worker/instrument warehouse streamstore snapstore transcript internal/sim internal/trace",
	"internal/report": "host kernel swing internal/bench warehouse",
	"cmd/swingsim":    "host devices internal/sim internal/bench internal/report internal/trace link swing warehouse",
	"examples/embed":  "host guest",
}

// foreign says which rooms may import what from outside. What is not listed may
// be imported by none; tests are free.
var foreign = map[string]string{
	"github.com/tetratelabs/wazero":   "worker",
	"go.etcd.io/bbolt":                "kvstore",
	"github.com/tidwall/btree":        "kvstore",
	"github.com/hashicorp/golang-lru": "warehouse",
	"github.com/pierrec/lz4":          "snapstore streamstore internal/portable internal/bench",
	"github.com/zeebo/blake3":         "swing",
	"golang.org/x/sync":               "snapstore",
	"golang.org/x/sys":                "vfs worker internal/bench",
	"github.com/spf13/cobra":          "cmd/swingsim",
	"github.com/goccy/go-yaml":        "internal/sim cmd/swingsim",
	"github.com/jedib0t/go-pretty":    "cmd/swingsim",
	"github.com/schollz/progressbar":  "cmd/swingsim",
	"golang.org/x/perf":               "internal/bench",
	"gonum.org/v1/plot":               "internal/report",
	"github.com/klauspost/compress":   "internal/bench",
	"golang.org/x/term":               "cmd/swingsim",
}

// pure rooms ask the world nothing.
var pure = []string{"swing", "transcript", "vatkeeper", "kernel", "worker/instrument", "internal/frame",
	"internal/portable", "internal/trace", "devices"}

var impure = []string{
	"os", "time", "math/rand", "math/rand/v2", "crypto/rand", "sync", "sync/atomic", "net",
	"runtime", "unsafe", "syscall", "io/fs", "reflect",
}

type pkg struct {
	ImportPath string
	Imports    []string
	GoFiles    []string
	Dir        string
}

// room returns the room's name, and whether the package is ours.
func room(path string) (string, bool) { return strings.CutPrefix(path, module+"/") }

func packages(t *testing.T) (all []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,GoFiles,Dir", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// breaches returns every import that the plan does not have.
func breaches(all []pkg) (found []string) {
	for _, p := range all {
		r, ours := room(p.ImportPath)
		if !ours || strings.HasPrefix(r, "test/") {
			continue
		}
		allowed, known := arrows[r]
		if !known {
			found = append(found, fmt.Sprintf("%s is no room of the plan", r))
		}
		for _, i := range p.Imports {
			if why := breach(r, strings.Fields(allowed), i); why != "" {
				found = append(found, why)
			}
		}
	}
	return found
}

func breach(r string, allowed []string, imported string) string {
	if to, ours := room(imported); ours {
		if to != "internal/invariant" && !slices.Contains(allowed, to) {
			return fmt.Sprintf("%s must not import %s", r, to)
		}
		return ""
	}
	if slices.Contains(pure, r) && slices.Contains(impure, imported) {
		return fmt.Sprintf("%s is pure and must not import %s", r, imported)
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return ""
	}
	for prefix, rooms := range foreign {
		if strings.HasPrefix(imported, prefix) && slices.Contains(strings.Fields(rooms), r) {
			return ""
		}
	}
	return fmt.Sprintf("%s must not import %s", r, imported)
}

// TestArrows: the rooms import what the plan says, and nothing else.
func TestArrows(t *testing.T) {
	for _, b := range breaches(packages(t)) {
		t.Error(b)
	}
}

// TestArrowsCatchPlantedBreaches: each kind of wrong import is seen.
func TestArrowsCatchPlantedBreaches(t *testing.T) {
	for _, p := range []pkg{
		{ImportPath: module + "/kernel", Imports: []string{"os"}},
		{ImportPath: module + "/warehouse", Imports: []string{module + "/kvstore"}},
		{ImportPath: module + "/kernel", Imports: []string{module + "/warehouse"}},
		{ImportPath: module + "/util"},
		{ImportPath: module + "/host", Imports: []string{"github.com/tetratelabs/wazero/api"}},
		{ImportPath: module + "/swing", Imports: []string{"example.com/new"}},
	} {
		if len(breaches([]pkg{p})) == 0 {
			t.Errorf("%v: not seen", p)
		}
	}
}
