package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

// watched is a run of three vats, of which two are in memory, two seconds in.
func watched() *watchState {
	s := &watchState{about: "x: it is", until: 5000, vats: map[swing.VatID]*watchVat{}}
	for i := range 1210 {
		id := swing.VatID(fmt.Sprintf("v%d", 1+i%11/5))
		c := host.Crank{PagedIn: i%100 == 0}
		c.Item, c.Vat = []byte{1}, id
		if c.PagedIn {
			c.Replayed = 7
		}
		s.crank(c)
	}
	s.crank(host.Crank{}) // of no vat
	b := host.Block{
		Number: 12, Kernel: kernel.Counters{Vats: 3, Accepted: 4, Runnable: 1000},
		Vats: warehouse.Stats{
			PagedIn: 2, PagedBytes: 3 << 20, PageIns: 13, Replayed: 91, Evictions: 11,
		},
		Snapshots: 5, SnapshotBytes: 20_000,
	}
	b.PagedIn = func(yield func(host.PagedVat) bool) {
		_ = yield(host.PagedVat{ID: "v3", Name: "third\x1b[2J of a long name", Bytes: 65536}) &&
			yield(host.PagedVat{ID: "v1", Name: "first", Bytes: 3<<20 - 65536})
	}
	s.blocked(b)
	s.reckon(2 * time.Second)
	return s
}

// TestWatchLines: totals on top, then the busiest vats, as many as fit; nothing that a vat
// is called reaches the terminal as it is, and no line is longer than the screen.
func TestWatchLines(t *testing.T) {
	t.Parallel()
	const want = `x: it is   2s
1,210 deliveries of 5,000, 303/s   queued 1,004   12 blocks
vats 3, in memory 2 with 3.0 MiB   page-ins 13   replayed 91   evictions 11
snapshots 5 with 19.5 KiB
vat      name             memory deliveries/s   deliveries   page-ins   replayed       heap
v1       first            in              138          550          7         49    2.9 MiB
v2                                        138          550          5         35
v3       third�[2J of a l in             27.5          110          1          7   64.0 KiB`
	s := watched()
	if got := strings.Join(s.lines(100, 30), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	all := strings.Split(want, "\n")
	for rows := range 10 {
		for _, columns := range []int{1, 20, 80} {
			got := s.lines(columns, rows)
			if len(got) != min(rows, len(all)) {
				t.Errorf("%d lines on a screen of %d", len(got), rows)
			}
			for i, line := range got {
				letters := []rune(all[i])
				fits := strings.TrimRight(string(letters[:min(columns, len(letters))]), " ")
				if line != fits {
					t.Errorf("%d columns: %q, want %q", columns, line, fits)
				}
			}
		}
	}
}

// TestWatchRates: a rate follows what is done, and comes to nothing when nothing is.
func TestWatchRates(t *testing.T) {
	t.Parallel()
	s := watched()
	first := s.rate
	s.reckon(2 * time.Second) // no time has passed
	if s.rate != first {
		t.Errorf("%v after no time, %v before", s.rate, first)
	}
	for i := range 40 {
		s.reckon(time.Duration(3+i) * time.Second)
	}
	if v := s.vats["v1"]; s.rate > 1e-3 || v.rate > 1e-3 || v.deliveries != 550 {
		t.Errorf("%v/s, %+v", s.rate, v)
	}
}
