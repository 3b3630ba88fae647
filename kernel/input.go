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
func Init(b Buffer, o Options) error {
	if err := o.Schedule.check(); err != nil {
		return err
	}
	for _, n := range []struct {
		what  string
		limit int
	}{
		{"units of fuel", o.Limits.Fuel}, {"frames", o.Limits.Depth},
		{"bytes in a vatstore", o.Limits.StoreBytes}, {"vats", o.Limits.Vats},
	} {
		if n.limit < 1 {
			return refuse("a limit of %d %s: at least 1", n.limit, n.what)
		}
	}
	o.Schedule = o.Schedule.withDefaults()
	ids{firstVat, vatkeeper.Allocation{NextObject: firstObject, NextPromise: firstPromise}}.write(b)
	writeCrank(b, 0, 0)
	writeTime(b, firstTime)
	o.write(b)
	initService(b)
	acceptanceQueue.setBounds(b, firstRow, firstRow)
	runQueue.setBounds(b, firstRow, firstRow)
	b.Seal()
	return nil
}

// SetSchedule changes the schedule, but for numbers that are 0, from now on.
func (k *Kernel) SetSchedule(b Buffer, s Schedule) error {
	if err := s.check(); err != nil {
		return err
	}
	o := k.options
	has := o.Settings()
	for i, n := range s.Settings() {
		*has[i].Value = cmp.Or(*n.Value, *has[i].Value)
	}
	c := k.begin(b)
	o.write(b)
	c.sealInput()
	k.options = o
	return nil
}

// VatSpec says what vat to make.
type VatSpec struct {
	Name   string // unique; "" is none
	Code   swing.Hash
	Params swing.CapData[swing.KRef]
	// Pipelining has the vat sent the messages for promises it decides, instead of
	// having them wait until it has resolved them.
	Pipelining bool
	// Critical has the kernel stop, with a [*CriticalError], when the vat fails.
	Critical bool
	// Quarantine has the vat held when it fails, with the event that it failed at, as if
	// that had not been delivered yet: until Unhold, an upgrade or its end. Not when it
	// fails at its start.
	Quarantine bool
	// Meter bounds what the vat may use: see CreateMeter; "" is no bound.
	Meter swing.KRef
	// ReapDeliveries, ReapRefs and ReapFuel take the place of the kernel's options; 0
	// does not.
	ReapDeliveries, ReapRefs, ReapFuel uint64
}

// CreateVat makes a vat and queues its start. Its root object exists at once
// and is held for the embedder until Release.
func (k *Kernel) CreateVat(b Buffer, s VatSpec) (swing.VatID, swing.KRef, error) {
	if err := k.checkVats(b); err != nil {
		return "", "", err
	}
	if err := k.checkName(b, s.Name); err != nil {
		return "", "", err
	}
	if err := checkReaps(s.ReapDeliveries, s.ReapRefs, s.ReapFuel); err != nil {
		return "", "", refuse("%w", err)
	}
	start := swing.Message[swing.KRef]{Args: s.Params}
	if err := k.checkMessage(b, start); err != nil {
		return "", "", err
	}
	if s.Meter != "" && !has(b, meterKey(s.Meter)) {
		return "", "", refuse("%s is no meter", transcript.Text([]byte(s.Meter)))
	}
	c := k.begin(b)
	id, root := c.create(s)
	c.pin(root, 1)
	c.sealInput()
	return id, root, nil
}

// create makes a vat and queues its start.
func (c *crank) create(s VatSpec) (swing.VatID, swing.KRef) {
	ids := readIDs(c.b)
	id, root := swing.VatIDOf(ids.vat), swing.KRefOf(swing.Object, ids.NextObject)
	ids.vat++
	ids.NextObject++
	ids.write(c.b)
	vk := vatkeeper.New(id, c.b)
	seed := swing.Sum("vatwarehouse vat seed", []byte(readOptions(c.b).Seed), []byte(id))
	vk.Create(vatkeeper.Options{
		Name: s.Name, Code: s.Code, Seed: seed,
		Pipelining: s.Pipelining, Critical: s.Critical, Quarantine: s.Quarantine,
	})
	vk.SetDirt(vatkeeper.Dirt{
		DeliveriesMax: cmp.Or(s.ReapDeliveries, c.options.ReapDeliveries),
		RefsMax:       cmp.Or(s.ReapRefs, c.options.ReapRefs),
		FuelMax:       cmp.Or(s.ReapFuel, c.options.ReapFuel),
	})
	if s.Meter != "" {
		c.setMeter(id, s.Meter)
	}
	addCount(c.b, vatsKey, 1)
	object{owner: id}.write(c.b, root)
	vk.AddRoot(root)
	if s.Name != "" {
		c.b.Set(nameKey(s.Name), []byte(id))
	}
	c.setParams(vk, s.Params)
	c.enqueue(event{kind: eventStart, vat: id, params: s.Params})
	return id, root
}

// ErrVats is returned, beside [ErrInput], for a vat beyond Limits.Vats.
var ErrVats = errors.New("as many vats live as there may be")

// checkVats refuses one vat more than there may be.
func (k *Kernel) checkVats(b vatkeeper.KV) error {
	if n := Living(b); n >= k.options.Limits.Vats {
		return refuse("%w: %d of %d", ErrVats, n, k.options.Limits.Vats)
	}
	return nil
}

// Living returns how many vats live.
func Living(b vatkeeper.KV) int { return readCount(b, vatsKey) }

func nameKey(name string) string { return "name." + name }

// nameBytesMax bounds the name of a vat, or of a program.
const nameBytesMax = 200

func (k *Kernel) checkName(b vatkeeper.KV, name string) error {
	if err := checkNameText(name); err != nil {
		return err
	}
	if id, taken := VatByName(b, name); taken {
		return refuse("vat name %q is taken by %s", name, id)
	}
	return nil
}

func checkNameText(name string) error {
	if len(name) > nameBytesMax {
		return refuse("a name of %d bytes, limit %d", len(name), nameBytesMax)
	}
	for _, r := range name {
		alphanumeric := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !alphanumeric && r != '.' && r != '-' && r != '_' {
			return refuse("name %q: only letters, digits, '.', '-' and '_' are allowed", name)
		}
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
		m.Result = c.newPromise()
		c.pin(m.Result, 1)
	}
	c.enqueue(event{kind: eventSend, target: target, message: m})
	c.sealInput()
	return m.Result, nil
}

// Release lets go of a reference the embedder holds, once. Who waits for word of a meter
// that is gone with it is answered.
func (k *Kernel) Release(b Buffer, ref swing.KRef) (Report, error) {
	if n := pins(b, ref); n == 0 || n == 1 && ref == AdminRef { // that one is the kernel's
		return Report{}, refuse("%s is not held", transcript.Text([]byte(ref)))
	}
	c := k.begin(b)
	c.pin(ref, -1)
	c.sealInput()
	return c.report, nil
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
// since the Unix epoch, and tells the devices. Time does not go back.
func (k *Kernel) SetTime(b Buffer, t uint64) (Report, error) {
	if now := readTime(b); t < now {
		return Report{}, refuse("time %d is before %d", t, now)
	}
	writeTime(b, t)
	c := k.begin(b)
	c.tick()
	c.sealInput()
	return c.report, nil
}

// Terminate ends a vat from outside. The reason is at most as long as a method may be.
func (k *Kernel) Terminate(b Buffer, vat swing.VatID, reason string) (Report, error) {
	if err := checkAlive(b, vat); err != nil {
		return Report{}, err
	}
	if most := k.options.Limits.MethodBytes; len(reason) > most {
		return Report{}, refuse("a reason of %d bytes, limit %d", len(reason), most)
	}
	c := k.begin(b)
	k.vats.Discard(vat)
	c.end(vat, vatkeeper.End{Failure: true, Info: errorData(reason)}, reason)
	c.sealInput()
	return c.report, nil
}

// UpgradeSpec says what an upgrade makes of a vat.
type UpgradeSpec struct {
	Code   swing.Hash // of the new program
	Params swing.CapData[swing.KRef]
	// KeepParams has the vat started with what it was started with last, and no Params.
	KeepParams bool
	// Message is what those are told who wait for promises of the old incarnation.
	Message string
}

// Upgrade queues the upgrade of a vat, and returns a promise for the number of the new
// incarnation, which is held for the embedder until Release. A new program starts with
// the vat's old vatstore, root and durable objects; if it fails to, nothing has changed,
// and the promise is rejected.
func (k *Kernel) Upgrade(b Buffer, vat swing.VatID, u UpgradeSpec) (swing.KRef, error) {
	if err := checkAlive(b, vat); err != nil {
		return "", err
	}
	if u.KeepParams && (len(u.Params.Body) > 0 || len(u.Params.Slots) > 0) {
		return "", refuse("parameters are to be kept, and others are given")
	}
	if err := k.checkMessage(b, swing.Message[swing.KRef]{Args: u.Params}); err != nil {
		return "", err
	}
	if len(u.Message) > k.options.Limits.MethodBytes {
		return "", refuse("an upgrade message of %d bytes, limit %d",
			len(u.Message), k.options.Limits.MethodBytes)
	}
	c := k.begin(b)
	result := c.newPromise()
	c.pin(result, 1)
	c.upgrade(vat, u, result)
	c.sealInput()
	return result, nil
}

func (c *crank) upgrade(vat swing.VatID, u UpgradeSpec, result swing.KRef) {
	if u.KeepParams {
		u.Params = vatkeeper.New(vat, c.b).Params()
	}
	ev := event{kind: eventUpgrade, vat: vat, code: u.Code, text: u.Message, params: u.Params}
	ev.message.Result = result
	c.enqueue(ev)
}

// newPromise makes a promise that the kernel decides.
func (c *crank) newPromise() swing.KRef {
	ids := readIDs(c.b)
	ref := swing.KRefOf(swing.Promise, ids.NextPromise)
	ids.NextPromise++
	ids.write(c.b)
	promise{}.write(c.b, ref)
	return ref
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
	c := k.begin(b)
	c.hold(vat)
	c.sealInput()
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
