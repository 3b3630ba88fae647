package worker

import (
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/worker/instrument"
)

// Meaning is what of this program, beside a vat's code, decides what the vat computes.
// It is observable: a vat goes on only under the meaning that it was run under so far.
// What runs it, the engine, is another matter: see Fingerprint.
type Meaning struct {
	Rewriter uint64 // the rewriter's version
	Costs    uint64 // the version of the table of what instructions cost
	Memory   uint64 // the limit of a program's memory, in bytes
}

// String returns the meaning in words.
func (m Meaning) String() string {
	return fmt.Sprintf("rewriter %d, costs %d, at most %d bytes of memory",
		m.Rewriter, m.Costs, m.Memory)
}

// Meaning returns what programs that run in the engine mean.
func (e *Engine) Meaning() Meaning {
	m := Meaning{
		Rewriter: instrument.Version, Costs: instrument.CostVersion,
		Memory: uint64(e.options.Limits.MemoryBytes),
	}
	if p := e.options.Pretend; p != nil {
		m.Rewriter, m.Costs = p.Rewriter, p.Costs
	}
	return m
}

// ProgramID returns the identity of code as this engine would run it: the code and the
// meaning.
func (e *Engine) ProgramID(code swing.Hash) swing.Hash {
	return swing.Sum("vatwarehouse program", []byte(e.Meaning().String()), code[:])
}
