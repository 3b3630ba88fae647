package worker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/worker"
)

// paramsMax is the most parameters that a function of the ABI has.
const paramsMax = 9

// callBytes is how long the end of a delivery's body is that says what the caller calls:
// the function's number and its arguments, eight bytes each.
const callBytes = 8 * (1 + paramsMax)

// caller is a program of one page of memory that imports every function of the ABI, and
// calls the one that its delivery says with the arguments that the delivery says.
func caller() []byte {
	fs := worker.HostFunctions()
	name := func(s string) []byte { return append(leb(len(s)), s...) }
	section := func(id byte, body []byte) []byte {
		return append(append([]byte{id}, leb(len(body))...), body...)
	}
	i32, i64 := byte(0x7f), byte(0x7e)
	valTypes := func(letters string) []byte {
		b := leb(len(letters))
		for _, c := range letters {
			b = append(b, map[rune]byte{'i': i32, 'I': i64}[c])
		}
		return b
	}
	types, imports := leb(len(fs)+1), leb(len(fs))
	for i, f := range fs {
		types = slices.Concat(types, []byte{0x60}, valTypes(f.Params), valTypes(f.Results))
		imports = slices.Concat(imports, name(f.Module), name(f.Name), []byte{0}, leb(i))
	}
	types = append(types, 0x60, 1, i32, 1, i32)
	read := slices.IndexFunc(fs, func(f worker.HostFunction) bool { return f.Name == "input_read" })
	// input_read(0, len - callBytes - 1, callBytes): the last byte is of no slots
	code := slices.Concat([]byte{0, 0x41, 0, 0x20, 0, 0x41}, sleb(callBytes+1), []byte{0x6b, 0x41},
		sleb(callBytes), []byte{0x10}, leb(read), []byte{0x1a})
	for i, f := range fs {
		// block; if the number is not i, go on behind it; push the arguments; call; return 0
		code = slices.Concat(code, []byte{0x02, 0x40, 0x41, 0, 0x28, 2, 0, 0x41}, sleb(i),
			[]byte{0x47, 0x0d, 0})
		for n, c := range f.Params {
			load := map[rune]byte{'i': 0x28, 'I': 0x29}[c]
			code = slices.Concat(code, []byte{0x41, 0, load, 2}, leb(8*(n+1)))
		}
		code = append(append(code, 0x10), leb(i)...)
		code = append(code, bytes.Repeat([]byte{0x1a}, len(f.Results))...)
		code = append(code, 0x41, 0, 0x0f, 0x0b)
	}
	code = append(code, 0x41, 0, 0x0b)
	exports := slices.Concat([]byte{2}, name("memory"), []byte{2, 0},
		name("vat_deliver"), []byte{0}, leb(len(fs)))
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, types), section(2, imports), section(3, append([]byte{1}, leb(len(fs))...)),
		section(5, []byte{1, 0, 1}), section(7, exports),
		section(10, slices.Concat([]byte{1}, leb(len(code)), code)))
}

func leb(n int) (b []byte) {
	for ; n > 0x7f; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// sleb is for numbers that are not negative.
func sleb(n int) (b []byte) {
	for ; n > 0x3f; n >>= 7 {
		b = append(b, byte(n&0x7f)|0x80)
	}
	return append(b, byte(n))
}

// store is a vatstore in memory.
type store map[string][]byte

func (s store) Get(key []byte) ([]byte, bool) { v, ok := s[string(key)]; return v, ok }
func (s store) Set(key, value []byte) bool    { s[string(key)] = bytes.Clone(value); return true }
func (s store) Delete(key []byte)             { delete(s, string(key)) }
func (s store) Next(after []byte) (next []byte, ok bool) {
	for key := range s {
		if key > string(after) && (!ok || key < string(next)) {
			next, ok = []byte(key), true
		}
	}
	return next, ok
}

// callers are workers of the caller in both engines.
type callers struct {
	t       testing.TB
	fs      []worker.HostFunction
	workers []*worker.Worker
	seen    map[string]bool // functions and statuses
}

func newCallers(t testing.TB) *callers {
	c := &callers{t: t, fs: worker.HostFunctions(), seen: map[string]bool{}}
	code := caller()
	for _, interpreter := range []bool{false, true} {
		e, err := worker.NewEngine(context.Background(), worker.Options{Interpreter: interpreter})
		if err != nil {
			t.Fatal(err)
		}
		c.workers = append(c.workers, startCaller(t, e, code))
	}
	return c
}

// startCaller starts the caller on an engine, and closes both at the test's end.
func startCaller(t testing.TB, e *worker.Engine, code []byte) *worker.Worker {
	t.Helper()
	ctx := context.Background()
	p, err := e.Compile(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	w, err := p.StartAlone(ctx, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return w
}

// callOf is a delivery that has a function called.
func callOf(function int, args []uint64) []byte {
	body := binary.LittleEndian.AppendUint64(nil, uint64(function))
	for _, a := range args {
		body = binary.LittleEndian.AppendUint64(body, a)
	}
	body = append(body, make([]byte, callBytes-len(body))...)
	return swing.AppendDelivery(nil, swing.Delivery[swing.VRef]{
		Kind: swing.DeliverStartVat, Time: noon, Params: swing.CapData[swing.VRef]{Body: body},
	})
}

// call calls a function in both engines, and wants an outcome, the same.
func (c *callers) call(function int, args []uint64) {
	var outcomes []swing.Outcome
	for _, w := range c.workers {
		rec := transcript.NewRecorder(store{}, swing.DefaultLimits())
		log := func(worker.Level, []byte) {}
		out, err := w.Deliver(context.Background(), callOf(function, args), swing.Unbounded, rec, log)
		if err != nil {
			c.t.Fatalf("%s(%#x): %v", c.fs[function].Name, args, err)
		}
		outcomes = append(outcomes, out)
	}
	if outcomes[0] != outcomes[1] {
		c.t.Fatalf("%s(%#x): %v in one engine, %v in the other",
			c.fs[function].Name, args, outcomes[0], outcomes[1])
	}
	c.seen[c.fs[function].Name+" "+outcomes[0].Status.String()] = true
}

// corners are where addresses, lengths and counts go wrong: around zero, the sizes of
// what is read, the end of the one page of memory, and the ends of i32.
var corners = []uint64{0, 1, 8, 48, 4096, 65528, 65535, 65536, 1<<31 - 1, 1 << 31, 1<<32 - 8, 1<<32 - 1}

// TestHostFunctionsTakeAnything: whatever a program hands to a function of the ABI,
// every combination of corners where there are few parameters and random ones where
// there are many, the delivery has an outcome, the same in both engines: no panic.
func TestHostFunctionsTakeAnything(t *testing.T) {
	c := newCallers(t)
	rng := rand.New(rand.NewPCG(1, 1))
	for function, f := range c.fs {
		if len(f.Params) > paramsMax {
			t.Fatalf("%s has %d parameters", f.Name, len(f.Params))
		}
		total := 1
		for range min(len(f.Params), 3) {
			total *= len(corners)
		}
		for n := range total {
			args := make([]uint64, len(f.Params))
			for i := range args {
				args[i] = corners[rng.IntN(len(corners))]
				if i < 3 {
					args[i], n = corners[n%len(corners)], n/len(corners)
				}
			}
			c.call(function, args)
		}
		for range 1000 {
			args := make([]uint64, len(f.Params))
			for i := range args {
				args[i] = []uint64{
					corners[rng.IntN(len(corners))], rng.Uint64N(20), rng.Uint64() >> rng.IntN(64),
				}[rng.IntN(3)]
			}
			c.call(function, args)
		}
	}
	for _, want := range []string{
		"input_read ok", "input_read trapped", "syscall ok", "syscall trapped",
		"syscall illegal syscall", "poll_oneoff ok", "fd_write trapped", "proc_exit trapped",
	} {
		if !c.seen[want] {
			t.Errorf("never seen: %s; seen %v", want, c.seen)
		}
	}
}

// FuzzHostFunctions is the same with what the fuzzer thinks of.
func FuzzHostFunctions(f *testing.F) {
	for function := range worker.HostFunctions() {
		f.Add(uint8(function), bytes.Repeat([]byte{0xff, 0, 8}, 24))
	}
	c := newCallers(f)
	f.Fuzz(func(t *testing.T, function uint8, b []byte) {
		c.t = t
		args := make([]uint64, paramsMax)
		for i := range args {
			if len(b) >= 8 {
				args[i], b = binary.LittleEndian.Uint64(b), b[8:]
			}
		}
		c.call(int(function)%len(c.fs), args)
	})
}

// TestPlantedPanics: a panic of ours in any function of the ABI comes out of Deliver as
// that panic, of that function, in both engines, and the worker can still be closed.
func TestPlantedPanics(t *testing.T) {
	code := caller()
	for _, interpreter := range []bool{false, true} {
		planted := ""
		o := worker.Options{Interpreter: interpreter}
		e, err := worker.PlantedEngine(context.Background(), o, func(name string) {
			if name == planted {
				_ = make([]string, 0)[len(name)]
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		w := startCaller(t, e, code)
		for i, f := range worker.HostFunctions() {
			planted = f.Name
			got := panicOf(func() error {
				_, err := w.Deliver(context.Background(), callOf(i, nil), swing.Unbounded, &echo{}, nil)
				return err
			})
			p, ok := got.(*worker.HostPanic)
			if !ok || p.Function != f.Name || len(p.Stack) == 0 ||
				!strings.Contains(fmt.Sprint(p.Value), "index out of range") {
				t.Errorf("interpreter %v: %s panics, and there comes %v", interpreter, f.Name, got)
			}
		}
	}
}

// panicOf returns what a function panics with, or what it returns.
func panicOf(do func() error) (r any) {
	defer func() {
		if p := recover(); p != nil {
			r = p
		}
	}()
	return do()
}
