package link_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/internal/frame"
	"vatwarehouse/link"
	"vatwarehouse/swing"
)

// joined is a pair whose kernels are driven, each by a goroutine.
type joined struct {
	pair
	ends    [2]*link.End
	outputs chan host.Output // of a
	stop    func()
}

func join(t *testing.T) *joined {
	t.Helper()
	j := &joined{outputs: make(chan host.Output, 1000)}
	a := newNode(t, "a", host.Options{Observer: host.Observer{Output: func(o host.Output) { j.outputs <- o }}})
	b := newNode(t, "b", host.Options{})
	connect(a, b)
	j.pair = pair{a: a, b: b, sampler: b.vat("sampler", "sampler")}
	j.samplerOfB = share(b, a, 7, j.sampler)
	run, cancel := context.WithCancel(ctx)
	ended := make(chan error, 2)
	for i, n := range []*node{a, b} {
		j.ends[i] = link.New(n.box, n.name, nil)
		go func() { ended <- j.ends[i].Drive(run, host.Policy{}) }()
	}
	j.stop = func() {
		cancel()
		for range 2 {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	}
	for len(j.outputs) > 0 {
		<-j.outputs
	}
	return j
}

// await returns how a promise of a's was settled, once it is.
func (j *joined) await(promise swing.KRef) string {
	j.a.Helper()
	for o := range j.outputs {
		if o.Promise == promise {
			return j.a.answer(promise)
		}
	}
	return ""
}

// TestInOneProcess: two kernels in one process, connected by a pipe that is cut.
func TestInOneProcess(t *testing.T) {
	t.Parallel()
	j := join(t)
	for round := range 3 {
		ours, theirs := net.Pipe()
		ended := make(chan error, 2)
		go func() { ended <- j.ends[0].Connect(ctx, ours, "b") }()
		go func() { ended <- j.ends[1].Accept(ctx, theirs) }()
		for i := range 5 {
			sum := j.a.send(j.samplerOfB, "sum", round, i)
			j.ends[0].Wake()
			if got, want := j.await(sum), fmt.Sprintf("fulfilled [%d]", round+i); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		if _, connected, err := j.ends[0].Status(ctx, "b"); !connected || err != nil {
			t.Errorf("connected %v, %v", connected, err)
		}
		_ = theirs.Close()
		for range 2 {
			if err := <-ended; err == nil || errors.Is(err, link.ErrRefused) {
				t.Errorf("a connection that was cut ended with %v", err)
			}
		}
		if _, connected, _ := j.ends[0].Status(ctx, "b"); connected {
			t.Error("it is still connected")
		}
	}
	j.stop()
}

// TestConnectedAnew: a second connection of a peer takes the place of the first.
func TestConnectedAnew(t *testing.T) {
	t.Parallel()
	j := join(t)
	run, cancel := context.WithCancel(ctx)
	first, second := make(chan error, 2), make(chan error, 2)
	for i, ended := range []chan error{first, second} {
		ours, theirs := net.Pipe()
		go func() { ended <- j.ends[0].Connect(run, ours, "b") }()
		go func() { ended <- j.ends[1].Accept(run, theirs) }()
		sum := j.a.send(j.samplerOfB, "sum", i)
		j.ends[0].Wake()
		if got, want := j.await(sum), fmt.Sprintf("fulfilled [%d]", i); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	text := fmt.Sprint(<-first, <-first)
	if !strings.Contains(text, "the peer has connected anew") {
		t.Errorf("the first ended with %s", text)
	}
	cancel()
	for range 2 {
		if err := <-second; !errors.Is(err, context.Canceled) {
			t.Errorf("the second ended with %v", err)
		}
	}
	j.stop()
}

// speaker writes frames as a peer does.
type speaker struct {
	conn io.ReadWriter
	seed uint32
}

func (s *speaker) say(kind byte, body []byte) error {
	var b []byte
	b, s.seed = frame.Append(nil, kind, s.seed, body)
	_, err := s.conn.Write(b)
	return err
}

func hello(version uint64, from, to string, taken uint64) []byte {
	b := swing.AppendUint(swing.AppendArray(nil, 4), version)
	return swing.AppendUint(swing.AppendText(swing.AppendText(b, from), to), taken)
}

// heard returns all that comes, until the connection ends.
func heard(conn io.Reader) string {
	b, _ := io.ReadAll(conn)
	var all []string
	for {
		f, err := frame.Decode(b)
		if err != nil {
			return strings.Join(all, "\n")
		}
		all = append(all, fmt.Sprint(f.Kind, " ", swing.NewReader(f.Body).Value()))
		b = b[f.Bytes():]
	}
}

// TestRefusals: what is wrong with a connection is told to both sides, and changes nothing.
func TestRefusals(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	sum := p.b.send(p.theirs, "sum", 1)
	quiesce(p.a, p.b)
	p.b.expect(sum, "fulfilled [1]")
	before, err := p.a.box.Correspondence(ctx, "b")
	p.a.must(err)
	if before.Acknowledged == 0 {
		t.Fatal("nothing was acknowledged")
	}
	good := hello(1, "b", "a", before.Sent)
	empty := []byte{0x82, 0, 0x80}
	long, _ := frame.Append(nil, 2, 0, make([]byte, 1<<20))
	for _, x := range []struct {
		want string
		say  func(s *speaker) error
	}{
		{"it speaks version 2, this side version 1", func(s *speaker) error { return s.say(1, hello(2, "b", "a", 1)) }},
		{"a malformed hello", func(s *speaker) error { return s.say(1, good[:len(good)-1]) }},
		{`this is "a", called by "b" for "c"`, func(s *speaker) error { return s.say(1, hello(1, "b", "c", 1)) }},
		{`there is no such peer: "x"`, func(s *speaker) error { return s.say(1, hello(1, "x", "a", 1)) }},
		{`"b" has taken in 0 messages, and had acknowledged`, func(s *speaker) error { return s.say(1, hello(1, "b", "a", 0)) }},
		{`"a" was set back`, func(s *speaker) error { return s.say(1, hello(1, "b", "a", 99)) }},
		{"a frame of kind 2, want 1", func(s *speaker) error { return s.say(2, empty) }},
		{"what it says is no frame", func(s *speaker) error { _, err := s.conn.Write(make([]byte, 16)); return err }},
		{"a frame of 1048576 bytes, limit 525312", func(s *speaker) error { _, err := s.conn.Write(long[:16]); return err }},
		{"a frame that does not follow the one before", func(s *speaker) error { s.seed = 5; return s.say(1, good) }},
		{"frame check failed", func(s *speaker) error {
			b, _ := frame.Append(nil, 1, 0, good)
			b[len(b)-1] ^= 1
			_, err := s.conn.Write(b)
			return err
		}},
		{"the other side", func(s *speaker) error { return s.say(3, []byte{0x81, 0x62, 'n', 'o'}) }},
		{"parcel of b", func(s *speaker) error { return errors.Join(s.say(1, good), s.say(2, empty[:2])) }},
		{"it acknowledges message 23", func(s *speaker) error { return errors.Join(s.say(1, good), s.say(2, []byte{0x82, 23, 0x80})) }},
		{"a frame of kind 1, want 2", func(s *speaker) error { return errors.Join(s.say(1, good), s.say(1, good)) }},
	} {
		ours, theirs := net.Pipe()
		ended := make(chan error, 1)
		told := make(chan string, 1)
		go func() { ended <- link.New(p.a.box, "a", nil).Accept(ctx, theirs) }()
		go func() { told <- heard(ours) }()
		if err := x.say(&speaker{conn: ours}); err != nil {
			t.Errorf("%s: %v", x.want, err)
		}
		err, said := <-ended, <-told
		if !errors.Is(err, link.ErrRefused) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: it ended with %v", x.want, err)
		}
		if x.want != "the other side" && !strings.Contains(said, x.want) {
			t.Errorf("%s: it said %s", x.want, said)
		}
	}
	after, err := p.a.box.Correspondence(ctx, "b")
	if err != nil || after != before {
		t.Errorf("%+v, it was %+v (%v)", after, before, err)
	}
}

// TestRefusedCall: who calls is told why it is refused, and a connection that says nothing
// ends when its context does.
func TestRefusedCall(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	ours, theirs := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- link.New(p.b.box, "z", nil).Accept(ctx, theirs) }()
	err := link.New(p.a.box, "a", nil).Connect(ctx, ours, "b")
	if !errors.Is(err, link.ErrRefused) || !strings.Contains(err.Error(), `this is \"z\", called by \"a\" for \"b\"`) {
		t.Errorf("the call ended with %v", err)
	}
	<-ended
	run, cancel := context.WithCancel(ctx)
	ours, theirs = net.Pipe()
	go func() { ended <- link.New(p.b.box, "b", nil).Accept(run, theirs) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("a silent connection ended with %v", err)
	}
	if _, err := ours.Read(make([]byte, 1)); err == nil {
		t.Error("it is still open")
	}
	if err := link.New(p.a.box, "a", nil).Connect(ctx, stub{}, "nobody"); !strings.Contains(fmt.Sprint(err), "there is no such peer") {
		t.Errorf("a peer that nobody knows: %v", err)
	}
}

// stub is a connection without a deadline.
type stub struct{ bytes.Buffer }

func (stub) Read([]byte) (int, error)    { return 0, io.EOF }
func (stub) Write(b []byte) (int, error) { return len(b), nil }
func (stub) Close() error                { return nil }
