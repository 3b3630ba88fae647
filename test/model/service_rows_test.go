package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"vatwarehouse/swing"
)

// What both sides keep of the kernel's own objects, of devices, and of who waits for
// vats, in lines.

func (m *model) serviceLines(x *text) {
	for _, s := range m.services {
		x.line("service", string(s.ref), s.kind, "of", owner(s.vat), s.program.String(),
			strconv.Quote(s.device))
		if s.kind == aMeter {
			x.line("meter", string(s.ref), number(s.remaining), number(s.threshold),
				number(s.used), strconv.FormatBool(s.unlimited))
		}
		for _, p := range s.waiting {
			x.line("waits for word of", string(s.ref), string(p))
		}
	}
	for _, d := range m.devices {
		m.deviceLines(x, d)
	}
	for _, h := range m.programs {
		x.line("program", h.String())
	}
	for _, t := range m.titles {
		x.line("program named", t.name, t.hash.String())
	}
}

func (m *model) deviceLines(x *text, d device) {
	x.line("device", d.name, string(d.ref))
	for _, p := range d.state {
		x.line("state of", d.name, strconv.Quote(p.key), strconv.Quote(p.value))
	}
	holds := slices.Clone(d.holds)
	slices.Sort(holds)
	for len(holds) > 0 {
		n := 1
		for n < len(holds) && holds[n] == holds[0] {
			n++
		}
		x.line("held by", d.name, string(holds[0]), number(n))
		holds = holds[n:]
	}
}

// bondLines are a vat's meter, and who waits for it.
func (m *model) bondLines(x *text, v *vat) {
	if v.meter != "" {
		x.line("meter of", string(v.id), string(v.meter))
	}
	if b := v.birth; b != nil {
		x.line("birth of", string(v.id), string(b.result), string(b.root), string(b.node))
	}
	for _, p := range v.mourners {
		x.line("waits for the end of", string(v.id), string(p))
	}
}

func (r *rows) bonds(id vatID) {
	if key := string(id) + ".m"; r.has(key) {
		r.seen[key] = true
		r.line("meter of", string(id), string(r.b.rows[key]))
	}
	if key := string(id) + ".b"; r.has(key) {
		x := r.fields(key, 3)
		r.line("birth of", string(id), x.Text(), x.Text(), x.Text())
	}
	r.suffixes(string(id)+".w.", func(ref string) {
		r.line("waits for the end of", string(id), ref)
	})
}

// suffixes goes through the rows with a prefix, by what follows it.
func (r *rows) suffixes(prefix string, f func(suffix string)) {
	r.each(prefix, func(k string) {
		r.seen[k] = true
		f(k[len(prefix):])
	})
}

// kinds are the kinds of service by their numbers.
var kinds = []string{"", admin, aNode, aProgram, aDevice, aMeter}

func (r *rows) services(objects uint64) {
	for n := range objects {
		r.service(swing.KRefOf(swing.Object, n))
	}
	var names []string
	r.each("device.", func(key string) {
		if name := key[len("device."):]; !strings.Contains(name, ".") {
			r.seen[key] = true
			names = append(names, name)
		}
	})
	slices.Sort(names)
	for _, name := range names {
		r.device(name)
	}
	r.each("program.", func(key string) {
		if hash := key[len("program."):]; !strings.Contains(hash, ".") {
			r.seen[key] = true
			r.line("program", hash)
		}
	})
	r.suffixes("program.name.", func(name string) {
		hash := r.b.rows["program.name."+name]
		r.line("program named", name, fmt.Sprintf("%x", hash))
	})
}

func (r *rows) service(ref kref) {
	if !r.has(string(ref) + ".s") {
		return
	}
	x := r.fields(string(ref)+".s", 4)
	kind := kinds[x.Uint()]
	r.line("service", string(ref), kind, "of", owner(vatID(x.Text())), x.Hash().String(),
		strconv.Quote(x.Text()))
	if kind == aMeter {
		x := r.fields(string(ref)+".m", 4)
		r.line("meter", string(ref), number(x.Uint()), number(x.Uint()), number(x.Uint()),
			strconv.FormatBool(x.Bool()))
	}
	r.suffixes(string(ref)+".w.", func(p string) {
		r.line("waits for word of", string(ref), p)
	})
}

func (r *rows) device(name string) {
	r.line("device", name, string(r.b.rows["device."+name]))
	r.suffixes("device."+name+".v.", func(key string) {
		value := r.b.rows["device."+name+".v."+key]
		r.line("state of", name, strconv.Quote(key), strconv.Quote(string(value)))
	})
	r.suffixes("device."+name+".r.", func(ref string) {
		r.line("held by", name, ref, string(r.b.rows["device."+name+".r."+ref]))
	})
}

// wordsOf returns the data of a rejected promise, which must be an Error of the kernel's.
func (b *buffer) wordsOf(ref kref) (words kcap, ok bool) {
	x := swing.NewReader(b.rows[string(ref)])
	x.Fields(4)
	if x.Uint() != 2 || x.Err() != nil {
		return kcap{}, false
	}
	x.Uint() // its count
	words = swing.ReadCapData[kref](x)
	ok = x.Done() == nil && len(words.Slots) == 0 &&
		strings.HasPrefix(string(words.Body), `#{"#error":`)
	return words, ok
}
