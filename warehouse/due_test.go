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

// TestDueByCost: what is paid for a snapshot is what was replayed for want of one, or may be
// after a restart; with what can be spared, worked out by hand: the price is 500,000, and a
// fifth of it is saved by waiting.
func TestDueByCost(t *testing.T) {
	const price = 500_000
	p := Policy{Rule: ByCost}
	for _, r := range []struct {
		total, since, rent, excess uint64
		spare                      int64
		m                          moment
		want                       bool
	}{
		// On eviction the rent counts; it has to be affordable.
		{10 * price, 0, price / 5, 0, price, evicted, true},
		{10 * price, 0, price/5 - 1, 0, price, evicted, false},
		{10 * price, 0, price, 0, price - 1, evicted, false},
		{10 * price, 0, price, 0, price, delivered, false},
		// The restart: Young's rule, √(2 × price × total).
		{2 * price, 2 * price, 0, 0, price, delivered, true},
		{2 * price, 2*price - 1, 0, 0, price, delivered, false},
		{200 * price, 20 * price, 0, 0, price, delivered, true},
		{200 * price, 20*price - 1, 0, 0, price, idle, false},
		{200 * price, 20 * price, 0, 0, price - 1, delivered, false},
		// What the default has is put by, and taken at the latest where it cannot be spared.
		{200 * price, 20 * price, 0, 1, -1, delivered, true},
		{200 * price, 0, price, 1, -1, evicted, true},
		{200 * price, 0, 0, 1000, 999, evicted, true},
		{200 * price, 0, 0, 1000, 1000, evicted, false},
		{200 * price, 0, 0, 1000, -1, delivered, false},
	} {
		s := standing{
			end: 1, total: r.total, again: r.since, price: price, wait: price / 5, rent: r.rent,
			excess: r.excess, spare: r.spare,
		}
		if got := p.due(s, r.m); got != r.want {
			t.Errorf("%+v: %v", r, got)
		}
	}
}
