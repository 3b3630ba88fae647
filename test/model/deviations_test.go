package model

// What the kernel does otherwise than docs/kernel.md, or SwingSet where that
// page leaves it open, as of now. Each goes when the kernel is changed; until
// then the model does as the kernel does, to see past it.
const (
	// A pipelined message whose promise is resolved, or decided by another, when
	// its turn comes, goes to the end of the acceptance queue and so behind later
	// messages. In SwingSet its way is found on the spot.
	anewFromTheEnd = true
	// What waited on a promise is queued behind all that the crank asked for before
	// it resolved the promise, and so behind later messages to the same promise: so
	// it is in SwingSet, too, but docs/kernel.md promises their order.
	waitedComesLast = true
	// A cleanup is due only in cranks whose number is a multiple of CleanupEvery, if
	// the acceptance queue is empty just then; not once so many other cranks have
	// passed.
	cleanupByNumber = true
	// The counters of imports, and the dirt, of a vat that is cleaned stay.
	countersStay = true
	// The end of a vat that is cleaned has no references any more.
	endLosesReferences = true
)
