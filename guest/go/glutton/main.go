// Command glutton costs what it is told to: memory held, pages written, garbage,
// syscalls, rows of the vatstore. EXAMPLES.md has its knobs.
package main

import (
	"encoding/binary"

	"vat"
)

const (
	pageBytes     = 4096    // a page of a heap snapshot
	heapBytesMax  = 1 << 30 // more than any memory limit allows
	blockBytes    = 256     // garbage is made in blocks of this size
	valueBytesMax = 4096
	keysMax       = 1024 // how many keys of the vatstore it uses
)

// knobs are what one touch costs, in the order in which a message has them.
type knobs struct{ heap, noise, dirty, syscalls, garbage, rows, value uint64 }

type glutton struct {
	knobs
	set     bool
	touches uint64
	noise   uint64 // state of the generator
	memory  []byte // whole pages
	cursor  uint32 // where the last touch stopped
	garbage []byte // the last block: what a compiler must not see through
}

func init() {
	vat.Serve(func(params *vat.Data) vat.Object {
		g := &glutton{noise: 1}
		if !params.Empty() {
			if why := g.turn(params); why != "" {
				vat.Fail(why)
			}
		}
		return vat.Methods{"set": g.setKnobs, "touch": g.touch, "read": g.read}
	})
}

func (g *glutton) random() uint64 {
	g.noise = g.noise*6364136223846793005 + 1442695040888963407
	return g.noise
}

func (g *glutton) fill(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, g.random())
	}
}

// turn turns the knobs, once; why it did not is its result.
func (g *glutton) turn(d *vat.Data) string {
	var k knobs
	d.List(7)
	for _, knob := range []*uint64{
		&k.heap, &k.noise, &k.dirty, &k.syscalls, &k.garbage, &k.rows, &k.value,
	} {
		*knob = d.Uint()
	}
	switch {
	case !d.Taken():
		return "want set(heap, noise, dirty, syscalls, garbage, rows, value)"
	case g.set:
		return "the knobs are set already"
	case k.heap > heapBytesMax || k.noise > pageBytes || k.value > valueBytesMax:
		return "a knob is turned too far"
	}
	g.knobs, g.set = k, true
	g.memory = make([]byte, k.heap/pageBytes*pageBytes)
	for at := 0; at < len(g.memory); at += pageBytes {
		g.fill(g.memory[at : at+int(k.noise)])
	}
	return ""
}

func (g *glutton) setKnobs(m *vat.Message) {
	if why := g.turn(m.Data); why != "" {
		m.Reject(why)
		return
	}
	g.answer(m)
}

func (g *glutton) answer(m *vat.Message) {
	m.Answer(g.touches, len(g.memory)/pageBytes, g.noise>>1)
}

func (g *glutton) read(m *vat.Message) {
	if !m.Empty() {
		m.Reject("want no arguments")
		return
	}
	g.answer(m)
}

func (g *glutton) touch(m *vat.Message) {
	switch {
	case !m.Empty():
		m.Reject("want no arguments")
		return
	case !g.set:
		m.Reject("the knobs are not set")
		return
	}
	g.touches++
	g.writePages()
	for n := g.knobs.garbage / blockBytes; n > 0; n-- {
		g.garbage = make([]byte, blockBytes)
		g.garbage[0] = byte(g.touches)
	}
	for n := g.syscalls; n > 0; n-- {
		vat.Get(g.someKey())
	}
	value := make([]byte, g.value)
	for n := g.rows; n > 0; n-- {
		g.fill(value)
		vat.Set(g.someKey(), value)
	}
	g.answer(m)
}

// writePages writes one word in each of dirty pages, no page twice: the cursor runs
// through all numbers below a power of two, as a linear congruence whose multiplier
// is 1 modulo 4 does, and those that are no page are passed over.
func (g *glutton) writePages() {
	pages := uint32(len(g.memory) / pageBytes)
	period := uint32(1)
	for period < pages {
		period *= 2
	}
	for n := min(g.dirty, uint64(pages)); n > 0; n-- {
		for {
			g.cursor = (g.cursor*1664525 + 1013904223) & (period - 1)
			if g.cursor < pages {
				break
			}
		}
		word := g.memory[int(g.cursor)*pageBytes+int(g.random()%(pageBytes/8)*8):]
		binary.LittleEndian.PutUint64(word, binary.LittleEndian.Uint64(word)+1)
	}
}

// someKey returns one of keysMax keys, chosen by chance.
func (g *glutton) someKey() []byte {
	return binary.BigEndian.AppendUint16(nil, uint16(uint32(g.random()>>32)%keysMax))
}

func main() {}
