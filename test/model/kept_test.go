package model

import (
	"fmt"
	"strconv"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

func options(r rules) kernel.Options {
	return kernel.Options{
		Seed: "model", Limits: r.limits,
		Schedule: kernel.Schedule{
			ReapDeliveries: r.reap.deliveries, ReapRefs: r.reap.refs,
			ReapFuel:    r.reap.fuel,
			CleanupRows: r.cleanup.rows, CleanupEvery: r.cleanup.every,
			QueueShare: r.share, QueueMax: r.most,
		},
	}
}

// dirtLine is left out once a vat has ended: nothing comes of it any more.
func (m *model) dirtLine(x *text, v *vat) {
	if v.ended {
		return
	}
	x.line("dirt of", string(v.id), number(v.dirt.deliveries), number(v.dirt.refs),
		number(v.dirt.fuel), "reap after", number(v.reap.deliveries), number(v.reap.refs),
		number(v.reap.fuel))
}

// importerLines are the vats that import an object, and whether they have been
// told that it is gone.
func (m *model) importerLines(x *text, o object) {
	for i := range m.vats {
		e := m.vats[i].byKRef(o.ref)
		if e != nil && !e.vref.Exported() {
			x.line("importer of", string(o.ref), string(m.vats[i].id))
		}
	}
	if o.told {
		x.line("told of", string(o.ref))
	}
}

func (r *rows) importers(ref kref) {
	for n := range r.vats {
		id := swing.VatIDOf(n + 1)
		if key := string(ref) + ".i." + string(id); r.has(key) {
			r.seen[key] = true
			r.line("importer of", string(ref), string(id))
		}
	}
	if key := string(ref) + ".told"; r.has(key) {
		r.seen[key] = true
		r.line("told of", string(ref))
	}
}

func (r *rows) dirt(id vatID, position uint64) {
	if !r.has(string(id) + ".d") {
		return
	}
	x := r.fields(string(id)+".d", 6)
	since, refs, fuel := x.Uint(), x.Uint(), x.Uint()
	if r.has(string(id) + ".x") {
		return
	}
	r.line("dirt of", string(id), number(position-since), number(refs), number(fuel),
		"reap after", number(x.Uint()), number(x.Uint()), number(x.Uint()))
}

// hex reads a number of 16 hex digits.
func hex(s string) uint64 {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 16 {
		panic(fmt.Sprintf("%q is no number in 16 hex digits", s))
	}
	return n
}

// collection reads the rows of GC actions, reaps and vats to clean.
func (r *rows) collection() {
	r.each("gc.", func(k string) {
		r.seen[k] = true
		kind, err := strconv.Atoi(k[20:21])
		if err != nil || k[19] != '.' || k[21] != '.' {
			panic("row " + k)
		}
		r.line("action", string(swing.VatIDOf(hex(k[3:19]))), number(kind-4),
			string(swing.KRefOf(swing.Object, hex(k[22:]))))
	})
	r.each("reap.", func(k string) {
		r.seen[k] = true
		r.line("reap", string(swing.VatIDOf(hex(k[5:]))))
	})
	r.list("chores", func(key string) {
		id := vatID(r.b.rows[key])
		r.seen["chore."+fmt.Sprintf("%016x", id.Number())] = true
		r.line("chore for", string(id))
	})
	if r.has("turn") {
		r.seen["turn"] = true
		r.line("the run-queue is next")
	}
	r.list("cleanup", func(key string) {
		r.line("to clean", r.fields(key, 2).Text())
	})
}
