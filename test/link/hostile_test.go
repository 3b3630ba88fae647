package link_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// stranger is a remote that says what it likes: it has no kernel.
type stranger struct {
	*node
	name           string
	sent, received uint64
}

// newStranger makes a stranger known, and gives it an object.
func newStranger(n *node, name string, object swing.KRef) *stranger {
	n.Helper()
	mailbox, err := n.h.Device("mailbox")
	n.must(err)
	n.send(n.comms, "addRemote", name, mailbox)
	result := n.send(n.comms, "addEgress", name, 1, object)
	n.run()
	n.expect(result, "fulfilled []")
	return &stranger{node: n, name: name}
}

// hear takes what was said to it, and returns it as text.
func (s *stranger) hear() (said []string) {
	s.Helper()
	parcel, last, err := s.box.Parcel(ctx, s.name, s.received)
	s.must(err)
	r := swing.NewReader(parcel)
	r.Fields(2)
	r.Uint()
	for n := r.Array(); n > 0; n-- {
		r.Fields(2)
		r.Uint()
		said = append(said, fmt.Sprint(swing.NewReader(r.Bytes()).Value()))
	}
	s.must(r.Done())
	s.received = last
	return said
}

// say says a message, its number and what it acknowledges first.
func (s *stranger) say(fields ...func([]byte) []byte) {
	s.Helper()
	b := swing.AppendArray(nil, 2+len(fields))
	b = swing.AppendUint(swing.AppendUint(b, s.sent+1), s.received)
	for _, f := range fields {
		b = f(b)
	}
	s.sayBytes(b)
}

func (s *stranger) sayBytes(b []byte) {
	s.Helper()
	s.sent++
	parcel := swing.AppendUint(swing.AppendArray(nil, 2), s.received)
	parcel = swing.AppendUint(swing.AppendArray(swing.AppendArray(parcel, 1), 2), s.sent)
	s.must(s.box.Take(ctx, s.name, swing.AppendBytes(parcel, b)))
	s.run()
}

// isCut reports whether the last of what was said is that the link is cut.
func isCut(said []string) bool {
	return len(said) > 0 && cutMessage.MatchString(said[len(said)-1])
}

var cutMessage = regexp.MustCompile(`^\[[0-9]+ [0-9]+ 4 `)

func num(n uint64) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendUint(b, n) }
}

func text(s string) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendText(b, s) }
}

func raw(s string) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendBytes(b, []byte(s)) }
}

func null(b []byte) []byte { return swing.AppendNull(b) }

func items(values ...func([]byte) []byte) func([]byte) []byte {
	return func(b []byte) []byte {
		b = swing.AppendArray(b, len(values))
		for _, v := range values {
			b = v(b)
		}
		return b
	}
}

func names(list ...string) func([]byte) []byte {
	var all []func([]byte) []byte
	for _, n := range list {
		all = append(all, text(n))
	}
	return items(all...)
}

func flag(v bool) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendBool(b, v) }
}

// TestWireForm: what comms says on a link is as docs/links.md has it.
func TestWireForm(t *testing.T) {
	t.Parallel()
	n := newNode(t, "a", host.Options{})
	s := newStranger(n, "s", n.vat("sampler", "sampler"))
	s.say(num(1), text("o+1"), text("sum"), raw("\x82\x01\x02"), names(), text("p-1"))
	s.say(num(1), text("o+1"), text("make"), raw("\x80"), names(), text("p-2"))
	s.say(num(1), text("p-2"), text("read"), raw("\x80"), names(), null)
	s.say(num(1), text("o+1"), text("echo"), raw("\x85\x01\x60\x40\xf4\xf6"), names("o-5"), text("p-3"))
	want := []string{
		"[1 1 2 [[p+1 false [129 3] []]]]", "[2 2 2 [[p+2 false [] [o-1000]]]]",
		"[3 4 2 [[p+3 false [133 1 96 64 244 246] [o+5]]]]",
	}
	if got := s.hear(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it said %q,\nwant %q", got, want)
	}
	s.say(num(3), names("o+1000"), names("o+1000"), names())
	s.say(num(0))
	s.say(num(9))
	want = []string{"[4 7 4 a message of no kind]"}
	if got := s.hear(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it said %q,\nwant %q", got, want)
	}
	if !strings.Contains(n.log.String(), "the link with s is cut: a message of no kind") {
		t.Errorf("logged: %s", n.log.Bytes())
	}
}

// remoteFaults are messages that get a remote cut off.
func remoteFaults() map[string][]func([]byte) []byte {
	body := raw("\x80")
	long := strings.Repeat("x", 64<<10+1)
	many := make([]string, 129)
	for i := range many {
		many[i] = fmt.Sprintf("o-%d", i+1)
	}
	return map[string][]func([]byte) []byte{
		"a message of no kind":       {num(7)},
		"no kind, too":               {text("x")},
		"a target that it has not":   {num(1), text("o+1000"), text("m"), body, names(), null},
		"an object of its own":       {num(1), text("o-1"), text("m"), body, names(), null},
		"a durable name":             {num(1), text("o+d1/1"), text("m"), body, names(), null},
		"a result that is an object": {num(1), text("o+1"), text("m"), body, names(), text("o-1")},
		"a result that is ours":      {num(1), text("o+1"), text("m"), body, names(), text("p+2")},
		"a method that is no text":   {num(1), text("o+1"), text("\xed\xa0\x80"), body, names(), null},
		"a method that is overlong":  {num(1), text("o+1"), text("\xc0\x80"), body, names(), null},
		"a method cut short":         {num(1), text("o+1"), text("\xe2\x82"), body, names(), null},
		"a long method":              {num(1), text("o+1"), text(long[:1025]), body, names(), null},
		"a long body":                {num(1), text("o+1"), text("m"), raw(long), names(), null},
		"many slots":                 {num(1), text("o+1"), text("m"), body, names(many...), null},
		"settling nothing":           {num(2), items()},
		"settling what is ours":      {num(2), items(items(text("p+2"), flag(false), body, names()))},
		"settling an object":         {num(2), items(items(text("o-1"), flag(false), body, names()))},
		"settling with a promise":    {num(2), items(items(text("p-1"), flag(false), raw(""), names("p-2")))},
		"settling twice":             {num(2), items(items(text("p-1"), flag(false), body, names()), items(text("p-1"), flag(true), body, names()))},
		"forgetting what is held":    {num(3), names(), names("o+1000"), names()},
		"dropping a promise":         {num(3), names("p+1"), names(), names()},
		"dropping its own":           {num(3), names("o-1"), names(), names()},
		"gone is ours":               {num(3), names(), names(), names("o+1")},
		"a list too many":            {num(3), names(), names(), names(), names()},
		"many drops":                 {num(3), names(append(many, append(many, append(many, many...)...)...)...), names(), names()},
	}
}

// TestCutOff: every fault of a remote's ends its link, says so, and nothing else: another
// remote, and who waits for answers of the one, are told or go on.
func TestCutOff(t *testing.T) {
	t.Parallel()
	n := newNode(t, "a", host.Options{})
	sampler := n.vat("sampler", "sampler")
	good := newStranger(n, "good", sampler)
	i, faults := 0, remoteFaults()
	for what, fields := range faults {
		i++
		s := newStranger(n, fmt.Sprint("s", i), sampler)
		ingress := n.send(n.comms, "addIngress", s.name, 3)
		n.run()
		far := n.reference(ingress)
		waits := n.send(far, "never") // and is answered when the link is cut
		n.run()
		if what == "forgetting what is held" {
			s.say(num(1), text("o+1"), text("make"), raw("\x80"), names(), text("p-9"))
		}
		s.hear()
		s.say(fields...)
		if got := s.hear(); !isCut(got) {
			t.Errorf("%s: it was not cut off: %s", what, got)
		}
		if got := n.answer(waits); !strings.Contains(got, "rejected [the link is cut: ") {
			t.Errorf("%s: who waited was told %s", what, got)
		}
		after := n.send(far, "never")
		n.run()
		if got := n.answer(after); !strings.Contains(got, "rejected [the link is cut: ") {
			t.Errorf("%s: a message after it: %s", what, got)
		}
		n.must(n.h.Release(ctx, far))
	}
	n.run()
	good.say(num(1), text("o+1"), text("sum"), raw("\x81\x05"), names(), text("p-1"))
	if got := fmt.Sprint(good.hear()); got != "[[1 1 2 [[p+1 false [129 5] []]]]]" {
		t.Errorf("the good one hears %s\n%s", got, n.log.Bytes())
	}
	n.alive()
}

// alive fails unless the comms vat lives.
func (n *node) alive() {
	n.Helper()
	v, err := n.h.Vat(string(n.commsID))
	n.must(err)
	if !v.Alive {
		n.Fatalf("the comms vat ended: %s\n%s", v.End.Info.Body, n.log.Bytes())
	}
}

// TestStrangersSayAnything: whatever strangers say, the comms vat lives, goes on with
// whom it can trust, and the directory has no fault.
func TestStrangersSayAnything(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	n := newNode(t, "a", host.Options{})
	sampler := n.vat("sampler", "sampler")
	good := newStranger(n, "good", sampler)
	strangers, messages := 60, 0
	if testing.Short() {
		strangers = 10
	}
	for i := range strangers {
		s := newStranger(n, fmt.Sprint("s", i), sampler)
		for range 40 {
			s.sayBytes(babble(rng, s))
			messages++
			if isCut(s.hear()) {
				break
			}
		}
		n.alive()
		n.send(n.comms, "cut", s.name, "enough")
		n.run()
	}
	t.Logf("%d messages", messages)
	if messages < 3*strangers {
		t.Errorf("only %d messages of %d strangers were understood", messages, strangers)
	}
	good.say(num(1), text("o+1"), text("sum"), raw("\x81\x05"), names(), text("p-1"))
	if got := fmt.Sprint(good.hear()); got != "[[1 1 2 [[p+1 false [129 5] []]]]]" {
		t.Errorf("the good one hears %s\n%s", got, n.log.Bytes())
	}
	n.check()
	state, _, err := n.h.Promises(kernel.Unresolved.String(), 10)
	n.must(err)
	for _, p := range state {
		t.Errorf("%s is unresolved: nobody is left who could settle it", p.Ref)
	}
}

// babble returns a message that is mostly well formed and makes some sense.
func babble(rng *rand.Rand, s *stranger) []byte {
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	rare := func(often, seldom string) string {
		if rng.IntN(15) == 0 {
			return seldom
		}
		return often
	}
	object := func() string { return rare(pick("o+1", "o-1", "o-2", "o-3"), pick("o+1000", "o+1001")) }
	promise := func() string { return rare(pick("p-1", "p-2", "p-3", "p-4"), pick("p+1", "p+2")) }
	some := func(f ...func() string) func([]byte) []byte {
		var list []string
		for range rng.IntN(3) {
			list = append(list, f[rng.IntN(len(f))]())
		}
		return names(list...)
	}
	body := raw(pick("\x80", "\x81\x01", "\x81\xf6", "\x85\x01\x60\x40\xf4\xf6", "", "#{}"))
	var b []byte
	head := func(fields ...func([]byte) []byte) {
		heard := s.received
		if rng.IntN(5) == 0 && heard > 0 {
			heard--
		}
		b = swing.AppendArray(b, 2+len(fields))
		b = swing.AppendUint(swing.AppendUint(b, s.sent+1), heard)
		for _, f := range fields {
			b = f(b)
		}
	}
	switch rng.IntN(8) {
	case 0, 1, 2, 3:
		target, result := rare(pick("o+1", "o+1", "o+3", "p-1"), pick("o+1000", "p+1", "o-1")), null
		if rng.IntN(3) > 0 {
			result = text(rare(fmt.Sprintf("p-%d", 100+s.sent), promise()))
		}
		method := pick("make", "sum", "echo", "watch", "settle", "pair", "read", "nothing")
		head(num(1), text(target), text(method), body, some(object, promise), result)
	case 4, 5:
		var all []func([]byte) []byte
		for i := range 1 + rng.IntN(2) {
			name := rare(fmt.Sprintf("p-%d", 1+i+2*rng.IntN(2)), promise())
			all = append(all, items(text(name), flag(rng.IntN(2) == 0), body, some(object, promise)))
		}
		head(num(2), items(all...))
	case 6:
		gone := names()
		if rng.IntN(5) == 0 {
			gone = names(pick("o-1", "o-2", "o-3"))
		}
		head(num(3), names(pick("o+1", "o+1000", "o+1001")), names(pick("o+1", "o+1002")), gone)
	case 7:
		head(num(0))
	}
	if rng.IntN(25) == 0 {
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
	}
	return b
}

// TestFlood: a remote that sends more than the kernel has room for is cut off; the comms vat
// lives, and others go on.
func TestFlood(t *testing.T) {
	t.Parallel()
	n := newNode(t, "a", host.Options{Schedule: kernel.Schedule{QueueShare: 4, QueueMax: 20}})
	sampler := n.vat("sampler", "sampler")
	s := newStranger(n, "s", sampler)
	s.say(num(1), text("o+1"), text("promise"), raw("\x80"), names(), text("p-1"))
	if got := fmt.Sprint(s.hear()); got != "[[1 1 2 [[p+1 false [129 246] [p-1]]]]]" {
		t.Fatalf("it said %s", got)
	}
	// Messages for a promise that nobody settles wait for it.
	var said []string
	for i := 0; i < 40 && !isCut(said); i++ {
		s.say(num(1), text("p+1"), text("m"), raw("\x80"), names(), text(fmt.Sprintf("p-%d", 10+i)))
		said = s.hear()
	}
	if !isCut(said) || !strings.Contains(said[len(said)-1], "too much waits here") {
		t.Errorf("it said %q", said)
	}
	n.alive()
	settle := n.send(sampler, "settle", false, "so")
	n.run() // which makes room
	n.expect(settle, "fulfilled []")
	good := newStranger(n, "good", sampler)
	good.say(num(1), text("o+1"), text("sum"), raw("\x81\x05"), names(), text("p-1"))
	if got := fmt.Sprint(good.hear()); got != "[[1 1 2 [[p+1 false [129 5] []]]]]" {
		t.Errorf("the good one hears %s\n%s", got, n.log.Bytes())
	}
	n.check()
}
