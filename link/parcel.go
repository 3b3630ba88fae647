package link

import (
	"context"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
)

// parcelBytes is how many bytes of messages go into one parcel, unless one alone has more.
const parcelBytes = devices.MessageBytesMax

// Mailbox is a mailbox of a Host: a device of type [devices.Mailbox], by the name that it
// was added under.
type Mailbox struct {
	Host   *host.Host
	Device string
}

// Parcel returns what there is to be said to a peer: the messages that follow a number, as
// many as fit, and the number of the last of them; and which message of the peer's was
// taken in last. All of it is durable. It returns [devices.ErrPeer] for a peer that no vat
// has registered.
func (m Mailbox) Parcel(
	ctx context.Context, peer string, after uint64,
) (parcel []byte, last uint64, err error) {
	err = m.Host.ReadDevice(ctx, m.Device, func(s kernel.DeviceState) error {
		parcel, last, err = devices.Mailbox{}.Outgoing(s, peer, after, parcelBytes)
		return err
	})
	return parcel, last, err
}

// Take hands a parcel that a peer has said to the Host. What it brings is done by the next
// Run. It may have been taken before, or be late. An error that satisfies
// errors.Is(err, host.ErrRefused) says what is wrong with it; then it has changed nothing.
func (m Mailbox) Take(ctx context.Context, peer string, parcel []byte) error {
	return m.Host.Receive(ctx, m.Device, devices.Incoming(peer, parcel))
}

// Correspondence returns how far the mailbox has come with a peer, or [devices.ErrPeer].
func (m Mailbox) Correspondence(
	ctx context.Context, peer string,
) (c devices.Correspondence, err error) {
	err = m.Host.ReadDevice(ctx, m.Device, func(s kernel.DeviceState) error {
		c, err = devices.Mailbox{}.Correspondence(s, peer)
		return err
	})
	return c, err
}
