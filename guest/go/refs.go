package vat

// The numbers of the syscalls about references, and of calls of devices.
const (
	opCall           = 5
	opDropImports    = 6
	opRetireImports  = 7
	opRetireExports  = 8
	opAbandonExports = 9
)

// Call asks a device, an object that the embedder gives out, and returns its answer at
// once. Objects may be among the arguments, promises may not. A Rejected answer says what
// went wrong.
func Call(device Ref, method string, args ...any) *Data {
	b := appendText(appendText(appendArray(nil, 4), device), method)
	r := reader{rest: syscall(opCall, List(args...).append(b))}
	r.fields(3)
	failed := r.bool()
	d := r.data()
	d.Rejected = failed
	mustBeDone(&r)
	return d
}

// DropImports says that the vat holds these objects of others no more: it can still
// tell them from others, but must not mention them.
func DropImports(refs ...Ref) { aboutRefs(opDropImports, refs) }

// RetireImports says that the vat has forgotten these objects, which it has dropped.
func RetireImports(refs ...Ref) { aboutRefs(opRetireImports, refs) }

// RetireExports says that the vat has forgotten these objects of its own, of which it
// was told that nobody holds them: see [Collector].
func RetireExports(refs ...Ref) { disown(opRetireExports, refs) }

// AbandonExports says that the vat answers for these objects of its own no more,
// whoever holds them: messages to them are rejected.
func AbandonExports(refs ...Ref) { disown(opAbandonExports, refs) }

func disown(op uint32, exports []Ref) {
	for _, ref := range exports {
		delete(self.objects, ref)
	}
	aboutRefs(op, exports)
}

func aboutRefs(op uint32, refs []Ref) {
	b := appendArray(nil, len(refs))
	for _, ref := range refs {
		b = appendText(b, ref)
	}
	syscall(op, b)
}

// Collector is told what others have let go of. A program sets what it wants to know
// with [Collect], before it serves.
type Collector struct {
	// Dropped: nobody holds these objects of the vat's. Some may still recognize them.
	Dropped func(exports []Ref)
	// Retired: nobody even recognizes these objects of the vat's, or, of others'
	// objects that it had dropped, these are gone. Their references mean nothing any more.
	Retired func(refs []Ref)
	// Reap: a moment to call DropImports and RetireImports.
	Reap func()
}

var collector Collector

// Collect sets what is called when others let go of objects.
func Collect(c Collector) { collector = c }

// collected does a delivery about references.
func (v *vat) collected(kind uint64, r *reader) {
	var refs []Ref
	for n := r.count(); n > 0 && !r.bad; n-- {
		refs = append(refs, r.ref())
	}
	mustBeDone(r)
	tell := collector.Retired
	switch kind {
	case deliverDropExports:
		tell = collector.Dropped
	case deliverRetireExports:
		for _, ref := range refs {
			delete(v.objects, ref)
		}
	}
	if tell != nil {
		tell(refs)
	}
}
