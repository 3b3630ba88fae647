package damage_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"vatwarehouse/test/faults"
)

// tryAll tries a part of what is planned or drawn on each form of the golden directory,
// until as much as is due was tried.
func tryAll(t *testing.T, class string, list func(g *golden, v variant, try attempt) []damage) {
	t.Helper()
	run := faults.Begin(t, class)
	g := newGolden(t)
	forms := []variant{g.closed, g.cut}
	for i := 0; run.Left() > 0 && !t.Failed(); i++ {
		v := forms[i%len(forms)]
		part := run.Left()
		if i == 0 {
			part = (run.Due + 1) / 2
		}
		rng := rand.New(rand.NewPCG(run.Seed, uint64(i)))
		all := list(g, v, attempt{rng, part, i < len(forms)})
		run.Add(g.attack(t, v, all[:min(part, len(all))], g.glance))
	}
}

// attempt is what a list of damage is for.
type attempt struct {
	*rand.Rand
	due   int
	first bool // of this form of the directory
}

// smallBytes is up to which size every bit of a file is flipped.
const smallBytes = 600

// TestNoFlipIsSilent: every bit of small files, and bits of the others drawn at random.
func TestNoFlipIsSilent(t *testing.T) {
	tryAll(t, "F6", func(g *golden, v variant, try attempt) (list []damage) {
		for _, name := range v.all.names() {
			if size := int64(len(v.all[name])); size <= smallBytes && try.first {
				for bit := range 8 * size {
					list = append(list, damage{"flip", name, "-", bit / 8, bit % 8})
				}
			}
		}
		try.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		list = list[:min(len(list), try.due/2)]
		for len(list) < try.due {
			d := g.drawn(v, try.Rand)
			if d.kind == "flip" && !cached(d.file) {
				list = append(list, d)
			}
		}
		return list
	})
}

// cached reports whether Open removes a file, so that damage to it has no effect.
func cached(file string) bool { return strings.HasPrefix(file, "heaps/images/") }

// TestNoCutIsSilent: files cut at every length, in random order, after they were
// extended, removed, doubled, exchanged and put back to what they were, and had some of
// their frames doubled or exchanged.
func TestNoCutIsSilent(t *testing.T) {
	tryAll(t, "F7", func(g *golden, v variant, try attempt) (list []damage) {
		for _, d := range append(g.planned(v, try.Rand), reordered(v)...) {
			if d.kind != "flip" && d.kind != "cut" && !cached(d.file) && try.first {
				list = append(list, d)
			}
		}
		whole := len(list)
		for _, name := range v.all.names() {
			if cached(name) {
				continue
			}
			for size := range int64(len(v.all[name])) {
				list = append(list, damage{"cut", name, "-", size, 0})
			}
		}
		cuts := list[whole:]
		try.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
		return list
	})
}

// reordered returns the damage of frames that come twice, or in another order.
func reordered(v variant) (list []damage) {
	for _, name := range v.all.names() {
		starts := frameStarts(v.all[name])
		for i := range max(0, len(starts)-1) {
			list = append(list, damage{"twice", name, "-", int64(i), 0},
				damage{"order", name, "-", int64(i), 0})
		}
	}
	return list
}
