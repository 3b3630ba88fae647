package swing

import (
	"fmt"
	"math"
)

// Limits bound what one delivery may ask for, and what vats may come to have. They are
// observable: a directory
// records them when it is made, and every node must use the same.
type Limits struct {
	BodyBytes    int // one capdata body
	Slots        int // slots of one capdata, or references of one syscall about them
	MethodBytes  int // a method's name
	KeyBytes     int // a vatstore key
	ValueBytes   int // a vatstore value
	Syscalls     int // syscalls of one delivery
	SyscallBytes int // their requests and answers together
	Resolutions  int // promises settled by one syscall
	LogBytes     int // log text of one delivery, then cut
	MemoryBytes  int // linear memory, a multiple of 64 KiB
	Fuel         int // units of fuel of one delivery
	Depth        int // calls within calls, in frames
	StoreBytes   int // keys and values of one vat's vatstore together
	Vats         int // vats that live at a time
}

// Unbounded is a budget of fuel that no delivery uses up.
const Unbounded = math.MaxInt64

// DefaultLimits are what a new directory gets unless its options say otherwise.
func DefaultLimits() Limits {
	return Limits{
		BodyBytes:    1 << 20,
		Slots:        1024,
		MethodBytes:  1024,
		KeyBytes:     1024,
		ValueBytes:   256 << 10,
		Syscalls:     10_000,
		SyscallBytes: 8 << 20,
		Resolutions:  1024,
		LogBytes:     64 << 10,
		MemoryBytes:  256 << 20,
		Fuel:         100_000_000,
		Depth:        1900,
		StoreBytes:   64 << 20,
		Vats:         1 << 20,
	}
}

// checkCapData returns why c exceeds the limits, or "".
func checkCapData[R Ref](l Limits, c CapData[R]) string {
	if len(c.Body) > l.BodyBytes {
		return fmt.Sprintf("a body of %d bytes, limit %d", len(c.Body), l.BodyBytes)
	}
	if len(c.Slots) > l.Slots {
		return fmt.Sprintf("%d slots, limit %d", len(c.Slots), l.Slots)
	}
	return ""
}

// CheckMessage returns why m exceeds the limits, or "".
func CheckMessage[R Ref](l Limits, m Message[R]) string {
	if len(m.Method) > l.MethodBytes {
		return fmt.Sprintf("a method name of %d bytes, limit %d", len(m.Method), l.MethodBytes)
	}
	return checkCapData(l, m.Args)
}

// CheckSyscall returns why s exceeds the limits, or "".
func CheckSyscall[R Ref](l Limits, s Syscall[R]) string {
	switch {
	case len(s.Key) > l.KeyBytes:
		return fmt.Sprintf("a vatstore key of %d bytes, limit %d", len(s.Key), l.KeyBytes)
	case len(s.Value) > l.ValueBytes:
		return fmt.Sprintf("a vatstore value of %d bytes, limit %d", len(s.Value), l.ValueBytes)
	case len(s.Resolutions) > l.Resolutions:
		return fmt.Sprintf("%d resolutions, limit %d", len(s.Resolutions), l.Resolutions)
	case len(s.Refs) > l.Slots:
		return fmt.Sprintf("%d references, limit %d", len(s.Refs), l.Slots)
	}
	for _, r := range s.Resolutions {
		if why := checkCapData(l, r.Data); why != "" {
			return why
		}
	}
	if why := checkCapData(l, s.Info); why != "" {
		return why
	}
	return CheckMessage(l, s.Message)
}
