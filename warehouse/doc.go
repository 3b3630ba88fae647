// Package warehouse keeps at most N vats paged in, and brings the rest back on
// demand: latest heap, then the transcript's suffix, replayed and compared.
//
// Which vats are paged in is invisible: to the vats, to the kernel, and in
// every hash. The warehouse reads no clock but that of its [Meter], which decides nothing,
// opens no file, and knows no store; what it takes to page a vat in it asks of its
// [Source].
//
// # Paging in
//
//	Source.Program → compiled program (kept, by code hash, in a bounded LRU)
//	Source.Life    → heap and image at some position, entries from there on
//	Program.Start  → a worker on the image
//	replay         → each entry delivered again under a transcript.Replayer
//
// Entries whose outcome was not ok are passed over: they left no trace in the
// heap. A replay that differs is a *transcript.DivergenceError, and the vat is
// not paged in. An error of any kind leaves everything else as it was.
//
// # Evicting
//
// Before a vat is paged in, others that are not pinned are evicted until both
// limits (count, bytes of memory) leave room: the least recently used ones, or
// those that another [Eviction] chooses. The run-queue is a part of the future
// that is known, which no cache of pages or of files has: [EvictQueue] goes by
// it. Evicting loses nothing: the transcript has it all. What the worker holds is
// first saved to its image (Source.Pause) if a snapshot is due, or always with
// PauseOnEvict; a paused vat pages in without replay as long as its image lasts.
//
// # Ahead of the turn
//
// With [Options].Ahead, vats that are next in the run-queue are begun while others run: see
// [Warehouse.Ahead]. The owner finds program, life and pages to make ready, and other
// goroutines start the worker and replay, touching nothing of the Warehouse's. Until its turn
// such a vat has no part in limits, evictions and snapshots; then it is taken over whole, or
// was given up, and what failed fails in its turn.
//
// # When a snapshot is due
//
// See [Policy]: after Initial deliveries of an incarnation and then every
// Interval; or after so much fuel, or so many bytes; when a vat is evicted, or
// nothing is left to deliver. The host takes what is due at the end of a block.
// [Triggers] have some fall due beside: the first message, a device call, block time, a
// signal. Snapshots leave no mark in a transcript, so when one is taken, or whether,
// changes no outcome.
//
// ByCost learns what it needs by counting, not by a clock: how much fuel each vat uses,
// what page-ins replay, how many pages a snapshot of it has, and a replay writes. Each page
// first written on an image is a fault and a copy; deliveries that come after the page-in
// have those of hot pages anyway, which are written all the time, so that a replay is priced
// by the others. Which are hot is found by comparing what was written from one image to the
// next with the time before; a worker of this process is also asked a few times, when what
// is known says nothing of what a vat has done since. It takes one
//
//   - of a vat that is evicted, when what page-ins have replayed since its latest, with
//     what the next will, costs as much as is saved by waiting: a snapshot, but for pages
//     that are not expected to be written a second time before the next. With none of
//     those, that is the rule of who does not know whether to rent or to buy: whatever
//     comes, it costs at most twice the least;
//   - when w × w/2 ≥ W × price, with w what it would cost to replay all since the latest
//     snapshot and W all that the vat has done: Young's rule for the interval of
//     checkpoints, for one restart in as long as the vat has run.
//
// It also follows, by counting, what the default (count:2/200) would have cost, and
// departs from it only so far as it can afford to: when all that was spent, and what it
// takes to be where the default is, come to more than the default's costs and a
// fortieth, it takes the snapshot that the default has taken, and none beside. So it
// costs at most a little more, whatever vats do. What it has learned is lost when the
// process ends.
package warehouse
