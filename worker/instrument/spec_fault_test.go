package instrument

import (
	"bytes"
	"slices"
	"testing"
)

// TestSpecificationFindsFaults plants mistakes, and wants a script to find each.
func TestSpecificationFindsFaults(t *testing.T) {
	t.Parallel()
	scripts := specScripts(t)
	replace := func(from, to []byte) func(*specPlayer) {
		return func(p *specPlayer) {
			p.spoil = func(code []byte) []byte { return bytes.ReplaceAll(code, from, to) }
		}
	}
	loose := func(p *specPlayer) { p.spoil = asTheyCome }
	onTwo := func(op byte) []byte { return []byte{opLocalGet, 0, opLocalGet, 1, op} }
	for _, c := range []struct {
		script, mistake string
		plant           func(*specPlayer)
	}{
		{"v2/start", "start not called", func(p *specPlayer) { p.fault.start = true }},
		{"v2/address", "segment not written", func(p *specPlayer) { p.fault.segments = true }},
		{"v2/i32", "add is sub", replace(onTwo(opI32Add), onTwo(opI32Add+1))},
		{"v2/memory_grow", "memory smaller", replace([]byte{1, 0, 0x0a}, []byte{1, 0, 0x09})},
		{"v2/traps", "no trap", replace(onTwo(0x6d), onTwo(opI32Add))},
		{"v2/nop", "global not set", replace([]byte{opGlobalSet, 0}, []byte{0x1a, 0x01})},
		{"v2/start", "invalid modules run", func(p *specPlayer) {
			good := func(c specCommand) bool { return c.Type == "module" }
			p.script.Commands[slices.IndexFunc(p.script.Commands, good)].Type = "assert_malformed"
		}},
		{"v2/f64_bitwise", "NaNs as they come", loose},
		{"v2/simd_f32x4_arith", "vectors as they come", loose},
	} {
		script := scripts[c.script]
		script.Commands = slices.Clone(script.Commands)
		if _, err := playSpec(script, c.plant); err == nil {
			t.Errorf("%s: nothing wrong with %s", c.script, c.mistake)
		} else {
			t.Logf("%s, %s: %v", c.script, c.mistake, err)
		}
	}
}
