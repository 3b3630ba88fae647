package host

import (
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
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

// WithGrant makes options under which memory is asked for.
func WithGrant(o Options, grant func(bytes uint64) error) Options {
	o.grant = grant
	return o
}

// CheckSchema says whether this program can use rows of a version.
func CheckSchema(has uint64) error { return schemaPlan{}.withDefaults().checkSchema("x", has) }

// SetSnapshot writes the record of a snapshot.
func SetSnapshot(h *Host, s Snapshot) {
	h.kv.Set(snapshotKey(s.Vat, s.Position), s.encode())
}

// LogStart returns the first position that the log holds of a vat.
func LogStart(h *Host, vat swing.VatID) uint64 {
	start, _, _ := h.log.Bounds(string(vat))
	return start
}
