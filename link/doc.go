// Package link connects kernels: it carries what the mailbox of one Host has to say to
// that of another, in one process or over a network.
//
//	end := link.New(link.Mailbox{Host: h, Device: "mailbox"}, "alice", nil)
//	go end.Listen(ctx, listener)                     // whoever calls
//	go end.Dial(ctx, "bob", dialTo("10.0.0.2:4100")) // and again, when it is cut
//	err := end.Drive(ctx, host.Policy{})             // runs what comes in
//
// It holds nothing that matters: what is to be said is read from the durable state of the
// Host, and read again after a cut or a restart; what comes in twice is passed over by the
// mailbox. A message leaves only once the block in which it was sent is durable, and is
// acknowledged only once the block in which it was taken in is.
//
// [Mailbox] is all that this takes: who has another way to carry parcels, or wants to say
// when each is carried, calls Parcel and Take. An [End] does so over connections. Its
// goroutines hand in what arrives; what that leads to is done by Host.Run, which the
// embedder calls when Work says so, and tells by Flush; or by Drive, which does just that.
//
// # A connection
//
// Any ordered stream of bytes will do. What the two sides send are frames (package
// internal/frame), of which the first has seed 0 and each other the check of the one
// before. Bodies are values in canonical encoding:
//
//	kind  body
//	1     [1, from, to, last taken in]   hello: the version, the names of who speaks and of
//	                                     whom it takes the other for, and the number of the
//	                                     last message that it has taken in from there
//	2     a parcel                       see devices.Mailbox
//	3     [why]                          a refusal, the last frame
//
// Who calls says hello first. A side refuses another version, a name that is not its own,
// a peer that no vat has registered, and a peer of which one of the two was set back: who
// has taken in less than it had acknowledged, or more than was ever sent. After the two
// hellos both send parcels as they like. A longer frame than a parcel can have is refused
// before it is read.
//
// Nothing here says who the other side is, or hides what is said from others: where that
// matters, use connections that do, such as those of crypto/tls.
package link
