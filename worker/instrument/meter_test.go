package instrument

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// costsFile is the golden file of the version of the costs.
var costsFile = fmt.Sprintf("testdata/costs-%d.txt", CostVersion)

// costText is every opcode that is admitted and what it costs, and the prices.
func costText() string {
	var b strings.Builder
	for _, t := range []struct {
		name  string
		known opcodeTable
		costs prices
	}{{"core", core, coreCost}, {"misc", misc, miscCost}, {"vector", vector, vectorCost}} {
		for op, im := range t.known {
			if im != unknown && im != refused && im != miscOpcode && im != vectorOpcode {
				fmt.Fprintf(&b, "%s %#02x %d\n", t.name, op, t.costs[op])
			}
		}
	}
	fmt.Fprintf(&b, "bulk bytes a unit %d\npage %d\nhost call %d\nsyscall %d\nhost byte %d\n",
		1<<bulkShift, PageUnits, HostCallUnits, SyscallUnits, HostByteUnits)
	return b.String()
}

// TestCostsAreTheVersions: a version of the costs is for ever. Whoever changes one raises
// CostVersion and adds a file by -rewrite.
func TestCostsAreTheVersions(t *testing.T) {
	t.Parallel()
	if *rewrite {
		if err := os.WriteFile(costsFile, []byte(costText()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(costsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != costText() {
		t.Errorf("the costs are not those of %s: raise CostVersion", costsFile)
	}
}

// used returns what a call of the normal form used, and calls it first.
func (in *instance) used(name string, args []uint64) (result []uint64, trap string, units int64) {
	result, trap = in.call(name, args...)
	left, _ := Left(in.word(in.normal.Meter.Word), in.word(in.normal.Meter.Reserve))
	return result, trap, FuelMax - left
}

func (in *instance) word(export string) uint64 {
	if export == "" {
		return 0
	}
	return in.mod.ExportedGlobal(export).(api.MutableGlobal).Get()
}

// countBeside runs a random module in an engine beside the counter, and returns the first
// difference in results or fuel. Where the program traps, it ends. Plant may change the
// normal form.
func countBeside(
	e engine, seed uint64, as Form, costs map[string]uint64, plant func(*Normal),
) (compared int, err error) {
	m := generate(seed)
	n, err := rewriteAs(m.encode(), note, Limits{MemoryPages: 3}, as)
	if err != nil {
		return 0, err
	}
	plant(n)
	b, err := newBench(e, observed(m), n)
	if err != nil {
		return 0, err
	}
	defer b.close()
	c := newCounter(m, 3, costs)
	in, err := b.instantiate(b.normal, false)
	if err != nil {
		return 0, err
	}
	for _, s := range n.Segments {
		in.mod.Memory().Write(s.Offset, s.Bytes)
	}
	steps := script(newRand(seed), m, 20)
	if n.Start != "" {
		steps = append([]step{{function: n.Start}}, steps...)
	}
	for i, s := range steps {
		index := m.start
		if s.function != n.Start {
			fmt.Sscanf(s.function, "f%d", &index)
		}
		args := make([][2]uint64, len(s.args))
		for k, a := range s.args {
			args[k][0] = a
		}
		c.units = 0
		want, trapped := c.call(index, args)
		got, trap, units := in.used(s.function, s.args)
		if trapped != nil || trap != "" {
			if trapped == nil || trap == "" {
				return compared, fmt.Errorf("step %d: trap %q, the counter's %v", i, trap, trapped)
			}
			return compared, nil
		}
		if len(got) > 0 && got[0] != want[0] || uint64(units) != c.units {
			return compared, fmt.Errorf("step %d %s%v: %v for %d units, want %v for %d",
				i, s.function, s.args, got, units, want, c.units)
		}
		compared++
	}
	return compared, nil
}

// TestFuelIsTheCounters runs random modules in both engines and forms, and wants the fuel
// that each call uses to be the sum of what its instructions cost, one by one.
func TestFuelIsTheCounters(t *testing.T) {
	t.Parallel()
	costs, err := readCosts(costsFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			compared := 0
			for seed := range uint64(runs) {
				for _, f := range []Form{Metered, Yielding} {
					n, err := countBeside(e, seed, f, costs, func(*Normal) {})
					if err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
					compared += n
				}
			}
			if compared < 20*runs {
				t.Errorf("%d calls compared, want more", compared)
			}
		})
	}
}

// aCharge is how a counted function of generate charges for a block that begins no loop.
// Its word is in the local behind its own.
var aCharge = regexp.MustCompile(`(?s)\x20\x07\x42(.{1,6}?)\x7d\x21\x07`)

// TestPlantedMetersAreFound changes what the meter does, and wants the comparison with
// the counter to see it in some of the random modules.
func TestPlantedMetersAreFound(t *testing.T) {
	t.Parallel()
	costs, err := readCosts(costsFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, plant := range map[string]func(*Normal) bool{
		"a block not charged": func(n *Normal) bool {
			at := aCharge.FindSubmatchIndex(n.Code)
			if at == nil {
				return false
			}
			// Not subtracted, but dropped.
			n.Code[at[3]] = opDrop
			return true
		},
		"a call's fuel forgotten": func(n *Normal) bool {
			load := append(append([]byte{opGlobalGet}, leb(wordIndex(n))...), opLocalSet, 7)
			keep := append(append([]byte{opGlobalGet}, leb(wordIndex(n))...), opDrop, 1)
			if !bytes.Contains(n.Code, load) {
				return false
			}
			n.Code = bytes.Replace(n.Code, load, keep, -1)
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(400) {
				planted := false
				f := func(n *Normal) { planted = plant(n) }
				_, err := countBeside(engines[0], seed, Metered, costs, f)
				if err != nil && planted {
					return
				}
			}
			t.Error("no difference in any module")
		})
	}
	for _, cost := range []string{
		"core 0x0d", "core 0x0e", "core 0x10", "core 0x11", "core 0x40", "misc 0x08", "page",
		"bulk bytes a unit", "vector 0x12",
	} {
		t.Run("another price of "+cost, func(t *testing.T) {
			t.Parallel()
			other := map[string]uint64{}
			for name, n := range costs {
				other[name] = n
			}
			other[cost]++
			for seed := range uint64(400) {
				if _, err := countBeside(engines[0], seed, Metered, other, func(*Normal) {}); err != nil {
					return
				}
			}
			t.Error("no difference in any module")
		})
	}
}

// wordIndex is the global that is the meter's word.
func wordIndex(n *Normal) uint64 {
	at := bytes.Index(n.Code, []byte(n.Meter.Word))
	return uint64(n.Code[at+len(n.Meter.Word)+1])
}

// spentFile is the golden file of what guests use under the version of the costs.
var spentFile = fmt.Sprintf("testdata/fuel-%d.txt", CostVersion)

// spent is what each call of a script used, in an engine and form, and how it ended.
func spent(
	e engine, code []byte, f Form, imports []Import, script func(n *Normal) []step,
) (lines []string, err error) {
	n, err := rewriteAs(code, imports, Limits{}, f)
	if err != nil {
		return nil, err
	}
	b, err := newBench(e, code, n)
	if err != nil {
		return nil, err
	}
	defer b.close()
	in, err := b.birth()
	if err != nil {
		return []string{err.Error()}, nil
	}
	for _, s := range script(n) {
		_, trap, units := in.used(s.function, s.args)
		lines = append(lines, fmt.Sprintf("%s%v %d %s", s.function, s.args, units, trap))
	}
	return lines, nil
}

// inAllForms runs a script in both engines, metered and yielding, and returns what was
// spent, which must be the same everywhere: also by calls that trap.
func inAllForms(
	code []byte, imports []Import, script func(n *Normal) []step,
) (first []string, err error) {
	for _, e := range engines {
		for _, f := range []Form{Metered, Yielding} {
			lines, err := spent(e, code, f, imports, script)
			if err != nil {
				return nil, err
			}
			if first == nil {
				first = lines
			}
			for i := range lines {
				if lines[i] != first[i] {
					return nil, fmt.Errorf("%s, form %v: %s, want %s",
						e.name, f, lines[i], first[i])
				}
			}
		}
	}
	return first, nil
}

// TestGuestsUseTheFuelTheyDid runs the committed modules: the fuel they use is the same in
// both engines and forms, and as the golden file of the version of the costs has it.
func TestGuestsUseTheFuelTheyDid(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, g := range committed(t) {
		lines, err := inAllForms(g.code, importsOf(t, g.code), func(n *Normal) []step {
			return guestScript(newRand(1), n, 60)
		})
		if err != nil {
			t.Fatalf("%s: %v", g.name, err)
		}
		fmt.Fprintf(&got, "%s\n\t%s\n", g.name, strings.Join(lines, "\n\t"))
	}
	if *rewrite {
		if err := os.WriteFile(spentFile, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(spentFile)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the guests use other fuel than in %s:\n%s", spentFile, got.String())
	}
}

// TestRandomModulesUseTheSameFuel does the same with random modules, some of whose calls
// trap.
func TestRandomModulesUseTheSameFuel(t *testing.T) {
	t.Parallel()
	trapped := 0
	for seed := range uint64(runs) {
		m := generate(seed)
		lines, err := inAllForms(m.encode(), note, func(*Normal) []step {
			return script(newRand(seed), m, 20)
		})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, line := range lines {
			if !strings.HasSuffix(line, " ") { // the name of a trap
				trapped++
			}
		}
	}
	if trapped == 0 {
		t.Error("no call trapped")
	}
}
