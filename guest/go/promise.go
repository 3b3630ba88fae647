package vat

// Promise is one this vat has asked about. Its callbacks run in the delivery that
// says how it is settled, in the order in which they were added.
type Promise struct {
	ref     Ref
	settled *Data
	then    []callbacks
}

type callbacks struct{ fulfilled, rejected func(*Data) }

// Ask sends a message and returns the promise of its answer.
func Ask(target Ref, method string, args ...any) *Promise {
	result := self.newPromise()
	send(target, method, List(args...), result)
	return When(result)
}

// When returns a promise that the vat was sent, and asks to be told how it is
// settled. One that this very delivery settles is settled already.
func When(ref Ref) *Promise {
	if p, known := self.promises[ref]; known {
		return p
	}
	if d, now := self.settling[ref]; now {
		return &Promise{ref: ref, settled: d}
	}
	p := &Promise{ref: ref}
	self.promises[ref] = p
	subscribe(ref)
	return p
}

// Ref returns the promise's reference. Messages may be sent to it at once: they wait
// for the answer. When the promise is settled the reference is no more.
func (p *Promise) Ref() Ref { return p.ref }

// Then has one of two functions called once the promise is settled, or now if it
// is. Either may be nil. Each reads the data from its start.
func (p *Promise) Then(fulfilled, rejected func(*Data)) {
	c := callbacks{fulfilled, rejected}
	if p.settled != nil {
		c.call(p.settled)
		return
	}
	p.then = append(p.then, c)
}

func (c callbacks) call(d *Data) {
	f := c.fulfilled
	if d.Rejected {
		f = c.rejected
	}
	if f != nil {
		own := *d
		f(&own)
	}
}

func (p *Promise) settle(d *Data) {
	p.settled = d
	for _, c := range p.then {
		c.call(d)
	}
	p.then = nil
}

// Resolver settles one promise that the vat decides, once. One without a promise,
// of a message whose sender wants no answer, does nothing.
type Resolver struct {
	ref  Ref
	done bool
}

// NewPromise returns a promise of the vat's own, to be sent to others, and the
// means to settle it.
func NewPromise() (Ref, *Resolver) {
	ref := self.newPromise()
	return ref, &Resolver{ref: ref}
}

// Wanted reports whether there is a promise to settle.
func (r *Resolver) Wanted() bool { return r.ref != "" }

// Answer fulfils the promise with a list of values; see List.
func (r *Resolver) Answer(values ...any) { r.settle(false, List(values...)) }

// AnswerRef fulfils the promise with an object: messages sent to the promise reach it.
func (r *Resolver) AnswerRef(object Ref) { r.settle(false, Reference(object)) }

// Reject rejects the promise.
func (r *Resolver) Reject(why string) { r.settle(true, List(why)) }

// Relay settles the promise as another one was, from which nothing was taken yet. It
// rejects what cannot be passed on: data that mentions a promise settled by this very
// delivery, and so retired.
func (r *Resolver) Relay(d *Data) {
	for _, ref := range d.slots {
		if _, retired := self.settling[ref]; retired {
			r.Reject("the answer mentions a settled promise")
			return
		}
	}
	r.settle(d.Rejected, d.body())
}

// AnswerWith fulfils the promise with b and, at the same stroke, settles others that
// b mentions. Without a promise it does nothing at all.
func (r *Resolver) AnswerWith(b Body, others ...Resolution) { r.settle(false, b, others...) }

func (r *Resolver) settle(rejected bool, b Body, others ...Resolution) {
	if r.done {
		panic("vat: a promise is settled twice")
	}
	r.done = true
	if r.ref != "" {
		Resolve(append([]Resolution{{r.ref, rejected, b}}, others...)...)
	}
}
