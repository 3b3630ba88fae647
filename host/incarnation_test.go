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

// renew upgrades a counter to its own program, and has it count.
func renew(t *testing.T, h *host.Host, id swing.VatID, root swing.KRef, times int) {
	t.Helper()
	code, err := h.Install(ctx, program(t, "counter"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Upgrade(ctx, id, host.Upgrade{Code: code, Message: "again"})
	if got := settled(t, h, p, err); !strings.HasPrefix(got, "fulfilled") {
		t.Fatal(got)
	}
	counts(t, h, root, times)
}

// counts has a counter count from 0.
func counts(t *testing.T, h *host.Host, root swing.KRef, times int) {
	t.Helper()
	for i := range times {
		if n := ask(t, h, root, "incr", 1); n != uint64(i+1) {
			t.Fatalf("%d after %d", n, i)
		}
	}
}

// renewed is a counter in its third incarnation, beside another vat.
func renewed(t *testing.T) (h *host.Host, id swing.VatID, root swing.KRef) {
	t.Helper()
	h = open(t, vfs.NewMem(), stepOptions())
	id, root = vat(t, h, "counter", "c")
	vat(t, h, "pingpong", "p")
	counts(t, h, root, 11)
	renew(t, h, id, root, 3)
	renew(t, h, id, root, 12)
	return h, id, root
}

// history is all of a vat's transcript, as JSON.
func history(t *testing.T, h *host.Host, id swing.VatID, from uint64) string {
	t.Helper()
	entries, err := h.Transcript(id, from, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i, e := range entries {
		line, err := e.JSON()
		if err != nil || e.Position != from+uint64(i) {
			t.Fatalf("entry %d has position %d, %v", i, e.Position, err)
		}
		text.Write(append(line, '\n'))
	}
	return text.String()
}

// TestIncarnationsTravel: an archival and a debug export have the transcripts of all
// incarnations, which can be read where they were imported, and exported again to the
// same bytes; the other modes have the last alone. Everywhere it is verified.
func TestIncarnationsTravel(t *testing.T) {
	t.Parallel()
	h, id, _ := renewed(t)
	v, err := h.Vat(string(id))
	if err != nil || v.Span.Incarnation != 2 || v.Span.Start == 0 {
		t.Fatalf("%+v, %v", v.Span, err)
	}
	want := history(t, h, id, 0)
	if n := strings.Count(want, `"startVat"`); n != 3 {
		t.Fatalf("%d starts in\n%s", n, want)
	}
	if done := check(t, h); done.Entries != int(v.Span.End)+1 { // the other vat's start
		t.Errorf("checked %d entries of %d", done.Entries, v.Span.End+1)
	}
	for mode, whole := range map[host.Mode]bool{
		host.Archival: true, host.Debug: true, host.Operational: false, host.Replay: false,
	} {
		b, x := export(t, h, mode)
		files := vfs.NewMem()
		if done := importInto(t, b, files, host.Options{}); done.Entries != x.Entries || done.Vats != 2 {
			t.Errorf("%s: imported %+v of %+v", mode, done, x)
		}
		there := open(t, files, stepOptions())
		check(t, there)
		again, _ := export(t, there, mode)
		if !bytes.Equal(b, again) {
			t.Errorf("%s: exported again it differs", mode)
		}
		_, err := there.Transcript(id, 0, 1)
		switch {
		case whole && history(t, there, id, 0) != want:
			t.Errorf("%s: another history", mode)
		case whole && x.Entries != v.Span.End+1:
			t.Errorf("%s: %d entries of %d", mode, x.Entries, v.Span.End+1)
		case !whole && !errors.Is(err, host.ErrPruned):
			t.Errorf("%s: the first incarnation: %v", mode, err)
		}
		if whole {
			verified(t, there, v)
		}
	}
}

// verified exports a vat's history and verifies it, and replays it from its snapshot.
func verified(t *testing.T, h *host.Host, v host.Vat) {
	t.Helper()
	var b bytes.Buffer
	if _, err := h.ExportVat(ctx, v.ID, &b); err != nil {
		t.Fatal(err)
	}
	got, err := host.VerifyVat(ctx, &b, nil)
	if err != nil || got.Entries != v.Span.End-v.Span.Start || got.Replayed.From != v.Span.Start {
		t.Errorf("verified %+v, %v", got, err)
	}
	if _, err := h.Replay(ctx, v.ID, host.ReplayOptions{FromSnapshot: true}); err != nil {
		t.Error(err)
	}
}

// TestReplayFromAnOldIncarnation: a snapshot of an incarnation that is over is none to
// replay from.
func TestReplayFromAnOldIncarnation(t *testing.T) {
	t.Parallel()
	o := stepOptions()
	o.Snapshots.Initial = 4
	h := open(t, vfs.NewMem(), o)
	id, root := vat(t, h, "counter", "c")
	counts(t, h, root, 11)
	renew(t, h, id, root, 1)
	v, err := h.Vat(string(id))
	if err != nil || len(v.Snapshots) == 0 || v.Snapshots[0].Incarnation != 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	_, err = h.Replay(ctx, id, host.ReplayOptions{FromSnapshot: true})
	if !errors.Is(err, host.ErrNotFound) {
		t.Error(err)
	}
	if _, x := export(t, h, host.Debug); x.Snapshots != len(v.Snapshots) {
		t.Errorf("%d of %d snapshots", x.Snapshots, len(v.Snapshots))
	}
}

// TestPrunedIncarnations: pruning gives up the incarnations before the oldest kept
// snapshot: an archival export then says so, a debug one has what is left, and it
// imports.
func TestPrunedIncarnations(t *testing.T) {
	t.Parallel()
	for name, margin := range map[string]uint64{"into the current": 0, "all of the others": 1 << 40} {
		h, id, root := renewed(t)
		counted := uint64(12)
		for range 30 { // until no snapshot of an older incarnation is kept
			counted++
			if n := ask(t, h, root, "incr", 1); n != counted {
				t.Fatalf("%d, want %d", n, counted)
			}
		}
		v, err := h.Vat(string(id))
		if err != nil {
			t.Fatal(err)
		}
		done, err := h.Prune(ctx, host.PrunePolicy{Margin: margin})
		if err != nil {
			t.Fatal(err)
		}
		if margin > 0 {
			if done.Entries != 0 {
				t.Errorf("%s: %+v", name, done)
			}
			continue
		}
		if done.Entries <= v.Span.Start {
			t.Errorf("%s: %d entries gone, the incarnation begins at %d", name, done.Entries, v.Span.Start)
		}
		var gone *host.IncompleteError
		if _, err := h.Export(ctx, host.Archival, &bytes.Buffer{}); !errors.As(err, &gone) || len(gone.Missing) != 3 {
			t.Errorf("%s: %v", name, err)
		}
		b, _ := export(t, h, host.Debug)
		files := vfs.NewMem()
		importInto(t, b, files, host.Options{})
		there := open(t, files, stepOptions())
		if again, _ := export(t, there, host.Debug); !bytes.Equal(b, again) {
			t.Errorf("%s: exported again it differs", name)
		}
		if history(t, there, id, done.Entries) != history(t, h, id, done.Entries) {
			t.Errorf("%s: another history", name)
		}
		check(t, there)
	}
}

// TestFeedsAcrossUpgrades: a directory that follows gets the rest of an incarnation and
// those after it, also of a vat that was not there before, in every mode.
func TestFeedsAcrossUpgrades(t *testing.T) {
	t.Parallel()
	for _, mode := range host.Modes() {
		h, id, root := renewed(t)
		b, done := export(t, h, mode)
		files := vfs.NewMem()
		importInto(t, b, files, stepOptions())
		there := open(t, files, stepOptions())
		ask(t, h, root, "incr", 1)
		renew(t, h, id, root, 2)
		renew(t, h, id, root, 9)
		other, otherRoot := vat(t, h, "counter", "new")
		counts(t, h, otherRoot, 4)
		renew(t, h, other, otherRoot, 10)
		for range 2 { // the second is empty
			var feed bytes.Buffer
			fed, err := h.Feed(ctx, done.Base, &feed)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := there.Apply(ctx, bytes.NewReader(feed.Bytes()), fed.Root); err != nil {
				t.Fatal(err)
			}
			done.Base = fed.Base
			want, _ := export(t, h, mode)
			if have, _ := export(t, there, mode); !bytes.Equal(want, have) {
				t.Errorf("%s: the export differs", mode)
			}
		}
		check(t, there)
		if history(t, there, other, 0) != history(t, h, other, 0) {
			t.Errorf("%s: another history", mode)
		}
		if n := ask(t, there, root, "incr", 1); n != 10 {
			t.Errorf("%s: it went on to %d", mode, n)
		}
	}
}

// incarnationForgeries are of an archival export of renewed: its first three spans are of
// the counter.
var incarnationForgeries = map[string]forging{
	"nothing": {"", func(*testing.T, *forgedState) {}},
	"no first incarnation": {"incomplete archival export: entries 0 to", func(_ *testing.T, f *forgedState) {
		f.m.Spans, f.entries = f.m.Spans[1:], f.entries[1:]
	}},
	"no incarnation between": {"incarnation 2 of v1", func(_ *testing.T, f *forgedState) {
		f.m.Spans, f.entries = slices.Delete(f.m.Spans, 1, 2), slices.Delete(f.entries, 1, 2)
	}},
	"no current incarnation": {"incarnation 0 of vat v1 is not the kernel's", func(_ *testing.T, f *forgedState) {
		f.m.Spans, f.entries = slices.Delete(f.m.Spans, 2, 3), slices.Delete(f.entries, 2, 3)
		f.m.Snapshots, f.objects = nil, nil
	}},
	"more incarnations than there are": {"incarnation 0 of vat v2 is not the kernel's", func(_ *testing.T, f *forgedState) {
		s := f.m.Spans[3]
		s.Incarnation, s.Start, s.Base, s.Hash = 1, s.End, swing.Hash{}, swing.Hash{}
		f.m.Spans, f.entries = append(f.m.Spans, s), append(f.entries, nil)
	}},
	"a gap": {"incarnation 1 of v1", func(_ *testing.T, f *forgedState) { f.cut(1, 1) }},
	"a late begin": {"incomplete archival export: entries 0 to 1 of vat v1", func(_ *testing.T, f *forgedState) {
		f.cut(0, 1)
	}},
	"entries changed": {"incarnation 0 of vat v1 is not the kernel's", func(_ *testing.T, f *forgedState) {
		e := f.entries[0]
		e[3] = bytes.Replace(e[3], []byte("incr"), []byte("decr"), 1)
		f.rechain(0)
	}},
	"entries changed, and the row": {"", func(t *testing.T, f *forgedState) {
		e := f.entries[0]
		e[3] = bytes.Replace(e[3], []byte("incr"), []byte("decr"), 1)
		was := f.m.Spans[0].Hash
		f.rechain(0)
		row := f.row(t, "v1.p.0000000000000000")
		row.Value = bytes.Replace(row.Value, was[:], f.m.Spans[0].Hash[:], 1)
	}},
	"a row gone": {"incarnation 1, entries", func(_ *testing.T, f *forgedState) {
		f.rows = slices.DeleteFunc(f.rows, func(r portable.Row) bool { return r.Key == "v1.p.0000000000000000" })
	}},
	"rows exchanged": {"of incarnation 1", func(t *testing.T, f *forgedState) {
		a, b := f.row(t, "v1.p.0000000000000000"), f.row(t, "v1.p.0000000000000001")
		a.Value, b.Value = b.Value, a.Value
	}},
}

// rechain makes the hash of a span the one of its entries.
func (f *forgedState) rechain(span int) {
	s := &f.m.Spans[span]
	s.Hash = s.Base
	for _, item := range f.entries[span] {
		s.Hash = swing.Sum("vatwarehouse transcript", s.Hash[:], item)
	}
}

// TestForgedIncarnations: an archival export whose incarnations do not fit one another,
// or not the kernel's rows, is refused. Somebody who makes up the rows too makes up
// another state, which only its root tells from the true one.
func TestForgedIncarnations(t *testing.T) {
	t.Parallel()
	h, _, _ := renewed(t)
	whole, done := export(t, h, host.Archival)
	for name, forge := range incarnationForgeries {
		f := takeApart(t, whole)
		forge.do(t, f)
		_, err := host.Import(ctx, bytes.NewReader(f.bytes(t)), "", nil)
		if forge.says == "" && err != nil || forge.says != "" && (err == nil || !strings.Contains(err.Error(), forge.says)) {
			t.Errorf("%s: %v", name, err)
		}
		_, err = host.Import(ctx, bytes.NewReader(f.bytes(t)), "", &host.ImportOptions{Root: done.Root})
		if (err == nil) != (name == "nothing") {
			t.Errorf("%s, with the root: %v", name, err)
		}
	}
	for at := 97; at < len(whole); at += 97 {
		if _, err := host.Import(ctx, bytes.NewReader(whole[:at]), "", nil); !errors.Is(err, host.ErrCorrupt) {
			t.Fatalf("cut after byte %d: %v", at, err)
		}
	}
}

// TestForgedFeeds: a feed whose history is not all that its change sets tell of, or not
// what goes on from the directory, is refused, and the directory stays as it is.
func TestForgedFeeds(t *testing.T) {
	t.Parallel()
	h, id, root := renewed(t)
	first, done := export(t, h, host.Archival)
	ask(t, h, root, "incr", 1)
	renew(t, h, id, root, 2)
	var feed bytes.Buffer
	if _, err := h.Feed(ctx, done.Base, &feed); err != nil {
		t.Fatal(err)
	}
	for name, forge := range map[string]forging{
		"nothing": {"", func(*testing.T, *forgedState) {}},
		"no history": {"is of no history", func(_ *testing.T, f *forgedState) {
			f.m.Spans, f.entries = f.m.Spans[2:], f.entries[2:]
		}},
		"no new incarnation": {"is of no history", func(_ *testing.T, f *forgedState) {
			f.m.Spans, f.entries = slices.Delete(f.m.Spans, 1, 2), slices.Delete(f.entries, 1, 2)
		}},
		"no rest of the old": {"and here it ends at", func(_ *testing.T, f *forgedState) {
			f.m.Spans, f.entries = f.m.Spans[1:], f.entries[1:]
		}},
		"less of the old": {"incarnation 3 of v1", func(_ *testing.T, f *forgedState) {
			f.m.Spans[0].End--
			f.entries[0] = f.entries[0][:len(f.entries[0])-1]
			f.rechain(0)
		}},
		"another entry": {"is not what the history makes it", func(_ *testing.T, f *forgedState) {
			f.entries[1][1] = bytes.Replace(f.entries[1][1], []byte("incr"), []byte("decr"), 1)
			f.rechain(1)
		}},
	} {
		files := vfs.NewMem()
		importInto(t, first, files, stepOptions())
		there := open(t, files, stepOptions())
		f := takeApart(t, feed.Bytes())
		forge.do(t, f)
		_, err := there.Apply(ctx, bytes.NewReader(f.bytes(t)), swing.Hash{})
		if forge.says == "" && err != nil || forge.says != "" && (err == nil || !strings.Contains(err.Error(), forge.says)) {
			t.Errorf("%s: %v", name, err)
		}
		if b, _ := export(t, there, host.Archival); forge.says != "" && !bytes.Equal(b, first) {
			t.Errorf("%s: the directory is another", name)
		}
	}
}
