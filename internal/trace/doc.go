// Package trace is what a warehouse was asked for, in a file: which vat was delivered to,
// in what order, what that took, and which pages it wrote; and what other policies would
// have cost on it. A SwingSet slog can be read as one: see [ReadSlog].
//
// It is pure: it reads and writes through io, and asks the world nothing. What a policy
// would have cost is found by running a warehouse (package warehouse) on the trace, with
// workers that use what the trace says and do nothing.
//
// # The file
//
// A line of text, "vatwarehouse trace 3\n", then frames (package frame), the first seeded
// with 0. Their bodies are
//
//	kind 1   the head, once: [about, footprints bool]
//	kind 2   events, deflated: one canonical value after the other
//	kind 3   the end, once: [number of events]; nothing follows
//
// An event is one of
//
//	[0, vat]                the next vat, from 0; it is not counted
//	[1, vat number, position, kind, block time, ok, paged in, fuel, syscalls, bytes,
//	 device calls, waiting events, nanoseconds, bytes of memory,
//	 [first page written, distance to the next …]]   a delivery
//	[2, vat number]         the vat's worker was given up
//	[3]                     the end of a block
//	[4]                     nothing was left to deliver
//
// Positions of a vat's deliveries ascend; one that took no effect leaves its own to the next.
// footprints says that bytes of memory and pages written are known. A file without its end
// was cut short, and is refused.
package trace
