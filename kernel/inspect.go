package kernel

import (
	"fmt"
	"iter"
	"slices"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// Object is what the kernel knows of an object.
type Object struct {
	Ref                     swing.KRef
	Owner                   swing.VatID // "kernel" is the kernel's; "" is none: an orphan
	Reachable, Recognizable int
	Pins                    int // how many times the embedder holds it
}

// LookupObject returns an object, and whether there is one of that name.
func LookupObject(b vatkeeper.KV, ref swing.KRef) (Object, bool) {
	if ref.Validate() != nil || ref.Kind() != swing.Object || !exists(b, ref) {
		return Object{}, false
	}
	o := readObject(b, ref)
	return Object{ref, o.owner, o.reachable, o.recognizable, pins(b, ref)}, true
}

// Import is one c-list's entry for an object of another vat.
type Import struct {
	Vat       swing.VatID
	VRef      swing.VRef
	Reachable bool // the vat has not dropped it
}

// Importers returns the vats whose c-lists import an object, in the order of their
// ids' spelling, at most so many.
func Importers(b vatkeeper.KV, o Object, most int) (all []Import) {
	for vat := range importers(b, o.Ref) {
		if len(all) >= most {
			break
		}
		if e, ok := vatkeeper.New(vat, b).ByKRef(o.Ref); ok {
			all = append(all, Import{vat, e.VRef, e.Reachable})
		}
	}
	return all
}

// References yields all objects or all promises, in the order of their spelling.
// It reads keys only.
func References(b vatkeeper.KV, kind swing.RefKind) iter.Seq[swing.KRef] {
	return func(yield func(swing.KRef) bool) {
		prefix := "k" + string(rune(kind))
		end := prefix + ":" // ":" follows the digits
		for key, ok := b.Next(prefix, end); ok; key, ok = b.Next(key, end) {
			ref := swing.KRef(key)
			if ref.Validate() != nil {
				continue
			}
			if !yield(ref) {
				return
			}
			key += "/" // "/" follows ".": past the rows of its queue, which may be long
		}
	}
}

// Least returns the references that come first, objects before promises and by
// number, at most so many, and how many more there are.
func Least(refs iter.Seq[swing.KRef], most int) (first []swing.KRef, more int) {
	for ref := range refs {
		at, _ := slices.BinarySearchFunc(first, ref, compareRefs)
		if len(first) < most {
			first = slices.Insert(first, at, ref)
			continue
		}
		more++
		if at < len(first) {
			copy(first[at+1:], first[at:])
			first[at] = ref
		}
	}
	return first, more
}

// compareRefs orders references: objects before promises, ko20 before ko100.
func compareRefs(a, b swing.KRef) int {
	if a.Kind() != b.Kind() {
		return int(a.Kind()) - int(b.Kind())
	}
	switch {
	case a.Number() < b.Number():
		return -1
	case a.Number() > b.Number():
		return 1
	}
	return 0
}

// Event is an event in a queue or a set. Only the fields that its kind has are set.
type Event struct {
	// Kind is "send", "notify", "startVat", "upgrade", "reap", "cleanup", or of a GC action
	// "dropExports", "retireExports", "retireImports".
	Kind   string
	Vat    swing.VatID // whom it is for: of a send, who owns the target, if anyone does
	Sender swing.VatID // of a send; "" is the embedder, a device or the kernel
	Target swing.KRef  // of a send; the promise of a notify, the object of a GC action
	Method string
	Data   swing.CapData[swing.KRef] // arguments or parameters
	Result swing.KRef
}

// public returns the event as those see it who look into a queue.
func (ev event) public(b vatkeeper.KV) Event {
	out := Event{
		Vat: ev.vat, Target: ev.target, Method: ev.message.Method,
		Data: ev.message.Args, Result: ev.message.Result,
	}
	switch ev.kind {
	case eventSend:
		out.Kind, out.Sender = "send", ev.sender
		if o, ok := LookupObject(b, ev.target); ok {
			out.Vat = o.Owner
		}
	case eventNotify:
		out.Kind = "notify"
	case eventStart:
		out.Kind, out.Data = "startVat", ev.params
	case eventUpgrade:
		out.Kind, out.Data = "upgrade", ev.params
	case eventReap:
		out.Kind = "reap"
	default:
		panic(fmt.Sprintf("kernel: an event of kind %d in a queue", ev.kind))
	}
	return out
}

// Queue is one of the kernel's queues or sets of what is to be done, and the events at
// its head.
type Queue struct {
	Name   string      // "acceptance", "gc", "reap", "run", "cleanup", "outbox" or "held"
	Vat    swing.VatID // of an outbox, and of what is held back for a vat
	Length uint64      // all events in it
	Events []Event     // the first of them, in order
}

// Queues returns the acceptance queue, the sets of GC actions and of reaps, the run-queue,
// the vats to be cleaned up, and the outboxes and what is held back, in the order of the
// vats' ids. It reads at most so many events in all, and every key of the sets.
func Queues(b vatkeeper.KV, most int) (all []Queue) {
	add := func(name string, vat swing.VatID, q queue) {
		listed := Queue{Name: name, Vat: vat}
		head, tail := q.bounds(b)
		listed.Length = tail - head
		for ; head < tail && most > 0; head++ {
			listed.Events = append(listed.Events, decodeEvent(q.at(b, head)).public(b))
			most--
		}
		all = append(all, listed)
	}
	set := func(name, prefix string, decode func(key string) Event) {
		listed := Queue{Name: name}
		for key := range keys(b, prefix) {
			if listed.Length++; most > 0 {
				listed.Events = append(listed.Events, decode(key))
				most--
			}
		}
		all = append(all, listed)
	}
	add("acceptance", "", acceptanceQueue)
	set("gc", actionsPrefix, func(key string) Event {
		a := readAction(key)
		return Event{Kind: a.kind.String(), Vat: a.vat, Target: a.ref}
	})
	set("reap", reapsPrefix, func(key string) Event {
		return Event{Kind: "reap", Vat: swing.VatIDOf(parseHex(key[len(reapsPrefix):]))}
	})
	add("run", "", runQueue)
	set("cleanup", string(cleanupQueue)+".", func(key string) Event {
		v, _ := b.Get(key)
		return Event{Kind: "cleanup", Vat: readSwept(v).vat}
	})
	for vat := range AllVats(b) {
		if has(b, string(outbox(vat))) {
			add("outbox", vat, outbox(vat))
		}
		if held(b, vat) {
			add("held", vat, holdQueue(vat))
		}
	}
	return all
}
