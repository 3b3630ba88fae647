package kernel

import (
	"strings"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// SchemaVersion is the version of the rows that this package and vatkeeper write,
// kept in the row "schema". It grows when older rows would be misread.
const SchemaVersion = 2

const schemaKey = "schema"

// ReadSchema returns the version of the state's rows: 0 if it has no row of it.
func ReadSchema(b vatkeeper.KV) uint64 {
	if _, ok := b.Get(schemaKey); !ok {
		return 0
	}
	r := row(b, schemaKey)
	version := r.Uint()
	done(r, schemaKey)
	return version
}

// SetSchema records the version of the state's rows. It becomes part of the crank or
// input that is sealed next.
func SetSchema(b vatkeeper.KV, version uint64) {
	b.Set(schemaKey, swing.AppendUint(nil, version))
}

// SetupKey is the key of the row that has the options the state was made with.
const SetupKey = setupKey

// The fields of the row of the options, and what there were in schema 1.
const (
	setupFields  = 17
	setupFields1 = 15
)

// DecodeOptions reads the row of the options, from a state that is not trusted yet. What
// an older schema lacks has its default.
func DecodeOptions(value []byte) (o Options, err error) {
	r := swing.NewReader(value)
	settings := o.Settings()
	if r.Array() == setupFields1 {
		settings = settings[:len(settings)-setupFields+setupFields1]
	} else {
		r = swing.NewReader(value)
		r.Fields(setupFields)
	}
	o.Seed = r.Text()
	o.Limits = swing.DefaultLimits()
	for _, f := range limitFields(&o.Limits) {
		*f = int(r.Uint())
	}
	for _, n := range settings {
		*n.Value = r.Uint()
	}
	o.Schedule = o.Schedule.withDefaults()
	return o, r.Done()
}

// Migrate1 brings rows of schema 1 to schema 2: subscribers have rows of their own, a
// message knows its sender, and chores and ended vats are in queues. What waits already is
// in no vat's account.
func Migrate1(b Buffer) error {
	readOptions(b).write(b)
	for key := range keys(b, "kp") {
		if swing.KRef(key).Validate() == nil {
			migratePromise1(b, key)
		}
	}
	queues := []queue{acceptanceQueue, runQueue}
	for key := range keys(b, "kp") {
		if strings.HasSuffix(key, ".q") {
			queues = append(queues, queue(key))
		}
	}
	for vat := range AllVats(b) {
		queues = append(queues, holdQueue(vat))
	}
	for _, q := range queues {
		for head, tail := q.bounds(b); head < tail; head++ {
			migrateEvent1(b, q.rowKey(head))
		}
	}
	c := &crank{b: b}
	for _, prefix := range []string{actionsPrefix, reapsPrefix} {
		for key := range keys(b, prefix) {
			const digits = 16
			c.due(swing.VatIDOf(parseHex(key[len(prefix):len(prefix)+digits])), "")
		}
	}
	c.queueDues()
	const ended = "ended."
	for key := range keys(b, ended) {
		after, _ := b.Get(key)
		b.Delete(key)
		vat := swing.VatIDOf(parseHex(key[len(ended):]))
		cleanupQueue.push(b, swept{vat, string(after)}.encode())
	}
	return nil
}

// migratePromise1 rewrites [0, count, decider, [subscriber …]].
func migratePromise1(b Buffer, key string) {
	r := row(b, key)
	r.Fields(4)
	p := promise{state: PromiseState(r.Uint()), count: int(r.Uint())}
	if p.state != Unresolved {
		return
	}
	p.decider = readVat(r)
	for n := r.Array(); n > 0; n-- {
		vat := swing.VatID(r.Text())
		if p.first == "" {
			p.first = vat
		} else {
			b.Set(subscriberKey(swing.KRef(key), p.last), []byte(vat))
		}
		p.last = vat
	}
	done(r, key)
	p.write(b, swing.KRef(key))
}

// migrateEvent1 rewrites [1, target, method, body, slots, result].
func migrateEvent1(b Buffer, key string) {
	r := row(b, key)
	r.Array()
	if eventKind(r.Uint()) != eventSend {
		return
	}
	ev := event{kind: eventSend}
	ev.target, ev.message = swing.ReadMessage[swing.KRef](r)
	done(r, key)
	b.Set(key, ev.encode())
}
