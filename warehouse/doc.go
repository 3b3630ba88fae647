// Package warehouse keeps at most N vats paged in, and brings the rest back on
// demand: latest heap, then the transcript's suffix, replayed and compared.
//
// Which vats are paged in is invisible: to the vats, to the kernel, and in
// every hash. The warehouse reads no clock, opens no file, and knows no store;
// what it takes to page a vat in it asks of its [Source].
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
// those that another [Eviction] chooses. Evicting loses nothing: the transcript
// has it all. What the worker holds is first saved to its image (Source.Pause) if
// a snapshot is due, or always with PauseOnEvict; a paused vat pages in without
// replay as long as its image lasts.
//
// # When a snapshot is due
//
// See [Policy]: after Initial deliveries of an incarnation and then every
// Interval; or after so much fuel, or so many bytes; when a vat is evicted, or
// nothing is left to deliver. The host takes what is due at the end of a block.
// Snapshots leave no mark in a transcript, so when one is taken, or whether,
// changes no outcome.
//
// ByCost learns what it needs by counting, not by a clock: how much fuel each vat
// uses, how often it is paged in, how many pages a snapshot of it has. With w the
// work since the latest snapshot, W all of it, and n page-ins so far, it takes one
// when
//
//	(n + 1) / W × w × w/2  ≥  price of a snapshot of so many pages
//
// which is Young's rule for the interval of checkpoints, page-ins being the
// failures. What it has learned is lost when the process ends.
package warehouse
