package devices

import (
	"errors"
	"fmt"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// Mailbox carries messages between vats of different kernels: each once, in order,
// whatever is lost, repeated or reordered on the way, and whoever is restarted. Its methods:
//
//	register(peer, handler)   what the peer sends is sent to the handler: inbound(message)
//	send(peer, message) → [number]
//
// A peer is a name, of letters, digits, '-' and '_'; messages are bytes. A message gets
// the next number, from 1 on, and is kept until the peer says that it has taken it in.
//
// What travels are parcels: what [Mailbox.Outgoing] reads of the durable state of one
// kernel, and what Host.Receive is handed by the other, made into a body by [Incoming].
// A parcel can be lost, sent again, or overtaken by a later one. It is
//
//	[acknowledged, [[number, message] …]]
//
// where acknowledged is the number of the last message taken in from whom it is for, and
// the numbers of its messages follow each other. Messages that were taken in already are
// passed over, and so are those behind a gap: they will come again.
//
// Its state is a row for each peer and each message:
//
//	p.PEER          [handler, last sent, last acknowledged, last taken in]
//	o.PEER.NUMBER   a message that is not acknowledged yet; the number in 16 hex digits
type Mailbox struct{}

// What a Mailbox takes; more is refused.
const (
	// MessageBytesMax bounds a message.
	MessageBytesMax = 512 << 10
	// OutboxMax bounds the messages that one peer has not acknowledged.
	OutboxMax = 1 << 16
	// PeerBytesMax bounds the name of a peer.
	PeerBytesMax = 64
)

// ErrPeer is returned for a peer that nobody has registered.
var ErrPeer = errors.New("there is no such peer")

// State is what can be read of a device's state: of what is durable, by
// Host.ReadDevice, or by the device as it is during a call.
type State interface {
	Get(key string) (value []byte, ok bool)
	Next(after string) (key string, ok bool)
}

// Correspondence is how far a mailbox has come with a peer.
type Correspondence struct {
	Sent         uint64 // the number of the last message sent
	Acknowledged uint64 // the last of them that the peer has taken in
	Taken        uint64 // the number of the last message taken in from the peer
}

// peer is a row p.PEER.
type peer struct {
	handler swing.KRef
	Correspondence
}

func peerKey(name string) string             { return "p." + name }
func outboxKey(name string, n uint64) string { return fmt.Sprintf("o.%s.%016x", name, n) }
func (p peer) write(d *kernel.DeviceContext, name string) {
	v := swing.AppendText(swing.AppendArray(nil, 4), p.handler)
	v = swing.AppendUint(swing.AppendUint(v, p.Sent), p.Acknowledged)
	d.Set(peerKey(name), swing.AppendUint(v, p.Taken))
}

func readPeer(s State, name string) (p peer, err error) {
	v, ok := s.Get(peerKey(name))
	if !ok {
		return p, fmt.Errorf("%w: %q", ErrPeer, name)
	}
	r := swing.NewReader(v)
	r.Fields(4)
	p = peer{swing.KRef(r.Text()), Correspondence{r.Uint(), r.Uint(), r.Uint()}}
	if err := r.Done(); err != nil {
		panic(fmt.Sprintf("devices: mailbox row of %s: %v", name, err))
	}
	return p, nil
}

// Call implements kernel.Device.
func (m Mailbox) Call(
	d *kernel.DeviceContext, method string, args swing.CapData[swing.KRef],
) (answer swing.CapData[swing.KRef], err error) {
	in := swing.ReadArguments(args)
	switch method {
	case "register":
		name, handler := in.Text(), in.Ref()
		if err = in.Done("a peer and a handler"); err == nil {
			answer, err = numbers(), m.register(d, name, handler)
		}
	case "send":
		name, message := in.Text(), in.Bytes()
		if err = in.Done("a peer and a message"); err == nil {
			var number uint64
			number, err = m.send(d, name, message)
			answer = numbers(number)
		}
	default:
		err = fmt.Errorf("there is no method %s", method)
	}
	return answer, err
}

// register makes a peer known, or gives it another handler.
func (Mailbox) register(d *kernel.DeviceContext, name string, handler swing.KRef) error {
	if err := checkPeer(name); err != nil {
		return err
	}
	p, err := readPeer(d, name)
	if err == nil {
		d.Release(p.handler)
	}
	d.Hold(handler)
	p.handler = handler
	p.write(d, name)
	return nil
}

func checkPeer(name string) error {
	if name == "" || len(name) > PeerBytesMax {
		return fmt.Errorf("a peer's name of %d bytes, want 1 to %d", len(name), PeerBytesMax)
	}
	for _, r := range name {
		alphanumeric := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !alphanumeric && r != '-' && r != '_' {
			return fmt.Errorf("peer %q: only letters, digits, '-' and '_' are allowed", name)
		}
	}
	return nil
}

// send puts a message into the outbox, and returns its number.
func (Mailbox) send(d *kernel.DeviceContext, name string, message []byte) (uint64, error) {
	p, err := readPeer(d, name)
	switch {
	case err != nil:
		return 0, err
	case len(message) > MessageBytesMax:
		return 0, fmt.Errorf("a message of %d bytes, limit %d", len(message), MessageBytesMax)
	case p.Sent-p.Acknowledged == OutboxMax:
		return 0, fmt.Errorf("%s has not acknowledged %d messages, the limit", name, OutboxMax)
	}
	p.Sent++
	p.write(d, name)
	d.Set(outboxKey(name, p.Sent), message)
	return p.Sent, nil
}

// Incoming makes a parcel that came from a peer into what Host.Receive is to be handed.
func Incoming(peer string, parcel []byte) []byte {
	return swing.AppendBytes(swing.AppendText(swing.AppendArray(nil, 2), peer), parcel)
}

// Receive implements kernel.Receiver: it takes a parcel in, or refuses it whole.
func (m Mailbox) Receive(d *kernel.DeviceContext, data swing.CapData[swing.KRef]) error {
	in := swing.ReadArguments(data)
	name, parcel := in.Text(), in.Bytes()
	if err := in.Done("a peer and a parcel"); err != nil {
		return err
	}
	p, err := readPeer(d, name)
	if err != nil {
		return err
	}
	r := swing.NewReader(parcel)
	r.Fields(2)
	acknowledged := r.Uint()
	for n, before := r.Array(), uint64(0); n > 0 && r.Err() == nil; n-- {
		r.Fields(2)
		number, message := r.Uint(), r.Bytes()
		if number == 0 || before > 0 && number != before+1 {
			r.Fail(fmt.Errorf("%w: message %d behind %d", swing.ErrEncoding, number, before))
		}
		before = number
		if r.Err() == nil && number == p.Taken+1 {
			p.Taken = number
			body := swing.AppendBytes(swing.AppendArray(nil, 1), message)
			d.Send(p.handler, "inbound", swing.CapData[swing.KRef]{Body: body})
		}
	}
	if err := r.Done(); err != nil {
		return fmt.Errorf("parcel of %s: %w", name, err)
	}
	if acknowledged > p.Sent {
		return fmt.Errorf("parcel of %s: it acknowledges message %d, %d were sent",
			name, acknowledged, p.Sent)
	}
	for ; p.Acknowledged < acknowledged; p.Acknowledged++ {
		d.Delete(outboxKey(name, p.Acknowledged+1))
	}
	p.write(d, name)
	return nil
}

// Correspondence returns how far the mailbox has come with a peer, or [ErrPeer].
func (Mailbox) Correspondence(s State, name string) (Correspondence, error) {
	p, err := readPeer(s, name)
	return p.Correspondence, err
}

// Outgoing returns a parcel with the messages for a peer that follow a number, as many as
// are there and fit into so many bytes, but at least one, and the number of the last. What
// was acknowledged is passed over. It returns [ErrPeer] for a peer that is not registered.
func (Mailbox) Outgoing(
	s State, name string, after uint64, bytesMax int,
) (parcel []byte, last uint64, err error) {
	p, err := readPeer(s, name)
	if err != nil {
		return nil, 0, err
	}
	var messages []byte
	first := max(after, p.Acknowledged) + 1
	last = first - 1
	for last < p.Sent {
		message, ok := s.Get(outboxKey(name, last+1))
		if !ok {
			panic(fmt.Sprintf("devices: there is no message %d for %s", last+1, name))
		}
		if last >= first && len(messages)+len(message) > bytesMax {
			break
		}
		last++
		messages = swing.AppendUint(swing.AppendArray(messages, 2), last)
		messages = swing.AppendBytes(messages, message)
	}
	parcel = swing.AppendUint(swing.AppendArray(nil, 2), p.Taken)
	parcel = swing.AppendArray(parcel, int(last+1-first))
	return append(parcel, messages...), last, nil
}

var (
	_ kernel.Receiver = Mailbox{}
	_ State           = kernel.DeviceState{}
)
