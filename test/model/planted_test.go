package model

import (
	"math"
	"testing"

	"vatwarehouse/test/faults"
)

// sparedRow is the fault of a buffer that does not delete every row it should.
const sparedRow = "a c-list row that is not deleted"

// plantedFaults are what the model does wrong, every other time it comes to it, if told to.
var plantedFaults = []string{
	sparedRow,
	"a budget that forgets the meter",
	"a change of options that forgets a number",
	"a critical vat that goes quietly",
	"a device that sleeps",
	"a device's reference that does not count",
	"a device's state that is not rolled back",
	"a dropped import still reachable",
	"a fault that is not rolled back",
	"a meter kept by the dead",
	"a next key that is the same",
	"a notify lost",
	"a number of an import passed over",
	"a pin that does not count",
	"a post that is not rolled back",
	"a promise kept after its notify",
	"a promise kept by its resolver",
	"a promise nobody refers to stays",
	"a promise that a device takes",
	"a quarantine that loses its event",
	"a reap for fuel forgotten",
	"a reap for references forgotten",
	"a refusal that nobody is told of",
	"a row too many cleaned",
	"a sender that keeps deciding",
	"a setback that costs nothing",
	"a threshold that is crossed twice",
	"a vat answered for before it has started",
	"an action not judged again",
	"an end that costs nothing",
	"an end that nobody is told of",
	"an export kept by an upgrade",
	"an export still reachable after dropExports",
	"an import kept after retireImports",
	"an importer not told",
	"an option that is not changed",
	"an outbox from the wrong end",
	"an outbox that is not emptied",
	"chores that give no turn",
	"fuel beyond the budget",
	"parameters that do not count",
	"what a device did before it refused",
	"what is parked takes no room",
	"what waited out of order",
	"what waits is not sent to a pipelining decider",
	"what was held back comes last",
}

// plantedSyscalls is within how many syscalls each fault must be found: far fewer
// than the tests make.
const plantedSyscalls = syscallsEnough / 10

// TestPlantedFaultsAreFound: each small fault makes the two sides differ.
func TestPlantedFaultsAreFound(t *testing.T) {
	for _, fault := range plantedFaults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			total := 0
			for s := faults.Seed(); total < plantedSyscalls; s++ {
				r := playSeed(s, fault)
				total += r.calls
				if r.f.where != "" {
					t.Logf("found after %d syscalls: %s", total, r.f.where)
					return
				}
			}
			t.Errorf("not found within %d syscalls", total)
		})
	}
}

// essenceTries is how many failures are shrunk until one comes down to a few steps: the
// same fault can show in many ways, and some need much to come about.
const essenceTries = 5

// TestShrinkFindsTheEssence: a planted fault comes down to a few steps.
func TestShrinkFindsTheEssence(t *testing.T) {
	for _, row := range []struct {
		fault string
		steps int
	}{
		{"a promise kept by its resolver", 16},
		{"an import kept after retireImports", 60},
	} {
		var last result
		least := math.MaxInt
		for s, tries := faults.Seed(), 0; tries < essenceTries && least > row.steps; s++ {
			r := playSeed(s, row.fault)
			if r.f.where == "" {
				continue
			}
			tries++
			short := shrink(r.seed, r.steps, r.f, row.fault)
			t.Logf("%s: from %d steps to %d and %d syscalls", row.fault, len(r.steps),
				len(short.steps), countCalls(short.steps))
			last, least = r, min(least, len(short.steps))
		}
		if least > row.steps {
			t.Errorf("%s: %d steps, at most %d are needed\n%s", row.fault, least, row.steps,
				explain(last, row.fault))
		}
	}
}
