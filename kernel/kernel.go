package kernel

import (
	"cmp"
	"context"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// Buffer is one crank's view of the kernel's state. Reads cannot fail: a
// store's failure is sticky in the buffer and surfaces when the block commits.
type Buffer interface {
	vatkeeper.KV
	// Savepoint returns a mark that Rollback undoes to.
	Savepoint() int
	Rollback(savepoint int)
	// Seal ends the crank and returns its crankhash.
	Seal() swing.Hash
}

// Vats makes deliveries. The warehouse is one; tests have scripted ones.
type Vats interface {
	// Deliver runs a vat's next delivery, which will be the entry at position. It may
	// use so many units of fuel; the outcome says how many it did use.
	// An error is the world's: nothing happened.
	Deliver(
		ctx context.Context, id swing.VatID, position uint64, delivery []byte, fuel uint64,
		sys swing.Syscaller,
	) (swing.Outcome, error)
	// Discard drops a vat whose heap ran ahead of its transcript.
	Discard(id swing.VatID)
}

// Options are observable: they are part of the hashed state.
type Options struct {
	// Seed names the random streams of all vats.
	Seed string
	// Limits bound what a delivery may ask for.
	Limits swing.Limits
	Schedule
}

// Schedule says when the kernel does what nobody asks for, and how the run-queue is
// shared. For each number 0 is the default.
type Schedule struct {
	// A vat is reaped after so many deliveries, after it was told of so many references
	// in GC deliveries, or after its deliveries used so many units of fuel: 1,000, 100
	// and Never. Never is never. It is what vats have that are made from then on.
	ReapDeliveries, ReapRefs, ReapFuel uint64
	// CleanupRows is how many rows of ended vats a cleanup crank removes: 100.
	// Such a crank happens when nothing else is to be done, and else after CleanupEvery
	// others: 10.
	CleanupRows, CleanupEvery uint64
	// QueueShare is how many events that one vat has caused, messages it sent and its
	// notifies, may be in the run-queue at a time: 100. The others follow as those leave.
	// QueueMax is how many such events may wait in all before the vat's syscalls that
	// would add one are refused: 100,000.
	QueueShare, QueueMax uint64
}

// Never is a number of deliveries, references or units of fuel that is not reached.
const Never = 1 << 62

// Setting is one number of a Schedule.
type Setting struct {
	Name    string
	Value   *uint64
	Default uint64
}

// Settings returns the schedule's numbers, in the order of the row setup.
func (s *Schedule) Settings() []Setting {
	return []Setting{
		{"reap after deliveries", &s.ReapDeliveries, 1000},
		{"reap after references", &s.ReapRefs, 100},
		{"cleanup rows", &s.CleanupRows, 100},
		{"cleanup every", &s.CleanupEvery, 10},
		{"queue share", &s.QueueShare, 100},
		{"queue max", &s.QueueMax, 100_000},
		{"reap after fuel", &s.ReapFuel, Never},
	}
}

// check refuses numbers of which sums could overflow.
func (s Schedule) check() error {
	for _, n := range s.Settings() {
		if *n.Value > Never {
			return refuse("%s of %d, at most %d", n.Name, *n.Value, uint64(Never))
		}
	}
	return nil
}

func (s Schedule) withDefaults() Schedule {
	for _, n := range s.Settings() {
		*n.Value = cmp.Or(*n.Value, n.Default)
	}
	return s
}

// CrankKind says what a crank did.
type CrankKind uint8

// The kinds of crank.
const (
	// Idle: the queues were empty, and no crank happened.
	Idle CrankKind = iota
	// Routing: an event left the acceptance queue.
	Routing
	// Delivery: a vat was run.
	Delivery
	// Skip: an event left the run-queue without a delivery, because the vat is
	// dead or held, or no longer knows the promise; or GC actions that no longer
	// held left their set.
	Skip
	// Cleanup: rows of an ended vat were removed.
	Cleanup
	// Service: the kernel answered a message to an object of its own.
	Service
	// Setback: a vat failed, and goes on as it was before: a failed upgrade, or a
	// quarantine. There is no transcript entry; the outcome says what happened.
	Setback
)

// String returns the kind in a word.
func (k CrankKind) String() string {
	return [...]string{"idle", "routing", "delivery", "skip", "cleanup", "service", "setback"}[k]
}

// Ended is the end of a vat's life in a crank.
type Ended struct {
	Vat     swing.VatID
	Failure bool
	Reason  string
}

// Output is a resolved promise that the embedder holds: what leaves the kernel.
type Output struct {
	Promise  swing.KRef
	Rejected bool
	Data     swing.CapData[swing.KRef]
}

// Swept is what a cleanup crank removed.
type Swept struct {
	Rows int
	Last bool // nothing of the vat is left to remove
}

// Report is what one crank did and asks of the host: Item is to be appended to
// the vat's transcript, and Outputs released once the block is durable.
type Report struct {
	Kind      CrankKind
	Crank     uint64      // number of the crank, from 1
	Vat       swing.VatID // the vat run or skipped, or ""
	Position  uint64      // of Item in the vat's transcript
	Item      []byte      // the transcript entry, when Kind is Delivery
	Delivery  swing.DeliveryKind
	Syscalls  int
	Outcome   swing.Outcome // of a delivery or a setback
	Ended     []Ended
	Made      int   // vats that were made for another
	Swept     Swept // when Kind is Cleanup
	Outputs   []Output
	Posts     []Post
	Crankhash swing.Hash
}

// Kernel is the state machine. It holds no state of its own, but the options that it has
// read: all inputs and cranks of one buffer must go through one Kernel.
type Kernel struct {
	vats    Vats
	devices map[string]Device
	options Options
	order   Order // nil is the run-queue's
}

// New returns a kernel over existing state. Devices are by name; all that were added to
// the state must be there: see [Devices].
func New(b Buffer, vats Vats, devices map[string]Device) *Kernel {
	return &Kernel{vats: vats, devices: devices, options: readOptions(b)}
}

// Crank takes the next event off the queues and sees it through. An error is
// the world's; the buffer is as it was, and the report names only the vat.
func (k *Kernel) Crank(ctx context.Context, b Buffer) (Report, error) {
	c := k.begin(b)
	c.start = b.Savepoint()
	err := c.take(ctx)
	if err == nil && c.stop != nil {
		err = c.stop
	}
	if err != nil {
		c.rollback(c.start)
		return Report{Vat: c.report.Vat}, err
	}
	if c.report.Kind == Idle {
		return Report{}, nil
	}
	return c.seal(), nil
}

// take does what is next. Its report's kind stays Idle if that is nothing.
func (c *crank) take(ctx context.Context) error {
	if ev, ok := acceptanceQueue.next(c.b); ok {
		c.report.Kind = Routing
		c.accept(ev)
		return nil
	}
	if c.cleanupDue() && c.cleanup() {
		return nil
	}
	ev, ok := c.next()
	if !ok {
		c.cleanup()
		return nil
	}
	c.report.Kind = Skip
	vat, deliverable := c.aim(&ev)
	c.report.Vat = vat
	if !deliverable {
		return nil
	}
	return c.deliver(ctx, vat, ev)
}

// next takes an event from the run-queue and a chore by turns, if there are both. So
// neither can what vats send keep others from being told what was dropped, nor the other
// way round.
func (c *crank) next() (ev event, ok bool) {
	chores := choreQueue.length(c.b) > 0
	if chores && !(has(c.b, turnKey) && runQueue.length(c.b) > 0) {
		c.b.Set(turnKey, nil)
		return c.nextChore(), true
	}
	if ev, ok = c.leave(); !ok {
		return event{}, false
	}
	if chores {
		c.b.Delete(turnKey)
	}
	c.taken, c.event = c.b.Savepoint(), ev
	c.leaves(ev)
	return ev, true
}

// crank is one crank, or one input, in progress.
type crank struct {
	*Kernel
	b      Buffer
	report Report
	// start is before the event was taken off its queue, taken is after it was taken off
	// the run-queue.
	start, taken int
	event        event // as it was in the run-queue
	// stop is why the kernel must go no further, if it must not.
	stop *CriticalError
	// loose are references that may have lost their last holder, or their owner;
	// they are judged at the end.
	loose []swing.KRef
	dues  []swing.VatID // vats that are to be put into the queue of chores
	// circles are resolved promises that mention others and have lost a holder, but not
	// the last.
	circles []swing.KRef
	// meters are those that are gone, and of which those who wait are to be told.
	meters []swing.KRef
}

func (k *Kernel) begin(b Buffer) *crank { return &crank{Kernel: k, b: b} }

// seal ends a crank: what nobody refers to goes, the crank is numbered and hashed.
func (c *crank) seal() Report {
	c.collect()
	c.queueDues()
	cranks, deliveries := readCrank(c.b)
	if c.report.Kind == Delivery {
		deliveries++
	}
	c.report.Crank = cranks + 1
	writeCrank(c.b, cranks+1, deliveries)
	c.report.Crankhash = c.b.Seal()
	return c.report
}

// sealInput ends an input of the embedder's: hashed, but no crank.
func (c *crank) sealInput() {
	c.collect()
	c.queueDues()
	c.b.Seal()
}
