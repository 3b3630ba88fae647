package guest_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

var timers = map[string]kernel.Device{"timer": devices.Timer{}}

// newLocker makes a locker with a timer, which is reaped after so many deliveries.
func newLocker(l *lives, reap uint64) (swing.VatID, kref) {
	l.Helper()
	timer, err := l.h.AddDevice(context.Background(), "timer")
	l.must(err)
	args := list[kref](timer)
	id, root, err := l.h.CreateVat(context.Background(), host.VatSpec{
		Code: l.install("locker"), Body: args.Body, Slots: args.Slots, ReapDeliveries: reap,
	})
	l.must(err)
	return id, root
}

// setTime sets the time, in nanoseconds since that of a new directory.
func (l *lives) setTime(t uint64) {
	l.Helper()
	const begin = 946_684_800_000_000_000 // 2000-01-01
	l.must(l.step().SetTime(context.Background(), begin+t))
	l.run()
}

// reference asks for an object, which is held by nobody but who the answer is held by:
// whoever releases the promise lets go of it.
func (l *lives) reference(target kref, method string, args ...any) (object, promise kref) {
	l.Helper()
	promise = l.ask(target, method, args...)
	p, err := l.h.Promise(promise)
	l.must(err)
	object, ok := p.Data.Reference()
	if !ok {
		l.Fatalf("%s: %s answered %s, want a reference", l.style, method, l.outcome(promise))
	}
	return object, promise
}

func (l *lives) release(refs ...kref) {
	l.Helper()
	h := l.step()
	for _, ref := range refs {
		l.must(h.Release(context.Background(), ref))
	}
	l.run()
}

// holders returns whether an object is reachable, and whether anybody recognizes it.
func (l *lives) holders(object kref) string {
	l.Helper()
	o, err := l.h.Object(object, 10)
	if err != nil {
		return "gone"
	}
	if o.Reachable > 0 {
		return "reachable"
	}
	return "recognizable"
}

// TestLocker: an object is kept until its time has come, or its ticket is let go of;
// then it is dropped, recognized if it comes again, and in the end forgotten. Whatever
// else comes with a message is let go of at once.
func TestLocker(t *testing.T) {
	inEveryLife(t, timers, func(l *lives) {
		_, locker := newLocker(l, 9)
		_, maker := l.vat("sampler")
		l.setTime(1000)
		first, ofFirst := l.reference(maker, "make")
		second, ofSecond := l.reference(maker, "make")
		ticket, ofTicket := l.reference(locker, "keep", first, 50)
		other, ofOther := l.reference(locker, "keep", second, 70)
		l.release(ofSecond)
		l.expect(`rejected: ["it has an entry"]`, locker, "keep", first, 5)
		l.expect("="+string(first), ticket, "show")
		l.setTime(1049)
		l.expect("[2 0 0]", locker, "read")
		l.setTime(1050)
		l.expect("[2 1 0]", locker, "read")
		l.expect(`rejected: ["expired"]`, ticket, "show")
		l.expect("="+string(second), other, "show")
		l.release(ofOther) // before its time: nobody has the second object any more
		l.expect("[1 1 1]", locker, "read")
		l.setTime(2000)
		l.expect("[1 1 1]", locker, "read")
		l.release(ofTicket)
		stranger, ofStranger := l.reference(maker, "make")
		l.expect(`rejected: ["no such method"]`, locker, "look", stranger, stranger, first)
		l.expect(`rejected: ["want keep(object, duration)"]`, locker, "keep", stranger)
		l.release(ofStranger, ofFirst)
		for range 9 { // until it is reaped
			l.answer(locker, "read")
		}
		l.expect("[0 1 1]", locker, "read")
		for what, object := range map[string]kref{
			"first": first, "second": second, "stranger": stranger,
		} {
			if got := l.holders(object); got != "gone" {
				l.Errorf("%s: the %s object is %s", l.style, what, got)
			}
		}
	})
}

// TestLockerForgets: it recognizes what it dropped until it is reaped, or until it is
// told that the object is gone; at most eight at a time.
func TestLockerForgets(t *testing.T) {
	inEveryLife(t, timers, func(l *lives) {
		id, locker := newLocker(l, 1000)
		maker, root := l.vat("sampler")
		var objects, held []kref
		for range 8 {
			object, ofObject := l.reference(root, "make")
			_, ofTicket := l.reference(locker, "keep", object, 10)
			objects, held = append(objects, object), append(held, ofObject, ofTicket)
		}
		ninth, _ := l.reference(root, "make")
		l.expect(`rejected: ["the locker is full"]`, locker, "keep", ninth, 10)
		l.setTime(10)
		l.expect("[8 8 0]", locker, "read")
		l.expect(`rejected: ["it has an entry"]`, locker, "keep", objects[3], 10)
		l.must(l.step().Terminate(context.Background(), maker, "enough"))
		l.run()
		l.release(held...)
		l.expect("[0 8 0]", locker, "read")
		if v, err := l.h.Vat(string(id)); err != nil || !v.Alive {
			l.Fatalf("%s: the locker has ended: %+v, %v", l.style, v.End, err)
		}
	})
}

// TestLockerAtRandom: whatever is kept, shown, let go of and expires, in whatever order,
// the locker lives, alike in both languages, and holds nothing when all have let go.
func TestLockerAtRandom(t *testing.T) {
	const seed = 4
	inEveryLife(t, timers, func(l *lives) {
		rng := rand.New(rand.NewPCG(seed, 1))
		_, locker := newLocker(l, 9)
		held := map[kref]kref{}    // objects, and the promises they are held by
		tickets := map[kref]kref{} // the same
		var objects []kref
		for range 2 {
			_, maker := l.vat("sampler")
			for range 12 {
				object, promise := l.reference(maker, "make")
				held[object], objects = promise, append(objects, object)
			}
		}
		for now := range uint64(50) {
			anObject, aTicket := pick(rng, held, locker), pick(rng, tickets, locker)
			switch rng.IntN(6) {
			case 0, 1:
				answer := l.ask(locker, "keep", anObject, 1+rng.IntN(20))
				if p, err := l.h.Promise(answer); err == nil && p.State == kernel.Fulfilled {
					tickets[p.Data.Slots[0]] = answer
				}
			case 2:
				if rng.IntN(2) == 0 { // nobody wants a ticket
					keep := list[kref](anObject, 1+rng.IntN(20))
					l.must(l.step().SendOnly(context.Background(), locker,
						host.Message{Method: "keep", Body: keep.Body, Slots: keep.Slots}))
					l.run()
					continue
				}
				l.answer(locker, []string{"look", "keep"}[rng.IntN(2)], anObject, anObject)
			case 3:
				l.answer(aTicket, "show", anObject)
			case 4:
				l.letGo(held, anObject)
			case 5:
				l.letGo(tickets, aTicket)
			}
			if now%3 == 0 {
				l.setTime(now)
			}
		}
		for len(held)+len(tickets) > 0 {
			l.letGo(held, pick(rng, held, locker))
			l.letGo(tickets, pick(rng, tickets, locker))
		}
		l.setTime(1000)
		for _, object := range objects {
			if got := l.holders(object); got == "reachable" {
				l.Errorf("%s, seed %d: %s is %s", l.style, seed, object, got)
			}
		}
		if got := l.answer(locker, "read"); strings.Contains(got, "rejected") || got == "[0 0 0]" {
			l.Errorf("%s, seed %d: the locker answers %s", l.style, seed, got)
		}
	})
}

// pick draws one of some references, or returns another if there are none.
func pick(rng *rand.Rand, refs map[kref]kref, other kref) kref {
	if len(refs) == 0 {
		return other
	}
	return slices.Sorted(maps.Keys(refs))[rng.IntN(len(refs))]
}

func (l *lives) letGo(held map[kref]kref, ref kref) {
	l.Helper()
	if promise, ok := held[ref]; ok {
		l.release(promise)
		delete(held, ref)
	}
}
