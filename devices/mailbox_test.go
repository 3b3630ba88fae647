package devices_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

var ctx = context.Background()

// post is a Host with a mailbox, and a puppet that is the peer's handler and sends.
type post struct {
	*testing.T
	h      *host.Host
	puppet swing.KRef
}

func newPost(t *testing.T) *post {
	t.Helper()
	p := &post{T: t}
	var err error
	p.h, err = host.Open(ctx, "", &host.Options{
		Devices: map[string]kernel.Device{"mailbox": devices.Mailbox{}},
	})
	p.must(err)
	t.Cleanup(func() { p.must(p.h.Close(ctx)) })
	mailbox, err := p.h.AddDevice(ctx, "mailbox")
	p.must(err)
	code, _ := guest.Program("puppet")
	hash, err := p.h.Install(ctx, code)
	p.must(err)
	_, p.puppet, err = p.h.CreateVat(ctx, host.VatSpec{Name: "puppet", Code: hash})
	p.must(err)
	p.must(p.h.SendOnly(ctx, p.puppet, host.Message{Method: "take", Slots: []swing.KRef{mailbox}}))
	return p
}

func (p *post) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// call has the puppet call the mailbox, and returns the answer.
func (p *post) call(method string, body []byte, slots ...swing.VRef) string {
	p.Helper()
	s := swing.Syscall[swing.VRef]{Op: swing.OpCall, Target: "o-50"}
	s.Message.Method, s.Message.Args = method, swing.CapData[swing.VRef]{Body: body, Slots: slots}
	b := swing.AppendUint(swing.AppendArray(swing.AppendArray(nil, 1), 2), uint64(s.Op))
	b = swing.AppendBytes(b, swing.AppendRequest(nil, s))
	p.must(p.h.SendOnly(ctx, p.puppet, host.Message{Method: "do", Body: b}))
	_, err := p.h.Run(ctx, host.Policy{})
	p.must(err)
	v, err := p.h.Vat("puppet")
	p.must(err)
	entries, err := p.h.Transcript(v.ID, v.Span.End-1, v.Span.End)
	p.must(err)
	if !v.Alive || len(entries[0].Exchanges) != 1 {
		p.Fatalf("the puppet made %d calls, %s", len(entries[0].Exchanges), v.End.Info.Body)
	}
	r := swing.NewReader(entries[0].Exchanges[0].Answer)
	r.Fields(3)
	failed, answer := r.Bool(), r.Bytes()
	if failed {
		return string(answer)
	}
	return fmt.Sprint(swing.NewReader(answer).Value())
}

func named(peer string, more ...func([]byte) []byte) []byte {
	b := swing.AppendText(swing.AppendArray(nil, 1+len(more)), peer)
	for _, m := range more {
		b = m(b)
	}
	return b
}

func carrying(message string) func([]byte) []byte {
	return func(b []byte) []byte { return swing.AppendBytes(b, []byte(message)) }
}

// parcel encodes one: what it acknowledges, and messages from a number on.
func parcel(acknowledged uint64, numbers ...uint64) []byte {
	b := swing.AppendUint(swing.AppendArray(nil, 2), acknowledged)
	b = swing.AppendArray(b, len(numbers))
	for _, n := range numbers {
		b = swing.AppendUint(swing.AppendArray(b, 2), n)
		b = swing.AppendBytes(b, fmt.Appendf(nil, "m%d", n))
	}
	return b
}

func (p *post) receive(peer string, parcel []byte) error {
	return p.h.Receive(ctx, "mailbox", devices.Incoming(peer, parcel))
}

// heard returns the messages that the handler was sent.
func (p *post) heard() (all []string) {
	p.Helper()
	_, err := p.h.Run(ctx, host.Policy{})
	p.must(err)
	v, err := p.h.Vat("puppet")
	p.must(err)
	entries, err := p.h.Transcript(v.ID, 0, v.Span.End)
	p.must(err)
	for _, e := range entries {
		if d, _ := e.Describe(); strings.Contains(d, ".inbound(") {
			all = append(all, d)
		}
	}
	return all
}

func (p *post) far(peer string) (c devices.Correspondence) {
	p.Helper()
	p.must(p.h.ReadDevice(ctx, "mailbox", func(s kernel.DeviceState) (err error) {
		c, err = devices.Mailbox{}.Correspondence(s, peer)
		return err
	}))
	return c
}

func (p *post) outgoing(peer string, after uint64, bytesMax int) (body string, last uint64) {
	p.Helper()
	p.must(p.h.ReadDevice(ctx, "mailbox", func(s kernel.DeviceState) error {
		b, n, err := devices.Mailbox{}.Outgoing(s, peer, after, bytesMax)
		body, last = fmt.Sprint(swing.NewReader(b).Value()), n
		return err
	}))
	return body, last
}

// TestMailboxSends: messages are numbered, kept until they are acknowledged, and read from
// any of them on.
func TestMailboxSends(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	null := swing.AppendNull
	for _, x := range []struct{ got, want string }{
		{p.call("send", named("b", carrying("x"))), `#{"#error":"there is no such peer: \"b\"","name":"Error"}`},
		{p.call("register", named("b", null), "o+1"), "[]"},
		{p.call("register", named("c.d", null), "o+1"),
			`#{"#error":"peer \"c.d\": only letters, digits, '-' and '_' are allowed","name":"Error"}`},
		{p.call("register", named("", null), "o+1"), `#{"#error":"a peer's name of 0 bytes, want 1 to 64","name":"Error"}`},
		{p.call("register", named("b")), `#{"#error":"want a peer and a handler","name":"Error"}`},
		{p.call("send", named("b", carrying("one"))), "[1]"},
		{p.call("send", named("b", carrying("two"))), "[2]"},
		{p.call("send", named("b", carrying(""))), "[3]"},
		{p.call("recall", named("b")), `#{"#error":"there is no method recall","name":"Error"}`},
		{p.call("send", named("b", carrying("four"))), "[4]"},
	} {
		if x.got != x.want {
			t.Errorf("%s, want %s", x.got, x.want)
		}
	}
	p.must(p.receive("b", parcel(1)))
	for _, x := range []struct {
		after uint64
		most  int
		want  string
		last  uint64
	}{
		{0, 0, "[0 [[2 [116 119 111]]]]", 2},
		{0, 10, "[0 [[2 [116 119 111]] [3 []]]]", 3},
		{2, 0, "[0 [[3 []]]]", 3},
		{3, 99, "[0 [[4 [102 111 117 114]]]]", 4},
		{4, 99, "[0 []]", 4},
	} {
		if got, last := p.outgoing("b", x.after, x.most); got != x.want || last != x.last {
			t.Errorf("after %d: %s, %d, want %s, %d", x.after, got, last, x.want, x.last)
		}
	}
	if got, want := p.far("b"), (devices.Correspondence{Sent: 4, Acknowledged: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestMailboxLimits: a message that is too long is refused, and one too many.
func TestMailboxLimits(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.call("register", named("b", swing.AppendNull), "o+1")
	mailbox, err := p.h.Device("mailbox")
	p.must(err)
	ask := func(message string) swing.KRef {
		result, err := p.h.Send(ctx, mailbox, host.Message{Method: "send", Body: named("b", carrying(message))})
		p.must(err)
		return result
	}
	answer := func(promise swing.KRef) string {
		_, err := p.h.Run(ctx, host.Policy{})
		p.must(err)
		settled, err := p.h.Promise(promise)
		p.must(err)
		return string(settled.Data.Body)
	}
	long := strings.Repeat("x", devices.MessageBytesMax)
	if got := answer(ask(long)); got != "\x81\x01" {
		t.Errorf("the longest message: %q", got)
	}
	if got := answer(ask(long + "x")); !strings.Contains(got, "a message of 524289 bytes, limit 524288") {
		t.Errorf("a longer one: %q", got)
	}
	if testing.Short() {
		return
	}
	for range devices.OutboxMax - 1 {
		ask("")
	}
	if got := answer(ask("")); !strings.Contains(got, "b has not acknowledged 65536 messages, the limit") {
		t.Errorf("one too many: %q", got)
	}
	p.must(p.receive("b", parcel(1)))
	if got := answer(ask("")); got != "\x81\x1a\x00\x01\x00\x01" {
		t.Errorf("when one was acknowledged: %q", got)
	}
}

// TestMailboxTakes: each message is taken in once, in order; what is behind a gap is not.
func TestMailboxTakes(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.call("register", named("b", swing.AppendNull), "o+1")
	for _, numbers := range [][]uint64{{2}, {1, 2}, {1}, {2, 3}, {5, 6}, {}, {1, 2, 3, 4}, {5}} {
		p.must(p.receive("b", parcel(0, numbers...)))
	}
	var want []string
	for n := range uint64(5) {
		want = append(want, fmt.Sprintf("message o+1.inbound([0x%x])", fmt.Sprintf("m%d", n+1)))
	}
	if got := p.heard(); !slices.Equal(got, want) {
		t.Errorf("heard %q,\nwant %q", got, want)
	}
}

// TestMailboxAgainstTwin: whatever parcels come, in whatever order, what is taken in is
// what a list that takes the next number only takes.
func TestMailboxAgainstTwin(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.call("register", named("b", swing.AppendNull), "o+1")
	rng := rand.New(rand.NewPCG(1, 2))
	next := uint64(1)
	for range 300 {
		first := max(1, next+rng.Uint64N(5)-min(next, 2))
		var numbers []uint64
		for n := range rng.Uint64N(4) {
			numbers = append(numbers, first+n)
			if first+n == next {
				next++
			}
		}
		p.must(p.receive("b", parcel(0, numbers...)))
	}
	if got := p.far("b").Taken; got != next-1 || next < 50 {
		t.Errorf("%d were taken in, want %d", got, next-1)
	}
	if got := p.heard(); len(got) != int(next-1) {
		t.Errorf("heard %d", len(got))
	}
}

// TestMailboxRefuses: a parcel that is none changes nothing, cut or flipped anywhere.
func TestMailboxRefuses(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.call("register", named("b", swing.AppendNull), "o+1")
	p.call("send", named("b", carrying("one")))
	whole := parcel(1, 1, 2)
	refused := [][]byte{parcel(2), parcel(0, 0), parcel(0, 1, 3), parcel(0, 1, 1), append(whole, 0)}
	for i := range whole {
		refused = append(refused, whole[:i])
	}
	for _, b := range refused {
		if err := p.receive("b", b); !errors.Is(err, host.ErrRefused) {
			t.Errorf("%x: %v", b, err)
		}
	}
	if err := p.receive("c", whole); !errors.Is(err, host.ErrRefused) || !errors.Is(err, devices.ErrPeer) {
		t.Errorf("of a stranger: %v", err)
	}
	if err := p.h.Receive(ctx, "mailbox", whole); !errors.Is(err, host.ErrRefused) {
		t.Errorf("no peer: %v", err)
	}
	if got, want := p.far("b"), (devices.Correspondence{Sent: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	// What a flipped bit leaves well formed is taken as what it is; nothing panics.
	for bit := range 8 * len(whole) {
		flipped := bytes.Clone(whole)
		flipped[bit/8] ^= 1 << (bit % 8)
		if err := p.receive("b", flipped); err != nil && !errors.Is(err, host.ErrRefused) {
			t.Errorf("bit %d: %v", bit, err)
		}
	}
	p.must(p.receive("b", whole))
	if got := p.far("b"); got.Acknowledged != 1 || got.Taken < 2 {
		t.Errorf("%+v", got)
	}
}

// TestReadDevice: what is read of a device is durable; of one that was not added, nothing is.
func TestReadDevice(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	before, err := p.h.Stats()
	p.must(err)
	p.must(p.h.SendOnly(ctx, p.puppet, host.Message{Method: "hello"}))
	p.must(p.h.ReadDevice(ctx, "mailbox", func(kernel.DeviceState) error { return nil }))
	after, err := p.h.Stats()
	p.must(err)
	if after.Blocks != before.Blocks+1 {
		t.Errorf("%d blocks, there were %d", after.Blocks, before.Blocks)
	}
	err = p.h.ReadDevice(ctx, "timer", func(kernel.DeviceState) error { return nil })
	if !errors.Is(err, host.ErrNotFound) {
		t.Errorf("a device that was not added: %v", err)
	}
}
