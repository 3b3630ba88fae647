package vat

// Handlers are what a program has for watchers, by name: see [Durable]. One is called
// with how the promise was settled, and what was saved when it was watched.
type Handlers map[string]func(settled, saved *Data)

// Durable says that the vat has watchers, which outlive an upgrade, and what handlers
// the program has for them. It is to be called once, from an init function. A program
// that lacks a handler for which watchers wait does not start. guest/README.md, section
// 10, has the contract.
func Durable(handlers Handlers) { self.handlers = handlers }

const (
	// kitKey begins the keys of the vatstore that are the kit's own: the last of all.
	kitKey = 0xff
	// handlerBytesMax bounds the name of a handler, in bytes.
	handlerBytesMax = 62
	// incarnationPromises is how many promises an incarnation can number.
	incarnationPromises = 1_000_000_000_000
)

func kitKeyOf[S ~string](kind byte, name S) []byte {
	return append([]byte{kitKey, kind}, name...)
}

// getNumber reads a row of one number; 0 if there is none.
func getNumber(key []byte) uint64 {
	value, ok := Get(key)
	if !ok {
		return 0
	}
	r := reader{rest: value}
	return r.head(kindUint)
}

// setNumber writes a row of one number; none for 0.
func setNumber(key []byte, n uint64) {
	if n == 0 {
		Delete(key)
		return
	}
	Set(key, appendUint(nil, n))
}

// begin begins an incarnation: its promises are numbered where none was before, and
// every handler that watchers wait for must be there.
func (v *vat) begin() {
	if v.handlers == nil {
		return
	}
	key := kitKeyOf('i', "")
	incarnation := getNumber(key) + 1
	setNumber(key, incarnation)
	v.promiseCount = incarnation * incarnationPromises
	v.open = map[string]uint64{}
	for ok, key := true, kitKeyOf('h', ""); ; {
		if key, ok = vatstore(opNext, key); !ok || key[1] != 'h' {
			return
		}
		name := string(key[2:])
		if v.handlers[name] == nil {
			Fail("watchers wait for a handler that is missing: " + name)
		}
		v.open[name] = getNumber(key)
	}
}

func (v *vat) countOpen(handler string, n uint64) {
	v.open[handler] += n
	setNumber(kitKeyOf('h', handler), v.open[handler])
}

// Watch has a handler of [Durable] called when the promise is settled, or now if this
// very delivery settles it. What is saved are values as [List] takes them; references
// among them are of others' objects, or [Root]. Watchers are called in the order in
// which they were added, before what waits by [Promise.Then].
func Watch(promise Ref, handler string, saved ...any) {
	b := List(saved...)
	for _, ref := range b.slots {
		if ref.IsPromise() || (ref != Root && ref[1] == '+') {
			panic("vat: " + string(ref) + " means nothing after an upgrade: it cannot be saved")
		}
	}
	if self.handlers[handler] == nil || len(handler) > handlerBytesMax || !promise.IsPromise() {
		panic("vat: watch " + string(promise) + ", handler " + handler)
	}
	watcher := b.append(appendText(appendArray(nil, 3), handler))
	if d, now := self.settling[promise]; now {
		self.callWatchers(d, watcher, false)
		return
	}
	key := kitKeyOf('w', promise)
	row, watched := Get(key)
	Set(key, append(row, watcher...))
	self.countOpen(handler, 1)
	if !watched {
		subscribe(promise)
	}
}

// Request sends a message and returns the promise of its answer, for [Watch].
func Request(target Ref, method string, args ...any) Ref {
	result := self.newPromise()
	send(target, method, List(args...), result)
	return result
}

// callWatchers calls the watchers of a row.
func (v *vat) callWatchers(settled *Data, row []byte, stored bool) {
	for r := (reader{rest: row}); len(r.rest) > 0; {
		r.fields(3)
		name := r.text()
		saved := r.data()
		if r.bad {
			panic("vat: a row of watchers is malformed")
		}
		if stored {
			v.countOpen(name, ^uint64(0))
		}
		own := *settled
		v.handlers[name](&own, saved)
	}
}

// fire calls the watchers of promises that are settled.
func (v *vat) fire(refs []Ref) {
	if v.handlers == nil {
		return
	}
	for _, ref := range refs {
		key := kitKeyOf('w', ref)
		if row, ok := Get(key); ok {
			Delete(key)
			v.callWatchers(v.settling[ref], row, true)
		}
	}
}

// resolved calls the watchers of what the vat settled itself.
func (v *vat) resolved(rs []Resolution) {
	if v.handlers == nil {
		return
	}
	outer := v.settling
	v.settling = make(map[Ref]*Data, len(rs))
	var refs []Ref
	for _, r := range rs {
		refs = append(refs, r.Promise)
		v.settling[r.Promise] = &Data{reader{rest: r.Body.bytes}, r.Body.slots, r.Rejected}
	}
	v.fire(refs)
	v.settling = outer
}
