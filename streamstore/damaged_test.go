package streamstore_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

// threeStreams is a log of four blocks with an item of each of three streams,
// closed or not, and where its records begin, those of block 1 first.
func threeStreams(t *testing.T, clean bool) (all files, records []int) {
	t.Helper()
	m := vfs.NewMem()
	s := open(t, scriptOptions(m))
	for i := range 4 {
		for _, name := range []string{"a", "b", "c"} {
			s.Append(name, uint64(i), []byte(fmt.Sprintf("%s%d is here", name, i)))
		}
		commit(t, s)
	}
	if clean {
		must(t, s.Close())
	} else {
		m = m.Crash(0, 100)
	}
	all = filesOf(t, m)
	_, offsets := frames(all[segment1])
	for i := range 4 { // a header; of each block an opening, three records, a closing
		records = append(records, offsets[1+5*i+1:1+5*i+4]...)
	}
	return all, records
}

// TestDamagedItemIsAlone: with one item's bytes changed, in a block that was
// durable, Open says which, everything else reads, and the log goes on.
func TestDamagedItemIsAlone(t *testing.T) {
	t.Parallel()
	for _, clean := range []bool{true, false} {
		all, records := threeStreams(t, clean)
		for _, row := range []struct {
			record int
			at     int // in the record's frame
			item   string
		}{
			{1, 22, "b@0"}, {4, 22, "b@1"}, {6, 10, "a@2"}, {6, 14, "a@2"}, {7, 25, "b@2"},
		} {
			at := records[row.record] + row.at
			all[segment1][at] ^= 0x10
			m := all.disk(t)
			s, rec, err := streamstore.Open(scriptOptions(m))
			must(t, err)
			if len(rec.Damaged) != 1 || !strings.Contains(rec.Damaged[0].Error(), "item "+row.item) ||
				!errors.Is(rec.Damaged[0], streamstore.ErrCorrupt) {
				t.Errorf("clean %v, byte %d: damaged %v, want %s", clean, at, rec.Damaged, row.item)
			}
			name, position := row.item[:1], uint64(row.item[2]-'0')
			for _, stream := range []string{"a", "b", "c"} {
				for p := range uint64(4) {
					want := fmt.Sprintf("%s%d is here", stream, p)
					bad := stream == name && p == position
					for got, err := range s.Read(stream, p, p+1) {
						if bad != errors.Is(err, streamstore.ErrCorrupt) || !bad && string(got) != want {
							t.Errorf("%s@%d reads %q, %v", stream, p, got, err)
						}
					}
				}
			}
			s.Append("b", 4, []byte("on"))
			commit(t, s)
			must(t, s.Close())
			s, rec, err = streamstore.Open(scriptOptions(m))
			must(t, err)
			if len(rec.Damaged) != 1 || items(s, "b", 4, 5) != "on" {
				t.Errorf("opened again: %+v", rec)
			}
			must(t, s.Close())
			all[segment1][at] ^= 0x10
		}
	}
}

// TestUnprovenDamageIsCut: the same in the last block of a log that was not
// closed may be a crash's work: the whole block goes.
func TestUnprovenDamageIsCut(t *testing.T) {
	t.Parallel()
	all, records := threeStreams(t, false)
	all[segment1][records[10]+22] ^= 0x10
	s, rec, err := streamstore.Open(scriptOptions(all.disk(t)))
	must(t, err)
	defer s.Close()
	if rec.Block != 3 || rec.CutFile == "" || len(rec.Damaged) != 0 {
		t.Errorf("recovery %+v", rec)
	}
	if _, end, _ := s.Bounds("a"); end != 3 {
		t.Errorf("a ends at %d", end)
	}
}

// TestDamagedNameIsNoStream: where whose item it was cannot be known, the log is
// refused rather than read with a stream missing an item.
func TestDamagedNameIsNoStream(t *testing.T) {
	t.Parallel()
	all, records := threeStreams(t, true)
	for _, at := range []int{17, 18} { // the name's byte, the position
		all[segment1][records[7]+at] ^= 0x10
		if _, _, err := streamstore.Open(scriptOptions(all.disk(t))); !errors.Is(err, streamstore.ErrCorrupt) {
			t.Errorf("byte %d of the record: %v", at, err)
		}
		all[segment1][records[7]+at] ^= 0x10
	}
}

// TestKnownDurableBlockIsNotCut: the same last block, where the log's user knows that
// it was durable. An item whose bytes have changed is a damaged item; all else that a
// crash might have done is damage, and the log is left as it is.
func TestKnownDurableBlockIsNotCut(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		spoil func(all files, records []int)
		says  string // "" is a damaged item
	}{
		"an item": {func(all files, records []int) { all[segment1][records[10]+22] ^= 0x10 }, ""},
		"a closing frame": {
			func(all files, records []int) { all[segment1][records[11]+40] ^= 0x10 },
			"log/00000001.segment at byte",
		},
		"cut in a block": {
			func(all files, records []int) { all[segment1] = all[segment1][:records[10]] },
			"after block 3, though block 4 was durable",
		},
		"cut before a block": {
			func(all files, records []int) { all[segment1] = all[segment1][:records[9]-41] },
			"the end, after block 3, though block 4 was durable",
		},
		"no segment": {
			func(all files, _ []int) { delete(all, segment1) },
			"log/00000001.segment at byte 0: the end, after block 0",
		},
	} {
		all, records := threeStreams(t, false)
		row.spoil(all, records)
		m := all.disk(t)
		o := scriptOptions(m)
		o.Durable = 4
		s, rec, err := streamstore.Open(o)
		if row.says == "" {
			must(t, err)
			must(t, s.Close())
			if len(rec.Damaged) != 1 || rec.CutFile != "" || rec.Block != 4 {
				t.Errorf("%s: recovery %+v", name, rec)
			}
			continue
		}
		if !errors.Is(err, streamstore.ErrCorrupt) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", name, err, row.says)
		}
		if got := filesOf(t, m); !maps.EqualFunc(got, all, slices.Equal) {
			t.Errorf("%s: the log was changed", name)
		}
	}
}
