package guest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/swing"
)

// runOnce makes a vat of an assembled program, in both engines, and returns how its
// first delivery ended. An i32 that the code leaves and is not 0 is a failure.
func runOnce(t *testing.T, fs []imported, code []byte) swing.Outcome {
	t.Helper()
	var outs []swing.Outcome
	for _, interpreter := range []bool{false, true} {
		w := newWorld(t, style{language: "c", interpreter: interpreter})
		key := fmt.Sprintf("%x", code)
		p := stands[interpreter].program(t, key, assemble(fs, code))
		r := w.newResident(p, swing.Sum("seed"))
		w.vats["v1"] = r
		b := swing.AppendDelivery(nil, swing.Delivery[vref]{Kind: swing.DeliverStartVat, Time: 77})
		out, err := r.worker.Deliver(context.Background(), b, swing.Unbounded, anySyscaller{}, nil)
		w.fatal(err)
		outs = append(outs, out)
	}
	if outs[0] != outs[1] {
		t.Fatalf("%x: %v compiled, %v interpreted", code, outs[0], outs[1])
	}
	return outs[0]
}

// equals returns the code that leaves 0 if code leaves v.
func equals(v int32, code []byte) []byte {
	return slices.Concat(code, constant(v), []byte{opI32Ne})
}

// TestImportsDoWhatTheReadmeSays: imports of vat_v1, called with ranges inside, at the
// end of and beyond both the delivery and memory.
func TestImportsDoWhatTheReadmeSays(t *testing.T) {
	t.Parallel()
	vat, _ := readmeImports(t)
	at := map[string]int{}
	for i, f := range vat {
		at[f.name] = i
	}
	calls := func(name string, args ...int32) []byte { return call(at[name], vat[at[name]], args...) }
	const page, size = 1 << 16, 6 // of memory; of the delivery [1, 1, 77, h'', []]
	const trap = "out of bounds memory access"
	get := append(calls("syscall", int32(swing.OpVatstoreGet), 0, 0, 0, 0), 0x1a) // drop
	for _, c := range []struct {
		name string
		code []byte
		want string // the trap, or "" for success
	}{
		{"the length is the parameter", equals(size+1, []byte{opLocalGet, 0}), ""},
		{"all of it", equals(size+1, calls("input_read", 0, 0, 1000)), ""},
		{"a part", equals(2, calls("input_read", 0, 1, 2)), ""},
		{"the rest", equals(1, calls("input_read", 0, size, 1000)), ""},
		{"at the end", equals(0, calls("input_read", 0, size+1, 1000)), ""},
		{"beyond the end", equals(0, calls("input_read", 0, -1, 1000)), ""},
		{"to the end of memory", equals(2, calls("input_read", page-2, 0, 2)), ""},
		{"beyond memory, though less would be copied", calls("input_read", page-500, 0, 501), trap},
		{"beyond memory, of nothing", calls("input_read", page, 99, 1), trap},
		{"an address that wraps", calls("input_read", -1, 0, 2), trap},
		{"no answer yet", equals(0, calls("result_read", 0, 0, 10)), ""},
		{"an answer", slices.Concat(get, equals(1, calls("result_read", 0, 0, 10))), ""},
		{"its length", equals(1, calls("syscall", int32(swing.OpVatstoreGet), 0, 0, 0, 0)), ""},
		{"no answer to this", equals(0, calls("syscall", int32(swing.OpSend), 0, 0, 0, 0)), ""},
		{"a request beyond memory", calls("syscall", 1, page, 1, 0, 0), trap},
		{"room beyond memory", calls("syscall", 1, 0, 0, page-1, 2), trap},
		{"a log beyond memory", append(calls("log", 0, page, 1), constant(0)...), trap},
		{"output beyond memory", append(calls("output_write", -4, 5), constant(0)...), trap},
		{"output is nothing without failure", append(calls("output_write", 0, 5), constant(0)...), ""},
		{"a level above all", append(calls("log", 99, 0, 1), constant(0)...), ""},
	} {
		out := runOnce(t, vat, c.code)
		if (c.want == "") != out.OK() || out.Problem != c.want {
			t.Errorf("%s: %v, want %q", c.name, out, c.want)
		}
	}
	failing := append(calls("output_write", 0, 5000), constant(-3)...)
	if out := runOnce(t, vat, failing); out.Status != swing.StatusFailed || len(out.Problem) != 4096 {
		t.Errorf("5000 bytes of output: %v of %d", out.Status, len(out.Problem))
	}
}

// TestWASIAnswersAsTheReadmeSays: every function of the tables of section 8, called
// with zeros, gives the errno it is listed under.
func TestWASIAnswersAsTheReadmeSays(t *testing.T) {
	t.Parallel()
	_, wasi := readmeImports(t)
	const success, badf, inval, nosys, spipe = 0, 8, 28, 52, 70
	want := map[string]int32{ // of those with a description, called with zeros
		"args_sizes_get": success, "args_get": success, "environ_sizes_get": success,
		"environ_get": success, "clock_time_get": success, "clock_res_get": success,
		"random_get": success, "sched_yield": success, "fd_fdstat_get": success,
		"fd_fdstat_set_flags": success, "fd_seek": spipe, "fd_write": badf, "poll_oneoff": inval,
	}
	seen := 0
	for i, f := range wasi {
		errno, described := want[f.name]
		switch {
		case f.name == "proc_exit" || f.name == "proc_raise":
			code := call(i, f, 5)
			if !f.result {
				code = append(code, constant(0)...)
			}
			if out := runOnce(t, wasi, code); out.Problem != "exit code 5" {
				t.Errorf("%s: %v", f.name, out)
			}
			continue
		case described:
		case strings.HasPrefix(f.name, "sock_"):
			errno = nosys
		default:
			errno = badf
		}
		seen++
		if out := runOnce(t, wasi, equals(errno, call(i, f))); !out.OK() {
			t.Errorf("%s is not errno %d", f.name, errno)
		}
	}
	if seen != 44 {
		t.Errorf("%d functions", seen)
	}
	for fd, errno := range map[int32]int32{0: badf, 1: success, 2: success, 3: badf} {
		i := slices.IndexFunc(wasi, func(f imported) bool { return f.name == "fd_write" })
		if out := runOnce(t, wasi, equals(errno, call(i, wasi[i], fd))); !out.OK() {
			t.Errorf("fd_write(%d) is not errno %d", fd, errno)
		}
	}
}
