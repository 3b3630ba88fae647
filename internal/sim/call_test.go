package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// names answers for two vats, as a directory would.
func names(name string) (swing.KRef, error) {
	switch name {
	case "one", "ko20":
		return "ko20", nil
	case "two.0":
		return "ko21", nil
	}
	return "", &NameError{name}
}

// TestArguments: every kind of value, as a word of its own and inside a list.
func TestArguments(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"12": "12", "1_000": "1000", "0": "0", "18446744073709551615": "18446744073709551615",
		"text": `"text"`, `"12"`: `"12"`, "'12'": `"12"`, "two words": `"two words"`, "": `""`, "  ": `"  "`,
		"true": "true", "false": "false", "[]": "[]", "[a, [b, 1], true]": `["a", ["b", 1], true]`,
		"ref:one": "ko20", "{ref: two.0}": "ko21", "ref:ko20": "ko20", `{"ref": "one"}`: "ko20", `"ref:one"`: `"ref:one"`,
		"[ref:one, 5, {ref: two.0}]": "[ko20, 5, ko21]", "{hex: 00ff}": "0x00ff", "{hex: 0012}": "0x0012",
		"{hex: 12}": "0x12", `{hex: "0a"}`: "0x0a", "{hex: 85636f2b3065611b5b324a418080f6}": "0x85636f2b3065611b5b324a418080f6",
		"$$i": `"$i"`, `"$i"`: `"$i"`, "http://x/y#z": `"http://x/y#z"`, `"a # b"`: `"a # b"`, "it's": `"it's"`,
	} {
		body, slots, err := makeArguments([]string{word}, names)
		data := swing.CapData[swing.KRef]{Body: body, Slots: slots}
		if got := ShowData(data); err != nil || got != "["+want+"]" {
			t.Errorf("%q: %s, %v, want [%s]", word, got, err, want)
		}
	}
	body, slots, err := makeArguments([]string{"1", "ref:one", "x", "ref:one"}, names)
	data := swing.CapData[swing.KRef]{Body: body, Slots: slots}
	if got := ShowData(data); err != nil || got != `[1, ko20, "x", ko20]` || len(slots) != 2 {
		t.Errorf("%s, %v, %v", got, slots, err)
	}
	if body, slots, err = makeArguments(nil, names); body != nil || slots != nil || err != nil {
		t.Errorf("no words: %x, %v, %v", body, slots, err)
	}
}

// TestBadArguments: what is no value is refused, with the word and what would be right.
func TestBadArguments(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"-5": "not a plain decimal number", "1.5": "a fraction where a number, text", "0x10": "not a plain decimal",
		"99999999999999999999": "more than 64 bits", "null": "nothing where a value is due", "[~]": "nothing where",
		"[a": "argument 1:1", "{a: 1}": "a mapping as a value is {ref: NAME} or {hex: DIGITS}", "a: b": "a mapping as",
		"{ref: one, hex: 00}": "a mapping as a value", "{pick: [1]}": "pick: only scenarios draw", "{each: one}": "each: only",
		"{ref: [one]}": "a list where a name is due", "{hex: 0}": "odd length", "{hex: xy}": "invalid byte", "{hex: [1]}": "hex:",
		"$i": "only scenarios have variables", "[1, $n]": "only scenarios have variables", "{ref: 5}": "a number where a name",
		"ref:three": `there is no vat "three"`, "[ref:ko9]": `there is no vat "ko9"`, "#a": "is written in quotes",
		"a #b": "is written in quotes", "\xff": "not UTF-8", "*x": "argument 1",
		strings.Repeat("x", 300<<10): "has 307200 bytes, limit 262144",
		strings.Repeat("[", 10_001):  "brackets",
	} {
		_, _, err := makeArguments([]string{word}, names)
		var fault *Error
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &fault) && !errors.Is(err, host.ErrRefused) {
			t.Errorf("%.40q: %v, want %s", word, err, want)
		}
	}
	_, _, err := makeArguments([]string{"1", "ref:three"}, names)
	var name *NameError
	if !errors.As(err, &name) || name.Name != "three" || !errors.Is(err, host.ErrNotFound) || !strings.Contains(err.Error(), "argument 2:1:1: ") {
		t.Errorf("%v", err)
	}
}

// TestShowData: references stand where the body has nulls, what is left over follows,
// a bare reference is itself, and an error is its text.
func TestShowData(t *testing.T) {
	t.Parallel()
	null := swing.AppendNull(swing.AppendUint(swing.AppendNull(swing.AppendArray(nil, 3)), 5))
	for want, c := range map[string]swing.CapData[swing.KRef]{
		"":                     {},
		"ko20":                 {Slots: []swing.KRef{"ko20"}},
		"ko20 ko21":            {Slots: []swing.KRef{"ko20", "ko21"}},
		"[ko20, 5, kp40]":      {Body: null, Slots: []swing.KRef{"ko20", "kp40"}},
		"[ko20, 5, null]":      {Body: null, Slots: []swing.KRef{"ko20"}},
		"[ko20, 5, kp40] ko9":  {Body: null, Slots: []swing.KRef{"ko20", "kp40", "ko9"}},
		"gone ko20":            {Body: []byte(`#{"#error":"gone","name":"Error"}`), Slots: []swing.KRef{"ko20"}},
		`"plain\x1b" ko20`:     {Body: []byte("plain\x1b"), Slots: []swing.KRef{"ko20"}},
		`"#not an error" kp40`: {Body: []byte("#not an error"), Slots: []swing.KRef{"kp40"}},
	} {
		if got := ShowData(c); got != want {
			t.Errorf("%x %v: %s, want %s", c.Body, c.Slots, got, want)
		}
	}
}

// TestScriptLines: words, quotes, brackets, comments; and what is wrong, by its line.
func TestScriptLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "script")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# a comment\n\n v1  put {hex: 00} [a, \"b ] c\"] \t'it''s here' it's\n\tko20 \"x\\\"y z\" ref:one\n")
	calls, err := ReadCalls(path)
	want := []Call{
		{"v1", "put", []string{"{hex: 00}", `[a, "b ] c"]`, "'it''s here'", "it's"}},
		{"ko20", `"x\"y z"`, []string{"ref:one"}},
	}
	if err != nil || fmt.Sprint(calls) != fmt.Sprint(want) || len(calls[0].Args) != 4 || len(calls[1].Args) != 1 {
		t.Errorf("%q, %v", calls, err)
	}
	for text, want := range map[string]string{
		"":                           "there is no message in it",
		"v1 read\nv1\n":              "script:2:1: want TARGET METHOD",
		"v1 say \"open\n":            "script:1:1: a quote (\") that is not closed",
		"v1 say [a\n":                "brackets that are not closed",
		"v1 say a]\n":                "brackets that are not closed",
		strings.Repeat("x", 300<<10): "want a file of at most",
	} {
		write(text)
		if _, err := ReadCalls(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
	if _, err := ReadCalls(path + ".none"); err == nil {
		t.Error("read what is not there")
	}
}

// TestProgramByNameOrPath: built-in by name, a file by its path, and nothing else.
func TestProgramByNameOrPath(t *testing.T) {
	t.Parallel()
	built, err := Program("counter")
	if want, _ := guest.Program("counter"); err != nil || !slices.Equal(built, want) {
		t.Errorf("counter: %d bytes, %v", len(built), err)
	}
	path := filepath.Join(t.TempDir(), "own.wasm")
	if err := os.WriteFile(path, built, 0o600); err != nil {
		t.Fatal(err)
	}
	if own, err := Program(path); err != nil || !slices.Equal(own, built) {
		t.Errorf("own: %d bytes, %v", len(own), err)
	}
	if _, err := Program("countre"); !errors.Is(err, host.ErrNotFound) || !strings.Contains(err.Error(), "built in are book, clerk, comms, counter") {
		t.Errorf("%v", err)
	}
	if _, err := Program("./none.wasm"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestAsk: answers come, their promises go; nothing is sent if anything is wrong; what
// is not answered stays held; what is not run stays queued.
func TestAsk(t *testing.T) {
	t.Parallel()
	h, ctx := threeVats(t), context.Background()
	answers, ran, err := Ask(ctx, h, []Call{
		{"counter", "incr", []string{"5"}}, {"v1", "read", nil}, {"sampler", "echo", []string{"1", "a", "{hex: 00}", "true", "ref:v1"}},
		{"ko22", "fail", nil}, {"sampler", "make", nil},
	}, AskOptions{})
	if err != nil || !ran.Idle {
		t.Fatalf("%+v, %v", ran, err)
	}
	for i, want := range []string{
		"fulfilled [5]", "fulfilled [5]", `fulfilled [1, "a", 0x00, true, ko20]`, "unresolved ", "fulfilled ko23",
	} {
		a := answers[i]
		if got := a.State + " " + ShowData(a.Data); got != want || a.Held != (a.State == "unresolved") {
			t.Errorf("%d: %s, held %v, want %s", i, got, a.Held, want)
		}
		if _, err := h.Promise(a.Promise); errors.Is(err, host.ErrNotFound) == a.Held {
			t.Errorf("%d: %s: %v", i, a.Promise, err)
		}
	}
	answers, ran, err = Ask(ctx, h, []Call{{"v1", "incr", []string{"1"}}}, AskOptions{NoRun: true})
	if err != nil || ran.Cranks != 0 || !answers[0].Held || answers[0].State != "unresolved" {
		t.Errorf("not run: %+v, %+v, %v", answers, ran, err)
	}
}

// TestAskRefuses: nothing is sent, not even a good message before a bad one.
func TestAskRefuses(t *testing.T) {
	t.Parallel()
	h, ctx := threeVats(t), context.Background()
	if err := h.Terminate(ctx, "v3", "enough"); err != nil {
		t.Fatal(err)
	}
	hash, _ := h.Activityhash()
	var long []string
	for range 5 {
		long = append(long, strings.Repeat("x", 250<<10))
	}
	for _, bad := range []Call{
		{"nobody", "read", nil}, {"v9", "read", nil}, {"ko99", "read", nil}, {"kp99", "read", nil}, {"v3", "read", nil},
		{"ko22", "read", nil}, {"v1", "read", []string{"ref:x"}}, {"v1", "\xff", nil}, {"v1", strings.Repeat("m", 2000), nil},
		{"v1", "incr", long}, {"", "read", nil},
	} {
		_, _, err := Ask(ctx, h, []Call{bad}, AskOptions{})
		if !errors.Is(err, host.ErrRefused) && !errors.Is(err, host.ErrNotFound) {
			t.Errorf("%.80s: %v", bad, err)
		}
		if _, _, err = Ask(ctx, h, []Call{{"v1", "read", nil}, bad}, AskOptions{}); err == nil || len(err.Error()) > 2<<20 {
			t.Errorf("%.80s after a good one: %v", bad, err)
		}
		if after, _ := h.Activityhash(); after != hash {
			t.Errorf("%.80s: something was sent", bad)
		}
	}
}

// threeVats is a host with a counter, a sampler and a puppet.
func threeVats(t *testing.T) *host.Host {
	t.Helper()
	ctx := context.Background()
	h, err := host.Open(ctx, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"counter", "sampler", "puppet"} {
		if _, _, err := (NewVat{Program: name, Name: name}).Make(ctx, h, AskOptions{NoRun: true}); err != nil {
			t.Fatal(err)
		}
	}
	return h
}
