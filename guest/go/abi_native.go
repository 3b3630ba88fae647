//go:build !wasip1

package vat

// Outside of a vat there is no kernel: the package compiles, for tools and for the
// tests of a vat's own logic, but no syscall can be made.

func syscall(uint32, []byte) []byte { panic("vat: a syscall outside of a vat") }

func writeLog(Level, string) {}
