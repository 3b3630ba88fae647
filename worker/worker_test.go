package worker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/worker"
	"vatwarehouse/worker/instrument"
)

// script draws orders that leave the probe alive.
func script(rng *rand.Rand, n int) (orders []order) {
	size := uint32(2 << 16)
	for range n {
		addr := 4096 + rng.Uint32N(size-64<<10)
		switch op := []uint32{0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 13, 15, 16, 17}[rng.IntN(14)]; op {
		case 2:
			pages := rng.Uint32N(3)
			orders = append(orders, order{op, pages, 0, 0})
			if size+pages<<16 <= 64<<16 {
				size += pages << 16
			}
		case 4:
			orders = append(orders, order{op, rng.Uint32N(9), addr, rng.Uint32N(100)})
		case 6, 7:
			if rng.IntN(4) > 0 {
				op = 7 - op + 6 // mostly the other
			}
			if op == 7 && slices.ContainsFunc(orders, func(o order) bool { return o.op == 6 }) {
				op = 6 // initialising from a dropped segment traps
			}
			orders = append(orders, order{op, addr, rng.Uint32N(14), 0})
		case 10:
			orders = append(orders, order{op, rng.Uint32N(1 << 30), 0, 0})
		case 15:
			orders = append(orders, order{op, 1 + rng.Uint32N(10), addr, 4096})
		case 16:
			orders = append(orders, order{op, rng.Uint32N(500), 0, 0})
		default:
			orders = append(orders, order{op, addr, rng.Uint32N(64), rng.Uint32N(64)})
		}
	}
	return orders
}

// TestCaptureAndStartAnywhere: in every setup, a worker that is captured,
// thrown away and started anew, or rebased, at random ends with the heap, byte
// for byte, of one that ran undisturbed in the compiler; and so do its syscalls.
func TestCaptureAndStartAnywhere(t *testing.T) {
	seeds := uint64(12)
	if testing.Short() {
		seeds = 2
	}
	twin := newStand(t, setups()[0], "probe.wasm")
	for _, s := range setups() {
		t.Run(s.String(), func(t *testing.T) {
			stand := newStand(t, s, "probe.wasm")
			for seed := range seeds {
				rng := rand.New(rand.NewPCG(seed, 1))
				orders := script(rng, 60)
				want, wantHeard := undisturbed(twin, orders)
				got, heard := disturbed(stand, rng, orders)
				if d := same(want, got); d != "" {
					t.Fatalf("seed %d: %s", seed, d)
				}
				if !slices.Equal(wantHeard, heard) {
					t.Fatalf("seed %d: syscalls %v, want %v", seed, heard, wantHeard)
				}
			}
		})
	}
}

func undisturbed(s *stand, orders []order) (state, []string) {
	base := s.genesis()
	w, _ := s.start(base)
	defer s.close(w)
	var heard []string
	for i, o := range orders {
		out, h := s.deliver(w, o)
		if !out.OK() {
			s.t.Fatalf("order %d (%v): %v", i, o, out)
		}
		heard = append(heard, h...)
	}
	return s.capture(w, base.memory), heard
}

func disturbed(s *stand, rng *rand.Rand, orders []order) (state, []string) {
	base := s.genesis()
	w, img := s.start(base)
	var heard []string
	for _, o := range orders {
		_, h := s.deliver(w, o)
		heard = append(heard, h...)
		switch rng.IntN(6) {
		case 0: // thrown away and started anew
			base = s.capture(w, base.memory)
			s.close(w)
			w, img = s.start(base)
		case 1: // rebased on a new image
			base = s.capture(w, base.memory)
			img = s.image(base.memory)
			if err := w.Rebase(img); err != nil {
				s.t.Fatal(err)
			}
		case 2: // rebased on its own image, written in place
			base = s.capture(w, base.memory)
			f, ok := img.(*fileImage)
			if !ok || s.setup.Memory == worker.MemoryCopied {
				continue
			}
			if _, err := f.WriteAt(base.memory, 0); err != nil {
				s.t.Fatal(err)
			}
			f.size = int64(len(base.memory))
			if err := w.Rebase(f); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	defer s.close(w)
	return s.capture(w, base.memory), heard
}

// TestDroppedSegmentsStayDropped: initialising memory from a passive segment works after
// a restart, and traps after one if the program had dropped it before.
func TestDroppedSegmentsStayDropped(t *testing.T) {
	for _, s := range setups() {
		stand := newStand(t, s, "probe.wasm")
		for first, want := range map[uint32]swing.Status{7: swing.StatusOK, 6: swing.StatusTrapped} {
			base := stand.genesis()
			w, _ := stand.start(base)
			stand.deliver(w, order{first, 8192, 5, 0})
			base = stand.capture(w, base.memory)
			stand.close(w)
			w, _ = stand.start(base)
			if out, _ := stand.deliver(w, order{7, 8192, 5, 0}); out.Status != want {
				t.Errorf("%v: after order %d: %v, want %v", s, first, out, want)
			}
			stand.close(w)
		}
	}
}

// TestForgottenGlobalIsSeen: the comparison above would notice a global, a
// dropped segment or a page that was not brought back.
func TestForgottenGlobalIsSeen(t *testing.T) {
	s := newStand(t, setups()[0], "probe.wasm")
	orders := []order{{op: 1, a: 5000, b: 7}, {op: 5, a: 3}, {op: 6}, {op: 8, a: 6000, b: 8}}
	want, _ := undisturbed(s, append(orders, order{op: 1, a: 9000, b: 1}))
	plant := map[string]func(*state){
		"nothing":  func(*state) {},
		"a global": func(st *state) { st.heap.Globals[0]++ },
		"a lane":   func(st *state) { st.heap.Globals[4]++ },
		"a flag":   func(st *state) { st.heap.Globals[len(st.heap.Globals)-1] = 0 },
		"a page":   func(st *state) { clear(st.memory[4096:8192]) },
		"random":   func(st *state) { st.heap.Random = 0 },
		"clock":    func(st *state) { st.heap.Clock++ },
	}
	for name, fault := range plant {
		base := s.genesis()
		w, _ := s.start(base)
		for _, o := range orders {
			s.deliver(w, o)
		}
		base = s.capture(w, base.memory)
		s.close(w)
		fault(&base)
		w, _ = s.start(base)
		s.deliver(w, order{op: 1, a: 9000, b: 1})
		got := s.capture(w, base.memory)
		s.close(w)
		if seen := same(want, got) != ""; seen != (name != "nothing") {
			t.Errorf("%s forgotten: seen %v", name, seen)
		}
	}
}

// TestOutcomes: each way to end has its status and text, the same in both
// engines; the text holds nothing of the engine's.
func TestOutcomes(t *testing.T) {
	rows := []struct {
		name string
		o    order
		want swing.Outcome
	}{
		{"ok", order{op: 0}, swing.Outcome{Status: swing.StatusOK}},
		{"unreachable", order{op: 3}, swing.Outcome{Status: swing.StatusTrapped, Problem: "unreachable"}},
		{"store", order{op: 1, a: 1 << 30},
			swing.Outcome{Status: swing.StatusTrapped, Problem: "out of bounds memory access"}},
		{"divide", order{op: 11},
			swing.Outcome{Status: swing.StatusTrapped, Problem: "integer divide by zero"}},
		{"output", order{op: 12, a: 256, b: 4, c: 1},
			swing.Outcome{Status: swing.StatusFailed, Problem: "born"}},
		{"output not UTF-8", order{op: 12, a: 512 + 4, b: 1, c: 1},
			swing.Outcome{Status: swing.StatusFailed, Problem: "\x04"}},
		{"exit", order{op: 14, a: 3}, swing.Outcome{Status: swing.StatusTrapped, Problem: "exit code 3"}},
		{"ended by the Syscaller", order{op: 4, a: 99}, swing.Outcome{Status: swing.StatusIllegal}},
		{"request out of bounds", order{op: 4, a: 1, b: 1 << 31, c: 10},
			swing.Outcome{Status: swing.StatusTrapped, Problem: "out of bounds memory access"}},
		{"request wraps", order{op: 4, a: 1, b: 0xffffffff, c: 0xffffffff},
			swing.Outcome{Status: swing.StatusTrapped, Problem: "out of bounds memory access"}},
		{"random out of bounds", order{op: 8, a: 1 << 31, b: 1},
			swing.Outcome{Status: swing.StatusTrapped, Problem: "out of bounds memory access"}},
		{"log out of bounds", order{op: 13, a: 100, b: 1 << 31},
			swing.Outcome{Status: swing.StatusTrapped, Problem: "out of bounds memory access"}},
	}
	used := map[string][]uint64{}
	for _, s := range []setup{setups()[0], setups()[5]} {
		stand := newStand(t, s, "probe.wasm")
		for _, r := range rows {
			w, _ := stand.start(stand.genesis())
			out, _ := stand.deliver(w, r.o)
			used[r.name] = append(used[r.name], out.Fuel)
			if out.Fuel = 0; out != r.want {
				t.Errorf("%v: %s: %+v, want %+v", s, r.name, out, r.want)
			}
			stand.close(w)
		}
	}
	for name, fuel := range used {
		if fuel[0] == 0 || fuel[0] != fuel[1] {
			t.Errorf("%s used %d units of fuel", name, fuel)
		}
	}
}

// TestPrologueRunsOnce: the start function and _initialize run in the first
// delivery, over the data segments, and never after a restart.
func TestPrologueRunsOnce(t *testing.T) {
	s := newStand(t, setups()[0], "probe.wasm")
	base := s.genesis()
	if got := string(base.memory[256:271]); got != "born witOVERLAP" {
		t.Errorf("born with %q", got)
	}
	for i := range 3 {
		w, _ := s.start(base)
		s.deliver(w, order{op: 0})
		base = s.capture(w, base.memory)
		s.close(w)
		started := binary.LittleEndian.Uint32(base.memory[304:])
		if string(base.memory[300:304]) != "born" || started != 1 || base.heap.Globals[5] != 11 {
			t.Errorf("delivery %d: start wrote %q, _initialize %d, global %d",
				i, base.memory[300:304], started, base.heap.Globals[5])
		}
	}
}

// TestClockIsTheDeliverys: it never goes back, stands still within a delivery,
// moves by waiting, and what moved it is part of the heap.
func TestClockIsTheDeliverys(t *testing.T) {
	s := newStand(t, setups()[0], "probe.wasm")
	base := s.genesis()
	w, _ := s.start(base)
	read := func(deliveryTime uint64) uint64 {
		o := order{op: 9, a: 5000}
		if _, err := w.Deliver(context.Background(), o.delivery(deliveryTime), swing.Unbounded, &echo{}, nil); err != nil {
			t.Fatal(err)
		}
		return binary.LittleEndian.Uint64(s.capture(w, base.memory).memory[5000:])
	}
	if got := read(0); got != 1 {
		t.Errorf("at time 0 the clock says %d, want 1", got)
	}
	if got := read(noon); got != noon {
		t.Errorf("clock %d, want %d", got, uint64(noon))
	}
	s.deliver(w, order{op: 10, a: 500})
	if got := read(noon); got != noon+500 {
		t.Errorf("after waiting: %d, want %d", got, uint64(noon+500))
	}
	if got := read(noon - 7); got != noon+500 {
		t.Errorf("the clock went back to %d", got)
	}
	base = s.capture(w, base.memory)
	s.close(w)
	w, _ = s.start(base)
	if got := read(noon); got != noon+500 {
		t.Errorf("after a restart: %d", got)
	}
	s.close(w)
}

// TestRandomIsAStream: one stream per seed, that goes on after a restart.
func TestRandomIsAStream(t *testing.T) {
	s := newStand(t, setups()[0], "probe.wasm")
	want := make([]byte, 48)
	swing.Stream(seed, 0, want)
	base := s.genesis()
	for i := range 3 {
		w, _ := s.start(base)
		s.deliver(w, order{op: 8, a: 6000, b: 16})
		base = s.capture(w, base.memory)
		s.close(w)
		if got := base.memory[6000:6016]; !bytes.Equal(got, want[16*i:16*i+16]) {
			t.Errorf("part %d: %x, want %x", i, got, want[16*i:16*i+16])
		}
	}
}

// TestLogIsBounded: lines come with their level, up to the limit of a delivery.
func TestLogIsBounded(t *testing.T) {
	set := setups()[0]
	set.Limits = swing.DefaultLimits()
	set.Limits.LogBytes = 6
	s := newStand(t, set, "probe.wasm")
	w, _ := s.start(s.genesis())
	defer s.close(w)
	for range 2 {
		var got []string
		log := func(l worker.Level, text []byte) { got = append(got, fmt.Sprintf("%d %s", l, text)) }
		o := order{op: 13, a: 256, b: 14}
		if _, err := w.Deliver(context.Background(), o.delivery(0), swing.Unbounded, &echo{}, log); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, []string{"2 born w"}) {
			t.Errorf("logged %q", got)
		}
	}
}

// panicking is a Syscaller with a bug.
type panicking struct{}

func (panicking) Syscall(swing.Op, []byte) ([]byte, bool) { panic("our bug") }

// TestOurPanicIsNoTrap: a panic in our own code comes out as that panic, in
// both engines, not as an outcome of the vat's.
func TestOurPanicIsNoTrap(t *testing.T) {
	for _, set := range []setup{setups()[0], setups()[5]} {
		s := newStand(t, set, "probe.wasm")
		w, _ := s.start(s.genesis())
		func() {
			defer func() {
				p, ok := recover().(*worker.HostPanic)
				if !ok || p.Value != "our bug" || p.Function != "syscall" ||
					!strings.Contains(string(p.Stack), "panicking.Syscall") {
					t.Errorf("%v: recovered %+v", set, p)
				}
			}()
			o := order{op: 4, a: 1}
			out, err := w.Deliver(context.Background(), o.delivery(0), swing.Unbounded, panicking{}, nil)
			t.Errorf("%v: no panic but %v, %v", set, out, err)
		}()
		s.close(w)
	}
}

// TestMemoryHasOneLimit: memory.grow fails at the module's own maximum or the
// engine's limit, whichever is less, in every setup alike.
func TestMemoryHasOneLimit(t *testing.T) {
	for _, limitPages := range []int{10, 64, 1000} {
		for _, set := range setups() {
			set.Limits = swing.DefaultLimits()
			set.Limits.MemoryBytes = limitPages << 16
			s := newStand(t, set, "probe.wasm")
			w, _ := s.start(s.genesis())
			most := uint32(min(limitPages, 64))
			s.deliver(w, order{op: 2, a: most - 2})
			if got := w.Size(); got != uint64(most)<<16 {
				t.Errorf("%v, limit %d: grew to %d", set, limitPages, got>>16)
			}
			s.deliver(w, order{op: 2, a: 1})
			if got := w.Size(); got != uint64(most)<<16 {
				t.Errorf("%v, limit %d: grew past it to %d", set, limitPages, got>>16)
			}
			s.deliver(w, order{op: 1, a: most<<16 - 4, b: 77}) // the last word is there
			s.close(w)
		}
	}
}

// TestRefusedPrograms: what is missing is named.
func TestRefusedPrograms(t *testing.T) {
	ctx := context.Background()
	e, err := worker.NewEngine(ctx, worker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(ctx)
	header := "\x00asm\x01\x00\x00\x00"
	memory := "\x05\x03\x01\x00\x01"
	exportMemory := "\x07\x0a\x01\x06memory\x02\x00"
	rows := map[string]struct{ code, says string }{
		"not wasm":    {"hello", "magic"},
		"no memory":   {header, "memory"},
		"not exposed": {header + memory, "exports no memory"},
		"no deliver":  {header + memory + exportMemory, "exports no function vat_deliver"},
		"wrong type": {header + "\x01\x04\x01\x60\x00\x00" + "\x03\x02\x01\x00" + memory +
			"\x07\x18\x02\x06memory\x02\x00\x0bvat_deliver\x00\x00" + "\x0a\x04\x01\x02\x00\x0b",
			"export section at offset 25: it exports vat_deliver as () -> (), want (i32) -> (i32)"},
		"does not validate": {header + "\x01\x06\x01\x60\x01\x7f\x01\x7f" + "\x03\x02\x01\x00" + memory +
			"\x07\x18\x02\x06memory\x02\x00\x0bvat_deliver\x00\x00" + "\x0a\x04\x01\x02\x00\x0b",
			`compile program: module malformed: function 0 "vat_deliver" at offset 54: `},
	}
	for name, r := range rows {
		_, err := e.Compile(ctx, []byte(r.code))
		if !errors.Is(err, instrument.ErrRefused) || !strings.Contains(err.Error(), r.says) {
			t.Errorf("%s: %v, want it to say %q", name, err, r.says)
		}
	}
}

// TestRefusedOptions: a wrong option is named with what is right.
func TestRefusedOptions(t *testing.T) {
	odd := swing.DefaultLimits()
	odd.MemoryBytes = 1000
	rich, dry, deep := swing.DefaultLimits(), swing.DefaultLimits(), swing.DefaultLimits()
	rich.Fuel, dry.Fuel, deep.Depth = instrument.FuelMax+1, 0, instrument.DepthMax+1
	for says, o := range map[string]worker.Options{
		"mapped":                             {Memory: "magic"},
		"scan":                               {Detector: "guess"},
		"of 64 KiB":                          {Limits: odd},
		"fuel limit of 17592186044417 units": {Limits: rich},
		"fuel limit of 0 units":              {Limits: dry},
		"depth limit of 1901 frames":         {Limits: deep},
	} {
		if _, err := worker.NewEngine(context.Background(), o); err == nil ||
			!strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want it to say %q", err, says)
		}
	}
}

// brokenImage fails to be read.
type brokenImage struct{ worker.Image }

func (brokenImage) ReadAt([]byte, int64) (int, error) { return 0, errBroken }

// TestImageFailureIsTheWorlds: an image that cannot be read is an error, when
// starting and when comparing.
func TestImageFailureIsTheWorlds(t *testing.T) {
	s := newStand(t, setups()[4], "probe.wasm")
	g := s.genesis()
	img := newMemoryImage(g.memory)
	if _, err := s.program.Start(context.Background(), g.heap, brokenImage{img}, seed); !errors.Is(err, errBroken) {
		t.Errorf("start: %v", err)
	}
	w, _ := s.start(g)
	defer s.close(w)
	if _, err := w.Capture(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := w.Rebase(brokenImage{img}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Capture(context.Background()); !errors.Is(err, errBroken) {
		t.Errorf("capture: %v", err)
	}
}

// TestVersionIsGoMods: the fingerprint names the wazero that is linked in.
func TestVersionIsGoMods(t *testing.T) {
	b, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "github.com/tetratelabs/wazero ")
	version, _, _ := strings.Cut(rest, "\n")
	version, _, _ = strings.Cut(version, " ")
	s := newStand(t, setups()[0], "probe.wasm")
	if !ok || !strings.Contains(s.engine.Fingerprint(), version) {
		t.Errorf("fingerprint %q, go.mod %q", s.engine.Fingerprint(), version)
	}
}

// TestDetectorsAgree: whatever finds them, the pages that differ from the image
// are the same, none missed; and a mapped detector reports a page only if it was
// written, or, reading pagemap, if it is all zero.
func TestDetectorsAgree(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		orders := script(rng, 30)
		var want []uint32
		for i, set := range setups()[:5] {
			s := newStand(t, set, "probe.wasm")
			base := s.genesis()
			w, _ := s.start(base)
			for _, o := range orders {
				s.deliver(w, o)
			}
			c, err := w.Capture(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			var differ []uint32
			for _, p := range c.Written {
				if at := int(p.Index) * swing.PageBytes; !bytes.Equal(p.Data, pageOf(base.memory, at)) {
					differ = append(differ, p.Index)
				}
			}
			s.close(w)
			if i == 0 {
				want = differ
			}
			if !slices.Equal(differ, want) {
				t.Fatalf("seed %d, %v: pages %v, want %v", seed, set, differ, want)
			}
		}
		if len(want) == 0 {
			t.Fatalf("seed %d: nothing was written", seed)
		}
	}
}

func pageOf(memory []byte, at int) []byte {
	if at >= len(memory) {
		return make([]byte, swing.PageBytes)
	}
	return memory[at : at+swing.PageBytes]
}
