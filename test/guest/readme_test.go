package guest_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/worker"
)

var rewrite = flag.Bool("rewrite", false, "write the examples of guest/README.md anew")

const readmePath = "../../guest/README.md"

// field is what a value of an encoding is called, and its items if it is an array:
// named one by one, or all alike.
type field struct {
	name  string
	items []field
	each  *field
}

func fields(names ...string) (fs []field) {
	for _, n := range names {
		fs = append(fs, field{name: n, each: &field{name: "slot"}})
	}
	return fs
}

var resolutions = field{name: "resolutions", each: &field{
	name: "resolution", items: fields("promise", "rejected", "body", "slots"),
}}

// example is one encoding that the README shows.
type example struct {
	bytes    []byte
	schema   field
	describe string // as transcript shows it
}

func delivery(d swing.Delivery[vref], extra ...field) example {
	d.Time = 1_700_000_000_000_000_000
	b := swing.AppendDelivery(nil, d)
	return example{b, field{"delivery", append(fields("version", "kind", "time"), extra...), nil},
		transcript.DescribeDelivery(b)}
}

func request(s vsyscall, schema field) example {
	b := swing.AppendRequest(nil, s)
	schema.name = "request"
	return example{b, schema, transcript.Describe(transcript.Exchange{
		Op: s.Op, Request: b, Answer: swing.AppendAnswer(nil, nil, false),
	})}
}

// examples are the README's, by the words after its fences.
func examples() map[string]example {
	message := vmessage{Method: "pay", Args: list[vref]("gold", 500, vref("o-51")), Result: "p-60"}
	settled := []swing.Resolution[vref]{
		{Promise: "p+1", Data: list[vref](7)},
		{Promise: "p-61", Rejected: true, Data: list[vref]("no")},
		{Promise: "p+2", Data: swing.ReferenceTo(vref("o-52"))},
	}
	send := message
	send.Result = "p+1"
	items := func(names ...string) field { return field{items: fields(names...)} }
	resolve := func(rs []swing.Resolution[vref]) vsyscall {
		return vsyscall{Op: swing.OpResolve, Resolutions: rs}
	}
	names := field{name: "references", each: &field{name: "reference"}}
	refs := func(kind swing.DeliveryKind, refs ...vref) example {
		return delivery(swing.Delivery[vref]{Kind: kind, Refs: refs}, names)
	}
	about := func(op swing.Op, refs ...vref) example {
		return request(vsyscall{Op: op, Refs: refs}, names)
	}
	store := func(op swing.Op, value string) vsyscall {
		return vsyscall{Op: op, Key: []byte("key"), Value: []byte(value)}
	}
	return map[string]example{
		"delivery startVat": delivery(swing.Delivery[vref]{
			Kind: swing.DeliverStartVat, Params: list[vref]("gold", vref("o-50")),
		}, fields("body", "slots")...),
		"delivery message": delivery(swing.Delivery[vref]{
			Kind: swing.DeliverMessage, Target: "o+0", Message: message,
		}, fields("target", "method", "body", "slots", "result")...),
		"delivery notify": delivery(swing.Delivery[vref]{
			Kind: swing.DeliverNotify, Resolutions: settled,
		}, resolutions),
		"delivery dropExports":   refs(swing.DeliverDropExports, "o+7", "o+8"),
		"delivery retireExports": refs(swing.DeliverRetireExports, "o+7"),
		"delivery retireImports": refs(swing.DeliverRetireImports, "o-51"),
		"delivery reap":          delivery(swing.Delivery[vref]{Kind: swing.DeliverReap}),
		"request callNow": request(vsyscall{
			Op: swing.OpCall, Target: "o-50", Message: vmessage{Method: "delay", Args: list[vref](5, vref("o+7"))},
		}, items("device", "method", "body", "slots")),
		"called answer": {
			swing.AppendCallAnswer(nil, swing.CallAnswer[vref]{Data: list[vref](1)}),
			field{name: "answer", items: fields("failed", "body", "slots")}, "an answer",
		},
		"request dropImports":    about(swing.OpDropImports, "o-50", "o-51"),
		"request retireImports":  about(swing.OpRetireImports, "o-50"),
		"request retireExports":  about(swing.OpRetireExports, "o+7"),
		"request abandonExports": about(swing.OpAbandonExports, "o+8"),
		"request send": request(vsyscall{Op: swing.OpSend, Target: "o-50", Message: send},
			items("target", "method", "body", "slots", "result")),
		"request subscribe": request(vsyscall{Op: swing.OpSubscribe, Target: "p+1"},
			items("promise")),
		"request resolve": request(resolve(settled[1:]), resolutions),
		"request exit": request(vsyscall{Op: swing.OpExit, Info: list[vref]("done")},
			items("failure", "body", "slots")),
		"request vatstoreGet":     request(store(swing.OpVatstoreGet, ""), items("key")),
		"request vatstoreSet":     request(store(swing.OpVatstoreSet, "value"), items("key", "value")),
		"request vatstoreDelete":  request(store(swing.OpVatstoreDelete, ""), items("key")),
		"request vatstoreNextKey": request(store(swing.OpVatstoreNextKey, ""), items("prior key")),
		"answer found": {
			swing.AppendAnswer(nil, []byte("value"), true), field{name: "value"}, "a value",
		},
		"answer absent": {swing.AppendAnswer(nil, nil, false), field{name: "none"}, "none"},
	}
}

// render writes one value a line: its bytes in hex, and what they are.
func (e example) render() string {
	r := swing.NewReader(e.bytes)
	out := e.describe + "\n" + renderValue(r, e.schema, "  ")
	if err := r.Done(); err != nil {
		panic(err)
	}
	return out
}

func renderValue(r *swing.Reader, f field, indent string) string {
	whole := *r
	raw := whole.Raw()
	line := func(head []byte, rest, what string) string {
		digits := strings.TrimSpace(hex.EncodeToString(head) + " " + rest)
		return fmt.Sprintf("%-40s%s\n", indent+digits, what)
	}
	switch raw[0] & 0xe0 {
	case 0x00:
		return line(raw, "", fmt.Sprintf("%s %d", f.name, r.Uint()))
	case 0x40:
		b := r.Bytes()
		what := fmt.Sprintf("%s, %d bytes", f.name, len(b))
		return line(raw[:len(raw)-len(b)], hex.EncodeToString(b), what)
	case 0x60:
		s := r.Text()
		return line(raw[:len(raw)-len(s)], hex.EncodeToString([]byte(s)), fmt.Sprintf("%s %q", f.name, s))
	case 0x80:
		n := r.Array()
		out := line(raw[:1], "", fmt.Sprintf("%s: %d", f.name, n))
		for i := range n {
			item := field{}
			if f.items != nil {
				item = f.items[i]
			} else if f.each != nil {
				item = *f.each
			}
			out += renderValue(r, item, indent+"  ")
		}
		return out
	}
	if r.Null() {
		return line(raw, "", f.name+" null")
	}
	return line(raw, "", fmt.Sprintf("%s %v", f.name, r.Bool()))
}

var fence = regexp.MustCompile("(?s)```vat ([a-zA-Z ]+)\n(.*?)```")

// TestReadmeExamples: every hex dump of the README is the encoding of what its first
// line says: its bytes decode, strictly, to that and encode to themselves; and the
// words beside them are theirs. With -rewrite the dumps are written anew.
func TestReadmeExamples(t *testing.T) {
	readme := readFile(t, readmePath)
	want := examples()
	if *rewrite {
		readme = fence.ReplaceAllFunc(readme, func(block []byte) []byte {
			name := string(fence.FindSubmatch(block)[1])
			return []byte("```vat " + name + "\n" + want[name].render() + "```")
		})
		if err := os.WriteFile(readmePath, readme, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range fence.FindAllSubmatch(readme, -1) {
		name, block := string(m[1]), string(m[2])
		e, ok := want[name]
		if !ok {
			t.Errorf("the README shows %q, of which the test knows nothing", name)
			continue
		}
		delete(want, name)
		if block != e.render() {
			t.Errorf("the README shows of %s\n%s\nwant\n%s", name, block, e.render())
		}
		checkDump(t, name, block)
	}
	for name := range want {
		t.Errorf("the README does not show %s", name)
	}
}

// checkDump decodes a block's hex by itself, without the test's own values.
func checkDump(t *testing.T, name, block string) {
	t.Helper()
	description, dump, _ := strings.Cut(block, "\n")
	var b []byte
	for line := range strings.Lines(dump) {
		digits, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
		part, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			t.Fatalf("%s: %q: %v", name, line, err)
		}
		b = append(b, part...)
	}
	kind, what, _ := strings.Cut(name, " ")
	var got string
	var again []byte
	switch kind {
	case "delivery":
		d, err := swing.DecodeDelivery[vref](b)
		if err != nil || d.Kind.String() != what {
			t.Fatalf("%s: a %v: %v", name, d.Kind, err)
		}
		got, again = transcript.DescribeDelivery(b), swing.AppendDelivery(nil, d)
	case "request":
		op := opNamed(what)
		s, err := swing.DecodeRequest[vref](op, b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got = transcript.Describe(transcript.Exchange{
			Op: op, Request: b, Answer: swing.AppendAnswer(nil, nil, false),
		})
		again = swing.AppendRequest(nil, s)
	case "called":
		a, err := swing.DecodeCallAnswer[vref](b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, again = "an answer", swing.AppendCallAnswer(nil, a)
	case "answer":
		value, found, err := swing.DecodeAnswer(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got = map[bool]string{true: "a value", false: "none"}[found]
		again = swing.AppendAnswer(nil, value, found)
	}
	if got != description || !bytes.Equal(again, b) {
		t.Fatalf("%s: the bytes say %q and are %x again; the README says %q of %x",
			name, got, again, description, b)
	}
}

func opNamed(name string) swing.Op {
	for op := range swing.Op(64) {
		if op.String() == name {
			return op
		}
	}
	return 0
}

// readmeImports are the imports that the README's tables have.
func readmeImports(t *testing.T) (vat, wasi []imported) {
	t.Helper()
	for _, m := range importRow.FindAllSubmatch(readFile(t, readmePath), -1) {
		f := imported{
			module: "vat_v1", name: string(m[1]), params: strings.Fields(string(m[2])),
			result: string(m[3]) == "i32", what: string(m[4]),
		}
		switch {
		case f.name == "vat_deliver" || f.name == "_initialize": // exports
		case len(vat) < 5:
			vat = append(vat, f)
		default:
			f.module = "wasi_snapshot_preview1"
			wasi = append(wasi, f)
		}
	}
	if len(vat) != 5 || len(wasi) != 46 {
		t.Fatalf("the README names %d imports of vat_v1 and %d of WASI", len(vat), len(wasi))
	}
	return vat, wasi
}

// importRow is a row of the README's tables of imports: name, type, and what it does.
var importRow = regexp.MustCompile(
	"(?m)^\\| `([a-z0-9_]+)` \\| `\\(([i0-9 ]*)\\) -> (\\(\\)|i32)` \\|(.*)$")

// TestReadmeImports: a program that imports every function the README names, with
// the type that it gives, is admitted; one of another type, or another name, is not.
func TestReadmeImports(t *testing.T) {
	e, err := worker.NewEngine(context.Background(), worker.Options{Interpreter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	vat, wasi := readmeImports(t)
	compiles := func(fs ...imported) error {
		p, err := e.Compile(context.Background(), assemble(fs, constant(0)))
		if err == nil {
			err = p.Close(context.Background())
		}
		return err
	}
	if err := compiles(append(vat, wasi...)...); err != nil {
		t.Fatal(err)
	}
	for _, f := range append(vat, wasi...) {
		other, misnamed := f, f
		other.params, misnamed.name = append([]string{"i64"}, f.params...), f.name+"x"
		for _, bad := range []imported{other, misnamed} {
			if err := compiles(bad); err == nil || !strings.Contains(err.Error(), "import") {
				t.Errorf("%v: %v", bad, err)
			}
		}
	}
}

// TestReadmeLimits: the limits that the README names are the default ones.
func TestReadmeLimits(t *testing.T) {
	readme := readFile(t, readmePath)
	l := swing.DefaultLimits()
	for what, limit := range map[string]int{
		"body": l.BodyBytes, "slots of one body": l.Slots, "method name": l.MethodBytes,
		"resolutions of one resolve": l.Resolutions, "vatstore key": l.KeyBytes,
		"vatstore value": l.ValueBytes, "syscalls of one delivery": l.Syscalls,
		"their requests and answers together": l.SyscallBytes, "log text of one delivery": l.LogBytes,
		"memory": l.MemoryBytes,
	} {
		row := regexp.MustCompile(fmt.Sprintf(`(?m)^\| %s \| %d (bytes )?\|`, what, limit))
		if !row.Match(readme) {
			t.Errorf("the README has no row %q with %d", what, limit)
		}
	}
}

// TestReadmeProgram: the vat in the README's last section answers as it says,
// whatever it is sent. It is assembled where there is a wat2wasm.
func TestReadmeProgram(t *testing.T) {
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Logf("not assembled: %v", err)
		return
	}
	readme := readFile(t, readmePath)
	source := regexp.MustCompile("(?s)```wat\n(.*?)```").FindSubmatch(readme)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "readme.wat"), filepath.Join(dir, "readme.wasm")
	if err := os.WriteFile(in, source[1], 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(tool, "-o", out, in).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	code := readFile(t, out)
	w := newWorld(t, reference)
	root := w.rootOf(code)
	for _, args := range [][]any{{}, {"ppp", 1, root}, {strings.Repeat("p", 100_000)}} {
		w.expect("[]", root, "anything", args...)
	}
}
