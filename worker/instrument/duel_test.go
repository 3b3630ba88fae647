package instrument

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"vatwarehouse/test/faults"
)

// duelFuel is what a call may use: a changed module may have endless loops.
const duelFuel = 100_000

// duelCounts is what duels came to.
type duelCounts struct {
	modules  int // that were played
	refused  int // that were not admitted
	invalid  int // that no engine compiles
	exact    int // modules that must do the same as their originals
	calls    int // compared
	traps    int // of these
	starved  int // of these, for want of fuel
	original int // compared with the original, too
}

// duel plays a module's normal form in both engines, of which one is captured and resumed
// now and then. All that a program can see, and its fuel, must be the same; and the same
// as in the original, if the normal form makes no float canonical.
type duel struct {
	n       *Normal
	exact   bool
	normals [2]*instance // one for each engine
	benches [2]*bench
	plain   *instance // the original, or nil
	*duelCounts
}

// play plays one module. Spoil plants a mistake in its normal form.
func play(code []byte, script []step, spoil func([]byte) []byte, c *duelCounts) error {
	limits := Limits{MemoryPages: 3}
	n, err := Rewrite(code, note, limits)
	if errors.Is(err, ErrRefused) {
		c.refused++
		return nil
	} else if err != nil {
		return err
	}
	plain, err := rewriteAs(code, note, limits, Form{counts: true})
	if err != nil {
		return err
	}
	// Where it has its limit from the host, the original grows further.
	m := decoded(code, note)
	limited := m.memory.bounded && m.memory.most <= 3
	d := &duel{n: n, exact: limited && bytes.Equal(n.Code, plain.Code), duelCounts: c}
	n.Code = spoil(n.Code)
	defer d.close()
	if valid, err := d.compile(code); err != nil || !valid {
		return err
	}
	c.modules++
	born, err := d.birth()
	if err != nil || !born {
		return err
	}
	for i, s := range script {
		if err := d.step(s); err != nil {
			return fmt.Errorf("step %d %s%v: %w", i, s.function, s.args, err)
		}
	}
	return nil
}

func (d *duel) close() {
	for _, b := range d.benches {
		if b != nil {
			b.close()
		}
	}
}

// compile reports whether the engines take the module. They must take it and its normal
// form, or neither.
func (d *duel) compile(code []byte) (valid bool, err error) {
	ctx := context.Background()
	for i, e := range engines {
		r := wazero.NewRuntimeWithConfig(ctx, e.config())
		d.benches[i] = &bench{runtime: r, n: d.n, fuel: duelFuel}
		if err := hostModules(ctx, r, d.n.Imports); err != nil {
			return false, err
		}
		var first, second error
		d.benches[i].original, first = r.CompileModule(ctx, code)
		d.benches[i].normal, second = r.CompileModule(ctx, d.n.Code)
		if (first == nil) != (second == nil) {
			return false, fmt.Errorf("%s: original %v, normal form %v", e.name, first, second)
		}
		if first != nil {
			d.invalid++
			return false, nil
		}
	}
	return true, nil
}

// birth brings the instances to life, and reports whether they were born.
func (d *duel) birth() (bool, error) {
	var faults [2]error
	for i, b := range d.benches {
		d.normals[i], faults[i] = b.birth()
	}
	if fmt.Sprint(faults[0]) != fmt.Sprint(faults[1]) {
		return false, fmt.Errorf("births: %v and %v", faults[0], faults[1])
	}
	if faults[0] != nil {
		return false, nil
	}
	if d.exact {
		d.duelCounts.exact++
		in, err := d.benches[1].instantiate(d.benches[1].original, true)
		if err != nil {
			return false, fmt.Errorf("birth of the original: %w", err)
		}
		d.plain = in
	}
	return true, d.agree()
}

// step makes one call, and compares what comes of it.
func (d *duel) step(s step) error {
	if s.resume {
		fresh, err := d.benches[0].resume(d.normals[0].capture())
		if err != nil {
			return fmt.Errorf("resume: %w", err)
		}
		_ = d.normals[0].mod.Close(context.Background())
		d.normals[0] = fresh
	}
	d.calls++
	first, trap := d.normals[0].call(s.function, s.args...)
	second, other := d.normals[1].call(s.function, s.args...)
	if !slices.Equal(first, second) || trap != other {
		return fmt.Errorf("%v %q and %v %q", first, trap, second, other)
	}
	meters := [2][]uint64{d.normals[0].meter(), d.normals[1].meter()}
	if !slices.Equal(meters[0], meters[1]) {
		return fmt.Errorf("meters %x and %x", meters[0], meters[1])
	}
	left, deep := Left(meters[0][0], 0)
	if trap != "" {
		d.traps++
	}
	if left < 0 || deep {
		d.starved++
		d.plain = nil // it would go on
	}
	if d.plain != nil {
		d.original++
		want, reason := d.plain.call(s.function, s.args...)
		if !slices.Equal(first, want) || trap != reason {
			return fmt.Errorf("%v %q, the original's %v %q", first, trap, want, reason)
		}
	}
	return d.agree()
}

// agree compares memory and globals.
func (d *duel) agree() error {
	if err := same(d.normals[0], d.normals[1]); err != nil {
		return fmt.Errorf("between engines: %w", err)
	}
	if a, b := d.normals[0].words(true), d.normals[1].words(true); !slices.Equal(a, b) {
		return fmt.Errorf("between engines: globals %x and %x", a, b)
	}
	if d.plain != nil {
		if err := same(d.plain, d.normals[1]); err != nil {
			return fmt.Errorf("beside the original: %w", err)
		}
	}
	return nil
}

// alike are opcodes in groups that have the same operands and results.
var alike = [][]byte{
	span8(0x46, 0x4f), span8(0x51, 0x5a), span8(0x5b, 0x60), span8(0x61, 0x66), // comparisons
	span8(0x67, 0x69), span8(0x6a, 0x78), span8(0x79, 0x7b), span8(0x7c, 0x8a), // integers
	span8(0x8b, 0x91), span8(0x92, 0x98), span8(0x99, 0x9f), span8(0xa0, 0xa6), // floats
	{0x28, 0x2c, 0x2d, 0x2e, 0x2f}, {0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35}, // loads
	{0x36, 0x3a, 0x3b}, {0x37, 0x3c, 0x3d, 0x3e}, {0x0c, 0x0d}, {0x02, 0x03},
	{0x20, 0x23}, {0x21, 0x22, 0x24}, {0x1a, 0x01},
}

func span8(first, last byte) (list []byte) {
	for op := int(first); op <= int(last); op++ {
		list = append(list, byte(op))
	}
	return list
}

// mutate changes some bytes of a module's functions: to an opcode of the same group, by
// one bit, or to anything.
func mutate(r *rand.Rand, m *build) *build {
	out := *m
	out.funcs = slices.Clone(m.funcs)
	for range 1 + r.IntN(4) {
		i := r.IntN(len(out.funcs))
		code := slices.Clone(out.funcs[i].code)
		out.funcs[i].code = code
		at := r.IntN(len(code))
		switch r.IntN(6) {
		case 0:
			code[at] ^= 1 << r.IntN(8)
		case 1:
			code[at] = byte(r.Uint32())
		default:
			start := at
			group := func(g []byte) bool { return slices.Contains(g, code[at]) }
			for at = (at + 1) % len(code); at != start; at = (at + 1) % len(code) {
				if k := slices.IndexFunc(alike, group); k >= 0 {
					code[at] = alike[k][r.IntN(len(alike[k]))]
					break
				}
			}
		}
	}
	return &out
}

// playSeed plays the module of a seed: one of integers or of floats, as it was generated
// or changed.
func playSeed(seed uint64, spoil func([]byte) []byte, c *duelCounts) error {
	m := generateAs(seed, seed%2 == 1)
	m.memories = m.normal(3).memories // the limit, by the original's own maximum
	r := newRand(seed)
	script := script(r, m, 12)
	if seed%4 >= 2 {
		m = mutate(r, m)
	}
	return play(m.encode(), script, spoil, c)
}

// TestEnginesAgree plays random modules, half of them full of NaNs, half of them changed
// here and there, in both engines. In a second there are some hundreds.
func TestEnginesAgree(t *testing.T) {
	t.Parallel()
	run := faults.Begin(t, "F9b")
	var c duelCounts
	for seed := run.Seed; run.Left() > 0; seed++ {
		if err := playSeed(seed, raw, &c); err != nil {
			t.Fatalf("-args -trials 1 -seed %d: %v", seed, err)
		}
		run.Add(1)
	}
	t.Logf("%+v", c)
	if n := run.Due; n >= 100 && (c.modules < n/2 || c.exact < n/8 || c.calls < 5*n ||
		c.original < n || c.traps == 0) {
		t.Errorf("of %d modules too few were compared: %+v", n, c)
	}
}

// TestDuelsFindFaults plants mistakes into normal forms, and wants each to be found in
// some of the random modules.
func TestDuelsFindFaults(t *testing.T) {
	t.Parallel()
	replace := func(from, to string) func([]byte) []byte {
		return func(code []byte) []byte { return bytes.ReplaceAll(code, []byte(from), []byte(to)) }
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"NaNs as they come":    asTheyCome,
		"another sum":          replace("\x6a\x41", "\x6b\x41"),
		"an alignment raised":  replace("\x36\x02", "\x36\x03"),
		"a flag not set":       replace("\xfc\x09\x00\x41\x01", "\xfc\x09\x00\x41\x00"),
		"a global not set":     replace("\x24\x00", "\x1a\x01"),
		"a choice turned":      replace("\x20\x01\x04\x40", "\x20\x00\x04\x40"),
		"vectors not repaired": replace(choose[lanes64], "\xfd\x41\xfd\x52"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c duelCounts
			for seed := range uint64(1000) {
				if err := playSeed(seed, spoil, &c); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Error("no difference in any module")
		})
	}
}
