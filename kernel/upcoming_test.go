package kernel_test

import (
	"maps"
	"math/rand/v2"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// TestUpcomingComes: in random worlds, the first vat that was said to come is the next
// that a message or a settled promise goes to, if nothing is put in between; nobody comes
// where nobody was said to; who is said to come is not held; and asking changes nothing.
func TestUpcomingComes(t *testing.T) {
	t.Parallel()
	came, more, unknown := 0, 0, 0
	for seed := range uint64(6) {
		m, roots := newMonitor(t, rand.NewPCG(seed, 9))
		m.checkEvery = 1 << 30
		for m.cranks = range 600 {
			if m.cranks%7 == 0 {
				m.holdOne(roots)
			}
			before := maps.Clone(m.b.rows)
			first, all := upcoming(m.k, m.b)
			if !maps.Equal(before, m.b.rows) {
				t.Fatal("looking ahead wrote something")
			}
			for _, vat := range all {
				if vat == "" {
					continue
				}
				if _, held := kernel.Held(m.b, vat); held {
					t.Fatalf("%s is held, and said to come", vat)
				}
			}
			if len(all) > 1 {
				more++
			}
			if first == "" {
				unknown++
			}
			r := m.crank()
			switch {
			case r.Kind == kernel.Idle:
				m.stimulate(roots)
			case fromRunQueue(r) && first != "":
				came++
				if r.Vat != first {
					t.Fatalf("seed %d, crank %d: %s came, not %v", seed, m.cranks, r.Vat, first)
				}
			case fromRunQueue(r):
				t.Fatalf("seed %d, crank %d: %s came, and nobody was said to", seed, m.cranks, r.Vat)
			}
		}
	}
	if min(came, more, unknown) < 100 {
		t.Errorf("%d came, %d times there were more, %d times none was known", came, more, unknown)
	}
}

// upcoming returns whom the events that wait are for, and whom the first is for.
func upcoming(k *kernel.Kernel, b kernel.Buffer) (first swing.VatID, all []swing.VatID) {
	from, end, _ := k.Waiting(b)
	for n := from; n < end; n++ {
		all = append(all, k.Receiver(b, n))
	}
	if len(all) > 0 {
		first = all[0]
	}
	return first, all
}

// fromRunQueue reports whether a crank delivered what was in the run-queue, but for an
// upgrade.
func fromRunQueue(r kernel.Report) bool {
	return r.Kind == kernel.Delivery &&
		(r.Delivery == swing.DeliverMessage || r.Delivery == swing.DeliverNotify)
}
