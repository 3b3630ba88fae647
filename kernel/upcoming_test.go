package kernel_test

import (
	"maps"
	"math/rand/v2"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// TestUpcomingComes: in random worlds, the first vat that was said to come is the next
// that a message or a settled promise goes to, if nothing is put in between; who is said to
// come is not held; and asking changes nothing.
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
			first, known := m.k.Upcoming(m.b, 1)
			all, _ := m.k.Upcoming(m.b, 1000)
			if !maps.Equal(before, m.b.rows) {
				t.Fatal("looking ahead wrote something")
			}
			for _, vat := range all {
				if _, held := kernel.Held(m.b, vat); held {
					t.Fatalf("%s is held, and said to come", vat)
				}
			}
			if len(all) > 1 {
				more++
			}
			if !known {
				unknown++
			}
			r := m.crank()
			switch {
			case r.Kind == kernel.Idle:
				m.stimulate(roots)
			case fromRunQueue(r) && len(first) > 0:
				came++
				if r.Vat != first[0] {
					t.Fatalf("seed %d, crank %d: %s came, not %v", seed, m.cranks, r.Vat, first)
				}
			case fromRunQueue(r) && known:
				t.Fatalf("seed %d, crank %d: %s came, and nobody was said to", seed, m.cranks, r.Vat)
			}
		}
	}
	if min(came, more, unknown) < 100 {
		t.Errorf("%d came, %d times there were more, %d times none was known", came, more, unknown)
	}
}

// fromRunQueue reports whether a crank delivered what was in the run-queue, but for an
// upgrade.
func fromRunQueue(r kernel.Report) bool {
	return r.Kind == kernel.Delivery &&
		(r.Delivery == swing.DeliverMessage || r.Delivery == swing.DeliverNotify)
}
