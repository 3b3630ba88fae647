package host_test

import (
	"slices"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// toil runs gluttons, two in memory, one of which is ended, and returns
// the activityhash, the statistics, and what an Observer of work is told, if there is one.
func toil(t *testing.T, observed bool) (swing.Hash, host.Stats, []host.Work) {
	t.Helper()
	var told []host.Work
	o := host.Options{MaxVats: 2, Inline: true}
	if observed {
		o.Observer.Work = func(w host.Work) { told = append(told, w) }
	}
	h := open(t, vfs.NewMem(), o)
	code, err := h.Install(ctx, program(t, "glutton"))
	if err != nil {
		t.Fatal(err)
	}
	var roots []swing.KRef
	for range 3 {
		// 1 MiB of heap, and 16 pages of it written by each delivery.
		_, root, err := h.CreateVat(ctx, host.VatSpec{Code: code, Body: list(1<<20, 1024, 16, 0, 0, 0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
	}
	for range 5 {
		for _, root := range roots {
			send(t, h, root, "touch")
		}
	}
	run(t, h)
	if err := h.Terminate(ctx, "v2", "enough"); err != nil {
		t.Fatal(err)
	}
	run(t, h)
	st, err := h.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return st.Activityhash, st, told
}

// TestWorkIsTold: an Observer of work is told of every delivery and page-in, in order, and
// of what each delivery wrote and no other; and nothing that is hashed knows of it.
func TestWorkIsTold(t *testing.T) {
	t.Parallel()
	plain, without, none := toil(t, false)
	observed, st, told := toil(t, true)
	if plain != observed || len(none) > 0 || without.Deliveries != st.Deliveries {
		t.Errorf("activityhash %s, observed %s", plain, observed)
	}
	var deliveries, pageIns uint64
	next := map[swing.VatID]uint64{}
	for _, w := range told {
		if w.Discard {
			continue
		}
		deliveries++
		if w.PagedIn {
			pageIns++
		}
		if w.Position != next[w.Vat] || !w.OK || w.Fuel == 0 {
			t.Errorf("%+v: position %d is due", w, next[w.Vat])
		}
		next[w.Vat]++
		if w.Delivery != swing.DeliverMessage {
			continue
		}
		// Beside the 16 there are those of its stack and its counters.
		if n := len(w.Written); n < 16 || n > 24 || w.Memory < 1<<20 || !slices.IsSorted(w.Written) {
			t.Errorf("%d pages of %d bytes: %v", n, w.Memory, w.Written)
		}
	}
	if deliveries != st.Deliveries || pageIns != st.Vats.PageIns || pageIns < 10 {
		t.Errorf("told of %d deliveries and %d page-ins, the host counts %d and %d",
			deliveries, pageIns, st.Deliveries, st.Vats.PageIns)
	}
	if last := told[len(told)-1]; !last.Discard || last.Vat != "v2" {
		t.Errorf("last came %+v", last)
	}
}

// TestBlocksTellWhoIsInMemory: an Observer is told with each block which vats are in
// memory, as many as the statistics say and with as many bytes, each under its name.
func TestBlocksTellWhoIsInMemory(t *testing.T) {
	t.Parallel()
	told := 0
	o := host.Options{MaxVats: 2, BlockCranks: 1}
	o.Observer.Block = func(b host.Block) {
		vats, bytes := 0, uint64(0)
		for v := range b.PagedIn {
			vats, bytes = vats+1, bytes+v.Bytes
			if v.Name != "called-"+string(v.ID) || v.Bytes == 0 {
				t.Errorf("%+v", v)
			}
		}
		if vats != b.Vats.PagedIn || bytes != b.Vats.PagedBytes {
			t.Errorf("%d vats with %d bytes, want %+v", vats, bytes, b.Vats)
		}
		told = max(told, vats)
		for range b.PagedIn { // it can be left early
			break
		}
	}
	h := open(t, vfs.NewMem(), o)
	code, err := h.Install(ctx, program(t, "glutton"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"called-v1", "called-v2", "called-v3"} {
		_, root, err := h.CreateVat(ctx, host.VatSpec{
			Name: name, Code: code, Body: list(1<<16, 0, 1, 0, 0, 0, 0),
		})
		if err != nil {
			t.Fatal(err)
		}
		send(t, h, root, "touch")
	}
	run(t, h)
	if told != 2 {
		t.Errorf("%d vats at most are told of", told)
	}
}
