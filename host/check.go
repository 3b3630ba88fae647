package host

import (
	"context"
	"errors"
	"fmt"

	"vatwarehouse/kernel"
	"vatwarehouse/snapstore"
	"vatwarehouse/streamstore"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// Fault is one thing that Check found wrong.
type Fault struct {
	Where string // room and thing: "log", "vat v3", "snapshot v3@200", …
	What  string
	// Repairable says that it is of a snapshot's record, which Repair drops.
	Repairable bool
}

// String returns both.
func (f Fault) String() string { return f.Where + ": " + f.What }

// Checked counts what a Check looked at.
type Checked struct {
	Vats, Entries, Snapshots, Outputs int
	Keys                              int
	Faults                            int
}

// Check verifies the whole directory: every checksum of the log, the table and
// the heaps; every vat's chain of hashes; c-lists, queues and reference counts by
// recount; every snapshot's reachability. Each fault is reported; the error is
// only for a check that could not be carried out. (The table was verified whole
// by Open.)
func (h *Host) Check(ctx context.Context, report func(Fault)) (Checked, error) {
	return read(h, func() (Checked, error) {
		if err := h.settle(ctx); err != nil {
			return Checked{}, err
		}
		c := check{h: h, tell: report}
		steps := []func(context.Context) error{c.stores, c.keys, c.vats, c.outputs}
		for _, step := range steps {
			if err := errors.Join(ctx.Err(), step(ctx)); err != nil {
				return c.done, fmt.Errorf("check: %w", err)
			}
		}
		return c.done, nil
	})
}

type check struct {
	h    *Host
	tell func(Fault)
	done Checked
}

func (c *check) fault(where string, format string, args ...any) {
	c.done.Faults++
	c.tell(Fault{Where: where, What: fmt.Sprintf(format, args...)})
}

// stores has the stores verify every byte they keep.
func (c *check) stores(context.Context) error {
	faults := c.done.Faults
	err := c.h.log.Verify(func(f streamstore.Fault) {
		where := "log " + f.File
		if f.Stream != "" {
			where += fmt.Sprintf(" (stream %s from position %d)", f.Stream, f.Position)
		}
		c.fault(where, "offset %d: %v", f.Offset, f.Err)
	})
	if err != nil && c.done.Faults == faults { // else it repeats what was reported
		return err
	}
	return c.h.heaps.Verify(func(f snapstore.Fault) { c.fault("heaps", "%v", &f) })
}

// keys recounts the kernel's state.
func (c *check) keys(context.Context) error {
	for range c.h.kv.Scan("") {
		c.done.Keys++
	}
	for _, f := range kernel.Check(c.h.kv) {
		c.fault("key "+f.Key, "%s", f.What)
	}
	return c.h.kv.Err()
}

// vats verifies every vat's transcript, program and snapshots.
func (c *check) vats(ctx context.Context) error {
	for id := range kernel.AllVats(c.h.kv) {
		if err := ctx.Err(); err != nil {
			return err
		}
		v, err := c.h.vatState(id)
		if err != nil {
			return err
		}
		c.done.Vats++
		if _, err := c.h.heaps.Code(v.Code); err != nil {
			c.fault("vat "+string(id), "program: %v", err)
		}
		spans := vatkeeper.New(id, c.h.kv).Spans()
		for _, s := range spans[:len(spans)-1] {
			c.transcript(v, s)
		}
		if err := c.snapshots(v, c.transcript(v, v.Span)); err != nil {
			return err
		}
	}
	return nil
}

// transcript verifies the chain of one incarnation of a vat, and returns its hash at each
// snapshot's position.
func (c *check) transcript(v Vat, span transcript.Span) chainHashes {
	at := c.h.gone(v.ID, span)
	from := at.End
	wanted := chainHashes{}
	for _, s := range v.Snapshots {
		wanted[s.Position] = swing.Hash{}
	}
	if _, ok := wanted[at.End]; ok {
		wanted[at.End] = at.Hash
	}
	items := func(yield func([]byte, error) bool) {
		for item, err := range c.h.items(string(v.ID), from, span.End) {
			if !yield(item, err) {
				return
			}
			if err == nil {
				at = at.Extend(item)
				if _, ok := wanted[at.End]; ok {
					wanted[at.End] = at.Hash
				}
			}
		}
	}
	for _, err := range span.Verified(at, items) {
		if err != nil {
			c.fault("vat "+string(v.ID), "%v", err)
			return nil
		}
		c.done.Entries++
	}
	return wanted
}

func (c *check) snapshots(v Vat, chain chainHashes) error {
	for _, s := range v.Snapshots {
		c.done.Snapshots++
		why, err := c.h.amiss(s, chain)
		if err != nil {
			return err
		}
		if why != "" {
			c.done.Faults++
			c.tell(Fault{fmt.Sprintf("snapshot %s@%d", s.Vat, s.Position), why, true})
		}
	}
	return nil
}

// outputs decodes every output that is kept.
func (c *check) outputs(context.Context) error {
	start, end, known := c.h.log.Bounds(outputsStream)
	if want := c.h.outputs(); known && end != want {
		c.fault("outputs", "the log ends at %d, %d were counted", end, want)
	}
	if !known {
		return nil
	}
	for b, err := range c.h.items(outputsStream, start, end) {
		if err == nil {
			_, err = decodeOutput(start, b)
		}
		if err != nil {
			c.fault("outputs", "%v", err)
			return nil
		}
		start++
		c.done.Outputs++
	}
	return nil
}
