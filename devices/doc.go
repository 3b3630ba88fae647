// Package devices has devices for a Host: see kernel.Device. Each is added with
// Host.AddDevice under the name it has in Options.Devices; whoever is given its object can
// call it, or send to it.
//
//	Timer    wakes objects when the block time has come
//	Bridge   passes data between vats and the embedding program
//	Mailbox  exchanges messages with other kernels: see package link
//	Command  passes commands of the embedding program to a vat, and their answers back
//
// Arguments and answers are lists in canonical encoding, in which null stands for the
// next slot: see swing.Arguments.
package devices
