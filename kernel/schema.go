package kernel

import (
	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// SchemaVersion is the version of the rows that this package and vatkeeper write,
// kept in the row "schema". It grows when older rows would be misread.
const SchemaVersion = 1

const schemaKey = "schema"

// ReadSchema returns the version of the state's rows: 0 if it has no row of it.
func ReadSchema(b vatkeeper.KV) uint64 {
	if _, ok := b.Get(schemaKey); !ok {
		return 0
	}
	r := row(b, schemaKey)
	version := r.Uint()
	done(r, schemaKey)
	return version
}

// SetSchema records the version of the state's rows. It becomes part of the crank or
// input that is sealed next.
func SetSchema(b vatkeeper.KV, version uint64) {
	b.Set(schemaKey, swing.AppendUint(nil, version))
}

// SetupKey is the key of the row that has the options the state was made with.
const SetupKey = setupKey

// DecodeOptions reads the row of the options, from a state that is not trusted yet.
func DecodeOptions(value []byte) (o Options, err error) {
	r := swing.NewReader(value)
	fields := limitFields(&o.Limits)
	r.Fields(5 + len(fields))
	o.Seed = r.Text()
	for _, f := range fields {
		*f = int(r.Uint())
	}
	o.ReapDeliveries, o.ReapRefs = r.Uint(), r.Uint()
	o.CleanupRows, o.CleanupEvery = r.Uint(), r.Uint()
	return o, r.Done()
}
