package model

import (
	"vatwarehouse/kernel"
)

// collection says whether the kernel has collection, cleanup and pipelining.
const collection = false

func vatSpec(pipelining bool, s kernel.VatSpec) kernel.VatSpec { return s }

func options(r rules) kernel.Options { return kernel.Options{Seed: "model", Limits: r.limits} }

func (m *model) dirtLine(x *text, v *vat) {}

func (r *rows) dirt(id vatID) {}

// collection reads the rows of GC actions and reaps.
func (r *rows) collection() {}
