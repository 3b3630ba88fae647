package kernel

import (
	"strings"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// SchemaVersion is the version of the rows that this package and vatkeeper write,
// kept in the row "schema". It grows when older rows would be misread.
const SchemaVersion = 3

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

// setupFields are the fields of the row of the options.
const setupFields = 22

// setupKinds are what the row of the options had in earlier schemas: of its fields so many
// limits, and so many settings. Those that were added since come last.
var setupKinds = map[int]struct{ limits, settings int }{15: {10, 4}, 17: {10, 6}}

// DecodeOptions reads the row of the options, from a state that is not trusted yet. What
// an older schema lacks has its default.
func DecodeOptions(value []byte) (o Options, err error) {
	o.Limits = swing.DefaultLimits()
	limits, settings := limitFields(&o.Limits), o.Settings()
	r := swing.NewReader(value)
	if kind, old := setupKinds[r.Array()]; old {
		limits, settings = limits[:kind.limits], settings[:kind.settings]
	} else {
		r = swing.NewReader(value)
		r.Fields(setupFields)
	}
	o.Seed = r.Text()
	for _, f := range limits {
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

// Migrate2 brings rows of schema 2 to schema 3: there are limits of fuel and depth, and
// vats are reaped for the fuel they used; vats and what is in their vatstores are counted.
func Migrate2(b Buffer) error {
	o := readOptions(b)
	o.write(b)
	for vat := range AllVats(b) {
		vk := vatkeeper.New(vat, b)
		vk.MigrateDirt(o.ReapFuel)
		if vk.Alive() {
			vk.MigrateStore()
			addCount(b, vatsKey, 1)
		}
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
