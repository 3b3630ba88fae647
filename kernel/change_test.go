package kernel_test

import (
	"errors"
	"maps"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// trapping is a program that fails at every message.
func trapping(d delivery, call func(syscall) []byte) outcome {
	if d.Kind == swing.DeliverMessage {
		return outcome{Status: swing.StatusTrapped, Problem: "trapped"}
	}
	return done
}

// TestChangeOptions: what is changed is there, what is not stays, and each does what it
// says: the vat is reaped sooner, kept in quarantine, stops the kernel, is ended.
func TestChangeOptions(t *testing.T) {
	w := newWorld(t)
	id, root, err := w.k.CreateVat(w.b, kernel.VatSpec{Pipelining: true, ReapRefs: 9, ReapFuel: 7})
	if err != nil {
		t.Fatal(err)
	}
	w.programs[id] = trapping
	w.run()
	change := func(o kernel.OptionChange) kernel.VatOptions {
		t.Helper()
		if err := w.k.ChangeOptions(w.b, id, o); err != nil {
			t.Fatal(err)
		}
		got, _ := kernel.LookupOptions(w.b, id)
		return got
	}
	want := kernel.VatOptions{
		Pipelining: true, ReapDeliveries: 2, ReapRefs: 9, ReapFuel: 7, Quarantine: true,
	}
	if got := change(kernel.OptionChange{ReapDeliveries: 2, Quarantine: new(true)}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	w.send(root, "one")
	w.run()
	if _, ok := kernel.Quarantined(w.b, id); !ok {
		t.Error("it is not quarantined")
	}
	want.Critical, want.Quarantine = true, false
	want.ReapRefs, want.ReapFuel = kernel.Never, 5
	if got := change(kernel.OptionChange{
		ReapRefs: kernel.Never, ReapFuel: 5, Quarantine: new(false), Critical: new(true),
	}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := w.k.Unhold(w.b, id); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first routes nothing: the message is in the run-queue
		if _, err = w.k.Crank(t.Context(), w.b); err != nil {
			break
		}
	}
	if !errors.As(err, new(*kernel.CriticalError)) {
		t.Errorf("the kernel went on: %v", err)
	}
	change(kernel.OptionChange{Critical: new(false)})
	w.programs[id] = idle
	w.run()
	w.expect("v1 message o+0.one() -> p-60", "v1 reap")
	w.programs[id] = trapping
	w.send(root, "two")
	w.run()
	if got, ok := kernel.LookupOptions(w.b, id); !ok || got.ReapDeliveries != 0 || !got.Pipelining {
		t.Errorf("of one that ended: %+v, %v", got, ok)
	}
}

// sealed is a buffer that counts its seals.
type sealed struct {
	*buffer
	seals int
}

func (s *sealed) Seal() swing.Hash {
	s.seals++
	return s.buffer.Seal()
}

// TestInstallAgain: a program that is known, under the name if one is given, is not
// installed again; another name for it, and another program for a name, are written.
func TestInstallAgain(t *testing.T) {
	w := newWorld(t)
	b := &sealed{buffer: w.b}
	one, two := swing.Sum("one"), swing.Sum("two")
	for i, row := range []struct {
		code swing.Hash
		name string
		does bool
	}{
		{one, "", true}, {one, "", false}, {one, "a", true}, {one, "a", false}, {one, "", false},
		{two, "a", true}, {one, "b", true}, {one, "a", true}, {two, "", false}, {two, "b", true},
	} {
		before, rows := b.seals, maps.Clone(b.rows)
		if err := w.k.Install(b, row.code, row.name); err != nil {
			t.Fatal(err)
		}
		if does := b.seals > before; does != row.does || does == maps.Equal(rows, b.rows) {
			t.Errorf("%d: %d seals, want one: %v", i, b.seals-before, row.does)
		}
	}
	if err := w.k.Install(b, one, "not a name"); !errors.Is(err, kernel.ErrInput) {
		t.Error(err)
	}
}

// TestChangeOptionsIsRefused: of a vat that there is not or that has ended, and beyond the
// bounds, nothing is changed, and nothing where all is as it is to be.
func TestChangeOptionsIsRefused(t *testing.T) {
	w := newWorld(t)
	id, _ := w.vat(idle)
	dead, _ := w.vat(idle)
	w.run()
	if _, err := w.k.Terminate(w.b, dead, "why"); err != nil {
		t.Fatal(err)
	}
	w.run()
	before := maps.Clone(w.b.rows)
	same := func(what string) {
		t.Helper()
		if !maps.Equal(before, w.b.rows) {
			t.Errorf("%s changed something", what)
		}
	}
	for _, row := range []struct {
		vat swing.VatID
		o   kernel.OptionChange
	}{
		{"v9", kernel.OptionChange{ReapDeliveries: 1}},
		{"", kernel.OptionChange{Critical: new(true)}},
		{"v1.o", kernel.OptionChange{Critical: new(true)}},
		{"kernel", kernel.OptionChange{Critical: new(true)}},
		{dead, kernel.OptionChange{Critical: new(true)}},
		{id, kernel.OptionChange{ReapDeliveries: kernel.Never + 1}},
		{id, kernel.OptionChange{ReapRefs: 1<<64 - 1, Critical: new(true)}},
		{id, kernel.OptionChange{ReapFuel: kernel.Never + 1, Critical: new(true)}},
	} {
		if err := w.k.ChangeOptions(w.b, row.vat, row.o); !errors.Is(err, kernel.ErrInput) {
			t.Errorf("%+v: %v", row, err)
		}
		same(string(row.vat))
	}
	for _, o := range []kernel.OptionChange{
		{}, {Critical: new(false), Quarantine: new(false)},
		{ReapDeliveries: 1000, ReapRefs: 100, ReapFuel: kernel.Never},
	} {
		if err := w.k.ChangeOptions(w.b, id, o); err != nil {
			t.Error(err)
		}
		same("what is so already")
	}
	if _, _, err := w.k.CreateVat(w.b, kernel.VatSpec{ReapRefs: kernel.Never + 1}); !errors.Is(err, kernel.ErrInput) {
		t.Errorf("made: %v", err)
	}
	same("a vat with too large a number")
	for _, vat := range []swing.VatID{"v9", "", "v1.o"} {
		if o, ok := kernel.LookupOptions(w.b, vat); ok {
			t.Errorf("%s has %+v", vat, o)
		}
	}
}
