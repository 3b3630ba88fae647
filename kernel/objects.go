package kernel

import (
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
	if !r.Null() {
		o.owner = swing.VatID(r.Text())
	}
	o.reachable, o.recognizable = int(r.Uint()), int(r.Uint())
	done(r, string(ref))
	return o
}

func (o object) write(b vatkeeper.KV, ref swing.KRef) {
	v := swing.AppendArray(make([]byte, 0, len(o.owner)+24), 3)
	if o.owner == "" {
		v = swing.AppendNull(v)
	} else {
		v = swing.AppendText(v, o.owner)
	}
	v = swing.AppendUint(v, uint64(o.reachable))
	b.Set(string(ref), swing.AppendUint(v, uint64(o.recognizable)))
}

// exists reports whether a reference names a row.
func exists(b vatkeeper.KV, ref swing.KRef) bool {
	_, ok := b.Get(string(ref))
	return ok
}
