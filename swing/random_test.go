package swing_test

import (
	"math/rand/v2"

	"vatwarehouse/swing"
)

// source draws random values of the vocabulary from one seed.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 0))} }

func (s source) bytes() []byte {
	b := make([]byte, []int{0, 1, 23, 24, 255, 256, 300}[s.IntN(7)])
	for i := range b {
		b[i] = byte(s.Uint32())
	}
	return b
}

func (s source) text() string {
	return []string{"", "incr", "größe", "a method with a name of more than 23 bytes"}[s.IntN(4)]
}

func (s source) number() uint64 {
	return []uint64{1, 9, 23, 24, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32}[s.IntN(10)]
}

func (s source) kref() swing.KRef {
	if s.IntN(2) == 0 {
		return swing.KRefOf(swing.Promise, s.number())
	}
	return swing.KRefOf(swing.Object, s.number())
}

func (s source) vref() swing.VRef {
	own := []swing.VRef{"o+0", "o+12", "p+7", "o+v3/7", "o+d3/7:1", "o+d0/0:0"}
	switch i := s.IntN(len(own) + 2); {
	case i < len(own):
		return own[i]
	case i == len(own):
		return swing.ImportVRef(swing.Object, s.number())
	}
	return swing.ImportVRef(swing.Promise, s.number())
}

func capData[R swing.Ref](s source, ref func() R) (c swing.CapData[R]) {
	c.Body = s.bytes()
	for range s.IntN(4) {
		c.Slots = append(c.Slots, ref())
	}
	return c
}

func message[R swing.Ref](s source, ref func() R) (m swing.Message[R]) {
	m.Method, m.Args = s.text(), capData(s, ref)
	if s.IntN(2) == 0 {
		m.Result = ref()
	}
	return m
}

func resolutions[R swing.Ref](s source, ref func() R) (rs []swing.Resolution[R]) {
	for range s.IntN(3) {
		rs = append(rs, swing.Resolution[R]{
			Promise: ref(), Rejected: s.IntN(2) == 0, Data: capData(s, ref),
		})
	}
	return rs
}

func delivery[R swing.Ref](s source, ref func() R) (d swing.Delivery[R]) {
	d.Kind, d.Time = swing.DeliveryKind(1+s.IntN(int(swing.DeliverReap))), s.number()
	switch d.Kind {
	case swing.DeliverStartVat:
		d.Params = capData(s, ref)
	case swing.DeliverMessage:
		d.Target, d.Message = ref(), message(s, ref)
	case swing.DeliverNotify:
		d.Resolutions = resolutions(s, ref)
	case swing.DeliverReap:
	default:
		d.Refs = refs(s, ref)
	}
	return d
}

var ops = []swing.Op{
	swing.OpSend, swing.OpSubscribe, swing.OpResolve, swing.OpExit, swing.OpVatstoreGet,
	swing.OpVatstoreSet, swing.OpVatstoreDelete, swing.OpVatstoreNextKey,
	swing.OpDropImports, swing.OpRetireImports, swing.OpRetireExports, swing.OpAbandonExports,
	swing.OpCall,
}

func refs[R swing.Ref](s source, ref func() R) (list []R) {
	for range s.IntN(4) {
		list = append(list, ref())
	}
	return list
}

func request[R swing.Ref](s source, ref func() R) (r swing.Syscall[R]) {
	r.Op = ops[s.IntN(len(ops))]
	switch r.Op {
	case swing.OpSend:
		r.Target, r.Message = ref(), message(s, ref)
	case swing.OpCall:
		r.Target, r.Message = ref(), message(s, ref)
		r.Message.Result = ""
	case swing.OpSubscribe:
		r.Target = ref()
	case swing.OpResolve:
		r.Resolutions = resolutions(s, ref)
	case swing.OpExit:
		r.Failure, r.Info = s.IntN(2) == 0, capData(s, ref)
	case swing.OpVatstoreSet:
		r.Key, r.Value = s.bytes(), s.bytes()
	default:
		if r.Op.GC() {
			r.Refs = refs(s, ref)
		} else {
			r.Key = s.bytes()
		}
	}
	return r
}

func heap(s source) (h swing.Heap) {
	h.Program, h.Pages = swing.Sum("program", s.bytes()), swing.Sum("pages", s.bytes())
	h.Size = s.number() * (64 << 10)
	for range s.IntN(4) {
		h.Globals = append(h.Globals, s.number())
	}
	h.Started, h.Clock, h.Random = s.IntN(2) == 0, s.number(), s.number()
	return h
}
