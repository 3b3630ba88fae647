// Package model holds the kernel against a second, dumb one. The model is
// written from docs/kernel.md alone: plain slices, no rows, no counts; whatever
// the kernel keeps up to date step by step, the model finds by scanning
// everything, each time it is asked.
//
// A driver plays random vats, some of them bad, and a random embedder on both
// sides at once and compares after every crank what each crank did, and every
// so often, and at the end, the whole state: the kernel's from its rows, as kernel/doc.go and
// vatkeeper/doc.go describe them, with no row left over. It also checks that
// messages from one vat to one target arrive in their order.
//
// A run is a list of steps, each a few random numbers; what they stand for
// depends on the state they meet. So a run that fails can be shrunk to a short
// list of steps: any of them may be left out.
//
//	go test ./test/model                        2,000,000 syscalls, within a minute or two
//	go test ./test/model -long                  200,000,000
//	go test ./test/model -short                 100,000
//	go test ./test/model -seed 7 -model.runs 1 -v
//
// The tests prove themselves: faults are planted in the model and in the store
// under the kernel, and each must be found; and every rule of the model must have
// been reached. The kernel's words, where
// docs/kernel.md has none, are taken from the kernel.
//
// The devices are a few simple ones, which work on both sides; what is compared is all
// that a device may ask of the kernel. Not modelled: links between kernels.
package model
