package host_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/host"
	"vatwarehouse/internal/portable"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// forgedState is an export, of a state, a feed or one vat, taken apart.
type forgedState struct {
	what    portable.What
	m       portable.Metadata
	rows    []portable.Row
	sets    [][]byte
	codes   [][]byte
	entries [][][]byte
	outputs [][]byte
	objects [][]byte
}

func takeApart(t *testing.T, b []byte) *forgedState {
	t.Helper()
	r, err := portable.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	f := &forgedState{what: r.What()}
	facts, err := r.Facts()
	if err == nil {
		f.m, _, err = r.Metadata(facts, func(row portable.Row) error {
			f.rows = append(f.rows, portable.Row{Key: row.Key, Value: bytes.Clone(row.Value)})
			return nil
		}, func(set []byte) error {
			f.sets = append(f.sets, bytes.Clone(set))
			return nil
		})
	}
	keep := func(list *[][]byte, item []byte, e error) {
		if *list = append(*list, bytes.Clone(item)); err == nil {
			err = e
		}
	}
	for _, id := range f.m.Programs {
		if slices.Contains(f.m.Bases, id) {
			continue
		}
		code, e := r.Code()
		keep(&f.codes, code, e)
	}
	for _, s := range f.m.Spans {
		var entries [][]byte
		for item, e := range r.Entries(s) {
			keep(&entries, item, e)
		}
		f.entries = append(f.entries, entries)
	}
	for item, e := range r.AllOutputs(f.m.Outputs) {
		keep(&f.outputs, item, e)
	}
	if err != nil {
		t.Fatal(err)
	}
	for object, e := r.Object(); e == nil; object, e = r.Object() {
		f.objects = append(f.objects, bytes.Clone(object))
	}
	return f
}

func (f *forgedState) bytes(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := portable.NewWriter(&b, f.what)
	errs := []error{w.Metadata(&f.m)}
	for _, row := range f.rows {
		errs = append(errs, w.Row(row))
	}
	for _, set := range f.sets {
		errs = append(errs, w.Changes(set))
	}
	_, err := w.Seal()
	errs = append(errs, err)
	for _, code := range f.codes {
		errs = append(errs, w.Code(code))
	}
	each := func(items [][]byte) func(yield func([]byte, error) bool) {
		return func(yield func([]byte, error) bool) {
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
	for i, s := range f.m.Spans {
		errs = append(errs, w.Entries(s, each(f.entries[i])))
	}
	errs = append(errs, w.AllOutputs(f.m.Outputs, each(f.outputs)))
	for _, object := range f.objects {
		errs = append(errs, w.Object(object))
	}
	if err := errors.Join(append(errs, w.End())...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// row returns a row that can be changed.
func (f *forgedState) row(t *testing.T, key string) *portable.Row {
	t.Helper()
	i := slices.IndexFunc(f.rows, func(r portable.Row) bool { return r.Key == key })
	if i < 0 {
		t.Fatalf("no row %q", key)
	}
	return &f.rows[i]
}

// cut leaves out the first n entries of a span.
func (f *forgedState) cut(span int, n uint64) {
	s := &f.m.Spans[span]
	for _, item := range f.entries[span][:n] {
		s.Base = swing.Sum("vatwarehouse transcript", s.Base[:], item)
	}
	s.Start += n
	f.entries[span] = f.entries[span][n:]
}

// forging is one way to forge a state, and what its refusal says.
type forging struct {
	says string
	do   func(t *testing.T, f *forgedState)
}

// forgeries are of a state in the archival mode.
var forgeries = map[string]forging{
	"nothing": {"", func(*testing.T, *forgedState) {}},
	"a row gone": {"faults in the kernel's state", func(t *testing.T, f *forgedState) {
		i := slices.IndexFunc(f.rows, func(r portable.Row) bool { return strings.HasPrefix(r.Key, "v1.c.") })
		f.rows = slices.Delete(f.rows, i, i+1)
	}},
	"no kernel": {"it has no kernel", func(t *testing.T, f *forgedState) { f.rows = nil }},
	"a private row": {`a row "local.kept.v1"`, func(t *testing.T, f *forgedState) {
		f.rows = slices.DeleteFunc(f.rows, func(r portable.Row) bool { return strings.HasPrefix(r.Key, "local.") })
		i := slices.IndexFunc(f.rows, func(r portable.Row) bool { return r.Key > "local.kept.v1" })
		f.rows = slices.Insert(f.rows, i, portable.Row{Key: "local.kept.v1"})
	}},
	"another activityhash": {"the facts are not those", func(t *testing.T, f *forgedState) { f.m.Activityhash[0]++ }},
	"more cranks":          {"the facts are not those", func(t *testing.T, f *forgedState) { f.m.Cranks++ }},
	"an older schema":      {"schema 0", func(t *testing.T, f *forgedState) { f.m.Schema = 0 }},
	"setup": {"", func(t *testing.T, f *forgedState) {
		row := f.row(t, "setup")
		row.Value = row.Value[:len(row.Value)-1]
	}},
	"a span gone": {"no span of vat", func(t *testing.T, f *forgedState) {
		f.m.Spans, f.entries = f.m.Spans[1:], f.entries[1:]
	}},
	"an entry gone": {"is not the kernel's", func(t *testing.T, f *forgedState) {
		s := &f.m.Spans[2]
		s.End--
		f.entries[2] = f.entries[2][:len(f.entries[2])-1]
		s.Hash = swing.Hash{}
		for _, item := range f.entries[2] {
			s.Hash = swing.Sum("vatwarehouse transcript", s.Hash[:], item)
		}
		f.m.Snapshots = slices.DeleteFunc(f.m.Snapshots, func(x portable.Snapshot) bool { return x.Vat == s.Vat })
		f.objects = nil
		f.m.Snapshots = nil
	}},
	"not an archive": {"incomplete archival export: entries 0 to 1 of vat v1", func(t *testing.T, f *forgedState) { f.cut(0, 1) }},
	"not a replay": {"incomplete replay export: entries 0 to 1 of vat v1", func(t *testing.T, f *forgedState) {
		f.m.Mode = portable.Replay
		f.cut(0, 1)
	}},
	"no snapshot": {"a snapshot that brings vat v1 back: it has none", func(t *testing.T, f *forgedState) {
		f.m.Mode, f.m.Snapshots, f.objects = portable.Operational, nil, nil
		f.cut(0, 1)
	}},
	"another engine's": {"it was made by something else, this is", func(t *testing.T, f *forgedState) {
		f.m.Mode = portable.Operational
		f.m.Snapshots[0].Engine = "something else"
		f.cut(0, 1)
	}},
	"another transcript's": {"is of transcript", func(t *testing.T, f *forgedState) { f.m.Snapshots[0].Transcript[0]++ }},
	"another heap":         {"do not have the digest", func(t *testing.T, f *forgedState) { f.m.Snapshots[0].Heap[0]++ }},
	"no program": {"program ", func(t *testing.T, f *forgedState) {
		f.m.Programs, f.codes = f.m.Programs[1:], f.codes[1:]
	}},
	"another program": {"where", func(t *testing.T, f *forgedState) { f.codes[0] = f.codes[1] }},
	"a bad output": {"output", func(t *testing.T, f *forgedState) {
		f.outputs[0] = []byte{0x80}
		o := portable.Outputs{Start: f.m.Outputs.Start, End: f.m.Outputs.Start}
		for _, item := range f.outputs {
			o = o.Extend(item)
		}
		f.m.Outputs = o
	}},
	"a snapshot of none": {"that there are not", func(t *testing.T, f *forgedState) {
		x := f.m.Snapshots[0]
		x.Vat = "v999"
		f.m.Snapshots = append(f.m.Snapshots, x)
	}},
}

// TestForgedStateIsRefused: a state of which every check and hash is right, and which
// still is none, does not import: something in it does not fit the rest, or is missing.
func TestForgedStateIsRefused(t *testing.T) {
	t.Parallel()
	r := newRuns(t, vfs.NewMem(), stepOptions())
	for !r.step(t, 100) {
	}
	whole, _ := export(t, r.h, host.Archival)
	for name, forge := range forgeries {
		f := takeApart(t, whole)
		forge.do(t, f)
		files := vfs.NewMem()
		_, err := host.Import(ctx, bytes.NewReader(f.bytes(t)), "", &host.ImportOptions{Host: host.Options{FS: files}})
		if name == "nothing" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), forge.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := host.Open(ctx, "", &host.Options{FS: files, Existing: true}); !errors.Is(err, host.ErrUnfinished) {
			t.Errorf("%s: it opens: %v", name, err)
		}
	}
}

// TestForgedOperationalState: the snapshot that a span begins at must be of the
// transcript before it.
func TestForgedOperationalState(t *testing.T) {
	t.Parallel()
	dir, _, _ := snapped(t)
	h := reopen(t, dir, host.Options{})
	b, _ := export(t, h, host.Operational)
	closeHost(t, h)
	f := takeApart(t, b)
	f.m.Snapshots[0].Transcript[0]++
	_, err := host.Import(ctx, bytes.NewReader(f.bytes(t)), "", nil)
	if !errors.Is(err, host.ErrCorrupt) || !strings.Contains(err.Error(), "is of transcript") {
		t.Error(err)
	}
}

// TestModesHaveWhatTheySay: how many entries and snapshots each mode has of a vat with
// two snapshots, and one that has none.
func TestModesHaveWhatTheySay(t *testing.T) {
	t.Parallel()
	dir, _, v := snapped(t)
	h := reopen(t, dir, host.Options{})
	since := v.Span.End - v.Snapshots[0].Position + 1
	for mode, want := range map[host.Mode][2]uint64{
		host.Operational: {since, 1}, host.Replay: {v.Span.End + 1, 0},
		host.Archival: {v.Span.End + 1, 1}, host.Debug: {v.Span.End + 1, 2},
	} {
		if _, x := export(t, h, mode); x.Entries != want[0] || x.Snapshots != int(want[1]) || x.Programs != 2 {
			t.Errorf("%s: %+v, want %v", mode, x, want)
		}
	}
	closeHost(t, h)
}
