package kernel

import (
	"fmt"
	"iter"
	"strconv"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// The keys of single rows; package documentation lists all.
const (
	crankKey = "crank"
	idsKey   = "ids"
	setupKey = "setup"
	timeKey  = "time"
	vatsKey  = "vats"
)

// The first ids, as in SwingSet: a kref is never taken for a vref's number.
const (
	firstVat     = 1
	firstObject  = 20
	firstPromise = 40
)

// firstTime is the block time until the embedder sets one: 2000-01-01 UTC. A
// clock of zero makes Go programs fail as they start.
const firstTime = 946684800 * 1_000_000_000

// row returns a reader of a row, which fails if there is no such row.
func row(b vatkeeper.KV, key string) *swing.Reader {
	v, ok := b.Get(key)
	r := swing.NewReader(v)
	if !ok {
		r.Fail(fmt.Errorf("no such row"))
	}
	return r
}

// done panics unless the row was read whole.
func done(r *swing.Reader, key string) { vatkeeper.RowDone(r, key) }

// wrong panics because of a row that is none of ours.
func wrong(key, format string, args ...any) {
	panic(&RowError{Key: key, Err: fmt.Errorf(format, args...)})
}

// keys yields the keys with a prefix, in order. The row of the latest may be deleted.
func keys(b vatkeeper.KV, prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		end := endOf(prefix)
		for key, ok := b.Next(prefix, end); ok; key, ok = b.Next(key, end) {
			if !yield(key) {
				return
			}
		}
	}
}

// has reports whether there is such a row.
func has(b vatkeeper.KV, key string) bool {
	_, ok := b.Get(key)
	return ok
}

// endOf returns the end of the keys with a prefix.
func endOf(prefix string) string {
	last := len(prefix) - 1
	return prefix[:last] + string(prefix[last]+1)
}

// readCount returns the number in a counter's row: 0 if there is none.
func readCount(b vatkeeper.KV, key string) int {
	v, ok := b.Get(key)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(string(v))
	if err != nil || n < 1 {
		wrong(key, "%q is no count", v)
	}
	return n
}

// addCount adds to the number in a counter's row. At 0 the row goes.
func addCount(b vatkeeper.KV, key string, more int) {
	switch n := readCount(b, key) + more; {
	case n < 0:
		panic(fmt.Sprintf("kernel: row %s would be %d", key, n))
	case n == 0:
		b.Delete(key)
	default:
		b.Set(key, strconv.AppendInt(nil, int64(n), 10))
	}
}

func uints(values ...uint64) []byte {
	b := swing.AppendArray(make([]byte, 0, 1+9*len(values)), len(values))
	for _, v := range values {
		b = swing.AppendUint(b, v)
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendHex16 appends a number in 16 hex digits, which sort as the numbers do.
func appendHex16(b []byte, n uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[n>>shift&15])
	}
	return b
}

func hex16(n uint64) string { return string(appendHex16(make([]byte, 0, 16), n)) }

// parseHex reads what hex16 wrote.
func parseHex(digits string) uint64 {
	n, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		wrong(digits, "a number in a key: %w", err)
	}
	return n
}

// appendVat appends a vat's id, or null for "".
func appendVat(b []byte, vat swing.VatID) []byte {
	if vat == "" {
		return swing.AppendNull(b)
	}
	return swing.AppendText(b, vat)
}

func readVat(r *swing.Reader) swing.VatID {
	if r.Null() {
		return ""
	}
	return swing.VatID(r.Text())
}

func readCrank(b vatkeeper.KV) (cranks, deliveries uint64) {
	r := row(b, crankKey)
	r.Fields(2)
	cranks, deliveries = r.Uint(), r.Uint()
	done(r, crankKey)
	return cranks, deliveries
}

func writeCrank(b vatkeeper.KV, cranks, deliveries uint64) {
	b.Set(crankKey, uints(cranks, deliveries))
}

// ids are the next numbers to give out.
type ids struct {
	vat uint64
	vatkeeper.Allocation
}

func readIDs(b vatkeeper.KV) (n ids) {
	r := row(b, idsKey)
	r.Fields(3)
	n.vat, n.NextObject, n.NextPromise = r.Uint(), r.Uint(), r.Uint()
	done(r, idsKey)
	return n
}

func (n ids) write(b vatkeeper.KV) { b.Set(idsKey, uints(n.vat, n.NextObject, n.NextPromise)) }

func limitFields(l *swing.Limits) []*int {
	return []*int{
		&l.BodyBytes, &l.Slots, &l.MethodBytes, &l.KeyBytes, &l.ValueBytes,
		&l.Syscalls, &l.SyscallBytes, &l.Resolutions, &l.LogBytes, &l.MemoryBytes,
		&l.Fuel, &l.Depth, &l.StoreBytes, &l.Vats,
	}
}

func readOptions(b vatkeeper.KV) Options {
	v, _ := b.Get(setupKey)
	o, err := DecodeOptions(v)
	if err != nil {
		wrong(setupKey, "%w", err)
	}
	return o
}

func (o Options) write(b vatkeeper.KV) {
	fields := limitFields(&o.Limits)
	v := swing.AppendText(swing.AppendArray(nil, setupFields), o.Seed)
	for _, f := range fields {
		v = swing.AppendUint(v, uint64(*f))
	}
	for _, n := range o.Settings() {
		v = swing.AppendUint(v, *n.Value)
	}
	b.Set(setupKey, v)
}

func readTime(b vatkeeper.KV) uint64 {
	r := row(b, timeKey)
	t := r.Uint()
	done(r, timeKey)
	return t
}

func writeTime(b vatkeeper.KV, t uint64) { b.Set(timeKey, swing.AppendUint(nil, t)) }
