// Package guest has the example vats: programs in C as they were built, and a Go
// kit that builds the ones in Go.
//
// README.md here is the specification of the ABI that every vat's program meets,
// EXAMPLES.md of what the example vats answer. c/ has the kit for C, two headers,
// and its programs; go/ is a module of its own with the kit for Go, package vat, and
// its programs. The rest of this module sees neither: to it a program is bytes.
//
// # What is built
//
// build.sh makes three things from the sources, all committed:
//
//	c/NAME.wasm    every program in C
//	go.tar.gz      the files of go/: a module of its own cannot be embedded as files
//	manifest.json  what they are and how they were made
//
// The manifest's fields:
//
//	clang        first line of clang-14 --version
//	lld          first line of wasm-ld-14 --version
//	command      what compiled c/NAME.c, for every NAME
//	programs     NAME to the SHA-256 of c/NAME.wasm, in hex
//	go.tar.gz    the SHA-256 of the archive
//
// The archive is in ustar form, sorted by name, with no owner, time or mode in it:
// go.mod and every .go file, under go/. The sums say that what is committed is what
// was built; that it fits the sources a test says, which compares the archive with
// go/ file by file, and compiles again where the tools are the manifest's.
package guest
