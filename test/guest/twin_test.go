package guest_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/swing"
)

// twinGlutton is a glutton with nothing but arithmetic.
type twinGlutton struct {
	knobs   [7]int // heap, noise, dirty, syscalls, garbage, rows, value
	memory  []byte
	cursor  uint32
	state   uint64
	touches int
	rows    map[string]string
}

func newTwinGlutton(knobs [7]int) *twinGlutton {
	g := &twinGlutton{knobs: knobs, state: 1, rows: map[string]string{}}
	g.memory = make([]byte, knobs[0]/4096*4096)
	for p := 0; p < len(g.memory); p += 4096 {
		copy(g.memory[p:], g.noise(knobs[1]))
	}
	return g
}

func (g *twinGlutton) random() uint64 {
	g.state = g.state*6364136223846793005 + 1442695040888963407
	return g.state
}

// noise returns n bytes, random in whole words.
func (g *twinGlutton) noise(n int) []byte {
	b := make([]byte, 0, n+8)
	for range n / 8 {
		b = binary.LittleEndian.AppendUint64(b, g.random())
	}
	return append(b, make([]byte, n%8)...)
}

func (g *twinGlutton) key() string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(g.random()>>32%1024)))
}

func (g *twinGlutton) touch(t *testing.T) {
	g.touches++
	pages := uint32(len(g.memory) / 4096)
	written := map[uint32]bool{}
	for len(written) < min(g.knobs[2], int(pages)) {
		g.cursor = g.cursor*1664525 + 1013904223
		for period := uint32(1 << 31); period >= 1; period /= 2 {
			if period/2 < pages && (period >= pages || period == 1) {
				g.cursor %= period
				break
			}
		}
		if g.cursor >= pages {
			continue
		}
		if written[g.cursor] {
			t.Fatalf("knobs %v: page %d is written twice", g.knobs, g.cursor)
		}
		written[g.cursor] = true
		word := g.memory[int(g.cursor)*4096+int(g.random()%512)*8:]
		binary.LittleEndian.PutUint64(word, binary.LittleEndian.Uint64(word)+1)
	}
	for range g.knobs[3] {
		g.key()
	}
	for range g.knobs[5] {
		value := string(g.noise(g.knobs[6]))
		g.rows[g.key()] = value
	}
}

// TestGluttonIsItsTwin: memory, rows and answers of a glutton are those of its twin,
// byte for byte, whatever the knobs.
func TestGluttonIsItsTwin(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 9))
		knobs := [7]int{
			rng.IntN(1 << 20), rng.IntN(600), rng.IntN(300), rng.IntN(9), rng.IntN(9000), rng.IntN(9),
			rng.IntN(99),
		}
		var params []any
		for _, k := range knobs {
			params = append(params, k)
		}
		w := newWorld(t, style{language: "c", restart: seed%2 == 0})
		id, root := w.vat("glutton", params...)
		w.run()
		twin := newTwinGlutton(knobs)
		for range 4 {
			twin.touch(t)
			w.expect(fmt.Sprintf("[%d %d %d]", twin.touches, len(twin.memory)/4096, twin.state>>1),
				root, "touch")
		}
		memory, _ := w.memory(w.vats[id])
		if !bytes.HasSuffix(memory[:heapStart+len(twin.memory)], twin.memory) {
			t.Fatalf("seed %d: knobs %v: memory differs", seed, knobs)
		}
		if rows := w.vatstore(id); !maps.Equal(rows, twin.rows) {
			t.Fatalf("seed %d: knobs %v: %d rows, want %d", seed, knobs, len(rows), len(twin.rows))
		}
	}
}

// heapStart is where a glutton in C has its pages: behind its one page of WASM and the
// ring of garbage.
const heapStart = 64<<10 + 64<<10

// TestVatstoreIsItsTwin: random writes, reads, deletions and walks of a sampler's
// vatstore do what a map does, through the calls of both kits.
func TestVatstoreIsItsTwin(t *testing.T) {
	t.Parallel()
	const seed = 21
	inEveryStyle(t, func(w *world) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := w.root("sampler")
		twin := map[string]string{}
		for range 120 {
			key := []byte(strings.Repeat("k", rng.IntN(2)) + string(rune('a'+rng.IntN(12))))
			switch rng.IntN(4) {
			case 0, 1:
				value := bytes.Repeat([]byte{byte(rng.IntN(256))}, []int{0, 1, 23, 24, 255, 256}[rng.IntN(6)])
				twin[string(key)] = string(value)
				w.expect("[]", s, "put", key, value)
			case 2:
				delete(twin, string(key))
				w.expect("[]", s, "forget", key)
			case 3:
				want := "[]"
				if value, ok := twin[string(key)]; ok {
					want = fmt.Sprintf("[0x%x]", value)
				}
				w.expect(want, s, "get", key)
			}
			keys := slices.Sorted(maps.Keys(twin))
			var shown []string
			for _, key := range keys[:min(8, len(keys))] {
				shown = append(shown, fmt.Sprintf("0x%x", key))
			}
			w.expect("["+strings.Join(shown, " ")+"]", s, "keys")
		}
	})
}

// TestValuesRoundTrip: values of every kind and of every length of head come back
// from a vat as they were sent, through the readers and writers of both kits.
func TestValuesRoundTrip(t *testing.T) {
	t.Parallel()
	const seed = 22
	inEveryStyle(t, func(w *world) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := w.root("sampler")
		lengths := []int{0, 1, 22, 23, 24, 25, 100, 200}
		for n := range 66 {
			number := uint64(1)<<n - uint64(rng.IntN(2))
			text := strings.Repeat("ü", lengths[rng.IntN(len(lengths))]/2)
			blob := bytes.Repeat([]byte{byte(n)}, lengths[rng.IntN(len(lengths))])
			args := list[kref](number, text, blob, rng.IntN(2) == 0, s)
			promise := w.sendData(s, "echo", args)
			w.run()
			got := w.settled[promise]
			if !bytes.Equal(got.Data.Body, args.Body) || !slices.Equal(got.Data.Slots, args.Slots) {
				t.Fatalf("seed %d, %v: sent %s, got %s", seed, w.style, show(args), w.outcome(promise))
			}
		}
	})
}

// FuzzScript: a puppet that makes any syscalls at all, of any bytes, harms nobody but
// itself: the kernel's state stands up to its recount, and others live on.
func FuzzScript(f *testing.F) {
	add := func(steps ...any) {
		c := list[kref](steps...)
		f.Add(c.Body)
	}
	add(sends("o-50", "incr", "p+1", 4), subscribes("p+1"))
	add(resolves("p-60", list[vref](vref("p+1"))), stores(swing.OpVatstoreSet, "k", 1))
	add(sends("o-50", "incr", "", vref("o+7")), exits(true))
	add(raw(5), raw(1, 0x85))
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 4096 || bytes.Contains(script, []byte("fill")) {
			return // it may write over itself, and then anything goes, for very long
		}
		w := newWorldWith(t, reference, small)
		counter := w.root("counter")
		h := newHands(w)
		h.give(counter)
		w.send(h.root, "take")
		if _, err := w.k.Send(w.b, h.root,
			swing.Message[kref]{Method: "do", Args: kcap{Body: script}}, false); err != nil {
			return // beyond the limits
		}
		w.run()
		w.check()
		for _, e := range w.ended {
			if e.Vat != h.id {
				t.Fatalf("ended: %v", e)
			}
		}
		if got := w.ask(counter, "read"); strings.Contains(got, "rejected") {
			t.Fatalf("the counter answers %s", got)
		}
	})
}
