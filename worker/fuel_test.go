package worker_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/worker"
	"vatwarehouse/worker/instrument"
)

// spend delivers an order with so much fuel to a worker that is born for it.
func (s *stand) spend(o order, fuel uint64) swing.Outcome {
	s.t.Helper()
	w, _ := s.start(s.genesis())
	defer s.close(w)
	out, err := w.Deliver(context.Background(), o.delivery(noon), fuel, &echo{}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// bothEngines are a program in the compiler and in the interpreter, and one that yields.
func bothEngines(t *testing.T, module string) []*stand {
	compiler, interpreter := setups()[0], setups()[5]
	return []*stand{
		newStand(t, compiler, module), newStand(t, interpreter, module), yielding(t, compiler, module),
	}
}

// yielding is a program of the setup that yields.
func yielding(t *testing.T, s setup, module string) *stand {
	stand := newStand(t, s, module)
	code, err := os.ReadFile(filepath.Join("testdata", module))
	if err != nil {
		t.Fatal(err)
	}
	if stand.program, err = stand.engine.CompileYielding(context.Background(), code); err != nil {
		t.Fatal(err)
	}
	return stand
}

// TestFuelOutcomes: running out of fuel, of frames and of memory are outcomes of their
// own, the same in both engines with the same fuel.
func TestFuelOutcomes(t *testing.T) {
	const plenty = 10_000_000
	rows := []struct {
		name string
		o    order
		fuel uint64
		want swing.Outcome // Fuel 0 is whatever both use
	}{
		{"a loop", order{op: 1}, plenty, swing.Outcome{Status: swing.StatusOutOfFuel, Fuel: plenty}},
		{"no fuel", order{op: 0}, 0, swing.Outcome{Status: swing.StatusOutOfFuel}},
		{"nothing", order{op: 0}, plenty, swing.Outcome{Status: swing.StatusOK}},
		{"a recursion", order{op: 2}, plenty, swing.Outcome{Status: swing.StatusTooDeep}},
		{"refused memory", order{op: 3, a: 15}, plenty,
			swing.Outcome{Status: swing.StatusOutOfMemory, Problem: "unreachable"}},
		{"absurd memory", order{op: 3, a: 1 << 31}, plenty,
			swing.Outcome{Status: swing.StatusOutOfMemory, Problem: "unreachable"}},
		{"refused memory, then some", order{op: 4, a: 100, b: 1}, plenty,
			swing.Outcome{Status: swing.StatusOutOfMemory, Problem: "unreachable"}},
		{"a trap after more memory", order{op: 4, a: 1, b: 1}, plenty,
			swing.Outcome{Status: swing.StatusTrapped, Problem: "unreachable"}},
		{"more memory than fuel", order{op: 3, a: 14}, 14 * instrument.PageUnits,
			swing.Outcome{Status: swing.StatusOutOfFuel, Fuel: 14 * instrument.PageUnits}},
		{"a syscall too many", order{op: 6}, instrument.SyscallUnits,
			swing.Outcome{Status: swing.StatusOutOfFuel, Fuel: instrument.SyscallUnits}},
		{"a fill too large", order{op: 7, a: 64 << 10}, 8 << 10,
			swing.Outcome{Status: swing.StatusOutOfFuel, Fuel: 8 << 10}},
	}
	stands := bothEngines(t, "spender.wasm")
	for _, r := range rows {
		used := uint64(0)
		for i, s := range stands {
			out := s.spend(r.o, r.fuel)
			if want := r.want; out.Status != want.Status || out.Problem != want.Problem ||
				want.Fuel > 0 && out.Fuel != want.Fuel || i > 0 && out.Fuel != used {
				t.Errorf("%s: %+v, want %+v, %d used before", r.name, out, want, used)
			}
			used = out.Fuel
		}
	}
}

// TestExactlyEnoughFuel: what a delivery used is enough for it to be repeated, and one
// unit less is not.
func TestExactlyEnoughFuel(t *testing.T) {
	for _, s := range bothEngines(t, "spender.wasm") {
		for _, o := range []order{
			{op: 0}, {op: 3, a: 3}, {op: 5, a: 1}, {op: 5, a: 500_000}, {op: 6, a: 100, b: 50},
			{op: 7, a: 5000, b: 9000},
		} {
			out := s.spend(o, swing.Unbounded)
			if !out.OK() || out.Fuel == 0 {
				t.Fatalf("%v: %+v", o, out)
			}
			if again := s.spend(o, out.Fuel); again != out {
				t.Errorf("%v: %+v with the fuel that %+v used", o, again, out)
			}
			less := s.spend(o, out.Fuel-1)
			if less.Status != swing.StatusOutOfFuel || less.Fuel != out.Fuel-1 {
				t.Errorf("%v: %+v with a unit less than %d", o, less, out.Fuel)
			}
		}
	}
}

// TestHostIsPaidBySize: what the host copies for a program costs by the byte, and what is
// only room for an answer costs nothing.
func TestHostIsPaidBySize(t *testing.T) {
	s := bothEngines(t, "spender.wasm")[0]
	base := s.spend(order{op: 6}, swing.Unbounded).Fuel
	for _, r := range []struct {
		o    order
		more uint64
	}{
		{order{op: 6, a: 1000}, 1000},
		{order{op: 6, b: 1000}, 1}, // the answer is one byte, and the request
		{order{op: 6, a: 1000, b: 5000}, 2001},
	} {
		if got := s.spend(r.o, swing.Unbounded).Fuel - base; got != r.more*instrument.HostByteUnits {
			t.Errorf("%v costs %d more, want %d", r.o, got, r.more)
		}
	}
	nothing := s.spend(order{op: 0}, swing.Unbounded).Fuel
	if base < nothing+instrument.HostCallUnits+instrument.SyscallUnits {
		t.Errorf("a syscall costs %d", base-nothing)
	}
}

// TestStartIsUnderFuel: the start function runs with the fuel of the first delivery.
func TestStartIsUnderFuel(t *testing.T) {
	for _, s := range bothEngines(t, "endless.wasm") {
		want := swing.Outcome{Status: swing.StatusOutOfFuel, Fuel: 1000}
		if out := s.spend(order{}, 1000); out != want {
			t.Errorf("%+v, want %+v", out, want)
		}
	}
	// The probe has a start function and _initialize; the second delivery has neither.
	s := newStand(t, setups()[0], "probe.wasm")
	w, _ := s.start(s.genesis())
	defer s.close(w)
	first, _ := s.deliver(w, order{})
	if second, _ := s.deliver(w, order{}); second.Fuel >= first.Fuel || second.Fuel == 0 {
		t.Errorf("%d units with the start function, then %d", first.Fuel, second.Fuel)
	}
}

// TestDepthLimitIsChecked: the engine takes no depth that its own stack may not have.
func TestDepthLimitIsChecked(t *testing.T) {
	for _, depth := range []int{-1, 0, instrument.DepthMax + 1} {
		l := swing.DefaultLimits()
		l.Depth = depth
		if _, err := worker.NewEngine(context.Background(), worker.Options{Limits: l}); err == nil {
			t.Errorf("depth %d was taken", depth)
		}
	}
}

// TestMeterIsInNoHeap: two heaps after the same deliveries with other budgets are equal.
func TestMeterIsInNoHeap(t *testing.T) {
	s := newStand(t, setups()[0], "spender.wasm")
	var states []state
	for _, fuel := range []uint64{swing.Unbounded, 50_000} {
		base := s.genesis()
		w, _ := s.start(base)
		if _, err := w.Deliver(context.Background(), order{op: 5, a: 9}.delivery(noon), fuel,
			&echo{}, nil); err != nil {
			t.Fatal(err)
		}
		states = append(states, s.capture(w, base.memory))
		s.close(w)
	}
	if d := same(states[0], states[1]); d != "" {
		t.Error(d)
	}
}

// TestYieldingIsInvisible: programs that yield and that do not take turns with one heap,
// and nobody sees it.
func TestYieldingIsInvisible(t *testing.T) {
	orders := []order{{op: 5, a: 400_000}, {op: 3, a: 2}, {op: 5, a: 900_000}, {op: 7, a: 4000, b: 50_000}}
	run := func(stands ...*stand) (states []state, fuel []uint64) {
		base := stands[0].genesis()
		for i, o := range orders {
			s := stands[i%len(stands)]
			w, _ := s.start(base)
			out, _ := s.deliver(w, o)
			if !out.OK() {
				t.Fatal(out)
			}
			base = s.capture(w, base.memory)
			s.close(w)
			states, fuel = append(states, base), append(fuel, out.Fuel)
		}
		return states, fuel
	}
	plain := newStand(t, setups()[0], "spender.wasm")
	want, used := run(plain)
	got, usedToo := run(yielding(t, setups()[0], "spender.wasm"), plain, yielding(t, setups()[5], "spender.wasm"))
	for i := range want {
		if d := same(want[i], got[i]); d != "" || used[i] != usedToo[i] {
			t.Errorf("delivery %d: %s, %d units, want %d", i, d, usedToo[i], used[i])
		}
	}
	if used[0] < 2*instrument.YieldUnits {
		t.Errorf("%d units: no delivery was long enough to yield", used[0])
	}
}

// started is a Syscaller that says when it was called.
type started chan struct{}

// Syscall implements swing.Syscaller.
func (s started) Syscall(swing.Op, []byte) ([]byte, bool) {
	close(s)
	return nil, true
}

// TestYieldingLetsGarbageBeCollected: a collection begins and ends while a delivery to a
// program that yields goes on.
func TestYieldingLetsGarbageBeCollected(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("one processor")
	}
	s := yielding(t, setups()[0], "spender.wasm")
	w, _ := s.start(s.genesis())
	defer s.close(w)
	begun, ended := make(started), make(chan swing.Outcome, 1)
	go func() {
		o := order{op: 8, a: 1_000_000_000}
		out, err := w.Deliver(context.Background(), o.delivery(noon), swing.Unbounded, begun, nil)
		if err != nil {
			t.Error(err)
		}
		ended <- out
	}()
	<-begun
	runtime.GC()
	select {
	case out := <-ended:
		t.Errorf("the collection waited for the delivery: %v", out)
	default:
		if out := <-ended; !out.OK() {
			t.Error(out)
		}
	}
}
