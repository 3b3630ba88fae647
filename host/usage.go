package host

import (
	"context"
	"fmt"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// Usage is what a vat that lives has of what limits bound.
type Usage struct {
	StoreBytes uint64 // keys and values of its vatstore
	// Running is how many events that it has caused are in the run-queue, and Waiting how
	// many there are in all.
	Running, Waiting uint64
	// MemoryBytes is the size of its linear memory, unless MemoryUnknown says why that
	// cannot be had: the vat cannot be paged in.
	MemoryBytes   uint64
	MemoryUnknown error
	// Latest is what the latest delivery used that is kept; it is nil if none is.
	Latest *DeliveryUsage
}

// DeliveryUsage is what one delivery used.
type DeliveryUsage struct {
	Position               uint64
	Syscalls, SyscallBytes int
	Fuel                   uint64
}

// Usage returns what a vat that lives has used. It may page the vat in; of what is recorded
// it changes nothing.
func (h *Host) Usage(ctx context.Context, vat swing.VatID) (Usage, error) {
	return read(h, func() (u Usage, err error) {
		v, err := h.living(vat)
		if err == nil {
			err = u.latest(h, vat, v.Span)
		}
		if err != nil {
			return Usage{}, fmt.Errorf("usage of vat %s: %w", transcript.Text([]byte(vat)), err)
		}
		u.StoreBytes = vatkeeper.New(vat, h.kv).StoreBytes()
		u.Running, u.Waiting = kernel.Caused(h.kv, vat)
		if u.MemoryUnknown = h.vats.Refresh(ctx, vat); u.MemoryUnknown == nil {
			u.MemoryBytes = h.homes.byVat[vat].img.Heap().Size
		}
		return u, ctx.Err()
	})
}

// latest fills in what the latest delivery used.
func (u *Usage) latest(h *Host, vat swing.VatID, span transcript.Span) error {
	from := span.End - min(span.End, 1)
	if from < h.firstKept(vat).End {
		return nil
	}
	for item, err := range h.items(string(vat), from, span.End) {
		if err != nil {
			return damaged(err)
		}
		e, err := transcript.Decode(item)
		if err != nil {
			return err
		}
		u.Latest = &DeliveryUsage{
			Position: e.Position, Syscalls: len(e.Exchanges), Fuel: e.Outcome.Fuel,
		}
		for _, x := range e.Exchanges {
			u.Latest.SyscallBytes += len(x.Request) + len(x.Answer)
		}
	}
	return nil
}
