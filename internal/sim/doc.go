// Package sim has scenarios: files that say which vats there are, who knows whom,
// and which messages they are sent; and the driver that runs one on a host.
//
// A scenario is loaded whole before anything is made: an unknown field, a name
// that nothing bears, a message that could not be sent are an [Error] with line,
// column and what would be right. docs/scenarios.md says what can stand in one,
// with an example of everything.
//
// # Script
//
// A scenario is a row of steps. A step sends messages, all at once, and only when
// all queues are empty; then the kernel runs until they are empty again:
//
//	step 0 … s-1    the entries of setup, one a step
//	step s …        the rounds of the workload: each entry that has messages left
//	                sends a burst of them, in the order of the file
//
// In a scenario with a time, the block time of step k is start + k × step.
//
// It ends when the length in deliveries is reached, exactly, be it in the middle of
// a round, or when there is nothing more to send. Then, if there is an audit,
// what is under way is seen through, the vats are asked, and their answers are
// noted. A run that is continued with a greater length has the audits of the
// shorter ones in its history.
//
// What message n of an entry is, its target and its arguments, depends on the
// seed, the entry's place in the file and n, and on nothing else: it is drawn from
// a PCG of its own, whose 128-bit state is the first 16 bytes, big-endian, of
//
//	swing.Sum("vatwarehouse scenario draw", seed, section, n as 8 bytes big-endian)
//
// where section is "vats.NAME", "setup.K", "workload.K", "audit.K" or "assert.K", K from 0. In
// the pattern fan-out n is the number of the sweep. The target is drawn before the
// arguments, these from left to right. A number below m is the high word of the
// 128-bit product of a 64-bit draw and m; draws whose low word is below 2^64 mod m
// are drawn again. There are no fractions anywhere, so every machine draws the same.
//
// So the order of cranks depends on the scenario alone: not on blocks, limits,
// snapshots, engines, or on where a run was stopped.
//
// # Notes
//
// How far a run has come is kept in the host's notes, written together with the
// messages they speak of, and so in the same block: a run that was killed goes on
// with exactly what was not sent. Each is a canonical array, version 1 first:
//
//	sim.scenario  [1, name text, seed text, identity bytes(32), the file bytes]
//	sim.roots     [1, [kref text …]]: of the vats, then devices and meters, each in the
//	              order of the file
//	sim.steps     [1, steps sent]
//	sim.asked     [1, [kref text …]]: promises of the audit's answers, while they
//	              are waited for
//	sim.answers   [1, deliveries when it was over, [problem text, body bytes, …]]:
//	              one pair for each vat asked, by ask and then assert; problem is "" if
//	              the body is an answer
//
// The host's stores verify the bytes. What does not decode all the same is
// [ErrNote].
//
// # Identity
//
// The identity of a scenario is the hash of what is observable in it, whatever
// way it is written: seed, vats, setup, workload, audit, devices, meters, time, and the
// code of programs it brings. A directory made by one scenario is refused to any other with
// [ErrOther]. Not in it: comments, about, options and length, which may change
// between two runs, and the code of built-in programs: vats keep the one they were
// made with.
//
// # Simulation
//
// A [Plan] is a whole run of a scenario in which things go wrong, of one host or of two
// linked ones; a seed draws one, and a [Simulator] makes it, in memory, and says whether
// its end is the one it would have had. [Scenario.Campaign] makes many, [Shrink] makes one
// that fails smaller. docs/simulation.md says what is drawn, and what is checked.
package sim
