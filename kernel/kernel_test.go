package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// TestMessageAndAnswer: a message is delivered, its result resolved, the
// embedder's output reported, and the promise gone from the vat's c-list.
func TestMessageAndAnswer(t *testing.T) {
	w := newWorld(t)
	id, root := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		answer(call, d.Message.Result, text("42"))
		return done
	}))
	result := w.send(root, "ask")
	w.promiseIs(result, kernel.Unresolved, "")
	w.run()
	w.expect("v1 message o+0.ask() -> p-60")
	w.promiseIs(result, kernel.Fulfilled, "42")
	if len(w.outputs) != 1 || w.outputs[0].Promise != result {
		t.Errorf("outputs %v, want %s alone", w.outputs, result)
	}
	if got := w.clist(id); !slices.Equal(got, []string{"ko20=o+0"}) {
		t.Errorf("c-list %v", got)
	}
	if _, err := w.k.Release(w.b, result); err != nil {
		t.Fatal(err)
	}
	w.check()
	if _, ok := kernel.LookupPromise(w.b, result); ok {
		t.Errorf("%s lives on, though nobody holds it", result)
	}
}

// TestNotifyRetiresPromises: an asker subscribes, is told once, and both
// c-lists forget the promise; a later mention is a new import.
func TestNotifyRetiresPromises(t *testing.T) {
	w := newWorld(t)
	server, serverRoot := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		answer(call, d.Message.Result, text("pong"))
		return done
	}))
	asker, askerRoot := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		call(send(d.Message.Args.Slots[0], "ping", "p+1"))
		call(subscribe("p+1"))
		return done
	}))
	w.send(askerRoot, "go", serverRoot)
	w.run()
	w.expect("v2 message o+0.go(o-50) -> p-60", "v1 message o+0.ping() -> p-60",
		"v2 notify p+1 = pong")
	for _, id := range []swing.VatID{server, asker} {
		if refs := strings.Join(w.clist(id), " "); strings.Contains(refs, "=p+1") {
			t.Errorf("%s still has %s", id, refs)
		}
	}
	w.send(askerRoot, "go", serverRoot)
	w.run()
	w.expect("v2 message o+0.go(o-50) -> p-61", "v1 message o+0.ping() -> p-61",
		"v2 notify p+1 = pong")
}

// TestOrderThroughAPromise: what waits on a promise arrives in the order it
// was sent, ahead of what is sent to the object afterwards.
func TestOrderThroughAPromise(t *testing.T) {
	w := newWorld(t)
	_, target := w.vat(onMessage(func(delivery, func(syscall) []byte) outcome { return done }))
	_, broker := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		answer(call, d.Message.Result, swing.ReferenceTo(d.Message.Args.Slots[0]))
		return done
	}))
	_, sender := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		broker, target := d.Message.Args.Slots[0], d.Message.Args.Slots[1]
		call(send(broker, "lookup", "p+1", target))
		for i := range 3 {
			call(send("p+1", fmt.Sprint("m", i), ""))
		}
		return done
	}))
	w.send(sender, "go", broker, target)
	w.run()
	w.expect("v3 message o+0.go([o-50 o-51]) -> p-60",
		"v2 message o+0.lookup(o-50) -> p-60",
		"v1 message o+0.m0()", "v1 message o+0.m1()", "v1 message o+0.m2()")
}

// TestMessagesToSettledPromises: a fulfilled promise forwards to its object or
// says that data is not callable; a rejected one rejects alike.
func TestMessagesToSettledPromises(t *testing.T) {
	w := newWorld(t)
	_, root := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		r := swing.Resolution[swing.VRef]{Promise: d.Message.Result}
		switch d.Message.Method {
		case "object":
			r.Data = swing.ReferenceTo(swing.RootVRef)
		case "data":
			r.Data = text("seven")
		case "broken":
			r.Rejected, r.Data = true, text("no")
		case "hello":
			r.Data = text("hi")
		}
		call(syscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[swing.VRef]{r}})
		return done
	}))
	for _, method := range []string{"object", "data", "broken"} {
		first := w.send(root, method)
		early := w.send(first, "hello") // while unresolved
		w.run()
		late := w.send(first, "hello") // when settled
		w.run()
		for _, p := range []swing.KRef{early, late} {
			switch method {
			case "object":
				w.promiseIs(p, kernel.Fulfilled, "hi")
			case "data":
				w.promiseIs(p, kernel.Rejected,
					`#{"#error":"data is not callable, has no method hello","name":"Error"}`)
			case "broken":
				w.promiseIs(p, kernel.Rejected, "no")
			}
		}
	}
}

// TestCyclesAreNotifiedInOnePiece: two promises that contain each other are
// delivered together, and a promise never heard of comes with its resolution.
func TestCyclesAreNotifiedInOnePiece(t *testing.T) {
	w := newWorld(t)
	_, maker := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		a, b := d.Message.Result, swing.VRef("p+7")
		call(syscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[swing.VRef]{
			{Promise: a, Data: capData{Body: []byte("A"), Slots: []swing.VRef{b}}},
			{Promise: b, Data: capData{Body: []byte("B"), Slots: []swing.VRef{a}}},
		}})
		return done
	}))
	asker, root := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		call(send(d.Message.Args.Slots[0], "make", "p+1"))
		call(subscribe("p+1"))
		return done
	}))
	w.send(root, "go", maker)
	w.run()
	w.expect("v2 message o+0.go(o-50) -> p-60", "v1 message o+0.make() -> p-60",
		"v2 notify p+1 = A [p-61], p-61 = B [p+1]")
	if got := w.clist(asker); slices.ContainsFunc(got, func(s string) bool {
		return strings.HasSuffix(s, "=p+1") || strings.HasSuffix(s, "=p-61")
	}) {
		t.Errorf("c-list keeps resolved promises: %v", got)
	}
}

// TestSubscribeToASettledPromise: the notice comes at once.
func TestSubscribeToASettledPromise(t *testing.T) {
	w := newWorld(t)
	_, server := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		answer(call, d.Message.Result, text("x"))
		return done
	}))
	_, root := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		call(subscribe(d.Message.Args.Slots[0]))
		call(subscribe(d.Message.Args.Slots[0]))
		return done
	}))
	settled := w.send(server, "now")
	w.run()
	w.log = nil
	w.send(root, "watch", settled)
	w.run()
	w.expect("v2 message o+0.watch(p-60) -> p-61", "v2 notify p-60 = x")
}

// TestIllegalSyscalls: each rule broken alone ends the vat and rolls the crank
// back, whatever legal syscalls surrounded it; the sender is told, others go on.
func TestIllegalSyscalls(t *testing.T) {
	resolve := func(rs ...swing.Resolution[swing.VRef]) syscall {
		return syscall{Op: swing.OpResolve, Resolutions: rs}
	}
	settle := func(p swing.VRef) swing.Resolution[swing.VRef] {
		return swing.Resolution[swing.VRef]{Promise: p}
	}
	bare := func(p, to swing.VRef) swing.Resolution[swing.VRef] {
		return swing.Resolution[swing.VRef]{Promise: p, Data: swing.ReferenceTo(to)}
	}
	rows := []struct {
		says  string
		calls []syscall
	}{
		{"o-99 is not in the c-list", []syscall{send("o-99", "x", "")}},
		{"p-99 is not in the c-list", []syscall{subscribe("p-99")}},
		{"o-98 is not in the c-list", []syscall{send("o-50", "x", "", "o-98")}},
		{"o-50 is no promise", []syscall{subscribe("o-50")}},
		{"o+0 is no promise", []syscall{resolve(settle("o+0"))}},
		{"result p-60 is no promise of the vat's own", []syscall{send("o-50", "x", "p-60")}},
		{"result o+4 is no promise", []syscall{send("o-50", "x", "o+4")}},
		{"result p+1 is not a new promise",
			[]syscall{send("o-50", "x", "p+1"), send("o-50", "x", "p+1")}},
		{"result p+1 is not a new promise", []syscall{send("o-50", "x", "p+1", "p+1")}},
		{"does not decide", []syscall{resolve(settle("p-60"))}},
		{"does not decide", []syscall{send("o-50", "x", "p+1"), resolve(settle("p+1"))}},
		{"p-61 is not in the c-list", []syscall{resolve(settle("p-61")), resolve(settle("p-61"))}},
		{"p-61 is resolved twice", []syscall{resolve(settle("p-61"), settle("p-61"))}},
		{"a promise cannot be fulfilled with a promise", []syscall{resolve(bare("p-61", "p-60"))}},
		{"an empty vatstore key", []syscall{{Op: swing.OpVatstoreGet}}},
		{"limit 1024", []syscall{{Op: swing.OpVatstoreDelete, Key: make([]byte, 1025)}}},
		{"limit 1048576", []syscall{{Op: swing.OpExit, Info: capData{Body: make([]byte, 1<<20+1)}}}},
	}
	for _, r := range rows {
		t.Run(strings.ReplaceAll(r.says, " ", "-"), func(t *testing.T) {
			w := newWorld(t)
			_, other := w.vat(idle)
			bad, root := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
				call(send("o-50", "farewell", ""))
				call(syscall{Op: swing.OpVatstoreSet, Key: []byte("k"), Value: []byte("v")})
				for _, s := range r.calls {
					call(s)
				}
				return done
			}))
			result := w.send(root, "go", other, w.send(other, "never"))
			w.run()
			w.expectDeath(bad, r.says)
			w.promiseIs(result, kernel.Rejected, vatTerminated)
			if _, ok := vatkeeper.New(bad, w.b).Vatstore(100).Get([]byte("k")); ok {
				t.Error("a vatstore write of the rolled-back crank survived")
			}
			if slices.ContainsFunc(w.log, func(s string) bool { return strings.Contains(s, "farewell") }) {
				t.Error("a send of the rolled-back crank was delivered")
			}
		})
	}
}

// expectDeath checks that a vat is dead of an outcome that says why, that its
// worker was discarded and that its last entry records it.
func (w *world) expectDeath(id swing.VatID, says string) {
	w.t.Helper()
	vk := vatkeeper.New(id, w.b)
	if vk.Alive() || !slices.Contains(w.discarded, id) {
		w.t.Fatalf("%s is alive %v, discarded %v", id, vk.Alive(), w.discarded)
	}
	items := w.items[id]
	e, err := transcript.Decode(items[len(items)-1])
	if err != nil || e.Outcome.OK() || !strings.Contains(e.Outcome.String(), says) {
		w.t.Fatalf("%s died of %v (%v), want %q", id, e.Outcome, err, says)
	}
}

// TestMalformedRequest: bytes that are no request, and syscalls that do not
// exist, are the vat's fault like any other.
func TestMalformedRequest(t *testing.T) {
	for _, op := range []swing.Op{0, 5, 99, swing.OpSend, swing.OpVatstoreGet} {
		w := newWorld(t)
		id, root := w.vat(idle)
		result := w.send(root, "go")
		w.k = kernel.New(w.b, rawVats{w, op}, nil)
		w.run()
		w.expectDeath(id, "syscall 0")
		w.promiseIs(result, kernel.Rejected, vatTerminated)
	}
}

// rawVats sends one syscall with bytes that decode to nothing.
type rawVats struct {
	*world
	op swing.Op
}

func (r rawVats) Deliver(
	_ context.Context, _ swing.VatID, _ uint64, _ []byte, _ uint64, sys swing.Syscaller,
) (outcome, error) {
	if _, ok := sys.Syscall(r.op, []byte{0xff}); !ok {
		return outcome{Status: swing.StatusIllegal}, nil
	}
	return done, nil
}

// TestVatFaults: a failure or a trap ends the vat the same way.
func TestVatFaults(t *testing.T) {
	for _, o := range []outcome{
		{Status: swing.StatusFailed, Problem: "no luck"},
		{Status: swing.StatusTrapped, Problem: "unreachable"},
	} {
		w := newWorld(t)
		_, other := w.vat(idle)
		bad, root := w.vat(onMessage(func(_ delivery, call func(syscall) []byte) outcome {
			call(send("o-50", "farewell", ""))
			return o
		}))
		first, second := w.send(root, "one", other), w.send(root, "two")
		w.run()
		w.expectDeath(bad, o.Problem)
		w.promiseIs(first, kernel.Rejected, vatTerminated)
		w.promiseIs(second, kernel.Rejected, vatTerminated)
		end, _ := vatkeeper.New(bad, w.b).End()
		if !end.Failure || !strings.Contains(string(end.Info.Body), o.Problem) {
			t.Errorf("end %v", end)
		}
	}
}

// TestExit: asked for as a success, what the crank did stands; as a failure,
// it does not. Either way the vat is gone and its promises are rejected.
func TestExit(t *testing.T) {
	for _, failure := range []bool{false, true} {
		w := newWorld(t)
		_, other := w.vat(idle)
		id, root := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
			if d.Message.Method == "keep" {
				return done
			}
			call(send("o-50", "farewell", ""))
			call(syscall{Op: swing.OpExit, Failure: failure, Info: text("why")})
			return done
		}))
		kept := w.send(root, "keep", other)
		result := w.send(root, "leave")
		w.run()
		farewell := slices.Contains(w.log, "v1 message o+0.farewell()")
		if farewell == failure || vatkeeper.New(id, w.b).Alive() {
			t.Errorf("failure %v: farewell sent %v", failure, farewell)
		}
		end, _ := vatkeeper.New(id, w.b).End()
		if end.Failure != failure || string(end.Info.Body) != "why" {
			t.Errorf("failure %v: end %v %q", failure, end.Failure, end.Info.Body)
		}
		w.promiseIs(kept, kernel.Rejected, vatTerminated)
		w.promiseIs(result, kernel.Rejected, vatTerminated)
	}
}

// TestExitWithReferences: what a vat leaves with is held by its end, until the
// vat's rows have been removed; then its words remain.
func TestExitWithReferences(t *testing.T) {
	w := newWorld(t)
	_, other := w.vat(idle)
	id, root := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		info := capData{Body: []byte("heir"), Slots: d.Message.Args.Slots}
		call(syscall{Op: swing.OpExit, Info: info})
		return done
	}))
	w.send(root, "leave", other)
	for vatkeeper.New(id, w.b).Alive() {
		w.crank()
	}
	if end, ok := vatkeeper.New(id, w.b).End(); !ok || !slices.Equal(end.Info.Slots, []swing.KRef{other}) {
		t.Errorf("end %v, %v", end, ok)
	}
	w.run()
	if end, ok := vatkeeper.New(id, w.b).End(); !ok || string(end.Info.Body) != "heir" || end.Info.Slots != nil {
		t.Errorf("end %v, %v", end, ok)
	}
}

// TestDeadVatsReject: messages and notices to the dead are seen to without them.
func TestDeadVatsReject(t *testing.T) {
	w := newWorld(t)
	id, root := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		call(send("o+0", "self", "p+1"))
		call(subscribe("p+1"))
		return done
	}))
	queued := w.send(root, "go")
	w.crank() // start: accept
	if _, err := w.k.Terminate(w.b, id, "operator"); err != nil {
		t.Fatal(err)
	}
	later := w.send(root, "more")
	w.run()
	w.promiseIs(queued, kernel.Rejected, vatTerminated)
	w.promiseIs(later, kernel.Rejected, vatTerminated)
	w.expect()
	if _, err := w.k.Terminate(w.b, id, "again"); !errors.Is(err, kernel.ErrInput) {
		t.Errorf("terminated twice: %v", err)
	}
}

// TestWorldErrorIsNoCrank: when a worker cannot be had the buffer is byte for
// byte as before, and the same crank succeeds later.
func TestWorldErrorIsNoCrank(t *testing.T) {
	w := newWorld(t)
	_, root := w.vat(idle)
	w.send(root, "go")
	w.broken = errWorld
	for {
		before := maps.Clone(w.b.rows)
		r, err := w.k.Crank(context.Background(), w.b)
		if err == nil && r.Kind == kernel.Routing {
			continue
		}
		if !errors.Is(err, errWorld) || !maps.Equal(before, w.b.rows) {
			t.Fatalf("got %v, %v; state kept %v", r, err, maps.Equal(before, w.b.rows))
		}
		break
	}
	w.broken = nil
	w.run()
	w.expect("v1 message o+0.go() -> p-60")
}

// TestHold: a held vat's deliveries wait in order while others go on, and come
// back ahead of what was queued later.
func TestHold(t *testing.T) {
	w := newWorld(t)
	id, root := w.vat(idle)
	_, other := w.vat(idle)
	w.run()
	if err := w.k.Hold(w.b, id); err != nil {
		t.Fatal(err)
	}
	w.send(root, "a")
	w.send(other, "x")
	w.send(root, "b")
	w.run()
	w.expect("v2 message o+0.x() -> p-60")
	if n, ok := kernel.Held(w.b, id); n != 2 || !ok {
		t.Fatalf("%d held, %v", n, ok)
	}
	w.send(root, "c")
	for w.crank().Kind == kernel.Routing && kernel.ReadCounters(w.b).Runnable == 0 {
	}
	if err := w.k.Unhold(w.b, id); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.expect("v1 message o+0.a() -> p-60", "v1 message o+0.b() -> p-61",
		"v1 message o+0.c() -> p-62")
	if err := w.k.Unhold(w.b, id); !errors.Is(err, kernel.ErrInput) {
		t.Errorf("unheld twice: %v", err)
	}
}

// TestRefusedInputsChangeNothing: each bad input is refused with its reason,
// and the state is byte for byte what it was.
func TestRefusedInputsChangeNothing(t *testing.T) {
	w := newWorld(t)
	_, root := w.vat(idle)
	if _, _, err := w.k.CreateVat(w.b, kernel.VatSpec{Name: "bob"}); err != nil {
		t.Fatal(err)
	}
	create := func(s kernel.VatSpec) error { _, _, err := w.k.CreateVat(w.b, s); return err }
	send := func(target swing.KRef, m kmessage) error { _, err := w.k.Send(w.b, target, m, true); return err }
	big := kcap{Body: make([]byte, 1<<20+1)}
	rows := []struct {
		says string
		do   func() error
	}{
		{"taken by v2", func() error { return create(kernel.VatSpec{Name: "bob"}) }},
		{"only letters", func() error { return create(kernel.VatSpec{Name: "a/b"}) }},
		{"limit 200", func() error { return create(kernel.VatSpec{Name: strings.Repeat("x", 201)}) }},
		{"no ko99", func() error { return create(kernel.VatSpec{Params: kcap{Slots: []swing.KRef{"ko99"}}}) }},
		{"limit 1048576", func() error { return create(kernel.VatSpec{Params: big}) }},
		{"no ko99", func() error { return send("ko99", kmessage{}) }},
		{"no kref", func() error { return send("crank", kmessage{}) }},
		{"no kp99", func() error { return send(root, kmessage{Args: kcap{Slots: []swing.KRef{"kp99"}}}) }},
		{"limit 1048576", func() error { return send(root, kmessage{Args: big}) }},
		{"limit 1024", func() error { return send(root, kmessage{Method: strings.Repeat("m", 1025)}) }},
		{"kernel makes", func() error { return send(root, kmessage{Result: "kp40"}) }},
		{"not held", func() error { _, err := w.k.Release(w.b, "ko99"); return err }},
		{"is before", func() error { _, err := w.k.SetTime(w.b, 5); return err }},
		{"no live vat", func() error { _, err := w.k.Terminate(w.b, "v99", ""); return err }},
		{"no live vat", func() error { return w.k.Hold(w.b, "crank") }},
		{"is not held", func() error { return w.k.Unhold(w.b, "v1") }},
	}
	for _, r := range rows {
		before := maps.Clone(w.b.rows)
		err := r.do()
		if !errors.Is(err, kernel.ErrInput) || !strings.Contains(err.Error(), r.says) {
			t.Errorf("got %v, want it to say %q", err, r.says)
		}
		if !maps.Equal(before, w.b.rows) {
			t.Errorf("%s: the state changed", r.says)
		}
	}
}

// TestRefusedOptions: a kernel whose deliveries could use nothing is not made.
func TestRefusedOptions(t *testing.T) {
	for _, spoil := range []func(*kernel.Options){
		func(o *kernel.Options) { o.Limits.Fuel = 0 },
		func(o *kernel.Options) { o.Limits.Depth = 0 },
		func(o *kernel.Options) { o.Limits.Fuel = -1 },
		func(o *kernel.Options) { o.ReapFuel = kernel.Never + 1 },
	} {
		o := kernel.Options{Seed: "test", Limits: swing.DefaultLimits()}
		spoil(&o)
		b := newBuffer()
		if err := kernel.Init(b, o); !errors.Is(err, kernel.ErrInput) || len(b.rows) > 0 {
			t.Errorf("%+v: %v, %d rows", o, err, len(b.rows))
		}
	}
}

// TestVatstore: reads see the delivery's own writes, in byte order, and stay
// inside the vat.
func TestVatstore(t *testing.T) {
	w := newWorld(t)
	key := func(s string) []byte { return []byte(s) }
	var got []string
	prog := onMessage(func(_ delivery, call func(syscall) []byte) outcome {
		for _, k := range []string{"b", "a", "\xff", "c"} {
			call(syscall{Op: swing.OpVatstoreSet, Key: key(k), Value: key("v" + k)})
		}
		call(syscall{Op: swing.OpVatstoreDelete, Key: key("c")})
		call(syscall{Op: swing.OpVatstoreDelete, Key: key("never")})
		for k := key(""); ; {
			next, found, err := swing.DecodeAnswer(call(syscall{Op: swing.OpVatstoreNextKey, Key: k}))
			if err != nil || !found {
				break
			}
			v, _, _ := swing.DecodeAnswer(call(syscall{Op: swing.OpVatstoreGet, Key: next}))
			got, k = append(got, string(v)), next
		}
		if a := call(syscall{Op: swing.OpVatstoreGet, Key: key("c")}); len(a) != 1 {
			t.Errorf("a deleted key answers %x", a)
		}
		return done
	})
	_, one := w.vat(prog)
	_, ten := w.vat(prog)
	w.send(one, "go")
	w.send(ten, "go")
	w.run()
	if want := []string{"va", "vb", "v\xff", "va", "vb", "v\xff"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSpanChainsEveryItem: the span in the hashed state is the chain over the
// items reported.
func TestSpanChainsEveryItem(t *testing.T) {
	w := newWorld(t)
	id, root := w.vat(idle)
	for range 5 {
		w.send(root, "x")
	}
	w.run()
	var want transcript.Span
	for _, item := range w.items[id] {
		want = want.Extend(item)
	}
	if got := vatkeeper.New(id, w.b).Span(); got != want || got.End != 6 {
		t.Errorf("span %v, want %v", got, want)
	}
}

// TestRecountFindsPlantedFaults: the check that every other test relies on
// sees each kind of wrong row.
func TestRecountFindsPlantedFaults(t *testing.T) {
	plant := map[string]func(b *buffer){
		"count of an object":  func(b *buffer) { b.rows["ko20"] = string(append([]byte(b.rows["ko20"][:3+1]), 9, 9)) },
		"count of a promise":  func(b *buffer) { b.rows["kp40"] = strings.Replace(b.rows["kp40"], "\x00\x02", "\x00\x03", 1) },
		"a pin lost":          func(b *buffer) { b.Delete("pin.ko20") },
		"a vref lost":         func(b *buffer) { b.Delete("v1.r.o+0") },
		"a kref lost":         func(b *buffer) { b.Delete("v1.c.ko20") },
		"a vref astray":       func(b *buffer) { b.rows["v2.r.o-50"] = "ko99" },
		"an owner wrong":      func(b *buffer) { b.rows["ko20"] = strings.Replace(b.rows["ko20"], "v1", "v2", 1) },
		"a queue row lost":    func(b *buffer) { key, _ := b.Next("acceptance.", ""); b.Delete(key) },
		"an object row lost":  func(b *buffer) { b.Delete("ko20") },
		"a promise row lost":  func(b *buffer) { b.Delete("kp40") },
		"an object too many":  func(b *buffer) { b.Set("ko99", []byte("\x83\xf6\x01\x01")) },
		"a promise too many":  func(b *buffer) { b.Set("kp99", []byte("\x85\x00\x01\xf6\xf6\xf6")) },
		"a subscriber astray": func(b *buffer) { b.rows["kp40"] = "\x85\x00\x02\xf6\x62v1\x62v1" },
		"a subscriber's row":  func(b *buffer) { b.Set("kp40.s.v2", []byte("v1")) },
		"a broken chain":      func(b *buffer) { b.rows["kp40"] = "\x85\x00\x02\xf6\x62v2\x62v1" },
		"an account astray":   func(b *buffer) { b.Set("v1.n", []byte("\x83\x01\x00\x00")) },
		"a chore without row": func(b *buffer) {
			b.Set("chores", []byte("\x82\x00\x01"))
			b.Set("chores.0000000000000000", []byte("v1"))
		},
		"a row without chore": func(b *buffer) { b.Set("chore.0000000000000001", nil) },
		"an action forgotten": func(b *buffer) { b.Set("gc.0000000000000001.4.0000000000000014", nil) },
		"a reap forgotten":    func(b *buffer) { b.Set("reap.0000000000000001", nil) },
		"parameters too many": func(b *buffer) { b.Set("v1.a", []byte("\x82\x40\x81\x64ko20")) },
	}
	for _, name := range slices.Sorted(maps.Keys(plant)) {
		w := newWorld(t)
		_, root := w.vat(idle)
		_, other := w.vat(idle, root)
		w.run()
		w.send(other, "wait")
		plant[name](w.b)
		if len(kernel.Check(w.b)) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}
