package host_test

import (
	"bytes"
	"errors"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vfs"
)

// TestOneVat: the history of every vat of a scenario, live or dead, verifies from
// itself alone, with either engine; a state is not taken for one, nor it for a state.
func TestOneVat(t *testing.T) {
	t.Parallel()
	r := newRuns(t, vfs.NewMem(), stepOptions())
	for !r.step(t, 100) {
	}
	vats, err := r.h.Vats()
	if err != nil {
		t.Fatal(err)
	}
	snapshots := 0
	for i, v := range vats {
		var b bytes.Buffer
		done, err := r.h.ExportVat(ctx, v.ID, &b)
		if err != nil {
			t.Fatal(err)
		}
		o := &host.ImportOptions{Root: done.Root}
		o.Host.Interpreter = i%2 == 0
		got, err := host.VerifyVat(ctx, bytes.NewReader(b.Bytes()), o)
		if err != nil {
			t.Fatal(err)
		}
		if got.Vat != v.ID || got.Name != v.Name || got.Code != v.Code || got.Entries != v.Span.End ||
			got.Replayed.To != v.Span.End || got.Replayed.Snapshots != got.Snapshots {
			t.Errorf("%s: %+v", v.ID, got)
		}
		snapshots += got.Snapshots
		if _, err := host.Import(ctx, bytes.NewReader(b.Bytes()), "", nil); !errors.Is(err, host.ErrRefused) {
			t.Errorf("imported as a state: %v", err)
		}
	}
	if snapshots < len(vats)/2 {
		t.Errorf("%d snapshots of %d vats", snapshots, len(vats))
	}
	b, _ := export(t, r.h, host.Replay)
	if _, err := host.VerifyVat(ctx, bytes.NewReader(b), nil); !errors.Is(err, host.ErrRefused) {
		t.Errorf("verified a state: %v", err)
	}
}

// TestForgedHistoryIsRefused: a history that somebody made up, every hash and check of
// it right, does not verify: a vat's answer is changed, another program put in its
// place, an entry left out at the end, a snapshot of another heap.
func TestForgedHistoryIsRefused(t *testing.T) {
	t.Parallel()
	h := open(t, vfs.NewMem(), stepOptions())
	id, root := vat(t, h, "counter", "c")
	other, _ := vat(t, h, "pingpong", "p")
	for range 20 {
		ask(t, h, root, "incr", 1)
	}
	v, err := h.Vat(string(id))
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Vat(string(other))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := h.ExportVat(ctx, id, &b); err != nil {
		t.Fatal(err)
	}
	for name, forge := range map[string]func(f *forgery){
		"nothing":     func(*forgery) {},
		"syscall":     func(f *forgery) { f.alter(t, 5, func(x *forgedEntry) { x.Exchanges[0].Request[3] ^= 1 }) },
		"outcome":     func(f *forgery) { f.alter(t, 7, func(x *forgedEntry) { x.Outcome.Problem = "so" }) },
		"delivery":    func(f *forgery) { f.alter(t, 6, func(x *forgedEntry) { x.Delivery[len(x.Delivery)-20] ^= 1 }) },
		"no delivery": func(f *forgery) { f.alter(t, 6, func(x *forgedEntry) { x.Delivery = []byte{1} }) },
		"program": func(f *forgery) {
			f.codes[0] = program(t, "pingpong")
			f.m.Programs = append(f.m.Programs[:0], p.Code)
			for i, row := range f.rows {
				f.rows[i].Value = bytes.ReplaceAll(row.Value, v.Code[:], p.Code[:])
			}
			f.m.Snapshots, f.objects = nil, nil
		},
		"snapshot": func(f *forgery) {
			f.m.Snapshots[0].Position--
			f.m.Snapshots[0].Transcript = f.chain(f.m.Snapshots[0].Position)
		},
	} {
		f := &forgery{takeApart(t, b.Bytes())}
		forge(f)
		_, err := host.VerifyVat(ctx, bytes.NewReader(f.bytes(t)), nil)
		if (err == nil) != (name == "nothing") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// forgery is an export of one vat, taken apart.
type forgery struct{ *forgedState }

// forgedEntry is an entry that can be altered.
type forgedEntry = transcript.Entry

// alter changes an entry, and the chain with it.
func (f *forgery) alter(t *testing.T, position uint64, change func(e *forgedEntry)) {
	t.Helper()
	e, err := transcript.Decode(bytes.Clone(f.entries[0][position]))
	if err != nil || len(e.Exchanges) == 0 {
		t.Fatalf("entry %d: %d syscalls, %v", position, len(e.Exchanges), err)
	}
	change(&e)
	f.entries[0][position] = e.Append(nil)
	f.mend()
}

// chain returns the chain's hash at a position.
func (f *forgery) chain(position uint64) swing.Hash {
	var s transcript.Span
	for _, item := range f.entries[0][:position] {
		s = s.Extend(item)
	}
	return s.Hash
}

// mend makes every hash the one of what it is of.
func (f *forgery) mend() {
	s := &f.m.Spans[0]
	was := s.Hash
	s.Hash = f.chain(s.End)
	for i, row := range f.rows {
		f.rows[i].Value = bytes.ReplaceAll(row.Value, was[:], s.Hash[:])
	}
	for i := range f.m.Snapshots {
		f.m.Snapshots[i].Transcript = f.chain(f.m.Snapshots[i].Position)
	}
}
