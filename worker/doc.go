// Package worker runs one vat's program on wazero: it delivers, captures the
// heap and brings one back. It is the only room that knows the engine.
//
// # What a worker promises
//
// The same program, heap, delivery and answers give the same syscalls, outcome
// and heap, in both of wazero's engines and whatever was captured, dropped and
// brought back in between. Everything a program can observe comes from its
// heap, its deliveries and its syscalls' answers: the clock is the delivery's
// time, randomness a seeded stream whose position is part of the heap, and no
// import reaches the machine (see abi.go and wasi.go; guest/README.md is the
// specification for authors of programs).
//
// # Heaps and images
//
// A worker's memory starts as an [Image]: a file it maps copy-on-write, or
// copies. [Worker.Capture] finds the pages written since, [Worker.Rebase] says
// that an image now holds them. Globals, memory size and the host's own state
// of the program (swing.Heap) travel beside the pages. There is no stack to
// save: a heap is captured between deliveries only.
//
// A program is born from an image that holds nothing but its data segments; its
// start function and _initialize run as the prologue of its first delivery,
// under that delivery's Syscaller, and never again.
//
// # Fuel
//
// A delivery is given a budget of fuel, and [swing.Limits] say how deep its calls may
// be. Its outcome says what it used. Out of fuel and too deep are outcomes of their own;
// out of memory is a trap after a memory.grow that was refused in the same delivery. The
// host's functions cost fuel too, by what they copy. What is counted, and what is known
// when a program traps, is told by package instrument. No heap holds any of it.
//
// # Caveats
//
// A call on a closed instance would run the program in unmapped memory and kill
// the process: one owner per worker, and Close drops every handle first.
//
// A delivery cannot be interrupted, and while it runs Go's garbage collector waits:
// its fuel bounds how long. Where much fuel is given, a program that is compiled by
// [Engine.CompileYielding] lets the collector have its turn.
//
// An engine's own stack overflow is a fault of ours, and panics: calls are too deep
// before that (package instrument says why).
//
// A live worker takes two memory mappings. Linux allows a process 65,530
// (vm.max_map_count), and Go dies beyond; Start refuses before that.
package worker
