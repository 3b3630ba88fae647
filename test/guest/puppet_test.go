package guest_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

type (
	vsyscall = swing.Syscall[vref]
	vcap     = swing.CapData[vref]
	vmessage = swing.Message[vref]
)

// step is one syscall of a puppet's script.
func step(s vsyscall) any { return []any{int(s.Op), swing.AppendRequest(nil, s)} }

func raw(op int, request ...byte) any { return []any{op, request} }

func sends(target vref, method string, result vref, args ...any) any {
	m := vmessage{Method: method, Args: list[vref](args...), Result: result}
	return step(vsyscall{Op: swing.OpSend, Target: target, Message: m})
}

func subscribes(promise vref) any { return step(vsyscall{Op: swing.OpSubscribe, Target: promise}) }

func resolves(promise vref, data vcap) any {
	return step(vsyscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[vref]{
		{Promise: promise, Data: data},
	}})
}

func exits(failure bool) any { return step(vsyscall{Op: swing.OpExit, Failure: failure}) }

func stores(op swing.Op, key string, value ...byte) any {
	return step(vsyscall{Op: op, Key: []byte(key), Value: value})
}

// TestPuppetMakesEverySyscall: what a script spells out is what the transcript has,
// byte for byte, and what the kernel does.
func TestPuppetMakesEverySyscall(t *testing.T) {
	t.Parallel()
	inEveryStyle(t, func(w *world) {
		c := w.root("counter")
		_, broken := w.vat("puppet")
		answer := w.send(broken, "do",
			sends("o-50", "incr", "p+1", 4), subscribes("p+1"),
			stores(swing.OpVatstoreSet, "k", 'v'), stores(swing.OpVatstoreGet, "k"),
			stores(swing.OpVatstoreNextKey, ""), stores(swing.OpVatstoreDelete, "k"),
			stores(swing.OpVatstoreGet, "k"), []any{"log", 2, "a line"},
			[]any{"grow", 1}, []any{"fill", 2 << 16, 100, 7},
		)
		w.run()
		if len(w.ended) != 1 || !strings.Contains(w.ended[0].Reason, "o-50 is not in the c-list") {
			t.Fatalf("%v: a reference out of the air: %v", w.style, w.ended)
		}
		if got := w.outcome(answer); !strings.Contains(got, "vat terminated") {
			t.Fatalf("%v: answer %s", w.style, got)
		}
		w.ended = nil
		id, p := w.vat("puppet")
		script := []any{
			sends("o-50", "incr", "p+1", 4), subscribes("p+1"),
			stores(swing.OpVatstoreSet, "k", 'v'), stores(swing.OpVatstoreGet, "k"),
			stores(swing.OpVatstoreNextKey, ""), stores(swing.OpVatstoreDelete, "k"),
			stores(swing.OpVatstoreGet, "k"), []any{"log", 2, "a line"},
			resolves("p-61", list[vref]("done", vref("o+7"))),
			[]any{"grow", 1}, []any{"fill", 2 << 16, 100, 7},
		}
		w.send(p, "hello", c) // brings the counter: o-50
		answer = w.send(p, "do", script...)
		w.run()
		if got := w.outcome(answer); !strings.HasPrefix(got, `["done" ko`) {
			t.Fatalf("%v: answer %s", w.style, got)
		}
		w.expect("[4]", c, "read")
		checkPuppet(w, id, p)
		w.send(p, "do", exits(false))
		w.run()
		if len(w.ended) != 1 || w.ended[0].Failure {
			t.Fatalf("%v: ended %v", w.style, w.ended)
		}
	})
}

// checkPuppet compares a puppet's syscalls, its log and its own report with what
// TestPuppetMakesEverySyscall had it do.
func checkPuppet(w *world, id swing.VatID, p kref) {
	w.t.Helper()
	var got []string
	for _, x := range w.entry(id, -2).Exchanges {
		got = append(got, transcript.Describe(x))
	}
	want := []string{
		"send o-50.incr([4]) -> p+1", "subscribe p+1", "vatstoreSet k = v",
		"vatstoreGet k -> v", "vatstoreNextKey  -> k", "vatstoreDelete k", "vatstoreGet k -> none",
		`resolve p-61 = ["done", o+7]`,
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("%v: syscalls\n%q, want\n%q", w.style, got, want)
	}
	if !slices.Contains(w.logs, fmt.Sprintf("%s 2 a line", id)) {
		w.t.Fatalf("%v: log %q", w.style, w.logs)
	}
	promise := w.send(p, "report")
	w.run()
	r := swing.NewReader(w.settled[promise].Data.Body)
	n := r.Array()
	if missed := r.Uint(); missed != 0 || n != len(w.items[id]) { // all but the report itself
		w.t.Fatalf("%v: a report of %d, %d missed, of %d", w.style, n-1, missed, len(w.items[id]))
	}
	for i := range n - 1 {
		if seen := r.Bytes(); !bytes.Equal(seen, w.entry(id, i).Delivery) {
			w.t.Fatalf("%v: delivery %d reported as %x", w.style, i, seen)
		}
	}
}

// small are limits that a script can break.
var small = swing.Limits{
	BodyBytes: 4096, Slots: 8, MethodBytes: 40, KeyBytes: 20, ValueBytes: 50, Syscalls: 20,
	SyscallBytes: 900, Resolutions: 3, LogBytes: 64, MemoryBytes: 1 << 20,
	Fuel: 100_000_000, Depth: 1900, StoreBytes: 1 << 20, Vats: 100,
}

func many(n int, s any) []any { return slices.Repeat([]any{s}, n) }

func manySlots(n int) (c vcap) {
	c.Slots = slices.Repeat([]vref{"o+9"}, n)
	return c
}

// TestIllegalSyscallsEndTheVat: each rule of guest/README.md is broken once, and the
// vat ends with the reason; the crank is rolled back. The puppet knows the counter
// as o-50 and decides p-60.
func TestIllegalSyscallsEndTheVat(t *testing.T) {
	t.Parallel()
	resolution := func(promise vref) swing.Resolution[vref] {
		return swing.Resolution[vref]{Promise: promise, Data: list[vref]()}
	}
	for _, c := range []struct {
		name, problem string
		script        []any
	}{
		{"no such op", "there is no syscall 99", []any{raw(99)}},
		{"op of a later version", "there is no syscall 10", []any{raw(10, 0x80)}},
		{"huge op", "there is no syscall 4294967295", []any{raw(1<<32 - 1)}},
		{"empty request", "offset 0", []any{raw(1)}},
		{"request cut", "decode send", []any{raw(1, 0x85, 0x63)}},
		{"request with more behind it", "1 bytes left over",
			[]any{raw(2, 0x81, 0x63, 'p', '+', '1', 0)}},
		{"head too long", "where fewer do", []any{raw(2, 0x98, 1, 0x63, 'p', '+', '1')}},
		{"malformed reference", `"p+01" is no vref`, []any{raw(2, 0x81, 0x64, 'p', '+', '0', '1')}},
		{"kernel's name", `"kp40" is no vref`, []any{raw(2, 0x81, 0x64, 'k', 'p', '4', '0')}},
		{"malformed vatstore request", "decode vatstoreGet", []any{raw(16, 0x80)}},
		{"message to the air", "o-77 is not in the c-list", []any{sends("o-77", "hi", "")}},
		{"slot out of the air", "o-77 is not in the c-list",
			[]any{sends("o-50", "incr", "", vref("o-77"))}},
		{"result of the kernel's", "is no promise of the vat's own",
			[]any{sends("o-50", "incr", "p-60")}},
		{"result that is an object", "is no promise of the vat's own",
			[]any{sends("o-50", "incr", "o+3")}},
		{"result used before", "p+1 is not a new promise",
			[]any{sends("o-50", "incr", "p+1", 1), sends("o-50", "incr", "p+1", 1)}},
		{"result among its arguments", "p+1 is not a new promise",
			[]any{sends("o-50", "incr", "p+1", vref("p+1"))}},
		{"subscribe to an object", "o-50 is no promise", []any{subscribes("o-50")}},
		{"resolve an object", "o-50 is no promise", []any{resolves("o-50", list[vref]())}},
		{"resolve what another decides", "the vat does not decide the promise",
			[]any{sends("o-50", "incr", "p+1", 1), resolves("p+1", list[vref]())}},
		{"resolve twice", "p-60 is not in the c-list",
			[]any{resolves("p-60", list[vref]()), resolves("p-60", list[vref]())}},
		{"resolve twice in a batch", "p-60 is resolved twice",
			[]any{step(vsyscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[vref]{
				resolution("p-60"), resolution("p-60"),
			}})}},
		{"fulfil with a promise", "a promise cannot be fulfilled with a promise",
			[]any{resolves("p-60", swing.ReferenceTo(vref("p+5")))}},
		{"too many resolutions", "4 resolutions, limit 3",
			[]any{step(vsyscall{Op: swing.OpResolve, Resolutions: slices.Repeat(
				[]swing.Resolution[vref]{resolution("p+1")}, 4)})}},
		{"too many syscalls", "more than 20 syscalls", many(21, stores(swing.OpVatstoreGet, "k"))},
		{"too many bytes", "more than 900 bytes of syscalls",
			many(17, stores(swing.OpVatstoreSet, "k", make([]byte, 50)...))},
		{"too many slots", "9 slots, limit 8", []any{resolves("p-60", manySlots(9))}},
		{"method too long", "a method name of 41 bytes, limit 40",
			[]any{sends("o-50", strings.Repeat("m", 41), "")}},
		{"key too long", "a vatstore key of 21 bytes, limit 20",
			[]any{stores(swing.OpVatstoreGet, strings.Repeat("k", 21))}},
		{"value too long", "a vatstore value of 51 bytes, limit 50",
			[]any{stores(swing.OpVatstoreSet, "k", make([]byte, 51)...)}},
		{"empty key", "an empty vatstore key", []any{stores(swing.OpVatstoreSet, "", 1)}},
		{"exit with a reference out of the air", "o-77 is not in the c-list",
			[]any{step(vsyscall{Op: swing.OpExit, Info: swing.ReferenceTo(vref("o-77"))})}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range []style{reference, {language: "c", interpreter: true, restart: true}} {
				endsWith(t, s, swing.StatusIllegal, c.problem, c.script)
			}
		})
	}
}

// endsWith has a puppet do something good and then a script, and checks how it ends
// and that nothing of it took effect.
func endsWith(t *testing.T, s style, status swing.Status, problem string, script []any) {
	t.Helper()
	w := newWorldWith(t, s, small)
	counter := w.root("counter")
	id, p := w.vat("puppet")
	w.send(p, "hello", counter)
	w.run()
	promise := w.send(p, "do", slices.Concat(
		[]any{sends("o-50", "incr", "", 1000), stores(swing.OpVatstoreSet, "k", 1)}, script)...)
	w.run()
	out := w.entry(id, -1).Outcome
	if out.Status != status || !strings.Contains(out.Problem, problem) {
		t.Fatalf("%v: %v, want %v: …%s…", s, out, status, problem)
	}
	if len(w.ended) != 1 || w.ended[0].Vat != id || !w.ended[0].Failure {
		t.Fatalf("%v: ended: %v", s, w.ended)
	}
	if got := w.outcome(promise); !strings.Contains(got, "vat terminated") {
		t.Fatalf("%v: answer %s", s, got)
	}
	w.expect("[0]", counter, "read")
	if rows := w.vatstore(id); len(rows) > 0 {
		t.Fatalf("%v: rows of a delivery that failed: %v", s, rows)
	}
}

// TestFailuresEndTheVat: a trap, a failure and an exit as a failure end a vat, with
// the same words in both engines.
func TestFailuresEndTheVat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		status  swing.Status
		problem string
		script  []any
	}{
		{"trap", swing.StatusTrapped, "unreachable", []any{[]any{"trap"}}},
		{"bad address", swing.StatusTrapped, "out of bounds memory access",
			[]any{[]any{"fill", 1 << 30, 1, 1}}},
		{"fail", swing.StatusFailed, "because", []any{[]any{"fail", "because"}}},
		{"fail without a word", swing.StatusFailed, "", []any{[]any{"fail", ""}}},
		{"fail without end", swing.StatusFailed, strings.Repeat("x", 4000),
			[]any{[]any{"fail", strings.Repeat("x", 4000)}}},
		{"grow beyond the limit", swing.StatusFailed, "cannot grow", []any{[]any{"grow", 20_000}}},
		{"malformed script", swing.StatusFailed, "malformed script", []any{1}},
		{"exit", swing.StatusExited, "", []any{exits(true)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range []style{reference, {language: "c", interpreter: true, restart: true}} {
				endsWith(t, s, c.status, c.problem, c.script)
			}
		})
	}
}
