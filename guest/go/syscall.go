package vat

// The syscalls' numbers.
const (
	opSend      = 1
	opSubscribe = 2
	opResolve   = 3
	opExit      = 4
	opGet       = 16
	opSet       = 17
	opDelete    = 18
	opNext      = 19
)

// Send sends a message and asks for no answer. It panics when there is no room.
func Send(target Ref, method string, args ...any) { send(target, method, List(args...), "") }

// TrySend is Send that reports whether there was room for the message.
func TrySend(target Ref, method string, args ...any) bool {
	return trySend(target, method, List(args...), "")
}

func send(target Ref, method string, args Body, result Ref) {
	if !trySend(target, method, args, result) {
		panic("vat: no room for a message")
	}
}

func trySend(target Ref, method string, args Body, result Ref) bool {
	b := appendText(appendText(appendArray(nil, 5), target), method)
	b = args.append(b)
	if result == "" {
		b = append(b, byteNull)
	} else {
		b = appendText(b, result)
	}
	return queues(opSend, b)
}

// queues makes a syscall that has something queued, and reports whether there was room for
// it. If not, it did nothing.
func queues(op uint32, request []byte) bool { return len(syscall(op, request)) == 0 }

func subscribe(promise Ref) {
	if !queues(opSubscribe, appendText(appendArray(nil, 1), promise)) {
		panic("vat: no room for a notify")
	}
}

// Resolution settles one promise that the vat decides.
type Resolution struct {
	Promise  Ref
	Rejected bool
	Body     Body
}

// Resolve settles promises at one stroke: their data may mention each other.
func Resolve(rs ...Resolution) {
	b := appendArray(nil, len(rs))
	for _, r := range rs {
		b = appendBool(appendText(appendArray(b, 4), r.Promise), r.Rejected)
		b = r.Body.append(b)
	}
	syscall(opResolve, b)
	self.resolved(rs)
}

// Exit ends the vat after this delivery, or, as a failure, instead of it.
func Exit(failure bool, info ...any) {
	syscall(opExit, List(info...).append(appendBool(appendArray(nil, 3), failure)))
}

// Get reads a value of the vatstore.
func Get(key []byte) (value []byte, ok bool) {
	return vatstore(opGet, key)
}

// Set writes a value of the vatstore.
func Set(key, value []byte) {
	syscall(opSet, appendBytes(appendBytes(appendArray(nil, 2), key), value))
}

// Delete removes a key of the vatstore; that it is absent is no fault.
func Delete(key []byte) { vatstore(opDelete, key) }

// Next returns the least key of the vatstore greater than prior, which may be empty.
// The kit's own it does not show.
func Next(prior []byte) (key []byte, ok bool) {
	if key, ok = vatstore(opNext, prior); ok && key[0] == kitKey {
		return nil, false
	}
	return key, ok
}

func vatstore(op uint32, key []byte) ([]byte, bool) {
	answer := reader{rest: syscall(op, appendBytes(appendArray(nil, 1), key))}
	if len(answer.rest) == 0 || answer.next(byteNull) {
		return nil, false
	}
	return answer.string(kindBytes), true
}

// Level is how loud a line of the log is.
type Level uint32

// The levels.
const (
	Debug Level = 0
	Info  Level = 1
	Warn  Level = 2
	Error Level = 3
)

// Log writes a line of the vat's log, for people: nothing else comes of it.
func Log(level Level, text string) { writeLog(level, text) }
