package warehouse_test

import (
	"errors"
	"testing"
	"time"

	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

// meter is a clock that only a shelf moves, and what it was told.
type meter struct {
	now   time.Duration
	total warehouse.Spent
	of    map[swing.VatID]*warehouse.Spent
}

// What a shelf takes for each.
const (
	codeTakes  = 1
	lifeTakes  = 100
	entryTakes = 10_000
	pauseTakes = 1_000_000
)

// pass has time pass, if there is a clock.
func (m *meter) pass(d time.Duration) {
	if m != nil {
		m.now += d
	}
}

func (m *meter) Now() time.Duration { return m.now }

func (m *meter) Spent(vat swing.VatID, t warehouse.Task, took time.Duration) {
	m.total.Add(t, took)
	if m.of[vat] == nil {
		m.of[vat] = &warehouse.Spent{}
	}
	m.of[vat].Add(t, took)
}

// TestSpent: each moment counts for the task that is done then, and for its vat: a pause is
// none of the page-in that it makes room for, nor is a replay; a delivery to a vat that is in
// memory counts for nothing.
func TestSpent(t *testing.T) {
	m := &meter{of: map[swing.VatID]*warehouse.Spent{}}
	h := newHouse(t, warehouse.Options{MaxPagedIn: 1, Meter: m, Snapshots: mustParse(t, "count:3/200")})
	h.add("v1")
	h.add("v2")
	expect := func(what string, want warehouse.Spent) {
		t.Helper()
		if m.total != want {
			t.Errorf("%s: %+v, want %+v", what, m.total, want)
		}
		m.total = warehouse.Spent{}
	}
	nothing := order{op: 8}
	h.must("v1", nothing)
	expect("a birth", warehouse.Spent{Compile: codeTakes, PageIn: lifeTakes})
	h.must("v1", nothing)
	expect("in memory", warehouse.Spent{})
	h.must("v2", nothing)
	expect("another", warehouse.Spent{PageIn: lifeTakes})
	h.must("v1", nothing)
	expect("again", warehouse.Spent{PageIn: lifeTakes, Replay: 2 * entryTakes})
	h.must("v2", nothing)
	expect("the other, with a snapshot due", warehouse.Spent{
		PageIn: lifeTakes, Replay: entryTakes, Pause: pauseTakes,
	})
	if is := *m.of["v1"]; is != (warehouse.Spent{
		PageIn: 2 * lifeTakes, Replay: 2 * entryTakes, Pause: pauseTakes,
	}) {
		t.Errorf("v1: %+v", is)
	}
	h.take()
	expect("a snapshot of what was paused", warehouse.Spent{})
	h.broken["v1"] = errDisk
	if _, err := h.deliver("v1", nothing); !errors.Is(err, errDisk) {
		t.Errorf("%v, want %v", err, errDisk)
	}
	m.pass(7)
	delete(h.broken, "v1")
	h.must("v1", nothing)
	expect("after a page-in that failed", warehouse.Spent{PageIn: lifeTakes})
}
