package swing

import "fmt"

// DeliveryVersion is the first field of every encoded delivery.
const DeliveryVersion = 1

// DeliveryKind says what a delivery is.
type DeliveryKind uint8

// The kinds of delivery.
const (
	// DeliverStartVat is the first delivery of every incarnation: Params.
	DeliverStartVat DeliveryKind = 1
	// DeliverMessage is a method call on one of the vat's objects: Target, Message.
	DeliverMessage DeliveryKind = 2
	// DeliverNotify settles promises the vat asked about: Resolutions. Their
	// vrefs are retired: a later mention of one names something else.
	DeliverNotify DeliveryKind = 3
	// DeliverDropExports says that nobody reaches objects of the vat's: Refs.
	DeliverDropExports DeliveryKind = 4
	// DeliverRetireExports says that nobody even recognizes them, and takes their
	// vrefs away: Refs. They were dropped before.
	DeliverRetireExports DeliveryKind = 5
	// DeliverRetireImports says that objects the vat had dropped, but recognized, are
	// gone, and takes their vrefs away: Refs.
	DeliverRetireImports DeliveryKind = 6
	// DeliverReap asks the vat to say what it has dropped.
	DeliverReap DeliveryKind = 7
)

// GC reports whether a delivery of the kind carries Refs and nothing else.
func (k DeliveryKind) GC() bool { return k >= DeliverDropExports && k <= DeliverRetireImports }

// String returns SwingSet's name of the kind; it calls a reap bringOutYourDead.
func (k DeliveryKind) String() string {
	switch k {
	case DeliverStartVat:
		return "startVat"
	case DeliverMessage:
		return "message"
	case DeliverNotify:
		return "notify"
	case DeliverDropExports:
		return "dropExports"
	case DeliverRetireExports:
		return "retireExports"
	case DeliverRetireImports:
		return "retireImports"
	case DeliverReap:
		return "reap"
	}
	return fmt.Sprintf("delivery(%d)", uint8(k))
}

// Delivery is one kernel-to-vat event. Only the fields its Kind names are set.
type Delivery[R Ref] struct {
	Kind DeliveryKind
	// Time is the block's time in nanoseconds since the Unix epoch: an input
	// of the embedder's, never the machine's clock.
	Time        uint64
	Params      CapData[R]
	Target      R
	Message     Message[R]
	Resolutions []Resolution[R]
	Refs        []R
}

// AppendDelivery appends the canonical encoding of d.
func AppendDelivery[R Ref](b []byte, d Delivery[R]) []byte {
	head := func(fields int) []byte {
		b := AppendUint(AppendArray(b, 3+fields), DeliveryVersion)
		return AppendUint(AppendUint(b, uint64(d.Kind)), d.Time)
	}
	switch d.Kind {
	case DeliverStartVat:
		return AppendCapData(head(2), d.Params)
	case DeliverMessage:
		return AppendMessage(head(5), d.Target, d.Message)
	case DeliverNotify:
		return AppendResolutions(head(1), d.Resolutions)
	case DeliverDropExports, DeliverRetireExports, DeliverRetireImports:
		return appendRefs(head(1), d.Refs)
	case DeliverReap:
		return head(0)
	}
	panic(fmt.Sprintf("swing: no encoding for %v", d.Kind))
}

// DecodeDelivery reads what AppendDelivery appends. Bodies alias b.
func DecodeDelivery[R Ref](b []byte) (d Delivery[R], err error) {
	r := NewReader(b)
	fields := r.Array()
	if v := r.Uint(); r.err == nil && v != DeliveryVersion {
		r.failf("delivery version %d, want %d", v, DeliveryVersion)
	}
	kind := r.Uint()
	d.Time = r.Uint()
	want := 0
	switch kind {
	case uint64(DeliverStartVat):
		want, d.Params = 5, ReadCapData[R](r)
	case uint64(DeliverMessage):
		want = 8
		d.Target, d.Message = ReadMessage[R](r)
	case uint64(DeliverNotify):
		want, d.Resolutions = 4, ReadResolutions[R](r)
	case uint64(DeliverDropExports), uint64(DeliverRetireExports), uint64(DeliverRetireImports):
		want, d.Refs = 4, readRefs[R](r)
	case uint64(DeliverReap):
		want = 3
	default:
		r.failf("delivery kind %d", kind)
	}
	d.Kind = DeliveryKind(kind)
	if r.err == nil && fields != want {
		r.failf("%v of %d fields, want %d", d.Kind, fields, want)
	}
	if err := r.Done(); err != nil {
		return Delivery[R]{}, fmt.Errorf("decode delivery: %w", err)
	}
	return d, nil
}

// DeliveryKindOf returns the Kind of an encoded delivery, without decoding the rest.
func DeliveryKindOf(b []byte) (DeliveryKind, error) {
	r := NewReader(b)
	r.Array()
	r.Uint()
	kind := r.Uint()
	return DeliveryKind(kind), r.Err()
}

// DeliveryTime returns the Time of an encoded delivery, without decoding the rest.
func DeliveryTime(b []byte) (uint64, error) {
	r := NewReader(b)
	r.Array()
	r.Uint()
	r.Uint()
	t := r.Uint()
	if r.err != nil {
		return 0, fmt.Errorf("decode delivery's time: %w", r.err)
	}
	return t, nil
}
