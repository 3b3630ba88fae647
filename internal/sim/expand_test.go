package sim

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"vatwarehouse/swing"
)

// twinDraw draws numbers below n in the plainest way: whole numbers of any size.
type twinDraw struct{ pcg *rand.PCG }

func newTwinDraw(seed, section string, n uint64) *twinDraw {
	h := swing.Sum("vatwarehouse scenario draw", []byte(seed), []byte(section),
		binary.BigEndian.AppendUint64(nil, n))
	return &twinDraw{rand.NewPCG(binary.BigEndian.Uint64(h[:]), binary.BigEndian.Uint64(h[8:]))}
}

func (d *twinDraw) below(n uint64) uint64 {
	two64 := new(big.Int).Lsh(big.NewInt(1), 64)
	of := new(big.Int).SetUint64(n)
	biased := new(big.Int).Mod(two64, of)
	for {
		product := new(big.Int).Mul(new(big.Int).SetUint64(d.pcg.Uint64()), of)
		high, low := new(big.Int).DivMod(product, two64, new(big.Int))
		if low.Cmp(biased) >= 0 {
			return high.Uint64()
		}
	}
}

// ref is a reference to a vat, in a twin's message.
type ref string

// twinScope is what a twin's value is worked out in.
type twinScope struct {
	i, count int
	n, cycle uint64
	peer     ref
	d        *twinDraw
}

// piece is a value twice: as a scenario has it, and as what it stands for.
type piece struct {
	yaml string
	eval func(sc *twinScope) []any
}

// maker makes random scenarios, and knows what they mean.
type maker struct {
	rng    *rand.Rand
	groups []twinGroup
	yaml   strings.Builder
}

type twinGroup struct {
	name  string
	count int
	args  []piece
}

func (g twinGroup) vats() (names []ref) {
	if g.count == 1 {
		return []ref{ref(g.name)}
	}
	for i := range g.count {
		names = append(names, ref(fmt.Sprintf("%s.%d", g.name, i)))
	}
	return names
}

func one(v any) func(*twinScope) []any { return func(*twinScope) []any { return []any{v} } }

// index makes an index of a group, as text and as a function.
func (m *maker) index(variables string, count int) (string, func(*twinScope) int) {
	var f func(*twinScope) int
	text := ""
	switch {
	case variables == "" || m.rng.IntN(4) == 0:
		k := m.rng.IntN(count)
		return fmt.Sprint(k), func(*twinScope) int { return k }
	case strings.Contains(variables, "n") && m.rng.IntN(2) == 0:
		text, f = "$n", func(sc *twinScope) int { return int(sc.n) }
	case m.rng.IntN(3) == 0:
		text, f = "$count", func(sc *twinScope) int { return sc.count }
	default:
		text, f = "$i", func(sc *twinScope) int { return sc.i }
	}
	if k := m.rng.IntN(30) - 15; k != 0 {
		return fmt.Sprintf("%s%+d", text, k), func(sc *twinScope) int { return f(sc) + k }
	}
	return text, f
}

// wrap is a index of a list that goes around.
func wrap(i, count int) int {
	for ; i < 0; i += count {
	}
	return i % count
}

// some makes a name of vats: of one if single.
func (m *maker) some(variables string, single bool) (string, func(*twinScope) []ref) {
	g := m.groups[m.rng.IntN(len(m.groups))]
	all := g.vats()
	if g.count == 1 && m.rng.IntN(2) == 0 || !single && m.rng.IntN(3) == 0 {
		return g.name, func(*twinScope) []ref { return all }
	}
	text, at := m.index(variables, g.count)
	if single || m.rng.IntN(2) == 0 {
		return g.name + "." + text, func(sc *twinScope) []ref {
			return []ref{all[wrap(at(sc), g.count)]}
		}
	}
	k := 1 + m.rng.IntN(5)
	return fmt.Sprintf("%s.%s%%%d", g.name, text, k), func(sc *twinScope) (some []ref) {
		for j, name := range all {
			if j%k == wrap(at(sc), k) {
				some = append(some, name)
			}
		}
		return some
	}
}

func (m *maker) values(n int, variables string, splice bool, depth int) (vs []piece) {
	for range n {
		vs = append(vs, m.value(variables, splice, depth))
	}
	return vs
}

func list(vs []piece) string {
	var items []string
	for _, v := range vs {
		items = append(items, v.yaml)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func evalAll(vs []piece, sc *twinScope) []any {
	out := []any{}
	for _, v := range vs {
		out = append(out, v.eval(sc)...)
	}
	return out
}

func (m *maker) value(variables string, splice bool, depth int) piece {
	kind := m.rng.IntN(13)
	switch {
	case kind < 8 && depth > 2, kind < 2:
		n := m.rng.Uint64() >> m.rng.IntN(64)
		return piece{fmt.Sprint(n), one(n)}
	case kind == 2:
		items := m.values(m.rng.IntN(4), variables, true, depth+1)
		return piece{list(items), func(sc *twinScope) []any { return []any{evalAll(items, sc)} }}
	case kind == 3:
		items := m.values(1+m.rng.IntN(3), variables, false, depth+1)
		return piece{"{pick: " + list(items) + "}", func(sc *twinScope) []any {
			return items[sc.d.below(uint64(len(items)))].eval(sc)
		}}
	case kind == 4:
		items := m.values(1+m.rng.IntN(3), variables, false, depth+1)
		return piece{"{cycle: " + list(items) + "}", func(sc *twinScope) []any {
			return items[sc.cycle%uint64(len(items))].eval(sc)
		}}
	case kind == 5 && len(m.groups) > 0:
		text, f := m.some(variables, true)
		return piece{"{ref: " + text + "}", func(sc *twinScope) []any { return []any{f(sc)[0]} }}
	case kind == 6 && len(m.groups) > 0 && splice:
		return m.each(variables, depth)
	case kind == 7 && strings.Contains(variables, "p"):
		return piece{"{ref: $peer}", func(sc *twinScope) []any { return []any{sc.peer} }}
	}
	return m.plain(kind, variables)
}

func (m *maker) each(variables string, depth int) piece {
	text, f := m.some(variables, false)
	items := m.values(m.rng.IntN(3), variables, false, depth+1)
	yaml := "{each: " + text + "}"
	if len(items) > 0 {
		yaml = "{each: " + text + ", then: " + list(items) + "}"
	}
	return piece{yaml, func(sc *twinScope) (out []any) {
		for _, name := range f(sc) {
			out = append(append(out, name), evalAll(items, sc)...)
		}
		return out
	}}
}

func (m *maker) plain(kind int, variables string) piece {
	switch {
	case kind == 8:
		lo := m.rng.Uint64() >> (1 + m.rng.IntN(63))
		hi := lo + m.rng.Uint64()>>(1+m.rng.IntN(63))
		return piece{fmt.Sprintf("{between: [%d, %d]}", lo, hi), func(sc *twinScope) []any {
			return []any{lo + sc.d.below(hi-lo+1)}
		}}
	case kind == 9:
		return piece{"{hex: 0aff}", one([]byte{0x0a, 0xff})}
	case kind == 10:
		return piece{"true", one(true)}
	case kind == 11 && strings.Contains(variables, "n"):
		return piece{"$n+3", func(sc *twinScope) []any { return []any{sc.n + 3} }}
	case kind >= 11 && variables != "":
		return piece{"$i", func(sc *twinScope) []any { return []any{uint64(sc.i)} }}
	}
	return piece{`"$$é x"`, one("$é x")}
}

// decoded returns a message's body with the names of vats where references are.
func decoded(t *testing.T, s *Scenario, m *message) any {
	t.Helper()
	v, err := decodeBody(m.body)
	if err != nil {
		t.Fatalf("body %x: %v", m.body, err)
	}
	slots := m.slots
	var name func(v any) any
	name = func(v any) any {
		switch v := v.(type) {
		case nil:
			vat := s.members[slots[0]]
			slots = slots[1:]
			return ref(vat.group.vatName(vat.index))
		case []any:
			for i := range v {
				v[i] = name(v[i])
			}
		}
		return v
	}
	v = name(v)
	if len(slots) > 0 {
		t.Fatalf("%d slots left over", len(slots))
	}
	return v
}

// scenario makes groups, and one entry of setup and of the workload.
func (m *maker) scenario() (setup, work []piece, to []ref, pattern string) {
	fmt.Fprintf(&m.yaml, "about: made\nseed: made\nvats:\n")
	for g := range 1 + m.rng.IntN(4) {
		group := twinGroup{name: fmt.Sprintf("g%d", g), count: 1 + m.rng.IntN(5)}
		if m.rng.IntN(8) == 0 {
			group.count = 40
		}
		group.args = m.values(m.rng.IntN(5), "ic", true, 0)
		fmt.Fprintf(&m.yaml, "  - {name: %s, program: counter, count: %d, args: %s}\n",
			group.name, group.count, list(group.args))
		m.groups = append(m.groups, group)
	}
	var names []string
	for range 1 + m.rng.IntN(2) {
		text, f := m.some("", false)
		names, to = append(names, text), append(to, f(nil)...)
	}
	pattern = []string{"round-robin", "random", "zipf", "pairs", "fan-out"}[m.rng.IntN(5)]
	variables := "icn"
	if pattern == "pairs" {
		variables = "icnp"
	}
	if len(to) < 2 {
		pattern = "random"
		variables = "icn"
	}
	setup = m.values(m.rng.IntN(5), "ic", true, 0)
	work = m.values(m.rng.IntN(5), variables, true, 0)
	target := strings.Join(names, ", ")
	fmt.Fprintf(&m.yaml, "setup:\n  - {to: [%s], method: a, args: %s}\n", target, list(setup))
	fmt.Fprintf(&m.yaml, "workload:\n  - {to: [%s], method: b, pattern: %s, args: %s}\n",
		target, pattern, list(work))
	fmt.Fprintf(&m.yaml, "length: {messages: 1}\n")
	return setup, work, to, pattern
}

// twinAim says which vat gets message n, and which is its peer.
func twinAim(pattern string, to []ref, n uint64, d *twinDraw) (target, peer ref) {
	count := uint64(len(to))
	switch pattern {
	case "random":
		return to[d.below(count)], ""
	case "pairs":
		a := d.below(count)
		rest := append(append([]ref{}, to[:a]...), to[a+1:]...)
		return to[a], rest[d.below(count-1)]
	case "zipf":
		var sums []uint64
		total := uint64(0)
		for k := range to {
			total += (1 << 32) / uint64(k+1)
			sums = append(sums, total)
		}
		at := d.below(total)
		for k := range to {
			if at < sums[k] {
				return to[k], ""
			}
		}
	}
	return to[n%count], ""
}

// TestExpansionAgainstTwin: random scenarios are loaded, and every message made of
// them is what a dumb twin, built beside the text, says: target, values, and the
// references in them by name.
func TestExpansionAgainstTwin(t *testing.T) {
	t.Parallel()
	rounds := uint64(400)
	if testing.Short() {
		rounds = 50
	}
	for seed := range rounds {
		m := &maker{rng: rand.New(rand.NewPCG(seed, 5))}
		setup, work, to, pattern := m.scenario()
		s, err := Parse("made.yaml", []byte(m.yaml.String()))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, m.yaml.String())
		}
		place := map[ref]twinScope{}
		for _, g := range m.groups {
			for i, name := range g.vats() {
				place[name] = twinScope{i: i, count: g.count, cycle: uint64(i)}
			}
		}
		equal := func(what string, got *message, target ref, want []any) {
			t.Helper()
			vat := s.members[got.target]
			if name := ref(vat.group.vatName(vat.index)); name != target {
				t.Fatalf("seed %d, %s: to %s, want %s\n%s", seed, what, name, target, m.yaml.String())
			}
			if v := decoded(t, s, got); !reflect.DeepEqual(v, any(want)) {
				t.Fatalf("seed %d, %s:\ngot  %v\nwant %v\n%s", seed, what, v, want, m.yaml.String())
			}
		}
		var msg message
		sc := &scope{draw: new(draw)}
		next := 0
		for _, g := range m.groups {
			for i, name := range g.vats() {
				s.fillStart(&msg, sc, next)
				at := place[name]
				at.d = newTwinDraw("made", "vats."+g.name, uint64(i))
				equal("start of "+string(name), &msg, name, evalAll(g.args, &at))
				next++
			}
		}
		for i, name := range to {
			s.fillSetup(&msg, sc, 0, i)
			at := place[name]
			at.d = newTwinDraw("made", "setup.0", uint64(i))
			equal("setup", &msg, name, evalAll(setup, &at))
		}
		for n := range uint64(3*len(to) + 2) {
			s.fillWork(&msg, sc, &s.workload[0], n)
			drawn := n
			if pattern == "fan-out" {
				drawn = n / uint64(len(to))
			}
			d := newTwinDraw("made", "workload.0", drawn)
			target, peer := twinAim(pattern, to, n, d)
			at := place[target]
			at.n, at.cycle, at.peer, at.d = n, drawn, peer, d
			equal(fmt.Sprintf("message %d", n), &msg, target, evalAll(work, &at))
		}
	}
}

// TestTwinSeesPlantedFaults: the comparison above would see a wrong index, a
// reference to the wrong vat, and a draw out of order.
func TestTwinSeesPlantedFaults(t *testing.T) {
	t.Parallel()
	text := "about: a\nseed: made\nvats:\n  - {name: a, program: counter, count: 3}\n" +
		"  - {name: b, program: counter, count: 3, args: [{ref: a.$i}, {between: [0, 1000]}, $i]}\n"
	s, err := Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var m message
	sc := &scope{draw: new(draw)}
	s.fillStart(&m, sc, 4) // b.1
	want := func(name ref, skip int, i uint64) []any {
		d := newTwinDraw("made", "vats.b", 1)
		for range skip {
			d.below(1001)
		}
		return []any{name, d.below(1001), i}
	}
	if got := decoded(t, s, &m); !reflect.DeepEqual(got, any(want("a.1", 0, 1))) {
		t.Fatalf("got %v, want %v", got, want("a.1", 0, 1))
	}
	for _, planted := range [][]any{want("a.2", 0, 1), want("a.1", 1, 1), want("a.1", 0, 2)} {
		if got := decoded(t, s, &m); reflect.DeepEqual(got, any(planted)) {
			t.Errorf("%v passes", planted)
		}
	}
}

// TestDrawsAreTheSameEverywhere: numbers drawn once, and held for ever: another
// machine, or another version of Go, must draw the same.
func TestDrawsAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	var d draw
	d.seed("golden", "workload.0", 7)
	got := []uint64{d.below(10), d.below(1000), d.below(1 << 40), d.below(1<<64 - 1), d.below(3)}
	d.seed("golden", "workload.0", 8)
	got = append(got, d.below(1000), uint64(newZipf(1000).rank(&d)))
	want := []uint64{4, 504, 873177982051, 15271431442923399163, 2, 239, 0}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestDrawsAreFair: each of a few numbers is drawn as often as any other, within
// five standard deviations; 2^63+1 is where a biased way would show at once.
func TestDrawsAreFair(t *testing.T) {
	t.Parallel()
	const draws = 60_000
	var d draw
	d.seed("fair", "x", 0)
	for _, n := range []uint64{2, 3, 7} {
		counts := make([]int, n)
		for range draws {
			counts[d.below(n)]++
		}
		for k, c := range counts {
			if near(c, draws, 1/float64(n)) {
				continue
			}
			t.Errorf("%d of %d draws below %d are %d", c, draws, n, k)
		}
	}
	low := 0
	for range draws {
		if d.below(1<<63+1) < 1<<62 {
			low++
		}
	}
	if !near(low, draws, 0.5) {
		t.Errorf("%d of %d draws are in the lower half", low, draws)
	}
}

// near reports whether c of n events of probability p is within five standard
// deviations.
func near(c, n int, p float64) bool {
	off := float64(c) - p*float64(n)
	return off*off < 25*p*(1-p)*float64(n)
}

// TestZipfInProportion: the k-th of the ranks is drawn 1/k times as often as the
// first, within five standard deviations. A planted fault, weights all the same,
// must not pass.
func TestZipfInProportion(t *testing.T) {
	t.Parallel()
	const ranks, draws = 50, 200_000
	harmonic := 0.0
	for k := 1; k <= ranks; k++ {
		harmonic += 1 / float64(k)
	}
	off := func(z zipf) (wrong int) {
		var d draw
		d.seed("zipf", "x", 0)
		counts := make([]int, ranks)
		for range draws {
			counts[z.rank(&d)]++
		}
		for k, c := range counts {
			if !near(c, draws, 1/(float64(k+1)*harmonic)) {
				wrong++
			}
		}
		return wrong
	}
	if n := off(newZipf(ranks)); n > 0 {
		t.Errorf("%d of %d ranks are out of proportion", n, ranks)
	}
	flat := zipf{}
	for k := range ranks {
		flat.sums = append(flat.sums, uint64(k+1)<<32)
	}
	if off(flat) < ranks/2 {
		t.Error("equal weights pass for Zipf's")
	}
}

// BenchmarkMessages makes messages of the exchange: what the driver costs beside
// the kernel.
func BenchmarkMessages(b *testing.B) {
	s, err := Builtin("exchange")
	if err != nil {
		b.Fatal(err)
	}
	var m message
	sc := &scope{draw: new(draw)}
	n := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		s.fillWork(&m, sc, &s.workload[0], n)
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
}
