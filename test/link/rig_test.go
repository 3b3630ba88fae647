package link_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/link"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

var ctx = context.Background()

// node is a kernel with a mailbox and a comms vat, and the links it has.
type node struct {
	testing.TB
	name    string
	files   *vfs.Mem
	options host.Options
	h       *host.Host
	box     link.Mailbox
	comms   swing.KRef
	commsID swing.VatID
	log     bytes.Buffer
}

// newNode makes a kernel. Its comms vat is reaped often, so that nothing waits for long.
func newNode(t testing.TB, name string, o host.Options) *node {
	t.Helper()
	return newNodeWith(t, name, o, devices.Mailbox{})
}

// newNodeWith makes one with another mailbox.
func newNodeWith(t testing.TB, name string, o host.Options, mailbox kernel.Device) *node {
	t.Helper()
	code, _ := guest.Program("comms")
	return newNodeOf(t, name, o, mailbox, code)
}

// newNodeOf makes one with another mailbox and comms vat.
func newNodeOf(
	t testing.TB, name string, o host.Options, mailbox kernel.Device, comms []byte,
) *node {
	t.Helper()
	o.Devices = map[string]kernel.Device{"mailbox": mailbox}
	n := &node{TB: t, name: name, files: vfs.NewMem(), options: o}
	n.open()
	t.Cleanup(func() { n.close() })
	_, err := n.h.AddDevice(ctx, "mailbox")
	n.must(err)
	spec := host.VatSpec{Name: "comms", Pipelining: true, ReapDeliveries: 1}
	n.commsID, n.comms = n.vatOf(spec, comms)
	return n
}

func (n *node) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatalf("%s: %v", n.name, err)
	}
}

func (n *node) open() {
	n.Helper()
	o := n.options
	o.FS, o.Inline = n.files, true
	o.Logger = slog.New(slog.NewTextHandler(&n.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	h, err := host.Open(ctx, "", &o)
	n.must(err)
	n.h, n.box = h, link.Mailbox{Host: h, Device: "mailbox"}
}

func (n *node) close() {
	n.Helper()
	n.must(n.h.Close(ctx))
}

// vat makes a vat of an example program, with parameters.
func (n *node) vat(program, name string, args ...any) swing.KRef {
	n.Helper()
	m := message("", args...)
	code, ok := guest.Program(program)
	if !ok {
		n.Fatalf("no program %s", program)
	}
	_, root := n.vatOf(host.VatSpec{Name: name, Body: m.Body, Slots: m.Slots}, code)
	return root
}

func (n *node) vatOf(s host.VatSpec, code []byte) (swing.VatID, swing.KRef) {
	n.Helper()
	hash, err := n.h.Install(ctx, code)
	n.must(err)
	s.Code = hash
	id, root, err := n.h.CreateVat(ctx, s)
	n.must(err)
	return id, root
}

// message makes a message: arguments are numbers, texts, bytes and references.
func message(method string, args ...any) host.Message {
	m := host.Message{Method: method, Body: swing.AppendArray(nil, len(args))}
	for _, a := range args {
		switch a := a.(type) {
		case int:
			m.Body = swing.AppendUint(m.Body, uint64(a))
		case string:
			m.Body = swing.AppendText(m.Body, a)
		case bool:
			m.Body = swing.AppendBool(m.Body, a)
		case []byte:
			m.Body = swing.AppendBytes(m.Body, a)
		case swing.KRef:
			m.Body = swing.AppendNull(m.Body)
			m.Slots = append(m.Slots, a)
		default:
			panic(fmt.Sprintf("an argument %T", a))
		}
	}
	return m
}

// send has the embedder send a message, durably, and returns the promise for its answer.
func (n *node) send(to swing.KRef, method string, args ...any) swing.KRef {
	n.Helper()
	result, err := n.h.Send(ctx, to, message(method, args...))
	n.must(err)
	n.must(n.h.Commit(ctx))
	return result
}

func (n *node) run() host.Ran {
	n.Helper()
	ran, err := n.h.Run(ctx, host.Policy{})
	n.must(err)
	return ran
}

// answer returns how a promise was settled, for people, and releases it.
func (n *node) answer(promise swing.KRef) string {
	n.Helper()
	p, err := n.h.Promise(promise)
	n.must(err)
	n.must(n.h.Release(ctx, promise))
	text := fmt.Sprint(swing.NewReader(p.Data.Body).Value())
	if len(p.Data.Body) == 0 || p.Data.Body[0] == '#' {
		text = string(p.Data.Body)
	}
	if len(p.Data.Slots) > 0 {
		text += fmt.Sprint(len(p.Data.Slots), " references")
	}
	n.must(n.h.Commit(ctx))
	return fmt.Sprint(p.State, " ", text)
}

// reference returns the object that a promise was fulfilled with, held for the embedder.
func (n *node) reference(promise swing.KRef) swing.KRef {
	n.Helper()
	p, err := n.h.Promise(promise)
	n.must(err)
	ref, ok := p.Data.Reference()
	if !ok || p.State != kernel.Fulfilled {
		n.Fatalf("%s: %v %q is no reference", n.name, p.State, p.Data.Body)
	}
	n.must(n.h.Retain(ctx, ref))
	n.must(n.h.Release(ctx, promise))
	return ref
}

// connect makes two kernels known to each other.
func connect(a, b *node) {
	a.Helper()
	for _, pair := range [][2]*node{{a, b}, {b, a}} {
		n := pair[0]
		mailbox, err := n.h.Device("mailbox")
		n.must(err)
		result := n.send(n.comms, "addRemote", pair[1].name, mailbox)
		n.run()
		n.expect(result, "fulfilled []")
	}
}

func (n *node) expect(promise swing.KRef, want string) {
	n.Helper()
	if got := n.answer(promise); got != want {
		n.Errorf("%s: %s, want %s\n%s", n.name, got, want, n.log.Bytes())
	}
}

// share gives another kernel an object, under an index, and returns what stands for it there.
func share(from, to *node, index int, object swing.KRef) swing.KRef {
	from.Helper()
	egress := from.send(from.comms, "addEgress", to.name, index, object)
	from.run()
	from.expect(egress, "fulfilled []")
	ingress := to.send(to.comms, "addIngress", from.name, index)
	to.run()
	return to.reference(ingress)
}

// quiesce runs all, and carries what they say, until nobody has anything to say.
func quiesce(nodes ...*node) {
	for busy := true; busy; {
		busy = false
		for _, n := range nodes {
			busy = n.run().Cranks > 0 || busy
		}
		for _, from := range nodes {
			for _, to := range nodes {
				busy = exchange(from, to) || busy
			}
		}
	}
}

// exchange carries all that one has to say to another, and reports whether that was news.
func exchange(from, to *node) bool {
	from.Helper()
	if from == to {
		return false
	}
	theirs, err := to.box.Correspondence(ctx, from.name)
	if err != nil {
		return false // they have no link
	}
	ours, err := from.box.Correspondence(ctx, to.name)
	from.must(err)
	parcel, last, err := from.box.Parcel(ctx, to.name, 0)
	from.must(err)
	to.must(to.box.Take(ctx, from.name, parcel))
	return last > theirs.Taken || ours.Taken > theirs.Acknowledged
}
