// Package model holds the kernel against a second, dumb one. The model is
// written from docs/kernel.md alone: plain slices, no rows, no counts; whatever
// the kernel keeps up to date step by step, the model finds by scanning
// everything, each time it is asked.
//
// A driver plays random vats, some of them bad, and a random embedder on both
// sides at once and compares after every crank what each crank did, and every
// few cranks the whole state: the kernel's from its rows, as kernel/doc.go and
// vatkeeper/doc.go describe them, with no row left over. It also checks that
// messages from one vat to one target arrive in their order.
//
// A run is a list of steps, each a few random numbers; what they stand for
// depends on the state they meet. So a run that fails can be shrunk to a short
// list of steps: any of them may be left out.
//
//	go test ./test/model                        300,000 syscalls
//	go test ./test/model -long                  2,000,000
//	go test ./test/model -model.seed 7 -model.runs 1 -v
//
// The tests prove themselves: faults are planted in the model and in the store
// under the kernel, and each must be found; and every rule of the model must have
// been reached. What the kernel is known to do otherwise is in
// deviations_test.go.
//
// Not modelled: devices, and the kernel's own objects (createVat, nodes).
package model
