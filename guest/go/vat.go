package vat

// Object is something the vat exports. It is handed the messages sent to it.
type Object interface {
	Receive(m *Message)
}

// Methods is an Object made of functions. It rejects a message for none of them.
type Methods map[string]func(m *Message)

// Receive calls the message's method.
func (ms Methods) Receive(m *Message) {
	f, ok := ms[m.Method]
	if !ok {
		m.Reject("no such method")
		return
	}
	f(m)
}

// Message is a method call. Its Data are the arguments, and its Resolver answers
// it: now, or in a later delivery. One never answered leaves its sender waiting.
type Message struct {
	*Data
	Resolver
	Target Ref
	Method string
}

// Serve says what the vat is. It is to be called once, from an init function. In
// the vat's first delivery start gets its parameters and returns its root object.
func Serve(start func(params *Data) Object) { self.start = start }

// Export gives an object a reference, by which others reach it once it was sent to
// them. It stays exported.
func Export(o Object) Ref {
	self.objectCount++
	ref := numbered("o+", self.objectCount)
	self.objects[ref] = o
	return ref
}

// Now returns the time of the delivery, in nanoseconds since the Unix epoch. It
// stands still while the delivery runs.
func Now() uint64 { return self.time }

// Fail ends the vat: nothing of this delivery takes effect.
func Fail(why string) { panic(failure(why)) }

// failure is what Fail panics with.
type failure string

// vat is the state of this package: what the program exports and waits for. The
// maps are for looking up only.
type vat struct {
	start        func(*Data) Object
	objects      map[Ref]Object
	promises     map[Ref]*Promise
	settling     map[Ref]*Data // settled by the delivery that is running
	objectCount  uint64
	promiseCount uint64
	time         uint64
	handlers     Handlers          // of Durable
	open         map[string]uint64 // watchers that wait, by handler
}

var self = vat{objects: map[Ref]Object{}, promises: map[Ref]*Promise{}}

func (v *vat) newPromise() Ref {
	v.promiseCount++
	return numbered("p+", v.promiseCount)
}

// The kinds of delivery.
const (
	deliverStart   = 1
	deliverMessage = 2
	deliverNotify  = 3

	deliverDropExports   = 4
	deliverRetireExports = 5
	deliverRetireImports = 6
	deliverReap          = 7
)

// deliver does one delivery and returns why the vat failed, or "".
func (v *vat) deliver(input []byte) (problem string) {
	defer func() {
		if r := recover(); r != nil {
			problem = problemOf(r)
		}
	}()
	r := reader{rest: input}
	fields := r.count()
	version, kind := r.head(kindUint), r.head(kindUint)
	v.time = r.head(kindUint)
	switch {
	case version == 1 && kind == deliverStart && fields == 5:
		v.started(&r)
	case version == 1 && kind == deliverMessage && fields == 8:
		v.message(&r)
	case version == 1 && kind == deliverNotify && fields == 4:
		v.notified(&r)
	case version == 1 && kind >= deliverDropExports && kind <= deliverRetireImports && fields == 4:
		v.collected(kind, &r)
	case version == 1 && kind == deliverReap && fields == 3:
		mustBeDone(&r)
		if collector.Reap != nil {
			collector.Reap()
		}
	default:
		Fail(malformed)
	}
	return ""
}

const malformed = "malformed delivery"

func mustBeDone(r *reader) {
	if !r.done() {
		Fail(malformed)
	}
}

func (v *vat) started(r *reader) {
	params := r.data()
	mustBeDone(r)
	if v.start == nil {
		Fail("the program calls vat.Serve nowhere")
	}
	v.begin()
	v.objects[Root] = v.start(params)
}

func (v *vat) message(r *reader) {
	m := &Message{Target: r.ref(), Method: r.text(), Data: r.data()}
	m.Resolver.ref = r.optionalRef()
	mustBeDone(r)
	o, ok := v.objects[m.Target]
	if !ok {
		m.Reject("no such object")
		return
	}
	o.Receive(m)
}

// notified settles promises. All of them are retired when the delivery begins, so
// those that mention each other must be known before the first callback runs.
func (v *vat) notified(r *reader) {
	n := r.count()
	refs := make([]Ref, 0, n)
	v.settling = make(map[Ref]*Data, n)
	defer func() { v.settling = nil }()
	for ; n > 0 && !r.bad; n-- {
		r.fields(4)
		ref, rejected := r.ref(), r.bool()
		d := r.data()
		d.Rejected = rejected
		refs = append(refs, ref)
		v.settling[ref] = d
	}
	mustBeDone(r)
	v.fire(refs)
	for _, ref := range refs {
		p := v.promises[ref]
		delete(v.promises, ref)
		if p != nil {
			p.settle(v.settling[ref])
		}
	}
}

// problemOf returns a panic's text.
func problemOf(r any) string {
	switch r := r.(type) {
	case failure:
		return string(r)
	case error:
		return "panic: " + r.Error()
	case string:
		return "panic: " + r
	}
	return "panic"
}
