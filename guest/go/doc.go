// Package vat is what a vat in Go needs: it receives messages, makes syscalls and
// keeps promises, on the ABI vat_v1 (guest/README.md is the specification).
//
// A vat in full:
//
//	package main
//
//	import "vat"
//
//	func init() {
//		var count uint64
//		vat.Serve(func(*vat.Data) vat.Object {
//			return vat.Methods{"incr": func(m *vat.Message) {
//				m.List(1)
//				n := m.Uint()
//				if !m.Taken() {
//					m.Reject("want incr(n)")
//					return
//				}
//				count += n
//				m.Answer(count)
//			}}
//		})
//	}
//
//	func main() {}
//
// Build it with the Go toolchain alone:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o program.wasm .
//
// # State
//
// Everything in memory is the vat's state, and lasts: globals, closures, waiting
// promises, goroutines. A vat is captured between two deliveries and goes on from
// there in another process, and notices nothing. init runs once, before the first
// delivery; main never does.
//
// # Determinism
//
// The same deliveries give the same syscalls, whatever was captured in between. The
// clock is the delivery's time, math/rand draws from the vat's own stream, and the
// order in which Go ranges over a map follows from those two: it is arbitrary, but
// the same wherever the vat runs. This package ranges over no map.
//
// A goroutine runs only while a delivery does. One that is still runnable when the
// handler returns stops there, and goes on during the next delivery.
//
// # Faults
//
// What others send may be anything: a [Data] remembers the first thing that was not
// as asked, gives zeros from then on, and Taken says so in the end. A panic ends the
// vat, with its text as the reason; [Fail] is the way to ask for that. So does what
// the kernel refuses: settling a promise the vat does not decide, or making a
// reference up.
package vat
