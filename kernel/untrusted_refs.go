package kernel

import (
	"slices"
	"strings"

	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// reference checks a row of an object or promise.
func (s *survey) reference(key string, ref swing.KRef, rest string, value []byte) {
	if s.ids != (ids{}) {
		next := s.ids.NextObject
		if ref.Kind() == swing.Promise {
			next = s.ids.NextPromise
		}
		demand(ref.Number() < next, key, "the next of its kind is %d", next)
		demand(has(s.b, string(ref)), key, "there is no %s", ref)
	}
	if ref.Kind() == swing.Promise {
		s.promise(key, ref, rest, value)
		return
	}
	part, name, _ := strings.Cut(rest, ".")
	switch {
	case rest == "":
		demand(key == string(ref), key, "unknown")
		o := readObject(s.b, ref)
		if o.owner != "" && o.owner != ServiceOwner {
			valid(key, o.owner)
		}
	case rest == "m":
		readMeter(s.b, ref)
	case rest == "s":
		sv := readService(s.b, ref)
		known := sv.kind >= adminService && sv.kind <= meterService
		demand(known, key, "a service of kind %d", sv.kind)
		if sv.kind == nodeService {
			valid(key, sv.vat)
		}
	case rest == "told":
		empty(key, value)
	case part == "i":
		valid(key, swing.VatID(name))
		empty(key, value)
	case part == "w":
		promiseName(key, name)
		empty(key, value)
	default:
		wrong(key, "unknown")
	}
}

func promiseName(key, name string) {
	valid(key, swing.KRef(name))
	demand(swing.KRef(name).Kind() == swing.Promise, key, "%s is no promise", name)
}

func (s *survey) promise(key string, ref swing.KRef, rest string, value []byte) {
	part, name, _ := strings.Cut(rest, ".")
	switch {
	case rest == "":
		demand(key == string(ref), key, "unknown")
		if s.schema == 1 && promiseOf1(value) {
			return
		}
		p := readPromise(s.b, ref)
		demand(p.state <= Rejected, key, "state %d", uint8(p.state))
		demand((p.first == "") == (p.last == ""), key, "subscribers %q to %q", p.first, p.last)
		for _, vat := range []swing.VatID{p.decider, p.first, p.last} {
			if vat != "" {
				valid(key, vat)
			}
		}
	case rest == "n":
		demand(readCount(s.b, key) > 0, key, "no count")
	case rest == "q":
		s.bounds(promiseQueue(ref))
	case part == "q":
		s.event(key, name, value)
	case part == "s":
		valid(key, swing.VatID(name), swing.VatID(value))
	default:
		wrong(key, "unknown")
	}
}

// promiseOf1 reports whether a row is an unresolved promise as schema 1 has them, of valid
// vats.
func promiseOf1(value []byte) bool {
	r := swing.NewReader(value)
	if r.Array() != 4 || PromiseState(r.Uint()) != Unresolved {
		return false
	}
	r.Uint()
	vats := []swing.VatID{readVat(r)}
	if vats[0] == "" {
		vats = nil
	}
	for n := r.Array(); n > 0 && r.Err() == nil; n-- {
		vats = append(vats, swing.VatID(r.Text()))
	}
	invalid := func(vat swing.VatID) bool { return vat.Validate() != nil }
	return r.Done() == nil && !slices.ContainsFunc(vats, invalid)
}

// vat checks a row of a vat.
func (s *survey) vat(key string, vat swing.VatID, value []byte) {
	_, part, rest, ok := vatkeeper.ParseKey(key)
	demand(ok, key, "unknown")
	demand(s.ids == (ids{}) || vat.Number() < s.ids.vat, key, "the next vat is v%d", s.ids.vat)
	if key == string(vat)+"."+string(rune(vatkeeper.PartOptions)) {
		s.vats++
	}
	if s.schema < 3 && part == 'd' && rest == "" {
		return // its migration reads it
	}
	if vatkeeper.New(vat, s.b).CheckRow(part, rest) {
		return
	}
	switch {
	case key == vatMeterKey(vat):
		valid(key, swing.KRef(value))
	case key == birthKey(vat):
		b := readBirth(s.b, key)
		promiseName(key, string(b.result))
		valid(key, b.root, b.node)
	case key == quarantineKey(vat):
	case key == accountKey(vat):
		readAccount(s.b, vat)
	case key == string(holdQueue(vat)), key == string(outbox(vat)):
		s.bounds(queue(key))
	case part == 'h', part == 'l':
		s.event(key, rest, value)
	case part == 'w':
		promiseName(key, rest)
		empty(key, value)
	default:
		wrong(key, "unknown")
	}
}

// whole sees that rows are there without which nothing can be read, once all there are
// have been looked at.
func (s *survey) whole() {
	readCrank(s.b)
	readOptions(s.b)
	readTime(s.b)
	demand(s.ids.vat >= firstVat && s.vats == s.ids.vat-firstVat, idsKey,
		"the next vat is v%d, and there are %d", s.ids.vat, s.vats)
	demand(has(s.b, string(AdminRef)), string(AdminRef), "no such row")
}
