package swing

import "fmt"

// Op names a syscall. Its number is part of the ABI and of every transcript.
type Op uint32

// The syscalls.
const (
	OpSend      Op = 1 // Target, Message: queue a message
	OpSubscribe Op = 2 // Target: ask to be notified of a promise
	OpResolve   Op = 3 // Resolutions: settle promises the vat decides
	OpExit      Op = 4 // Failure, Info: end the vat after this delivery
	OpCall      Op = 5 // Target, Message without Result: call a device; answers its answer

	OpDropImports    Op = 6 // Refs: imports that the vat only recognizes from now on
	OpRetireImports  Op = 7 // Refs: imports, dropped before, that it forgets
	OpRetireExports  Op = 8 // Refs: objects, dropped by all others, that it forgets
	OpAbandonExports Op = 9 // Refs: objects of which it wants to hear nothing more

	OpVatstoreGet     Op = 16 // Key; answers the value or null
	OpVatstoreSet     Op = 17 // Key, Value
	OpVatstoreDelete  Op = 18 // Key; an absent key is no fault
	OpVatstoreNextKey Op = 19 // Key; answers the least key greater than Key, or null
)

// String returns SwingSet's name of the syscall.
func (op Op) String() string {
	switch op {
	case OpSend:
		return "send"
	case OpSubscribe:
		return "subscribe"
	case OpResolve:
		return "resolve"
	case OpExit:
		return "exit"
	case OpCall:
		return "callNow"
	case OpDropImports:
		return "dropImports"
	case OpRetireImports:
		return "retireImports"
	case OpRetireExports:
		return "retireExports"
	case OpAbandonExports:
		return "abandonExports"
	case OpVatstoreGet:
		return "vatstoreGet"
	case OpVatstoreSet:
		return "vatstoreSet"
	case OpVatstoreDelete:
		return "vatstoreDelete"
	case OpVatstoreNextKey:
		return "vatstoreNextKey"
	}
	return fmt.Sprintf("syscall(%d)", uint32(op))
}

// Vatstore reports whether op reads or writes the vat's own store. Those, and calls of
// devices, are answered while the delivery runs; all others are judged when it is over,
// or when a device is called.
func (op Op) Vatstore() bool { return op >= OpVatstoreGet && op <= OpVatstoreNextKey }

// Queues reports whether op has something queued: a message, or a notify. Such a syscall
// is answered at once, with nothing or with [NoRoom].
func (op Op) Queues() bool { return op == OpSend || op == OpSubscribe }

// NoRoom is the answer to a syscall that did nothing because too much of what the vat has
// caused is waiting: false, in canonical encoding.
var NoRoom = AppendBool(nil, false)

// GC reports whether op is about references and nothing else.
func (op Op) GC() bool { return op >= OpDropImports && op <= OpAbandonExports }

// Syscall is one vat-to-kernel request. Only the fields its Op names are set.
type Syscall[R Ref] struct {
	Op          Op
	Target      R
	Message     Message[R]
	Resolutions []Resolution[R]
	Failure     bool
	Info        CapData[R]
	Key, Value  []byte
	Refs        []R
}

// AppendRequest appends the canonical encoding of s, without its Op.
func AppendRequest[R Ref](b []byte, s Syscall[R]) []byte {
	switch s.Op {
	case OpSend:
		return AppendMessage(AppendArray(b, 5), s.Target, s.Message)
	case OpCall:
		b = AppendText(AppendText(AppendArray(b, 4), s.Target), s.Message.Method)
		return AppendCapData(b, s.Message.Args)
	case OpSubscribe:
		return AppendText(AppendArray(b, 1), s.Target)
	case OpResolve:
		return AppendResolutions(b, s.Resolutions)
	case OpExit:
		return AppendCapData(AppendBool(AppendArray(b, 3), s.Failure), s.Info)
	case OpDropImports, OpRetireImports, OpRetireExports, OpAbandonExports:
		return appendRefs(b, s.Refs)
	case OpVatstoreSet:
		return AppendBytes(AppendBytes(AppendArray(b, 2), s.Key), s.Value)
	case OpVatstoreGet, OpVatstoreDelete, OpVatstoreNextKey:
		return AppendBytes(AppendArray(b, 1), s.Key)
	}
	panic(fmt.Sprintf("swing: no encoding for %v", s.Op))
}

// DecodeRequest reads what AppendRequest appends. Byte strings alias b.
func DecodeRequest[R Ref](op Op, b []byte) (Syscall[R], error) {
	r := NewReader(b)
	s := Syscall[R]{Op: op}
	switch op {
	case OpSend:
		r.Fields(5)
		s.Target, s.Message = ReadMessage[R](r)
	case OpCall:
		r.Fields(4)
		s.Target, s.Message.Method = readRef[R](r), r.Text()
		s.Message.Args = ReadCapData[R](r)
	case OpSubscribe:
		r.Fields(1)
		s.Target = readRef[R](r)
	case OpResolve:
		s.Resolutions = ReadResolutions[R](r)
	case OpExit:
		r.Fields(3)
		s.Failure = r.Bool()
		s.Info = ReadCapData[R](r)
	case OpDropImports, OpRetireImports, OpRetireExports, OpAbandonExports:
		s.Refs = readRefs[R](r)
	case OpVatstoreSet:
		r.Fields(2)
		s.Key, s.Value = r.Bytes(), r.Bytes()
	case OpVatstoreGet, OpVatstoreDelete, OpVatstoreNextKey:
		r.Fields(1)
		s.Key = r.Bytes()
	default:
		r.failf("there is no syscall %d", uint32(op))
	}
	if err := r.Done(); err != nil {
		return Syscall[R]{}, fmt.Errorf("decode %v: %w", op, err)
	}
	return s, nil
}

// AppendAnswer appends the answer of a vatstore read: the bytes found, or null.
func AppendAnswer(b, value []byte, found bool) []byte {
	if !found {
		return AppendNull(b)
	}
	return AppendBytes(b, value)
}

// DecodeAnswer reads what AppendAnswer appends. The value aliases b.
func DecodeAnswer(b []byte) (value []byte, found bool, err error) {
	r := NewReader(b)
	if !r.Null() {
		value, found = r.Bytes(), true
	}
	if err := r.Done(); err != nil {
		return nil, false, fmt.Errorf("decode answer: %w", err)
	}
	return value, found, nil
}

// CallAnswer is what a device answers. An error is the caller's to deal with.
type CallAnswer[R Ref] struct {
	Failed bool
	Data   CapData[R]
}

// AppendCallAnswer appends the canonical encoding of an answer to a call.
func AppendCallAnswer[R Ref](b []byte, a CallAnswer[R]) []byte {
	return AppendCapData(AppendBool(AppendArray(b, 3), a.Failed), a.Data)
}

// DecodeCallAnswer reads what AppendCallAnswer appends. The body aliases b.
func DecodeCallAnswer[R Ref](b []byte) (a CallAnswer[R], err error) {
	r := NewReader(b)
	r.Fields(3)
	a.Failed, a.Data = r.Bool(), ReadCapData[R](r)
	if err := r.Done(); err != nil {
		return CallAnswer[R]{}, fmt.Errorf("decode answer of a call: %w", err)
	}
	return a, nil
}

// Syscaller answers a vat's syscalls during one delivery. There are two: the
// live one records, the replaying one compares and answers from the transcript.
type Syscaller interface {
	// Syscall takes one request and returns its answer, which the caller must
	// not keep or change. With ok false the delivery ends here: the worker
	// stops the vat, and the Syscaller knows why. The request is copied if kept.
	Syscall(op Op, request []byte) (answer []byte, ok bool)
}
