package kernel

import (
	"iter"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// object is a row koN. An owner of "" is an orphan: nobody answers for it.
type object struct {
	owner                   swing.VatID
	reachable, recognizable int
}

func readObject(b vatkeeper.KV, ref swing.KRef) (o object) {
	r := row(b, string(ref))
	r.Fields(3)
	o.owner = readVat(r)
	o.reachable, o.recognizable = int(r.Uint()), int(r.Uint())
	done(r, string(ref))
	return o
}

func (o object) write(b vatkeeper.KV, ref swing.KRef) {
	v := swing.AppendArray(make([]byte, 0, len(o.owner)+24), 3)
	v = swing.AppendUint(appendVat(v, o.owner), uint64(o.reachable))
	b.Set(string(ref), swing.AppendUint(v, uint64(o.recognizable)))
}

// importKey is the row that says that a vat has the object in its c-list, as an
// import: who must be told when it is gone.
func importKey(ref swing.KRef, vat swing.VatID) string { return string(ref) + ".i." + string(vat) }

// importers yields the vats that have the object as an import, in the order of their
// ids' spelling.
func importers(b vatkeeper.KV, ref swing.KRef) iter.Seq[swing.VatID] {
	return func(yield func(swing.VatID) bool) {
		prefix := importKey(ref, "")
		for key := range keys(b, prefix) {
			if !yield(swing.VatID(key[len(prefix):])) {
				return
			}
		}
	}
}

// exists reports whether a reference names a row.
func exists(b vatkeeper.KV, ref swing.KRef) bool {
	_, ok := b.Get(string(ref))
	return ok
}
