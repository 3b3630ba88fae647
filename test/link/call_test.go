package link_test

import (
	"testing"

	"vatwarehouse/host"
)

// TestCalls: messages and their answers pass between two kernels.
func TestCalls(t *testing.T) {
	a, b := newNode(t, "a", host.Options{}), newNode(t, "b", host.Options{})
	connect(a, b)
	counter := share(b, a, 1, b.vat("counter", "counter"))
	first := a.send(counter, "incr", 5)
	second := a.send(counter, "incr", 2)
	wrong := a.send(counter, "nothing")
	quiesce(a, b)
	a.expect(first, "fulfilled [5]")
	a.expect(second, "fulfilled [7]")
	a.expect(wrong, "rejected [no such method]")
}
