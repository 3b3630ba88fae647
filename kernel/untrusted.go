package kernel

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// RowError says that a row is not one that the kernel writes, or is missing.
type RowError = vatkeeper.RowError

// CheckUntrusted checks a state that came from elsewhere, of this schema or an older one:
// that every row, by its key, is one that the kernel writes, and then all that [Check]
// does. The error is a [*RowError], or names the first of the faults. With migrate the
// rows are brought to this schema in between. After it, nothing that reads the state
// panics because of a row.
func CheckUntrusted(b vatkeeper.KV, rows iter.Seq2[string, []byte], migrate func() error) error {
	err := vatkeeper.Untrusted(func() {
		s := survey{b: b, schema: ReadSchema(b), ids: readIDs(b)}
		for key, value := range rows {
			s.row(key, value)
		}
		s.whole()
	})
	if err == nil && migrate != nil {
		err = errors.Join(vatkeeper.Untrusted(func() { err = migrate() }), err)
	}
	if err != nil {
		return err
	}
	if faults := Check(b); len(faults) > 0 {
		return fmt.Errorf("%d faults in the kernel's state, the first: %v", len(faults), faults[0])
	}
	return nil
}

// CheckRow returns why a row, of which only the key and the value are known, is none that
// the kernel writes: a [*RowError]. The schema is the one of the state that it is of.
func CheckRow(schema uint64, key string, value []byte) error {
	return vatkeeper.Untrusted(func() {
		s := survey{b: single{key, value}, schema: schema}
		s.row(key, value)
	})
}

// single is a state of one row.
type single struct {
	key   string
	value []byte
}

func (s single) Get(key string) ([]byte, bool) { return s.value, key == s.key }
func (s single) Set(string, []byte)            { panic("kernel: a single row is written") }
func (s single) Delete(string)                 { panic("kernel: a single row is deleted") }
func (s single) Next(after, end string) (string, bool) {
	return s.key, after < s.key && (end == "" || s.key < end)
}

// survey goes through rows. All its methods panic with a *RowError.
type survey struct {
	b      vatkeeper.KV
	schema uint64
	ids    ids    // zero: not known
	vats   uint64 // with options
}

// demand panics unless a row is as it must be.
func demand(ok bool, key, format string, args ...any) {
	if !ok {
		wrong(key, format, args...)
	}
}

func valid(key string, refs ...interface{ Validate() error }) {
	for _, ref := range refs {
		if err := ref.Validate(); err != nil {
			wrong(key, "%w", err)
		}
	}
}

// row checks one row.
func (s *survey) row(key string, value []byte) {
	if s.single(key, value) {
		return
	}
	first, rest, _ := strings.Cut(key, ".")
	if ref := swing.KRef(first); ref.Validate() == nil {
		s.reference(key, ref, rest, value)
		return
	}
	if vat := swing.VatID(first); vat.Validate() == nil {
		s.vat(key, vat, value)
		return
	}
	s.set(key, first, rest, value)
}

// single checks a row whose key is known whole, and reports whether it is one.
func (s *survey) single(key string, value []byte) bool {
	switch key {
	case crankKey:
		readCrank(s.b)
	case idsKey:
		n := readIDs(s.b)
		valid(key, swing.VatIDOf(n.vat), swing.KRefOf(swing.Object, n.NextObject),
			swing.KRefOf(swing.Promise, n.NextPromise))
	case setupKey:
		o := readOptions(s.b)
		for _, f := range limitFields(&o.Limits) {
			demand(*f >= 0 && *f < 1<<62, key, "a limit of %d", *f)
		}
		err := o.Schedule.check()
		demand(err == nil, key, "%w", err)
	case schemaKey:
		ReadSchema(s.b)
	case timeKey:
		readTime(s.b)
	case cleanedKey:
		readCleaned(s.b)
	case vatsKey:
		demand(readCount(s.b, key) > 0, key, "no count")
	case turnKey:
		empty(key, value)
	case "activityhash":
		demand(len(value) == swing.HashBytes, key, "%d bytes", len(value))
	case string(acceptanceQueue), string(runQueue), string(choreQueue), string(cleanupQueue):
		s.bounds(queue(key))
	default:
		return false
	}
	return true
}

func empty(key string, value []byte) {
	demand(len(value) == 0, key, "it has %d bytes", len(value))
}

func (s *survey) bounds(q queue) {
	head, tail := q.bounds(s.b)
	demand(0 < head && head <= tail && tail < 1<<62, string(q), "bounds [%d, %d)", head, tail)
}

// hex returns the number that digits of a key are.
func hex(key, digits string) uint64 {
	demand(len(digits) == len(hex16(0)), key, "%q is no number of a row", digits)
	n := parseHex(digits)
	demand(hex16(n) == digits, key, "%q is no number of a row", digits)
	return n
}

// hexVat returns the vat whose number digits of a key are.
func hexVat(key, digits string) swing.VatID {
	vat := swing.VatIDOf(hex(key, digits))
	valid(key, vat)
	return vat
}

// set checks a row of the kernel's queues and sets.
func (s *survey) set(key, set, rest string, value []byte) {
	switch set {
	case string(acceptanceQueue), string(runQueue):
		s.event(key, rest, value)
	case string(choreQueue):
		hex(key, rest)
		valid(key, swing.VatID(value))
	case string(cleanupQueue):
		hex(key, rest)
		at := readSwept(value)
		valid(key, at.vat)
		known := at.after == "" || strings.HasPrefix(at.after, ".r.") ||
			strings.HasPrefix(at.after, ".v.")
		demand(known, key, "a place %q", at.after)
	case "pin":
		valid(key, swing.KRef(rest))
		demand(readCount(s.b, key) > 0, key, "no count")
	case "name":
		valid(key, swing.VatID(value))
	case "program":
		name, named := strings.CutPrefix(rest, "name.")
		_, err := swing.ParseHash(rest)
		demand(named && name != "" && len(value) == swing.HashBytes ||
			err == nil && len(value) == 0, key, "no program")
	case "device":
		s.device(key, rest, value)
	case "gc":
		s.action(key, rest, value)
	case "reap":
		hexVat(key, rest)
		empty(key, value)
	case "chore":
		vat := hexVat(key, rest)
		demand(len(value) == 0 || strings.HasPrefix(string(value), actionsKey(vat)), key,
			"a place %q", value)
	case "ended":
		demand(s.schema == 1, key, "unknown")
		hexVat(key, rest)
	default:
		wrong(key, "unknown")
	}
}

func (s *survey) device(key, rest string, value []byte) {
	name, part, stateful := strings.Cut(rest, ".")
	demand(name != "", key, "no name")
	switch ref, holds := strings.CutPrefix(part, "r."); {
	case !stateful:
		valid(key, swing.KRef(value))
	case holds:
		valid(key, swing.KRef(ref))
		demand(readCount(s.b, key) > 0, key, "no count")
	default: // state, of which only the device knows what it is
		demand(strings.HasPrefix(part, "v."), key, "unknown")
	}
}

func (s *survey) action(key, rest string, value []byte) {
	fields := strings.Split(rest, ".")
	demand(len(fields) == 3 && len(fields[1]) == 1, key, "no GC action")
	hexVat(key, fields[0])
	a := action{ref: swing.KRefOf(swing.Object, hex(key, fields[2]))}
	a.kind = swing.DeliveryKind(fields[1][0] - '0')
	demand(a.kind.GC(), key, "a GC action of kind %d", a.kind)
	valid(key, a.ref)
	empty(key, value)
}

// event checks a row of a queue of events.
func (s *survey) event(key, digits string, value []byte) {
	hex(key, digits)
	if s.schema == 1 && sendOf1(value) {
		return // its migration reads it
	}
	ev := decodeEvent(value)
	ev.refs(func(ref swing.KRef) { valid(key, ref) })
	if ev.kind != eventSend {
		valid(key, ev.vat)
	}
	if ev.sender != "" {
		valid(key, ev.sender)
	}
	if r := ev.message.Result; r != "" {
		demand(r.Kind() == swing.Promise, key, "%s is no promise", r)
	}
	if ev.kind == eventNotify {
		demand(ev.target.Kind() == swing.Promise, key, "%s is no promise", ev.target)
	}
}

// sendOf1 reports whether a row is a message as schema 1 has them.
func sendOf1(value []byte) bool {
	r := swing.NewReader(value)
	return r.Array() == 6 && eventKind(r.Uint()) == eventSend && r.Err() == nil
}
