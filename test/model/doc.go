// Package model holds the kernel against a second, dumb one. The model is
// written from docs/kernel.md alone: plain slices, no rows, no counts; whatever
// the kernel keeps up to date step by step, the model finds by scanning
// everything, each time it is asked.
//
// A driver plays random vats, some of them bad, and a random embedder on both
// sides at once and compares after every crank what each crank did, and every
// few cranks the whole state. A run that fails is shrunk to a short list of
// steps.
//
// The tests prove themselves: faults are planted in the model, and each must be
// found; and every rule of the model must have been reached.
package model
