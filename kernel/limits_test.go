package kernel_test

import (
	"errors"
	"strings"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// limited is a world of other limits.
func limited(t *testing.T, change func(l *swing.Limits)) *world {
	w := &world{t: t, b: newBuffer(), programs: map[swing.VatID]program{}, items: map[swing.VatID][][]byte{}}
	o := kernel.Options{Limits: swing.DefaultLimits()}
	change(&o.Limits)
	initKernel(t, w.b, o)
	w.k = kernel.New(w.b, w, nil)
	return w
}

func set(key, value string) syscall {
	return syscall{Op: swing.OpVatstoreSet, Key: []byte(key), Value: []byte(value)}
}

// TestVatstoreQuota: a vatstore takes keys and values up to its limit, exactly; one byte
// more is an illegal syscall that names the limit, and the vat ends with nothing of that
// delivery done. What makes the store smaller is always taken.
func TestVatstoreQuota(t *testing.T) {
	w := limited(t, func(l *swing.Limits) { l.StoreBytes = 10 })
	steps := [][]syscall{
		{set("a", "1234"), set("bb", "567")},                // 5 + 5: full
		{set("a", "9999"), set("bb", "5")},                  // the same, then less
		{{Op: swing.OpVatstoreDelete, Key: []byte("a")}},    // 3 are left
		{{Op: swing.OpVatstoreDelete, Key: []byte("none")}}, // and still are
		{set("c", "123456")},                                // 10
		{set("bb", ""), set("d", "")},                       // 9, and 10
		{set("d", "1")},                                     // 11: too much
	}
	want := []uint64{10, 8, 3, 3, 10, 10}
	next := 0
	id, root := w.vat(onMessage(func(_ delivery, call func(syscall) []byte) outcome {
		for _, s := range steps[next] {
			call(s)
		}
		return done
	}))
	for next = range steps {
		w.send(root, "go")
		w.run()
		vk := vatkeeper.New(id, w.b)
		if next < len(want) {
			if !vk.Alive() || vk.StoreBytes() != want[next] {
				t.Fatalf("step %d: alive %v, %d bytes, want %d", next, vk.Alive(), vk.StoreBytes(), want[next])
			}
			continue
		}
		end, ended := vk.End()
		if !ended || !end.Failure || !strings.Contains(string(end.Info.Body), "more than 10 bytes in the vatstore") {
			t.Errorf("it ended %v: %s", ended, end.Info.Body)
		}
	}
	for key := range w.b.rows {
		if strings.HasPrefix(key, string(id)+".u") {
			t.Errorf("row %s is left", key)
		}
	}
}

// TestQuotaIsRecounted: a count of a vatstore's bytes, or of living vats, that is wrong is a
// fault.
func TestQuotaIsRecounted(t *testing.T) {
	w := newWorld(t)
	id, root := w.vat(onMessage(func(_ delivery, call func(syscall) []byte) outcome {
		call(set("k", "v"))
		return done
	}))
	w.send(root, "go")
	w.run()
	for key, wrong := range map[string]string{string(id) + ".u": string(swing.AppendUint(nil, 3)), "vats": "2"} {
		right := w.b.rows[key]
		w.b.rows[key] = wrong
		if faults := kernel.Check(w.b); len(faults) != 1 || !strings.Contains(faults[0].What, "recount") {
			t.Errorf("%s: %v", key, faults)
		}
		w.b.rows[key] = right
	}
	w.check()
}

// TestMostVats: a vat beyond the limit is refused to the embedder by a typed error, and to a
// vat by a rejection that says why, and nothing changes; once one has ended there is room.
func TestMostVats(t *testing.T) {
	w := limited(t, func(l *swing.Limits) { l.Vats = 2 })
	code := swing.Hash{7}
	if err := w.k.Install(w.b, code, "program"); err != nil {
		t.Fatal(err)
	}
	one, _ := w.vat(idle)
	w.vat(idle)
	w.run()
	before := w.b.Seal()
	_, _, err := w.k.CreateVat(w.b, kernel.VatSpec{})
	if !errors.Is(err, kernel.ErrVats) || !errors.Is(err, kernel.ErrInput) || !strings.Contains(err.Error(), "2 of 2") || w.b.Seal() != before {
		t.Errorf("a third vat: %v", err)
	}
	args := kcap{Body: swing.AppendArray(nil, 1)}
	args.Body = swing.AppendText(args.Body, "program")
	create := func() swing.KRef {
		result, err := w.k.Send(w.b, kernel.AdminRef, kmessage{Method: "createVat", Args: args}, true)
		if err != nil {
			t.Fatal(err)
		}
		w.programs["v3"] = idle
		w.run()
		return result
	}
	p, _ := kernel.LookupPromise(w.b, create())
	if p.State != kernel.Rejected || !strings.Contains(string(p.Data.Body), "as many vats live as there may be") || kernel.Living(w.b) != 2 {
		t.Errorf("%v %s, %d vats live", p.State, p.Data.Body, kernel.Living(w.b))
	}
	if _, err := w.k.Terminate(w.b, one, "room"); err != nil {
		t.Fatal(err)
	}
	w.run()
	p, _ = kernel.LookupPromise(w.b, create())
	if p.State != kernel.Fulfilled || kernel.Living(w.b) != 2 {
		t.Errorf("%v %s, %d vats live", p.State, p.Data.Body, kernel.Living(w.b))
	}
}
