package hostile_test

import (
	"slices"
	"strings"
	"testing"

	"vatwarehouse/swing"
)

// TestPlantedFaults: whatever one style, or the witness, has otherwise than it must be is
// told of.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	m := hostile{verdict: "trapped"}
	good := life{verdict: "message: trapped", status: swing.StatusTrapped, witness: "calm"}
	if found := m.faults([]life{good, good, good}, "calm"); found != nil {
		t.Errorf("without a fault: %v", found)
	}
	for says, spoil := range map[string]func(lives []life){
		"message: ok":      func(lives []life) { lives[1].verdict = "message: ok" },
		"activityhash":     func(lives []life) { lives[2].hash[31]++ },
		"another life":     func(lives []life) { lives[1].witness = "disturbed" },
		`it is "failed"`:   func(lives []life) { lives[0].status = swing.StatusFailed },
		`it is "status(0)`: func(lives []life) { lives[0].status = 0 },
	} {
		lives := []life{good, good, good}
		spoil(lives)
		found := m.faults(lives, "calm")
		if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, says) }) {
			t.Errorf("%s: %v", says, found)
		}
	}
	refused := hostile{verdict: "refused"}
	if found := refused.faults([]life{good, good, good}, "calm"); len(found) != 1 {
		t.Errorf("a module to refuse was run: %v", found)
	}
}

// TestPlantedCapability: a vat that does have a reference to the witness disturbs it, and
// that is seen.
func TestPlantedCapability(t *testing.T) {
	t.Parallel()
	for _, m := range modules(t) {
		if m.class+"/"+m.name != "syscalls/send-known" {
			continue
		}
		calm := live(t, m.binary, m.fuel, style{name: "calm", interpreter: true})
		seen := live(t, m.binary, m.fuel, style{name: "planted", interpreter: true, exposed: true})
		if calm.witness == seen.witness || !strings.Contains(seen.witness, "incr") {
			t.Errorf("the witness was disturbed, and nothing shows:\n%s", seen.witness)
		}
		return
	}
	t.Error("the module is not there")
}

// TestPlantedHeaders: a module that does not say what it is for is refused.
func TestPlantedHeaders(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		";; a try\n;; verdict: ok\n(module)":            true,
		";; a try\n;; verdict: ok\n;; fuel: 7\n":        true,
		";; a try\n;; verdict: fine\n":                  false,
		";; verdict: ok\n":                              false,
		";; a try\n":                                    false,
		";; a try\n;; verdict: ok\n;; fuel: a little\n": false,
	} {
		m := hostile{text: []byte(text)}
		if err := m.header(); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}
