package faults

// Classes are all classes that are counted. docs/reliability.md has them with what
// they show; a test holds the two together.
var Classes = []Class{
	{
		ID: "F1", What: "crash after every file operation", Unit: "crashes",
		Package: "./test/crash", Test: "TestCrashAfterEveryOperation", CI: 5_000, Long: 250_000,
	},
	{
		ID: "F2", What: "power cut under a real file system", Unit: "cuts",
		Package: "./test/crash/power", Test: "TestPowerCuts", CI: 300, Long: 30_000, Needs: Disks,
	},
	{
		ID: "F3", What: "SIGKILL at a random time", Unit: "kills",
		Package: "./cmd/swingsim", Test: "TestKilledAtAnyTime", CI: 200, Long: 10_000,
	},
	{
		ID: "F4", What: "error at every file operation", Unit: "errors",
		Package: "./test/crash", Test: "TestEveryOperationFails", CI: 12_000, Long: 200_000,
	},
	{
		ID: "F5", What: "disk really full", Unit: "full disks",
		Package: "./test/crash", Test: "TestDiskReallyFull", CI: 20, Long: 2_000, Needs: Root,
	},
	{
		ID: "F6", What: "flipped bit", Unit: "bits",
		Package: "./test/damage", Test: "TestNoFlipIsSilent", CI: 20_000, Long: 1_000_000,
	},
	{
		ID: "F7", What: "file cut, extended, swapped, stale, doubled", Unit: "files",
		Package: "./test/damage", Test: "TestNoCutIsSilent", CI: 10_000, Long: 100_000,
	},
	{
		ID: "F8", What: "crash or error during recovery", Unit: "crashes",
		Package: "./test/crash", Test: "TestCrashInRecovery", CI: 2_000, Long: 50_000,
	},
	{
		ID: "F9a", What: "hostile module written by hand", Unit: "modules",
		Package: "./test/hostile", Test: "TestVerdicts", CI: 430, Long: 430,
	},
	{
		ID: "F9b", What: "module generated or changed, in both engines", Unit: "modules",
		Package: "./worker/instrument", Test: "TestEnginesAgree", CI: 12_000, Long: 10_000_000,
	},
	{
		ID: "F10", What: "random syscalls and forged references", Unit: "syscalls",
		Package: "./test/model", Test: "TestKernelIsTheModel", CI: 2_000_000, Long: 200_000_000,
	},
	{
		ID: "F11", What: "other private options, restarts", Unit: "runs",
		Package: "./test/meta", Test: "TestSeedsInEveryVariant", CI: 64 * 12, Long: 5_000 * 12,
	},
	{
		ID: "F12", What: "transcript tampered with", Unit: "transcripts",
		Package: "./test/tamper", Test: "TestTamperedTranscripts", CI: 5_000, Long: 200_000,
	},
	{
		ID: "F13", What: "foreign bytes in every decoder", Unit: "inputs",
		Package: "./test/faults/run", Test: "fuzz", CI: 100_000, Long: 50_000_000,
	},
	{
		ID: "F14", What: "memory refused at the k-th growth", Unit: "refusals",
		Package: "./host", Test: "TestMemoryIsShort", CI: 500, Long: 20_000,
	},
	{
		ID: "F19", What: "whole lives with a mix of faults", Unit: "runs",
		Package: "./internal/sim", Test: "TestSimulatedRuns", CI: 1_000, Long: 100_000,
	},
	{
		ID: "F20", What: "two linked kernels, a bad link, and a mix of faults", Unit: "runs",
		Package: "./internal/sim", Test: "TestLinkedRuns", CI: 40, Long: 10_000,
	},
}
