package sim

import (
	"context"
	"errors"
	"fmt"

	"vatwarehouse/devices"
	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/link"
	"vatwarehouse/swing"
)

// The names of what a directory with links has: its mailbox, and its comms vat.
const (
	mailboxDevice = "mailbox"
	commsVat      = "comms"
)

// Linked is a directory with a mailbox and a comms vat.
type Linked struct {
	link.Mailbox
	comms swing.KRef
}

// Link gives a directory what it needs for links, unless it has it.
func Link(ctx context.Context, h *host.Host) (l Linked, err error) {
	l.Mailbox = link.Mailbox{Host: h, Device: mailboxDevice}
	if _, err = h.Device(mailboxDevice); errors.Is(err, host.ErrNotFound) {
		_, err = h.AddDevice(ctx, mailboxDevice)
	}
	if err != nil {
		return l, err
	}
	v, err := h.Vat(commsVat)
	if err == nil {
		l.comms = v.Root
		return l, nil
	}
	if !errors.Is(err, host.ErrNotFound) {
		return l, err
	}
	code, ok := guest.Program(commsVat)
	if !ok {
		panic("sim: there is no program " + commsVat)
	}
	hash, err := h.Install(ctx, code)
	if err == nil {
		_, l.comms, err = h.CreateVat(ctx, host.VatSpec{
			Name: commsVat, Code: hash, Pipelining: true, Quarantine: true,
		})
	}
	return l, err
}

// Meet makes a peer known, unless it is.
func (l Linked) Meet(ctx context.Context, peer string) error {
	_, err := l.Correspondence(ctx, peer)
	if !errors.Is(err, devices.ErrPeer) {
		return err
	}
	mailbox, err := l.Host.Device(mailboxDevice)
	if err != nil {
		return err
	}
	args := swing.AppendNull(swing.AppendText(swing.AppendArray(nil, 2), peer))
	_, err = l.ask(ctx, "addRemote", args, mailbox)
	return err
}

// Give lets a peer have what a word names, as Reference has it, under an index.
func (l Linked) Give(ctx context.Context, peer string, index uint64, word string) error {
	ref, err := Reference(l.Host, word)
	if err != nil {
		return err
	}
	args := swing.AppendUint(swing.AppendText(swing.AppendArray(nil, 3), peer), index)
	_, err = l.ask(ctx, "addEgress", swing.AppendNull(args), ref)
	return err
}

// Take returns what stands for what a peer gives under an index. It is held for the
// embedder until Release.
func (l Linked) Take(ctx context.Context, peer string, index uint64) (swing.KRef, error) {
	args := swing.AppendUint(swing.AppendText(swing.AppendArray(nil, 2), peer), index)
	data, err := l.ask(ctx, "addIngress", args)
	if err != nil {
		return "", err
	}
	ref, _ := data.Reference()
	return ref, nil
}

// ask asks the comms vat. Of what it answers, a reference is held for the embedder.
func (l Linked) ask(
	ctx context.Context, method string, args []byte, slots ...swing.KRef,
) (data swing.CapData[swing.KRef], err error) {
	h := l.Host
	promise, err := h.Send(ctx, l.comms, host.Message{Method: method, Body: args, Slots: slots})
	if err != nil {
		return data, err
	}
	if _, err := h.Run(ctx, host.Policy{}); err != nil {
		return data, err
	}
	p, err := h.Promise(promise)
	if err != nil {
		return data, err
	}
	if p.State != kernel.Fulfilled {
		return data, errors.Join(fmt.Errorf("%w: %s: %v %s",
			host.ErrRefused, method, p.State, ShowData(p.Data)), h.Release(ctx, promise))
	}
	if ref, ok := p.Data.Reference(); ok {
		if err := h.Retain(ctx, ref); err != nil {
			return data, err
		}
	}
	return p.Data, h.Release(ctx, promise)
}
