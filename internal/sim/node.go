package sim

import (
	"context"
	"fmt"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// node is one of two linked kernels, and the faults that it has still to meet.
type node struct {
	m          *pair
	name, peer string
	number     int
	settings   Settings
	files      *vfs.Mem
	h          *host.Host
	link       Linked
	refs       []swing.KRef // what stands here for each of the scenario's vats

	// The fault of this opening, nil is none, and those of later ones.
	fault    *PlannedFault
	coming   []*PlannedFault
	faulty   *vfs.Faulty
	on       *machine
	refused  *bool
	made     uint64 // cranks since it was opened
	told, at uint64 // cranks in blocks that were told, and all that were made
}

// begin makes the directory, with what links need.
func (x *node) begin(ctx context.Context) (err error) {
	x.files = vfs.NewMem()
	if err := x.open(ctx); err != nil {
		return err
	}
	if x.link, err = Link(ctx, x.h); err != nil {
		return err
	}
	return x.link.Meet(ctx, x.peer)
}

// open opens the directory, and has the next fault come.
func (x *node) open(ctx context.Context) (err error) {
	x.fault, x.made, x.faulty = nil, 0, vfs.NewFaulty(x.files)
	if len(x.coming) > 0 {
		x.fault, x.coming = x.coming[0], x.coming[1:]
		x.faulty.Arm(x.fault.armed())
	}
	x.on, err = x.m.machines.machine(ctx, machineKey{x.settings.Compiled, x.number})
	if err != nil {
		return err
	}
	x.refused = new(bool)
	if x.fault != nil {
		x.refused = x.on.armed(x.fault)
	}
	o := simulatedOptions(x.m.s, x.faulty, x.settings, x.on)
	o.Observer.Crank = func(c host.Crank) {
		x.m.out.count(c)
		x.made++
		x.at = c.Crank
	}
	o.Observer.Block = func(b host.Block) { x.told += b.Cranks }
	x.h, err = host.Open(ctx, "", &o)
	if err != nil {
		x.h = nil
		return err
	}
	x.link.Host = x.h
	return nil
}

// over reports whether the fault has come, or is due.
func (x *node) over() bool {
	return x.fault != nil && (x.faulty.Fired() != "" || *x.refused || x.on.lost != nil ||
		x.fault.inOrder() && x.made >= x.fault.At)
}

// do does something with the open directory. If a fault comes it is opened again, and it is
// not known what was done: done is false.
func (x *node) do(ctx context.Context, what func() error) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	err = what()
	if !x.over() {
		return err == nil, err
	}
	if err := unexpected(err); err != nil {
		return false, err
	}
	return false, x.reopen(ctx)
}

// reopen closes the directory, in good order unless a fault prevents it, and opens what the
// faults leave of it.
func (x *node) reopen(ctx context.Context) error {
	for {
		f := x.fault
		if x.h != nil {
			x.m.out.markWork(x.h)
			err := x.h.Close(context.WithoutCancel(ctx))
			if x.h = nil; unexpected(err) != nil {
				return err
			}
		}
		x.files = x.left()
		if f != nil {
			x.m.out.Reached[f.Kind]++
			if f.Settings != nil {
				x.settings = *f.Settings
			}
			x.m.out.mark(MarkAgain, x.on.lost != nil)
		}
		err := x.open(ctx)
		switch {
		case err == nil:
			return x.recovered(ctx)
		case !x.over() || unexpected(err) != nil:
			return fmt.Errorf("open what is left: %w", err)
		}
		x.m.out.mark(MarkRecovery, true)
	}
}

// left returns what is left of the files.
func (x *node) left() *vfs.Mem {
	if x.fault == nil {
		return x.files.Crash(0, 100)
	}
	return x.fault.left(x.files)
}

// recovered sees that the directory has the state after a whole block. If a fault comes
// meanwhile it is opened again.
func (x *node) recovered(ctx context.Context) error {
	stats, err := x.h.Stats()
	if err != nil {
		return err
	}
	cranks := stats.Kernel.Cranks
	if err := x.m.out.whole(cranks, x.told, x.at); err != nil {
		return err
	}
	x.told, x.at = cranks, cranks
	if err := sound(ctx, x.h); err == nil && !x.over() {
		return nil
	} else if !x.over() {
		return err
	}
	return x.reopen(ctx)
}

// of returns what stands here for vats of the scenario.
func (x *node) of(vats []int) (refs []swing.KRef) {
	for _, v := range vats {
		refs = append(refs, x.refs[v])
	}
	return refs
}

func (x *node) message(m *message) host.Message {
	return host.Message{Method: m.method, Body: m.body, Slots: x.of(m.slots)}
}
