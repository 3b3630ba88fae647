package kernel_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// monitor is the oracle of what vats may reach. Each object and promise has a
// token known only to the programs; a message's body spells the tokens of its
// slots, so both ends can tell whether a reference still means the same thing
// after crossing two c-lists.
type monitor struct {
	*world
	rng    *rand.Rand
	tokens int
	cranks int
}

// dweller is one random program's knowledge: what its vrefs denote.
type dweller struct {
	m        *monitor
	known    map[swing.VRef]string
	decides  []swing.VRef
	next     int // number of its next export
	vatstore map[string]string
}

func (m *monitor) token() string {
	m.tokens++
	return fmt.Sprint("t", m.tokens)
}

// export names a new object or promise of the dweller's own.
func (dw *dweller) export(kind byte) swing.VRef {
	dw.next++
	v := swing.VRef(fmt.Sprintf("%c+%d", kind, dw.next))
	dw.known[v] = dw.m.token()
	return v
}

// any returns a vref the dweller may use.
func (dw *dweller) any() swing.VRef {
	refs := slices.Sorted(maps.Keys(dw.known))
	if i := dw.m.rng.IntN(len(refs) + 2); i < len(refs) {
		return refs[i]
	}
	return dw.export('o')
}

// data makes capdata whose body spells its slots.
func (dw *dweller) data(n int) (c capData) {
	var words []string
	for range n {
		v := dw.any()
		c.Slots = append(c.Slots, v)
		words = append(words, dw.known[v])
	}
	c.Body = []byte("#" + strings.Join(words, ","))
	return c
}

// learn checks capdata that came in against what the dweller knows.
func (dw *dweller) learn(c capData) {
	if len(c.Body) == 0 || c.Body[0] != '#' || strings.HasPrefix(string(c.Body), "#{") {
		return
	}
	var words []string
	if len(c.Body) > 1 {
		words = strings.Split(string(c.Body[1:]), ",")
	}
	if len(words) != len(c.Slots) {
		dw.m.t.Fatalf("body %s with %d slots", c.Body, len(c.Slots))
	}
	for i, v := range c.Slots {
		if known, ok := dw.known[v]; ok && known != words[i] {
			dw.m.t.Fatalf("crank %d: %s denotes %s, was %s", dw.m.cranks, v, words[i], known)
		} else if !ok && v.Exported() {
			dw.m.t.Fatalf("crank %d: %s was never exported", dw.m.cranks, v)
		}
		dw.known[v] = words[i]
	}
}

// forget drops a retired promise.
func (dw *dweller) forget(v swing.VRef) {
	delete(dw.known, v)
	for i, d := range dw.decides {
		if d == v {
			dw.decides = append(dw.decides[:i], dw.decides[i+1:]...)
			return
		}
	}
}

func (dw *dweller) run(d delivery, call func(syscall) []byte) outcome {
	switch d.Kind {
	case swing.DeliverStartVat:
		dw.learn(d.Params)
	case swing.DeliverMessage:
		if _, ok := dw.known[d.Target]; !ok {
			dw.m.t.Fatalf("crank %d: message for %s, never exported", dw.m.cranks, d.Target)
		}
		dw.learn(d.Message.Args)
		if r := d.Message.Result; r != "" {
			if _, ok := dw.known[r]; !ok {
				dw.known[r] = d.Message.Method // the sender spelled the result's token
			} else if dw.known[r] != d.Message.Method {
				dw.m.t.Fatalf("result %s denotes %s, was %s", r, d.Message.Method, dw.known[r])
			}
			dw.decides = append(dw.decides, r)
		}
	case swing.DeliverNotify:
		for _, r := range d.Resolutions {
			dw.learn(r.Data)
		}
		for _, r := range d.Resolutions {
			dw.forget(r.Promise)
		}
	}
	for range dw.m.rng.IntN(4) {
		dw.act(call)
	}
	if dw.m.rng.IntN(400) == 0 {
		return outcome{Status: swing.StatusTrapped, Problem: "unreachable"}
	}
	return done
}

func (dw *dweller) act(call func(syscall) []byte) {
	rng := dw.m.rng
	switch n := rng.IntN(100); {
	case n < 50:
		dw.send(call)
	case n < 60:
		if v := dw.any(); v.Kind() == swing.Promise {
			call(subscribe(v))
		}
	case n < 85 && len(dw.decides) > 0:
		dw.resolve(call)
	case n < 98:
		dw.store(call)
	case n == 98 && rng.IntN(5) == 0:
		call(syscall{Op: swing.OpExit, Failure: rng.IntN(2) == 0})
	case n == 99 && rng.IntN(5) == 0:
		forged := []swing.VRef{"o-7777", "p-7777", "p+0"}[rng.IntN(3)]
		call(syscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[swing.VRef]{
			{Promise: forged, Data: swing.ReferenceTo[swing.VRef]("p+0")},
		}})
	}
}

func (dw *dweller) send(call func(syscall) []byte) {
	m := message{Args: dw.data(dw.m.rng.IntN(3))}
	target := dw.any()
	if dw.m.rng.IntN(2) == 0 {
		m.Result = dw.export('p')
		m.Method = dw.known[m.Result]
	}
	call(syscall{Op: swing.OpSend, Target: target, Message: m})
	if m.Result != "" && dw.m.rng.IntN(2) == 0 {
		call(subscribe(m.Result))
	}
}

// resolve settles some of the promises the dweller decides, in one batch.
func (dw *dweller) resolve(call func(syscall) []byte) {
	var rs []swing.Resolution[swing.VRef]
	for i := range 1 + dw.m.rng.IntN(len(dw.decides)) {
		r := swing.Resolution[swing.VRef]{Promise: dw.decides[i], Rejected: dw.m.rng.IntN(3) == 0}
		r.Data = dw.data(dw.m.rng.IntN(3))
		if v := dw.any(); v.Kind() == swing.Object && dw.m.rng.IntN(3) == 0 {
			r.Data = swing.ReferenceTo(v)
		}
		rs = append(rs, r)
	}
	call(syscall{Op: swing.OpResolve, Resolutions: rs})
	for _, r := range rs {
		dw.forget(r.Promise)
	}
}

func (dw *dweller) store(call func(syscall) []byte) {
	key := fmt.Sprint("k", dw.m.rng.IntN(5))
	switch dw.m.rng.IntN(3) {
	case 0:
		dw.vatstore[key] = fmt.Sprint(dw.m.rng.Uint32())
		call(syscall{Op: swing.OpVatstoreSet, Key: []byte(key), Value: []byte(dw.vatstore[key])})
	case 1:
		delete(dw.vatstore, key)
		call(syscall{Op: swing.OpVatstoreDelete, Key: []byte(key)})
	case 2:
		v, found, err := swing.DecodeAnswer(call(syscall{Op: swing.OpVatstoreGet, Key: []byte(key)}))
		want, has := dw.vatstore[key]
		if err != nil || found != has || string(v) != want {
			dw.m.t.Fatalf("vatstore %s = %q %v (%v), want %q %v", key, v, found, err, want, has)
		}
	}
}

// recountCranks is prime, so that recounts fall everywhere in the vats' rhythm.
const recountCranks = 13

// newMonitor makes six random vats, each of which is given the roots of those before.
func newMonitor(t *testing.T, source rand.Source) (m *monitor, roots []swing.KRef) {
	m = &monitor{world: newWorld(t), rng: rand.New(source)}
	for i := range 6 {
		dw := &dweller{m: m, known: map[swing.VRef]string{}, vatstore: map[string]string{}}
		params := kcap{Slots: roots, Body: []byte("#" + rootTokens(len(roots)))}
		dw.known[swing.RootVRef] = fmt.Sprint("root", i)
		id, root, err := m.k.CreateVat(m.b, kernel.VatSpec{Params: params})
		if err != nil {
			t.Fatal(err)
		}
		m.programs[id] = dw.run
		roots = append(roots, root)
	}
	return m, roots
}

// runMonitor plays random vats and returns the hash of every crank.
func runMonitor(t *testing.T, seed uint64, cranks int) (hashes []swing.Hash, delivered int) {
	m, roots := newMonitor(t, rand.NewPCG(seed, 7))
	m.checkEvery = recountCranks
	for m.cranks = range cranks {
		r := m.crank()
		hashes = append(hashes, r.Crankhash)
		if r.Kind == kernel.Delivery {
			delivered++
		}
		if r.Kind == kernel.Idle {
			m.stimulate(roots)
		}
	}
	return hashes, delivered
}

func rootTokens(n int) string {
	var words []string
	for i := range n {
		words = append(words, fmt.Sprint("root", i))
	}
	return strings.Join(words, ",")
}

func (m *monitor) stimulate(roots []swing.KRef) {
	for _, root := range roots {
		if _, err := m.k.Send(m.b, root, kmessage{Args: kcap{Body: []byte("#")}}, false); err != nil {
			m.t.Fatal(err)
		}
	}
}

// TestReferenceMonitor: random vats with random syscalls, some of them forged;
// no reference ever means something else or reaches who was not given it, and
// the whole state recounts every few cranks. The same seed gives the same hashes.
func TestReferenceMonitor(t *testing.T) {
	seeds, cranks := 30, 1200
	if testing.Short() {
		seeds = 5
	}
	total := 0
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			first, n := runMonitor(t, seed, cranks)
			again, _ := runMonitor(t, seed, cranks)
			for i := range first {
				if first[i] != again[i] {
					t.Fatalf("crank %d has two hashes from one seed", i)
				}
			}
			total += n
		})
	}
	if total < seeds*50 {
		t.Errorf("%d deliveries in %d runs: the world dies too soon to show anything", total, seeds)
	}
}

// TestMonitorSeesALeak: the oracle itself is shown a c-list entry that points
// at something else.
func TestMonitorSeesALeak(t *testing.T) {
	w := newWorld(t)
	_, one := w.vat(idle)
	_, two := w.vat(idle, one)
	_ = two
	w.run()
	vk := vatkeeper.New("v2", w.b)
	e, ok := vk.ByVRef("o-50")
	if !ok || e.KRef != one {
		t.Fatalf("v2 holds %v", e)
	}
	w.b.Set("v2.c.ko21", []byte(w.b.rows["v2.c.ko20"])) // a second kref for one vref
	if len(kernel.Check(w.b)) == 0 {
		t.Error("a c-list that is no bijection was not found")
	}
}
