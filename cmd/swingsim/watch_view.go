package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/swing"
)

// watchState is what a watched run has done so far.
type watchState struct {
	about   string
	elapsed time.Duration
	done    uint64 // deliveries, of all time
	until   uint64 // 0 is not known
	block   host.Block
	vats    map[swing.VatID]*watchVat
	// framed is when rates were reckoned, and framedDone what was done then.
	framed     time.Duration
	framedDone uint64
	rate       float64 // deliveries/s
}

// watchVat is what is shown of one vat.
type watchVat struct {
	id                            swing.VatID
	name                          string
	resident                      bool
	bytes                         uint64 // of its memory, when it was last seen there
	deliveries, pageIns, replayed uint64
	framed                        uint64 // deliveries when its rate was reckoned
	rate                          float64
}

// crank counts a crank.
func (s *watchState) crank(c host.Crank) {
	if c.Vat == "" {
		return
	}
	v := s.vat(c.Vat)
	v.resident = true
	v.replayed += c.Replayed
	if c.PagedIn {
		v.pageIns++
	}
	if len(c.Item) > 0 { // a delivery
		v.deliveries++
		s.done++
	}
}

func (s *watchState) vat(id swing.VatID) *watchVat {
	v := s.vats[id]
	if v == nil {
		v = &watchVat{id: id}
		s.vats[id] = v
	}
	return v
}

// blocked takes over what a block says.
func (s *watchState) blocked(b host.Block) {
	s.block = b
	s.block.PagedIn = nil // it is not good any more later
	for _, v := range s.vats {
		v.resident = false
	}
	for in := range b.PagedIn {
		v := s.vat(in.ID)
		v.resident, v.name, v.bytes = true, in.Name, in.Bytes
	}
}

// reckon makes rates of what was counted since it last did: each half of what it was and
// half of what it is.
func (s *watchState) reckon(now time.Duration) {
	seconds := (now - s.framed).Seconds()
	if seconds <= 0 {
		return
	}
	for _, v := range s.vats {
		v.rate = (v.rate + float64(v.deliveries-v.framed)/seconds) / 2
		v.framed = v.deliveries
	}
	s.rate = (s.rate + float64(s.done-s.framedDone)/seconds) / 2
	s.framed, s.framedDone, s.elapsed = now, s.done, now
}

// watchHead is how many lines are above the vats.
const watchHead = 5

// lines are what is shown on a screen of so many columns and rows: totals, and the vats
// that are busiest.
func (s *watchState) lines(columns, rows int) []string {
	b := s.block
	of := ""
	if s.until > 0 {
		of = " of " + grouped(s.until)
	}
	lines := []string{
		fmt.Sprintf("%s   %v", s.about, s.elapsed.Round(time.Second)),
		fmt.Sprintf("%s deliveries%s, %s/s   queued %s   %s", grouped(s.done), of,
			measured(s.rate), grouped(b.Kernel.Accepted+b.Kernel.Runnable),
			count(b.Number, "block", "blocks")),
		fmt.Sprintf("vats %s, in memory %s with %s   page-ins %s   replayed %s   evictions %s",
			grouped(b.Kernel.Vats), grouped(b.Vats.PagedIn), rough(b.Vats.PagedBytes),
			grouped(b.Vats.PageIns), grouped(b.Vats.Replayed), grouped(b.Vats.Evictions)),
		fmt.Sprintf("snapshots %s with %s", grouped(b.Snapshots), rough(uint64(b.SnapshotBytes))),
		fmt.Sprintf("%-8s %-16s %-6s %12s %12s %10s %10s %10s", "vat", "name", "memory",
			"deliveries/s", "deliveries", "page-ins", "replayed", "heap"),
	}
	for _, v := range s.busiest(max(0, rows-watchHead)) {
		in := ""
		if v.resident {
			in = "in"
		}
		lines = append(lines, fmt.Sprintf("%-8s %-16s %-6s %12s %12s %10s %10s %10s",
			v.id, clipped(plain(v.name), 16), in, measured(v.rate), grouped(v.deliveries),
			grouped(v.pageIns), grouped(v.replayed), heapSize(v.bytes)))
	}
	for i, line := range lines {
		lines[i] = strings.TrimRight(clipped(line, columns), " ")
	}
	return lines[:min(len(lines), rows)]
}

// busiest are so many of the vats: by rate, then by all they have done, then by age.
func (s *watchState) busiest(n int) []*watchVat {
	var all []*watchVat
	for _, v := range s.vats {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b *watchVat) int {
		return cmp.Or(cmp.Compare(b.rate, a.rate), cmp.Compare(b.deliveries, a.deliveries),
			cmp.Compare(a.id.Number(), b.id.Number()))
	})
	return all[:min(n, len(all))]
}

// clipped returns as many letters of a text as fit.
func clipped(s string, n int) string {
	if letters := []rune(s); len(letters) > n {
		return string(letters[:n])
	}
	return s
}

// rough writes a number of bytes in a unit for people.
func rough(n uint64) string {
	text, _, _ := strings.Cut(size(n), " (")
	return text
}

// heapSize is rough, or nothing of what was not seen.
func heapSize(n uint64) string {
	if n == 0 {
		return ""
	}
	return rough(n)
}
