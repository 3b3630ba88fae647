package guest_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// TestCounter: a count is kept in memory, over every number whose encoding is as
// long as none before; what is no number is rejected and changes nothing.
func TestCounter(t *testing.T) {
	t.Parallel()
	inEveryStyle(t, func(w *world) {
		c := w.root("counter")
		var count uint64
		for _, n := range []uint64{
			0, 1, 22, 24, 200, 255, 256, 65_000, 1 << 16, 1<<32 - 1, 1 << 32, math.MaxUint64 - 1<<33,
		} {
			count += n
			w.expect(fmt.Sprintf("[%d]", count), c, "incr", n)
		}
		w.expect(`rejected: ["want incr(n)"]`, c, "incr", "one")
		w.expect(`rejected: ["want incr(n)"]`, c, "incr", 1, 2)
		w.expect(`rejected: ["want incr(n)"]`, c, "incr", c)
		w.expect(`rejected: ["want read()"]`, c, "read", 1)
		w.expect(`rejected: ["no such method"]`, c, "reset")
		w.expect(fmt.Sprintf("[%d]", count), c, "read")
		empty := w.sendData(c, "read", kcap{}) // no body at all is no arguments
		w.run()
		if got := w.outcome(empty); got != fmt.Sprintf("[%d]", count) {
			t.Fatalf("%v: read without a body answered %s", w.style, got)
		}
	})
}

// TestPingpong: a ping goes to and fro as often as it says, and its answer comes
// back through every promise; so does a rejection.
func TestPingpong(t *testing.T) {
	t.Parallel()
	inEveryStyle(t, func(w *world) {
		a, b := w.root("pingpong"), w.root("pingpong")
		w.expect(`rejected: ["no peer"]`, a, "ping", 1)
		w.expect("[0]", a, "ping", 0)
		w.expect("[]", a, "peer", b)
		w.expect(`rejected: ["no peer"]`, a, "ping", 2)
		w.expect("[]", b, "peer", a)
		w.expect("[40]", a, "ping", 40)
		var promises []kref
		for n := range 8 { // several at a time
			promises = append(promises, w.send([]kref{a, b}[n%2], "ping", n))
		}
		w.run()
		for n, p := range promises {
			if got := w.outcome(p); got != fmt.Sprintf("[%d]", n) {
				t.Fatalf("%v: ping(%d) answered %s", w.style, n, got)
			}
		}
		c := w.root("counter") // no player
		w.expect("[]", b, "peer", c)
		w.expect(`rejected: ["no such method"]`, a, "ping", 2)
		w.expect(`rejected: ["want ping(n)"]`, a, "ping")
		w.expect(`rejected: ["want peer(object)"]`, a, "peer", promises[0])
	})
}

// TestVolley: in a ring, a volley makes one delivery for every step, in turn, and
// no promise.
func TestVolley(t *testing.T) {
	t.Parallel()
	inEveryStyle(t, func(w *world) {
		const players, steps = 5, 33
		var ring []kref
		for range players {
			ring = append(ring, w.root("pingpong"))
		}
		for i, p := range ring {
			w.expect("[]", p, "peer", ring[(i+1)%players])
		}
		w.expect(fmt.Sprintf("[%d]", steps), ring[0], "volley", steps)
		for i, p := range ring {
			played := steps/players + 1 // steps+1 deliveries in all
			if i > steps%players {
				played--
			}
			w.expect(fmt.Sprintf("[0 %d]", played), p, "read")
		}
		w.expect(`rejected: ["want volley(n)"]`, ring[0], "volley", true)
	})
}

// TestPingsUnderWayAreBounded: a player whose peer never answers takes as many
// pings as EXAMPLES.md says, rejects the next, and lives.
func TestPingsUnderWayAreBounded(t *testing.T) {
	t.Parallel()
	for _, s := range styles(t) {
		if s.restart {
			continue
		}
		w := newWorld(t, s)
		silent, player := w.root("puppet"), w.root("pingpong")
		w.expect("[]", player, "peer", silent)
		for range 256 {
			w.send(player, "ping", 1)
		}
		w.expect(`rejected: ["too many pings under way"]`, player, "ping", 1)
		w.expect("[257 0]", player, "read")
	}
}

// TestOverlongMessagesAreRejected: a message longer than a program's buffer is
// rejected by its result, whatever makes it long, and the vat lives. (A program in Go
// takes any length.)
func TestOverlongMessagesAreRejected(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"counter", "pingpong", "glutton", "mint", "purse", "sampler"} {
		w := newWorld(t, reference)
		params := map[string][]any{"mint": {"gold"}}[name]
		id, root := w.vat(name, params...)
		rng := rand.New(rand.NewPCG(1, 2))
		overlong := 0
		for _, size := range []int{0, 900, 1000, 1100, 2000, 4000, 5000, 70_000} {
			slots := rng.IntN(1000)
			data := kcap{Body: bytes.Repeat([]byte{0x80}, size)}
			for range slots {
				data.Slots = append(data.Slots, root)
			}
			promise := w.sendData(root, strings.Repeat("m", rng.IntN(1000)), data)
			w.run()
			switch got := w.outcome(promise); got {
			case `rejected: ["message too long"]`:
				overlong++
			case `rejected: ["no such method"]`, `rejected: ["the purse is not open"]`:
			default:
				t.Fatalf("%s: a message of %d bytes and %d slots was %s", name, size, slots, got)
			}
		}
		if overlong < 3 || len(w.ended) > 0 {
			t.Fatalf("%s: %d messages were too long, and the end of %v", name, overlong, w.ended)
		}
		if got := w.entry(id, -1).Outcome; !got.OK() {
			t.Fatalf("%s: %v", name, got)
		}
	}
}

// TestGluttonWritesWhatItIsTold: with every knob, the pages that a capture finds
// written are those that a touch writes, and few besides; rows and syscalls are as
// many as asked for.
func TestGluttonWritesWhatItIsTold(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	knobs := [][]any{ // heap, noise, dirty, syscalls, garbage, rows, value
		{0, 0, 0, 0, 0, 0, 0}, {1 << 20, 64, 10, 0, 0, 0, 0}, {1 << 20, 0, 0, 7, 0, 5, 100},
		{1 << 20, 4096, 256, 0, 0, 0, 0}, {300_000, 8, 1000, 1, 5000, 1, 1},
	}
	for range 4 {
		knobs = append(knobs, []any{
			rng.IntN(4 << 20), rng.IntN(512) * 8, rng.IntN(600), rng.IntN(20), rng.IntN(30_000),
			rng.IntN(10), rng.IntN(4097),
		})
	}
	for _, k := range knobs {
		w := newWorld(t, style{language: "c", restart: true})
		id, root := w.vat("glutton", k...)
		w.run()
		for range 3 {
			w.ask(root, "touch")
			pages := k[0].(int) / swing.PageBytes
			garbage := (k[4].(int) + 4095) / 4096
			want := min(k[2].(int), pages) + min(garbage+1, 16)*min(garbage, 1)
			const own = 4 // stack, state, buffers
			if got := w.vats[id].written; got < want-1 || got > want+own {
				t.Errorf("%v: %d pages were written, want %d and at most %d besides", k, got, want, own)
			}
			if x := w.entry(id, -1).Exchanges; len(x) != k[3].(int)+k[5].(int)+1 {
				t.Errorf("%v: %d syscalls", k, len(x))
			}
		}
		rows := 0
		for range w.vatstore(id) {
			rows++
		}
		if most := 3 * k[5].(int); rows > most || rows < most-most/4 {
			t.Errorf("%v: %d rows, want about %d", k, rows, most)
		}
		if held := int(w.vats[id].image.size); held < k[0].(int) {
			t.Errorf("%v: %d bytes of memory", k, held)
		}
	}
}

// vatstore returns a vat's keys and values, from the kernel's rows.
func (w *world) vatstore(id swing.VatID) map[string]string {
	rows, store := map[string]string{}, vatkeeper.New(id, w.b).Vatstore(0)
	for key, ok := store.Next(nil); ok; key, ok = store.Next(key) {
		value, _ := store.Get(key)
		rows[string(key)] = string(value)
	}
	return rows
}

// TestGlutton: the same knobs cost the same syscalls and give the same answers in
// every style; knobs are turned once, and not too far.
func TestGlutton(t *testing.T) {
	t.Parallel()
	inEveryStyle(t, func(w *world) {
		a := w.root("glutton", 1<<20, 256, 50, 3, 10_000, 4, 300)
		b := w.root("glutton")
		w.expect(`rejected: ["the knobs are not set"]`, b, "touch")
		w.expect(`rejected: ["a knob is turned too far"]`, b, "set", 0, 4097, 0, 0, 0, 0, 0)
		w.expect(`rejected: ["want set(heap, noise, dirty, syscalls, garbage, rows, value)"]`,
			b, "set", 1)
		w.ask(b, "set", 70_000, 9, 100, 1, 70_000, 1, 9)
		w.expect(`rejected: ["the knobs are set already"]`, b, "set", 0, 0, 0, 0, 0, 0, 0)
		for range 10 {
			if x, y := w.ask(a, "touch"), w.ask(b, "touch"); x == y {
				t.Fatalf("%v: both answered %s", w.style, x)
			}
		}
		w.expect(`rejected: ["want no arguments"]`, a, "touch", 1)
		w.expect(`rejected: ["no such method"]`, a, "eat")
	})
}

// TestGluttonBornWithoutMemoryDies: knobs that memory cannot satisfy are a failure
// at birth, and a rejection later.
func TestGluttonBornWithoutMemoryDies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, reference)
	w.root("glutton", 1<<30, 0, 0, 0, 0, 0, 0)
	w.run()
	if len(w.ended) != 1 || w.ended[0].Reason != "failed: memory cannot be had" {
		t.Fatalf("ended: %v", w.ended)
	}
	w.expect(`rejected: ["memory cannot be had"]`, w.root("glutton"), "set", 1<<30, 0, 0, 0, 0, 0, 0)
}

// TestPlantedLossIsCaught: a restart that loses one written page does not go unseen
// by the comparison that all tests here rest on.
func TestPlantedLossIsCaught(t *testing.T) {
	t.Parallel()
	scenario := func(w *world) {
		g := w.root("glutton", 1<<18, 64, 5, 2, 0, 1, 10)
		for range 10 {
			w.send(g, "touch")
		}
		w.run()
	}
	whole, lossy := newWorld(t, reference), newWorld(t, style{language: "c", restart: true, forget: 1})
	scenario(whole)
	scenario(lossy)
	if d := whole.history().differs(lossy.history(), true); d == "" {
		t.Fatal("a page was lost at every restart, and nobody noticed")
	}
}

// TestRandomMessages: programs that anybody may write to answer any message in
// every style alike, and none dies of it.
func TestRandomMessages(t *testing.T) {
	t.Parallel()
	seed := uint64(7)
	inEveryStyle(t, func(w *world) {
		rng := rand.New(rand.NewPCG(seed, 5))
		roots := []kref{
			w.root("counter"), w.root("pingpong"), w.root("glutton"), w.root("sampler"),
			w.root("mint", "gold"), w.root("purse"), w.root("book", "gold", "coal"),
		}
		roots = append(roots, w.root("trader", roots[6], roots[5], roots[5]))
		methods := []string{
			"incr", "read", "ping", "peer", "volley", "touch", "audit", "open", "withdraw", "deposit",
			"facet", "place", "tick", "cancel", "echo", "put", "get", "forget", "keys", "make",
			"promise", "settle", "pair", "watch", "now", "log", "", "ünïcode",
		}
		for range 150 {
			args := make([]any, rng.IntN(6))
			for i := range args {
				args[i] = randomValue(rng, roots)
			}
			w.send(roots[rng.IntN(len(roots))], methods[rng.IntN(len(methods))], args...)
			if rng.IntN(4) == 0 {
				w.run()
			}
		}
		w.run()
		if len(w.ended) > 0 {
			t.Fatalf("seed %d, %v: ended: %v", seed, w.style, w.ended)
		}
	})
}

func randomValue(rng *rand.Rand, refs []kref) any {
	text := strings.Repeat("x", rng.IntN(30))
	return []any{
		rng.IntN(5), rng.Uint64() >> rng.IntN(64), text, []byte(text), rng.IntN(2) == 0,
		refs[rng.IntN(len(refs))], []any{1, text}, "buy",
	}[rng.IntN(8)]
}

// TestSampler: every call of the kits does what it says, alike in every style.
func TestSampler(t *testing.T) {
	t.Parallel()
	inEveryStyle(t, func(w *world) {
		s := w.root("sampler")
		w.expect(`[300 "tëxt" 0x00ff true `+string(s)+`]`,
			s, "echo", 300, "tëxt", []byte{0, 255}, true, s)
		w.expect("[60]", s, "sum", 10, 20, 30)
		w.expect("[0]", s, "sum")
		w.expect(`rejected: ["want sum(n, ...)"]`, s, "sum", 10, "20")
		w.expect(`"plain" []`, s, "plain")
		w.expect("[]", s, "put", []byte("b"), []byte("two"))
		w.expect("[]", s, "put", []byte("a"), []byte{})
		w.expect("[]", s, "put", []byte("c"), bytes.Repeat([]byte{7}, 256))
		w.expect("[0x74776f]", s, "get", []byte("b"))
		w.expect("[0x]", s, "get", []byte("a"))
		w.expect("[]", s, "get", []byte("z"))
		w.expect("[0x61 0x62 0x63]", s, "keys")
		w.expect("[]", s, "forget", []byte("b"))
		w.expect("[]", s, "forget", []byte("b"))
		w.expect("[0x61 0x63]", s, "keys")
		one, two := w.reference(s, "make"), w.reference(s, "make")
		w.expect("[5]", one, "write", 5)
		w.expect("[0]", two, "read")
		w.expect("[5]", one, "read")
		w.setTime(1_234_567_890_000_000_000)
		w.expect("[1234567890000000000]", s, "now")
		w.expect("[]", s, "log", 1, "hello")
		if !slices.Contains(w.logs, "v1 1 hello") {
			t.Fatalf("%v: log %q", w.style, w.logs)
		}
	})
}

// TestSamplerPromises: promises that a vat makes, and watches, are settled as they
// should; those that are fulfilled with each other arrive together, and whoever
// passes them on in vain lives.
func TestSamplerPromises(t *testing.T) {
	t.Parallel()
	inEveryStyle(t, func(w *world) {
		a, b := w.root("sampler"), w.root("sampler")
		promised := func(method string) []kref {
			p := w.send(a, method)
			w.run()
			return w.settled[p].Data.Slots
		}
		first, second := promised("promise")[0], promised("promise")[0]
		var watched []kref
		for _, promise := range []kref{second, first, first} {
			watched = append(watched, w.send(b, "watch", promise))
		}
		w.expect("[]", a, "settle", false, "yes")
		w.expect("[]", a, "settle", true, "no")
		w.expect(`rejected: ["want settle(rejected, text), after promise()"]`, a, "settle", true, "no")
		for i, want := range []string{`rejected: ["no"]`, `["yes"]`, `["yes"]`} {
			if got := w.outcome(watched[i]); got != want {
				t.Fatalf("%v: watch %d gave %s, want %s", w.style, i, got, want)
			}
		}
		pair := promised("pair")
		w.expect(`rejected: ["the answer mentions a settled promise"]`, b, "watch", pair[0])
		w.expect(`rejected: ["want watch(promise)"]`, b, "watch", a)
		w.expect("[0]", w.reference(b, "make"), "read")
		if len(w.ended) > 0 {
			t.Fatalf("%v: ended: %v", w.style, w.ended)
		}
	})
}

// TestSamplerEnds: a vat that fails, or exits, ends, and its reason is told; its
// promises are rejected, or not, as its delivery took effect or not.
func TestSamplerEnds(t *testing.T) {
	t.Parallel()
	const gone = `rejected: "#{\"#error\":\"vat terminated\",\"name\":\"Error\"}" []`
	inEveryStyle(t, func(w *world) {
		fails, leaves, crashes := w.root("sampler"), w.root("sampler"), w.root("sampler")
		w.expect(gone, fails, "fail")
		w.expect("[]", leaves, "exit", false)
		w.expect(gone, crashes, "exit", true)
		var reasons []string
		for _, e := range w.ended {
			reasons = append(reasons, fmt.Sprintf("%s %v %s", e.Vat, e.Failure, e.Reason))
		}
		want := []string{
			"v1 true failed: asked to", "v2 false exited",
			"v3 true exited: 0x816861736b656420746f", // ["asked to"]
		}
		if !slices.Equal(reasons, want) {
			t.Fatalf("%v: %q, want %q", w.style, reasons, want)
		}
	})
}
