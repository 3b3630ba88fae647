package sim

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vatwarehouse/swing"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// goldenMessages is how many messages of each scenario are held for ever.
const goldenMessages = 60

// shown is a message on one line: where to, what, and the names of references.
func shown(s *Scenario, m *message) string {
	name := func(vat int) string {
		of := s.members[vat]
		return of.group.vatName(of.index)
	}
	var refs []string
	for _, slot := range m.slots {
		if slot < 0 {
			refs = append(refs, s.things[-1-slot].name)
			continue
		}
		refs = append(refs, name(slot))
	}
	line := fmt.Sprintf("%s.%s%s", name(m.target), m.method, Show(m.body))
	if len(refs) > 0 {
		line += " " + strings.Join(refs, " ")
	}
	return line
}

// script is the beginning of all that a scenario sends.
func script(t *testing.T, s *Scenario) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "identity %s\n", s.Identity())
	var m message
	sc := &scope{draw: new(draw)}
	for i := range min(len(s.members), goldenMessages) {
		s.fillStart(&m, sc, i)
		m.method = "start"
		fmt.Fprintln(&b, shown(s, &m))
	}
	left := goldenMessages
	for k := uint64(0); left > 0; k++ {
		fmt.Fprintf(&b, "step %d\n", k)
		more, err := s.step(k, func(m *message) error {
			if left--; left >= 0 {
				fmt.Fprintln(&b, shown(s, m))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
	}
	err := s.questions(func(m *message) error {
		fmt.Fprintln(&b, "ask", shown(s, m))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGoldenMessages: the identity and the first messages of every built-in
// scenario are those in testdata/golden: of every machine and every version. Run
// with -rewrite after changing a scenario, and read the difference; if no scenario
// was changed, every directory made so far has become useless.
func TestGoldenMessages(t *testing.T) {
	t.Parallel()
	for _, name := range BuiltinNames() {
		s, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "golden", name+".txt")
		got := script(t, s)
		if *rewrite {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got == string(want) {
			continue
		}
		gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range min(len(gotLines), len(wantLines)) {
			if gotLines[i] != wantLines[i] {
				t.Errorf("%s line %d:\ngot  %s\nwant %s", name, i+1, gotLines[i], wantLines[i])
				break
			}
		}
		t.Errorf(
			"%s sends other messages than %s says (%d lines, %d)",
			name,
			path,
			len(gotLines),
			len(wantLines),
		)
	}
}

// TestLargestScenario: 100,000 vats are loaded, their starts made, and the note of
// their roots is one that the host takes.
func TestLargestScenario(t *testing.T) {
	t.Parallel()
	text := fmt.Sprintf(
		"about: large\nseed: s\nvats:\n  - {name: a, program: counter, count: %d}\n"+
			"  - {name: b, program: counter, count: %d, args: [{ref: a.$i}, {ref: a.$i+7}, {pick: [1, 2]}]}\n"+
			"workload:\n  - {to: [a, b], method: m, pattern: zipf, messages: 100}\n",
		vatsMax/2,
		vatsMax/2,
	)
	s, err := Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if s.Vats() != vatsMax || !s.HasVat("b.49999") || s.HasVat("b.50000") {
		t.Errorf("%d vats", s.Vats())
	}
	var m message
	sc := &scope{draw: new(draw)}
	var roots []swing.KRef
	for i := range s.Vats() {
		s.fillStart(&m, sc, i)
		if want := 2 * (i / (vatsMax / 2)); len(m.slots) != want {
			t.Fatalf("vat %d: %d slots, want %d", i, len(m.slots), want)
		}
		roots = append(roots, swing.KRefOf(swing.Object, uint64(20+i)))
	}
	if n := len(encodeRefs(roots)); n > 1<<20 {
		t.Errorf("the note of the roots has %d bytes", n)
	}
	if more, err := s.step(0, func(*message) error { return nil }); !more || err != nil {
		t.Errorf("%v, %v", more, err)
	}
}
