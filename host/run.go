package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vatwarehouse/internal/invariant"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// The streams of the log that are no vat's.
const (
	changesStream = "kv"
	outputsStream = "out"
)

// Policy says when a Run ends. The zero Policy runs until the queues are empty.
type Policy struct {
	Cranks     uint64 // end after so many cranks; 0 is no bound
	Deliveries uint64 // end after so many deliveries; 0 is no bound
	Fuel       uint64 // end when so many units were used; 0 is no bound
	Vats       uint64 // end when vats have made so many others; 0 is no bound
	Cleanups   uint64 // end after so many cleanup cranks; 0 is no bound
	// Time ends the run after the block in which so much time has passed; 0 is no bound.
	// Where a run ends changes nothing that the next would not do.
	Time time.Duration
}

// Ran is what a Run did.
type Ran struct {
	Cranks, Deliveries uint64
	Fuel, Vats         uint64 // units that deliveries used; made by other vats
	Cleanups           uint64 // cleanup cranks
	Blocks             uint64
	// Idle says that it ended because the queues were empty.
	Idle bool
}

func (p Policy) ends(r Ran) bool {
	return p.Cranks > 0 && r.Cranks >= p.Cranks ||
		p.Deliveries > 0 && r.Deliveries >= p.Deliveries ||
		p.Fuel > 0 && r.Fuel >= p.Fuel || p.Vats > 0 && r.Vats >= p.Vats ||
		p.Cleanups > 0 && r.Cleanups >= p.Cleanups
}

// openBlock is the block being gathered.
type openBlock struct {
	cranks, deliveries uint64
	items              int // transcript entries and outputs
	outputs            []Output
}

// Run takes cranks until the policy ends it, the queues are empty or ctx is
// cancelled, and makes everything durable. A *[VatError] says that a vat could
// not be paged in or run: what came before is durable, its event is still queued,
// and Hold lets everything else go on without it.
func (h *Host) Run(ctx context.Context, p Policy) (ran Ran, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.catch(&err)
	if err := h.ready(); err != nil {
		return Ran{}, err
	}
	blocks, started := h.totals.blocks, time.Now()
	for err == nil && !ran.Idle && !p.ends(ran) {
		if err = ctx.Err(); err != nil {
			break
		}
		before := h.totals.blocks
		err = h.step(ctx, &ran)
		if p.Time > 0 && h.totals.blocks > before && time.Since(started) >= p.Time {
			break
		}
	}
	if h.failed == nil {
		err = errors.Join(err, h.commit(context.WithoutCancel(ctx)))
	}
	ran.Blocks = h.totals.blocks - blocks
	return ran, err
}

// step takes one crank, and ends the block when it is full.
func (h *Host) step(ctx context.Context, ran *Ran) error {
	if err := h.lookAhead(ctx); err != nil {
		return err
	}
	r, err := h.crank(ctx)
	if kvErr := h.kv.Err(); kvErr != nil {
		return h.poison(damaged(kvErr))
	}
	if errors.As(err, new(*kernel.CriticalError)) {
		return err
	}
	if err != nil {
		return &VatError{r.Vat, damaged(err)}
	}
	if err := h.tellWork(ctx, r); err != nil {
		return err
	}
	if r.Kind == kernel.Idle {
		ran.Idle = true
		h.vats.Idle()
		return nil
	}
	ran.Cranks++
	ran.Fuel += r.Outcome.Fuel
	ran.Vats += uint64(r.Made)
	switch r.Kind {
	case kernel.Delivery:
		ran.Deliveries++
	case kernel.Cleanup:
		ran.Cleanups++
	}
	h.book(ctx, r)
	if h.block.cranks >= uint64(h.options.BlockCranks) {
		return h.commit(ctx)
	}
	return nil
}

// aheadLook is how many events of the run-queue are looked at for each vat that may be
// paged in ahead of its turn, beside the one that is next.
const aheadLook = 2

// lookAhead has vats paged in ahead of their turn.
func (h *Host) lookAhead(ctx context.Context) error {
	n := h.options.ahead()
	if n == 0 {
		return nil
	}
	var next []swing.VatID
	for vat := range h.upcoming(1 + aheadLook*uint64(n)) {
		if !slices.Contains(next, vat) {
			next = append(next, vat)
		}
	}
	if len(next) > 0 {
		h.vats.Ahead(ctx, next)
	}
	return h.failed
}

// book adds what a crank did to the block.
func (h *Host) book(ctx context.Context, r kernel.Report) {
	h.block.cranks++
	h.totals.cranks++
	if r.Kind == kernel.Delivery {
		h.log.Append(string(r.Vat), r.Position, r.Item)
		h.noteMeaning(r.Vat, r.Position)
		h.block.items++
		h.block.deliveries++
		h.totals.deliveries++
		h.totals.syscalls += uint64(r.Syscalls)
		h.totals.entryBytes += uint64(len(r.Item))
	}
	if r.Swept.Last {
		h.forgetSnapshots(r.Vat)
	}
	h.bookOutputs(r)
	h.tellCrank(ctx, r)
}

func (h *Host) bookOutputs(r kernel.Report) {
	if len(r.Outputs)+len(r.Posts) == 0 {
		return
	}
	next := h.outputs()
	book := func(o Output) {
		o.Number = next
		h.log.Append(outputsStream, next, o.encode())
		h.block.outputs = append(h.block.outputs, o)
		h.block.items++
		next++
	}
	for _, o := range r.Outputs {
		book(Output{Promise: o.Promise, Rejected: o.Rejected, Data: o.Data})
	}
	for _, p := range r.Posts {
		book(Output{Device: p.Device, Data: p.Data})
	}
	h.kv.Set(outputsKey, swing.AppendUint(nil, next))
}

// commit ends the block: see the package documentation for the order.
func (h *Host) commit(ctx context.Context) error {
	h.outlook = outlook{}
	if err := h.takeSnapshots(ctx); err != nil {
		return h.poison(fmt.Errorf("end block: %w", err))
	}
	changes, n := h.kv.Changes(nil)
	if err := h.kv.Err(); err != nil {
		return h.poison(damaged(err))
	}
	if n == 0 && h.block.items == 0 {
		return nil
	}
	if invariant.Enabled {
		faults := kernel.Check(h.kv)
		invariant.Check(len(faults) == 0, "block %d: %v", h.kv.Position(), faults)
	}
	position := h.kv.Position()
	h.log.Append(changesStream, position, changes)
	if _, err := h.log.Commit(); err != nil {
		return h.poison(fmt.Errorf("commit block %d: %w", position, err))
	}
	h.kv.Commit()
	h.totals.blocks++
	h.totals.changeBytes += uint64(len(changes))
	block := h.block
	h.block = openBlock{}
	h.tellBlock(ctx, position, block)
	return h.tidy()
}

// tidy sees to what follows a commit in the background.
func (h *Host) tidy() error {
	if h.kv.CheckpointDue() {
		// The log keeps one table more than the latest: should that one prove
		// damaged, the one before it can be brought up to date.
		h.log.Retain(changesStream, min(h.kv.TablePosition(),
			h.kv.Position()-min(h.kv.Position(), h.options.KeepBlocks)))
		if err := h.kv.Checkpoint(); err != nil {
			return h.poison(fmt.Errorf("checkpoint the table: %w", err))
		}
	}
	h.collect()
	if _, err := h.archives.poll(); err != nil {
		h.unarchived = true // the log goes on; opening it anew tries again
		h.fault(err)
	}
	if !h.unarchived && !h.archives.busy() && h.log.Stats().Segments > 1 {
		h.archives.start(h.options.Inline, func() error {
			if _, err := h.log.Archive(); err != nil {
				return fmt.Errorf("archive the log: %w", err)
			}
			return nil
		})
	}
	return nil
}

// Commit makes the inputs since the last block durable.
func (h *Host) Commit(ctx context.Context) error {
	return h.input(func() error { return h.commit(ctx) })
}

// Settle commits, and returns once every snapshot that is due has been stored and
// recorded.
func (h *Host) Settle(ctx context.Context) error {
	return h.input(func() error { return h.settle(ctx) })
}

// settle commits, and sees every snapshot that is due stored and recorded.
func (h *Host) settle(ctx context.Context) error {
	if err := h.commit(ctx); err != nil {
		return err
	}
	if err := h.finishSnapshots(); err != nil {
		return err
	}
	if err := h.commit(ctx); err != nil { // records them, and takes what fell due meanwhile
		return err
	}
	if err := h.finishSnapshots(); err != nil {
		return err
	}
	return h.commit(ctx)
}
