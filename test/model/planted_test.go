package model

import (
	"math"
	"testing"
)

// sparedRow is the fault of a buffer that does not delete every row it should.
const sparedRow = "a c-list row that is not deleted"

// faults are what the model does wrong, every other time it comes to it, if told to.
var faults = []string{
	sparedRow,
	"a dropped import still reachable",
	"a change of options that forgets a number",
	"a fault that is not rolled back",
	"a next key that is the same",
	"a notify lost",
	"a number of an import passed over",
	"a pin that does not count",
	"a promise kept after its notify",
	"a promise kept by its resolver",
	"a promise nobody refers to stays",
	"a reap for references forgotten",
	"a row too many cleaned",
	"a sender that keeps deciding",
	"an action not judged again",
	"a quarantine that loses its event",
	"an export kept by an upgrade",
	"an export still reachable after dropExports",
	"an import kept after retireImports",
	"an importer not told",
	"what waited out of order",
	"what waits is not sent to a pipelining decider",
	"what was held back comes last",
}

// plantedSyscalls is within how many syscalls each fault must be found: far fewer
// than the tests make.
const plantedSyscalls = syscallsDefault / 10

// TestPlantedFaultsAreFound: each small fault makes the two sides differ.
func TestPlantedFaultsAreFound(t *testing.T) {
	for _, fault := range faults {
		total := 0
		for s := *seed; ; s++ {
			r := playSeed(s, fault)
			total += r.calls
			if r.f.where != "" {
				t.Logf("%s: found after %d syscalls: %s", fault, total, r.f.where)
				break
			}
			if total > plantedSyscalls {
				t.Errorf("%s: not found", fault)
				break
			}
		}
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
		for s, tries := *seed, 0; tries < essenceTries && least > row.steps; s++ {
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
