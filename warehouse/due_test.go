package warehouse

import "testing"

// TestDue: the table of when a snapshot is due.
func TestDue(t *testing.T) {
	at := func(start, snapshot, end uint64) standing {
		return standing{start: start, snapshot: snapshot, end: end}
	}
	used := func(fuel, bytes uint64) standing {
		return standing{end: 1, since: work{1, fuel, bytes}}
	}
	count := Policy{Rule: ByCount, Initial: 2, Interval: 200}
	fuel, bytes := Policy{Rule: ByFuel, Amount: 50}, Policy{Rule: ByBytes, Amount: 50}
	for _, r := range []struct {
		p    Policy
		s    standing
		m    moment
		want bool
	}{
		{count, at(0, 0, 1), delivered, false}, {count, at(0, 0, 2), delivered, true},
		{count, at(0, 2, 201), delivered, false}, {count, at(0, 2, 202), evicted, true},
		{count, at(500, 500, 501), idle, false}, {count, at(500, 500, 502), delivered, true},
		{count, at(500, 502, 701), delivered, false},
		{Policy{Rule: ByCount, Initial: Never, Interval: 1}, at(0, 0, 1000), delivered, false},
		{Policy{Rule: ByCount, Initial: 1, Interval: 1}, at(0, 5, 6), delivered, true},
		{fuel, used(49, 99), delivered, false}, {fuel, used(50, 0), delivered, true},
		{bytes, used(99, 49), evicted, false}, {bytes, used(0, 50), delivered, true},
		{Policy{Rule: OnEvict}, at(0, 5, 6), delivered, false},
		{Policy{Rule: OnEvict}, at(0, 5, 6), evicted, true},
		{Policy{Rule: OnEvict}, at(0, 6, 6), evicted, false},
		{Policy{Rule: OnIdle}, at(0, 5, 6), evicted, false},
		{Policy{Rule: OnIdle}, at(0, 5, 6), idle, true},
		{Policy{Rule: OnIdle}, at(0, 6, 6), idle, false},
	} {
		if got := r.p.due(r.s, r.m); got != r.want {
			t.Errorf("%s at %+v, moment %d: %v", r.p, r.s, r.m, got)
		}
	}
}

// TestDueByCost: the work between snapshots is as Young's rule has it, the square root of
// twice the price over the rate, worked out by hand: the price of 10 pages is 500,000.
func TestDueByCost(t *testing.T) {
	p := Policy{Rule: ByCost}
	for _, r := range []struct{ total, pageIns, since uint64 }{
		{1_000_000, 0, 1_000_000},      // 2 × price: one page-in, at the end of all there was
		{100_000_000, 0, 10_000_000},   // √(2 × 500,000 × 100 million)
		{100_000_000, 99, 1_000_000},   // a tenth of it for a hundred times the page-ins
		{100_000_000, 399, 500_000},    // and a twentieth
		{9_000_000, 8, 1_000_000},      // the same rate in less time
		{400_000_000, 99, 2_000_000},   // a quarter of the rate
		{1_600_000_000, 0, 40_000_000}, // never again often
	} {
		s := standing{end: 1, pages: 10, total: r.total, pageIns: r.pageIns}
		s.since.fuel = r.since
		if !p.due(s, delivered) {
			t.Errorf("%+v: not due", r)
		}
		s.since.fuel--
		if p.due(s, delivered) {
			t.Errorf("%+v: due a unit early", r)
		}
	}
}
