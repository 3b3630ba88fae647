package sim

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// NameError is a name that names no vat of a directory, and is no reference either.
type NameError struct{ Name string }

// Error says so.
func (e *NameError) Error() string {
	return fmt.Sprintf("there is no vat %q, and no such reference: give a vat's name, its id, "+
		"or a reference like ko20 or kp40", e.Name)
}

// Unwrap returns what it is an error of.
func (e *NameError) Unwrap() error { return host.ErrNotFound }

// Reference returns what a word names: the root of a vat, by name or id, or an object
// or promise, by its kref.
func Reference(h *host.Host, word string) (swing.KRef, error) {
	v, err := h.Vat(word)
	switch {
	case err == nil && v.Root == "":
		return "", fmt.Errorf("%w: vat %s has no root any more", host.ErrRefused, v.ID)
	case err == nil:
		return v.Root, nil
	case !errors.Is(err, host.ErrNotFound):
		return "", err
	}
	ref := swing.KRef(word)
	if ref.Validate() != nil {
		return "", &NameError{word}
	}
	if ref.Kind() == swing.Promise {
		_, err = h.Promise(ref)
	} else {
		_, err = h.Object(ref, 0)
	}
	return ref, err
}

// target is Reference for whom a message is sent to: an object whose vat has ended
// is refused.
func target(h *host.Host, word string) (swing.KRef, error) {
	ref, err := Reference(h, word)
	if err != nil || ref.Kind() == swing.Promise {
		return ref, err
	}
	o, err := h.Object(ref, 0)
	switch {
	case err != nil:
		return "", err
	case o.Owner == "":
		return "", fmt.Errorf("%w: nobody owns %s any more", host.ErrRefused, ref)
	case !o.Alive:
		return "", fmt.Errorf("%w: vat %s, which owns %s, has ended",
			host.ErrRefused, o.Owner, ref)
	}
	return ref, nil
}

// refPrefix begins an argument that is a reference.
const refPrefix = "ref:"

// arguments is a body that is made from words.
type arguments struct {
	r     *reader
	refer func(name string) (swing.KRef, error)
	body  []byte
	slots []swing.KRef
}

// Arguments makes the body of a message, or of a start, from words, each of which is a
// value as scenarios write them (a number, text, true, false, list, {ref: NAME}, {hex:
// DIGITS}), or ref:NAME. A reference is to the root of a vat, by name or id, or to a
// kref. What is drawn or depends on the place, only scenarios have. No words are no
// body. A fault is an *[Error] that shows the word.
func Arguments(h *host.Host, words []string) (body []byte, slots []swing.KRef, err error) {
	return makeArguments(words, func(name string) (swing.KRef, error) {
		return Reference(h, name)
	})
}

func makeArguments(
	words []string, refer func(string) (swing.KRef, error),
) (body []byte, slots []swing.KRef, err error) {
	if len(words) == 0 {
		return nil, nil, nil
	}
	a := arguments{refer: refer, body: swing.AppendArray(nil, len(words))}
	for i, word := range words {
		if err := a.word(fmt.Sprintf("argument %d", i+1), word); err != nil {
			return nil, nil, err
		}
	}
	return a.body, a.slots, nil
}

// word appends the value that a word is. An empty one is an empty text.
func (a *arguments) word(name, word string) error {
	if strings.TrimSpace(word) == "" {
		a.body = swing.AppendText(a.body, word)
		return nil
	}
	if len(word) > textBytesMax {
		return fmt.Errorf("%w: %s has %d bytes, limit %d",
			host.ErrRefused, name, len(word), textBytesMax)
	}
	var top ast.Node
	if !strings.ContainsRune(`"'[{`, rune(word[0])) && comment(word) {
		return fmt.Errorf("%w: %s, %s: a text with # in it is written in quotes: %s",
			host.ErrRefused, name, word, strconv.Quote(word))
	}
	if a.r, top = newReader(name, []byte(word)); a.r.err == nil {
		a.value(top)
	}
	return a.r.err
}

// comment reports whether a part of a word would not be read.
func comment(word string) bool {
	return strings.HasPrefix(word, "#") || strings.Contains(word, " #")
}

func (a *arguments) value(n ast.Node) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		a.body = swing.AppendUint(a.body, a.r.number(n, "a number", 0, 1<<64-1, 0))
	case *ast.StringNode:
		a.text(n)
	case *ast.LiteralNode:
		a.body = swing.AppendText(a.body, a.r.text(n, "a text"))
	case *ast.BoolNode:
		a.body = swing.AppendBool(a.body, n.Value)
	case *ast.SequenceNode:
		a.body = swing.AppendArray(a.body, len(n.Values))
		for _, item := range n.Values {
			a.value(item)
		}
	case *ast.MappingNode:
		a.mapping(n)
	case *ast.NullNode:
		a.r.fault(n, "nothing where a value is due (a reference is ref:NAME)")
	default:
		a.r.wrong(n, argumentKinds)
	}
}

const argumentKinds = "a number, text, true, false, list, ref:NAME, {ref: NAME} or {hex: DIGITS}"

// text appends a text, or the reference that one without quotes names.
func (a *arguments) text(n *ast.StringNode) {
	text := a.r.text(n, "a text")
	if n.Token.Type == token.StringType {
		if name, ok := strings.CutPrefix(text, refPrefix); ok {
			a.ref(n, name)
			return
		}
		if strings.HasPrefix(text, "$") && !strings.HasPrefix(text, "$$") {
			a.r.fault(n, "%s: only scenarios have variables "+
				"(a text that begins with $ is written $$)", text)
		}
		if strings.HasPrefix(text, "$$") {
			text = text[1:]
		}
	}
	a.body = swing.AppendText(a.body, text)
}

func (a *arguments) mapping(n *ast.MappingNode) {
	for _, f := range n.Values {
		switch key := f.Key.GetToken().Value; {
		case key == "ref" || key == "hex":
		case operators[key] != "":
			a.r.fault(n, "%s: only scenarios draw or choose", key)
		default:
			a.r.fault(n, "a mapping as a value is {ref: NAME} or {hex: DIGITS}")
		}
	}
	f := a.r.mapping(n, "a value", "ref", "hex")
	switch {
	case a.r.err != nil:
	case len(f.known) != 1:
		a.r.fault(n, "a mapping as a value is {ref: NAME} or {hex: DIGITS}")
	case f.known["ref"] != nil:
		a.ref(n, a.r.text(f.known["ref"], "a name"))
	default:
		a.hex(f.known["hex"])
	}
}

// hex appends bytes. Digits alone look like a number, so that is taken by its text.
func (a *arguments) hex(n ast.Node) {
	digits := n.GetToken().Value
	b, err := hex.DecodeString(digits)
	if err != nil {
		a.r.fault(n, "hex: %v", err)
	}
	a.body = swing.AppendBytes(a.body, b)
}

func (a *arguments) ref(n ast.Node, name string) {
	if a.r.err != nil {
		return
	}
	ref, err := a.refer(name)
	if err != nil {
		a.r.fault(n, "%v", err)
		a.r.err = &argumentError{a.r.err, err}
	}
	a.body = swing.AppendNull(a.body)
	a.slots = append(a.slots, ref)
}

// argumentError is a fault in an argument that has a cause of its own.
type argumentError struct{ shown, cause error }

func (e *argumentError) Error() string   { return e.shown.Error() }
func (e *argumentError) Unwrap() []error { return []error{e.shown, e.cause} }

// Program returns the code of a program: a built-in one by its name, or a .wasm file by
// its path, which has a dot or a slash in it.
func Program(name string) ([]byte, error) {
	if strings.ContainsAny(name, `./\`) {
		code, err := readBounded(name, moduleBytesMax)
		if err != nil {
			return nil, fmt.Errorf("read program: %w", err)
		}
		return code, nil
	}
	code, ok := guest.Program(name)
	if !ok {
		return nil, fmt.Errorf("program %q: %w: built in are %s; a file is given as ./%s.wasm",
			name, host.ErrNotFound, strings.Join(guest.Names(), ", "), name)
	}
	return code, nil
}

// PromiseRefs returns the promises that words name by their krefs.
func PromiseRefs(words []string) ([]swing.KRef, error) {
	return refsOf(words, swing.Promise, "promise, like kp40")
}

// ObjectRefs returns the objects that words name by their krefs.
func ObjectRefs(words []string) ([]swing.KRef, error) {
	return refsOf(words, swing.Object, "object, like ko20")
}

func refsOf(words []string, kind swing.RefKind, want string) (refs []swing.KRef, err error) {
	for _, word := range words {
		ref := swing.KRef(word)
		if ref.Validate() != nil || ref.Kind() != kind {
			return nil, fmt.Errorf("%w: %q is no %s", host.ErrRefused, word, want)
		}
		refs = append(refs, ref)
	}
	return refs, nil
}
