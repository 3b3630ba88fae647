// Package damage_test damages a golden directory in every way a disk, a copy or a
// person may: bits are flipped, sectors zeroed and swapped, files cut, removed,
// doubled and put back to what they were, one at a time, in every file there is.
// Then the directory is opened and the scenario goes on to its end. It must come
// to the end it would have had, or somebody must be told what is wrong, and where.
// Nothing may be silent: no other trace, no panic, no endless wait.
package damage_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vatwarehouse/internal/frame"
	"vatwarehouse/test/faults"
	"vatwarehouse/test/trial"
)

var only = flag.String("damage", "", "try only this damage, as a failure prints it")

// damage is one change of one directory.
type damage struct {
	kind string
	file string
	to   string // another file, or "-"
	a, b int64
}

// String returns the damage as -damage takes it.
func (d damage) String() string {
	return fmt.Sprint(d.kind, " ", d.file, " ", d.to, " ", d.a, " ", d.b)
}

const sectorBytes = 512

// apply returns the damaged directory; the tree stays as it is.
func (d damage) apply(all tree, older []tree) tree {
	out := maps.Clone(all)
	b := slices.Clone(all[d.file])
	sector := func(n int64) []byte {
		at := min(n*sectorBytes, int64(len(b)))
		return b[at:min(at+sectorBytes, int64(len(b)))]
	}
	switch d.kind {
	case "flip": // bit b of byte a
		b[d.a] ^= 1 << d.b
	case "noise": // over up to 40 bytes from a on
		rng := rand.New(rand.NewPCG(uint64(d.b), 0))
		for i := range b[d.a:min(d.a+1+rng.Int64N(40), int64(len(b)))] {
			b[d.a+int64(i)] = byte(rng.Uint32())
		}
	case "cut": // at a
		b = b[:d.a]
	case "grow": // by a bytes b
		b = append(b, slices.Repeat([]byte{byte(d.b)}, int(d.a))...)
	case "lose": // up to b bytes from a on
		b = slices.Delete(b, int(d.a), int(min(d.a+d.b, int64(len(b)))))
	case "zero": // sector a
		clear(sector(d.a))
	case "swap": // sectors a and b
		x, y := slices.Clone(sector(d.a)), slices.Clone(sector(d.b))
		copy(sector(d.a), y)
		copy(sector(d.b), x)
	case "twice": // frame a
		starts := frameStarts(b)
		one := b[starts[d.a]:starts[d.a+1]]
		b = slices.Insert(b, starts[d.a], slices.Clone(one)...)
	case "order": // of frame a and the one behind it
		starts := frameStarts(b)
		one, two := b[starts[d.a]:starts[d.a+1]], b[starts[d.a+1]:frameEnd(b, starts[d.a+1])]
		copy(b[starts[d.a]:], slices.Concat(two, one))
	case "remove":
		delete(out, d.file)
		return out
	case "copy":
		out[d.to] = b
	case "exchange":
		b, out[d.to] = out[d.to], b
	case "older": // as it was at moment a
		if b = older[d.a][d.file]; b == nil {
			delete(out, d.file)
			return out
		}
	default:
		panic("no such damage: " + d.kind)
	}
	out[d.file] = b
	return out
}

// planned returns the damage at places that mean something: every bit of the
// smallest files, every byte of heads and ends, cuts between and in frames, and
// whatever can be done to whole files.
func (g *golden) planned(v variant, rng *rand.Rand) (all []damage) {
	seen := map[string]int{}
	for _, name := range v.all.names() {
		seen[kindOf(name)]++
		first := seen[kindOf(name)] == 1
		if kindOf(name) == "heaps/images" && !first {
			continue // Open removes them all
		}
		size := int64(len(v.all[name]))
		add := func(kind, to string, a, b int64) { all = append(all, damage{kind, name, to, a, b}) }
		for at := range size {
			switch {
			case !first, !v.closed() && kindOf(name) != "log/*.segment":
				// One of a kind is enough; and but for segments, which mean something
				// else in a log that was not closed, one form of the directory is.
			case size <= 64:
				for bit := range int64(8) {
					add("flip", "-", at, bit)
				}
			case strings.HasPrefix(name, "heaps/code/"):
			case size <= 600 || at < 64 || at >= size-32:
				add("flip", "-", at, rng.Int64N(8))
			}
		}
		for _, at := range append(frames(v.all[name]), 0, 1, size/2, size-1) {
			if at >= 0 && at < size {
				add("cut", "-", at, 0)
			}
		}
		for _, by := range []int64{1, 16, sectorBytes, 5000} {
			add("grow", "-", by, 0)
			add("grow", "-", by, 0xff)
		}
		add("remove", "-", 0, 0)
		for i := range g.older {
			add("older", "-", int64(i), 0)
		}
		for _, to := range copies(name) {
			add("copy", to, 0, 0)
		}
		for _, other := range v.all.names() {
			if other > name && (kindOf(other) == kindOf(name) || rng.IntN(20) == 0) {
				add("exchange", other, 0, 0)
			}
		}
	}
	return all
}

// frames returns where the frames of a file begin, if it is made of frames, and
// the last ones' neighbourhood.
func frames(b []byte) (at []int64) {
	for _, off := range frameStarts(b) {
		at = append(at, int64(off))
	}
	if len(at) > 40 {
		at = append(at[:4:4], at[len(at)-36:]...)
	}
	for _, off := range at[max(0, len(at)-4):] {
		at = append(at, off-1, off+1, off+frame.HeaderBytes)
	}
	return at
}

// frameStarts returns where the whole frames that a file begins with are.
func frameStarts(b []byte) (at []int) {
	for off := 0; frameEnd(b, off) > 0; off = frameEnd(b, off) {
		at = append(at, off)
	}
	return at
}

// frameEnd returns where a frame ends, or 0 if there is none that is whole.
func frameEnd(b []byte, off int) int {
	n, err := frame.DecodeLength(b[off:])
	if end := off + frame.HeaderBytes + n; err == nil && end <= len(b) {
		return end
	}
	return 0
}

// copies returns names under which a copy of a file could be mistaken for one of
// the directory's own.
func copies(name string) (to []string) {
	dir, base := "", name
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		dir, base = name[:i+1], name[i+1:]
	}
	number, suffix, ok := strings.Cut(base, ".")
	var n uint32
	if _, err := fmt.Sscanf(number, "%08x", &n); err == nil && ok && len(number) == 8 {
		for _, other := range []uint32{n + 1, n + 7, 0xff} {
			to = append(to, fmt.Sprintf("%s%08x.%s", dir, other, suffix))
		}
		for _, kind := range []string{"segment", "archive", "pack", "index"} {
			to = append(to, fmt.Sprintf("%s%s.%s", dir, number, kind))
		}
	}
	return append(to, name+".new", name+".tmp", name+"x", dir+"copy")
}

// drawn draws one random damage. Every kind of file has its turn.
func (g *golden) drawn(v variant, rng *rand.Rand) damage {
	kinds := map[string][]string{}
	for _, name := range v.all.names() {
		if len(v.all[name]) > 0 {
			kinds[kindOf(name)] = append(kinds[kindOf(name)], name)
		}
	}
	sorted := slices.Sorted(maps.Keys(kinds))
	of := kinds[sorted[rng.IntN(len(sorted))]]
	d := damage{file: of[rng.IntN(len(of))], to: "-"}
	used := len(v.all[d.file])
	if rng.IntN(20) > 0 { // what is set aside is mostly left out
		used = max(1, len(bytes.TrimRight(v.all[d.file], "\x00")))
	}
	size, sectors := int64(used), int64(used+sectorBytes-1)/sectorBytes
	switch p := rng.IntN(100); {
	case p < 55:
		d.kind, d.a, d.b = "flip", rng.Int64N(size), rng.Int64N(8)
	case p < 70:
		d.kind, d.a, d.b = "noise", rng.Int64N(size), rng.Int64N(1<<32)
	case p < 75:
		d.kind, d.a, d.b = "lose", rng.Int64N(size), 1+rng.Int64N(40)
	case p < 82:
		d.kind, d.a = "cut", rng.Int64N(size)
	case p < 90:
		d.kind, d.a = "zero", rng.Int64N(sectors)
	default:
		d.kind, d.a, d.b = "swap", rng.Int64N(sectors), rng.Int64N(sectors)
	}
	return d
}

// counts are verdicts by kind of file.
type counts struct {
	mu  sync.Mutex
	all map[string]map[string]int
	n   int
}

func (c *counts) add(kind, verdict string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]map[string]int{}
	}
	if c.all[kind] == nil {
		c.all[kind] = map[string]int{}
	}
	c.all[kind][verdict]++
	c.n++
}

// String returns a table.
func (c *counts) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d trials\n%-20s", c.n, "")
	for _, v := range verdicts {
		fmt.Fprintf(&text, "%9s", v)
	}
	for _, kind := range slices.Sorted(maps.Keys(c.all)) {
		fmt.Fprintf(&text, "\n%-20s", kind)
		for _, v := range verdicts {
			fmt.Fprintf(&text, "%9d", c.all[kind][v])
		}
	}
	return text.String()
}

// trialMax is how long one trial may take before it counts as hung: thousands of
// times what it needs.
const trialMax = 2 * time.Minute

// watched ends the process with the damage's name if a trial hangs.
func watched(what string, f func() judgement) judgement {
	timer := time.AfterFunc(trialMax, func() {
		fmt.Fprintf(os.Stderr, "hung: %s\n", what)
		panic("a trial hangs: " + what)
	})
	defer timer.Stop()
	return f()
}

// parse reads what String wrote, after the name of a variant and ": ".
func parse(t *testing.T, text string) (variant string, d damage) {
	t.Helper()
	variant, rest, _ := strings.Cut(text, ": ")
	if _, err := fmt.Sscan(rest, &d.kind, &d.file, &d.to, &d.a, &d.b); err != nil {
		t.Fatalf("damage %q: %v", text, err)
	}
	return variant, d
}

// failuresMax bounds the failures that are printed.
const failuresMax = 20

// attack tries damage on one form of the golden directory, one at a time, and
// fails the test for what is silent. It returns how much there was to try.
func (g *golden) attack(t *testing.T, v variant, list []damage, judge judge) int {
	t.Helper()
	if *only != "" {
		name, d := parse(t, *only)
		if list = []damage{d}; name != v.name {
			return 0
		}
	}
	var c counts
	var failures atomic.Int64
	err := trial.Each(len(list), func(i int) error {
		d := list[i]
		damaged := d.apply(v.all, g.older)
		if len(v.all.changed(damaged)) == 0 {
			return nil
		}
		name := v.name + ": " + d.String()
		j := watched(name, func() judgement { return judge(v, damaged, nil) })
		c.add(kindOf(d.file), j.is)
		if *only != "" {
			t.Logf("%s: %s: %v", name, j.is, j.err)
		}
		if j.is == silent && failures.Add(1) <= failuresMax {
			t.Errorf("%s: %v\nto repeat: go test ./test/damage -run %s -args -seed %d -damage '%s'",
				name, j.err, t.Name(), faults.Seed(), name)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%s: %v", v.name, &c)
	return c.n
}

// some returns a tenth of a list, drawn at random, for a short run.
func some(list []damage, rng *rand.Rand) []damage {
	if !testing.Short() {
		return list
	}
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:len(list)/10]
}

// TestNoDamageIsSilent: both forms of the golden directory, all planned damage
// and some drawn at random.
func TestNoDamageIsSilent(t *testing.T) {
	g := newGolden(t)
	for i, v := range []variant{g.closed, g.cut} {
		rng := rand.New(rand.NewPCG(faults.Seed(), uint64(i)))
		list := some(g.planned(v, rng), rng)
		for range faults.Scaled(250) {
			list = append(list, g.drawn(v, rng))
		}
		g.attack(t, v, list, g.judge)
	}
}
