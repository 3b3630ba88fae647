// Package devices has devices for a Host: see kernel.Device. Each is added with
// Host.AddDevice under the name it has in Options.Devices; whoever is given its object can
// call it, or send to it.
//
// [Timer] wakes, [Bridge] speaks with the embedding program, [Mailbox] with other kernels.
//
// Arguments and answers are lists in canonical encoding, in which null stands for the
// next slot.
package devices
