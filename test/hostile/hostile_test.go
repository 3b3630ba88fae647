// Package hostile_test runs modules that are written to do harm, through a whole host,
// in both engines and with the host closed and opened in between.
//
// Each module is a .wat file with the .wasm beside it, in a directory for its class. It
// begins with what it tries, and with what must come of it, in a word:
//
//	refused   it is not admitted
//	ok        it does no harm: no delivery fails
//	others    the last delivery ends so: see words
//
// Some need more fuel than a loop should be given, and say how much.
//
// The file verdicts.txt of the directory has the whole verdict: all refusals, or how each
// delivery ended. Run with -rewrite after a change, and read the difference.
package hostile_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/test/faults"
)

var rewrite = flag.Bool("rewrite", false, "write the verdicts anew")

// words are the verdicts of modules that are admitted.
var words = map[string]swing.Status{
	"ok": swing.StatusOK, "failed": swing.StatusFailed, "trapped": swing.StatusTrapped,
	"illegal": swing.StatusIllegal, "exited": swing.StatusExited, "fuel": swing.StatusOutOfFuel,
	"deep": swing.StatusTooDeep, "memory": swing.StatusOutOfMemory,
}

// hostile is one module.
type hostile struct {
	class, name  string
	about        string
	verdict      string   // in a word
	fuel         int      // for a delivery, if not fuelDefault
	flags        []string // of wat2wasm
	text, binary []byte
}

// modules reads all there are.
func modules(t testing.TB) (all []hostile) {
	t.Helper()
	files, err := filepath.Glob("*/*.wat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		base := strings.TrimSuffix(file, ".wat")
		m := hostile{class: filepath.Dir(file), name: filepath.Base(base)}
		var errBinary error
		m.text, err = os.ReadFile(file)
		m.binary, errBinary = os.ReadFile(base + ".wasm")
		if err := errors.Join(err, errBinary, m.header()); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, m)
	}
	return all
}

// header reads the comments that a module begins with.
func (m *hostile) header() error {
	m.fuel = fuelDefault
	for line := range strings.Lines(string(m.text)) {
		says, comment := strings.CutPrefix(strings.TrimSpace(line), ";; ")
		if !comment {
			break
		}
		if word, ok := strings.CutPrefix(says, "verdict: "); ok {
			m.verdict = word
		} else if units, ok := strings.CutPrefix(says, "fuel: "); ok {
			var err error
			if m.fuel, err = strconv.Atoi(units); err != nil {
				return err
			}
		} else if flags, ok := strings.CutPrefix(says, "flags: "); ok {
			m.flags = strings.Fields(flags)
		} else {
			m.about = says
		}
	}
	if _, known := words[m.verdict]; m.about == "" || !known && m.verdict != "refused" {
		return fmt.Errorf("a header of %q, verdict %q", m.about, m.verdict)
	}
	return nil
}

// harmless is the module beside which the witness's life is as it must be.
const harmless = "abi/exports-of-other-hosts"

// TestVerdicts runs every module in every style: the verdict is the one expected, and
// the same in all; so is the activityhash. The witness sees nothing of it, the state is
// whole, and the process has not grown.
func TestVerdicts(t *testing.T) {
	all := modules(t)
	b, err := os.ReadFile(harmless + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	count := faults.Begin(t, "F9a")
	undisturbed := live(t, b, fuelDefault, styles[0]).witness
	got := make([]string, len(all))
	t.Run("all", func(t *testing.T) {
		for i, m := range all {
			count.Add(1)
			t.Run(m.class+"/"+m.name, func(t *testing.T) {
				t.Parallel()
				got[i] = m.run(t, undisturbed)
			})
		}
	})
	verdicts, cut := map[string]string{}, map[string]bool{}
	for i, m := range all {
		indented := "\t" + strings.ReplaceAll(got[i], "\n", "\n\t") + "\n"
		verdicts[m.class] += m.name + ": " + m.about + "\n" + indented
		cut[m.class] = cut[m.class] || got[i] == "" // by -run
	}
	for class, text := range verdicts {
		if !cut[class] {
			compare(t, filepath.Join(class, "verdicts.txt"), text)
		}
	}
	if most := memoryPeak(t); most > memoryPeakMax {
		t.Errorf("the process had %d MB in memory, want at most %d", most>>20, memoryPeakMax>>20)
	}
}

// run runs a module in every style, and returns the verdict.
func (m *hostile) run(t *testing.T, undisturbed string) string {
	var lives []life
	for _, s := range styles {
		lives = append(lives, live(t, m.binary, m.fuel, s))
	}
	for _, fault := range m.faults(lives, undisturbed) {
		t.Error(fault)
	}
	return lives[0].verdict
}

// faults compares what came of a module with what must.
func (m *hostile) faults(lives []life, undisturbed string) (found []string) {
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	first := lives[0]
	for i, l := range lives {
		name := styles[i].name
		if l.verdict != first.verdict {
			say("%s:\n%s\nand %s:\n%s", styles[0].name, first.verdict, name, l.verdict)
		}
		if l.hash != first.hash {
			say("%s: activityhash %s, %s: %s", styles[0].name, first.hash, name, l.hash)
		}
		if l.witness != undisturbed {
			say("%s: the witness has another life:\n%s\nwant\n%s", name, l.witness, undisturbed)
		}
	}
	if first.status != words[m.verdict] {
		say("it is %q, want %q:\n%s", first.status, m.verdict, first.verdict)
	}
	return found
}

// compare holds a text against a file, line by line, or writes the file.
func compare(t *testing.T, file, text string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gots, wants := strings.Split(text, "\n"), strings.Split(string(b), "\n")
	for i := range max(len(gots), len(wants)) {
		if i >= len(gots) || i >= len(wants) || gots[i] != wants[i] {
			t.Errorf("%s:%d: the verdicts differ; they are now\n%s", file, i+1, text)
			return
		}
	}
}

// memoryPeakMax bounds the resident memory of the process, with modules of all kinds
// running at once.
const memoryPeakMax = 1 << 30

// memoryPeak returns the most bytes that the process had in memory, or 0 where the
// system does not say.
func memoryPeak(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/status")
	if errors.Is(err, os.ErrNotExist) {
		t.Log("this system does not say how much memory a process had")
		return 0
	}
	var kib int
	_, after, _ := strings.Cut(string(b), "VmHWM:")
	if _, scanned := fmt.Sscan(after, &kib); err != nil || scanned != nil {
		t.Fatal(err, scanned)
	}
	return kib << 10
}
