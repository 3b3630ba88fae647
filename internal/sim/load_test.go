package sim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// good is a scenario with something of everything; faults are planted in it.
const good = `about: everything
seed: s
options: {max_vats: 3, snapshot_initial: never, snapshot_interval: 7, block: 9}
vats:
  - {name: one, program: counter}
  - {name: ring, program: pingpong, count: 4, args: [1, x, true, [$i, $count], {ref: one}]}
  - name: hub
    program: puppet
    args: [{each: ring.$i%2, then: [{cycle: [a, b]}]}, {hex: 00ff}, {pick: [1, [2]]}]
setup:
  - {to: ring, method: peer, args: [{ref: ring.$i+1}]}
workload:
  - {to: [ring, one], method: m, pattern: pairs, burst: 3, messages: 10, args: [{ref: $peer}, $n]}
  - {to: ring.0, method: m, args: [{between: [1, 2]}]}
length: {deliveries: 100, messages: 50}
audit:
  ask:
    - {to: ring, method: read, answers: [a, b]}
  check:
    - {about: it holds, each: ring, equal: [ring.$i.a + 1, $messages, 5]}
`

// TestLoadRefuses: for every way to get a scenario wrong, the error has the place
// (line and column of what is wrong), what is wrong, and what would be right. Each
// case changes one thing in a good scenario.
func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range bad {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if strings.Count(good, c.old) != 1 {
				t.Fatalf("%q stands %d times in the good scenario", c.old, strings.Count(good, c.old))
			}
			_, err := Parse("x.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
			var fault *Error
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			if fault.Line > 0 && !strings.Contains(err.Error(), "\n") {
				t.Errorf("no excerpt: %v", err)
			}
		})
	}
}

// bad are the changes that make the good scenario a bad one, and what is said.
var bad = []struct{ name, old, new, want string }{
	{"unknown field", "seed: s", "sead: s", `x.yaml:2:1: a scenario has no field "sead"; it has about, seed, options`},
	{"no seed", "seed: s\n", "", `x.yaml:1:1: a scenario without "seed"`},
	{"empty seed", "seed: s", `seed: ""`, `x.yaml:2:7: a seed is at least one letter`},
	{"wrong type", "about: everything", "about: [a]", "x.yaml:1:8: a list where a text is due"},
	{"number for text", "about: everything", "about: 12", "x.yaml:1:8: a number where a text is due"},
	{"two lines", "about: everything", `about: "a\nb"`, "x.yaml:1:8: want one line of at most 200 bytes"},
	{"hidden", "seed: s", `seed: "\e[2J"`, "x.yaml:2:7: want one line of at most 200 bytes, all of them printable"},
	{"hidden method", "method: peer", `method: "pe\ber"`, "all of them printable"},
	{"not UTF-8", "about: everything", `about: "a` + "\xff" + `"`, "x.yaml: it is not UTF-8 text"},
	{"bad option", "max_vats: 3", "max_vats: 0", "x.yaml:3:21: 0 as max_vats: want 1 to 1073741824"},
	{"octal", "max_vats: 3", "max_vats: 010", "x.yaml:3:21: 010 is not a plain decimal number from 0"},
	{"hex number", "max_vats: 3", "max_vats: 0x10", "is not a plain decimal number from 0"},
	{"bad never", "initial: never", "initial: always", `snapshot_initial "always": want a number from 1, or never`},
	{"unknown option", "block: 9", "blocks: 9", `options has no field "blocks"; it has max_vats, snapshot_initial`},
	{"no vats", "vats:\n", "vats: []\nx:\n", `a scenario has no field "x"`},
	{"unknown program", "program: counter", "program: count", `x.yaml:5:26: there is no program "count": built in are book, clerk, comms, counter,`},
	{"no program", ", program: counter", "", `x.yaml:5:5: a group of vats without "program"`},
	{"bad name", "name: one", "name: one.1", `x.yaml:5:12: name "one.1": only letters, digits, '-' and '_'`},
	{"name like an id", "name: one", "name: v12", `name "v12": it reads as a vat's id`},
	{"name of digits", "name: one", "name: 1one", `name "1one": want a letter first`},
	{"name taken", "name: ring", "name: one", `x.yaml:6:12: there is a group, device or meter "one" already`},
	{"count", "count: 4", "count: 0", "x.yaml:6:44: 0 as count: want 1 to 100000"},
	{"many vats", "count: 4", "count: 100000", "100001 vats in all: at most 100000"},
	{"negative", "[1, x", "[-1, x", "x.yaml:6:54: -1 is not a plain decimal number from 0"},
	{"fraction", "[1, x", "[1.5, x", "x.yaml:6:54: a fraction where a number, text, true, false, list, or one of ref"},
	{"nothing", "[1, x", "[null, x", "x.yaml:6:54: nothing where a value is due (a reference is {ref: NAME})"},
	{"too large", "[1, x", "[18446744073709551616, x", "x.yaml:6:54: 18446744073709551616 is more than 64 bits hold (as a text, write it in quotes)"},
	{"unknown variable", "[$i, $count]", "[$j]", `"$j" is no number; the variables here are $i, $count (a text that begins with $ is written $$)`},
	{"variable not here", "[$i, $count]", "[$n]", `"$n" is no number; the variables here are $i, $count`},
	{"below the variable", "[$i, $count]", "[$i-1]", `"$i-1": a number is at least the variable`},
	{"later vat", "{ref: one}", "{ref: hub}", `x.yaml:6:86: there is no vat "hub"; so far there are one`},
	{"own group", "{ref: one}", "{ref: ring.0}", `there is no vat "ring"; so far there are one`},
	{"unknown operator", "{ref: one}", "{reff: one}", "x.yaml:6:80: a mapping as a value is one of ref, each, pick, between, cycle or hex"},
	{"two operators", "{ref: one}", "{ref: one, pick: [1]}", "has no field"},
	{"no first vats", "name: one, program: counter}", "name: one, program: counter, args: [{ref: x}]}", `there is no vat "x" yet: groups are made in order`},
	{"odd digits", "{hex: 00ff}", "{hex: 00f}", "x.yaml:9:62: hex: encoding/hex: odd length hex string"},
	{"pick of none", "{pick: [1, [2]]}", "{pick: []}", "pick from no values"},
	{"each in pick", "{pick: [1, [2]]}", "{pick: [{each: ring}]}", "each gives several values, where one is due"},
	{"every zero", "ring.$i%2", "ring.$i%0", `%0 in "ring.$i%0": want a number from 1, as in NAME (all of it), NAME.0`},
	{"bad index", "ring.$i%2", "ring.x", `"ring.x" names no vats: want NAME (all of it), NAME.0, NAME.$i, NAME.$i+1 or NAME.$i%4`},
	{"one of many", "{ref: ring.$i+1}", "{ref: ring}", `x.yaml:11:43: "ring" are 4 vats: a ref is to one, as in ring.0 or ring.$i; each is for several`},
	{"out of range", "{ref: ring.$i+1}", "{ref: ring.4}", "ring.4: ring has 4 vats, ring.0 to ring.3"},
	{"to nobody", "to: [ring, one]", "to: []", "x.yaml:13:10: to nobody"},
	{"to unknown", "to: ring, method: peer", "to: rings, method: peer", `x.yaml:11:10: there is no vat "rings"; so far there are one, ring, hub`},
	{"variable target", "to: ring.0", "to: ring.$i", `"ring.$i" names no vats: want`},
	{"no method", "to: ring.0, method: m", "to: ring.0", `an entry of the workload without "method"`},
	{"unknown pattern", "pattern: pairs", "pattern: zip", `x.yaml:13:43: there is no pattern "zip": there are [round-robin random zipf pairs fan-out]`},
	{"pairs of one", "to: ring.0, method: m", "to: ring.0, method: m, pattern: pairs", "pairs of 1 vat: want at least 2"},
	{"peer without pairs", "[{between: [1, 2]}]", "[{ref: $peer}]", `there is no vat "$peer"`},
	{"peer as a number", "$n]}", "$peer]}", "$peer is a vat: write {ref: $peer}"},
	{"burst", "burst: 3", "burst: 0", "0 as burst: want 1 to 100000"},
	{"backwards", "between: [1, 2]", "between: [2, 1]", "between 2 and 1: the least comes first"},
	{"one end", "between: [1, 2]", "between: [2]", "between 1 values: want two numbers, [least, most]"},
	{"no end", "length: {deliveries: 100, messages: 50}\n", "", "x.yaml:1:1: no end: give length: {deliveries: N}, or messages: N in each workload entry"},
	{"empty length", "length: {deliveries: 100, messages: 50}", "length: {}", "x.yaml:15:9: no end"},
	{"ask part", "to: ring, method: read", "to: ring.0, method: read", "questions go to a whole group: write ring"},
	{"no answers", ", answers: [a, b]", "", `a question without "answers"`},
	{"same answer", "answers: [a, b]", "answers: [a, a]", `there is an answer "a" already`},
	{"unknown answer", "ring.$i.a + 1", "ring.$i.c", `"ring.$i.c" in a sum: the answers of ring are a, b`},
	{"not asked", "ring.$i.a + 1", "one.a", `"one.a" in a sum: one is not asked anything`},
	{"no sum", "ring.$i.a + 1", "ring", `"ring" in a sum: want a number, $messages, GROUP.ANSWER`},
	{"one side", "[ring.$i.a + 1, $messages, 5]", "[5]", "1 sums: want at least two that are to be equal"},
	{"index without each", "each: ring, ", "", `"ring.$i" names no vats`},
	{"check part", "each: ring,", "each: ring.1,", "a check is for each of a whole group: write ring"},
	{"duplicate", "seed: s\n", "seed: s\nseed: t\n", `x.yaml:3:1: mapping key "seed" already defined`},
	{"anchor", "about: everything", "about: &a everything", "x.yaml:1:8: an anchor, alias or tag, which scenarios do not have where a text is due"},
	{"syntax", "seed: s", "seed: [s", "x.yaml:"},
	{"two documents", "length:", "---\nlength:", "x.yaml: 2 documents: a scenario is one"},
	{"a list", good, "- a\n", "x.yaml:1:1: a list where a scenario is due"},
	{"empty", good, "", "x.yaml: 0 documents: a scenario is one"},
	{"only a comment", good, "# nothing\n", "x.yaml: 0 documents: a scenario is one"},
	{"too long", good, strings.Repeat("#", textBytesMax+1), "262145 bytes: a scenario has at most 262144"},
	{"brackets", good, "a: " + strings.Repeat("[", bracketsMax+1), "10001 brackets: a scenario has at most 10000"},
	{"program in a text", "vats:\n", "programs: {mine: ./mine.wasm}\nvats:\n", "x.yaml:4:18: program mine: only a scenario in a file can bring programs"},
	{"program's name", "vats:\n", "programs: {counter: ./mine.wasm}\nvats:\n", `x.yaml:4:12: "counter" is a built-in program: give yours another name`},
	{"programs as a list", "vats:\n", "programs: [mine.wasm]\nvats:\n", "x.yaml:4:11: a list where a mapping of names to files is due"},
	{"program's path", "vats:\n", "programs: {mine: 3}\nvats:\n", "x.yaml:4:18: a number where the path of a .wasm file is due"},
	{"vats as a mapping", good, "about: a\nseed: s\nvats: {name: a}\n", "x.yaml:3:7: a mapping where a list of vats is due"},
	{"no vats at all", good, "about: a\nseed: s\nvats: []\n", "x.yaml:3:7: 0 groups of vats: want 1 to 1000"},
	{"many groups", good, "about: a\nseed: s\nvats:\n" + strings.Repeat("  - {name: a, program: counter}\n", groupsMax+1),
		"x.yaml:4:3: 1001 groups of vats: want 1 to 1000"},
	{"many setups", "setup:\n", "setup:\n" + strings.Repeat("  - {to: one, method: m}\n", entriesMax), "1001 entries of setup: at most 1000"},
	{"much work", "workload:\n", "workload:\n" + strings.Repeat("  - {to: one, method: m}\n", entriesMax-1), "1001 entries of the workload: at most 1000"},
	{"many names", good, manyGroups(14) + "workload:\n  - {to: b, method: m, messages: 1}\n",
		`there is no vat "b"; so far there are a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11 and 2 more`},
	{"many targets", good, "about: a\nseed: s\nvats:\n  - {name: a, program: counter, count: 50001}\n" +
		"workload:\n  - {to: [a, a], method: m, messages: 1}\n", "x.yaml:6:10: to 100002 vats: at most 100000"},
	{"many asked", good, "about: a\nseed: s\nvats:\n  - {name: a, program: counter, count: 2001}\n" +
		"audit: {ask: [{to: a, method: m, answers: [x]}]}\n", "x.yaml:5:8: an audit of 2001 vats: want 1 to 2000"},
	{"none asked", good, "about: a\nseed: s\nvats:\n  - {name: a, program: counter}\naudit: {ask: []}\n",
		"x.yaml:5:8: an audit of 0 vats: want 1 to 2000"},
	{"assert of many", good, assertOf("ask: a, method: m, equals: [1]"), "x.yaml:5:24: an assertion asks one vat: write a.0"},
	{"assert of none", good, assertOf("ask: b, method: m, equals: [1]"), `there is no vat "b"`},
	{"assert without an answer", good, assertOf("ask: a.0, method: m"), `an assertion without "equals"`},
	{"assert with a drawn answer", good, assertOf("ask: a.0, method: m, equals: [[{pick: [1]}]]"), "x.yaml:5:48: an answer is of numbers, texts"},
	{"assert with a reference", good, assertOf("ask: a.0, method: m, equals: [{ref: a.0}]"), "an answer is of numbers, texts"},
	{"assert with a variable", good, assertOf("ask: a.0, method: m, args: [$i], equals: []"), `"$i" is no number; there are no variables here`},
	{"assert on two lines", good, assertOf(`about: "a\nb", ask: a.0, method: m, equals: []`), "want one line of at most 200 bytes"},
	{"asked twice", "answers: [a, b]}\n", "answers: [a, b]}\n    - {to: ring, method: m, answers: [c]}\n", "x.yaml:19:12: ring is asked already"},
	{"bad answer", "answers: [a, b]", "answers: [a.b]", `name "a.b": only letters, digits, '-' and '_' are allowed`},
	{"long name", "name: one", "name: " + strings.Repeat("x", nameMax+1), "want 1 to 100 letters, digits, '-' or '_'"},
	{"long body", good, "about: a\nseed: s\nvats:\n  - {name: a, program: counter, count: 8}\n" +
		"  - {name: b, program: counter, args: [{each: a, then: [" + strings.Repeat("x", 200<<10) + "]}]}\n",
		"x.yaml:5:39: arguments of up to 1638"},
	{"a tag as a value", "[1, x", "[!!str 1, x", "an anchor, alias or tag, which scenarios do not have where a number, text"},
	{"a text with a variable", "[$i, $count]", "[$i $count]", `"$i $count" is no number`},
	{"many slots", "{each: ring.$i%2, then: [{cycle: [a, b]}]}", "{each: ring, then: [" + strings.Repeat("{ref: one},", 300) + "]}", "up to 1204 references: a message has at most 1024"},
}

// assertOf is a scenario with an assertion.
func assertOf(fields string) string {
	return "about: a\nseed: s\nvats:\n  - {name: a, program: counter, count: 2}\n" +
		"audit: {assert: [{" + fields + "}]}\n"
}

// manyGroups is the beginning of a scenario with n groups.
func manyGroups(n int) string {
	text := "about: a\nseed: s\nvats:\n"
	for i := range n {
		text += fmt.Sprintf("  - {name: a%d, program: counter}\n", i)
	}
	return text
}

// TestLoadAccepts: the good scenario is, and its parts are what it says. Without
// this the table above would prove nothing.
func TestLoadAccepts(t *testing.T) {
	t.Parallel()
	s, err := Parse("x.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Options{3, SnapshotNever, 7, 9}); s.Options != want {
		t.Errorf("options %+v, want %+v", s.Options, want)
	}
	if want := (Length{100, 50}); s.Length != want {
		t.Errorf("length %+v, want %+v", s.Length, want)
	}
	want := []Group{{"one", "counter", 1}, {"ring", "pingpong", 4}, {"hub", "puppet", 1}}
	if got := s.Groups(); !slices.Equal(got, want) {
		t.Errorf("groups %v, want %v", got, want)
	}
	for name, has := range map[string]bool{
		"one": true, "ring.3": true, "ring.4": false, "ring": false, "hub": true, "v6": true, "v7": false,
	} {
		if s.HasVat(name) != has {
			t.Errorf("vat %s: %v, want %v", name, !has, has)
		}
	}
}

// TestErrorShowsThePlace: the whole text of an error, as a person sees it.
func TestErrorShowsThePlace(t *testing.T) {
	t.Parallel()
	_, err := Parse("x.yaml", []byte("about: a\nseed: s\nvats:\n  - {name: a, program: b}\n"))
	want := "x.yaml:4:24: there is no program \"b\": built in are"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Fatalf("got  %v\nwant %s…", err, want)
	}
	want = "\n    4 |   - {name: a, program: b}\n                               ^"
	if !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got  %v\nwant …%s", err, want)
	}
}

// TestIdentity: it is the same however the scenario is written, and differs when
// anything observable does.
func TestIdentity(t *testing.T) {
	t.Parallel()
	identity := func(text string) string {
		s, err := Parse("x.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return s.Identity().String()
	}
	same := strings.NewReplacer(
		"about: everything", "about: something else # and a comment",
		"{max_vats: 3, snapshot_initial: never, snapshot_interval: 7, block: 9}", "{block: 10}",
		"{name: one, program: counter}", "program: counter\n    name: \"one\"",
		"deliveries: 100, messages: 50", "deliveries: 1_000",
	).Replace(good)
	if same == good || identity(same) != identity(good) {
		t.Error("another way of writing it is another scenario")
	}
	for _, c := range [][2]string{
		{"seed: s", "seed: t"}, {"count: 4", "count: 5"}, {"{ref: ring.$i+1}", "{ref: ring.$i+2}"},
		{"burst: 3", "burst: 4"}, {"$messages, 5", "$messages, 6"}, {"method: peer", "method: pear"},
		{"program: puppet", "program: counter"}, {"[1, x, true", "[1, x, false"}, {"hex: 00ff", "hex: ff00"},
		{"[1, x, true", "[\"1\", x, true"},
	} {
		if identity(strings.Replace(good, c[0], c[1], 1)) == identity(good) {
			t.Errorf("%s instead of %s is the same scenario", c[1], c[0])
		}
	}
	s, _ := Parse("x.yaml", []byte(good))
	if s.WithSeed("t").Identity() == s.Identity() || s.WithSeed("s").Identity() != s.Identity() {
		t.Error("WithSeed: the identity is not that of the seed")
	}
}

// TestLoadFile: programs are found beside the scenario, are part of its identity,
// and what cannot be read is said at the line that names it.
func TestLoadFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := "about: a\nseed: s\nprograms: {mine: sub/mine.wasm}\nvats:\n  - {name: a, program: mine}\n"
	path := write("x.yaml", text)
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "x.yaml:3:18: program mine: ") {
		t.Errorf("without the program: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(filepath.Join(dir, "sub")); err == nil || !strings.Contains(err.Error(), "want a file") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Load(filepath.Join(dir, "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	write("sub/mine.wasm", "one")
	one, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	write("sub/mine.wasm", "two")
	two, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if one.Identity() == two.Identity() {
		t.Error("another program, and the same scenario")
	}
	if err := one.Admit(t.Context()); err == nil || !strings.Contains(err.Error(), "program mine (sub/mine.wasm)") {
		t.Errorf("admit what is no module: %v", err)
	}
}

// TestBuiltinsLoad: every built-in scenario is good, says what it is about, and
// holds what is promised of it.
func TestBuiltinsLoad(t *testing.T) {
	t.Parallel()
	want := []string{"counter", "exchange", "fan-out", "glutton", "locker", "mixed", "pairs", "ping-pong", "race", "ring", "zipf"}
	if got := BuiltinNames(); !slices.Equal(got, want) {
		t.Errorf("built in are %v, want %v", got, want)
	}
	for _, name := range BuiltinNames() {
		s, err := Builtin(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if s.About == "" || len(s.audit.asks) == 0 {
			t.Errorf("%s: nothing about it, or no audit", name)
		}
	}
	s, err := Builtin("exchange")
	if err != nil {
		t.Fatal(err)
	}
	if s.Vats() != 200 || s.Options.MaxVats != 20 || s.Length.Deliveries != 20_000 || len(s.audit.checks) < 4 {
		t.Errorf("exchange: %d vats, at most %d, %d deliveries, %d checks",
			s.Vats(), s.Options.MaxVats, s.Length.Deliveries, len(s.audit.checks))
	}
	if _, err := Builtin("none"); err == nil || !strings.Contains(err.Error(), "built in are counter, exchange") {
		t.Errorf("unknown: %v", err)
	}
}

// TestDocumentedScenariosLoad: every example in docs/scenarios.md is a good
// scenario; one that brings a program finds one.
func TestDocumentedScenariosLoad(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```yaml\n")[1:]
	if len(blocks) < 4 {
		t.Fatalf("%d examples", len(blocks))
	}
	for i, b := range blocks {
		example, _, _ := strings.Cut(b, "```")
		_, err := parse("docs/scenarios.md", []byte(example), func(string) ([]byte, error) { return nil, nil })
		if err != nil {
			t.Errorf("example %d: %v", i, err)
		}
	}
}

// FuzzParse: no text makes the loader panic; of what it takes, messages can be
// made, the same ones each time, and the identity does not change.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	for _, name := range BuiltinNames() {
		text, _ := BuiltinText(name)
		f.Add(text)
	}
	f.Add([]byte("a: &x [*x]\n? b\n: - - - |\n  c"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse("x.yaml", text)
		if err != nil {
			var fault *Error
			if !errors.As(err, &fault) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		if s.Vats() > 1000 {
			return // takes long, and is no different
		}
		again, err := Parse("x.yaml", text)
		if err != nil || s.Identity() != again.Identity() {
			t.Fatalf("a second time: %v", err)
		}
		for i := range s.members {
			var m message
			s.fillStart(&m, &scope{draw: new(draw)}, i)
		}
		enough, sent := errors.New("enough"), 0
		for k := range uint64(5) {
			_, err := s.step(k, func(*message) error {
				if sent++; sent > 100 {
					return enough
				}
				return nil
			})
			if err != nil && err != enough {
				t.Fatal(err)
			}
		}
	})
}
