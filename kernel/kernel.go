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
	// dead or held, or no longer knows the promise.
	Skip
)

// String returns the kind in a word.
func (k CrankKind) String() string {
	return [...]string{"idle", "routing", "delivery", "skip"}[k]
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
	Outcome   swing.Outcome
	Ended     []Ended
	Outputs   []Output
	Crankhash swing.Hash
}

// Kernel is the state machine. It holds no state of its own.
type Kernel struct {
	vats   Vats
	limits swing.Limits
}

// New returns a kernel over existing state.
func New(b Buffer, vats Vats) *Kernel {
	return &Kernel{vats: vats, limits: readOptions(b).Limits}
}

// Crank takes the next event off the queues and sees it through. An error is
// the world's; the buffer is as it was, and the report names only the vat.
func (k *Kernel) Crank(ctx context.Context, b Buffer) (Report, error) {
	c := k.begin(b)
	start := b.Savepoint()
	ev, queue, ok := c.next()
	if !ok {
		return Report{Kind: Idle}, nil
	}
	if queue == acceptanceQueue {
		c.report.Kind = Routing
		c.accept(ev)
		return c.seal(), nil
	}
	vat, deliverable := c.aim(ev)
	if !deliverable {
		c.report.Kind = Skip
		return c.seal(), nil
	}
	if err := c.deliver(ctx, start, vat, ev); err != nil {
		b.Rollback(start)
		return Report{Vat: vat}, err
	}
	return c.seal(), nil
}

// crank is one crank, or one input, in progress.
type crank struct {
	*Kernel
	b      Buffer
	report Report
	// zero are promises whose count reached zero, judged again at the end.
	zero []swing.KRef
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
