// Command counter is a number in memory. EXAMPLES.md has its messages.
package main

import "vat"

func init() {
	var count uint64
	vat.Serve(func(*vat.Data) vat.Object {
		return vat.Methods{
			"incr": func(m *vat.Message) {
				m.List(1)
				n := m.Uint()
				if !m.Taken() {
					m.Reject("want incr(n)")
					return
				}
				count += n
				m.Answer(count)
			},
			"read": func(m *vat.Message) {
				if !m.Empty() {
					m.Reject("want read()")
					return
				}
				m.Answer(count)
			},
		}
	})
}

func main() {}
