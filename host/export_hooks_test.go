package host

import (
	"context"
	"slices"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
	"vatwarehouse/worker"
)

// WithSchema makes options those of a program that knows another version of the
// rows, and a way there from each version given.
func WithSchema(o Options, version uint64, ways map[uint64]func(b kernel.Buffer) error) Options {
	o.schema = schemaPlan{version: version}
	for from := range version {
		if do, ok := ways[from]; ok {
			o.schema.migrations = append(o.schema.migrations, migration{from, do})
		}
	}
	return o
}

// CheckSchema says whether this program can use rows of a version.
func CheckSchema(has uint64) error { return schemaPlan{}.withDefaults().checkSchema("x", has) }

// WithMeaning makes options those of a program with other versions of the rewriter and of
// the costs.
func WithMeaning(o Options, m Meaning) Options {
	o.pretend = &m
	return o
}

// PresentMeaning returns what programs mean here, with some limits.
func PresentMeaning(l swing.Limits) Meaning {
	e, err := worker.NewEngine(context.Background(), worker.Options{Limits: l})
	if err != nil {
		panic(err)
	}
	return e.Meaning()
}

// SwapProgram puts another program in the place of a vat's, and leaves its heap.
func SwapProgram(ctx context.Context, h *Host, vat swing.VatID, code []byte) {
	id, err := h.Install(ctx, code)
	if err != nil {
		panic(err)
	}
	vk := vatkeeper.New(vat, h.kv)
	o, _ := vk.Options()
	o.Code = id
	vk.SetOptions(o)
	h.kv.Seal()
}

// SetSnapshot writes the record of a snapshot.
func SetSnapshot(h *Host, s Snapshot) {
	h.kv.Set(snapshotKey(s.Vat, s.Position), s.encode())
}

// LogStart returns the first position that the log holds of a vat.
func LogStart(h *Host, vat swing.VatID) uint64 {
	start, _, _ := h.log.Bounds(string(vat))
	return start
}

// WorkerPID returns the number of the worker process.
func WorkerPID(h *Host) int { return h.process.PID() }

// Upcoming returns the vats that are said to be delivered to next, of how many events that was
// known, and the vats if all events are looked at anew.
func Upcoming(h *Host) (said []swing.VatID, known int, anew []swing.VatID) {
	before := len(h.outlook.vats)
	said = slices.Collect(h.upcoming(evictLook))
	now := h.outlook
	h.outlook = outlook{}
	anew = slices.Collect(h.upcoming(evictLook))
	h.outlook = now
	return said, before, anew
}
