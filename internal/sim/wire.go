package sim

import (
	"context"
	"fmt"
	"slices"

	"vatwarehouse/devices"
)

// wire is what is between two linked kernels. Parcels are numbered as they are posted, on
// both sides together, from 1.
type wire struct {
	posted uint64
	cut    uint64 // until this number nothing arrives
	flying []flying
}

// flying is a parcel on its way.
type flying struct {
	to   *node
	body []byte
	due  uint64 // it arrives when this number is posted
}

// The most parcels by which one is late, and during which a link is cut.
const (
	wireLateMax = 6
	wireCutMax  = 20
)

// post posts what a side has to say, if that is news to the other, and reports whether it
// was. Now and then it leaves out the first of what it would have to say.
func (m *pair) post(ctx context.Context, from *node) (news bool, err error) {
	to := m.sides[1-from.number]
	var body []byte
	var theirs devices.Correspondence
	done, err := to.do(ctx, func() (err error) {
		theirs, err = to.link.Correspondence(ctx, to.peer)
		return err
	})
	if err != nil || !done {
		return true, err
	}
	done, err = from.do(ctx, func() error {
		c, err := from.link.Correspondence(ctx, from.peer)
		if err != nil {
			return err
		}
		news = c.Sent > theirs.Taken || c.Taken > theirs.Acknowledged
		after := c.Acknowledged
		if !m.calm && m.rng.IntN(4) == 0 {
			after += m.rng.Uint64N(c.Sent - c.Acknowledged + 1)
		}
		body, _, err = from.link.Parcel(ctx, from.peer, after)
		return err
	})
	if err != nil || !done || !news {
		return news || !done, err
	}
	return true, m.carry(ctx, to, body)
}

// carry has a parcel arrive, or what the plan has become of it.
func (m *pair) carry(ctx context.Context, to *node, body []byte) error {
	w := &m.wire
	w.posted++
	arrives := true
	for i := range m.p.Faults {
		f := &m.p.Faults[i]
		if m.calm || f.At != w.posted || !slices.Contains(linkKinds, f.Kind) {
			continue
		}
		m.out.Reached[f.Kind]++
		switch f.Kind {
		case FaultLate, FaultTwice:
			w.flying = append(w.flying, flying{to, body, w.posted + 1 + f.Draw%wireLateMax})
			arrives = arrives && f.Kind == FaultTwice
		case FaultLostParcel:
			arrives = false
		case FaultCut:
			w.cut, w.flying = w.posted+f.Draw%wireCutMax, nil
		}
	}
	var landing []flying
	w.flying = slices.DeleteFunc(w.flying, func(x flying) bool {
		if x.due <= w.posted {
			landing = append(landing, x)
		}
		return x.due <= w.posted
	})
	if arrives {
		landing = append(landing, flying{to, body, w.posted})
	}
	for _, x := range landing {
		if w.posted <= w.cut {
			continue
		}
		if err := m.land(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

// land hands a parcel over. If that fails by a fault it is lost.
func (m *pair) land(ctx context.Context, x flying) error {
	_, err := x.to.do(ctx, func() error { return x.to.link.Mailbox.Take(ctx, x.to.peer, x.body) })
	if err != nil {
		return fmt.Errorf("hand a parcel to side %s: %w", x.to.name, err)
	}
	return nil
}
