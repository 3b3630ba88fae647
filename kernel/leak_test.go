package kernel_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/tidwall/btree"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// logged is a buffer that undoes by a journal and keeps its keys in order: with the dumb
// one, copied whole at every savepoint, so many cranks would take minutes.
type logged struct {
	rows    btree.Map[string, string]
	journal []undo
}

type undo struct {
	key, value string
	was        bool
}

func (l *logged) Get(key string) ([]byte, bool) {
	v, ok := l.rows.Get(key)
	return []byte(v), ok
}

func (l *logged) Set(key string, value []byte) {
	before, was := l.rows.Set(key, string(value))
	l.journal = append(l.journal, undo{key, before, was})
}

func (l *logged) Delete(key string) {
	before, was := l.rows.Delete(key)
	l.journal = append(l.journal, undo{key, before, was})
}

func (l *logged) Next(after, end string) (next string, ok bool) {
	l.rows.Ascend(after, func(key, _ string) bool {
		next, ok = key, key > after && (end == "" || key < end)
		return key == after
	})
	if !ok {
		return "", false
	}
	return next, ok
}

func (l *logged) Savepoint() int { return len(l.journal) }

func (l *logged) Rollback(savepoint int) {
	for i := len(l.journal) - 1; i >= savepoint; i-- {
		if u := l.journal[i]; u.was {
			l.rows.Set(u.key, u.value)
		} else {
			l.rows.Delete(u.key)
		}
	}
	l.journal = l.journal[:savepoint]
}

// Seal makes no hash: nothing here asks for one.
func (l *logged) Seal() swing.Hash {
	l.journal = l.journal[:0]
	return swing.Hash{}
}

// mayDiffer are the rows that a life leaves changed: the kernel's counters and the
// bounds of its queues; of a vat its counters, its transcript's span and its dirt.
var mayDiffer = regexp.MustCompile(
	`^(crank|ids|time|cleaned|acceptance|run|chores|cleanup|v\d+\.[isd]|device\.timer\.v\.n)$`)

// mayStay are rows that ends of vats leave: what each was made with, how far its
// transcript goes, how it ended.
var mayStay = regexp.MustCompile(`^v\d+\.[osx]$`)

// tenants is a world in which a round makes and drops all that can be made. It has an
// owner, a keeper that is handed things, and vats that come and go.
type tenants struct {
	t        *testing.T
	b        *logged
	k        *kernel.Kernel
	programs map[swing.VatID]program
	owner    swing.KRef
	rounds   int
	// told counts deliveries by kind, did what else happened.
	told map[swing.DeliveryKind]int
	did  map[string]int
	// What the owner has: its next exports, and whom it knows.
	objects, promises    int
	admin, timer, keeper swing.VRef
}

func newTenants(t *testing.T) *tenants {
	x := &tenants{
		t: t, b: &logged{}, programs: map[swing.VatID]program{},
		told: map[swing.DeliveryKind]int{}, did: map[string]int{},
	}
	initKernel(t, x.b, kernel.Options{
		Seed: "leaks", Limits: swing.DefaultLimits(),
		Schedule: kernel.Schedule{ReapDeliveries: 50, ReapRefs: 20},
	})
	x.k = kernel.New(x.b, x, someDevices())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(x.k.Install(x.b, codeOf("tenant"), "tenant"))
	timer, err := x.k.AddDevice(x.b, "timer")
	must(err)
	id, keeper, err := x.k.CreateVat(x.b, kernel.VatSpec{})
	must(err)
	x.programs[id] = x.keep
	params := kcap{Slots: []swing.KRef{kernel.AdminRef, timer, keeper}}
	id, x.owner, err = x.k.CreateVat(x.b, kernel.VatSpec{Params: params})
	must(err)
	x.programs[id] = x.own
	return x
}

// Discard implements kernel.Vats.
func (*tenants) Discard(swing.VatID) {}

// Deliver implements kernel.Vats. Vats that it has no program of were made by the owner.
func (x *tenants) Deliver(
	_ context.Context, id swing.VatID, _ uint64, b []byte, _ uint64, sys swing.Syscaller,
) (outcome, error) {
	d, err := swing.DecodeDelivery[swing.VRef](b)
	if err != nil {
		return outcome{}, err
	}
	x.told[d.Kind]++
	run, ok := x.programs[id]
	if !ok {
		run = x.tenant
	}
	out := run(d, func(s syscall) []byte {
		answer, ok := sys.Syscall(s.Op, swing.AppendRequest(nil, s))
		if !ok && err == nil {
			err = fmt.Errorf("%s: %v was refused", id, s)
		}
		return answer
	})
	return out, err
}

// tenant is a vat that is made and ended: it leaves objects, promises and rows behind,
// and fails by itself every third time.
func (x *tenants) tenant(d delivery, call func(syscall) []byte) outcome {
	if d.Kind != swing.DeliverMessage {
		return done
	}
	call(syscall{Op: swing.OpVatstoreSet, Key: []byte("k"), Value: []byte("v")})
	call(send(d.Message.Args.Slots[0], "keep", "p+1", "o+1", "p+2"))
	call(subscribe("p+1"))
	if x.rounds%3 == 0 {
		return outcome{Status: swing.StatusTrapped, Problem: "unreachable"}
	}
	return done
}

// forget drops and retires what a message brought, promises excepted; or it only drops
// it, and goes on recognizing it.
func forget(slots []swing.VRef, call func(syscall) []byte, ops ...swing.Op) {
	var refs []swing.VRef
	for _, v := range slots {
		if v.Kind() == swing.Object && !v.Exported() {
			refs = append(refs, v)
		}
	}
	for _, op := range ops {
		if len(refs) > 0 {
			call(syscall{Op: op, Refs: refs})
		}
	}
}

// keep is the keeper, which takes what it is handed: it asks about promises, forgets objects, answers.
func (x *tenants) keep(d delivery, call func(syscall) []byte) outcome {
	switch d.Kind {
	case swing.DeliverMessage:
		for _, v := range d.Message.Args.Slots {
			if v.Kind() == swing.Promise {
				call(subscribe(v))
			}
		}
		if r := d.Message.Result; r != "" {
			answer(call, r, capData{Body: []byte("#0"), Slots: d.Message.Args.Slots})
		}
		if d.Message.Method == "keep" { // until its vat ends
			forget(d.Message.Args.Slots, call, swing.OpDropImports)
		} else {
			forget(d.Message.Args.Slots, call, swing.OpDropImports, swing.OpRetireImports)
		}
	case swing.DeliverNotify:
		for _, r := range d.Resolutions {
			forget(r.Data.Slots, call, swing.OpDropImports, swing.OpRetireImports)
		}
	}
	return done
}

// own is the owner, which does something when it is told to, once a round. It holds the
// admin object, the timer and the keeper from its start.
func (x *tenants) own(d delivery, call func(syscall) []byte) outcome {
	switch d.Kind {
	case swing.DeliverStartVat:
		x.admin, x.timer, x.keeper = d.Params.Slots[0], d.Params.Slots[1], d.Params.Slots[2]
	case swing.DeliverMessage:
		if x.did[d.Message.Method]++; d.Message.Method == "round" {
			x.round(call)
			x.wakeUps(call)
			answer(call, d.Message.Result, text("#0"))
		}
	case swing.DeliverNotify:
		for _, r := range d.Resolutions {
			x.answered(r, call)
		}
	}
	return done
}

func (x *tenants) export(kind swing.RefKind) swing.VRef {
	if kind == swing.Object {
		x.objects++
		return swing.VRef(fmt.Sprintf("o+%d", x.objects))
	}
	x.promises++
	return swing.VRef(fmt.Sprintf("p+%d", x.promises))
}

// round makes an object and a promise that the keeper is handed, and a vat.
func (x *tenants) round(call func(syscall) []byte) {
	object, promise := x.export(swing.Object), x.export(swing.Promise)
	result := x.export(swing.Promise)
	call(send(x.keeper, "take", result, object, promise))
	call(subscribe(result))
	answer(call, promise, capData{Body: []byte("#0"), Slots: []swing.VRef{object}})

	result = x.export(swing.Promise)
	create := send(x.admin, "createVat", result)
	create.Message.Args.Body = swing.AppendText(swing.AppendArray(nil, 1), "tenant")
	call(create)
	call(subscribe(result))
}

// wakeUps has the timer hold an object twice; one of the two is cancelled.
func (x *tenants) wakeUps(call func(syscall) []byte) {
	handler := x.export(swing.Object)
	for _, duration := range []uint64{10, 1 << 40} {
		delay := send(x.timer, "delay", "")
		delay.Op = swing.OpCall
		body := swing.AppendUint(swing.AppendArray(nil, 2), duration)
		delay.Message.Args = capData{Body: swing.AppendNull(body), Slots: []swing.VRef{handler}}
		told, err := swing.DecodeCallAnswer[swing.VRef](call(delay))
		if err != nil || told.Failed {
			x.t.Fatalf("delay: %v %v", told, err)
		}
		if duration > 10 {
			cancel := send(x.timer, "cancel", "")
			cancel.Op, cancel.Message.Args.Body = swing.OpCall, told.Data.Body
			call(cancel)
		}
	}
}

// answered sees to an answer: a vat that has been made is used, watched and ended.
func (x *tenants) answered(r swing.Resolution[swing.VRef], call func(syscall) []byte) {
	slots := r.Data.Slots
	if r.Rejected || len(slots) != 2 || slots[0].Exported() || slots[1].Exported() {
		x.did[fmt.Sprintf("rejected=%v", r.Rejected)]++
		return
	}
	x.did["made"]++
	root, node := slots[0], slots[1]
	call(send(root, "live", "", x.keeper))
	result := x.export(swing.Promise)
	call(send(node, "done", result))
	call(subscribe(result))
	if x.rounds%3 != 0 { // else it fails by itself
		call(send(x.keeper, "later", "", root)) // whose message to it will bounce
		call(send(node, "terminate", ""))
	}
	forget(slots, call, swing.OpDropImports, swing.OpRetireImports)
}

// play has rounds until there were so many cranks, and lets the last wake-up come.
func (x *tenants) play(cranks int) {
	for n := 0; n < cranks; x.rounds++ {
		result, err := x.k.Send(x.b, x.owner, kmessage{Method: "round"}, true)
		if err == nil {
			_, err = x.k.Release(x.b, result)
		}
		if err != nil {
			x.t.Fatal(err)
		}
		n += x.settle()
		if _, err := x.k.SetTime(x.b, timeZero+uint64(x.rounds+1)*100); err != nil {
			x.t.Fatal(err)
		}
	}
	x.settle()
}

// settle cranks until nothing is left to do, and returns how many cranks that took.
func (x *tenants) settle() (cranks int) {
	for {
		r, err := x.k.Crank(x.t.Context(), x.b)
		if err != nil {
			x.t.Fatal(err)
		}
		if r.Kind == kernel.Idle {
			return cranks
		}
		cranks++
	}
}

func (x *tenants) state() map[string]string {
	rows := map[string]string{}
	x.b.rows.Scan(func(key, value string) bool {
		rows[key] = value
		return true
	})
	return rows
}

// TestNothingLeaks: objects, promises, what a device holds, and vats made by a vat come
// and go for many cranks. When all is quiet the tables are what they were: the same
// rows with the same values, but for counters, and for the few rows that stay of a vat
// that has ended.
func TestNothingLeaks(t *testing.T) {
	cranks := 100_000
	if testing.Short() {
		cranks = 10_000
	}
	x := newTenants(t)
	x.play(1000)
	before := x.state()
	x.play(cranks)
	after := x.state()
	for _, key := range slices.Sorted(maps.Keys(after)) {
		was, known := before[key]
		switch {
		case !known && !mayStay.MatchString(key):
			t.Errorf("%s is left", key)
		case known && was != after[key] && !mayDiffer.MatchString(key):
			t.Errorf("%s was %q, is %q", key, was, after[key])
		}
	}
	for key := range before {
		if _, known := after[key]; !known {
			t.Errorf("%s is gone", key)
		}
	}
	for _, f := range kernel.Check(x.b) {
		t.Errorf("recount: %v", f)
	}
	t.Logf("%d rounds, %d rows: %v %v", x.rounds, len(after), x.told, x.did)
}
