package warehouse

import (
	"fmt"
	"time"

	"vatwarehouse/swing"
)

// Task is a kind of the work that it takes to keep vats, beside running them.
type Task int

// The tasks. No moment counts for two of them.
const (
	taskNone Task = iota
	// TaskCompile is reading and compiling programs, which are of no vat.
	TaskCompile
	// TaskPageIn is paging a vat in, with giving up the worker that makes room for it. Of
	// one begun ahead of its turn it is waiting for the rest.
	TaskPageIn
	// TaskReplay is replaying what comes after a vat's image.
	TaskReplay
	// TaskPause is bringing a vat's image up to date.
	TaskPause
	// TaskSnapshot is storing a snapshot of an image, and TaskSync making several durable:
	// waiting for the disk. The host does both.
	TaskSnapshot
	TaskSync
)

// Spent is how long tasks took.
type Spent struct {
	Compile, PageIn, Replay, Pause, Snapshot, Sync time.Duration
}

// Add adds to what was spent on a task.
func (s *Spent) Add(t Task, took time.Duration) {
	switch t {
	case TaskCompile:
		s.Compile += took
	case TaskPageIn:
		s.PageIn += took
	case TaskReplay:
		s.Replay += took
	case TaskPause:
		s.Pause += took
	case TaskSnapshot:
		s.Snapshot += took
	case TaskSync:
		s.Sync += took
	case taskNone:
		panic(fmt.Sprintf("warehouse: %v spent on no task", took))
	}
}

// Meter measures what tasks take. What it says decides nothing.
type Meter interface {
	// Now is the time since any moment that stays the same.
	Now() time.Duration
	// Spent is told of time that was spent on a task, for a vat or for "". One task can
	// be told of in parts.
	Spent(vat swing.VatID, t Task, took time.Duration)
}

// spending is the task that is being done, and since when.
type spending struct {
	vat   swing.VatID
	task  Task
	since time.Duration
}

// begin counts the time from here on as spent on a task, until the function is called that
// it returns: from there on it counts as before.
func (w *Warehouse) begin(vat swing.VatID, t Task) (end func()) {
	if w.options.Meter == nil {
		return func() {}
	}
	before := w.spending
	w.turn(spending{vat: vat, task: t})
	return func() { w.turn(before) }
}

// turn turns to another task.
func (w *Warehouse) turn(to spending) {
	now := w.options.Meter.Now()
	if was := w.spending; was.task != taskNone {
		w.options.Meter.Spent(was.vat, was.task, now-was.since)
	}
	to.since = now
	w.spending = to
}
