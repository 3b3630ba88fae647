package kernel

import (
	"cmp"
	"errors"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// ErrInput marks an input of the embedder's that was refused. Nothing changed.
var ErrInput = errors.New("refused")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInput}, args...)...)
}

// Init makes the state of a new kernel.
func Init(b Buffer, o Options) {
	ids{firstVat, vatkeeper.Allocation{NextObject: firstObject, NextPromise: firstPromise}}.write(b)
	writeCrank(b, 0, 0)
	writeTime(b, firstTime)
	o.withDefaults().write(b)
	acceptanceQueue.setBounds(b, firstRow, firstRow)
	runQueue.setBounds(b, firstRow, firstRow)
	b.Seal()
}

// VatSpec says what vat to make.
type VatSpec struct {
	Name   string // unique; "" is none
	Code   swing.Hash
	Params swing.CapData[swing.KRef]
	// Pipelining has the vat sent the messages for promises it decides, instead of
	// having them wait until it has resolved them.
	Pipelining bool
	// ReapDeliveries and ReapRefs take the place of the kernel's options; 0 does not.
	ReapDeliveries, ReapRefs uint64
}

// CreateVat makes a vat and queues its start. Its root object exists at once
// and is held for the embedder until Release.
func (k *Kernel) CreateVat(b Buffer, s VatSpec) (swing.VatID, swing.KRef, error) {
	if err := k.checkName(b, s.Name); err != nil {
		return "", "", err
	}
	start := swing.Message[swing.KRef]{Args: s.Params}
	if err := k.checkMessage(b, start); err != nil {
		return "", "", err
	}
	c := k.begin(b)
	ids := readIDs(b)
	id, root := swing.VatIDOf(ids.vat), swing.KRefOf(swing.Object, ids.NextObject)
	ids.vat++
	ids.NextObject++
	ids.write(b)
	vk := vatkeeper.New(id, b)
	seed := swing.Sum("vatwarehouse vat seed", []byte(readOptions(b).Seed), []byte(id))
	vk.Create(vatkeeper.Options{
		Name: s.Name, Code: s.Code, Seed: seed, Pipelining: s.Pipelining,
	})
	vk.SetDirt(vatkeeper.Dirt{
		DeliveriesMax: cmp.Or(s.ReapDeliveries, k.options.ReapDeliveries),
		RefsMax:       cmp.Or(s.ReapRefs, k.options.ReapRefs),
	})
	object{owner: id}.write(b, root)
	vk.AddRoot(root)
	c.pin(root, 1)
	if s.Name != "" {
		b.Set(nameKey(s.Name), []byte(id))
	}
	c.enqueue(event{kind: eventStart, vat: id, params: s.Params})
	c.sealInput()
	return id, root, nil
}

func nameKey(name string) string { return "name." + name }

// nameBytesMax bounds a vat's name.
const nameBytesMax = 200

func (k *Kernel) checkName(b Buffer, name string) error {
	if len(name) > nameBytesMax {
		return refuse("a vat name of %d bytes, limit %d", len(name), nameBytesMax)
	}
	for _, r := range name {
		alphanumeric := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !alphanumeric && r != '.' && r != '-' && r != '_' {
			return refuse("vat name %q: only letters, digits, '.', '-' and '_' are allowed", name)
		}
	}
	if id, taken := VatByName(b, name); taken {
		return refuse("vat name %q is taken by %s", name, id)
	}
	return nil
}

// checkMessage refuses a message beyond the limits or with unknown references.
func (k *Kernel) checkMessage(b Buffer, m swing.Message[swing.KRef]) error {
	if why := swing.CheckMessage(k.options.Limits, m); why != "" {
		return refuse("%s", why)
	}
	for _, s := range m.Args.Slots {
		if err := checkRef(b, s); err != nil {
			return err
		}
	}
	return nil
}

func checkRef(b Buffer, ref swing.KRef) error {
	if err := ref.Validate(); err != nil {
		return refuse("%w", err)
	}
	if !exists(b, ref) {
		return refuse("there is no %s", ref)
	}
	return nil
}

// Send queues a message from the embedder. With wantResult it returns the
// promise for the answer, which is held for the embedder until Release.
func (k *Kernel) Send(
	b Buffer, target swing.KRef, m swing.Message[swing.KRef], wantResult bool,
) (result swing.KRef, err error) {
	if m.Result != "" {
		return "", refuse("result %s: the kernel makes the result promise", m.Result)
	}
	if err := checkRef(b, target); err != nil {
		return "", err
	}
	if err := k.checkMessage(b, m); err != nil {
		return "", err
	}
	c := k.begin(b)
	if wantResult {
		ids := readIDs(b)
		m.Result = swing.KRefOf(swing.Promise, ids.NextPromise)
		ids.NextPromise++
		ids.write(b)
		promise{}.write(b, m.Result)
		c.pin(m.Result, 1)
	}
	c.enqueue(event{kind: eventSend, target: target, message: m})
	c.sealInput()
	return m.Result, nil
}

// Release lets go of a reference the embedder holds, once.
func (k *Kernel) Release(b Buffer, ref swing.KRef) error {
	if pins(b, ref) == 0 {
		return refuse("%s is not held", ref)
	}
	c := k.begin(b)
	c.pin(ref, -1)
	c.sealInput()
	return nil
}

// Retain holds a reference for the embedder once more, until Release.
func (k *Kernel) Retain(b Buffer, ref swing.KRef) error {
	if err := checkRef(b, ref); err != nil {
		return err
	}
	c := k.begin(b)
	c.pin(ref, 1)
	c.sealInput()
	return nil
}

// SetTime sets the block time that later deliveries are told, in nanoseconds
// since the Unix epoch. Time does not go back.
func (k *Kernel) SetTime(b Buffer, t uint64) error {
	if now := readTime(b); t < now {
		return refuse("time %d is before %d", t, now)
	}
	writeTime(b, t)
	k.begin(b).sealInput()
	return nil
}

// Terminate ends a vat from outside.
func (k *Kernel) Terminate(b Buffer, vat swing.VatID, reason string) (Report, error) {
	if err := checkAlive(b, vat); err != nil {
		return Report{}, err
	}
	c := k.begin(b)
	k.vats.Discard(vat)
	c.end(vat, vatkeeper.End{Failure: true, Info: errorData(reason)}, reason)
	c.sealInput()
	return c.report, nil
}

func checkAlive(b Buffer, vat swing.VatID) error {
	if vat.Validate() != nil || !vatkeeper.New(vat, b).Alive() {
		return refuse("there is no live vat %s", transcript.Text([]byte(vat)))
	}
	return nil
}

// Hold keeps back a vat's deliveries, in order, until Unhold: for a vat that
// cannot be run. Everything else goes on.
func (k *Kernel) Hold(b Buffer, vat swing.VatID) error {
	if err := checkAlive(b, vat); err != nil {
		return err
	}
	if held(b, vat) {
		return refuse("%s is held already", vat)
	}
	holdQueue(vat).setBounds(b, firstRow, firstRow)
	k.begin(b).sealInput()
	return nil
}

// Unhold puts what was kept back at the head of the run-queue.
func (k *Kernel) Unhold(b Buffer, vat swing.VatID) error {
	if err := checkAlive(b, vat); err != nil {
		return err
	}
	if !held(b, vat) {
		return refuse("%s is not held", vat)
	}
	c := k.begin(b)
	c.letGo(vat)
	c.sealInput()
	return nil
}
