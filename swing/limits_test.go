package swing_test

import (
	"strings"
	"testing"

	"vatwarehouse/swing"
)

// TestLimitsBoundEveryField: each limit is met exactly at its number, and the
// text names what is too large one past it.
func TestLimitsBoundEveryField(t *testing.T) {
	l := swing.Limits{
		BodyBytes: 4, Slots: 2, MethodBytes: 3, KeyBytes: 2, ValueBytes: 3, Resolutions: 1,
	}
	body := func(n int) swing.CapData[swing.VRef] {
		return swing.CapData[swing.VRef]{Body: make([]byte, n)}
	}
	slots := func(n int) swing.CapData[swing.VRef] {
		return swing.CapData[swing.VRef]{Slots: make([]swing.VRef, n)}
	}
	resolve := func(n int, c swing.CapData[swing.VRef]) swing.Syscall[swing.VRef] {
		rs := make([]swing.Resolution[swing.VRef], n)
		for i := range rs {
			rs[i].Data = c
		}
		return swing.Syscall[swing.VRef]{Op: swing.OpResolve, Resolutions: rs}
	}
	type sys = swing.Syscall[swing.VRef]
	type msg = swing.Message[swing.VRef]
	rows := []struct {
		says      string
		fits, not sys
	}{
		{"key", sys{Key: make([]byte, 2)}, sys{Key: make([]byte, 3)}},
		{"value", sys{Value: make([]byte, 3)}, sys{Value: make([]byte, 4)}},
		{"method", sys{Message: msg{Method: "abc"}}, sys{Message: msg{Method: "abcd"}}},
		{"body", sys{Message: msg{Args: body(4)}}, sys{Message: msg{Args: body(5)}}},
		{"slots", sys{Message: msg{Args: slots(2)}}, sys{Message: msg{Args: slots(3)}}},
		{"body", sys{Info: body(4)}, sys{Info: body(5)}},
		{"resolutions", resolve(1, body(0)), resolve(2, body(0))},
		{"body", resolve(1, body(4)), resolve(1, body(5))},
	}
	for _, r := range rows {
		if why := swing.CheckSyscall(l, r.fits); why != "" {
			t.Errorf("%s at its limit: %s", r.says, why)
		}
		if why := swing.CheckSyscall(l, r.not); !strings.Contains(why, r.says) {
			t.Errorf("past the limit: %q, want it to say %q", why, r.says)
		}
	}
}

// TestNamesOfKinds: every number has a word, and an unknown one says its number.
func TestNamesOfKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range ops {
		seen["op "+op.String()] = true
	}
	for k := swing.DeliverStartVat; k <= swing.DeliverReap; k++ {
		seen["delivery "+k.String()] = true
	}
	for s := swing.StatusOK; s.Valid(); s++ {
		seen["status "+s.String()] = true
	}
	if want := len(ops) + 7 + 9; len(seen) != want {
		t.Errorf("%d distinct words, want %d: %v", len(seen), want, seen)
	}
	for _, s := range []string{
		swing.Op(99).String(), swing.DeliveryKind(99).String(), swing.Status(99).String(),
	} {
		if !strings.Contains(s, "99") {
			t.Errorf("%q does not say 99", s)
		}
	}
	o := swing.Outcome{Status: swing.StatusTrapped, Problem: "unreachable"}
	if o.OK() || o.String() != "trapped: unreachable" {
		t.Errorf("outcome %q, ok %v", o, o.OK())
	}
}
