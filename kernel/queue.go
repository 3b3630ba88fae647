package kernel

import (
	"fmt"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// queue is the key of a queue's [head, tail] row; its event rows follow it.
type queue string

// The two queues of the kernel. A promise, a held vat, and a vat that has caused more
// events than its share have one each, too.
const (
	acceptanceQueue queue = "acceptance"
	runQueue        queue = "run"
)

func promiseQueue(promise swing.KRef) queue { return queue(promise + ".q") }
func holdQueue(vat swing.VatID) queue       { return queue(vat + ".h") }

// firstRow leaves room in front, so that what was held back can return to the
// head of the run-queue.
const firstRow = 1 << 40

func (q queue) bounds(b vatkeeper.KV) (head, tail uint64) {
	v, ok := b.Get(string(q))
	if !ok {
		return firstRow, firstRow
	}
	r := swing.NewReader(v)
	r.Fields(2)
	head, tail = r.Uint(), r.Uint()
	done(r, string(q))
	return head, tail
}

// length returns how many events wait in q.
func (q queue) length(b vatkeeper.KV) uint64 {
	head, tail := q.bounds(b)
	return tail - head
}

func (q queue) setBounds(b vatkeeper.KV, head, tail uint64) { b.Set(string(q), uints(head, tail)) }

func (q queue) rowKey(n uint64) string {
	key := make([]byte, 0, len(q)+1+16)
	return string(appendHex16(append(append(key, q...), '.'), n))
}

func (q queue) push(b vatkeeper.KV, ev []byte) {
	head, tail := q.bounds(b)
	b.Set(q.rowKey(tail), ev)
	q.setBounds(b, head, tail+1)
}

// pushFront puts ev ahead of everything in q.
func (q queue) pushFront(b vatkeeper.KV, ev []byte) {
	head, tail := q.bounds(b)
	b.Set(q.rowKey(head-1), ev)
	q.setBounds(b, head-1, tail)
}

func (q queue) pop(b vatkeeper.KV) (ev []byte, ok bool) {
	head, tail := q.bounds(b)
	if head == tail {
		return nil, false
	}
	return q.remove(b, head, tail, head), true
}

// remove takes row n out of q, whose bounds are head and tail. Those ahead of it move up.
func (q queue) remove(b vatkeeper.KV, head, tail, n uint64) []byte {
	ev := q.at(b, n)
	for ; n > head; n-- {
		b.Set(q.rowKey(n), q.at(b, n-1))
	}
	b.Delete(q.rowKey(head))
	q.setBounds(b, head+1, tail)
	return ev
}

func (q queue) at(b vatkeeper.KV, n uint64) []byte {
	ev, ok := b.Get(q.rowKey(n))
	if !ok {
		wrong(q.rowKey(n), "no such row")
	}
	return ev
}

// drain empties q and returns what was in it, in order.
func (q queue) drain(b vatkeeper.KV) (evs [][]byte) {
	head, tail := q.bounds(b)
	for n := head; n < tail; n++ {
		evs = append(evs, q.at(b, n))
		b.Delete(q.rowKey(n))
	}
	b.Delete(string(q))
	return evs
}

// eventKind says what a queued event asks for. Its number is in every row.
type eventKind uint64

const (
	eventSend   eventKind = 1 // target, message, sender
	eventNotify eventKind = 2 // vat, target (the promise)
	eventStart  eventKind = 3 // vat, params
	// vat, code, text (what those are told who wait for the old incarnation), params,
	// message.Result
	eventUpgrade eventKind = 4
	eventReap    eventKind = 5 // vat

	// This is made when its turn comes, and is never queued.
	eventCollect eventKind = 101 // vat, gc, gcRefs
)

// event is one row of a queue. Only the fields its kind names are set.
type event struct {
	kind    eventKind
	vat     swing.VatID
	target  swing.KRef
	message swing.Message[swing.KRef]
	sender  swing.VatID // "" is the embedder or a device
	params  swing.CapData[swing.KRef]
	code    swing.Hash
	text    string
	gc      swing.DeliveryKind
	gcRefs  []swing.KRef // they hold nothing
}

func (ev event) encode() []byte {
	head := func(n int) []byte {
		return swing.AppendUint(swing.AppendArray(nil, n), uint64(ev.kind))
	}
	switch ev.kind {
	case eventSend:
		return appendVat(swing.AppendMessage(head(7), ev.target, ev.message), ev.sender)
	case eventNotify:
		return swing.AppendText(swing.AppendText(head(3), ev.vat), ev.target)
	case eventStart:
		return swing.AppendCapData(swing.AppendText(head(4), ev.vat), ev.params)
	case eventUpgrade:
		b := swing.AppendHash(swing.AppendText(head(7), ev.vat), ev.code)
		b = swing.AppendText(swing.AppendText(b, ev.text), ev.message.Result)
		return swing.AppendCapData(b, ev.params)
	case eventReap:
		return swing.AppendText(head(2), ev.vat)
	}
	panic(fmt.Sprintf("kernel: event kind %d", ev.kind))
}

func decodeEvent(b []byte) (ev event) {
	r := swing.NewReader(b)
	fields := r.Array()
	ev.kind = eventKind(r.Uint())
	switch {
	case ev.kind == eventSend && fields == 7:
		ev.target, ev.message = swing.ReadMessage[swing.KRef](r)
		ev.sender = readVat(r)
	case ev.kind == eventNotify && fields == 3:
		ev.vat, ev.target = swing.VatID(r.Text()), swing.KRef(r.Text())
	case ev.kind == eventStart && fields == 4:
		ev.vat, ev.params = swing.VatID(r.Text()), swing.ReadCapData[swing.KRef](r)
	case ev.kind == eventUpgrade && fields == 7:
		ev.vat, ev.code, ev.text = swing.VatID(r.Text()), r.Hash(), r.Text()
		ev.message.Result = swing.KRef(r.Text())
		ev.params = swing.ReadCapData[swing.KRef](r)
	case ev.kind == eventReap && fields == 2:
		ev.vat = swing.VatID(r.Text())
	default:
		r.Fail(fmt.Errorf("event kind %d of %d fields", ev.kind, fields))
	}
	done(r, "event")
	return ev
}

// refs calls f for every reference that the queued event holds.
func (ev event) refs(f func(swing.KRef)) {
	if ev.target != "" {
		f(ev.target)
	}
	if ev.message.Result != "" {
		f(ev.message.Result)
	}
	for _, s := range ev.message.Args.Slots {
		f(s)
	}
	for _, s := range ev.params.Slots {
		f(s)
	}
}

// enqueue puts a new event into the acceptance queue, which holds its references.
func (c *crank) enqueue(ev event) {
	ev.refs(func(ref swing.KRef) { c.count(ref, 1) })
	acceptanceQueue.push(c.b, ev.encode())
}

// drop lets go of an event that has left the queues.
func (c *crank) drop(ev event) {
	ev.refs(func(ref swing.KRef) { c.count(ref, -1) })
}

// next takes the first event off the queue.
func (q queue) next(b vatkeeper.KV) (ev event, ok bool) {
	row, ok := q.pop(b)
	if !ok {
		return event{}, false
	}
	return decodeEvent(row), true
}
