package transcript

import (
	"fmt"
	"math"

	"vatwarehouse/swing"
)

// Vatstore is the one thing a vat may read while a delivery runs: its own keys.
type Vatstore interface {
	Get(key []byte) (value []byte, ok bool)
	// Set reports whether there was room: if not, it did nothing.
	Set(key, value []byte) bool
	Delete(key []byte)
	Next(after []byte) (key []byte, ok bool)
}

// Recorder is the live Syscaller. It answers vatstore syscalls from the store
// and keeps every exchange in order, for the kernel to judge when the delivery
// is over. It refuses, and so ends, a delivery that breaks a limit.
type Recorder struct {
	store   Vatstore
	limits  swing.Limits
	kept    []Exchange
	arena   []byte // requests and answers, back to back
	bytes   int
	illegal string
	call    CallFunc
	room    uint64 // how many syscalls more may queue something
}

// CallFunc answers the call of a device whose request it is given, after the exchanges
// that are recorded so far; or it says which rule the call broke.
type CallFunc func(request []byte) (answer []byte, illegal string)

// OnCall sets what answers calls of devices. Without it every call is illegal.
func (r *Recorder) OnCall(call CallFunc) { r.call = call }

// SetRoom sets how many syscalls may queue something. All others of their kind are
// answered that there is no room, and do nothing.
func (r *Recorder) SetRoom(n uint64) { r.room = n }

// NewRecorder returns a Recorder for one delivery, with room without end.
func NewRecorder(store Vatstore, limits swing.Limits) *Recorder {
	return &Recorder{store: store, limits: limits, room: math.MaxUint64}
}

// Exchanges returns the syscalls so far. They stay valid after the delivery.
func (r *Recorder) Exchanges() []Exchange { return r.kept }

// Illegal returns which rule ended the delivery, or "".
func (r *Recorder) Illegal() string { return r.illegal }

// Syscall implements [swing.Syscaller].
func (r *Recorder) Syscall(op swing.Op, request []byte) ([]byte, bool) {
	if len(r.kept) == r.limits.Syscalls {
		return r.refuse(op, fmt.Sprintf("more than %d syscalls in one delivery", r.limits.Syscalls))
	}
	if r.bytes+len(request) > r.limits.SyscallBytes {
		return r.refuse(op, fmt.Sprintf("more than %d bytes of syscalls in one delivery",
			r.limits.SyscallBytes))
	}
	x := Exchange{Op: op, Request: r.keep(request)}
	if op.Vatstore() {
		answer, why := r.vatstore(op, x.Request)
		if why != "" {
			return r.refuse(op, why)
		}
		x.Answer = answer
	}
	if op.Queues() {
		if r.room == 0 {
			x.Answer = r.keep(swing.NoRoom)
		} else {
			r.room--
		}
	}
	if op == swing.OpCall {
		if r.call == nil {
			return r.refuse(op, "there are no devices")
		}
		answer, why := r.call(x.Request)
		if why != "" {
			r.illegal = why
			return nil, false
		}
		x.Answer = r.keep(answer)
	}
	r.bytes += len(x.Request) + len(x.Answer)
	r.kept = append(r.kept, x)
	return x.Answer, true
}

func (r *Recorder) refuse(op swing.Op, why string) ([]byte, bool) {
	r.illegal = fmt.Sprintf("syscall %d (%v): %s", len(r.kept), op, why)
	return nil, false
}

// keep copies b into the arena. Slices handed out before a growth keep the
// former array alive, so they stay valid.
func (r *Recorder) keep(b []byte) []byte {
	start := len(r.arena)
	r.arena = append(r.arena, b...)
	return r.arena[start:len(r.arena):len(r.arena)]
}

// vatstore answers one vatstore syscall, or says what rule it broke.
func (r *Recorder) vatstore(op swing.Op, request []byte) (answer []byte, why string) {
	s, err := swing.DecodeRequest[swing.VRef](op, request)
	if err != nil {
		return nil, err.Error()
	}
	if why := swing.CheckSyscall(r.limits, s); why != "" {
		return nil, why
	}
	if len(s.Key) == 0 && op != swing.OpVatstoreNextKey {
		return nil, "an empty vatstore key"
	}
	switch op {
	case swing.OpVatstoreGet:
		return r.found(r.store.Get(s.Key)), ""
	case swing.OpVatstoreNextKey:
		return r.found(r.store.Next(s.Key)), ""
	case swing.OpVatstoreSet:
		if !r.store.Set(s.Key, s.Value) {
			return nil, fmt.Sprintf("more than %d bytes in the vatstore", r.limits.StoreBytes)
		}
	case swing.OpVatstoreDelete:
		r.store.Delete(s.Key)
	}
	return nil, ""
}

func (r *Recorder) found(value []byte, ok bool) []byte {
	start := len(r.arena)
	r.arena = swing.AppendAnswer(r.arena, value, ok)
	return r.arena[start:len(r.arena):len(r.arena)]
}
