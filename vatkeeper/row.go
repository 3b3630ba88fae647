package vatkeeper

import (
	"errors"
	"fmt"

	"vatwarehouse/swing"
)

// RowError says that a row is not one that the kernel writes, or that one which must be
// there is not. The store verifies its bytes, so in our own state it is a failure of ours,
// and readers panic with it; in a state from elsewhere it is why that is refused: see
// [Untrusted].
type RowError struct {
	Key string
	Err error
}

// Error names the row.
func (e *RowError) Error() string { return fmt.Sprintf("row %q: %v", e.Key, e.Err) }

// Unwrap returns what is wrong with the row.
func (e *RowError) Unwrap() error { return e.Err }

// RowDone panics with a [*RowError] unless a row was read whole.
func RowDone(r *swing.Reader, key string) {
	if err := r.Done(); err != nil {
		panic(&RowError{key, err})
	}
}

// Untrusted calls f, which only reads rows, of a state that is not trusted yet. It returns
// the [*RowError] that f panicked with. All other panics go on.
func Untrusted(f func()) (err error) {
	defer func() {
		var row *RowError
		switch p := recover().(type) {
		case nil:
		case error:
			if !errors.As(p, &row) {
				panic(p)
			}
			err = row
		default:
			panic(p)
		}
	}()
	f()
	return nil
}

// CheckRow panics with a [*RowError] unless a row of the vat's is one that this package
// writes, as far as it can be told from the row alone. It reports whether it is a row of
// this package's.
func (k Keeper) CheckRow(part Part, rest string) bool {
	named := rest != ""
	switch key := "." + string(rune(part)); {
	case part == PartOptions && !named:
		k.Options()
	case part == 'i' && !named:
		k.counters()
	case part == PartSpan && !named:
		k.Span()
	case part == 'd' && !named:
		k.Dirt()
	case part == 'u' && !named:
		k.StoreBytes()
	case part == 'a' && !named:
		k.Params()
	case part == PartEnd && !named:
		k.End()
	case part == PartPastSpan && named:
		if s := k.span(key + "." + rest); rest != fmt.Sprintf("%016x", s.Incarnation) {
			panic(
				&RowError{k.key(key + "." + rest), fmt.Errorf("of incarnation %d", s.Incarnation)},
			)
		}
	case part == PartCList && named:
		k.checkEntry(swing.KRef(rest))
	case part == 'r' && named:
		b, _ := k.kv.Get(k.vrefKey(swing.VRef(rest)))
		if err := errors.Join(swing.VRef(rest).Validate(), swing.KRef(b).Validate()); err != nil {
			panic(&RowError{k.vrefKey(swing.VRef(rest)), err})
		}
	default:
		return part == PartVatstore // bytes of the vat's own; its key may be empty
	}
	return true
}

// checkEntry panics unless an entry of the c-list is of two valid names of one kind.
func (k Keeper) checkEntry(ref swing.KRef) {
	e, _ := k.ByKRef(ref)
	err := errors.Join(ref.Validate(), e.VRef.Validate())
	if err == nil && ref.Kind() != e.VRef.Kind() {
		err = fmt.Errorf("%s and %s are not of one kind", ref, e.VRef)
	}
	if err != nil {
		panic(&RowError{k.krefKey(ref), err})
	}
}

// Passed reports whether the vat's counters are past an import: the next one gets another
// name.
func (k Keeper) Passed(ref swing.VRef) bool {
	object, promise := k.counters()
	next := object
	if ref.Kind() == swing.Promise {
		next = promise
	}
	return ref.Exported() || ref.Number() < next
}
