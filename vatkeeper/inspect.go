package vatkeeper

import (
	"iter"
	"strings"

	"vatwarehouse/swing"
)

// KRefs yields the krefs of the c-list in the order of their spelling. It reads
// keys only.
func (k Keeper) KRefs() iter.Seq[swing.KRef] {
	return func(yield func(swing.KRef) bool) {
		prefix := k.key(".c.")
		end := prefix[:len(prefix)-1] + "/" // "/" follows "."
		for key, ok := k.kv.Next(prefix, end); ok; key, ok = k.kv.Next(key, end) {
			if !yield(swing.KRef(key[len(prefix):])) {
				return
			}
		}
	}
}

// Part says which of a vat's rows a key names.
type Part byte

// The parts of a vat that ParseKey tells apart; the package documentation says
// what is in them.
const (
	PartOptions  Part = 'o'
	PartSpan     Part = 's'
	PartPastSpan Part = 'p' // rest is the incarnation
	PartEnd      Part = 'x'
	PartCList    Part = 'c' // rest is the kref
	PartVatstore Part = 'v' // rest is the vat's own key
)

// ParseKey takes the key of a vat's row apart; ok is false for a key that is no
// vat's. Parts that are none of the above are returned too.
func ParseKey(key string) (vat swing.VatID, part Part, rest string, ok bool) {
	id, row, ok := strings.Cut(key, ".")
	if vat = swing.VatID(id); !ok || row == "" || vat.Validate() != nil {
		return "", 0, "", false
	}
	if len(row) > 1 && row[1] != '.' {
		return "", 0, "", false
	}
	if len(row) > 2 {
		rest = row[2:]
	}
	return vat, Part(row[0]), rest, true
}
