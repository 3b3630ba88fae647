package report_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/internal/bench"
	"vatwarehouse/internal/report"
	"vatwarehouse/swing"
)

// recorded runs three counters, of which two are in memory at a time, and returns the record and what the host counted.
func recorded(t *testing.T) (record []byte, stats host.Stats) {
	t.Helper()
	var out bytes.Buffer
	r := report.NewRecorder(&out, "</script><b>scenario", "seed")
	o := &host.Options{MaxVats: 2, BlockCranks: 5, Inline: true}
	o.Observer.Crank, o.Observer.Block, o.Observer.Upkeep = r.Crank, r.Block, r.Upkeep
	ctx := t.Context()
	h, err := host.Open(ctx, t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	code, _ := guest.Program("counter")
	hash, err := h.Install(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	var roots []swing.KRef
	for _, name := range []string{"one", "two", "three"} {
		_, root, err := h.CreateVat(ctx, host.VatSpec{Name: name, Code: hash})
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
	}
	for range 10 {
		for _, root := range roots {
			body := swing.AppendUint(swing.AppendArray(nil, 1), 1)
			if err := h.SendOnly(ctx, root, host.Message{Method: "incr", Body: body}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.Run(ctx, host.Policy{}); err != nil {
			t.Fatal(err)
		}
	}
	vats, err := h.Vats()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.End(vats); err != nil {
		t.Fatal(err)
	}
	if stats, err = h.Stats(); err != nil {
		t.Fatal(err)
	}
	length := out.Len()
	if r.Block(host.Block{}); out.Len() != length {
		t.Error("what comes after the end is recorded")
	}
	return out.Bytes(), stats
}

// TestRecordAddsUp: what a record has of its blocks, and of its vats, is what the host
// counted. Cut anywhere, what is whole is read.
func TestRecordAddsUp(t *testing.T) {
	t.Parallel()
	b, stats := recorded(t)
	r, err := report.ReadRecord(b)
	if err != nil {
		t.Fatal(err)
	}
	var blocks, vats struct{ deliveries, bytes, pageIns, replayed uint64 }
	for _, block := range r.Blocks {
		blocks.deliveries += block.Deliveries
	}
	var stored int64
	var taken uint64
	var spent report.Spent
	for _, v := range r.Vats {
		vats.deliveries += v.Deliveries
		vats.bytes += v.Bytes
		vats.pageIns += v.PageIns
		vats.replayed += v.Replayed
		stored += v.StoredBytes
		taken += v.Taken
		spent.PageIn, spent.Replay, spent.Snapshot = spent.PageIn+v.PageIn, spent.Replay+v.Replay, spent.Snapshot+v.Snapshot
		if v.Fuel == 0 || v.Seconds == 0 || v.Snapshots == 0 || v.Name == "" {
			t.Errorf("%+v", v)
		}
	}
	last := r.Blocks[len(r.Blocks)-1]
	v := stats.Vats
	got := []uint64{blocks.deliveries, vats.deliveries, vats.bytes, vats.pageIns, vats.replayed,
		last.PageIns, last.Evictions, last.Replayed, uint64(last.PagedIn), last.PagedBytes, last.Queued}
	want := []uint64{stats.Deliveries, stats.Deliveries, stats.EntryBytes, v.PageIns, v.Replayed,
		v.PageIns, v.Evictions, v.Replayed, uint64(v.PagedIn), v.PagedBytes, 0}
	if !slices.Equal(got, want) || v.Replayed == 0 || len(r.Vats) != 3 || stored == 0 {
		t.Errorf("%v, want %v; %d vats, %d bytes stored", got, want, len(r.Vats), stored)
	}
	s := stats.Spent
	for what, pair := range map[string][2]float64{
		"paging in": {spent.PageIn, s.PageIn.Seconds()}, "replay": {spent.Replay, s.Replay.Seconds()},
		"snapshots": {spent.Snapshot, (s.Pause + s.Snapshot).Seconds()},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-8 || pair[1] == 0 {
			t.Errorf("%s: %v s of all vats, the host spent %v s", what, pair[0], pair[1])
		}
	}
	if taken != stats.Snapshots || last.Spent.PageIn == 0 || last.Spent.PageIn > s.PageIn.Seconds() {
		t.Errorf("%d snapshots of vats, %d in all; the last block has %+v", taken, stats.Snapshots, last.Spent)
	}
	for n := bytes.IndexByte(b, '\n') + 1; n < len(b); n++ {
		cut, err := report.ReadRecord(b[:n])
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		lines := bytes.Count(b[:n], []byte("\n"))
		if len(cut.Blocks)+len(cut.Vats) != lines-1 {
			t.Fatalf("cut at %d: %d blocks, %d vats of %d lines",
				n, len(cut.Blocks), len(cut.Vats), lines)
		}
	}
	for _, bad := range []string{"", "{}\n", strings.Replace(string(b), `"vat":"v1"`, `"vat":1`, 1)} {
		if _, err := report.ReadRecord([]byte(bad)); err == nil {
			t.Errorf("accepted: %.40q", bad)
		}
	}
}

// TestRecorderTellsOfWriting: an error of writing is told at the end.
func TestRecorderTellsOfWriting(t *testing.T) {
	t.Parallel()
	pipe, out := io.Pipe()
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	if err := report.NewRecorder(out, "a", "b").End(nil); err == nil {
		t.Error("nothing is told")
	}
}

// surface is a file of points over 2 heaps, 2 suffixes and 2 ways.
func surface(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "points")
	f, err := bench.OpenSurface(path, bench.Machine{CPU: "<i>processor"}, 7)
	if err != nil {
		t.Fatal(err)
	}
	took := 10.0
	for _, heap := range []uint64{1, 2} {
		for _, suffix := range []int{0, 5} {
			for _, way := range []string{"snapshot", "wazero"} {
				p := bench.Point{HeapMiB: heap, DirtyPages: 4, Suffix: suffix, Way: way}
				if err := f.Append(bench.Measured{Point: p, Rounds: 7, PageInP50: took}); err != nil {
					t.Fatal(err)
				}
				took++
			}
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// weighedOf is what is known from a trace of 1,000 deliveries: two numbers of vats in
// memory, a rule that counts, in two intervals, and one that does not.
func weighedOf() *report.Weighed {
	of := func(n uint64) *uint64 { return &n }
	w := &report.Weighed{
		About: "<i>trace", Vats: 9, Deliveries: 1000, Cold: 9, Sizes: []int{1, 8},
		Misses: []report.Misses{
			{Way: "lru", PageIns: []*uint64{of(900), of(100)}},
			{Way: "fewest", PageIns: []*uint64{of(500), nil}},
		},
	}
	for i, vats := range w.Sizes {
		for j, interval := range []int{0, 5, 50} {
			p := report.Priced{
				Vats: vats, Rule: fmt.Sprintf("count:2/%d", interval), Evict: "lru", Initial: 2,
				Interval: interval, Now: float64(1e6 * (j + 1)), Later: float64(1e7 * (4 - i - j)),
				Restart: 2e6, Replayed: uint64(10 * (i + j)), Pages: uint64(7 * j), Suffix: uint64(3 * j),
			}
			if interval == 0 {
				p.Rule, p.Initial = "never", 0
			}
			w.Policies = append(w.Policies, p)
		}
		w.Policies = append(w.Policies, report.Priced{
			Vats: vats, Rule: "fuel:1e6", Evict: "lru", Now: 1e6, Later: 9e7, Restart: 5e6,
		})
	}
	return w
}

// TestWeighedIsDrawn: the plots and tables of a trace have what is known of it: shares of
// deliveries, the cheapest of each number of vats, a line for each initial count, and a
// flat one for what does not count.
func TestWeighedIsDrawn(t *testing.T) {
	t.Parallel()
	p := report.NewPage("traces")
	p.AddWeighed("one", weighedOf())
	p.AddWeighed("two", weighedOf())
	s := p.Sections[0]
	if p.Sections[1].Name != "trace-2" {
		t.Errorf("two traces have the names %q and %q", s.Name, p.Sections[1].Name)
	}
	lines := func(plot report.Plot) (out []string) {
		for _, l := range plot.Lines {
			out = append(out, fmt.Sprintf("%s %v", l.Label, l.Values))
		}
		return out
	}
	top, rules := s.Figures[0].Views[0].Plots, s.Figures[1].Views[1].Plots
	for _, c := range []struct{ got, want []string }{
		{lines(top[0]), []string{"lru [90 10]", "fewest [50 NaN]", "nothing saves [0.9 0.9]"}},
		{lines(top[1]), []string{"all [25 15]", "page-ins and replay [20 10]", "snapshots [3 3]",
			"replay after a restart [2 2]"}},
		{lines(rules[0]), []string{"never [33 33]", "first after 2 [24 15]"}},
		{lines(rules[5]), []string{"never [0 0]", "first after 2 [3 6]"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	choice := s.Figures[1].Choices[0]
	if !slices.Equal(choice.Options, []string{"1", "8"}) {
		t.Errorf("there are %q to choose from", choice.Options)
	}
	cheapest := fmt.Sprint(s.Tables[0].Rows)
	const want = "[[8 count:2/50 lru 0 30 0 14 3 10 2 15 6 0] " +
		"[1 count:2/50 lru 0 20 0 14 3 20 2 25 6 0]]"
	if cheapest != want {
		t.Errorf("the cheapest are %s, want %s", cheapest, want)
	}
	if n := len(s.Tables[1].Rows); n != 8 {
		t.Errorf("%d rules are listed, not 8", n)
	}
}

// TestPredictions: what swingsim policy --check --json prints is a table of what was said
// and what ran. What has no checks is refused.
func TestPredictions(t *testing.T) {
	t.Parallel()
	p := report.NewPage("predictions")
	err := p.Add("policy.json", []byte(`{"about":"glutton, seed x","vats":3,"checks":[{"policy":`+
		`{"vats":50,"rule":"count:2/200","pause_on_evict":false},"counts":[{"what":"page-ins",`+
		`"predicted":12,"ran":10,"holds":true},{"what":"replayed","predicted":3,"ran":0}],`+
		`"times":[{"what":"all","predicted_ns":5000000,"ran_ns":4000000}]}]}`+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := p.Sections[0]
	got := fmt.Sprint(s.About, s.Tables[0].Rows)
	const want = "policy.json, of glutton, seed x[[50 count:2/200 lru page-ins 12 10 20 yes] " +
		"[50 count:2/200 lru replayed 3 0 <nil> no] " +
		"[50 count:2/200 lru time: all, ms 5 4 25 no]]"
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, other := range []string{`{"about":"x","checks":[]}`, `{"checks":1}`, `[]`, ``} {
		if err := p.Add("other", []byte(other)); !errors.Is(err, report.ErrUnknown) {
			t.Errorf("%q: %v", other, err)
		}
	}
}

// TestWayOfOnePoint: a way that was measured at one point of an axis is no line over it; it
// is in the table of the point that most were measured at.
func TestWayOfOnePoint(t *testing.T) {
	t.Parallel()
	lines := []string{`{"format":"swingsim surface 2","rounds":1}`}
	for _, point := range []string{
		`"heap_mib":1,"way":"snapshot"`, `"heap_mib":2,"way":"snapshot"`,
		`"heap_mib":2,"way":"snapshot","memory":"copied"`,
	} {
		lines = append(lines, `{`+point+`,"dirty_pages":4,"suffix":5,"page_in_p50_us":3}`)
	}
	p := report.NewPage("sparse")
	if err := p.Add("sparse", []byte(strings.Join(lines, "\n")+"\n")); err != nil {
		t.Fatal(err)
	}
	s := p.Sections[0]
	if len(s.Figures) != 1 || len(s.Tables) != 2 {
		t.Fatalf("%d figures, %d tables", len(s.Figures), len(s.Tables))
	}
	drawn := s.Figures[0].Views[0].Plots[0].Lines
	if len(drawn) != 1 || drawn[0].Label != "snapshot" {
		t.Errorf("the lines are %v", drawn)
	}
	var ways []any
	for _, r := range s.Tables[0].Rows {
		ways = append(ways, r[0], r[3])
	}
	const want = "[2 snapshot 2 snapshot, copied]"
	if got := fmt.Sprint(ways); got != want || len(s.Tables[1].Rows) != 3 {
		t.Errorf("the ways are %s, want %s; %d points", got, want, len(s.Tables[1].Rows))
	}
}

// page makes a page of a record, a surface and a trace.
func page(t *testing.T) (*report.Page, []byte) {
	t.Helper()
	record, _ := recorded(t)
	p := report.NewPage("A page of <tests>")
	for _, f := range []struct {
		name string
		b    []byte
	}{{"run.jsonl", record}, {"<img src=x onerror=alert(1)>", surface(t)}} {
		if err := p.Add(f.name, f.b); err != nil {
			t.Fatal(err)
		}
	}
	p.AddWeighed("<u>trace", weighedOf())
	if err := p.Add("other.txt", []byte("neither")); !errors.Is(err, report.ErrUnknown) {
		t.Errorf("a file of something else: %v", err)
	}
	first, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	second, err := p.HTML()
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("made twice, two pages differ: %v", err)
	}
	return p, first
}

// TestPageIsWhole: a page loads nothing, and what files say is no markup in it.
func TestPageIsWhole(t *testing.T) {
	t.Parallel()
	_, b := page(t)
	loads := regexp.MustCompile(
		`<[a-z]+[^>]*\s(src|href)=|<link|@import|url\(|fetch\(|XMLHttpRequest`,
	)
	if found := loads.FindAll(b, -1); len(found) > 0 {
		t.Errorf("the page loads: %q", found)
	}
	for _, markup := range []string{"<b>scenario", "<i>processor", "<img", "<tests>", "<i>trace", "<u>"} {
		if bytes.Contains(b, []byte(markup)) {
			t.Errorf("the page has %q", markup)
		}
	}
	for _, want := range []string{"The MIT License", "Leon Sorokin", "Content-Security-Policy"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("the page has no %q", want)
		}
	}
}

// TestTimelineAddsUp: of a run of many blocks the points are fewer, and still have in all
// what was counted, and the most of what varied.
func TestTimelineAddsUp(t *testing.T) {
	t.Parallel()
	for _, blocks := range []int{1, 1999, 2000, 2001, 9999} {
		var b bytes.Buffer
		fmt.Fprintln(&b, `{"format":"swingsim record 1","scenario":"long","seed":""}`)
		for i := range blocks {
			fmt.Fprintf(
				&b,
				`{"block":%d,"seconds":%d,"deliveries":2,"queued":%d,"page_ins":%d}`+"\n",
				i,
				i+1,
				i*7919%10007,
				3*(i+1),
			)
		}
		p := report.NewPage("long")
		if err := p.Add("long", b.Bytes()); err != nil {
			t.Fatal(err)
		}
		most := 0.0
		for i := range blocks {
			most = max(most, float64(i*7919%10007))
		}
		got := map[string]float64{}
		for _, plot := range p.Sections[0].Figures[0].Views[0].Plots {
			for _, l := range plot.Lines {
				if n := len(l.Values); n != len(plot.X[0].Values) || n > 2000 ||
					n < min(blocks, 1000) {
					t.Fatalf("%d blocks: %d points at %d", blocks, n, len(plot.X[0].Values))
				}
				got["most "+l.Label] = slices.Max(l.Values)
				for _, v := range l.Values {
					got["sum "+l.Label] += v
				}
			}
		}
		if got["sum delivered"] != float64(2*blocks) || got["sum page-ins"] != float64(3*blocks) ||
			got["most in both queues"] != most || got["most deliveries/s"] != 2 {
			t.Errorf("%d blocks: %v", blocks, got)
		}
	}
}
