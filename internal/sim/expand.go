package sim

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"sort"

	"vatwarehouse/swing"
)

// draw is the chance in one message: a PCG of its own, seeded by the scenario's
// seed and the message's name, so that what a message is depends on nothing that
// was drawn before. It uses whole 64-bit words and integers only, which are the
// same on every machine.
type draw struct {
	pcg rand.PCG
}

// seed makes the draws those of the n-th message of a section ("workload.2").
func (d *draw) seed(seed, section string, n uint64) {
	h := swing.Sum("vatwarehouse scenario draw", []byte(seed), []byte(section),
		binary.BigEndian.AppendUint64(nil, n))
	d.pcg.Seed(binary.BigEndian.Uint64(h[:8]), binary.BigEndian.Uint64(h[8:16]))
}

// below draws a number in [0, n), each as likely as any other; n is positive.
func (d *draw) below(n uint64) uint64 {
	hi, lo := bits.Mul64(d.pcg.Uint64(), n)
	if lo < n {
		for biased := -n % n; lo < biased; {
			hi, lo = bits.Mul64(d.pcg.Uint64(), n)
		}
	}
	return hi
}

// zipf draws ranks by Zipf's law: the k-th of them, from 0, has the weight
// 1/(k+1), in whole numbers.
type zipf struct {
	sums []uint64 // of the weights up to and with each rank
}

// zipfScale is the weight of the first rank.
const zipfScale = 1 << 32

// newZipf adds the weights up. 100,000 ranks come to less than 2^37: no overflow.
func newZipf(ranks int) zipf {
	z := zipf{sums: make([]uint64, ranks)}
	total := uint64(0)
	for k := range z.sums {
		total += zipfScale / uint64(k+1)
		z.sums[k] = total
	}
	return z
}

func (z zipf) rank(d *draw) int {
	at := d.below(z.sums[len(z.sums)-1])
	return sort.Search(len(z.sums), func(k int) bool { return z.sums[k] > at })
}

// scope is what the values of one message are made in.
type scope struct {
	index, count int    // $i and $count: of the vat or target in its group
	number       uint64 // $n
	peer         int    // $peer: the number of a vat
	cycle        uint64 // which of a cycle's values is due
	draw         *draw
}

// message is a message to send, or the parameters of a start: vats stand for
// their roots; see thingSlot for others.
type message struct {
	target int
	method string
	body   []byte
	slots  []int
}

// write makes the body of values: a canonical list, in which a null stands for
// the next slot. It uses the message's own memory again.
func (m *message) write(vs []value, sc *scope) {
	m.body, m.slots = m.body[:0], m.slots[:0]
	m.list(vs, sc)
}

func (m *message) list(vs []value, sc *scope) {
	n := 0
	for _, v := range vs {
		n += v.width(sc)
	}
	m.body = swing.AppendArray(m.body, n)
	for _, v := range vs {
		m.value(v, sc)
	}
}

// width returns how many values v is.
func (v value) width(sc *scope) int {
	if v.kind == valueEach {
		return len(v.where.all(sc)) * (1 + len(v.items))
	}
	return 1
}

func (m *message) value(v value, sc *scope) {
	switch v.kind {
	case valueNumber:
		m.body = swing.AppendUint(m.body, v.number)
	case valueText:
		m.body = swing.AppendText(m.body, v.text)
	case valueBool:
		m.body = swing.AppendBool(m.body, v.number == 1)
	case valueBytes:
		m.body = swing.AppendBytes(m.body, []byte(v.text))
	case valueList:
		m.list(v.items, sc)
	case valueVariable:
		m.body = swing.AppendUint(m.body, v.term.value(sc))
	case valueRef:
		m.ref(v.where.one(sc))
	case valuePeer:
		m.ref(sc.peer)
	case valueThing:
		m.ref(thingSlot(int(v.number)))
	case valueEach:
		for _, vat := range v.where.all(sc) {
			m.ref(vat)
			for _, item := range v.items {
				m.value(item, sc)
			}
		}
	case valuePick:
		m.value(v.items[sc.draw.below(uint64(len(v.items)))], sc)
	case valueBetween:
		m.body = swing.AppendUint(m.body, v.number+sc.draw.below(v.upTo-v.number+1))
	case valueCycle:
		m.value(v.items[sc.cycle%uint64(len(v.items))], sc)
	}
}

func (m *message) ref(vat int) {
	m.body = swing.AppendNull(m.body)
	m.slots = append(m.slots, vat)
}
