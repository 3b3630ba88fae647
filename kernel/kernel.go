package kernel

import (
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
	// Deliver runs a vat's next delivery, which will be the entry at position.
	// An error is the world's: nothing happened.
	Deliver(
		ctx context.Context, id swing.VatID, position uint64, delivery []byte, sys swing.Syscaller,
	) (swing.Outcome, error)
	// Discard drops a vat whose heap ran ahead of its transcript.
	Discard(id swing.VatID)
}

// Options are observable: they are part of the hashed state, set once when the
// state is made.
type Options struct {
	// Seed names the random streams of all vats.
	Seed string
	// Limits bound what a delivery may ask for.
	Limits swing.Limits
	// A vat is reaped after so many deliveries, or after it was told of so many
	// references in GC deliveries: 1,000 and 100. Never is never.
	ReapDeliveries, ReapRefs uint64
	// CleanupRows is how many rows of ended vats a cleanup crank removes: 100.
	// Such a crank happens when nothing else is to be done, and else after CleanupEvery
	// others: 10.
	CleanupRows, CleanupEvery uint64
}

// Never is a number of deliveries or references that is not reached.
const Never = 1 << 62

// The defaults of options.
const (
	reapDeliveriesDefault = 1000
	reapRefsDefault       = 100
	cleanupRowsDefault    = 100
	cleanupEveryDefault   = 10
)

func (o Options) withDefaults() Options {
	for _, f := range []struct {
		field *uint64
		value uint64
	}{
		{&o.ReapDeliveries, reapDeliveriesDefault}, {&o.ReapRefs, reapRefsDefault},
		{&o.CleanupRows, cleanupRowsDefault}, {&o.CleanupEvery, cleanupEveryDefault},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return o
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
	Units     uint64 // what the delivery used, as meters count it
	Outcome   swing.Outcome
	Ended     []Ended
	Made      int   // vats that were made for another
	Swept     Swept // when Kind is Cleanup
	Outputs   []Output
	Posts     []Post
	Crankhash swing.Hash
}

// Kernel is the state machine. It holds no state of its own, but what it knows of the
// buffer's: all inputs and cranks of one buffer must go through one Kernel.
type Kernel struct {
	vats    Vats
	devices map[string]Device
	options Options
	// least says, of the sets by their prefixes, that no row is before a key, which is
	// the set's end if there is none at all. To look for the first row of each at every
	// crank would cost as much as the rest of the crank, and more when many rows have
	// left: a store may pass over what was deleted one by one.
	least map[string]string
}

// New returns a kernel over existing state. Devices are by name; all that were added to
// the state must be there: see [Devices].
func New(b Buffer, vats Vats, devices map[string]Device) *Kernel {
	return &Kernel{
		vats: vats, devices: devices, options: readOptions(b), least: map[string]string{},
	}
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
	ev, ok := c.nextCollection()
	if !ok {
		ev, ok = c.nextReap()
	}
	if !ok {
		ev, ok = runQueue.next(c.b)
	}
	if !ok {
		c.cleanup()
		return nil
	}
	c.taken, c.event = c.b.Savepoint(), ev
	c.report.Kind = Skip
	vat, deliverable := c.aim(&ev)
	c.report.Vat = vat
	if !deliverable {
		return nil
	}
	return c.deliver(ctx, vat, ev)
}

// crank is one crank, or one input, in progress.
type crank struct {
	*Kernel
	b      Buffer
	report Report
	// start is before the event was taken off its queue, taken is after.
	start, taken int
	event        event // as it was in its queue
	// stop is why the kernel must go no further, if it must not.
	stop *CriticalError
	// loose are references that may have lost their last holder, or their owner;
	// they are judged at the end.
	loose []swing.KRef
	// meters are those that are gone, and of which those who wait are to be told.
	meters []swing.KRef
}

func (k *Kernel) begin(b Buffer) *crank { return &crank{Kernel: k, b: b} }

// seal ends a crank: what nobody refers to goes, the crank is numbered and hashed.
func (c *crank) seal() Report {
	c.collect()
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
	c.b.Seal()
}
