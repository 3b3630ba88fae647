package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/worker"
	"vatwarehouse/worker/instrument"
)

// Message is a message from the embedder: a method, and arguments whose slots
// are references the embedder knows.
type Message struct {
	Method string
	Body   []byte
	Slots  []swing.KRef
}

func (m Message) capData() swing.CapData[swing.KRef] {
	return swing.CapData[swing.KRef]{Body: m.Body, Slots: m.Slots}
}

// VatSpec says what vat to make.
type VatSpec struct {
	// Name is unique; "" is none.
	Name string
	// Code is a program that was installed.
	Code swing.Hash
	// Body and Slots are the parameters its start is given.
	Body  []byte
	Slots []swing.KRef
	// Pipelining has the vat sent the messages for promises it decides, instead of
	// having them wait until it has resolved them.
	Pipelining bool
	// Critical has every Run stop, with a *kernel.CriticalError, when the vat fails.
	Critical bool
	// Quarantine has the vat held when it fails, with the event that it failed at, as if
	// that had not been delivered yet: until Unhold, an upgrade or its end.
	Quarantine bool
	// Meter bounds what the vat may use: see CreateMeter. "" is no bound.
	Meter swing.KRef
	// ReapDeliveries, ReapRefs and ReapFuel take the place of the Host's options; 0 does
	// not.
	ReapDeliveries, ReapRefs, ReapFuel uint64
}

// Install admits a program, keeps it, and returns its name: a hash of the code.
// Installing it again does nothing. A refusal says which function, section or
// import is at fault, and satisfies errors.Is(err, ErrRefused).
func (h *Host) Install(ctx context.Context, code []byte) (swing.Hash, error) {
	return h.InstallAs(ctx, "", code)
}

// InstallAs is Install, and gives the program a name, for vats that make vats: see
// [kernel.AdminRef]. The name can be given to another program later.
func (h *Host) InstallAs(
	ctx context.Context, name string, code []byte,
) (stored swing.Hash, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.catch(&err)
	if err := h.ready(); err != nil {
		return swing.Hash{}, err
	}
	p, err := h.machine.Compile(ctx, code)
	if err != nil && !errors.Is(err, instrument.ErrRefused) {
		return swing.Hash{}, fmt.Errorf("install program: %w", err)
	}
	if err != nil {
		return swing.Hash{}, fmt.Errorf("install program: %w: %w", ErrRefused, err)
	}
	if err := p.Close(ctx); err != nil {
		return swing.Hash{}, fmt.Errorf("install program: %w", err)
	}
	// The name may be refused; what the kernel knows is durable only with the next block.
	if err := h.kernel.Install(h.kv, worker.CodeHash(code), name); err != nil {
		return swing.Hash{}, fmt.Errorf("install program: %w", err)
	}
	stored, err = h.heaps.PutCode(code)
	if err != nil {
		return swing.Hash{}, h.poison(fmt.Errorf("install program: %w", err))
	}
	if want := worker.CodeHash(code); stored != want {
		panic(fmt.Sprintf("host: code %s was stored as %s", want, stored))
	}
	return stored, nil
}

// Upgrade says what an upgrade makes of a vat.
type Upgrade struct {
	Code swing.Hash // of the new program, which was installed
	// Body and Slots are the parameters its start is given.
	Body  []byte
	Slots []swing.KRef
	// KeepParams has it started with what the vat was started with last.
	KeepParams bool
	// Message is what those are told who wait for promises of the old incarnation.
	Message string
}

// Upgrade queues the upgrade of a vat, and returns a promise for the number of its new
// incarnation, which is held for the embedder until Release. The new program starts with
// the vat's vatstore, root and durable objects; if it fails to, nothing has changed, and
// the promise is rejected.
func (h *Host) Upgrade(
	_ context.Context, vat swing.VatID, u Upgrade,
) (result swing.KRef, err error) {
	err = h.input(func() error {
		if err := h.installed(u.Code); err != nil {
			return fmt.Errorf("upgrade vat %s: %w", transcript.Text([]byte(vat)), err)
		}
		result, err = h.kernel.Upgrade(h.kv, vat, kernel.UpgradeSpec{
			Code: u.Code, Message: u.Message, KeepParams: u.KeepParams,
			Params: swing.CapData[swing.KRef]{Body: u.Body, Slots: u.Slots},
		})
		if err != nil {
			return fmt.Errorf("upgrade vat %s: %w", transcript.Text([]byte(vat)), err)
		}
		return nil
	})
	return result, err
}

// installed refuses a program that is not stored whole. If that cannot be read, the Host
// cannot go on: of inputs that belong together some would become durable.
func (h *Host) installed(code swing.Hash) error {
	_, err := h.heaps.Code(code)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("program %s: %w", code.Short(), err)
	if spoilt(err) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return h.poison(err)
}

// input runs one input of the embedder's.
func (h *Host) input(do func() error) (err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.catch(&err)
	if err := h.ready(); err != nil {
		return err
	}
	err = do()
	if kvErr := h.kv.Err(); kvErr != nil {
		return h.poison(damaged(kvErr))
	}
	return err
}

// CreateVat makes a vat and queues its start. Its root object exists at once
// and is held for the embedder until Release.
func (h *Host) CreateVat(
	_ context.Context, s VatSpec,
) (vat swing.VatID, root swing.KRef, err error) {
	err = h.input(func() error {
		if err := h.installed(s.Code); err != nil {
			return fmt.Errorf("create vat: %w", err)
		}
		spec := kernel.VatSpec{
			Name: s.Name, Code: s.Code, Pipelining: s.Pipelining,
			Critical: s.Critical, Quarantine: s.Quarantine, Meter: s.Meter,
			ReapDeliveries: s.ReapDeliveries, ReapRefs: s.ReapRefs,
			ReapFuel: s.ReapFuel,
		}
		spec.Params = swing.CapData[swing.KRef]{Body: s.Body, Slots: s.Slots}
		if vat, root, err = h.kernel.CreateVat(h.kv, spec); err != nil {
			return fmt.Errorf("create vat: %w", err)
		}
		return nil
	})
	return vat, root, err
}

// Send queues a message and returns the promise for its answer, which is held
// for the embedder until Release: see Promise, and Observer.Output.
func (h *Host) Send(_ context.Context, target swing.KRef, m Message) (swing.KRef, error) {
	return h.send(target, m, true)
}

// SendOnly queues a message nobody wants an answer to.
func (h *Host) SendOnly(_ context.Context, target swing.KRef, m Message) error {
	_, err := h.send(target, m, false)
	return err
}

func (h *Host) send(target swing.KRef, m Message, wantResult bool) (result swing.KRef, err error) {
	err = h.input(func() error {
		msg := swing.Message[swing.KRef]{Method: m.Method, Args: m.capData()}
		if result, err = h.kernel.Send(h.kv, target, msg, wantResult); err != nil {
			return fmt.Errorf("send %s to %s: %w", transcript.Text([]byte(m.Method)),
				transcript.Text([]byte(target)), err)
		}
		return nil
	})
	return result, err
}

// Retain holds a reference for the embedder once more, until Release: an object that
// nobody else holds stays, a promise's answer can be read later.
func (h *Host) Retain(_ context.Context, ref swing.KRef) error {
	return h.input(func() error {
		if err := h.kernel.Retain(h.kv, ref); err != nil {
			return fmt.Errorf("retain: %w", err)
		}
		return nil
	})
}

// Release lets go of a reference that is held for the embedder, once.
func (h *Host) Release(_ context.Context, ref swing.KRef) error {
	return h.input(func() error {
		r, err := h.kernel.Release(h.kv, ref)
		if err != nil {
			return fmt.Errorf("release: %w", err)
		}
		h.bookOutputs(r)
		return nil
	})
}

// SetTime sets the block time that later deliveries are told, in nanoseconds
// since the Unix epoch. It does not go back, and never moves by itself.
func (h *Host) SetTime(_ context.Context, nanoseconds uint64) error {
	return h.input(func() error {
		r, err := h.kernel.SetTime(h.kv, nanoseconds)
		if err != nil {
			return fmt.Errorf("set time: %w", err)
		}
		h.bookOutputs(r)
		return nil
	})
}

// CreateMeter makes a meter, an object that bounds what the vats made with it may use
// together, and is held for the embedder until Release; an unlimited one only counts.
// Whoever is given it can refill it: docs/kernel.md has its methods.
func (h *Host) CreateMeter(
	_ context.Context, remaining, threshold uint64, unlimited bool,
) (meter swing.KRef, err error) {
	err = h.input(func() error {
		meter = h.kernel.CreateMeter(h.kv, remaining, threshold, unlimited)
		return nil
	})
	return meter, err
}

// Meter returns how much a meter has left.
func (h *Host) Meter(ref swing.KRef) (kernel.Meter, error) {
	return read(h, func() (kernel.Meter, error) {
		m, ok := kernel.LookupMeter(h.kv, ref)
		if !ok {
			return m, fmt.Errorf("meter %s: %w", transcript.Text([]byte(ref)), ErrNotFound)
		}
		return m, nil
	})
}

// AddDevice makes a device, one of Options.Devices, known to the kernel, and returns its
// object, which is held for the embedder until Release: whoever is given it can call the
// device. A directory that has a device must from then on be opened with it.
func (h *Host) AddDevice(_ context.Context, name string) (device swing.KRef, err error) {
	err = h.input(func() error {
		if device, err = h.kernel.AddDevice(h.kv, name); err != nil {
			return fmt.Errorf("add device: %w", err)
		}
		return nil
	})
	return device, err
}

// Device returns the object of a device that was added.
func (h *Host) Device(name string) (swing.KRef, error) {
	return read(h, func() (swing.KRef, error) {
		ref, ok := kernel.DeviceRef(h.kv, name)
		if !ok {
			return "", fmt.Errorf("device %q: %w", name, ErrNotFound)
		}
		return ref, nil
	})
}

// Receive hands data to a device that is a [kernel.Receiver].
func (h *Host) Receive(_ context.Context, device string, body []byte, slots ...swing.KRef) error {
	return h.input(func() error {
		data := swing.CapData[swing.KRef]{Body: body, Slots: slots}
		r, err := h.kernel.Receive(h.kv, device, data)
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		h.bookOutputs(r)
		return nil
	})
}

// Terminate ends a vat. Messages to it are rejected from now on.
func (h *Host) Terminate(ctx context.Context, vat swing.VatID, reason string) error {
	return h.input(func() error {
		r, err := h.kernel.Terminate(h.kv, vat, reason)
		if err != nil {
			return fmt.Errorf("terminate: %w", err)
		}
		h.bookOutputs(r)
		h.tellEnded(ctx, r.Ended)
		return nil
	})
}

// OptionChange says which of a vat's options change.
type OptionChange = kernel.OptionChange

// ChangeOptions changes options of a vat, from its next delivery on. It is an input. Where
// nothing would change, nothing happens.
func (h *Host) ChangeOptions(_ context.Context, vat swing.VatID, o OptionChange) error {
	return h.input(func() error {
		if err := h.kernel.ChangeOptions(h.kv, vat, o); err != nil {
			return fmt.Errorf("change options: %w", err)
		}
		return nil
	})
}

// Hold keeps back a vat's deliveries, in order, until Unhold, so that everything
// else goes on without a vat that cannot be run. It is an input: it changes the
// order of events, and so the activityhash.
func (h *Host) Hold(_ context.Context, vat swing.VatID) error {
	return h.input(func() error {
		if err := h.kernel.Hold(h.kv, vat); err != nil {
			return fmt.Errorf("hold: %w", err)
		}
		return nil
	})
}

// Unhold puts what was kept back at the head of the run-queue.
func (h *Host) Unhold(_ context.Context, vat swing.VatID) error {
	return h.input(func() error {
		if err := h.kernel.Unhold(h.kv, vat); err != nil {
			return fmt.Errorf("unhold: %w", err)
		}
		return nil
	})
}

// SetSchedule changes the schedule, but for numbers that are 0, from now on.
func (h *Host) SetSchedule(_ context.Context, s kernel.Schedule) error {
	return h.input(func() error {
		if err := h.kernel.SetSchedule(h.kv, s); err != nil {
			return fmt.Errorf("set the schedule: %w", err)
		}
		return nil
	})
}

// Pin keeps a vat in memory once it is there, or lets it go again. It is
// private, and forgotten at Close.
func (h *Host) Pin(_ context.Context, vat swing.VatID, pinned bool) error {
	return h.input(func() error {
		if _, err := h.vatState(vat); err != nil {
			return err
		}
		h.vats.Pin(vat, pinned)
		return nil
	})
}

// TakeSnapshot saves a vat's heap as it is after its latest delivery, whatever
// Options.Snapshots says, commits, and returns the latest snapshot there is: one that was
// made before if the vat has done nothing since. It may page the vat in. It is private.
func (h *Host) TakeSnapshot(ctx context.Context, vat swing.VatID) (s Snapshot, err error) {
	err = h.input(func() error {
		if _, err := h.living(vat); err != nil {
			return err
		}
		if err := h.settle(ctx); err != nil { // what is being saved is not in the way
			return err
		}
		if err := h.vats.Want(ctx, vat); err != nil {
			return damaged(err)
		}
		if err := h.settle(ctx); err != nil {
			return err
		}
		all := h.snapshotsOf(vat)
		if len(all) == 0 {
			return fmt.Errorf("snapshot of vat %s: %w: it has done nothing yet", vat, ErrNotFound)
		}
		s = all[0]
		return nil
	})
	return s, err
}

// Evict takes a vat out of memory, losing nothing. It is private.
func (h *Host) Evict(ctx context.Context, vat swing.VatID) error {
	return h.input(func() error {
		if _, err := h.vatState(vat); err != nil {
			return err
		}
		return h.vats.Evict(ctx, vat)
	})
}

const notePrefix = "local.note."

// noteBytesMax bounds a note's name and its value.
const (
	noteNameBytesMax  = 100
	noteValueBytesMax = 1 << 20
)

// SetNote keeps a value of the embedder's own, which becomes durable with the
// block that the inputs before and after it are in: how far it has come, say,
// with what it sends. A nil value takes the note away. Notes are private.
func (h *Host) SetNote(_ context.Context, name string, value []byte) error {
	return h.input(func() error {
		switch {
		case name == "" || len(name) > noteNameBytesMax:
			return fmt.Errorf("set note: %w: a name of %d bytes, want 1 to %d",
				ErrRefused, len(name), noteNameBytesMax)
		case len(value) > noteValueBytesMax:
			return fmt.Errorf("set note %s: %w: %d bytes, limit %d",
				name, ErrRefused, len(value), noteValueBytesMax)
		case value == nil:
			h.kv.Delete(notePrefix + name)
		default:
			h.kv.Set(notePrefix+name, bytes.Clone(value))
		}
		return nil
	})
}

// Note returns a value that SetNote keeps, and whether there is one.
func (h *Host) Note(name string) (value []byte, ok bool, err error) {
	err = h.input(func() error {
		value, ok = h.kv.Get(notePrefix + name)
		value = bytes.Clone(value)
		return nil
	})
	return value, ok, err
}
