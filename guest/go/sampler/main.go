// Command sampler has one message for each thing a vat can do. EXAMPLES.md has them.
package main

import (
	"math/rand"
	"time"

	"vat"
)

const (
	cellsMax      = 16 // objects made by make
	promisesMax   = 16 // promises made by promise and not settled
	watchesMax    = 16 // promises of others that are watched
	keyBytesMax   = 64 // of the vatstore
	valueBytesMax = 256
	keysMax       = 8 // answered by keys
)

type sampler struct {
	cells    int
	promises []*vat.Resolver // wait for settle, the oldest first
	watches  int
	state    *state // of runtime, once it was called
}

func init() {
	vat.Serve(func(*vat.Data) vat.Object {
		s := &sampler{}
		return vat.Methods{
			"echo": echo, "put": put, "get": get, "forget": forget, "keys": keys,
			"make": s.make, "promise": s.promise, "settle": s.settle, "pair": pair,
			"watch": s.watch, "now": func(m *vat.Message) { m.Answer(vat.Now()) }, "log": say,
			"fail": func(*vat.Message) { vat.Fail("asked to") }, "exit": leave,
			"sum": sum, "plain": func(m *vat.Message) { m.AnswerWith(vat.Raw([]byte("plain"))) },
			"panic": func(*vat.Message) { panic("for no reason") }, "runtime": s.runtime,
		}
	})
}

func echo(m *vat.Message) {
	m.List(5)
	n, text, bytes, flag, ref := m.Uint(), m.Text(), m.Bytes(), m.Bool(), m.Ref()
	switch {
	case !m.Taken():
		m.Reject("want echo(n, text, bytes, flag, ref)")
	case len(text)+len(bytes) > 512:
		m.Reject("too long")
	default:
		m.Answer(n, text, bytes, flag, ref)
	}
}

// sum adds up a list of any length.
func sum(m *vat.Message) {
	var total uint64
	for n := m.Count(); n > 0; n-- {
		total += m.Uint()
	}
	if !m.Taken() {
		m.Reject("want sum(n, ...)")
		return
	}
	m.Answer(total)
}

func put(m *vat.Message) {
	m.List(2)
	key, value := m.Bytes(), m.Bytes()
	if !m.Taken() || len(key) == 0 || len(key) > keyBytesMax || len(value) > valueBytesMax {
		m.Reject("want put(key, value)")
		return
	}
	vat.Set(key, value)
	m.Answer()
}

// takeKey takes a call's only argument; nothing if it is none.
func takeKey(m *vat.Message) []byte {
	m.List(1)
	key := m.Bytes()
	if !m.Taken() {
		return nil
	}
	return key
}

func get(m *vat.Message) {
	key := takeKey(m)
	if len(key) == 0 {
		m.Reject("want get(key)")
		return
	}
	if value, ok := vat.Get(key); ok {
		m.Answer(value)
		return
	}
	m.Answer()
}

func forget(m *vat.Message) {
	key := takeKey(m)
	if len(key) == 0 {
		m.Reject("want forget(key)")
		return
	}
	vat.Delete(key)
	m.Answer()
}

// keys answers the first keys of the vatstore.
func keys(m *vat.Message) {
	var found []any
	var key []byte
	for ok := true; len(found) < keysMax; {
		if key, ok = vat.Next(key); !ok {
			break
		}
		found = append(found, key)
	}
	m.Answer(found...)
}

// make answers with a new object: a cell.
func (s *sampler) make(m *vat.Message) {
	if s.cells == cellsMax {
		m.Reject("too many cells")
		return
	}
	s.cells++
	var value uint64
	m.AnswerRef(vat.Export(vat.Methods{
		"read": func(m *vat.Message) { m.Answer(value) },
		"write": func(m *vat.Message) {
			m.List(1)
			n := m.Uint()
			if !m.Taken() {
				m.Reject("want write(n)")
				return
			}
			value = n
			m.Answer(n)
		},
	}))
}

// promise answers with a promise that settle settles.
func (s *sampler) promise(m *vat.Message) {
	if len(s.promises) == promisesMax {
		m.Reject("too many promises")
		return
	}
	ref, resolver := vat.NewPromise()
	s.promises = append(s.promises, resolver)
	m.Answer(ref)
}

func (s *sampler) settle(m *vat.Message) {
	m.List(2)
	rejected, text := m.Bool(), m.Text()
	if !m.Taken() || len(text) > 64 || len(s.promises) == 0 {
		m.Reject("want settle(rejected, text), after promise()")
		return
	}
	if rejected {
		s.promises[0].Reject(text)
	} else {
		s.promises[0].Answer(text)
	}
	s.promises = s.promises[1:]
	m.Answer()
}

// pair answers with two promises that are fulfilled with each other, at one stroke.
func pair(m *vat.Message) {
	a, _ := vat.NewPromise()
	b, _ := vat.NewPromise()
	m.AnswerWith(vat.List(a, b),
		vat.Resolution{Promise: a, Body: vat.List(b)}, vat.Resolution{Promise: b, Body: vat.List(a)})
}

// watch answers as a promise is settled.
func (s *sampler) watch(m *vat.Message) {
	m.List(1)
	ref := m.Ref()
	switch {
	case !m.Taken() || !ref.IsPromise():
		m.Reject("want watch(promise)")
	case s.watches == watchesMax:
		m.Reject("too much under way")
	default:
		s.watches++
		relay := func(d *vat.Data) {
			s.watches--
			m.Relay(d)
		}
		vat.When(ref).Then(relay, relay)
	}
}

func say(m *vat.Message) {
	m.List(2)
	level, text := m.Uint(), m.Text()
	if !m.Taken() {
		m.Reject("want log(level, text)")
		return
	}
	vat.Log(vat.Level(level), text)
	m.Answer()
}

func leave(m *vat.Message) {
	m.List(1)
	failure := m.Bool()
	if !m.Taken() {
		m.Reject("want exit(failure)")
		return
	}
	vat.Exit(failure, "asked to")
	m.Answer()
}

// state is what Go's runtime keeps between deliveries: a goroutine parked on a
// channel, one on a timer, a map, and the collector's work.
type state struct {
	questions, answers chan int
	ticks              int
	numbers            map[int]int
	garbage            []byte
}

func newState() *state {
	s := &state{questions: make(chan int), answers: make(chan int), numbers: map[int]int{}}
	go func() {
		for seen := 0; ; seen++ {
			s.answers <- <-s.questions + seen
		}
	}()
	go func() {
		for range time.NewTicker(50 * time.Microsecond).C {
			s.ticks++
		}
	}()
	return s
}

// runtime answers with what depends on all of that: and on the order of a map, on
// random numbers, and on the clock.
func (s *sampler) runtime(m *vat.Message) {
	if s.state == nil {
		s.state = newState()
	}
	st := s.state
	for range 50 {
		st.numbers[rand.Intn(1000)]++
		st.garbage = make([]byte, 20_000)
	}
	time.Sleep(30 * time.Microsecond)
	st.questions <- len(st.garbage)
	first := 0
	for first = range st.numbers {
		break
	}
	m.Answer(<-st.answers, first, rand.Intn(1<<30), st.ticks, int(time.Now().UnixNano()))
}

func main() {}
