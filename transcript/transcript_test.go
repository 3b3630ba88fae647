package transcript_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
)

type vsyscall = swing.Syscall[swing.VRef]

// store is the dumbest vatstore.
type store map[string]string

func (s store) Get(key []byte) ([]byte, bool) { v, ok := s[string(key)]; return []byte(v), ok }
func (s store) Set(key, value []byte) bool    { s[string(key)] = string(value); return true }
func (s store) Delete(key []byte)             { delete(s, string(key)) }
func (s store) Next(after []byte) ([]byte, bool) {
	best, ok := "", false
	for k := range s {
		if k > string(after) && (!ok || k < best) {
			best, ok = k, true
		}
	}
	return []byte(best), ok
}

// calls are the syscalls of one sample delivery.
func calls() []vsyscall {
	return []vsyscall{
		{Op: swing.OpVatstoreSet, Key: []byte("k"), Value: []byte("v")},
		{Op: swing.OpVatstoreGet, Key: []byte("k")},
		{Op: swing.OpVatstoreGet, Key: []byte("none")},
		{Op: swing.OpVatstoreNextKey},
		{Op: swing.OpSend, Target: "o-50", Message: swing.Message[swing.VRef]{Method: "hi", Result: "p+1"}},
		{Op: swing.OpSubscribe, Target: "p+1"},
		{Op: swing.OpVatstoreDelete, Key: []byte("k")},
		{Op: swing.OpResolve, Resolutions: []swing.Resolution[swing.VRef]{
			{Promise: "p-60", Rejected: true, Data: swing.CapData[swing.VRef]{Body: []byte("no")}},
		}},
		{Op: swing.OpExit, Info: swing.ReferenceTo(swing.VRef("o+3"))},
	}
}

func record(t *testing.T, position uint64) transcript.Entry {
	t.Helper()
	r := transcript.NewRecorder(store{}, swing.DefaultLimits())
	for _, s := range calls() {
		if _, ok := r.Syscall(s.Op, swing.AppendRequest(nil, s)); !ok {
			t.Fatal(r.Illegal())
		}
	}
	d := swing.Delivery[swing.VRef]{Kind: swing.DeliverMessage, Target: "o+0", Message: swing.Message[swing.VRef]{
		Method: "go", Args: swing.CapData[swing.VRef]{Body: []byte{1, 2}, Slots: []swing.VRef{"o-50", "p-60"}},
	}}
	return transcript.Entry{
		Position: position, Delivery: swing.AppendDelivery(nil, d),
		Exchanges: r.Exchanges(), Outcome: swing.Outcome{Status: swing.StatusOK, Fuel: 1234},
	}
}

// TestRecorderAnswersFromTheStore: reads see the delivery's own writes; other
// syscalls are kept and answered with nothing.
func TestRecorderAnswersFromTheStore(t *testing.T) {
	var got []string
	for _, x := range record(t, 0).Exchanges {
		got = append(got, transcript.Describe(x))
	}
	want := []string{
		"vatstoreSet k = v", "vatstoreGet k -> v", "vatstoreGet none -> none",
		"vatstoreNextKey  -> k", "send o-50.hi() -> p+1", "subscribe p+1",
		"vatstoreDelete k", "resolve p-60 rejected: no", "exit o+3",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestRecorderLimits: each limit ends the delivery at its number and says so.
func TestRecorderLimits(t *testing.T) {
	get := vsyscall{Op: swing.OpVatstoreGet, Key: []byte("key")}
	req := swing.AppendRequest(nil, get)
	rows := []struct {
		says   string
		limits func(*swing.Limits)
		fits   int // how many such syscalls fit
	}{
		{"more than 3 syscalls", func(l *swing.Limits) { l.Syscalls = 3 }, 3},
		{"more than 12 bytes", func(l *swing.Limits) { l.SyscallBytes = 12 }, 2},
		{"limit 2", func(l *swing.Limits) { l.KeyBytes = 2 }, 0},
	}
	for _, r := range rows {
		limits := swing.DefaultLimits()
		r.limits(&limits)
		rec := transcript.NewRecorder(store{}, limits)
		n := 0
		for ; n < 10; n++ {
			if _, ok := rec.Syscall(get.Op, req); !ok {
				break
			}
		}
		if n != r.fits || !strings.Contains(rec.Illegal(), r.says) || len(rec.Exchanges()) != n {
			t.Errorf("%d fit, illegal %q; want %d and %q", n, rec.Illegal(), r.fits, r.says)
		}
	}
}

func sameEntry(a, b transcript.Entry) string { return cmp.Diff(a, b, cmpopts.EquateEmpty()) }

// TestEntryIsOneByteString: round trip, also of an item without fuel; every truncation
// and bit flip is refused or is the canonical item of another entry.
func TestEntryIsOneByteString(t *testing.T) {
	e := record(t, 300)
	oneByteString(t, e)
	e.NoFuel, e.Outcome.Fuel = true, 0
	oneByteString(t, e)
}

func oneByteString(t *testing.T, e transcript.Entry) {
	item := e.Append(nil)
	got, err := transcript.Decode(item)
	if err != nil || sameEntry(e, got) != "" {
		t.Fatalf("%v\n%s", err, sameEntry(e, got))
	}
	for n := range item {
		if _, err := transcript.Decode(item[:n]); err == nil {
			t.Fatalf("cut at %d: accepted", n)
		}
	}
	for bit := range 8 * len(item) {
		flipped := bytes.Clone(item)
		flipped[bit/8] ^= 1 << (bit % 8)
		canonical(t, flipped)
	}
}

func canonical(t *testing.T, item []byte) {
	e, err := transcript.Decode(item)
	if err != nil {
		if !errors.Is(err, swing.ErrEncoding) {
			t.Fatalf("error without its mark: %v", err)
		}
		return
	}
	if !bytes.Equal(item, e.Append(nil)) {
		t.Fatalf("two items for one entry:\n%x\n%x", item, e.Append(nil))
	}
	for _, x := range e.Exchanges {
		transcript.Describe(x)
	}
	if _, err := e.JSON(); err != nil {
		t.Fatal(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add((transcript.Entry{Outcome: swing.Outcome{Status: swing.StatusOK}}).Append(nil))
	f.Add((transcript.Entry{NoFuel: true, Outcome: swing.Outcome{Status: swing.StatusOK}}).Append(nil))
	f.Add((transcript.Entry{Position: 1, Exchanges: []transcript.Exchange{{Op: 1}}, Delivery: []byte{1},
		Outcome: swing.Outcome{Status: swing.StatusTrapped, Problem: "x"}}).Append(nil))
	f.Fuzz(canonical)
}

func seq(items [][]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, i := range items {
			if !yield(i, nil) {
				return
			}
		}
	}
}

func history(t *testing.T, n int) (items [][]byte, spans []transcript.Span) {
	spans = []transcript.Span{{}}
	for i := range n {
		items = append(items, record(t, uint64(i)).Append(nil))
		spans = append(spans, spans[i].Extend(items[i]))
	}
	return items, spans
}

func verify(s, base transcript.Span, items [][]byte) (n int, err error) {
	for _, err := range s.Verified(base, seq(items)) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// TestVerifiedSuffix: from every earlier part of the span the rest verifies,
// and every kind of tampering with it does not.
func TestVerifiedSuffix(t *testing.T) {
	items, spans := history(t, 6)
	whole := spans[6]
	for i, base := range spans {
		if n, err := verify(whole, base, items[i:]); err != nil || n != 6-i {
			t.Fatalf("from %d: %d entries, %v", i, n, err)
		}
	}
	altered := bytes.Clone(items[3])
	altered[len(altered)-1] ^= 1 // the problem's length: refused by Decode or by the chain
	other := record(t, 3)
	other.Exchanges[0].Answer = []byte{0xf6}
	tampered := map[string][][]byte{
		"cut":       items[:5],
		"empty":     nil,
		"swapped":   {items[0], items[2], items[1], items[3], items[4], items[5]},
		"skipped":   {items[0], items[2], items[3], items[4], items[5]},
		"repeated":  {items[0], items[1], items[1], items[2], items[3], items[4], items[5]},
		"altered":   {items[0], items[1], items[2], altered, items[4], items[5]},
		"exchanged": {items[0], items[1], items[2], other.Append(nil), items[4], items[5]},
		"too long":  append(slices.Clone(items), record(t, 6).Append(nil)),
	}
	for name, items := range tampered {
		if _, err := verify(whole, transcript.Span{}, items); err == nil {
			t.Errorf("%s: verified", name)
		}
	}
	_, err := verify(whole, transcript.Span{}, items[:5])
	var chain *transcript.ChainError
	if !errors.As(err, &chain) || chain.Position != 5 || !strings.Contains(err.Error(), "position 5") {
		t.Errorf("cut: %v", err)
	}
}

// TestReadErrorNamesThePosition: what the store cannot read is said with its place.
func TestReadErrorNamesThePosition(t *testing.T) {
	items, spans := history(t, 3)
	bad := errors.New("bad sector")
	broken := func(yield func([]byte, error) bool) {
		_ = yield(items[0], nil) && yield(nil, bad)
	}
	for _, err := range spans[3].Verified(spans[0], broken) {
		if err != nil && (!errors.Is(err, bad) || !strings.Contains(err.Error(), "position 1")) {
			t.Errorf("got %v", err)
		}
	}
}

// replay runs syscalls against an entry and returns what Finish says.
func replay(e transcript.Entry, syscalls []vsyscall, o swing.Outcome) error {
	r := transcript.NewReplayer(e)
	for _, s := range syscalls {
		if _, ok := r.Syscall(s.Op, swing.AppendRequest(nil, s)); !ok {
			break
		}
	}
	return r.Finish(o)
}

// TestReplayFindsEveryDifference: 100 % of random changes to one delivery's
// syscalls, their order or its outcome are found, at the exact syscall.
func TestReplayFindsEveryDifference(t *testing.T) {
	e := record(t, 17)
	ok := e.Outcome
	if err := replay(e, calls(), ok); err != nil {
		t.Fatalf("an exact repetition diverged: %v", err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		cs := calls()
		i := rng.IntN(len(cs))
		want, outcome := i, ok
		switch rng.IntN(6) {
		case 0: // one missing
			cs = slices.Delete(cs, i, i+1)
		case 1: // one too many
			cs = slices.Insert(cs, i, vsyscall{Op: swing.OpVatstoreGet, Key: []byte{byte(rng.Uint32()), 0}})
		case 2: // two swapped
			j := (i + 1 + rng.IntN(len(cs)-1)) % len(cs)
			cs[i], cs[j] = cs[j], cs[i]
			want = min(i, j)
		case 3: // one altered
			cs[i] = vsyscall{Op: cs[i].Op, Key: []byte("x"), Value: []byte("y"), Target: "p+77",
				Resolutions: []swing.Resolution[swing.VRef]{{Promise: "p-1"}}, Failure: true}
		case 4: // another end
			outcome, want = swing.Outcome{Status: swing.StatusTrapped, Problem: "unreachable"}, transcript.AtOutcome
		case 5: // another use of fuel
			outcome.Fuel, want = rng.Uint64N(1234), transcript.AtOutcome
		}
		err := replay(e, cs, outcome)
		var d *transcript.DivergenceError
		if !errors.As(err, &d) || d.Position != 17 || d.Syscall != want {
			t.Fatalf("change at %d: %v", want, err)
		}
	}
}

// TestDivergenceShowsBothSides: a person sees vat, position, syscall, and both texts.
func TestDivergenceShowsBothSides(t *testing.T) {
	cs := calls()
	cs[4].Message.Method = "ho"
	err := replay(record(t, 17), cs, swing.Outcome{Status: swing.StatusOK})
	var d *transcript.DivergenceError
	if !errors.As(err, &d) {
		t.Fatal(err)
	}
	d.Vat = "v3"
	for _, says := range []string{"v3", "position 17", "syscall 4", "send o-50.hi()", "send o-50.ho()"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%q does not say %q", err, says)
		}
	}
}

// TestDivergenceShowsBothFuels: a person sees what was used then and now.
func TestDivergenceShowsBothFuels(t *testing.T) {
	e := record(t, 17)
	err := replay(e, calls(), swing.Outcome{Status: swing.StatusOK, Fuel: 1235})
	if err == nil {
		t.Fatal("one unit more was not found")
	}
	for _, says := range []string{
		"position 17, its outcome", "recorded: ok (1234 units of fuel)",
		"replayed: ok (1235 units of fuel)",
	} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%q does not say %q", err, says)
		}
	}
}

// TestNoFuelRecorded: an item of the first version, byte for byte, is read; what its
// delivery used is not known, and not compared; all else is.
func TestNoFuelRecorded(t *testing.T) {
	start := swing.AppendDelivery(nil, swing.Delivery[swing.VRef]{Kind: swing.DeliverReap})
	item := append(append([]byte{0x86, 0x01, 0x07, 0x40 + byte(len(start))}, start...), 0x80, 0x01, 0x60)
	e, err := transcript.Decode(item)
	if err != nil || !e.NoFuel || e.Position != 7 || !bytes.Equal(e.Append(nil), item) {
		t.Fatalf("%+v, %v", e, err)
	}
	if err := replay(e, nil, swing.Outcome{Status: swing.StatusOK, Fuel: 5}); err != nil {
		t.Error(err)
	}
	err = replay(e, nil, swing.Outcome{Status: swing.StatusTrapped, Problem: "x", Fuel: 5})
	if err == nil || !strings.Contains(err.Error(), "recorded: ok (no fuel recorded)") ||
		!strings.Contains(err.Error(), "replayed: trapped: x (no fuel recorded)") {
		t.Errorf("%v", err)
	}
	b, err := e.JSON()
	if err != nil || !strings.Contains(string(b), `"r":{"status":"ok","fuel":null}`) {
		t.Errorf("%s, %v", b, err)
	}
}

// TestReplayerAnswersFromTheRecord: answers come from the entry, not a store.
func TestReplayerAnswersFromTheRecord(t *testing.T) {
	e := record(t, 0)
	r := transcript.NewReplayer(e)
	for i, s := range calls() {
		a, ok := r.Syscall(s.Op, swing.AppendRequest(nil, s))
		if !ok || !bytes.Equal(a, e.Exchanges[i].Answer) {
			t.Fatalf("syscall %d answered %x, recorded %x", i, a, e.Exchanges[i].Answer)
		}
	}
}

// TestJSONHasSwingSetsShape: d, sc with s and r, and r.
func TestJSONHasSwingSetsShape(t *testing.T) {
	b, err := record(t, 3).JSON()
	if err != nil {
		t.Fatal(err)
	}
	var line struct {
		Position int
		D        []any
		SC       []struct{ S []any }
		R        struct {
			Status string
			Fuel   uint64
		}
	}
	if err := json.Unmarshal(b, &line); err != nil {
		t.Fatal(err)
	}
	if line.Position != 3 || line.D[0] != "message" || len(line.SC) != len(calls()) || line.R.Status != "ok" || line.R.Fuel != 1234 {
		t.Errorf("%s", b)
	}
	if line.SC[4].S[0] != "send" || line.SC[4].S[1] != "o-50" {
		t.Errorf("%s", b)
	}
}

// TestBodiesForPeople: a body that is a canonical list is shown as one, its nulls
// as the slots; any other as text or hex.
func TestBodiesForPeople(t *testing.T) {
	list := func(b ...byte) []byte { return b }
	for _, r := range []struct {
		body       []byte
		slots      []swing.VRef
		text, json string
	}{
		{list(0x80), nil, "[]", "[]"},
		{list(0x83, 0x07, 0x61, 'a', 0xf5), nil, `[7, "a", true]`, `[7,"a",true]`},
		{list(0x82, 0xf6, 0x81, 0xf6), []swing.VRef{"o+1", "p-60"}, "[o+1, [p-60]]",
			`[{"ref":"o+1"},[{"ref":"p-60"}]]`},
		{list(0x82, 0xf6, 0x42, 1, 2), nil, "[null, 0x0102]", `[null,"0x0102"]`},
		{list(0x81, 0xf6), []swing.VRef{"o+1", "o+2"}, "0x81f6 [o+1 o+2]", `"0x81f6"`},
		{list(0x07), nil, "0x07", `"0x07"`},
		{list(0x81), nil, "0x81", `"0x81"`},
		{[]byte("#x"), nil, "#x", `"#x"`},
	} {
		d := swing.AppendDelivery(nil, swing.Delivery[swing.VRef]{
			Kind: swing.DeliverStartVat, Params: swing.CapData[swing.VRef]{Body: r.body, Slots: r.slots},
		})
		e := transcript.Entry{Delivery: d, Outcome: swing.Outcome{Status: swing.StatusOK}}
		if got, _ := e.Describe(); got != "startVat "+r.text {
			t.Errorf("%x: %q, want %q", r.body, got, r.text)
		}
		if b, err := e.JSON(); err != nil || !strings.Contains(string(b), `"body":`+r.json) {
			t.Errorf("%x: %s, %v; want %s", r.body, b, err, r.json)
		}
	}
}

// TestText: printable text stays, other bytes become hex, long ones are cut.
func TestText(t *testing.T) {
	long := strings.Repeat("x", 200)
	for in, want := range map[string]string{
		"": "", "abc": "abc", "größe": "größe", "\x00": "0x00", "a\n": "0x610a", "\xff": "0xff",
		long: long[:120] + "… (200 bytes)",
	} {
		if got := transcript.Text([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, b := range [][]byte{nil, {0xff}} {
		if got := transcript.DescribeDelivery(b); !strings.Contains(got, "malformed") {
			t.Errorf("%x: %q", b, got)
		}
	}
	start := swing.AppendDelivery(nil, swing.Delivery[swing.VRef]{
		Kind: swing.DeliverStartVat, Params: swing.ReferenceTo(swing.VRef("o-50")),
	})
	if got := transcript.DescribeDelivery(start); got != "startVat o-50" {
		t.Errorf("%q", got)
	}
}

func BenchmarkRecord(b *testing.B) {
	reqs := [][]byte{}
	for _, s := range calls() {
		reqs = append(reqs, swing.AppendRequest(nil, s))
	}
	ops := calls()
	b.ReportAllocs()
	for b.Loop() {
		r := transcript.NewRecorder(store{}, swing.DefaultLimits())
		for i, req := range reqs {
			r.Syscall(ops[i].Op, req)
		}
		e := transcript.Entry{Exchanges: r.Exchanges(), Outcome: swing.Outcome{Status: swing.StatusOK}}
		item := e.Append(nil)
		transcript.Span{}.Extend(item)
	}
	b.ReportMetric(float64(len(reqs)), "syscalls/op")
}

func ExampleDivergenceError() {
	e := &transcript.DivergenceError{
		Vat: "v3", Position: 17, Syscall: 2, Want: "vatstoreGet k -> v", Got: "send o-50.hi()",
	}
	fmt.Println(e)
	// Output:
	// replay of vat v3 diverged at position 17, syscall 2
	//   recorded: vatstoreGet k -> v
	//   replayed: send o-50.hi()
}
