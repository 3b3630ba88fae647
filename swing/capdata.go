package swing

// CapData is opaque body bytes and the references they mention by index. The
// kernel reads no body: it moves bytes and translates slots.
//
// One form is an exception that needs no parsing: an empty body with exactly
// one slot is that reference itself. A promise fulfilled with it forwards to
// the object. See [CapData.Reference].
type CapData[R Ref] struct {
	Body  []byte
	Slots []R
}

// Reference returns the reference that c is, and whether it is one.
func (c CapData[R]) Reference() (R, bool) {
	if len(c.Body) == 0 && len(c.Slots) == 1 {
		return c.Slots[0], true
	}
	return "", false
}

// ReferenceTo returns the capdata that is the reference ref.
func ReferenceTo[R Ref](ref R) CapData[R] { return CapData[R]{Slots: []R{ref}} }

// Message is a method call. Result is the promise for its answer, or "" where
// the sender wants none.
type Message[R Ref] struct {
	Method string
	Args   CapData[R]
	Result R
}

// Resolution settles one promise: fulfilled or rejected with Data.
type Resolution[R Ref] struct {
	Promise  R
	Rejected bool
	Data     CapData[R]
}

func appendRefs[R Ref](b []byte, refs []R) []byte {
	b = AppendArray(b, len(refs))
	for _, s := range refs {
		b = AppendText(b, s)
	}
	return b
}

func readRefs[R Ref](r *Reader) (refs []R) {
	if n := r.Array(); n > 0 {
		refs = make([]R, 0, min(n, refsHint))
		for ; n > 0 && r.err == nil; n-- {
			refs = append(refs, readRef[R](r))
		}
	}
	return refs
}

// AppendCapData appends body and slots: two values.
func AppendCapData[R Ref](b []byte, c CapData[R]) []byte {
	return appendRefs(AppendBytes(b, c.Body), c.Slots)
}

func appendOptional[R Ref](b []byte, ref R) []byte {
	if ref == "" {
		return AppendNull(b)
	}
	return AppendText(b, ref)
}

// AppendMessage appends target, method, body, slots, result: five values.
func AppendMessage[R Ref](b []byte, target R, m Message[R]) []byte {
	b = AppendText(AppendText(b, target), m.Method)
	return appendOptional(AppendCapData(b, m.Args), m.Result)
}

// AppendResolutions appends an array of [promise, rejected, body, slots].
func AppendResolutions[R Ref](b []byte, rs []Resolution[R]) []byte {
	b = AppendArray(b, len(rs))
	for _, r := range rs {
		b = AppendBool(AppendText(AppendArray(b, 4), r.Promise), r.Rejected)
		b = AppendCapData(b, r.Data)
	}
	return b
}

func readRef[R Ref](r *Reader) R {
	ref := R(r.Text())
	if r.err == nil {
		if err := ref.Validate(); err != nil {
			r.Fail(err)
		}
	}
	return ref
}

func readOptional[R Ref](r *Reader) R {
	if r.Null() {
		return ""
	}
	return readRef[R](r)
}

// ReadCapData takes body and slots: two values.
func ReadCapData[R Ref](r *Reader) CapData[R] {
	return CapData[R]{r.Bytes(), readRefs[R](r)}
}

// refsHint bounds what a decoder allocates before it has seen the items.
const refsHint = 64

// ReadMessage takes what AppendMessage appends.
func ReadMessage[R Ref](r *Reader) (target R, m Message[R]) {
	target = readRef[R](r)
	m.Method = r.Text()
	m.Args = ReadCapData[R](r)
	m.Result = readOptional[R](r)
	return target, m
}

// ReadResolutions takes what AppendResolutions appends.
func ReadResolutions[R Ref](r *Reader) (rs []Resolution[R]) {
	for n := r.Array(); n > 0 && r.err == nil; n-- {
		r.Fields(4)
		rs = append(rs, Resolution[R]{readRef[R](r), r.Bool(), ReadCapData[R](r)})
	}
	return rs
}
