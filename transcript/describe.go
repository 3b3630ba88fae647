package transcript

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"vatwarehouse/swing"
)

// Describe shows a syscall on one line, for people.
func Describe(x Exchange) string {
	s, err := swing.DecodeRequest[swing.VRef](x.Op, x.Request)
	if err != nil {
		return fmt.Sprintf("%v with a malformed request %s", x.Op, Text(x.Request))
	}
	switch x.Op {
	case swing.OpSend:
		return describeMessage("send", s.Target, s.Message)
	case swing.OpCall:
		text := describeMessage("callNow", s.Target, s.Message)
		if a, err := swing.DecodeCallAnswer[swing.VRef](x.Answer); err == nil {
			text += describeAnswer(a)
		}
		return text
	case swing.OpSubscribe:
		return "subscribe " + string(s.Target)
	case swing.OpResolve:
		return "resolve " + describeResolutions(s.Resolutions)
	case swing.OpDropImports, swing.OpRetireImports, swing.OpRetireExports,
		swing.OpAbandonExports:
		return fmt.Sprintf("%v %s", x.Op, describeRefs(s.Refs))
	case swing.OpExit:
		if s.Failure {
			return "exit as a failure " + describeCapData(s.Info)
		}
		return "exit " + describeCapData(s.Info)
	}
	text := fmt.Sprintf("%v %s", x.Op, Text(s.Key))
	if x.Op == swing.OpVatstoreSet {
		return text + " = " + Text(s.Value)
	}
	if v, found, err := swing.DecodeAnswer(x.Answer); err == nil && found {
		return text + " -> " + Text(v)
	} else if err == nil {
		return text + " -> none"
	}
	return text
}

func describeAnswer(a swing.CallAnswer[swing.VRef]) string {
	if a.Failed {
		return " failed: " + describeCapData(a.Data)
	}
	return " = " + describeCapData(a.Data)
}

// Describe shows the entry's delivery and each of its syscalls on a line of its
// own, for people.
func (e Entry) Describe() (delivery string, syscalls []string) {
	for _, x := range e.Exchanges {
		syscalls = append(syscalls, Describe(x))
	}
	return DescribeDelivery(e.Delivery), syscalls
}

// Ending shows how the entry's delivery ended and what it used, for people.
func (e Entry) Ending() string {
	if e.NoFuel {
		return e.Outcome.String() + " (no fuel recorded)"
	}
	return fmt.Sprintf("%v (%d units of fuel)", e.Outcome, e.Outcome.Fuel)
}

// DescribeDelivery shows a delivery on one line, for people.
func DescribeDelivery(b []byte) string {
	d, err := swing.DecodeDelivery[swing.VRef](b)
	if err != nil {
		return "a malformed delivery " + Text(b)
	}
	switch d.Kind {
	case swing.DeliverStartVat:
		return "startVat " + describeCapData(d.Params)
	case swing.DeliverMessage:
		return describeMessage("message", d.Target, d.Message)
	}
	if d.Kind.GC() {
		return d.Kind.String() + " " + describeRefs(d.Refs)
	}
	if d.Kind == swing.DeliverReap {
		return d.Kind.String()
	}
	return "notify " + describeResolutions(d.Resolutions)
}

func describeRefs(refs []swing.VRef) string {
	var b strings.Builder
	for i, ref := range refs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(ref))
	}
	return cut(b.String())
}

func describeMessage(verb string, target swing.VRef, m swing.Message[swing.VRef]) string {
	text := fmt.Sprintf("%s %s.%s(%s)", verb, target, m.Method, describeCapData(m.Args))
	if m.Result != "" {
		text += " -> " + string(m.Result)
	}
	return text
}

func describeResolutions(rs []swing.Resolution[swing.VRef]) string {
	var parts []string
	for _, r := range rs {
		verb := " = "
		if r.Rejected {
			verb = " rejected: "
		}
		parts = append(parts, string(r.Promise)+verb+describeCapData(r.Data))
	}
	return strings.Join(parts, ", ")
}

func describeCapData(c swing.CapData[swing.VRef]) string {
	if ref, ok := c.Reference(); ok {
		return string(ref)
	}
	if b := readBody(c); b.ok {
		return cut(text(b.value))
	}
	switch {
	case len(c.Slots) == 0:
		return Text(c.Body)
	case len(c.Body) == 0:
		return fmt.Sprint(c.Slots)
	}
	return fmt.Sprintf("%s %v", Text(c.Body), c.Slots)
}

// textBytesMax bounds what Text shows.
const textBytesMax = 120

// cut shortens a line's part.
func cut(s string) string {
	if len(s) <= textBytesMax {
		return s
	}
	return strings.ToValidUTF8(s[:textBytesMax], "") + "…"
}

// Text shows bytes as text where they are printable, else in hex, cut to a
// line's length.
func Text(b []byte) string {
	cut, dots := b, ""
	if len(b) > textBytesMax {
		cut, dots = b[:textBytesMax], fmt.Sprintf("… (%d bytes)", len(b))
	}
	printable := true
	for rest := cut; len(rest) > 0 && printable; {
		r, n := utf8.DecodeRune(rest)
		printable = unicode.IsPrint(r) && (r != utf8.RuneError || n > 1)
		rest = rest[n:]
	}
	if printable {
		return string(cut) + dots
	}
	return "0x" + hex.EncodeToString(cut) + dots
}
