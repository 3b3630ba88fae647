package kernel

import (
	"errors"
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// ServiceOwner owns the kernel's own objects. It is no vat: messages to them are
// answered by the kernel, one a crank. Their arguments, and its answers, are bodies in
// canonical encoding: a list, in which null stands for the next slot.
//
// The admin object, of which the embedder gives whom it will a reference:
//
//	createVat(program, name, params, options, meter) → [root, node]   once the vat has started
//	getProgram(name) → [program]
//	createMeter(remaining, threshold) → [meter]
//	createUnlimitedMeter() → [meter]
//
// where program is an object that getProgram answered, the name of a program, or its
// hash as bytes; params is a body, and its slots follow the program's; options is a list
// of "pipelining", "critical", "quarantine".
//
// A vat's node:
//
//	done() → how the vat ended: fulfilled, or rejected if it failed, with its last words
//	terminate(reason)
//	upgrade(program, params, message) → [incarnation]   without params: those it has
//	changeOptions(reap deliveries, reap references, reap fuel)
const ServiceOwner swing.VatID = "kernel"

// AdminRef is the kernel's admin object. It is always there.
const AdminRef swing.KRef = "ko1"

// service is a row koN.s: what an object of the kernel's is.
type service struct {
	kind    serviceKind
	vat     swing.VatID
	program swing.Hash
	device  string
}

type serviceKind uint64

const (
	adminService   serviceKind = 1
	nodeService    serviceKind = 2 // vat
	programService serviceKind = 3 // program
	deviceService  serviceKind = 4 // device
	meterService   serviceKind = 5
)

func serviceKey(ref swing.KRef) string { return string(ref) + ".s" }

func (s service) write(b vatkeeper.KV, ref swing.KRef) {
	v := swing.AppendUint(swing.AppendArray(nil, 4), uint64(s.kind))
	v = swing.AppendHash(swing.AppendText(v, s.vat), s.program)
	b.Set(serviceKey(ref), swing.AppendText(v, s.device))
}

func readService(b vatkeeper.KV, ref swing.KRef) (s service) {
	r := row(b, serviceKey(ref))
	r.Fields(4)
	s = service{serviceKind(r.Uint()), swing.VatID(r.Text()), r.Hash(), r.Text()}
	done(r, serviceKey(ref))
	return s
}

func initService(b Buffer) {
	object{owner: ServiceOwner, reachable: 1, recognizable: 1}.write(b, AdminRef)
	service{kind: adminService}.write(b, AdminRef)
	b.Set(pinKey(AdminRef), []byte("1"))
}

// newService makes an object of the kernel's.
func (c *crank) newService(s service) swing.KRef {
	ids := readIDs(c.b)
	ref := swing.KRefOf(swing.Object, ids.NextObject)
	ids.NextObject++
	ids.write(c.b)
	object{owner: ServiceOwner}.write(c.b, ref)
	s.write(c.b, ref)
	c.loose = append(c.loose, ref)
	return ref
}

// serve answers a message to an object of the kernel's.
func (c *crank) serve(ev event) {
	c.report.Kind = Service
	s := readService(c.b, ev.target)
	in := swing.ReadArguments(ev.message.Args)
	var err error
	switch m := ev.message.Method; {
	case s.kind == deviceService:
		c.serveDevice(s.device, ev.message)
	case s.kind == meterService:
		err = c.serveMeter(ev.target, ev.message, in)
	case s.kind == adminService && m == "createMeter":
		state := meter{remaining: in.Uint(), threshold: in.Uint()}
		if err = in.DoneShort("two numbers"); err == nil {
			c.fulfil(ev.message.Result, list(swing.AppendNull), c.newMeter(state))
		}
	case s.kind == adminService && m == "createUnlimitedMeter":
		if err = in.DoneShort("nothing"); err == nil {
			c.fulfil(ev.message.Result, list(swing.AppendNull), c.newMeter(meter{unlimited: true}))
		}
	case s.kind == adminService && m == "createVat":
		err = c.serveCreate(ev.message.Result, in)
	case s.kind == adminService && m == "getProgram":
		err = c.serveProgram(ev.message.Result, in)
	case s.kind == nodeService && m == "done":
		err = c.serveDone(s.vat, ev.message.Result, in)
	case s.kind == nodeService && m == "terminate":
		err = c.serveTerminate(s.vat, ev.message, in)
	case s.kind == nodeService && m == "upgrade":
		err = c.serveUpgrade(s.vat, ev.message.Result, in)
	case s.kind == nodeService && m == "changeOptions":
		err = c.serveOptions(s.vat, ev.message.Result, in)
	default:
		err = fmt.Errorf("there is no method %s", m)
	}
	if err != nil {
		c.reject(ev.message.Result, errorData(err.Error()))
	}
	c.drop(ev)
}

// arguments are those of a message to the kernel: what is left out at the end counts as
// empty.
type arguments = swing.Arguments[swing.KRef]

// program reads a program: an object, a name, or a hash.
func (c *crank) program(a *arguments) (hash swing.Hash, err error) {
	if !a.More() {
		return hash, errors.New("want a program")
	}
	if a.Values.Null() {
		if len(a.Slots) == 0 {
			return hash, errors.New("a null for which there is no slot")
		}
		ref := a.Slots[0]
		a.Slots = a.Slots[1:]
		if !has(c.b, serviceKey(ref)) || readService(c.b, ref).kind != programService {
			return hash, errors.New("that is no program")
		}
		return readService(c.b, ref).program, nil
	}
	switch v := a.Values.Value().(type) {
	case string:
		return c.named(v)
	case []byte:
		if len(v) == len(hash) && has(c.b, programKey(swing.Hash(v))) {
			return swing.Hash(v), nil
		}
	}
	return hash, errors.New("there is no such program")
}

func (c *crank) named(name string) (hash swing.Hash, err error) {
	v, ok := c.b.Get(programNameKey(name))
	if !ok {
		return hash, fmt.Errorf("there is no program %q", name)
	}
	return swing.Hash(v), nil
}

func (c *crank) serveCreate(result swing.KRef, in *arguments) (err error) {
	var s VatSpec
	if s.Code, err = c.program(in); err != nil {
		return err
	}
	s.Name = in.Text()
	s.Params.Body = in.Bytes()
	if in.More() {
		for n := in.Values.Array(); n > 0 && in.Values.Err() == nil; n-- {
			switch option := in.Values.Text(); option {
			case "pipelining":
				s.Pipelining = true
			case "critical":
				s.Critical = true
			case "quarantine":
				s.Quarantine = true
			default:
				return fmt.Errorf("there is no option %q", option)
			}
		}
	}
	if s.Meter, err = c.meterArgument(in); err != nil {
		return err
	}
	if err := in.DoneShort("a program, a name, parameters, options and a meter"); err != nil {
		return err
	}
	s.Params.Slots = in.Slots
	if err := c.checkVats(c.b); err != nil {
		return err
	}
	if err := c.checkName(c.b, s.Name); err != nil {
		return err
	}
	id, root := c.create(s)
	c.report.Made++
	if result != "" {
		c.setBirth(id, birth{result, root, c.newService(service{kind: nodeService, vat: id})})
	}
	c.loose = append(c.loose, root)
	return nil
}

// meterArgument reads a meter, which may be left out: its slot is the last one.
func (c *crank) meterArgument(in *arguments) (swing.KRef, error) {
	if in.Left() == 0 {
		return "", nil
	}
	last := len(in.Slots) - 1
	if in.More(); !in.Values.Null() || last < 0 || !has(c.b, meterKey(in.Slots[last])) {
		return "", errors.New("that is no meter")
	}
	ref := in.Slots[last]
	in.Slots = in.Slots[:last]
	return ref, nil
}

func (c *crank) serveProgram(result swing.KRef, in *arguments) error {
	name := in.Text()
	if err := in.DoneShort("a name"); err != nil {
		return err
	}
	hash, err := c.named(name)
	if err != nil {
		return err
	}
	ref := c.newService(service{kind: programService, program: hash})
	c.fulfil(result, list(swing.AppendNull), ref)
	return nil
}

func (c *crank) serveDone(vat swing.VatID, result swing.KRef, in *arguments) error {
	if err := in.DoneShort("nothing"); err != nil || result == "" {
		return err
	}
	if e, ended := vatkeeper.New(vat, c.b).End(); ended {
		c.resolve(swing.Resolution[swing.KRef]{
			Promise: result, Rejected: e.Failure, Data: e.Info,
		})
		return nil
	}
	c.await(mournersKey(vat), result)
	return nil
}

func (c *crank) serveTerminate(
	vat swing.VatID, m swing.Message[swing.KRef], in *arguments,
) error {
	reason := in.Text()
	if err := in.DoneShort("a reason"); err != nil {
		return err
	}
	if !c.alive(vat) {
		return errors.New("the vat has ended")
	}
	c.vats.Discard(vat)
	c.end(vat, vatkeeper.End{Failure: true, Info: errorData(reason)}, reason)
	c.fulfil(m.Result, list())
	return nil
}

func (c *crank) serveUpgrade(vat swing.VatID, result swing.KRef, in *arguments) (err error) {
	var u UpgradeSpec
	if u.Code, err = c.program(in); err != nil {
		return err
	}
	u.KeepParams = in.Left() == 0 && len(in.Slots) == 0
	u.Params = swing.CapData[swing.KRef]{Body: in.Bytes(), Slots: in.Slots}
	u.Message = in.Text()
	if err := in.DoneShort("a program, parameters and a message"); err != nil {
		return err
	}
	if !c.alive(vat) {
		return errors.New("the vat has ended")
	}
	if result == "" {
		result = c.newPromise()
	}
	c.upgrade(vat, u, result)
	return nil
}

func (c *crank) serveOptions(vat swing.VatID, result swing.KRef, in *arguments) error {
	deliveries, refs, fuel := in.Uint(), in.Uint(), in.Uint()
	if err := in.DoneShort("three numbers"); err != nil {
		return err
	}
	if !c.alive(vat) {
		return errors.New("the vat has ended")
	}
	if err := checkReaps(deliveries, refs, fuel); err != nil {
		return err
	}
	vk := vatkeeper.New(vat, c.b)
	vk.SetDirt(vk.Dirt().Changed(deliveries, refs, fuel))
	c.fulfil(result, list())
	return nil
}

// programKey says that a program is installed, programNameKey what a name stands for.
func programKey(hash swing.Hash) string { return "program." + hash.String() }
func programNameKey(name string) string { return "program.name." + name }

// Install makes a program known to the kernel, under a name if it is not "": vats can be
// made of it by those who hold the admin object. A name can be given to another program.
// Where it is known so already, nothing happens.
func (k *Kernel) Install(b Buffer, hash swing.Hash, name string) error {
	if err := checkNameText(name); err != nil {
		return err
	}
	named, _ := b.Get(programNameKey(name))
	if has(b, programKey(hash)) && (name == "" || string(named) == string(hash[:])) {
		return nil
	}
	c := k.begin(b)
	b.Set(programKey(hash), nil)
	if name != "" {
		b.Set(programNameKey(name), hash[:])
	}
	c.sealInput()
	return nil
}
